package trial_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// 18.4 and 18.10: the maximum segment size, and the options of a SYN.

// pairOn connects two hosts by a link of an MTU and returns both ends, with
// their SYNs in l.segs.
func pairOn(t *testing.T, mtu int, client, server string) (l *lab, c, s *rawtcp.Socket) {
	t.Helper()
	l = makeLab(t)
	l.cable = l.net.Link("cable", link.LinkOptions{
		MTU: mtu, PointToPoint: true, Conditions: link.Conditions{Delay: ms},
	})
	a, b := l.addAs("bsdi", client), l.addAs("svr4", server)
	c, s = l.connection(a, b, discard)
	return l, c, s
}

// announced returns the MSS of the SYN and of the SYN+ACK.
func (l *lab) announced() (syn, synAck uint16) {
	l.t.Helper()
	for _, s := range l.segs {
		switch s.Flags {
		case wire.SYN:
			syn = s.Options.MSS
		case wire.SYN | wire.ACK:
			synAck = s.Options.MSS
		}
	}
	return syn, synAck
}

// longest returns the most data in a segment from a host.
func (l *lab) longest(h *host) int {
	n := 0
	for i, s := range l.segs {
		if l.froms[i].Addr() == h.addr(rawtcp.IPv4) {
			n = max(n, len(s.Payload))
		}
	}
	return n
}

// mss-a and mss-b, and what 18.4 says of other MTUs: what is announced, and
// what TCP_MAXSEG is in the end.
func TestMss(t *testing.T) {
	for _, c := range []struct {
		system    string
		mtu       int
		announced uint16
		usable    int // SegmentSize: less by the timestamps
	}{
		{"bsd", 1500, 1024, 1024}, // a multiple of 512
		{"svr4", 1500, 1024, 1024},
		{"sunos", 1500, 1460, 1460},
		{"solaris", 1500, 1460, 1460},
		{"rfc9293", 1500, 1460, 1448},
		{"linux", 1500, 1460, 1448},
		{"sunos", 1492, 1452, 1452}, // 802.3
		{"rfc9293", 1492, 1452, 1440},
		{"linux", 576, 536, 524},
		{"linux", 296, 256, 244},
		{"bsd", 296, 256, 256},
	} {
		l, k, s := pairOn(t, c.mtu, c.system, c.system)
		syn, synAck := l.announced()
		if syn != c.announced || synAck != c.announced {
			t.Errorf("%s, MTU %d: announced %d and %d, not %d", c.system, c.mtu, syn, synAck, c.announced)
		}
		if got := k.Info().SegmentSize; got != c.usable {
			t.Errorf("%s, MTU %d: segments of %d bytes, not %d", c.system, c.mtu, got, c.usable)
		}
		l.write(k, strings.Repeat("x", 4000))
		l.run(10 * time.Second)
		l.wantRead(s, strings.Repeat("x", 4000), nil)
		if got := l.longest(l.byName["bsdi"]); got != c.usable {
			t.Errorf("%s, MTU %d: the longest has %d bytes, not %d", c.system, c.mtu, got, c.usable)
		}
	}
}

// mss-c: to a peer that names no MSS, segments of 536 bytes are sent.
func TestMssC(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi := l.addAs("bsdi", prof, "sndbuf=8192")
		peer := addrPort("140.252.13.34:9")
		k := bsdi.Socket(rawtcp.IPv4)
		l.attach(l.nobody(), l.cable, "140.252.13.34/27")
		l.ok(k.Connect(l.now, peer))
		l.run(ms)
		syn := l.segs[0]
		l.inject(peer, k.Local(), wire.SYN|wire.ACK, 100, syn.Seq+1, "")
		l.run(10 * ms)
		l.wantState(k, tcb.Established)
		if got, _ := k.Get(rawtcp.MaxSeg); got != 536 {
			t.Errorf("TCP_MAXSEG is %d", got)
		}
		l.write(k, strings.Repeat("x", 2000))
		l.run(10 * ms)
		if got := l.longest(bsdi); got != 536 {
			t.Errorf("the longest segment has %d bytes", got)
		}
	})
}

// nobody adds a host without TCP: what it receives is dropped.
func (l *lab) nobody() *host {
	l.t.Helper()
	h, err := l.host("nobody", "", 9)
	l.ok(err)
	h.node.Handle(nil)
	return h
}

