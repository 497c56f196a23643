package rawtcp_test

import (
	"errors"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// A host that was booted less than an MSL ago says nothing: whatever arrives is
// dropped, and connections are opened when the time is over (18.6.2).
func TestQuietTime(t *testing.T) {
	l := newLone(t, "bsd", "quiet-time=30s")
	listener := l.listen(at(here, 80), 5)
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Bind(l.now, at(here, 4000)))
	if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Fatal(err)
	}
	told := 0
	k.OnChange(func() { told++ })
	stranger := l.peer(at(there, 2000), at(here, 80))
	stranger.ack = 5
	closed := l.peer(at(there, 2000), at(here, 81))
	friend := l.peer(at(there, 7), at(here, 4000))
	for _, f := range []wire.Flags{wire.SYN, wire.ACK, wire.RST, wire.FIN | wire.ACK} {
		stranger.send(f, "")
		closed.send(f, "")
		friend.send(f, "")
	}
	if l.dropped() != rawtcp.QuietTime.String() || l.Stats().Dropped != 12 {
		t.Errorf("%q %+v", l.dropped(), l.Stats())
	}
	if k.State() != tcb.Closed || k.CanRead() || k.CanWrite() || told != 0 {
		t.Errorf("%v %v %v %d", k.State(), k.CanRead(), k.CanWrite(), told)
	}
	for what, err := range map[string]error{
		"connect": k.Connect(l.now, at(there, 7)),
	} {
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := k.Read(l.now, make([]byte, 1)); !errors.Is(err, rawtcp.ErrNotConnected) {
		t.Error(err)
	}
	if _, err := k.Write(l.now, make([]byte, 1)); !errors.Is(err, rawtcp.ErrNotConnected) {
		t.Error(err)
	}
	if err := k.Shutdown(l.now); !errors.Is(err, rawtcp.ErrNotConnected) {
		t.Error(err)
	}
	given := l.dial(9)
	lingers := l.dial(10)
	aborted := l.dial(11)
	l.ok(lingers.Set(l.now, rawtcp.Linger, 5))
	if err := errors.Join(given.Close(l.now), lingers.Close(l.now), aborted.Abort(l.now)); err != nil {
		t.Error(err)
	}
	l.pass(29 * time.Second)
	l.quiet("29 s after the boot")
	if n := len(l.Netstat(l.now)); n != 2 {
		t.Errorf("%+v", l.Netstat(l.now))
	}
	l.pass(time.Second)
	if s := l.one(); s.dst != at(there, 7) || s.Flags != wire.SYN || told == 0 || k.State() != tcb.SynSent {
		t.Errorf("%+v %d %v", s, told, k.State())
	}
	stranger.open()
	if !listener.CanRead() {
		t.Error("the listener hears nobody")
	}
}

// TestQuietTimeSaves is "quiet-1": an old segment that was under way while the
// host crashed is taken for new data after the reboot, unless the host is quiet
// until it must be dead.
func TestQuietTimeSaves(t *testing.T) {
	for _, quiet := range []string{"0", "30s"} {
		w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}})
		a := w.host("a", "bsd", "isn-tick=0", "isn-connection=0", "quiet-time="+quiet)
		b := w.host("b", "bsd", "isn-tick=0", "isn-connection=0")
		w.now += 31 * time.Second
		l := b.listen(7, 5)
		open := func() (c, s *rawtcp.Socket) {
			c = a.Socket(rawtcp.IPv4)
			w.ok(c.Bind(w.now, at(a.addr, 1500)))
			w.ok(c.Connect(w.now, at(b.addr, 7)))
			w.until("the connection", func() bool { return l.CanRead() && c.State() == tcb.Established })
			s, err := l.Accept(w.now)
			w.ok(err)
			return c, s
		}
		c, s := open()
		if err := w.net.Rule("hold the 1st data from a for 20 s"); err != nil {
			t.Fatal(err)
		}
		_, err := c.Write(w.now, []byte("old "))
		w.ok(err)
		w.run(time.Second)
		a.node.Crash(w.now)
		w.ok(s.Abort(w.now))
		w.run(time.Second)
		a.node.Reboot(w.now)
		a.boot()
		c, s = open()
		w.run(30 * time.Second)
		_, err = c.Write(w.now, []byte("new "))
		w.ok(err)
		w.run(30 * time.Second)
		got, _ := w.readAll(s)
		if quiet == "0" && got != "old " || quiet == "30s" && got != "new " {
			t.Errorf("quiet for %s: %q has come\n%s", quiet, got, w.trace())
		}
	}
}
