package rawtcp_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// TestBacklog is Fig 18-23: how many of ten clients get a connection before the
// server accepts one.
func TestBacklog(t *testing.T) {
	for name, want := range map[string][6]int{
		"bsd":     {1, 2, 4, 5, 7, 8},
		"sunos":   {1, 2, 4, 5, 7, 8},
		"svr4":    {1, 2, 4, 5, 7, 8},
		"solaris": {0, 1, 2, 3, 4, 5},
		"linux":   {1, 2, 3, 4, 5, 6},
		"rfc9293": {1, 1, 2, 3, 4, 5},
	} {
		for q, want := range want {
			w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond}})
			server, client := w.host("server", name), w.host("client", "bsd")
			k := server.listen(80, q)
			var cs []*rawtcp.Socket
			for range 10 {
				cs = append(cs, client.dial(server, 80))
				w.run(100 * time.Millisecond)
			}
			established := 0
			for _, c := range cs {
				switch c.State() {
				case tcb.Established:
					established++
				case tcb.SynSent:
				default:
					t.Errorf("%s, backlog %d: a client is in %v", name, q, c.State())
				}
			}
			if established != want {
				t.Errorf("%s, backlog %d: %d clients are connected, not %d", name, q, established, want)
			}
			rows := server.Netstat(w.now)
			if r := rows[len(rows)-1]; r.State != tcb.Listen || r.Completed != want || r.Incomplete != 0 || r.Room != want {
				t.Errorf("%s, backlog %d: %+v", name, q, r)
			}
			accepted := 0
			for k.CanRead() {
				if _, err := k.Accept(w.now); err != nil {
					t.Fatal(err)
				}
				accepted++
			}
			if accepted != want {
				t.Errorf("%s, backlog %d: %d accepted, not %d", name, q, accepted, want)
			}
		}
	}
}

// More than five is five, for the Berkeley systems, and less than none is none.
func TestBacklogLimits(t *testing.T) {
	for name, want := range map[string][2]int{"bsd": {8, 1}, "solaris": {5, 0}, "linux": {101, 1}} {
		l := newLone(t, name)
		k := l.listen(at(here, 80), 100)
		if r := l.Netstat(l.now)[0]; r.Room != want[0] {
			t.Errorf("%s: room for %d with a backlog of 100, not %d", name, r.Room, want[0])
		}
		// listen again changes it.
		l.ok(k.Listen(l.now, -1))
		if r := l.Netstat(l.now)[0]; r.Room != want[1] {
			t.Errorf("%s: room for %d with a backlog of -1, not %d", name, r.Room, want[1])
		}
	}
}

// The queue holds connections whose handshake is under way as well as those
// whose is over. A SYN that finds it full is ignored: no RST.
func TestOverflow(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name, "syn-cookies=no")
		k := l.listen(at(here, 80), 1)
		room := l.Netstat(l.now)[0].Room
		var ps []*peer
		for i := range room {
			p := l.peer(at(there, uint16(2000+i)), at(here, 80))
			p.send(wire.SYN, "")
			p.take(wire.SYN | wire.ACK)
			ps = append(ps, p)
		}
		late := l.peer(at(there, 3000), at(here, 80))
		late.send(wire.SYN, "")
		l.quiet(name)
		if l.dropped() != rawtcp.QueueFull.String() || l.Stats().Overflows != 1 || l.Stats().Dropped != 1 {
			t.Errorf("%s: %q %+v", name, l.dropped(), l.Stats())
		}
		ps[0].send(wire.ACK, "")
		late.seq--
		late.send(wire.SYN, "")
		l.quiet("it is complete, and not accepted")
		if _, err := k.Accept(l.now); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		late.seq--
		late.send(wire.SYN, "")
		late.take(wire.SYN | wire.ACK)
		if s := l.Stats(); s.Overflows != 2 || s.PassiveOpens != uint64(room)+1 || s.Accepts != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// A profile may answer by a RST.
