package ether

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"sock/rawtcp/wire"
)

// segment is an Ethernet in memory. Frames arrive at once, in order.
type segment struct {
	now   time.Duration
	hosts []*station
	log   []string // what was sent, since it was last looked at
	cut   bool     // nothing arrives
}

// station is a host on it.
type station struct {
	neighbors
	released, given []string // packets
}

func (s *segment) add(last byte, own ...string) *station {
	h := &station{neighbors: neighbors{mac: wire.MAC{2, 0, 0, 0, 0, last}, known: map[netip.Addr]*neighbor{}}}
	for _, a := range own {
		h.own = append(h.own, netip.MustParsePrefix(a))
	}
	h.transmit = func(to wire.MAC, kind wire.EtherType, packet []byte) {
		s.log = append(s.log, describe(h.mac, to, kind, packet))
		if s.cut {
			return
		}
		packet = slices.Clone(packet)
		for _, o := range s.hosts {
			if o == h || to[0]&1 == 0 && to != o.mac {
				continue
			}
			if kind == wire.EtherARP {
				o.receiveARP(s.now, packet)
			} else {
				o.receiveNeighbor(s.now, h.mac, packet)
			}
		}
	}
	h.release = func(to wire.MAC, x held) {
		h.released = append(h.released, fmt.Sprintf("%s to %v", x.packet, to))
	}
	h.giveUp = func(x held) { h.given = append(h.given, string(x.packet)) }
	s.hosts = append(s.hosts, h)
	return h
}

// describe tells of a frame in a line.
func describe(from, to wire.MAC, kind wire.EtherType, packet []byte) string {
	what := ""
	if kind == wire.EtherARP {
		var a wire.ARP
		a.Decode(packet)
		what = fmt.Sprintf("who has %v, tell %v", a.TargetIP, a.SenderIP)
		if a.Op == wire.ARPReply {
			what = fmt.Sprintf("%v is at %v", a.SenderIP, a.SenderMAC)
		}
	} else {
		var ip wire.IPv6
		ip.Decode(packet)
		var m wire.Neighbor
		m.Decode(ip.Payload, ip.Src, ip.Dst, ip.HopLimit)
		what = fmt.Sprintf("who has %v, tell %v", m.Target, ip.Src)
		if m.Type == wire.ICMPv6NeighborAdvertisement {
			what = fmt.Sprintf("%v is at %v, solicited %v", m.Target, m.MAC, m.Solicited)
		}
	}
	return fmt.Sprintf("%x to %v: %s", from[5], to, what)
}

// to lets time pass, until at.
func (s *segment) to(at time.Duration) {
	for {
		next, due := time.Duration(0), (*station)(nil)
		for _, h := range s.hosts {
			if d, ok := h.nextDeadline(); ok && d <= at && (due == nil || d < next) {
				next, due = d, h
			}
		}
		if due == nil {
			s.now = at
			return
		}
		s.now = max(s.now, next)
		due.advance(s.now)
		if d, ok := due.nextDeadline(); ok && d <= s.now {
			panic("what is due is not done")
		}
	}
}

// settled returns a segment whose hosts have their addresses: .1 and .2.
func settled(t *testing.T) (s *segment, a, b *station) {
	t.Helper()
	s = &segment{}
	a, b = s.add(1, "10.0.0.1/24", "fd00::1/64"), s.add(2, "10.0.0.2/24", "fd00::2/64")
	a.claim(s.now)
	b.claim(s.now)
	s.to(time.Minute)
	for _, h := range s.hosts {
		if ok, err := h.claimed(); !ok || err != nil {
			t.Fatalf("%v: %v", h.own, err)
		}
	}
	s.log = nil
	return s, a, b
}

// want fails unless the frames were sent since it was last called.
func (s *segment) want(t *testing.T, lines ...string) {
	t.Helper()
	if !slices.Equal(s.log, lines) {
		t.Errorf("at %v sent:", s.now)
		for _, l := range s.log {
			t.Errorf("\t%s", l)
		}
		t.Errorf("want %q", lines)
	}
	s.log = nil
}

func hold(h *station, now time.Duration, next, packet string) {
	h.hold(now, netip.MustParseAddr(next), held{packet: []byte(packet)})
}

