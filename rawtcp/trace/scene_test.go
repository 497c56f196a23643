package trace

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update rewrites it:\n%s", path, diff)
	}
}

// The hosts of the book.
func bookAddr(host string) netip.Addr {
	return netip.MustParseAddr(map[string]string{
		"bsdi": "140.252.13.35", "svr4": "140.252.13.34", "sun": "140.252.13.33",
		"slip": "140.252.13.65", "solaris": "140.252.1.32", "vangogh": "128.32.130.2",
		"bsdi6": "2001:db8::35", "svr46": "2001:db8::34",
	}[host])
}

func bookNames() Names {
	return Names{
		Host: func(a netip.Addr) string {
			for _, host := range []string{"bsdi", "svr4", "sun", "slip", "solaris", "vangogh"} {
				if bookAddr(host) == a {
					return host
				}
			}
			return ""
		},
		Service: func(_ wire.Protocol, port uint16) string {
			return map[uint16]string{9: "discard", 7: "echo"}[port]
		},
	}
}

// scene is a list of events in the making.
type scene struct {
	events []Event
	id     uint64
	at     time.Duration
}

// to moves the clock to that many seconds, in microseconds as the book has it.
func (s *scene) to(seconds float64) {
	s.at = time.Duration(seconds*1e6+0.5) * time.Microsecond
}

func (s *scene) add(e Event) {
	e.At = s.at
	s.events = append(s.events, e)
}

func (s *scene) state(host, from, to, why string) {
	s.add(Event{Kind: State, Host: host, From: from, To: to, Text: why})
}

// send puts a packet on the Ethernet, and returns its ID.
func (s *scene) send(from string, packet []byte) uint64 {
	s.id++
	s.add(Event{
		Kind: Sent, Host: from, Interface: "le0", Link: "ether", ID: s.id, Packet: packet,
		Src: wire.MAC{8, 0, 0x20, 3, 0xf6, 0x42}, Dst: wire.MAC{0, 0, 0xc0, 0xc2, 0x9b, 0x26},
	})
	return s.id
}

func (s *scene) receive(to string, id uint64) {
	for _, e := range s.events {
		if e.Kind == Sent && e.ID == id {
			e.Kind, e.Host = Received, to
			s.add(e)
			return
		}
	}
}

func (s *scene) drop(id uint64, why wire.Reason) {
	for _, e := range s.events {
		if e.Kind == Sent && e.ID == id {
			e.Kind, e.Host, e.Reason = Dropped, "", why
			s.add(e)
			return
		}
	}
}

// tcp returns a packet with the segment s from one host to the other.
func tcp(from, to string, s wire.Segment, tweaks ...func(h *wire.IPv4)) []byte {
	src, dst := bookAddr(from), bookAddr(to)
	payload := s.AppendTo(nil, src, dst, wire.ChecksumFull)
	if src.Is6() {
		h := wire.IPv6{HopLimit: 64, Src: src, Dst: dst, Protocol: wire.ProtoTCP, Payload: payload}
		return h.AppendTo(nil)
	}
	return ip(from, to, wire.ProtoTCP, payload, tweaks...)
}

func ip(from, to string, proto wire.Protocol, payload []byte, tweaks ...func(h *wire.IPv4)) []byte {
	h := wire.IPv4{ID: 1, TTL: 60, Src: bookAddr(from), Dst: bookAddr(to), Protocol: proto, Payload: payload}
	for _, tweak := range tweaks {
		tweak(&h)
	}
	return h.AppendTo(nil)
}

func segment(sport, dport uint16, flags wire.Flags, first, ack seq.Value, payload string) wire.Segment {
	return wire.Segment{
		SrcPort: sport, DstPort: dport, Flags: flags, Seq: first, Ack: ack,
		Window: 4096, Payload: []byte(payload),
	}
}

func withMSS(s wire.Segment, mss uint16) wire.Segment {
	s.Options = wire.Options{HasMSS: true, MSS: mss, Layout: wire.LayoutBSD}
	return s
}

