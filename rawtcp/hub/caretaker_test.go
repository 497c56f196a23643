package hub

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// left returns what a host leaves that has a connection in TIME_WAIT, from port
// 6666 to port 1098 of 10.0.0.2, for 40 s.
func left(t testing.TB, own string) *rawtcp.Estate {
	p, err := profile.Get("bsd")
	must(t, err)
	return &rawtcp.Estate{
		Age: time.Hour, Profile: p, Opened: 7,
		Waits: []rawtcp.TimeWait{{
			Local:   netip.AddrPortFrom(netip.MustParseAddr(own), 6666),
			Remote:  netip.MustParseAddrPort("10.0.0.2:1098"),
			Remains: tcb.Remains{Left: 40 * time.Second, SndNxt: 500, RcvNxt: 1000, RcvWnd: 4096},
		}},
	}
}

// leaves unplugs i, which leaves e.
func (i *inbox) leaves(e *rawtcp.Estate) {
	i.bench.t.Helper()
	if err := i.bench.bequeath(i.port, e.AppendTo(nil)); !errors.Is(err, io.EOF) {
		i.bench.t.Error(err)
	}
	i.bench.leave(i.bench.at, i.port, nil)
}

// tcp sends a segment from port 1098 to port 6666 of 10.0.0.1.
func (i *inbox) tcp(s seq.Value, flags wire.Flags) {
	src, dst := i.port.addresses[0].Addr(), netip.MustParseAddr("10.0.0.1")
	seg := wire.Segment{SrcPort: 1098, DstPort: 6666, Seq: s, Ack: 500, Flags: flags, Window: 100}
	i.put(ip(src, dst, wire.ProtoTCP, seg.AppendTo(nil, src, dst, wire.ChecksumFull)))
}