// routed connects bsdi and vangogh by a router between two links.
func routed(t *testing.T, client, server string, near, far int, settings ...string) (l *lab, a, b *host) {
	t.Helper()
	l = makeLab(t)
	one := l.net.Link("near", link.LinkOptions{MTU: near, PointToPoint: true, Conditions: link.Conditions{Delay: ms}})
	two := l.net.Link("far", link.LinkOptions{MTU: far, PointToPoint: true, Conditions: link.Conditions{Delay: ms}})
	a, b = l.addAs("bsdi", client, settings...), l.addAs("vangogh", server, settings...)
	router := l.net.Node("gateway", link.NodeOptions{Forwards: true})
	router.Attach(one, "sl0", prefix("140.252.13.36/27"))
	router.Attach(two, "sl1", prefix("128.32.130.1/24"))
	l.attach(a, one, "140.252.13.35/27")
	l.attach(b, two, "128.32.130.2/24")
	a.node.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: addrPort("140.252.13.36:0").Addr()})
	b.node.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: addrPort("128.32.130.1:0").Addr()})
	// The tcpdump runs on bsdi.
	l.lister.See = func(e *trace.Event) bool { return e.Kind == trace.Sent && e.Link == "near" }
	return l, a, b
}

// mss-d: to a host on another network, 536 of old, 512 from Berkeley, and what
// the interface takes today.
func TestMssD(t *testing.T) {
	for _, c := range []struct {
		system string
		want   uint16
	}{{"bsd", 512}, {"sunos", 536}, {"rfc9293", 1460}, {"linux", 1460}} {
		l, a, b := routed(t, c.system, c.system, 1500, 1500)
		l.connection(a, b, discard)
		if syn, synAck := l.announced(); syn != c.want || synAck != c.want {
			t.Errorf("%s: announced %d and %d, not %d", c.system, syn, synAck, c.want)
		}
	}
	l, a, b := routed(t, "bsd", "bsd", 1500, 1500, "mss-nonlocal=0")
	l.connection(a, b, discard)
	if syn, _ := l.announced(); syn != 1024 {
		t.Errorf("if subnets are local: %d, not 1024", syn)
	}
}

// fig18-8 and fig18-9: sun on an Ethernet, slip behind a link with an MTU of
// 296. Neither sends more than 256 bytes.
func TestFig18_9(t *testing.T) {
	l := makeLab(t)
	ether := l.net.Link("ether", link.LinkOptions{PointToPoint: true})
	serial := l.net.Link("slip", link.LinkOptions{MTU: 296, PointToPoint: true, Conditions: link.Conditions{Delay: 50 * ms}})
	sun := l.add("sun", "isn=517312000", "port-first=1093", "mss-nonlocal=0")
	slip := l.add("slip", "isn=509556225")
	bsdi := l.net.Node("bsdi", link.NodeOptions{Forwards: true})
	l.attach(sun, ether, "140.252.13.33/27")
	l.attach(slip, serial, "140.252.13.65/27")
	bsdi.Attach(ether, "we0", prefix("140.252.13.35/27"))
	bsdi.Attach(serial, "sl0", prefix("140.252.13.66/27"))
	sun.node.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: addrPort("140.252.13.35:0").Addr()})
	slip.node.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: addrPort("140.252.13.66:0").Addr()})
	l.lister.Absolute = true
	l.lister.See = func(e *trace.Event) bool { return e.Kind == trace.Sent && e.Link == "ether" }
	k := l.listen(slip, discard)
	c := l.dial(sun, slip, discard)
	l.run(200 * ms)
	s := l.accept(k)
	l.want(
		"0.00 sun.1093 > slip.9: S 517312000:517312000(0) win 4096 <mss 1460>",
		"0.10 slip.9 > sun.1093: S 509556225:509556225(0) ack 517312001 win 4096 <mss 256>",
		"0.10 sun.1093 > slip.9: . ack 509556226 win 4096",
	)
	for _, k := range []*rawtcp.Socket{c, s} {
		if got, _ := k.Get(rawtcp.MaxSeg); got != 256 {
			t.Errorf("TCP_MAXSEG is %d", got)
		}
		l.write(k, strings.Repeat("x", 2000))
	}
	l.run(time.Minute)
	l.wantRead(s, strings.Repeat("x", 2000), nil)
	l.wantRead(c, strings.Repeat("x", 2000), nil)
	if a, b := l.longest(sun), l.longest(slip); a != 256 || b != 256 {
		t.Errorf("segments of up to %d and %d bytes", a, b)
	}
}

