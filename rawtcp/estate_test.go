package rawtcp_test

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// later ends the process that has l, and returns the one that comes after it at
// the same address, away later. Its clock begins at 0.
func (l *lone) later(away time.Duration, prof string, settings ...string) *lone {
	l.t.Helper()
	b := l.Estate(l.now).AppendTo(nil)
	e, err := rawtcp.DecodeEstate(b)
	if err != nil {
		l.t.Fatal(err)
	}
	// Somebody has it in the meantime, with a clock of his own.
	o := newLone(l.t, "")
	o.now = time.Hour
	o.Stack = rawtcp.New(o, rawtcp.Options{Profile: e.Profile})
	o.Inherit(o.now, e)
	if err := o.Check(o.now); err != nil {
		l.t.Error(err)
	}
	o.pass(away)
	e = o.Estate(o.now)

	n := newLone(l.t, prof, settings...)
	n.Stack = rawtcp.New(n, rawtcp.Options{Host: "later", Profile: n.prof, Seed: 99})
	n.Inherit(0, e)
	if err := n.Check(0); err != nil {
		l.t.Error(err)
	}
	return n
}

// TestEstate is the start of TIME_WAIT in one process, and its end in another.
func TestEstate(t *testing.T) {
	for _, held := range []bool{false, true} {
		for _, name := range profile.Names() {
			l, _, p := inTimeWait(t, held, name)
			l.pass(10 * time.Second)
			left := l.Netstat(l.now)[0].Left
			p.seq-- // the FIN again
			p.ts = 103
			p.send(wire.FIN|wire.ACK, "")
			was := p.take(wire.ACK)
			l.pass(5 * time.Second)

			n := l.later(20*time.Second, name)
			rows := n.Netstat(n.now)
			if want := left + 10*time.Second - 25*time.Second; len(rows) != 1 || rows[0].State != tcb.TimeWait ||
				rows[0].Local != at(here, 80) || rows[0].Remote != at(there, 2000) || rows[0].Left > want || rows[0].Left < want-time.Second {
				t.Errorf("%s: left are %+v, not %v", name, rows, want)
			}
			p.l = n
			p.seq--
			p.send(wire.FIN|wire.ACK, "")
			s := p.take(wire.ACK)
			if was.Options.HasTimestamps {
				ticks := uint32(25 * time.Second / l.prof.TCP.TSClock)
				if d := s.Options.TSVal - was.Options.TSVal; d+1 < ticks || d > ticks+1 {
					t.Errorf("%s: %d ticks have passed, not %d", name, d, ticks)
				}
				s.Options.TSVal = was.Options.TSVal
			}
			s.Checksum, s.Options.Raw = was.Checksum, was.Options.Raw
			if !reflect.DeepEqual(s, was) {
				t.Errorf("%s: the answer is\n%+v, before\n%+v", name, s, was)
			}
			if left := n.Netstat(n.now)[0].Left; left < 2*n.prof.TCP.MSL-time.Second {
				t.Errorf("%s: %v are left after the FIN", name, left)
			}
			n.pass(2 * n.prof.TCP.MSL)
			if rows := n.Netstat(n.now); len(rows) != 0 {
				t.Errorf("%s, at the end: %+v", name, rows)
			}
		}
	}
}

// The clocks of a host that has been used go on, also if it is to boot on use.
func TestInheritedClocks(t *testing.T) {
	for _, name := range profile.Names() {
		l, _, _ := inTimeWait(t, false, name)
		e := l.Estate(l.now)
		var first [2]wire.Segment
		for i, onUse := range []bool{false, true} {
			n := newLone(t, name)
			n.Stack = rawtcp.New(n, rawtcp.Options{Profile: n.prof, Seed: 99, BootOnUse: onUse})
			n.Inherit(0, e)
			n.pass(10 * time.Second)
			n.dial(7)
			first[i] = n.one().Segment
		}
		if !reflect.DeepEqual(first[0], first[1]) {
			t.Errorf("%s: on use it sends\n%+v, not\n%+v", name, first[1], first[0])
		}
	}
}