// answers fails unless these segments have come from 10.0.0.1 since it was last
// asked.
func (i *inbox) answers(lines ...string) {
	i.bench.t.Helper()
	var got []string
	for _, l := range i.bench.lines {
		if l, ok := strings.CutPrefix(l, "IP 10.0.0.1.6666 > 10.0.0.2.1098: "); ok {
			got = append(got, l)
		}
	}
	if !slices.Equal(got, lines) || len(i.got) != len(lines) {
		i.bench.t.Errorf("at %v: answered was\n%s\nnot\n%s", i.bench.at, strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
	i.got, i.fresh, i.bench.lines = nil, 0, nil
}

// TestCaretaker: the FIN of a peer that has not heard the last ACK is answered
// though the process has gone, and nothing else is.
func TestCaretaker(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.told = nil
	one.leaves(left(t, "10.0.0.1"))
	b.wantTold("10.0.0.1 has left", "10.0.0.1 has left 1 connection in TIME_WAIT for 40.0 s")

	b.until(10 * time.Second)
	two.tcp(999, wire.FIN|wire.ACK)
	b.until(12 * time.Second)
	two.answers("Flags [.], ack 1, win 4096, length 0")
	two.tcp(900, wire.SYN) // of an old connection
	b.until(14 * time.Second)
	two.answers("Flags [.], ack 1, win 4096, length 0")
	if answer, err := b.command(b.at, "list"); err != nil ||
		!strings.HasSuffix(answer, "\n10.0.0.1/24: nobody, but 1 connection in TIME_WAIT for 57.0 s\n  10.0.0.1.6666 to 10.0.0.2.1098: 57.0 s") {
		t.Errorf("%s %v", answer, err)
	}

	// What is of no connection in TIME_WAIT comes to nobody.
	two.segment("10.0.0.1", wire.SYN, "")
	two.say("10.0.0.1", "hello")
	two.put(ip(netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1"), wire.ProtoTCP, []byte("short")))
	two.say("10.0.0.255", "to all")
	b.until(20 * time.Second)
	two.answers()
	if got := b.drops(); !slices.Equal(got, []string{"nobody has that address", "nobody has that address", "nobody has that address"}) {
		t.Errorf("dropped: %q", got)
	}

	// A cable that is cut is cut.
	b.do("cut 10.0.0.1")
	two.tcp(999, wire.FIN|wire.ACK)
	b.until(22 * time.Second)
	two.answers()
	b.do("mend 10.0.0.1")
	b.told = nil

	// The FIN has begun it anew, at 11 s, and 4.4BSD counts in half seconds.
	b.until(71*time.Second - 1)
	b.wantTold()
	b.until(71 * time.Second)
	b.wantTold("10.0.0.1 has no connection in TIME_WAIT any more")
	two.tcp(999, wire.FIN|wire.ACK)
	b.until(80 * time.Second)
	two.answers()
}

// A SYN that may begin a new connection is refused, since nobody listens, and
// ends TIME_WAIT; so does a RST.
func TestCaretakerRefuses(t *testing.T) {
	for _, c := range []struct {
		seq    seq.Value
		flags  wire.Flags
		answer []string
	}{
		{2000, wire.SYN, []string{"Flags [R.], seq 0, ack 2001, win 0, length 0"}},
		{1000, wire.RST, nil},
	} {
		b := newBench(t, Options{})
		one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
		one.leaves(left(t, "10.0.0.1"))
		b.told = nil
		two.tcp(c.seq, c.flags)
		two.answers(c.answer...)
		b.wantTold("10.0.0.1 has no connection in TIME_WAIT any more")
		two.tcp(999, wire.FIN|wire.ACK)
		two.answers()
	}
}

// Who comes to the address gets what is left, once, whatever he calls it.
func TestHeir(t *testing.T) {
	for _, wanted := range []string{"10.0.0.1", "10.0.0.1/16", "auto"} {
		b := newBench(t, Options{})
		one := b.plug("10.0.0.1", "fd00::1")
		b.plug("10.0.0.2")
		b.until(time.Second)
		one.leaves(left(t, "10.0.0.1"))
		b.until(11 * time.Second)
		b.told = nil
		again := b.plug(wanted)
		b.wantTold("10.0.0.1 has joined: a test", "10.0.0.1 has got back 1 connection in TIME_WAIT for 30.0 s")
		w, err := parseWelcome([]byte(b.welcome(again.port)))
		must(t, err)
		if e := w.estate; e.Age != time.Hour+10*time.Second || e.Opened != 7 || len(e.Waits) != 1 || e.Waits[0].Left != 30*time.Second {
			t.Errorf("%+v", e)
		}
		// It is killed.
		b.leave(b.at, again.port, nil)
		if e := b.plug("10.0.0.1").port.estate; e != nil {
			t.Errorf("after a crash: %+v", e)
		}
		if e := b.plug("fd00::1").port.estate; e != nil {
			t.Errorf("the other address: %+v", e)
		}
	}
}

// Who comes to the addresses of two gets what both have left, but for what is of
// an address that he has not.
func TestHeirOfTwo(t *testing.T) {
	b := newBench(t, Options{})
	one, three := b.plug("10.0.0.1", "10.0.0.4"), b.plug("10.0.0.3")
	e := left(t, "10.0.0.1")
	e.Waits = append(e.Waits, e.Waits[0])
	e.Waits[0].Local = netip.MustParseAddrPort("10.0.0.4:6666")
	one.leaves(e)
	three.leaves(left(t, "10.0.0.3"))
	e = b.plug("10.0.0.1", "10.0.0.3").port.estate
	if e == nil || len(e.Waits) != 2 || e.Waits[0].Local.Addr() == e.Waits[1].Local.Addr() {
		t.Errorf("%+v", e)
	}
	if len(b.absent) != 0 {
		t.Errorf("%d are absent", len(b.absent))
	}
}

// There are as many caretakers as there may be plugs. The oldest goes first.
func TestCaretakers(t *testing.T) {
	b := newBench(t, Options{Plugs: 3})
	b.plug("10.0.0.2")
	for i := range 20 {
		own := fmt.Sprint("10.0.0.", 10+i)
		b.plug(own).leaves(left(t, own))
	}
	if len(b.absent) != 3 || len(b.owners) != 4 {
		t.Errorf("%d are absent, and %d addresses taken", len(b.absent), len(b.owners))
	}
	if e := b.plug("10.0.0.26").port.estate; e != nil {
		t.Error("the oldest is there")
	}
	if e := b.plug("10.0.0.27").port.estate; e == nil {
		t.Error("the newest but two is not there")
	}
}

// serverCloses has a host's server close a connection of another host first, and
// returns what is in TIME_WAIT.
func serverCloses(t *testing.T, server, client *host) *rawtcp.Estate {
	t.Helper()
	l, err := server.Listen(netip.AddrPortFrom(server.addr, 13), 5)
	must(t, err)
	gone := start(func() error {
		c, err := l.AcceptConn()
		if err != nil {
			return err
		}
		return c.Close()
	})
	c, err := client.Dial(t.Context(), netip.AddrPortFrom(server.addr, 13))
	must(t, err)
	_, err = io.ReadAll(c)
	must(t, err)
	must(t, c.Close())
	must(t, <-gone)
	must(t, l.Close())
	must(t, client.Drain(t.Context())) // the FIN has been acknowledged
	var e *rawtcp.Estate
	server.Do(func(now time.Duration, s *rawtcp.Stack) { e = s.Estate(now) })
	return e
}

// newHeir returns a host that goes on where the one before has ended.
func newHeir(t *testing.T, p *Plug) *host {
	l := loop.New(p, loop.Options{Options: rawtcp.Options{Host: p.Addresses[0].Addr().String()}, Estate: p.Estate()})
	return &host{l, p, p.Addresses[0].Addr()}
}

// waits returns what a host has in TIME_WAIT.
func (h *host) waits() (n int, left time.Duration) {
	h.Do(func(now time.Duration, s *rawtcp.Stack) { n, left = s.Waiting(now) })
	return n, left
}

// TestBequeath is the way of what is left, from one plug to the next, over a
// Unix-domain socket and over UDP.
func TestBequeath(t *testing.T) {
	for _, udp := range []bool{false, true} {
		log := newLogged()
		h, place := newHub(t, Options{Log: log.add})
		if udp {
			place = overUDP(t, h)
		}
		client := dialHost(t, place, "10.0.0.2")
		server := newHost(t, dialPlug(t, place, "10.0.0.1"))
		if server.plug.Estate() != nil {
			t.Error("somebody has left something")
		}
		e := serverCloses(t, server, client)
		if len(e.Waits) != 1 {
			t.Fatalf("%+v", e)
		}
		must(t, server.plug.Bequeath(e))
		must(t, server.Close())
		log.wait(t, "10.0.0.1 has left 1 connection in TIME_WAIT for ")

		next := newHeir(t, dialPlug(t, place, "10.0.0.1"))
		if n, left := next.waits(); n != 1 || left > e.Waits[0].Left || left < e.Waits[0].Left-time.Minute {
			t.Errorf("%d connections in TIME_WAIT, for %v", n, left)
		}
		// Unless it leaves it again, it is lost.
		log.wait(t, "10.0.0.1 has got back 1 connection in TIME_WAIT for ")
		log.clear()
		must(t, next.Close())
		log.wait(t, "10.0.0.1 has left\n")
		if p := dialPlug(t, place, "10.0.0.1"); p.Estate() != nil {
			t.Error("it is there again")
		}
		must(t, h.Close())
		<-client.plug.Done()
		if err := client.plug.Bequeath(e); !errors.Is(err, ErrHubGone) {
			t.Errorf("the hub has gone: %v", err)
		}
	}
}

// Over UDP what is left arrives though datagrams are lost, both when it is left
// and when it is given back, and is there once.
func TestBequeathLoss(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			var n internet
			chance := rand.New(rand.NewPCG(seed, 0))
			h, log := overInternet(t, &n, Options{})
			defer h.Close()
			p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
			must(t, err)
			p.Start(deaf)
			n.lose(func() bool { return chance.IntN(3) == 0 })
			e := left(t, "10.0.0.1")
			told := p.Bequeath(e)
			_ = p.Close() // nothing is left to be said
			synctest.Wait()
			if told == nil {
				log.wait(t, "10.0.0.1 has left 1 connection in TIME_WAIT for 40.0 s\n")
			}
			n.lose(nil)
			if told != nil {
				return // all four were lost
			}
			n.lose(func() bool { return chance.IntN(3) == 0 })
			q, err := n.plug(t, "192.0.2.2:2", "10.0.0.1")
			must(t, err)
			n.lose(nil)
			if e := q.Estate(); e == nil || len(e.Waits) != 1 {
				t.Errorf("seed %d: it has got %+v", seed, e)
			}
			must(t, q.Close())
		})
	}
}

// A hub that is stopped does not keep a process from its end.
func TestBequeathStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, _ := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		p.Start(deaf)
		n.lose(always)
		began := time.Now()
		if err := p.Bequeath(left(t, "10.0.0.1")); err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		must(t, p.Close())
	})
}

// What is no estate leaves nothing, and the hub goes on.
func TestBequeathJunk(t *testing.T) {
	b := newBench(t, Options{})
	one := b.plug("10.0.0.1")
	whole := left(t, "10.0.0.1").AppendTo(nil)
	for _, body := range [][]byte{nil, {1}, whole[:len(whole)-1], append(slices.Clone(whole), 0)} {
		if err := b.bequeath(one.port, body); !errors.Is(err, errJunk) {
			t.Errorf("%d bytes: %v", len(body), err)
		}
	}
	b.leave(b.at, one.port, nil)
	if len(b.absent) != 0 {
		t.Error("something is left")
	}
	// A join is not as long as what may come later.
	h, place := newHub(t, Options{})
	conn, err := net.Dial("unix", place)
	must(t, err)
	defer conn.Close()
	_, _ = conn.Write(append(appendHeader(nil, kindEstate, 60000), make([]byte, 60000)...))
	answer, _ := io.ReadAll(conn)
	if k, _, _, _, err := next(answer, maxText); k != kindRefuse || err != nil {
		t.Errorf("%q %v", answer, err)
	}
	must(t, h.Close())
}