// mss-e: both ends have an MTU of 1500, and a link in between one of 296. The
// book's systems send 536 bytes, which are fragmented on the way; with DF there
// is an ICMP error instead, and smaller segments.
func TestMssE(t *testing.T) {
	for _, prof := range []string{"sunos", "rfc9293", "linux"} {
		t.Run(prof, func(t *testing.T) {
			l := makeLab(t)
			links := make([]*link.Link, 3)
			fragments := 0
			l.watch = append(l.watch, func(e trace.Event) {
				var h wire.IPv4
				if e.Kind == trace.Sent && h.Decode(e.Packet) == wire.OK && h.IsFragment() {
					fragments++
				}
			})
			for i, mtu := range []int{1500, 296, 1500} {
				links[i] = l.net.Link(string(rune('a'+i)), link.LinkOptions{MTU: mtu, PointToPoint: true})
			}
			a, b := l.addAs("bsdi", prof), l.addAs("vangogh", prof)
			r1, r2 := l.net.Node("r1", link.NodeOptions{Forwards: true}), l.net.Node("r2", link.NodeOptions{Forwards: true})
			l.attach(a, links[0], "10.0.0.1/24")
			r1.Attach(links[0], "0", prefix("10.0.0.2/24"))
			r1.Attach(links[1], "1", prefix("10.0.1.1/24"))
			r2.Attach(links[1], "0", prefix("10.0.1.2/24"))
			r2.Attach(links[2], "1", prefix("10.0.2.1/24"))
			l.attach(b, links[2], "10.0.2.2/24")
			for _, way := range []struct {
				n  *link.Node
				to string
			}{{a.node, "10.0.0.2"}, {r1, "10.0.1.2"}, {r2, "10.0.1.1"}, {b.node, "10.0.2.1"}} {
				way.n.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: addrPort(way.to + ":0").Addr()})
			}
			c, s := l.connection(a, b, discard)
			l.write(c, strings.Repeat("x", 4000))
			l.run(time.Minute)
			l.wantRead(s, strings.Repeat("x", 4000), nil)
			if prof == "sunos" {
				if fragments == 0 || l.longest(a) != 536 {
					t.Errorf("%d fragments of segments of %d bytes", fragments, l.longest(a))
				}
				return
			}
			if fragments > 0 {
				t.Errorf("%d fragments", fragments)
			}
			if in := c.Info(); in.MTU != 296 || in.SegmentSize != 244 {
				t.Errorf("the path takes %d bytes, a segment %d", in.MTU, in.SegmentSize)
			}
		})
	}
}

// opt-1: the SYN of 4.4BSD with all its options, and that of Linux with and
// without timestamps: 20 bytes of options each.
func TestOpt1(t *testing.T) {
	for _, c := range []struct {
		system   string
		settings []string
		want     string
		len      int
	}{
		{
			"bsd",
			[]string{"wscale=yes", "timestamps=yes", "mss-nonlocal=512"},
			"mss 512,nop,wscale 0,nop,nop,timestamp 146647 0", 20,
		},
		{"linux", []string{"isn-keyed=no", "timestamp-clock=500ms"}, "mss 1460,sackOK,timestamp 146647 0,nop,wscale 10", 20},
		{"linux", []string{"timestamps=no"}, "mss 1460,nop,nop,sackOK,nop,wscale 10", 12},
	} {
		l, a, b := routed(t, c.system, c.system, 1500, 1500, c.settings...)
		l.to(146647 * 500 * ms)
		l.dial(a, b, discard)
		s := l.segs[0]
		if !strings.HasSuffix(l.seen[0].line, " <"+c.want+">") {
			t.Errorf("%s\nand not %s", l.seen[0].line, c.want)
		}
		if len(s.Options.Raw) != c.len {
			t.Errorf("%d bytes of options, not %d", len(s.Options.Raw), c.len)
		}
	}
}

// fig18-20: each kind of option has its length, and a SYN has them all.
func TestFig18_20(t *testing.T) {
	l, _, _ := pairOn(t, 1500, "linux", "linux")
	lengths := map[uint8]int{}
	for b := l.segs[0].Options.Raw; len(b) > 0; {
		o, rest, why := wire.NextOption(b)
		if why != wire.OK {
			t.Fatal(why)
		}
		lengths[o.Kind] = len(b) - len(rest)
		b = rest
	}
	want := map[uint8]int{
		wire.KindNOP: 1, wire.KindMSS: 4, wire.KindWindowScale: 3, wire.KindTimestamps: 10, wire.KindSACKPermitted: 2,
	}
	if !maps.Equal(lengths, want) {
		t.Errorf("the lengths are %v, not %v", lengths, want)
	}
}