// A packet waits until its next host has answered, which knows the asker then.
func TestResolve(t *testing.T) {
	for _, test := range []struct{ a, b, question, answer string }{
		{
			"10.0.0.1", "10.0.0.2",
			"1 to ff:ff:ff:ff:ff:ff: who has 10.0.0.2, tell 10.0.0.1", "2 to 2:0:0:0:0:1: 10.0.0.2 is at 2:0:0:0:0:2",
		},
		{
			"fd00::1", "fd00::2",
			"1 to 33:33:ff:0:0:2: who has fd00::2, tell fd00::1", "2 to 2:0:0:0:0:1: fd00::2 is at 2:0:0:0:0:2, solicited true",
		},
	} {
		s, a, b := settled(t)
		hold(a, s.now, test.b, "hello")
		s.want(t, test.question, test.answer)
		if want := []string{"hello to 2:0:0:0:0:2"}; !slices.Equal(a.released, want) {
			t.Errorf("released %q, want %q", a.released, want)
		}
		for _, x := range []struct {
			h    *station
			peer string
			mac  wire.MAC
		}{{a, test.b, b.mac}, {b, test.a, a.mac}} {
			if mac, ok := x.h.lookup(netip.MustParseAddr(x.peer)); !ok || mac != x.mac {
				t.Errorf("%s is at %v, %v", x.peer, mac, ok)
			}
		}
	}
}

// What waits for many neighbors at once has a limit too.
func TestHeldTotal(t *testing.T) {
	s, a, _ := settled(t)
	for i := range 2 * heldTotal {
		hold(a, s.now, netip.AddrFrom4([4]byte{10, 0, 0, byte(100 + i%100)}).String(), "x")
	}
	if n := a.holds(); n != heldTotal {
		t.Errorf("%d packets wait", n)
	}
}

// Who does not answer is asked three times, a second apart, and of what waits
// the latest is kept.
func TestGiveUp(t *testing.T) {
	for _, nobody := range []string{"10.0.0.9", "fd00::9"} {
		s, a, _ := settled(t)
		start := s.now
		for i := range heldLimit + 1 {
			hold(a, s.now, nobody, strconv.Itoa(i))
		}
		for i := range 3 {
			if len(s.log) != i+1 {
				t.Errorf("%d questions after %d s", len(s.log), i)
			}
			s.to(start + time.Duration(i+1)*time.Second)
		}
		if len(s.log) != 3 || len(a.given) != heldLimit || a.given[0] != "1" || len(a.released) > 0 {
			t.Errorf("%d questions; gave up %q", len(s.log), a.given)
		}
		hold(a, s.now, nobody, "5")
		if len(s.log) != 4 {
			t.Error("it is not asked for again")
		}
	}
}

// What is known is confirmed every 30 s while it is used, and forgotten if not.
func TestConfirm(t *testing.T) {
	for _, peer := range []string{"10.0.0.2", "fd00::2"} {
		b := netip.MustParseAddr(peer)
		s, a, _ := settled(t)
		hold(a, s.now, peer, "hello")
		s.log = nil
		at := s.now + 30*time.Second
		s.to(at - 1)
		s.want(t)
		s.to(at)
		if len(s.log) != 2 || s.log[0][:17] != "1 to 2:0:0:0:0:2:" {
			t.Errorf("it is not asked: %q", s.log)
		}
		if a.lookup(b); !a.known[b].known {
			t.Error("it is not known while it is asked")
		}
		// Nobody answers any more.
		s.cut, s.log = true, nil
		s.to(at + 32*time.Second)
		if _, ok := a.lookup(b); len(s.log) != 3 || !ok {
			t.Errorf("known %v after %q", ok, s.log)
		}
		s.to(at + 33*time.Second)
		if _, ok := a.lookup(b); ok {
			t.Error("it is still known")
		}
		s.log = nil
		s.to(at + time.Hour)
		s.want(t)
	}
}

// A neighbor that has a new card says so.
func TestNewMAC(t *testing.T) {
	s, a, b := settled(t)
	for _, peer := range []string{"10.0.0.2", "fd00::2"} {
		hold(a, s.now, peer, "hello")
	}
	b.mac = wire.MAC{2, 0, 0, 0, 0, 7}
	for _, p := range b.own {
		b.announce(p.Addr())
		if mac, ok := a.lookup(p.Addr()); !ok || mac != b.mac {
			t.Errorf("%v is at %v, %v", p, mac, ok)
		}
	}
}

// An address is probed for three times, and announced twice.
func TestClaim(t *testing.T) {
	const all, group = "ff:ff:ff:ff:ff:ff", "33:33:ff:0:0:1"
	s := &segment{}
	a := s.add(1, "10.0.0.1/24", "fd00::1/64")
	a.claim(s.now)
	probe4, probe6 := "1 to "+all+": who has 10.0.0.1, tell 0.0.0.0", "1 to "+group+": who has fd00::1, tell ::"
	for i := range 3 {
		s.to(time.Duration(i)*200*time.Millisecond + 199*time.Millisecond)
		s.want(t, probe4, probe6)
	}
	if ok, err := a.claimed(); ok || err != nil {
		t.Errorf("too early: %v, %v", ok, err)
	}
	s.to(600 * time.Millisecond)
	announce4, announce6 := "1 to "+all+": who has 10.0.0.1, tell 10.0.0.1", "1 to 33:33:0:0:0:1: fd00::1 is at 2:0:0:0:0:1, solicited false"
	s.want(t, announce4, announce6)
	if ok, err := a.claimed(); !ok || err != nil {
		t.Errorf("too late: %v, %v", ok, err)
	}
	s.to(2600 * time.Millisecond)
	s.want(t, announce4, announce6)
	s.to(time.Hour)
	s.want(t)
}

