package link

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// lab is a network under test, with a listing of what is on its links and a
// list of what was dropped.
type lab struct {
	*testing.T
	*Network
	now    time.Duration
	lister *trace.Lister
	lines  []string // since the last call of wants
	drops  []string
	counts map[trace.Kind]int
	got    map[string][]string // by host: what its handler was given
}

func newLab(t *testing.T) *lab {
	l := &lab{T: t, counts: map[trace.Kind]int{}, got: map[string][]string{}}
	l.Network = NewNetwork(1, trace.Func(l.event))
	l.lister = trace.NewOldLister(trace.Listing{Names: trace.Names{Host: l.hostOf}})
	return l
}

func (l *lab) event(e trace.Event) {
	l.counts[e.Kind]++
	if line, ok := l.lister.Line(e); ok {
		l.lines = append(l.lines, fmt.Sprintf("%s %s: %s", seconds(e.At), e.Link, line))
	}
	if e.Kind == trace.Dropped {
		host := e.Host
		if host == "" {
			host = e.Link
		}
		l.drops = append(l.drops, fmt.Sprintf("%s %s: %s", seconds(e.At), host, e.Reason))
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// host adds a host whose handler writes down what it is given.
func (l *lab) host(name string, o NodeOptions) *Node {
	h := l.Node(name, o)
	h.Handle(recorder{l, name})
	return h
}

type recorder struct {
	*lab
	host string
}

func (r recorder) Receive(now time.Duration, packet []byte) {
	// In the listing of what arrived, the form is that of today, which prints
	// more of ICMP.
	line, _ := trace.NewLister(trace.Listing{
		Names: trace.Names{Host: r.hostOf}, See: func(*trace.Event) bool { return true },
	}).Line(trace.Event{Packet: packet})
	r.got[r.host] = append(r.got[r.host], seconds(now)+" "+line)
}

// run advances to a time, step by step.
func (l *lab) run(to time.Duration) {
	l.Helper()
	for range 100_000 {
		at, ok := l.NextDeadline()
		if !ok || at > to {
			l.Advance(to)
			l.now = to
			return
		}
		if at < l.now {
			l.Fatalf("deadline %v at %v: in the past", at, l.now)
		}
		l.now = at
		if !l.Step(at) {
			l.Fatalf("at its deadline %v the network did nothing", at)
		}
	}
	l.Fatal("the network never rests")
}

// wants compares the lines since the last call.
func (l *lab) wants(want string) {
	l.Helper()
	got := strings.Join(append(l.lines, ""), "\n")
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		l.Errorf("on the links (-want +got):\n%s", diff)
	}
	l.lines = nil
}

func (l *lab) wantDrops(want ...string) {
	l.Helper()
	if diff := cmp.Diff(want, l.drops); diff != "" {
		l.Errorf("dropped (-want +got):\n%s", diff)
	}
	l.drops = nil
}

func (l *lab) wantGot(host string, want ...string) {
	l.Helper()
	if diff := cmp.Diff(want, l.got[host]); diff != "" {
		l.Errorf("%s was given (-want +got):\n%s", host, diff)
	}
	l.got[host] = nil
}

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// udp sends a UDP datagram with n bytes of data.
func (l *lab) udp(from *Node, dst netip.Addr, n int, tweaks ...func(*wire.IPv4)) error {
	path, err := from.Path(dst)
	if err != nil {
		return err
	}
	u := wire.UDP{SrcPort: 1111, DstPort: 9, Payload: make([]byte, n)}
	payload := u.AppendTo(nil, path.Source, dst, wire.ChecksumFull)
	if dst.Is6() {
		h := wire.IPv6{HopLimit: 64, Src: path.Source, Dst: dst, Protocol: wire.ProtoUDP, Payload: payload}
		return from.Send(l.now, h.AppendTo(from.Buffer()), trace.Rule{})
	}
	h := wire.IPv4{ID: 7, TTL: 60, Src: path.Source, Dst: dst, Protocol: wire.ProtoUDP, Payload: payload}
	for _, tweak := range tweaks {
		tweak(&h)
	}
	return from.Send(l.now, h.AppendTo(from.Buffer()), trace.Rule{})
}

func (l *lab) mustUDP(from *Node, dst string, n int, tweaks ...func(*wire.IPv4)) {
	l.Helper()
	if err := l.udp(from, addr(dst), n, tweaks...); err != nil {
		l.Fatal(err)
	}
}

func df(h *wire.IPv4) { h.DF = true }

// berkeley is how the hosts of the book do ARP.
func berkeley() NodeOptions {
	return NodeOptions{ARP: ARPOptions{Pending: 1, Requests: -1, Interval: -1}, Quote: 8}
}

// book is bsdi, svr4 and slip of the book: an Ethernet, and a SLIP link with
// bsdi as the router.
func book(t *testing.T) (l *lab, bsdi, svr4, slip *Node) {
	l = newLab(t)
	ether := l.Link("ether", LinkOptions{Conditions: Conditions{Delay: time.Millisecond}})
	serial := l.Link("slip", LinkOptions{MTU: 296, PointToPoint: true, Conditions: Conditions{Rate: 9600, Queue: 2}})
	router := berkeley()
	router.Forwards, router.Quenches = true, true
	bsdi = l.host("bsdi", router)
	svr4 = l.host("svr4", berkeley())
	slip = l.host("slip", berkeley())
	bsdi.Attach(ether, "we0", prefix("140.252.13.35/27"))
	bsdi.Attach(serial, "sl0", prefix("140.252.13.66/27"))
	svr4.Attach(ether, "emd0", prefix("140.252.13.34/27"))
	slip.Attach(serial, "sl0", prefix("140.252.13.65/27"))
	svr4.AddRoute(Route{To: prefix("0.0.0.0/0"), Gateway: addr("140.252.13.35")})
	slip.AddRoute(Route{To: prefix("0.0.0.0/0"), Gateway: addr("140.252.13.66")})
	return l, bsdi, svr4, slip
}
