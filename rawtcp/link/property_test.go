package link

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// ledger counts what becomes of each packet on each link: it is sent there,
// and then, for each copy, received or dropped with a reason.
type ledger struct {
	log        strings.Builder
	sent, over map[string]int // by link
	twins      map[string]int
	noReason   int
}

func (l *ledger) Event(e trace.Event) {
	fmt.Fprintln(&l.log, e.At, e.Kind, e.Host, e.Link, e.ID, e.Reason, e.Text, len(e.Packet))
	switch {
	case e.Kind == trace.Sent:
		l.sent[e.Link]++
	case e.Kind == trace.Received, e.Kind == trace.Dropped && e.Reason == HostDown:
		l.over[e.Link]++
	case e.Kind == trace.Dropped && (e.Reason == nil || e.Reason.String() == "ok"):
		l.noReason++
	case e.Kind == trace.Dropped && e.Host == "": // by the link
		l.over[e.Link]++
	case e.Kind == trace.Note && e.Text == "duplicated":
		l.twins[e.Link]++
	}
}

func (l *ledger) Close() error { return nil }

// storm sends datagrams of all sizes between three hosts and a router, over
// bad links, with a crash and a cut in between.
func storm(t *testing.T, seed uint64) *ledger {
	l := &ledger{sent: map[string]int{}, over: map[string]int{}, twins: map[string]int{}}
	n := NewNetwork(seed, l)
	r := rand.New(rand.NewPCG(seed, 1))
	bad := func() Conditions {
		return Conditions{
			Delay: time.Duration(r.IntN(50)) * time.Millisecond, Jitter: time.Duration(r.IntN(9)) * time.Millisecond,
			Loss: r.Float64() / 5, Duplication: r.Float64() / 5, Reordering: r.Float64() / 5, Corruption: r.Float64() / 10,
			Rate: int64(r.IntN(2)) * 1_000_000, Queue: r.IntN(8),
		}
	}
	one := n.Link("one", LinkOptions{PointToPoint: true, Conditions: bad()})
	two := n.Link("two", LinkOptions{MTU: 600, PointToPoint: true, Conditions: bad()})
	router := n.Node("router", NodeOptions{Forwards: true, Quenches: seed%2 == 0})
	a, b, c := n.Node("a", NodeOptions{}), n.Node("b", NodeOptions{}), n.Node("c", NodeOptions{})
	a.Attach(one, "eth0", prefix("10.0.1.1/24"))
	c.Attach(one, "eth0", prefix("10.0.1.2/24"))
	router.Attach(one, "eth0", prefix("10.0.1.9/24"))
	router.Attach(two, "eth1", prefix("10.0.2.9/24"))
	b.Attach(two, "eth0", prefix("10.0.2.1/24"))
	var got counter
	for _, h := range []*Node{a, c} {
		h.AddRoute(Route{To: prefix("0.0.0.0/0"), Gateway: addr("10.0.1.9")})
		h.Handle(&got)
	}
	b.AddRoute(Route{To: prefix("0.0.0.0/0"), Gateway: addr("10.0.2.9")})
	b.Handle(&got)
	two.Cut(300*time.Millisecond, Everybody)
	two.Mend(350*time.Millisecond, Everybody)

	hosts := []*Node{a, b, c}
	to := []netip.Addr{addr("10.0.1.1"), addr("10.0.2.1"), addr("10.0.1.2"), addr("10.0.9.9")}
	for i := range 300 {
		now := time.Duration(i) * 2 * time.Millisecond
		n.Advance(now)
		switch i {
		case 200:
			c.Crash(now)
		case 250:
			c.Reboot(now)
			c.Handle(&got)
		}
		from := hosts[r.IntN(3)]
		h := wire.IPv4{
			ID: uint16(i), TTL: uint8(1 + r.IntN(3)), DF: r.IntN(3) == 0, Protocol: 99,
			Src: from.Addresses()[0].Addr(), Dst: to[r.IntN(4)], Payload: make([]byte, r.IntN(2000)),
		}
		if h.Dst == h.Src {
			continue
		}
		if err := from.Send(now, h.AppendTo(from.Buffer()), trace.Rule{}); err != nil && from.Up() && !h.DF {
			t.Fatal(err)
		}
	}
	n.Advance(time.Hour)
	if at, ok := n.NextDeadline(); ok {
		t.Errorf("seed %d: something is still to happen at %v", seed, at)
	}
	if got.packets == 0 {
		t.Errorf("seed %d: nothing arrived", seed)
	}
	for _, link := range []*Link{one, two} {
		if s := link.Stats(); s.In+s.Duplicated != s.Delivered+s.Dropped || s.Pending > 0 {
			t.Errorf("seed %d: %s: packets are missing: %+v", seed, link.LinkName(), s)
		}
	}
	return l
}

// On every link, what goes in comes out or is dropped with a reason; and what
// happens once happens again, to the last byte.
func TestNothingIsLostWithoutAReason(t *testing.T) {
	for seed := range uint64(60) {
		l := storm(t, seed)
		for link, sent := range l.sent {
			if sent+l.twins[link] != l.over[link] {
				t.Errorf("seed %d: %s: %d sent and %d duplicated, but %d received or dropped",
					seed, link, sent, l.twins[link], l.over[link])
			}
		}
		if l.noReason > 0 {
			t.Errorf("seed %d: %d dropped without a reason", seed, l.noReason)
		}
		if again := storm(t, seed); again.log.String() != l.log.String() {
			t.Errorf("seed %d: the second time is different:\n%s", seed, cmp.Diff(l.log.String(), again.log.String()))
		}
	}
}
