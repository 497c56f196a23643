package hub

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// bench is a cable with whatever is told of it, in virtual time.
type bench struct {
	*cable
	t      *testing.T
	at     time.Duration
	told   []string // notes
	events []trace.Event
	lines  []string // as tcpdump has them
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t}
	lister := trace.NewLister(trace.Listing{})
	o.Sink = trace.Func(func(e trace.Event) {
		if n := len(b.events); n > 0 && e.At < b.events[n-1].At {
			t.Errorf("%v after %v", e.At, b.events[n-1].At)
		}
		e.Packet = slices.Clone(e.Packet)
		b.events = append(b.events, e)
		if line, ok := lister.Line(e); ok {
			b.lines = append(b.lines, line)
		}
	})
	o.Log = func(text string) { b.told = append(b.told, text) }
	must(t, o.complete())
	b.cable = newCable(o)
	return b
}

// inbox is an outlet that keeps what comes.
type inbox struct {
	bench *bench
	port  *port
	got   []string // "0.5s 10.0.0.1 > 10.0.0.2 hello"
	fresh int      // of got, not flushed
	full  bool
}

func (i *inbox) take(packet []byte) bool {
	if i.full {
		return false
	}
	var h wire.IPv4
	h.Decode(packet)
	i.got = append(i.got, fmt.Sprintf("%v %v > %v %s", i.bench.at, h.Src, h.Dst, h.Payload))
	i.fresh++
	return true
}

func (i *inbox) flush() { i.fresh = 0 }

// plug plugs in who wants these addresses.
func (b *bench) plug(addresses ...string) *inbox {
	b.t.Helper()
	i := &inbox{bench: b}
	p, err := b.join(b.at, addresses, "a test", i)
	must(b.t, err)
	i.port = p
	return i
}

// say sends a packet from i to an address.
func (i *inbox) say(to, text string) {
	src := i.port.addresses[0].Addr()
	i.put(ip(src, netip.MustParseAddr(to), 200, []byte(text)))
}

func (i *inbox) put(packet []byte) {
	i.bench.send(i.bench.at, i.port, packet)
	i.bench.advance(i.bench.at)
}

// ip returns an IPv4 packet.
func ip(src, dst netip.Addr, proto wire.Protocol, payload []byte) []byte {
	h := wire.IPv4{TTL: 64, Protocol: proto, Src: src, Dst: dst, Payload: payload}
	return h.AppendTo(nil)
}

// segment sends a TCP segment.
func (i *inbox) segment(to string, flags wire.Flags, data string) {
	src, dst := i.port.addresses[0].Addr(), netip.MustParseAddr(to)
	s := wire.Segment{SrcPort: 1024, DstPort: 7, Seq: 1, Ack: 1, Flags: flags, Window: 100, Payload: []byte(data)}
	i.put(ip(src, dst, wire.ProtoTCP, s.AppendTo(nil, src, dst, wire.ChecksumFull)))
}

// want fails unless exactly this has come since it was last asked, and has been
// flushed.
func (i *inbox) want(packets ...string) {
	i.bench.t.Helper()
	if !slices.Equal(i.got, packets) {
		i.bench.t.Errorf("at %v:\n%s\nnot\n%s", i.port.name, strings.Join(i.got, "\n"), strings.Join(packets, "\n"))
	}
	if i.fresh > 0 {
		i.bench.t.Errorf("at %v: %d packets were not flushed", i.port.name, i.fresh)
	}
	i.got = nil
}

// until lets time pass, from one deadline to the next.
func (b *bench) until(t time.Duration) {
	for {
		at, ok := b.nextDeadline()
		if !ok || at > t {
			break
		}
		b.at = max(b.at, at)
		b.advance(b.at)
		if next, ok := b.nextDeadline(); ok && next <= b.at {
			b.t.Fatalf("the deadline %v has passed, and nothing happens", next)
		}
	}
	b.at = t
	b.advance(t)
}

// do does what a line says.
func (b *bench) do(line string) {
	b.t.Helper()
	_, err := b.command(b.at, line)
	must(b.t, err)
}

// answers fails unless a command answers that.
func (b *bench) answers(line, want string) {
	b.t.Helper()
	got, err := b.command(b.at, line)
	must(b.t, err)
	if got != want {
		b.t.Errorf("%s: the answer is\n%s\nnot\n%s", line, got, want)
	}
}

