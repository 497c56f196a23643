package trace

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/wire"
)

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name, remedy string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%v; to run this test: %s", err, remedy)
	}
	return path
}

// captured writes events into a file, as our own capture has them.
func captured(t *testing.T, c Capture, events []Event) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	play(t, NewPcapng(f, c), events)
	return path
}

func output1(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return stdout.String()
}

func other6() []Event {
	var s scene
	send := func(from, to string, seg wire.Segment) { s.send(from, tcp(from, to, seg)) }
	send("svr46", "bsdi6", withMSS(segment(1037, 9999, wire.SYN, 100, 0, ""), 1440))
	send("bsdi6", "svr46", segment(9999, 1037, wire.SYN|wire.ACK, 500, 101, ""))
	send("svr46", "bsdi6", segment(1037, 9999, wire.PSH|wire.ACK, 101, 501, "hello"))
	send("bsdi6", "svr46", segment(9999, 1037, wire.RST|wire.ACK, 501, 106, ""))

	a, b := bookAddr("svr46"), bookAddr("bsdi6")
	icmp := func(m wire.ICMPv6) {
		h := wire.IPv6{
			HopLimit: 64, Src: b, Dst: a, Protocol: wire.ProtoICMPv6,
			Payload: m.AppendTo(nil, b, a, wire.ChecksumFull),
		}
		s.send("bsdi6", h.AppendTo(nil))
	}
	icmp(wire.ICMPv6{Type: wire.ICMPv6Echo, Rest: wire.EchoRest(1, 2), Body: make([]byte, 8)})
	u := wire.UDP{SrcPort: 4444, DstPort: 5555, Payload: make([]byte, 3000)}
	h := wire.IPv6{HopLimit: 64, Src: a, Dst: b, Protocol: wire.ProtoUDP}
	h.Payload = u.AppendTo(nil, a, b, wire.ChecksumFull)
	fragments, _ := h.Fragments(1280, 77)
	for _, f := range fragments {
		s.send("svr46", f.AppendTo(nil))
	}
	u.Payload = u.Payload[:100]
	h.Payload = u.AppendTo(nil, a, b, wire.ChecksumFull)
	whole := h.AppendTo(nil)
	s.send("svr46", whole)
	icmp(wire.ICMPv6{Type: wire.ICMPv6Unreachable, Code: wire.PortUnreachableIPv6, Body: whole})
	icmp(wire.ICMPv6{Type: wire.ICMPv6Unreachable, Code: wire.NoRoute, Body: whole})
	icmp(wire.ICMPv6{Type: wire.ICMPv6Unreachable, Code: wire.AddressUnreachable, Body: whole})
	icmp(wire.ICMPv6{Type: wire.ICMPv6PacketTooBig, Rest: 1280, Body: whole})
	icmp(wire.ICMPv6{Type: wire.ICMPv6TimeExceeded, Body: whole})
	return s.events
}

// whole returns the events without those of fragments.
func whole(events []Event) []Event {
	return slices.DeleteFunc(events, func(e Event) bool {
		var d datagram
		return d.decode(e.Packet) == wire.OK && d.isFragment()
	})
}

// A fragment is told apart from all others as in Fig 11-7, in both versions of IP.
func TestFragments(t *testing.T) {
	for _, c := range []struct {
		events []Event
		want   string
	}{
		{other(), "IP 140.252.13.35.1111 > 140.252.13.34.9: UDP, length 1473 (frag 26304:1480@0+)\n" +
			"IP 140.252.13.35 > 140.252.13.34: (frag 26304:1@1480)\n"},
		{other6(), "IP6 2001:db8::34.4444 > 2001:db8::35.5555: UDP, length 3000 (frag 77:1232@0+)\n" +
			"IP6 2001:db8::34 > 2001:db8::35: (frag 77:1232@1232+)\n" +
			"IP6 2001:db8::34 > 2001:db8::35: (frag 77:544@2464)\n"},
	} {
		var fragments []Event
		for _, e := range c.events {
			if len(whole([]Event{e})) == 0 {
				fragments = append(fragments, e)
			}
		}
		if diff := cmp.Diff(c.want, listed(t, NewLister(Listing{}), fragments)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Our lines are those that tcpdump prints of our capture, but for fragments.
func TestAsTcpdumpToday(t *testing.T) {
	tcpdump := tool(t, "tcpdump", "apt-get install tcpdump")
	epoch := time.Date(1993, 7, 7, 7, 54, 51, 0, time.UTC)
	for _, c := range []struct {
		name     string
		events   []Event
		absolute bool
	}{
		{"fig18-1", fig18_1(), false},
		{"fig18-1 absolute", fig18_1(), true},
		{"fig18-6", deadHost(), false},
		{"others", whole(other()), false},
		{"others absolute", whole(other()), true},
		{"IPv6", whole(other6()), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			// What tcpdump reads from a pcapng file with more than one
			// interface must be of one link type, as it is here.
			path := captured(t, Capture{LinkType: LinkTypeEthernet, Epoch: epoch}, c.events)
			args := []string{"-n", "-r", path}
			if c.absolute {
				args = append(args, "-S")
			}
			l := NewLister(Listing{Absolute: c.absolute, Times: ClockTimes, Epoch: epoch})
			if diff := cmp.Diff(output1(t, tcpdump, args...), listed(t, l, c.events)); diff != "" {
				t.Errorf("(-tcpdump +ours):\n%s", diff)
			}
		})
	}
}

func TestCaptureIsRead(t *testing.T) {
	tshark := tool(t, "tshark", "apt-get install tshark")
	capinfos := tool(t, "capinfos", "apt-get install wireshark-common")
	tcpdump := tool(t, "tcpdump", "apt-get install tcpdump")
	for _, c := range []struct {
		linkType LinkType
		wants    []string
	}{
		{LinkTypeRaw, []string{"Raw IP", "Name = ether\n"}},
		{LinkTypeEthernet, []string{"Ethernet", "Name = svr4:le0", "Name = bsdi:le0"}},
	} {
		path := captured(t, Capture{LinkType: c.linkType, Interface: "ether"}, fig18_1())
		info := output1(t, capinfos, "-M", "-c", "-E", "-I", path)
		for _, want := range append(c.wants, "Time precision = nanoseconds (9)") {
			if !strings.Contains(info, want) {
				t.Errorf("capinfos does not say %q:\n%s", want, info)
			}
		}
		got := output1(t, tshark, "-r", path, "-T", "fields", "-E", "separator=;",
			"-e", "frame.number", "-e", "frame.interface_name", "-e", "tcp.flags.str", "-e", "frame.comment")
		if n := strings.Count(got, "\n"); n != 7 {
			t.Errorf("tshark reads %d packets, want 7:\n%s", n, got)
		}
		if n := strings.Count(output1(t, tcpdump, "-n", "-r", path), "\n"); n != 7 {
			t.Errorf("tcpdump reads %d packets, want 7", n)
		}
		if c.linkType == LinkTypeEthernet {
			golden(t, "tshark-fig18-1.txt", got)
		}
	}
}
