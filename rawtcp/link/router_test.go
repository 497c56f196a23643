package link

import (
	"testing"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// lastPacket keeps the last packet that arrived.
type lastPacket struct{ packet []byte }

func (l *lastPacket) Receive(_ time.Duration, packet []byte) {
	l.packet = append(l.packet[:0], packet...)
}

func TestTTLIsCountedDown(t *testing.T) {
	l, _, svr4, slip := book(t)
	var got lastPacket
	slip.Handle(&got)
	for _, n := range []int{10, 500} { // whole, and in fragments
		l.mustUDP(svr4, "140.252.13.65", n, func(h *wire.IPv4) { h.TTL = 17 })
		l.run(l.now + 10*time.Second)
		var h wire.IPv4
		if why := h.Decode(got.packet); why != wire.OK || h.TTL != 16 {
			t.Errorf("%d bytes arrived with TTL %d, %v", n, h.TTL, why)
		}
	}
}

func TestHopLimitIsCountedDown(t *testing.T) {
	l := newLab(t)
	one, two := l.Link("one", LinkOptions{}), l.Link("two", LinkOptions{})
	a, r, b := l.host("a", NodeOptions{}), l.host("r", NodeOptions{Forwards: true}), l.host("b", NodeOptions{})
	a.Attach(one, "eth0", prefix("2001:db8:1::a/64"))
	r.Attach(one, "eth0", prefix("2001:db8:1::1/64"))
	r.Attach(two, "eth1", prefix("2001:db8:2::1/64"))
	b.Attach(two, "eth0", prefix("2001:db8:2::b/64"))
	a.AddRoute(Route{To: prefix("::/0"), Gateway: addr("2001:db8:1::1")})
	var got lastPacket
	b.Handle(&got)
	send := func(limit uint8) {
		h := wire.IPv6{HopLimit: limit, Src: addr("2001:db8:1::a"), Dst: addr("2001:db8:2::b"), Protocol: wire.ProtoNoNext}
		if err := a.Send(l.now, h.AppendTo(a.Buffer()), trace.Rule{}); err != nil {
			t.Fatal(err)
		}
		l.run(l.now + time.Second)
	}
	send(9)
	var h wire.IPv6
	if why := h.Decode(got.packet); why != wire.OK || h.HopLimit != 8 {
		t.Errorf("arrived with hop limit %d, %v", h.HopLimit, why)
	}
	send(1)
	l.wantDrops("1.000 r: TTL exceeded")
	l.wantGot("a", "1.000 IP6 r > a: ICMP6, time exceeded in-transit for b, length 48")
}

// "An ICMP error message MUST NOT be sent as the result of receiving: an ICMP
// error message, or a datagram destined to an IP broadcast or IP multicast
// address, [...] or a non-initial fragment, or a datagram whose source address
// does not define a single host" (RFC 1122, section 3.2.2).
func TestWhatNoErrorIsSentAbout(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	l.ports("svr4", 0).SetARP(0, addr("140.252.13.35"), l.ports("bsdi", 0).MAC())
	quoted := wire.IPv4{TTL: 1, Src: addr("1.2.3.4"), Dst: addr("140.252.13.34"), Protocol: wire.ProtoUDP, Payload: make([]byte, 8)}
	icmpError := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: quoted.AppendTo(nil)}
	echo := wire.ICMPv4{Type: wire.ICMPv4Echo}
	for _, c := range []struct {
		name string
		h    wire.IPv4
		want int
	}{
		{"an echo request", wire.IPv4{Protocol: wire.ProtoICMP, Payload: echo.AppendTo(nil)}, 1},
		{"an ICMP error", wire.IPv4{Protocol: wire.ProtoICMP, Payload: icmpError.AppendTo(nil)}, 0},
		{"the first fragment", wire.IPv4{Protocol: wire.ProtoUDP, Payload: make([]byte, 16), More: true}, 1},
		{"another fragment", wire.IPv4{Protocol: wire.ProtoUDP, Payload: make([]byte, 16), Offset: 16}, 0},
		{"one from a group", wire.IPv4{Src: addr("224.0.0.5"), Protocol: wire.ProtoUDP, Payload: make([]byte, 16)}, 0},
		{"one from a broadcast address", wire.IPv4{Src: addr("140.252.13.63"), Protocol: wire.ProtoUDP, Payload: make([]byte, 16)}, 0},
		{"one from nobody", wire.IPv4{Src: addr("0.0.0.0"), Protocol: wire.ProtoUDP, Payload: make([]byte, 16)}, 0},
	} {
		c.h.TTL, c.h.Dst = 1, addr("140.252.13.65") // to go by bsdi, if it could
		if !c.h.Src.IsValid() {
			c.h.Src = addr("140.252.13.34")
		}
		l.got["svr4"] = nil
		if err := svr4.Send(l.now, c.h.AppendTo(nil), trace.Rule{}); err != nil {
			t.Fatal(err)
		}
		l.run(l.now + time.Second)
		if got := len(l.got["svr4"]); got != c.want {
			t.Errorf("%s: %d errors, want %d: %q", c.name, got, c.want, l.got["svr4"])
		}
	}
	// A packet for another host in an Ethernet broadcast.
	h := wire.IPv4{TTL: 9, Src: addr("140.252.13.34"), Dst: addr("140.252.13.65"), Protocol: 99}
	l.drops = nil
	ether := l.FindLink("ether")
	ether.In(l.now, Frame{ID: 1, From: svr4.ports[0].Index(), To: Everybody, Dst: wire.Broadcast(), Packet: h.AppendTo(nil)})
	l.run(l.now + time.Second)
	if len(l.drops) != 1 || len(l.got["slip"]) != 0 {
		t.Errorf("%s forwards what came as a broadcast: %q", bsdi.Name(), l.drops)
	}
}

