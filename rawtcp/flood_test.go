package rawtcp_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// flood has n SYNs arrive, each from another pair of sockets that will never
// say more.
func (l *lone) flood(n int) {
	for i := range n {
		src := at(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(1024+i%60000))
		l.deliver(src, at(here, 80), wire.Segment{
			Seq: 77, Flags: wire.SYN, Window: 1000, Options: wire.Options{HasMSS: true, MSS: 1460},
		})
	}
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A flood of SYNs takes no more memory than the queue has room for; without
// cookies it keeps good clients out until the half-open ones time out.
func TestFlood(t *testing.T) {
	l := newLone(t, "bsd")
	l.listen(at(here, 80), 5)
	l.flood(10)
	l.take()
	l.silent = true
	before := heap()
	for range 10 {
		l.flood(10_000)
	}
	if grown := heap() - before; grown > 10_000 {
		t.Errorf("%d bytes more in use", grown)
	}
	l.silent = false
	if rows := l.Netstat(l.now); len(rows) != 9 || l.Stats().Overflows != 2+10*(10_000-8) {
		t.Errorf("%d rows, %d overflows", len(rows), l.Stats().Overflows)
	}
	good := l.peer(at(there, 5000), at(here, 80))
	good.send(wire.SYN, "")
	l.quiet("a good client comes amid the flood")
	l.pass(76 * time.Second)
	l.take()
	if rows := l.Netstat(l.now); len(rows) != 1 {
		t.Errorf("%d rows when all have timed out", len(rows))
	}
	good.seq--
	good.open()
	if r := l.Netstat(l.now)[1]; r.Completed != 1 {
		t.Errorf("%+v", r)
	}
}

// With cookies, a good client gets through a flood, and what is agreed on with
// it is as if the SYN had been remembered; but for the options.
func TestFloodCookies(t *testing.T) {
	for _, name := range []string{"linux", "bsd"} {
		l := newLone(t, name, "syn-cookies=yes")
		k := l.listen(at(here, 80), 5)
		room := l.Netstat(l.now)[0].Room
		l.flood(10_000)
		if rows := l.Netstat(l.now); len(rows) != 1+room {
			t.Errorf("%s: %d rows", name, len(rows))
		}
		if s := l.Stats(); s.CookiesSent != uint64(10_000-room) || s.PassiveOpens != uint64(room) {
			t.Errorf("%s: %+v", name, s)
		}
		l.take()

		l.log = nil
		p := l.peer(at(there, 5000), at(here, 80))
		p.syn = wire.Options{HasMSS: true, MSS: 1024}
		p.send(wire.SYN, "")
		if why := l.out[0].why; why != tcb.RuleCookie.String() {
			t.Errorf("%s: a cookie is sent because %s", name, why)
		}
		synack := p.take(wire.SYN | wire.ACK)
		if o := synack.Options; !o.HasMSS || o.HasScale || o.HasTimestamps || o.SACKPermitted {
			t.Errorf("%s: a cookie cannot keep %+v", name, o)
		}
		if len(l.Netstat(l.now)) != 1+room {
			t.Errorf("%s: something is remembered of a cookie", name)
		}
		for _, e := range l.log {
			if e.From != "" || e.Name != "" {
				t.Errorf("%s: a cookie has made a state or a timer: %+v", name, e)
			}
		}
		l.pass(30 * time.Second)
		l.take()
		p.send(wire.ACK, "")
		var states []string
		for _, e := range l.log {
			if e.Kind == trace.State && e.Remote == p.me {
				states = append(states, e.To+" by "+e.Text)
			}
		}
		if want := []string{"SYN_RCVD by receive ACK of a SYN cookie", "ESTABLISHED by receive ACK"}; !slices.Equal(states, want) {
			t.Errorf("%s: the ACK that brings it back leads to %q", name, states)
		}
		p.send(wire.ACK|wire.PSH, "good")
		if s := l.Stats(); s.CookiesReceived != 1 {
			t.Fatalf("%s: %+v", name, s)
		}
		a, err := k.Accept(l.now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in := a.Info()
		if in.State != tcb.Established || in.MSS != 1024 || in.IRS != 1000 || in.ISS != synack.Seq || in.Timestamps || in.SACK || in.Scaling {
			t.Errorf("%s: %+v", name, in)
		}
		var b [10]byte
		if n, err := a.Read(l.now, b[:]); string(b[:n]) != "good" || err != nil {
			t.Errorf("%s: %q %v", name, b[:n], err)
		}
		l.pass(time.Second)
		l.take()
		if _, err := a.Write(l.now, []byte("day")); err != nil {
			t.Error(err)
		}
		if s := p.take(wire.ACK); string(s.Payload) != "day" || s.Seq != synack.Seq+1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// The ACK with the cookie may have been lost: the first data brings it too.
func TestCookieInData(t *testing.T) {
	l := newLone(t, "linux", "backlog-plus=0")
	k := l.listen(at(here, 80), 1)
	l.flood(1)
	l.take()
	p := l.peer(at(there, 5000), at(here, 80))
	p.send(wire.SYN, "")
	p.take(wire.SYN | wire.ACK)
	p.send(wire.ACK|wire.PSH, "first")
	a, err := k.Accept(l.now)
	l.ok(err)
	var b [10]byte
	if n, _ := a.Read(l.now, b[:]); string(b[:n]) != "first" {
		t.Errorf("%q", b[:n])
	}
}

// The MSS that a cookie keeps is the largest of eight that the client takes.
func TestCookieMSS(t *testing.T) {
	for mss, want := range map[int]uint16{
		-1: 536, 1: 64, 64: 64, 255: 64, 536: 536, 1023: 536, 1024: 1024, 1459: 1440, 1460: 1460, 9000: 8960,
	} {
		l := newLone(t, "linux", "backlog-plus=0", "mss-min=1")
		l.mtu = 16384
		k := l.listen(at(here, 80), 1)
		l.flood(1)
		l.take()
		p := l.peer(at(there, 5000), at(here, 80))
		if mss >= 0 {
			p.syn = wire.Options{HasMSS: true, MSS: uint16(mss)}
		}
		p.open()
		a, err := k.Accept(l.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Info().MSS; got != int(want) {
			t.Errorf("MSS %d is kept as %d, not %d", mss, got, want)
		}
	}
}

// A cookie is refused that is forged, old, of other sockets, or for another
// SYN.
func TestCookieForged(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(*peer)
		wait  time.Duration
		good  bool
	}{
		{"nothing wrong", func(*peer) {}, 0, true},
		{"still good", func(*peer) {}, 64 * time.Second, true},
		{"too old", func(*peer) {}, 129 * time.Second, false},
		{"a wrong hash", func(p *peer) { p.ack ^= 1 }, 0, false},
		{"a wrong time", func(p *peer) { p.ack += 1 << 27 }, 0, false},
		{"another MSS", func(p *peer) { p.ack ^= 1 << 24 }, 0, false},
		{"another SYN", func(p *peer) { p.seq++ }, 0, false},
		{"another port", func(p *peer) { p.me = at(there, 5001) }, 0, false},
		{"another host", func(p *peer) { p.me = at(also, 5000) }, 0, false},
	} {
		// The half-open ones stay for all that time.
		l := newLone(t, "linux", "backlog-plus=0", "synack-retries=-1")
		l.listen(at(here, 80), 1)
		l.flood(1)
		l.take()
		p := l.peer(at(there, 5000), at(here, 80))
		p.send(wire.SYN, "")
		p.take(wire.SYN | wire.ACK)
		l.pass(c.wait)
		l.take()
		c.spoil(p)
		ack := p.ack
		p.send(wire.ACK, "")
		if c.good {
			if l.quiet(c.what); l.Stats().CookiesReceived != 1 {
				t.Errorf("%s: it is no good", c.what)
			}
			continue
		}
		if s := p.take(wire.RST); s.Seq != ack || l.Stats().CookiesReceived != 0 {
			t.Errorf("%s: %+v", c.what, s)
		}
		if l.dropped() != tcb.AckToListen.String() {
			t.Errorf("%s: %q", c.what, l.dropped())
		}
		if rows := l.Netstat(l.now); len(rows) != 2 {
			t.Errorf("%s: %+v", c.what, rows)
		}
	}
}

// A stranger's SYN that comes between a client's and its cookie does not take its
// place.
func TestCookieUsurped(t *testing.T) {
	l := newLone(t, "linux", "backlog-plus=0")
	k := l.listen(at(here, 80), 1)
	l.flood(1)
	l.take()
	p := l.peer(at(there, 5000), at(here, 80))
	p.send(wire.SYN, "")
	p.take(wire.SYN | wire.ACK)
	// There is room again, for the stranger who says that he is p.
	l.deliver(at(netip.MustParseAddr("10.1.0.0"), 1024), at(here, 80), wire.Segment{Seq: 78, Flags: wire.RST})
	stranger := l.peer(p.me, at(here, 80))
	stranger.seq += 1 << 30
	stranger.send(wire.SYN, "")
	l.take()
	if r := l.Netstat(l.now); len(r) != 2 || r[1].Incomplete != 1 {
		t.Fatalf("%+v", r)
	}
	// He knows no cookie, not even that of his own SYN.
	stranger.send(wire.ACK, "")
	l.take()
	if n := l.Stats().CookiesReceived; n != 0 {
		t.Fatalf("%d cookies", n)
	}
	p.send(wire.ACK|wire.PSH, "good")
	a, err := k.Accept(l.now)
	l.ok(err)
	var b [10]byte
	if n, err := a.Read(l.now, b[:]); string(b[:n]) != "good" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	if r := l.Netstat(l.now); len(r) != 2 || r[1].Incomplete != 0 || r[1].Completed != 0 {
		t.Errorf("%+v", r)
	}
}

// Guesses get nobody in: a hash has 24 bits.
func TestCookieGuesses(t *testing.T) {
	l := newLone(t, "linux", "backlog-plus=0")
	l.listen(at(here, 80), 1)
	l.flood(1)
	l.silent = true
	chance := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		p := l.peer(at(there, 5000), at(here, 80))
		p.ack = seq.Value(chance.Uint32N(2<<27) - 1<<27) // of this period, or the one before
		p.send(wire.ACK, "")
	}
	if n := l.Stats().CookiesReceived; n != 0 {
		t.Errorf("%d guesses were right", n)
	}
}

// A cookie does not help if accept does not come: the queue of what is complete
// is bounded too.
func TestCookieQueueFull(t *testing.T) {
	l := newLone(t, "linux", "backlog-plus=0")
	k := l.listen(at(here, 80), 2)
	l.flood(2)
	l.take()
	var ps [3]*peer
	for i := range ps {
		ps[i] = l.peer(at(there, uint16(5000+i)), at(here, 80))
		ps[i].send(wire.SYN, "")
		ps[i].take(wire.SYN | wire.ACK)
	}
	for _, p := range ps {
		p.send(wire.ACK, "")
	}
	l.quiet("the third finds the queue full")
	if l.dropped() != rawtcp.QueueFull.String() || l.Stats().CookiesReceived != 2 {
		t.Errorf("%q %+v", l.dropped(), l.Stats())
	}
	late := l.peer(at(there, 6000), at(here, 80))
	late.send(wire.SYN, "")
	l.quiet("a SYN that finds it full gets no cookie")
	if _, err := k.Accept(l.now); err != nil {
		t.Error(err)
	}
	// The client believes that it is connected, and sends.
	ps[2].send(wire.ACK|wire.PSH, "data")
	if l.Stats().CookiesReceived != 3 {
		t.Error("the cookie is of no use any more")
	}
}

// Nothing can be sent back: then nothing is kept.
func TestSYNWithoutWayBack(t *testing.T) {
	l := newLone(t, "linux", "backlog-plus=0")
	l.listen(at(here, 80), 1)
	l.deliver(at(netip.MustParseAddr("192.0.2.1"), 5), at(here, 80), wire.Segment{Flags: wire.SYN})
	if rows := l.Netstat(l.now); len(rows) != 1 || l.Stats().SendErrors != 1 || l.Stats().PassiveOpens != 0 {
		t.Errorf("%+v %+v", rows, l.Stats())
	}
	// Nor is a SYN answered whose answer the network does not take.
	l.down = link.ErrDown
	l.flood(2)
	if s := l.Stats(); s.SendErrors != 3 || s.CookiesSent != 1 {
		t.Errorf("%+v", s)
	}
}

// A client gets through a flood over a real network, with both ends our own.
func TestFloodWorld(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond}})
	server, client := w.host("server", "linux"), w.host("client", "linux")
	k := server.listen(80, 0)
	for i := range 100 {
		server.Receive(w.now, packet(at(netip.AddrFrom4([4]byte{10, 9, 0, byte(i)}), 9), at(server.addr, 80), wire.Segment{Flags: wire.SYN}))
	}
	c := client.dial(server, 80)
	w.until("a connection", k.CanRead)
	a, err := k.Accept(w.now)
	w.ok(err)
	_, err = c.Write(w.now, make([]byte, 100_000))
	w.ok(err)
	got := 0
	buf := make([]byte, 4096)
	w.until("the data", func() bool {
		for {
			n, err := a.Read(w.now, buf)
			if got += n; err != nil {
				if !errors.Is(err, rawtcp.ErrWouldBlock) {
					t.Fatal(err)
				}
				return got == 100_000
			}
		}
	})
}