// wantTold fails unless exactly this has been told since it was last asked.
func (b *bench) wantTold(texts ...string) {
	b.t.Helper()
	if !slices.Equal(b.told, texts) {
		b.t.Errorf("told was\n%s\nnot\n%s", strings.Join(b.told, "\n"), strings.Join(texts, "\n"))
	}
	b.told = nil
}

// drops returns why packets were dropped.
func (b *bench) drops() (all []string) {
	for _, e := range b.events {
		if e.Kind == trace.Dropped {
			all = append(all, e.Reason.String())
		}
	}
	return all
}

// A packet comes to who has the address, and to all if it is for all.
func TestDelivery(t *testing.T) {
	b := newBench(t, Options{})
	one, two, three := b.plug("10.0.0.1"), b.plug("10.0.0.2/24"), b.plug("10.0.0.3", "192.0.2.3/28")
	all := func(packet string) {
		t.Helper()
		one.want()
		two.want(packet)
		three.want(packet)
	}
	one.say("10.0.0.2", "unicast")
	two.want("0s 10.0.0.1 > 10.0.0.2 unicast")
	one.say("192.0.2.3", "to another address")
	three.want("0s 10.0.0.1 > 192.0.2.3 to another address")
	one.say("255.255.255.255", "broadcast")
	all("0s 10.0.0.1 > 255.255.255.255 broadcast")
	one.say("10.0.0.255", "directed")
	all("0s 10.0.0.1 > 10.0.0.255 directed")
	one.say("192.0.2.15", "directed, on another network")
	all("0s 10.0.0.1 > 192.0.2.15 directed, on another network")
	one.say("224.0.0.1", "multicast")
	all("0s 10.0.0.1 > 224.0.0.1 multicast")
	one.say("10.0.0.9", "nobody")
	one.say("192.0.2.31", "no broadcast address of anybody")
	one.say("10.0.0.1", "to oneself")
	one.want("0s 10.0.0.1 > 10.0.0.1 to oneself")
	two.want()
	three.want()
	if got := b.drops(); !slices.Equal(got, []string{"nobody has that address", "nobody has that address"}) {
		t.Errorf("dropped: %q", got)
	}
}

// What no link carries is dropped, and who sent it stays.
func TestOddPackets(t *testing.T) {
	b := newBench(t, Options{MTU: 100})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	one.put(nil)
	one.put([]byte("hello, world, this is no packet"))
	one.put([]byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0})
	one.put(append([]byte{0x60}, make([]byte, 38)...))
	one.say("10.0.0.2", strings.Repeat("x", 81))
	two.want()
	if got, want := b.drops(), []string{"truncated", "truncated", "truncated", "truncated", "longer than the MTU"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q, not %q", got, want)
	}
	one.say("10.0.0.2", strings.Repeat("x", 80))
	if len(two.got) != 1 {
		t.Error("as long as the MTU, and yet it does not come")
	}
}

// The wire tells of each packet when it is put on, when it is taken off, and
// when it is dropped; with the same number.
func TestTrace(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	one.segment("10.0.0.2", wire.SYN, "")
	b.until(time.Second / 2)
	two.segment("10.0.0.1", wire.SYN|wire.ACK, "")
	b.until(5 * time.Second)
	two.segment("10.0.0.7", wire.RST, "")
	b.until(9 * time.Second)
	var got []string
	for _, e := range b.events {
		if e.Kind != trace.Note {
			got = append(got, fmt.Sprint(e.At, " ", e.Kind, " ", e.Host, " ", e.ID, " ", e.Reason))
		}
	}
	want := []string{
		"0s sent 10.0.0.1 1 <nil>",
		"500ms sent 10.0.0.2 2 <nil>",
		"1s received 10.0.0.2 1 <nil>",
		"1.5s received 10.0.0.1 2 <nil>",
		"5s sent 10.0.0.2 3 <nil>",
		"6s dropped  3 nobody has that address",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if want := []string{
		"IP 10.0.0.1.1024 > 10.0.0.2.7: Flags [S], seq 1, win 100, length 0",
		"IP 10.0.0.2.1024 > 10.0.0.1.7: Flags [S.], seq 1, ack 1, win 100, length 0",
		"IP 10.0.0.2.1024 > 10.0.0.7.7: Flags [R], seq 1, win 100, length 0",
	}; !slices.Equal(b.lines, want) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(b.lines, "\n"), strings.Join(want, "\n"))
	}
}