func TestOverflowReset(t *testing.T) {
	l := newLone(t, "bsd", "backlog-reset=yes")
	l.listen(at(here, 80), 0)
	l.peer(at(there, 2000), at(here, 80)).open()
	p := l.peer(at(there, 2001), at(here, 80))
	p.send(wire.SYN, "")
	if s := p.take(wire.RST | wire.ACK); s.Ack != 1001 || l.Stats().ResetsOut != 1 {
		t.Errorf("%+v", s)
	}
}

// First come, first served; but SunOS 4.1.3 has accept take the newest.
func TestAcceptOrder(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name)
		k := l.listen(at(here, 80), 5)
		want := []uint16{2000, 2001, 2002, 2003}
		for _, port := range want {
			l.peer(at(there, port), at(here, 80)).open()
		}
		if name == "sunos" {
			slices.Reverse(want)
		}
		for _, port := range want {
			a, err := k.Accept(l.now)
			if err != nil || a.Remote().Port() != port {
				t.Errorf("%s: accepted %v, %v; not %d", name, a.Remote(), err, port)
			}
		}
		if _, err := k.Accept(l.now); !errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The order is that in which the handshakes end, not that of the SYNs.
func TestAcceptOrderOfHandshakes(t *testing.T) {
	l := newLone(t, "bsd")
	k := l.listen(at(here, 80), 5)
	var ps [3]*peer
	for i := range ps {
		ps[i] = l.peer(at(there, uint16(2000+i)), at(here, 80))
		ps[i].send(wire.SYN, "")
		ps[i].take(wire.SYN | wire.ACK)
	}
	for _, i := range []int{1, 2, 0} {
		ps[i].send(wire.ACK, "")
	}
	for _, i := range []int{1, 2, 0} {
		if a, err := k.Accept(l.now); err != nil || a.Remote().Port() != uint16(2000+i) {
			t.Errorf("%v %v, not %d", a, err, i)
		}
	}
}

// What a client sends before accept is there after it (rule 3 of 18.11.4), and
// so is its end.
func TestDataBeforeAccept(t *testing.T) {
	l := newLone(t, "")
	k := l.listen(at(here, 80), 5)
	talker := l.peer(at(there, 2000), at(here, 80))
	talker.open()
	talker.send(wire.ACK|wire.PSH, "hello")
	talker.send(wire.ACK|wire.FIN, "")
	resetter := l.peer(at(there, 2001), at(here, 80))
	l.take()
	resetter.open()
	resetter.send(wire.RST, "")
	if n := len(l.Netstat(l.now)); n != 2 {
		t.Errorf("%d rows: the one that was reset is listed", n)
	}
	a, err := k.Accept(l.now)
	l.ok(err)
	var b [10]byte
	if n, err := a.Read(l.now, b[:]); string(b[:n]) != "hello" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	if a.State() != tcb.CloseWait {
		t.Error(a.State())
	}
	// Its client has reset it, but the server can only learn that by a read.
	a, err = k.Accept(l.now)
	l.ok(err)
	if _, err := a.Read(l.now, b[:]); !errors.Is(err, tcb.ErrReset) {
		t.Error(err)
	}
}

// TestBacklogTrace is the story of Fig 18-24: the server accepts nothing for
// 28 s, the queue takes two of four clients, and of the two that are left the
// fourth gets in before the third, because of when its SYNs come.
func TestBacklogTrace(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond}})
	bsdi, sun := w.host("bsdi", "bsd"), w.host("sun", "sunos")
	k := bsdi.listen(5555, 1)
	starts := []time.Duration{0, 4291 * time.Millisecond, 7132 * time.Millisecond, 10557 * time.Millisecond}
	for _, at := range starts {
		w.run(at - w.now)
		sun.dial(bsdi, 5555)
	}
	w.run(28*time.Second - w.now)
	var order []uint16
	accept := func() {
		for k.CanRead() {
			a, err := k.Accept(w.now)
			w.ok(err)
			order = append(order, a.Remote().Port())
		}
	}
	accept()
	if len(order) != 2 {
		t.Errorf("%d were in the queue", len(order))
	}
	for w.step(time.Minute) {
		accept()
	}
	if want := []uint16{1024, 1025, 1027, 1026}; !slices.Equal(order, want) {
		t.Errorf("accepted %v, not %v\n%s", order, want, w.trace())
	}
}