// Who has an address defends it, and the error says who that is.
func TestInUse(t *testing.T) {
	for _, own := range []string{"10.0.0.2/24", "fd00::2/64"} {
		s, _, b := settled(t)
		c := s.add(3, own)
		c.claim(s.now)
		ok, err := c.claimed()
		var used *InUseError
		if ok || !errors.As(err, &used) || used.MAC != b.mac || used.Address != c.own[0].Addr() {
			t.Errorf("%v, %v", ok, err)
		}
		s.log = nil
		s.to(s.now + time.Hour)
		s.want(t)
		hold(b, s.now, "10.0.0.1", "hello")
		if len(b.released) != 1 {
			t.Error("who has the address has lost it")
		}
	}
}

// Of two who probe at the same time the later finds out, if not both do.
func TestBothWant(t *testing.T) {
	for _, own := range []string{"10.0.0.7/24", "fd00::7/64"} {
		s := &segment{}
		a, b := s.add(1, own), s.add(2, own)
		a.claim(s.now)
		b.claim(s.now)
		s.to(time.Second)
		ok1, err1 := a.claimed()
		ok2, err2 := b.claimed()
		if ok1 && ok2 || err1 == nil && err2 == nil {
			t.Errorf("both have %s: %v %v", own, err1, err2)
		}
	}
}

// An address that is only probed for is nobody's: no answer, no lookups.
func TestTentative(t *testing.T) {
	s, a, _ := settled(t)
	c := s.add(3, "10.0.0.3/24", "fd00::3/64")
	c.claim(s.now)
	s.log = nil
	hold(a, s.now, "10.0.0.3", "x")
	hold(a, s.now, "fd00::3", "x")
	if len(s.log) != 2 || len(a.released) != 0 {
		t.Errorf("answered: %q", s.log)
	}
}

// Who takes an address that is ours is told so, every 10 s at most.
func TestDefend(t *testing.T) {
	s, a, b := settled(t)
	thief := wire.ARP{
		Op: wire.ARPRequest, SenderMAC: wire.MAC{2, 0, 0, 0, 0, 9},
		SenderIP: netip.MustParseAddr("10.0.0.1"), TargetIP: netip.MustParseAddr("10.0.0.77"),
	}
	start := s.now
	for i, want := range []int{1, 0, 0, 1} {
		s.to(start + time.Duration(i)*4*time.Second)
		a.receiveARP(s.now, thief.AppendTo(nil))
		if len(s.log) != want {
			t.Errorf("the time %d: %q", i, s.log)
		}
		s.log = nil
	}
	if b.known[thief.SenderIP] != nil {
		t.Error("somebody learnt from a packet that was not for it")
	}
}

// Strangers cannot fill the memory.
func TestFlood(t *testing.T) {
	s := &segment{}
	a := s.add(1, "10.0.0.1/8")
	a.claim(s.now)
	s.to(time.Minute)
	for i := range 5000 {
		from := wire.ARP{
			Op: wire.ARPRequest, SenderMAC: wire.MAC{2, 1, 0, 0, 0, 9},
			SenderIP: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), TargetIP: a.own[0].Addr(),
		}
		a.receiveARP(s.now, from.AppendTo(nil))
	}
	if len(a.known) != neighborLimit {
		t.Errorf("%d are known", len(a.known))
	}
	s.to(s.now + time.Hour)
	if len(a.known) != 0 {
		t.Errorf("%d are never forgotten", len(a.known))
	}
}

func TestMulticastAndBroadcast(t *testing.T) {
	s := &segment{}
	a := s.add(1, "10.0.0.1/20", "fd00::1/64")
	for to, want := range map[string]string{
		"10.0.15.255":     "ff:ff:ff:ff:ff:ff",
		"255.255.255.255": "ff:ff:ff:ff:ff:ff",
		"224.1.2.3":       "1:0:5e:1:2:3",
		"ff02::1":         "33:33:0:0:0:1",
	} {
		if mac, ok := a.lookup(netip.MustParseAddr(to)); !ok || mac.String() != want {
			t.Errorf("%s: %v, %v", to, mac, ok)
		}
	}
	if _, ok := a.lookup(netip.MustParseAddr("10.0.0.255")); ok {
		t.Error("10.0.0.255 is a host of 10.0.0.0/20")
	}
}
