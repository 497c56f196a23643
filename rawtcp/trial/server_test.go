package trial_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// 18.11: servers.

// sunTwice returns sun with both its interfaces, bsdi and slip on the one and
// solaris on the other.
func sunTwice(t *testing.T, sunSystem string, settings ...string) (l *lab, sun, bsdi, solaris *host) {
	t.Helper()
	l = makeLab(t)
	ether := l.net.Link("ether", link.LinkOptions{PointToPoint: true, Conditions: link.Conditions{Delay: ms}})
	slip := l.net.Link("slip", link.LinkOptions{PointToPoint: true, Conditions: link.Conditions{Delay: ms}})
	sun = l.addAs("sun", sunSystem, settings...)
	bsdi = l.add("bsdi", "port-first=1029", "isn=3657920001", "isn-tick=0")
	solaris = l.add("solaris", "port-first=34603")
	l.attach(sun, ether, "140.252.13.33/27")
	l.attach(bsdi, ether, "140.252.13.35/27")
	l.attach(sun, slip, "140.252.1.29/24")
	l.attach(solaris, slip, "140.252.1.32/24")
	// Neither sends through sun, which is no router here; it only has both addresses.
	bsdi.node.AddRoute(link.Route{To: prefix("140.252.1.0/24"), Gateway: addrPort("140.252.13.33:0").Addr()})
	return l, sun, bsdi, solaris
}

// srv-1 and exercise 18.18: what netstat prints with more and more clients.
// All have the same local port; it is the four numbers that tell them apart.
func TestSrv1(t *testing.T) {
	l, sun, bsdi, solaris := sunTwice(t, "sunos")
	k := l.listen(sun, 23)
	l.wantRows(sun, "*.23 *.* LISTEN")
	one := l.dial(bsdi, sun, 23)
	s1 := l.accept(k)
	l.wantRows(sun, "140.252.13.33.23 140.252.13.35.1029 ESTABLISHED", "*.23 *.* LISTEN")
	two := l.dial(bsdi, sun, 23)
	s2 := l.accept(k)
	l.wantRows(sun,
		"140.252.13.33.23 140.252.13.35.1030 ESTABLISHED",
		"140.252.13.33.23 140.252.13.35.1029 ESTABLISHED",
		"*.23 *.* LISTEN")
	three := solaris.Socket(rawtcp.IPv4)
	l.ok(three.Connect(l.now, addrPort("140.252.1.29:23")))
	s3 := l.accept(k)
	l.wantRows(sun,
		"140.252.1.29.23 140.252.1.32.34603 ESTABLISHED",
		"140.252.13.33.23 140.252.13.35.1030 ESTABLISHED",
		"140.252.13.33.23 140.252.13.35.1029 ESTABLISHED",
		"*.23 *.* LISTEN")
	for i, c := range []*rawtcp.Socket{one, two, three} {
		l.write(c, fmt.Sprint("client ", i))
	}
	l.run(time.Second)
	for i, s := range []*rawtcp.Socket{s1, s2, s3} {
		l.wantRead(s, fmt.Sprint("client ", i), nil)
	}
}

// srv-2 and fig18-21: a server that is bound to one address. Who calls another
// one of the same host is refused.
func TestSrv2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, sun, bsdi, solaris := sunTwice(t, prof)
		k := l.bound(sun, addrPort("140.252.1.29:8888"))
		l.ok(k.Listen(l.now, 5))
		l.wantRows(sun, "140.252.1.29.8888 *.* LISTEN")
		c := solaris.Socket(rawtcp.IPv4)
		l.ok(c.Connect(l.now, addrPort("140.252.1.29:8888")))
		l.accept(k)
		l.wantRows(sun, "140.252.1.29.8888 140.252.1.32.34603 ESTABLISHED", "140.252.1.29.8888 *.* LISTEN")
		l.lister.Absolute = true
		l.skip()
		d := bsdi.Socket(rawtcp.IPv4)
		l.ok(d.Connect(l.now, addrPort("140.252.13.33:8888")))
		l.run(time.Second)
		l.wantErr(d.Err(), tcb.ErrRefused)
		l.want(
			"bsdi.1029 > sun.8888: S 3657920001:3657920001(0) win 4096 <mss 1024>",
			"sun.8888 > bsdi.1029: R 0:0(0) ack 3657920002 win 0",
		)
	})
}

