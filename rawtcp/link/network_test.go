package link

import (
	"errors"
	"testing"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

func TestARPThenPacket(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	l.mustUDP(bsdi, "140.252.13.34", 10)
	l.run(time.Second)
	l.mustUDP(svr4, "140.252.13.35", 20)
	l.run(2 * time.Second)
	l.wants(`
0.000 ether: arp who-has svr4 tell bsdi
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.002 ether: bsdi.1111 > svr4.9: udp 10
1.000 ether: svr4.1111 > bsdi.9: udp 20
`)
	l.wantGot("svr4", "0.003 IP bsdi.1111 > svr4.9: UDP, length 10")
	l.wantGot("bsdi", "1.001 IP svr4.1111 > bsdi.9: UDP, length 20")
	l.wantDrops()
}

// Six fragments make six requests, and only the last one is still there when
// the reply comes: section 11.9 of the book. The receiver waits for the others
// in vain, and cannot tell the sender, having no first fragment to quote.
func TestBerkeleyARPKeepsTheLastPacket(t *testing.T) {
	l, bsdi, _, _ := book(t)
	l.mustUDP(bsdi, "140.252.13.34", 8192)
	l.run(2 * time.Minute)
	l.wants(`
0.000 ether: arp who-has svr4 tell bsdi
0.000 ether: arp who-has svr4 tell bsdi
0.000 ether: arp who-has svr4 tell bsdi
0.000 ether: arp who-has svr4 tell bsdi
0.000 ether: arp who-has svr4 tell bsdi
0.000 ether: arp who-has svr4 tell bsdi
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.001 ether: arp reply svr4 is-at 2:0:0:0:0:2
0.002 ether: bsdi > svr4: (frag 7:800@7400)
`)
	l.wantDrops(
		"0.000 bsdi: displaced while waiting for ARP", "0.000 bsdi: displaced while waiting for ARP",
		"0.000 bsdi: displaced while waiting for ARP", "0.000 bsdi: displaced while waiting for ARP",
		"0.000 bsdi: displaced while waiting for ARP", "60.003 svr4: fragments missing")
}

// A host of today asks three times, a second apart, and then tells the sender.
func TestNoAnswerToARP(t *testing.T) {
	l := newLab(t)
	ether := l.Link("ether", LinkOptions{})
	a := l.host("a", NodeOptions{})
	a.Attach(ether, "eth0", prefix("10.0.0.1/24"))
	l.mustUDP(a, "10.0.0.9", 10)
	l.run(time.Minute)
	l.wants(`
0.000 ether: arp who-has 10.0.0.9 tell a
1.000 ether: arp who-has 10.0.0.9 tell a
2.000 ether: arp who-has 10.0.0.9 tell a
3.000 lo0: a > a: icmp: host 10.0.0.9 unreachable
`)
	l.wantGot("a", "3.000 IP a > a: ICMP host 10.0.0.9 unreachable, length 46")
	l.wantDrops("3.000 a: no ARP reply")
}

func TestARPCache(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	l.mustUDP(bsdi, "140.252.13.34", 1)
	l.run(time.Second)
	cache := bsdi.ports[0].ARPCache(l.now)
	if len(cache) != 1 || !cache[0].Complete || cache[0].MAC != svr4.ports[0].MAC() {
		t.Errorf("cache of bsdi: %v", cache)
	}
	l.run(20*time.Minute + 2*time.Second)
	if cache := bsdi.ports[0].ARPCache(l.now); len(cache) != 0 {
		t.Errorf("after its timeout: %v", cache)
	}
	l.lines = nil
	l.mustUDP(bsdi, "140.252.13.34", 1) // asks again
	l.run(l.now + time.Second)
	if len(l.lines) != 3 {
		t.Errorf("want a request, a reply, and the packet: %q", l.lines)
	}
	svr4.Reboot(l.now) // svr4 has to ask now, bsdi not
	l.lines = nil
	svr4.Handle(recorder{l, "svr4"})
	l.mustUDP(bsdi, "140.252.13.34", 1)
	l.mustUDP(svr4, "140.252.13.35", 2)
	l.run(l.now + time.Second)
	l.wants(`
1203.000 ether: bsdi.1111 > svr4.9: udp 1
1203.000 ether: arp who-has bsdi tell svr4
1203.001 ether: arp reply bsdi is-at 2:0:0:0:0:1
1203.002 ether: svr4.1111 > bsdi.9: udp 2
`)
	bsdi.ports[0].SetARP(l.now, addr("140.252.13.40"), wire.MAC{2, 9})
	l.drops = nil
	l.mustUDP(bsdi, "140.252.13.40", 3)
	l.run(l.now + time.Second)
	l.wantDrops("1204.000 bsdi: nobody has that address")
}

func TestForwarding(t *testing.T) {
	l, _, svr4, slip := book(t)
	l.mustUDP(svr4, "140.252.13.65", 100)
	l.run(time.Second)
	l.wants(`
0.000 ether: arp who-has bsdi tell svr4
0.001 ether: arp reply bsdi is-at 2:0:0:0:0:1
0.002 ether: svr4.1111 > slip.9: udp 100
0.003 slip: svr4.1111 > slip.9: udp 100
`)
	// 128 bytes at 9600 b/s take 106.7 ms.
	l.wantGot("slip", "0.110 IP svr4.1111 > slip.9: UDP, length 100")

	// Fragments, and what cannot be fragmented.
	l.mustUDP(svr4, "140.252.13.65", 400)
	l.run(3 * time.Second)
	l.mustUDP(svr4, "140.252.13.65", 400, df)
	l.run(4 * time.Second)
	l.wants(`
1.000 ether: svr4.1111 > slip.9: udp 400
1.001 slip: svr4.1111 > slip.9: udp 400 (frag 7:272@0+)
1.001 slip: svr4 > slip: (frag 7:136@272)
3.000 ether: svr4.1111 > slip.9: udp 400 (DF)
3.001 ether: bsdi > svr4: icmp: slip unreachable - need to frag, mtu = 296
`)
	l.wantGot("slip", "1.374 IP svr4.1111 > slip.9: UDP, length 400")
	l.wantGot("svr4", "3.002 IP bsdi > svr4: ICMP slip unreachable - need to frag (mtu 296), length 36")
	l.wantDrops("3.001 bsdi: needs fragmenting, and DF is set")

	// Too far, and nowhere.
	l.mustUDP(slip, "140.252.13.34", 1, func(h *wire.IPv4) { h.TTL = 1 })
	l.run(5 * time.Second)
	l.mustUDP(slip, "10.9.9.9", 1)
	l.run(6 * time.Second)
	l.wantGot("slip",
		"4.071 IP bsdi > slip: ICMP time exceeded in-transit, length 36",
		"5.071 IP bsdi > slip: ICMP net 10.9.9.9 unreachable, length 36")
	l.wantDrops("4.024 bsdi: TTL exceeded", "5.024 bsdi: no route")
}

func TestSourceQuench(t *testing.T) {
	l, _, svr4, _ := book(t)
	l.ports("svr4", 0).SetARP(0, addr("140.252.13.35"), l.ports("bsdi", 0).MAC())
	l.ports("bsdi", 0).SetARP(0, addr("140.252.13.34"), l.ports("svr4", 0).MAC())
	for range 5 {
		l.mustUDP(svr4, "140.252.13.65", 100)
	}
	l.run(time.Minute)
	// One is being sent, two wait, two are too many.
	l.wantGot("svr4",
		"0.002 IP bsdi > svr4: ICMP source quench, length 36",
		"0.002 IP bsdi > svr4: ICMP source quench, length 36")
	l.wantDrops("0.001 slip: queue full", "0.001 slip: queue full")
	if n := len(l.got["slip"]); n != 3 {
		t.Errorf("slip got %d datagrams, want 3", n)
	}
}

func (l *lab) ports(host string, i int) *Port { return l.FindNode(host).ports[i] }

func TestEcho(t *testing.T) {
	l, _, svr4, _ := book(t)
	m := wire.ICMPv4{Type: wire.ICMPv4Echo, Rest: wire.EchoRest(5, 1), Body: make([]byte, 56)}
	h := wire.IPv4{TTL: 255, Src: addr("140.252.13.34"), Dst: addr("140.252.13.35"), Protocol: wire.ProtoICMP, Payload: m.AppendTo(nil)}
	if err := svr4.Send(0, h.AppendTo(nil), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	l.run(time.Second)
	l.wantGot("svr4", "0.004 IP bsdi > svr4: ICMP echo reply, id 5, seq 1, length 64")
}

func TestBroadcastAndMulticast(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	sun := l.host("sun", berkeley())
	sun.Attach(l.FindLink("ether"), "le0", prefix("140.252.13.33/27"))
	l.mustUDP(sun, "140.252.13.63", 1)
	l.mustUDP(sun, "255.255.255.255", 2)
	l.run(time.Second)
	for _, host := range []string{"sun", "bsdi", "svr4"} {
		if n := len(l.got[host]); n != 2 {
			t.Errorf("%s got %d broadcasts, want 2", host, n)
		}
		l.got[host] = nil
	}
	if n := len(l.got["slip"]); n != 0 {
		t.Errorf("slip got %d broadcasts: they are not forwarded", n)
	}
	l.drops = nil

	group := addr("224.0.0.9")
	svr4.Join(group)
	l.mustUDP(sun, "224.0.0.9", 3)
	l.run(2 * time.Second)
	l.wantGot("svr4", "1.001 IP sun.1111 > 224.0.0.9.9: UDP, length 3")
	l.wantGot("bsdi")
	svr4.Leave(group)
	l.mustUDP(sun, "224.0.0.9", 3)
	l.run(3 * time.Second)
	l.wantGot("svr4")
	l.wantDrops()
	if !bsdi.IsBroadcast(addr("140.252.13.63")) || bsdi.IsBroadcast(addr("140.252.13.62")) {
		t.Error("IsBroadcast is wrong about 140.252.13.62 or .63")
	}
}

func TestLoopback(t *testing.T) {
	l, bsdi, _, _ := book(t)
	l.mustUDP(bsdi, "127.0.0.1", 5)
	l.mustUDP(bsdi, "140.252.13.66", 6)
	l.run(0)
	l.wantGot("bsdi",
		"0.000 IP 127.0.0.1.1111 > 127.0.0.1.9: UDP, length 5",
		"0.000 IP bsdi.1111 > bsdi.9: UDP, length 6")
}

func TestCrashAndReboot(t *testing.T) {
	l, bsdi, svr4, _ := book(t)
	l.mustUDP(bsdi, "140.252.13.34", 1)
	l.run(time.Second)
	l.mustUDP(bsdi, "140.252.13.34", 2)
	svr4.Crash(l.now)
	l.run(2 * time.Second)
	l.wantDrops("1.001 svr4: host down")
	if err := svr4.Send(l.now, nil, trace.Rule{}); !errors.Is(err, ErrDown) {
		t.Errorf("a host that is down sends: %v", err)
	}
	svr4.Reboot(l.now)
	l.mustUDP(bsdi, "140.252.13.34", 3)
	l.run(3 * time.Second)
	l.wantDrops("2.001 svr4: nobody listens")
}

func TestCutAndMend(t *testing.T) {
	l, bsdi, _, _ := book(t)
	for _, rule := range []string{"cut svr4 at 10 s on ether", "mend svr4 at 190 s on ether"} {
		if err := l.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	l.mustUDP(bsdi, "140.252.13.34", 1)
	l.run(10*time.Second - time.Millisecond/2)
	l.mustUDP(bsdi, "140.252.13.34", 2) // is under way when the cable is cut
	l.run(100 * time.Second)
	l.mustUDP(bsdi, "140.252.13.34", 3)
	l.run(200 * time.Second)
	l.mustUDP(bsdi, "140.252.13.34", 4)
	l.run(201 * time.Second)
	l.wantDrops("10.001 ether: cable cut", "100.001 ether: cable cut")
	l.wantGot("svr4", "0.003 IP bsdi.1111 > svr4.9: UDP, length 1", "200.001 IP bsdi.1111 > svr4.9: UDP, length 4")
}

func TestInject(t *testing.T) {
	l, _, _, slip := book(t)
	_ = slip
	s := wire.Segment{SrcPort: 1, DstPort: 9, Flags: wire.RST, Seq: 5}
	src, dst := addr("140.252.13.35"), addr("140.252.13.34")
	h := wire.IPv4{TTL: 9, Src: src, Dst: dst, Protocol: wire.ProtoTCP, Payload: s.AppendTo(nil, src, dst, wire.ChecksumFull)}
	ether := l.FindLink("ether")
	if err := ether.Inject(0, h.AppendTo(nil), trace.Rule{Text: "an old one"}); err != nil {
		t.Fatal(err)
	}
	h.Dst = addr("140.252.13.65") // goes by the router
	if err := ether.Inject(0, h.AppendTo(nil), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	l.run(time.Second)
	l.wantGot("svr4", "0.000 IP bsdi.1 > svr4.9: Flags [R], seq 5, win 0, length 0")
	if n := len(l.got["slip"]); n != 1 {
		t.Errorf("slip got %d packets, want 1", n)
	}
	if err := ether.Inject(0, []byte{1}, trace.Rule{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("one byte injected: %v", err)
	}
}

func TestPath(t *testing.T) {
	_, bsdi, svr4, slip := book(t)
	for _, c := range []struct {
		from   *Node
		to     string
		iface  string
		source string
		mtu    int
		onLink bool
	}{
		{bsdi, "140.252.13.34", "we0", "140.252.13.35", 1500, true},
		{bsdi, "140.252.13.65", "sl0", "140.252.13.66", 296, true},
		{svr4, "140.252.13.65", "emd0", "140.252.13.34", 1500, false},
		{slip, "128.32.130.2", "sl0", "140.252.13.65", 296, false},
		{slip, "140.252.13.65", "lo0", "140.252.13.65", 65535, true},
	} {
		p, err := c.from.Path(addr(c.to))
		if err != nil || p.Interface != c.iface || p.Source != addr(c.source) || p.MTU != c.mtu || p.OnLink != c.onLink {
			t.Errorf("%s to %s: %+v, %v", c.from.Name(), c.to, p, err)
		}
	}
	if _, err := bsdi.Path(addr("10.0.0.1")); !errors.Is(err, ErrNoRoute) {
		t.Errorf("bsdi to 10.0.0.1: %v", err)
	}
	// The longest prefix counts, and of two alike the later route.
	bsdi.AddRoute(Route{To: prefix("10.0.0.0/8"), Gateway: addr("140.252.13.34")})
	bsdi.AddRoute(Route{To: prefix("10.1.0.0/16"), Gateway: addr("140.252.13.65"), MTU: 200})
	if p, _ := bsdi.Path(addr("10.1.0.1")); p.Interface != "sl0" || p.MTU != 200 {
		t.Errorf("bsdi to 10.1.0.1: %+v", p)
	}
	if p, _ := bsdi.Path(addr("10.2.0.1")); p.Interface != "we0" {
		t.Errorf("bsdi to 10.2.0.1: %+v", p)
	}
}

func TestIPv6(t *testing.T) {
	l := newLab(t)
	ether := l.Link("ether", LinkOptions{})
	narrow := l.Link("narrow", LinkOptions{MTU: 1280, PointToPoint: true})
	a, r, b := l.host("a", NodeOptions{}), l.host("r", NodeOptions{Forwards: true}), l.host("b", NodeOptions{})
	a.Attach(ether, "eth0", prefix("2001:db8:1::a/64"))
	r.Attach(ether, "eth0", prefix("2001:db8:1::1/64"))
	r.Attach(narrow, "p0", prefix("2001:db8:2::1/64"))
	b.Attach(narrow, "p0", prefix("2001:db8:2::b/64"))
	a.AddRoute(Route{To: prefix("::/0"), Gateway: addr("2001:db8:1::1")})
	b.AddRoute(Route{To: prefix("::/0"), Gateway: addr("2001:db8:2::1")})

	l.mustUDP(a, "2001:db8:2::b", 100)
	l.mustUDP(a, "2001:db8:2::b", 1400) // too big for the router
	l.mustUDP(a, "2001:db8:2::c", 1)    // b is not c, and no router
	l.run(time.Second)
	l.wantGot("b", "0.000 IP6 a.1111 > b.9: UDP, length 100")
	l.wantGot("a", "0.000 IP6 r > a: ICMP6, packet too big, mtu 1280, length 1240")
	l.wantDrops("0.000 r: needs fragmenting, and DF is set", "0.000 b: not for this host")

	l.mustUDP(b, "2001:db8:1::a", 3000) // the sender itself may fragment
	l.run(2 * time.Second)
	l.wantGot("a", "1.000 IP6 b.1111 > a.9: UDP, length 3000")
	l.mustUDP(a, "2001:db8:1::99", 1)
	l.run(3 * time.Second)
	l.wantGot("a", "2.000 IP6 a > a: ICMP6, destination unreachable, unreachable address 2001:db8:1::99, length 57")
}

func TestErrorsOfSend(t *testing.T) {
	l, bsdi, _, _ := book(t)
	if err := l.udp(bsdi, addr("140.252.13.34"), 1473, df); !errors.Is(err, ErrTooBig) {
		t.Errorf("1473 bytes with DF: %v", err)
	}
	if err := bsdi.Send(0, []byte{0x45, 0}, trace.Rule{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("two bytes: %v", err)
	}
	if err := l.udp(bsdi, addr("1.2.3.4"), 1); !errors.Is(err, ErrNoRoute) {
		t.Errorf("no route: %v", err)
	}
}