func TestOldRouterHidesMTU(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	bsdi.HidesMTU = true
	l.mustUDP(svr4, "140.252.13.65", 400, df)
	l.run(time.Second)
	l.wantGot("svr4", "0.004 IP bsdi > svr4: ICMP slip unreachable - need to frag, length 36")
}

// Of two addresses of an interface, that in the network of the next hop is the
// source.
// A router knows that its own line is down, not that the other end is.
func TestLineDown(t *testing.T) {
	l, _, svr4, slip := book(t)
	serial := l.FindLink("slip")
	serial.Cut(0, Everybody)
	serial.Mend(10*time.Second, Everybody)
	serial.Cut(10*time.Second, slip.ports[0].Index())
	l.run(time.Second)
	l.mustUDP(svr4, "140.252.13.65", 10)
	l.run(20 * time.Second)
	l.mustUDP(svr4, "140.252.13.65", 10)
	l.run(30 * time.Second)
	l.wantDrops("1.003 bsdi: cable cut", "20.033 slip: cable cut")
	l.wantGot("svr4", "1.004 IP bsdi > svr4: ICMP host slip unreachable, length 36")
}

func TestSourceAddress(t *testing.T) {
	l := newLab(t)
	h := l.host("h", NodeOptions{})
	h.Attach(l.Link("ether", LinkOptions{}), "eth0", prefix("10.0.1.1/24"), prefix("10.0.2.1/24"), prefix("2001:db8::1/64"))
	h.AddRoute(Route{To: prefix("10.9.0.0/16"), Gateway: addr("10.0.2.9")})
	for dst, want := range map[string]string{
		"10.0.1.5": "10.0.1.1", "10.0.2.5": "10.0.2.1", "10.9.0.1": "10.0.2.1", "2001:db8::5": "2001:db8::1",
		"10.0.2.255": "10.0.2.1",
	} {
		if p, err := h.Path(addr(dst)); err != nil || p.Source != addr(want) {
			t.Errorf("to %s from %v, want %s (%v)", dst, p.Source, want, err)
		}
	}
}

// A host that has crashed has no memory of fragments, and of packets that
// waited for ARP.
func TestCrashForgets(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	l.ports("bsdi", 0).SetARP(0, addr("140.252.13.34"), l.ports("svr4", 0).MAC())
	u := wire.IPv4{ID: 5, TTL: 9, Src: addr("140.252.13.35"), Dst: addr("140.252.13.34"), Protocol: 99, Payload: make([]byte, 2000)}
	fragments, _ := u.Fragments(1500)
	send := func(i int) {
		if err := bsdi.Send(l.now, fragments[i].AppendTo(nil), trace.Rule{}); err != nil {
			t.Fatal(err)
		}
		l.run(l.now + time.Second)
	}
	send(0)
	l.mustUDP(svr4, "140.252.13.40", 1) // waits for ARP
	svr4.Crash(l.now)
	l.wantDrops("1.000 svr4: host down")
	svr4.Reboot(l.now)
	svr4.Handle(recorder{l, "svr4"})
	send(1)
	if len(l.got["svr4"]) != 0 {
		t.Error("the fragment from before the crash was still there")
	}
	send(0)
	if len(l.got["svr4"]) != 1 {
		t.Error("both fragments have come, and nothing was made of them")
	}
}

func TestCutTwiceIsMendedOnce(t *testing.T) {
	l := newLab(t)
	link := l.Link("link", LinkOptions{})
	h := l.host("a", NodeOptions{})
	h.Attach(link, "eth0", prefix("10.0.0.1/24"))
	for _, rule := range []string{"cut at 1 s", "cut at 2 s", "mend at 3 s", "mend at 4 s on link"} {
		if err := l.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []bool{false, true, true, false, false} {
		l.run(time.Duration(i) * time.Second)
		if link.IsCut(0) != want || link.IsCut(Everybody) != want {
			t.Errorf("at %d s: cut is %t", i, link.IsCut(0))
		}
	}
	if l.counts[trace.Note] != 2 {
		t.Errorf("%d notes, want one of a cut and one of a mend", l.counts[trace.Note])
	}
	if err := l.Rule("drop the 1st SYN on nothing"); err == nil {
		t.Error("a rule for a link that is not there was accepted")
	}
	l.Link("other", LinkOptions{})
	if err := l.Rule("drop the 1st SYN"); err == nil {
		t.Error("a rule for one of two links was accepted")
	}
}