// fig18-22: the server that says most about a connection gets it.
func TestFig18_22(t *testing.T) {
	for system, option := range map[string]rawtcp.Option{"bsd": rawtcp.ReuseAddr, "linux": rawtcp.ReusePort} {
		l, sun, bsdi, solaris := sunTwice(t, system)
		server := func(local string, only string) *rawtcp.Socket {
			k := sun.Socket(rawtcp.IPv4)
			l.ok(k.Set(l.now, option, 1))
			a := anyAddr(8888)
			if local != "" {
				a = addrPort(local + ":8888")
			}
			if only != "" {
				k.Restrict(addrPort(only))
			}
			l.ok(k.Bind(l.now, a))
			l.ok(k.Listen(l.now, 5))
			return k
		}
		any := server("", "")
		exact := server("140.252.1.29", "")
		restricted := server("140.252.1.29", "140.252.1.32:7000")
		for _, c := range []struct {
			from  *host
			port  uint16
			to    string
			serve *rawtcp.Socket
		}{
			{bsdi, 6999, "140.252.13.33:8888", any},
			{solaris, 6999, "140.252.1.29:8888", exact},
			{solaris, 7000, "140.252.1.29:8888", restricted},
		} {
			j := l.bound(c.from, anyAddr(c.port))
			l.ok(j.Connect(l.now, addrPort(c.to)))
			l.run(time.Second)
			l.wantState(j, tcb.Established)
			if _, err := c.serve.Accept(l.now); err != nil {
				t.Errorf("%s: %v to %s: not with the server it should be", system, j.Local(), c.to)
			}
		}
	}
}

// fig18-23: how many clients a server lets in that does not accept. The others
// get no answer.
func TestFig18_23(t *testing.T) {
	for system, want := range map[string][6]int{
		"bsd":     {1, 2, 4, 5, 7, 8},
		"solaris": {0, 1, 2, 3, 4, 5},
		"linux":   {1, 2, 3, 4, 5, 6},
	} {
		for backlog, room := range want {
			l := newLab(t, transit)
			sun, bsdi := l.addAs("sun", system, "syn-cookies=no"), l.add("bsdi")
			k := l.bound(sun, anyAddr(5555))
			l.ok(k.Listen(l.now, backlog))
			var clients []*rawtcp.Socket
			for range 10 {
				clients = append(clients, l.dial(bsdi, sun, 5555))
				l.run(100 * ms)
			}
			in := 0
			for _, c := range clients {
				if c.State() == tcb.Established {
					in++
				} else {
					l.wantState(c, tcb.SynSent)
				}
			}
			if in != room {
				t.Errorf("%s: a backlog of %d has room for %d, not %d", system, backlog, in, room)
			}
			for _, s := range l.segs {
				if s.Flags.Has(wire.RST) {
					t.Errorf("%s: a RST: %+v", system, s)
				}
			}
		}
	}
}

// The client may send before the server accepts: its data waits.
func TestDataBeforeAccept(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		k := l.listen(sun, 5555)
		c := l.dial(bsdi, sun, 5555)
		l.run(10 * ms)
		l.write(c, "are you there?")
		l.ok(c.Shutdown(l.now))
		l.run(10 * time.Second)
		s := l.accept(k)
		l.wantRead(s, "are you there?", io.EOF)
	})
}

// fig18-24: sock -s -q1 -O30, and four clients. The third and the fourth are
// ignored until there is room, and then the fourth is the first of them.
func TestFig18_24(t *testing.T) {
	l := newLab(t, transit)
	// 28 s after the first SYN, bsdi accepts: it has been at it for 2 s.
	const first = 2 * time.Second
	at := func(s float64) time.Duration { return first + time.Duration(s*float64(time.Second)) }
	sun := l.add("sun", "port-first=1090", "isn=1616896000", "phase=255ms", "isn-phase=255ms")
	bsdi := l.add("bsdi", "isn=4163840001", "phase=400ms", "isn-phase=400ms")
	k := l.bound(bsdi, anyAddr(5555))
	l.ok(k.Listen(l.now, 1))
	for _, start := range []float64{0, 4.291007, 7.131981, 10.556787} {
		l.to(at(start))
		l.dial(sun, bsdi, 5555)
	}
	accepted := []uint16{}
	accept := func() {
		for {
			s, err := k.Accept(l.now)
			if errors.Is(err, rawtcp.ErrWouldBlock) {
				return
			}
			l.ok(err)
			accepted = append(accepted, s.Remote().Port())
		}
	}
	l.to(28 * time.Second)
	for end := at(60); l.now < end; {
		if l.now >= 28*time.Second {
			accept()
		}
		l.run(10 * ms)
	}
	if fmt.Sprint(accepted) != "[1090 1091 1093 1092]" {
		t.Errorf("accepted %v", accepted)
	}
	want := []struct {
		at   float64
		line string
	}{
		{0, "sun.1090 > bsdi.5555: S "},
		{0, "bsdi.5555 > sun.1090: S "},
		{0, "sun.1090 > bsdi.5555: . ack 1 "},
		{4.29, "sun.1091 > bsdi.5555: S "},
		{4.29, "bsdi.5555 > sun.1091: S "},
		{4.29, "sun.1091 > bsdi.5555: . ack 1 "},
		{7.13, "sun.1092 > bsdi.5555: S "},  // ignored
		{10.56, "sun.1093 > bsdi.5555: S "}, // ignored
		{12.70, "sun.1092 > bsdi.5555: S "},
		{16.20, "sun.1093 > bsdi.5555: S "},
		{24.70, "sun.1092 > bsdi.5555: S "},
		{28.20, "sun.1093 > bsdi.5555: S "}, // there is room
		{28.20, "bsdi.5555 > sun.1093: S "},
		{28.20, "sun.1093 > bsdi.5555: . ack 1 "},
		{48.70, "sun.1092 > bsdi.5555: S "},
		{48.70, "bsdi.5555 > sun.1092: S "},
		{48.70, "sun.1092 > bsdi.5555: . ack 1 "},
	}
	for i, p := range l.seen {
		if i >= len(want) || !strings.HasPrefix(p.line, want[i].line) {
			t.Fatalf("packet %d is %s\n%s", i+1, p.line, l.listing())
		}
		if d := (p.at - at(want[i].at)).Abs(); d > 100*ms {
			t.Errorf("packet %d, %s, is at %.2f and not %.2f", i+1, p.line, (p.at - first).Seconds(), want[i].at)
		}
	}
	if len(l.seen) != len(want) {
		t.Errorf("%d packets, not %d", len(l.seen), len(want))
	}
	// The second retransmissions come after exactly 12 and 24 s: 4.3BSD.
	gap := func(i, j int) time.Duration { return l.seen[j].at - l.seen[i].at }
	if gap(8, 10) != 12*time.Second || gap(9, 11) != 12*time.Second || gap(10, 14) != 24*time.Second {
		t.Errorf("gaps of %v, %v and %v", gap(8, 10), gap(9, 11), gap(10, 14))
	}
	// And the numbers are 64000 apart for each tick and each connection.
	for _, pair := range []struct{ first, second, times int }{
		{0, 3, 10}, {3, 6, 6}, {6, 7, 8}, {1, 4, 9}, {4, 12, 49}, {12, 15, 42},
	} {
		if d := l.segs[pair.second].Seq - l.segs[pair.first].Seq; int(d) != 64000*pair.times {
			t.Errorf("from packet %d to %d the ISN grows by %v times 64000, not %d", pair.first+1, pair.second+1, float64(d)/64000, pair.times)
		}
	}
}