// fig18_1 is the connection of Fig 18-1 and 18-3, with its states (Fig 18-13).
func fig18_1() []Event {
	const x, y seq.Value = 1415531521, 1823083521
	syn, ack, fin := wire.SYN, wire.ACK, wire.FIN
	var s scene
	hop := func(at, arrives float64, from, to string, seg wire.Segment) {
		s.to(at)
		id := s.send(from, tcp(from, to, seg))
		s.to(arrives)
		s.receive(to, id)
	}
	s.state("bsdi", "CLOSED", "LISTEN", "passive open")
	s.add(Event{Kind: Call, Host: "svr4", Name: "connect", Text: "bsdi.discard"})
	s.state("svr4", "CLOSED", "SYN_SENT", "active open")
	hop(0, 0.0011, "svr4", "bsdi", withMSS(segment(1037, 9, syn, x, 0, ""), 1024))
	s.state("bsdi", "LISTEN", "SYN_RCVD", "SYN")
	hop(0.002402, 0.0035, "bsdi", "svr4", withMSS(segment(9, 1037, syn|ack, y, x+1, ""), 1024))
	s.state("svr4", "SYN_SENT", "ESTABLISHED", "SYN and ACK")
	hop(0.007224, 0.0083, "svr4", "bsdi", segment(1037, 9, ack, x+1, y+1, ""))
	s.state("bsdi", "SYN_RCVD", "ESTABLISHED", "ACK")
	s.to(4.155441)
	s.state("svr4", "ESTABLISHED", "FIN_WAIT_1", "close")
	hop(4.155441, 4.1565, "svr4", "bsdi", segment(1037, 9, fin|ack, x+1, y+1, ""))
	s.state("bsdi", "ESTABLISHED", "CLOSE_WAIT", "FIN")
	hop(4.156747, 4.1578, "bsdi", "svr4", segment(9, 1037, ack, y+1, x+2, ""))
	s.state("svr4", "FIN_WAIT_1", "FIN_WAIT_2", "ACK of FIN")
	s.to(4.158144)
	s.state("bsdi", "CLOSE_WAIT", "LAST_ACK", "close")
	hop(4.158144, 4.1592, "bsdi", "svr4", segment(9, 1037, fin|ack, y+1, x+2, ""))
	s.state("svr4", "FIN_WAIT_2", "TIME_WAIT", "FIN")
	s.add(Event{Kind: TimerSet, Host: "svr4", Name: "2MSL", For: time.Minute})
	hop(4.180662, 4.1817, "svr4", "bsdi", segment(1037, 9, ack, x+2, y+2, ""))
	s.state("bsdi", "LAST_ACK", "CLOSED", "ACK")
	s.to(64.1592)
	s.add(Event{Kind: TimerFired, Host: "svr4", Name: "2MSL"})
	s.state("svr4", "TIME_WAIT", "CLOSED", "2MSL timer")
	return s.events
}

// deadHost is the SYNs of Fig 18-6.
func deadHost() []Event {
	var s scene
	for _, at := range []float64{0, 5.814797, 29.815436} {
		s.to(at)
		if at > 0 {
			s.add(Event{Kind: TimerFired, Host: "bsdi", Name: "retransmit"})
		} else {
			s.state("bsdi", "CLOSED", "SYN_SENT", "active open")
		}
		id := s.send("bsdi", tcp("bsdi", "svr4", withMSS(segment(1024, 9, wire.SYN, 291008001, 0, ""), 1024),
			func(h *wire.IPv4) { h.TOS = 0x10 }))
		s.drop(id, wire.Truncated)
	}
	s.to(75.1)
	s.add(Event{Kind: TimerFired, Host: "bsdi", Name: "connect"})
	s.state("bsdi", "SYN_SENT", "CLOSED", "timeout")
	return s.events
}

// play hands events to a sink and closes it.
func play(t *testing.T, s Sink, events []Event) {
	t.Helper()
	for _, e := range events {
		s.Event(e)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