// What is not over yet when a process ends may be over when the next one comes.
func TestEstateOver(t *testing.T) {
	l, _, _ := inTimeWait(t, false, "linux")
	if rows := l.later(time.Minute, "linux").Netstat(0); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

// TestInheritedBind is "2msl-1" and the table of SO_REUSEADDR: a server that
// starts again is refused while a connection of the one before is in TIME_WAIT.
func TestInheritedBind(t *testing.T) {
	for _, c := range []struct {
		name        string
		first, then []rawtcp.Option
		ok          bool
	}{
		{"bsd", nil, nil, false},
		{"bsd", nil, []rawtcp.Option{rawtcp.ReuseAddr}, true},
		{"linux", nil, nil, false},
		{"linux", nil, []rawtcp.Option{rawtcp.ReuseAddr}, false},
		{"linux", []rawtcp.Option{rawtcp.ReuseAddr}, []rawtcp.Option{rawtcp.ReuseAddr}, true},
		{"linux", []rawtcp.Option{rawtcp.ReusePort}, []rawtcp.Option{rawtcp.ReusePort}, true},
	} {
		l := newLone(t, c.name)
		k := l.listen(at(netip.IPv4Unspecified(), 6666), 5, c.first...)
		a, p := l.accepts(k, 1098)
		l.ok(k.Close(l.now))
		l.ok(a.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)

		n := l.later(time.Second, c.name)
		server := n.Socket(rawtcp.IPv4)
		for _, o := range c.then {
			n.ok(server.Set(n.now, o, 1))
		}
		err := server.Bind(n.now, at(netip.IPv4Unspecified(), 6666))
		if c.ok && err != nil || !c.ok && !errors.Is(err, rawtcp.ErrInUse) {
			t.Errorf("%+v: %v", c, err)
		}
		if err := n.Check(n.now); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		n.pass(2 * n.prof.TCP.MSL)
		if !c.ok {
			n.ok(server.Bind(n.now, at(netip.IPv4Unspecified(), 6666)))
		}
	}
}

// TestInheritedConnect is "2msl-3": the pair of a connection in TIME_WAIT is in
// use, except for Linux, whose new numbers lie beyond the old ones.
func TestInheritedConnect(t *testing.T) {
	for _, name := range profile.Names() {
		l, _, p := inTimeWait(t, false, name)
		n := l.later(time.Second, name)
		k := n.Socket(rawtcp.IPv4)
		n.ok(k.Set(n.now, rawtcp.ReuseAddr, 1))
		if name == "linux" { // the first one had it not
			if err := k.Bind(n.now, at(here, 80)); !errors.Is(err, rawtcp.ErrInUse) {
				t.Errorf("%s: bind says %v", name, err)
			}
			continue
		}
		n.ok(k.Bind(n.now, at(here, 80)))
		if err := k.Connect(n.now, p.me); !errors.Is(err, rawtcp.ErrInUse) {
			t.Errorf("%s: connect says %v", name, err)
		}
	}

	l := newLone(t, "linux")
	k, p := l.connected(7)
	p.syn.HasTimestamps = true
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	old := p.take(wire.ACK)
	n := l.later(2*time.Second, "linux")
	k = n.Socket(rawtcp.IPv4)
	if err := k.Bind(n.now, p.it); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("bind says %v", err)
	}
	n.prof.LastPort = p.it.Port()
	n.prof.FirstPort = p.it.Port()
	n.ok(k.Connect(n.now, p.me))
	p.l = n
	if s := p.take(wire.SYN); s.Seq != old.Seq+65537 {
		t.Errorf("the SYN has %d, %d beyond", s.Seq, s.Seq-old.Seq)
	}
}

// TestInheritedIncarnation is "2msl-4": a SYN from a host whose process has
// changed too has a newer number and timestamp than all of the connection
// before, so it is taken.
func TestInheritedIncarnation(t *testing.T) {
	for _, name := range profile.Names() {
		for i := range 20 {
			client := newLone(t, name)
			client.Stack = rawtcp.New(client, rawtcp.Options{Profile: client.prof, Seed: uint64(i)})
			client.pass(time.Duration(i) * 97 * time.Millisecond)
			dial := func(h *lone) sent {
				k := h.Socket(rawtcp.IPv4)
				h.ok(k.Bind(h.now, at(here, 1098)))
				h.ok(k.Connect(h.now, at(there, 6666)))
				return h.one()
			}
			first := dial(client)
			next := client.later(time.Duration(i+1)*time.Millisecond, name)
			second := dial(next)
			if second.Seq.LessEq(first.Seq+1) || int32(second.Options.TSVal-first.Options.TSVal) < 0 {
				t.Errorf("%s: the numbers %d, then %d; the timestamps %d, then %d", name,
					first.Seq, second.Seq, first.Options.TSVal, second.Options.TSVal)
			}
		}
	}
}

// An ephemeral port is the one after the last that the process before was given.
func TestInheritedPort(t *testing.T) {
	l := newLone(t, "bsd")
	for want := uint16(1024); want < 1030; want++ {
		k := l.dial(7)
		if k.Local().Port() != want {
			t.Errorf("port %d, not %d", k.Local().Port(), want)
		}
		l.ok(k.Abort(l.now))
		l = l.later(time.Second, "bsd")
	}
}