// lifo-1: SunOS 4.1.3 gives the newest connection to accept.
func TestLifo1(t *testing.T) {
	for system, want := range map[string]string{"sunos": "[1026 1025 1024]", "bsd": "[1024 1025 1026]", "linux": "[1024 1025 1026]"} {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", system), l.add("bsdi")
		k := l.listen(sun, 5555)
		for range 3 {
			l.dial(bsdi, sun, 5555)
			l.run(time.Second)
		}
		var order []uint16
		for range 3 {
			order = append(order, l.accept(k).Remote().Port())
		}
		if fmt.Sprint(order) != want {
			t.Errorf("%s: %v, not %s", system, order, want)
		}
	}
}

// soft-1: a full queue keeps silent, a closed port resets.
func TestSoft1(t *testing.T) {
	l := newLab(t, transit)
	sun, bsdi := l.add("sun"), l.add("bsdi")
	k := l.bound(sun, anyAddr(5555))
	l.ok(k.Listen(l.now, 0))
	l.dial(bsdi, sun, 5555)
	l.run(time.Second)
	soft, hard := l.dial(bsdi, sun, 5555), l.dial(bsdi, sun, 5556)
	l.run(time.Second)
	l.wantState(soft, tcb.SynSent)
	l.wantErr(hard.Err(), tcb.ErrRefused)
	l.accept(k)
	l.run(10 * time.Second)
	l.wantState(soft, tcb.Established) // the second SYN has found room
}

// accept-early-1: the handshake is over before the server's application knows of
// the client. It can only close or reset what is open already.
func TestAcceptEarly1(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		k := l.listen(sun, 5555)
		c := l.dial(bsdi, sun, 5555)
		l.run(time.Second)
		l.wantState(c, tcb.Established) // connect has succeeded
		l.skip()
		n := len(l.segs)
		s := l.accept(k)
		l.ok(s.Abort(l.now)) // the wrong client
		l.run(time.Second)
		if got := flagsOf(l.segs[n:]); got != "RST|ACK" {
			t.Errorf("%s:\n%s", got, l.listing())
		}
		l.wantErr(c.Err(), tcb.ErrReset)
	})
}

// Each listening socket has a queue of its own: one that is full keeps nobody
// from another.
func TestQueuesApart(t *testing.T) {
	l := newLab(t, transit)
	sun, bsdi := l.add("sun"), l.add("bsdi")
	for _, port := range []uint16{5555, 5556} {
		k := l.bound(sun, anyAddr(port))
		l.ok(k.Listen(l.now, 0))
	}
	a, b, c := l.dial(bsdi, sun, 5555), l.dial(bsdi, sun, 5555), l.dial(bsdi, sun, 5556)
	l.run(time.Second)
	l.wantState(a, tcb.Established)
	l.wantState(b, tcb.SynSent)
	l.wantState(c, tcb.Established)
	dropped := false
	for _, why := range l.drops {
		dropped = dropped || why == rawtcp.QueueFull
	}
	if !dropped {
		t.Errorf("nothing has been dropped because of a full queue: %v", l.drops)
	}
}