// What is under way reaches who plugs in meanwhile: two shells can open at the
// same time, though one is started first.
func TestJoinWhileUnderWay(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: 5 * time.Second}})
	one := b.plug("10.0.0.1")
	one.say("10.0.0.2", "first")
	b.until(2 * time.Second)
	two := b.plug("10.0.0.2")
	two.say("10.0.0.1", "second")
	b.until(10 * time.Second)
	two.want("5s 10.0.0.1 > 10.0.0.2 first")
	one.want("7s 10.0.0.2 > 10.0.0.1 second")
}

// Who leaves gets nothing more, and what was under way to him goes to who has
// his address next.
func TestLeave(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2", "192.0.2.2")
	b.told = nil
	one.say("10.0.0.2", "a")
	b.leave(b.at, two.port, nil)
	b.wantTold("10.0.0.2 has left")
	b.leave(b.at, two.port, nil) // twice is once
	b.wantTold()
	again := b.plug("192.0.2.2", "10.0.0.2")
	b.leave(b.at, again.port, fmt.Errorf("it is odd"))
	b.wantTold("192.0.2.2 has joined: a test", "192.0.2.2 has left: it is odd")
	again = b.plug("10.0.0.2")
	b.until(time.Second)
	two.want()
	again.want("1s 10.0.0.1 > 10.0.0.2 a")
	b.leave(b.at, again.port, nil)
	one.say("10.0.0.2", "b")
	b.until(5 * time.Second)
	again.want()
	if got := b.drops(); !slices.Equal(got, []string{"nobody has that address"}) {
		t.Errorf("dropped: %q", got)
	}
}

// Who does not read loses what is for him, and nobody else does. It is told when
// it begins, and when it ends.
func TestSlow(t *testing.T) {
	b := newBench(t, Options{})
	one, two, three := b.plug("10.0.0.1"), b.plug("10.0.0.2"), b.plug("10.0.0.3")
	b.told = nil
	two.full = true
	for range 3 {
		one.say("10.0.0.2", "lost")
	}
	one.say("10.0.0.3", "not lost")
	two.want()
	three.want("0s 10.0.0.1 > 10.0.0.3 not lost")
	b.wantTold("10.0.0.2 does not read what comes for it, which is lost")
	two.full = false
	one.say("10.0.0.2", "read")
	two.want("0s 10.0.0.1 > 10.0.0.2 read")
	b.wantTold("10.0.0.2 reads again; packets lost for it: 3")
	two.full = true
	one.say("10.0.0.2", "lost")
	b.leave(b.at, two.port, nil)
	b.wantTold("10.0.0.2 does not read what comes for it, which is lost", "10.0.0.2 has left; packets lost for it: 1")
	if got := b.drops(); len(got) != 4 || got[0] != "receiver does not read" {
		t.Errorf("dropped: %q", got)
	}
}

// A long delay does not let anybody fill the memory.
func TestUnderWay(t *testing.T) {
	b := newBench(t, Options{MTU: maxMTU, Conditions: link.Conditions{Delay: time.Hour}})
	b.sink = nil
	one := b.plug("10.0.0.1")
	b.plug("10.0.0.2")
	for range maxUnderWay/maxMTU + 1000 {
		one.say("10.0.0.2", "x")
	}
	if n := b.pipe.Stats().Pending; n > maxUnderWay/maxMTU+1 {
		t.Errorf("%d packets are under way", n)
	}
	if n := b.losses["queue full"]; n < 999 {
		t.Errorf("%d packets were too many", n)
	}
}

// Nothing is allocated for a packet that finds a buffer.
func TestCableAllocations(t *testing.T) {
	b := newBench(t, Options{})
	b.sink = nil
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	two.port.out = newQueue(nil, 1<<30)
	packet := ip(one.port.addresses[0].Addr(), two.port.addresses[0].Addr(), wire.ProtoUDP, make([]byte, 1000))
	for range 1000 {
		one.put(packet)
	}
	two.port.out.(*queue).pending = two.port.out.(*queue).pending[:0]
	if n := testing.AllocsPerRun(900, func() { one.put(packet) }); n > 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