// The quiet time of a host is after it was booted, and not after its process was
// started.
func TestInheritedQuietTime(t *testing.T) {
	l := newLone(t, "", "quiet-time=10s")
	l.pass(4 * time.Second)
	l = l.later(5*time.Second, "", "quiet-time=10s")
	l.dial(7)
	l.quiet("9 s after the boot")
	l.pass(time.Second)
	l.one()
	// With nothing inherited the host is a new one.
	l = newLone(t, "", "quiet-time=10s")
	l.dial(7)
	l.quiet("at the boot")
}

// crowd returns what a host with so many connections in TIME_WAIT leaves.
func crowd(n int, from netip.Addr) *rawtcp.Estate {
	p, _ := profile.Get("")
	e := &rawtcp.Estate{Profile: p}
	own := here
	if from.Is6() {
		own = here6
	}
	for i := range n {
		e.Waits = append(e.Waits, rawtcp.TimeWait{
			Local: at(own, 80), Remote: at(from, uint16(i+1)),
			Remains: tcb.Remains{
				Left: time.Duration(i+1) * time.Millisecond, SndNxt: seq.Value(i), Timestamps: i%2 == 0,
				TSRecent: uint32(i%2 - 1), TSVal: uint32(i%2 - 1),
			},
		})
	}
	return e
}

// However many connections there are, what is left has its bounds; those that
// have most time left are kept.
func TestEstateFits(t *testing.T) {
	for _, from := range []netip.Addr{there, there6} {
		for _, n := range []int{0, 1, 100, 5000} {
			e := crowd(n, from)
			e.Fit()
			b := e.AppendTo(nil)
			if len(b) > rawtcp.MaxEstate || n <= 100 && len(e.Waits) != n || n == 5000 && len(b) < rawtcp.MaxEstate-100 {
				t.Errorf("%d connections are %d in %d bytes", n, len(e.Waits), len(b))
			}
			got, err := rawtcp.DecodeEstate(b)
			if err != nil || !slices.Equal(got.Waits, e.Waits) {
				t.Errorf("%d connections: %v", n, err)
			}
			if n > 0 && e.Waits[len(e.Waits)-1].Remote.Port() != uint16(n) {
				t.Errorf("the last of %d is gone", n)
			}
		}
	}
}

// What a host cannot have, it does not inherit.
func TestInheritNothing(t *testing.T) {
	e := crowd(3, there)
	e.Waits[0].Local = at(netip.MustParseAddr("10.9.9.9"), 80)
	e.Waits[1].Left = 0
	e.Waits = append(e.Waits, e.Waits[2])
	o := &others{theirs: []uint16{81}}
	e.Waits = append(e.Waits, e.Waits[2])
	e.Waits[4].Local = at(here, 81)
	l := newLone(t, "")
	l.Stack = rawtcp.New(l, rawtcp.Options{Profile: l.prof, Ports: o})
	l.Inherit(l.now, e)
	if rows := l.Netstat(l.now); len(rows) != 1 || rows[0].Remote != at(there, 3) {
		t.Errorf("%+v", rows)
	}
	o.want(t, "after it has inherited", "take 10.0.0.2:80")
	if err := l.Check(l.now); err != nil {
		t.Error(err)
	}
	l.pass(time.Second)
	o.want(t, "at the end", "release 80")
}

// FuzzEstate reads any bytes: what it takes is written back as the same, a host
// can have it, and its time comes to an end.
func FuzzEstate(f *testing.F) {
	for _, e := range []*rawtcp.Estate{crowd(0, there), crowd(3, there), crowd(2, there6)} {
		b := e.AppendTo(nil)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := rawtcp.DecodeEstate(b)
		if err != nil {
			return
		}
		if again := e.AppendTo(nil); !slices.Equal(again, b) {
			t.Fatalf("%x is written as %x", b, again)
		}
		l := newLone(t, "")
		l.Stack = rawtcp.New(l, rawtcp.Options{Profile: e.Profile})
		l.Inherit(l.now, e)
		for i := range e.Waits {
			w := &e.Waits[i]
			p := l.peer(w.Remote, w.Local)
			for _, flags := range []wire.Flags{wire.SYN, wire.FIN | wire.ACK, wire.RST} {
				p.seq = w.RcvNxt - 1
				p.send(flags, "")
			}
		}
		if err := l.Check(l.now); err != nil {
			t.Fatal(err)
		}
		for d, ok := l.NextDeadline(); ok; d, ok = l.NextDeadline() {
			l.pass(d - l.now)
		}
		if n, _ := l.Waiting(l.now); n != 0 {
			t.Fatalf("%d are left", n)
		}
	})
}
