package rawtcp_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// inTimeWait returns a Stack with a connection in TIME_WAIT, which a server on
// port 80 has closed first. If held, the user has not closed it, but shut it
// down, and there is something left to read.
func inTimeWait(t *testing.T, held bool, prof string, settings ...string) (*lone, *rawtcp.Socket, *peer) {
	t.Helper()
	l := newLone(t, prof, settings...)
	k := l.listen(at(here, 80), 5)
	p := l.peer(at(there, 2000), at(here, 80))
	if l.prof.TCP.Timestamps {
		p.syn = wire.Options{HasTimestamps: true}
		p.ts = 100
	}
	p.open()
	a, err := k.Accept(l.now)
	l.ok(err)
	if held {
		p.ts = 101
		p.send(wire.ACK|wire.PSH, "unread")
		l.pass(time.Second)
		l.take()
		l.ok(a.Shutdown(l.now))
	} else {
		l.ok(a.Close(l.now))
	}
	p.take(wire.FIN | wire.ACK)
	p.ts = 102
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	if r := l.Netstat(l.now)[0]; r.State != tcb.TimeWait || r.Timer != "2msl" || r.Local != at(here, 80) || r.Remote != at(there, 2000) {
		t.Fatalf("%+v", r)
	}
	return l, a, p
}

// TestTimeWait has segments arrive in TIME_WAIT, with the connection still in
// the hands of its user, and without.
func TestTimeWait(t *testing.T) {
	for _, c := range []struct {
		what     string
		off      int32 // of the number, from the next one
		flags    wire.Flags
		data     string
		ts       uint32
		settings []string

		answer  wire.Flags
		restart bool // of 2MSL
		over    bool // the end of TIME_WAIT
		why     string
	}{
		{what: "the FIN again", off: -1, flags: wire.FIN | wire.ACK, ts: 103, answer: wire.ACK, restart: true},
		{what: "an old duplicate", off: -5, flags: wire.ACK, data: "old", ts: 103, answer: wire.ACK, why: tcb.OldDuplicate.String()},
		{what: "a stray ACK", flags: wire.ACK, ts: 103, why: tcb.TimeWaitSegment.String()},
		{what: "data beyond the FIN", flags: wire.ACK, data: "new", ts: 103, why: tcb.TimeWaitSegment.String()},
		{what: "no ACK", ts: 103, why: tcb.NoACK.String()},
		{what: "far away", off: 1 << 20, flags: wire.ACK, data: "x", ts: 103, answer: wire.ACK, why: tcb.OutsideWindow.String()},
		{what: "a RST", flags: wire.RST, ts: 103, over: true},
		{what: "a RST that is not exact", off: 1, flags: wire.RST, ts: 103, answer: wire.ACK, why: tcb.BadReset.String()},
		{what: "a RST that is not exact, RFC 793", off: 1, flags: wire.RST, ts: 103, settings: []string{"rfc5961=no"}, over: true},
		{what: "a RST outside", off: -1, flags: wire.RST, ts: 103, why: tcb.OutsideWindow.String()},
		{what: "a RST, RFC 1337", flags: wire.RST, ts: 103, settings: []string{"rfc1337=yes"}, why: tcb.Assassin.String()},
		{what: "an old SYN", off: -9, flags: wire.SYN, ts: 50, answer: wire.ACK, why: tcb.OldDuplicate.String()},
		{what: "a SYN, never", off: 9, flags: wire.SYN, ts: 200, settings: []string{"time-wait-reuse=never"}, answer: wire.ACK, why: tcb.SYNInWindow.String()},
	} {
		for _, held := range []bool{false, true} {
			l, k, p := inTimeWait(t, held, "", c.settings...)
			l.pass(10 * time.Second)
			left := l.Netstat(l.now)[0].Left
			l.log = nil
			next := p.seq
			p.seq += seq.Value(c.off)
			p.ts = c.ts
			p.send(c.flags, c.data)
			if c.answer == 0 {
				l.quiet(c.what)
			} else if s := p.take(c.answer); s.Ack != next || s.Len() != 0 {
				t.Errorf("%s: answered by %+v, not ack %d", c.what, s, next)
			}
			if got := l.dropped(); got != c.why {
				t.Errorf("%s: dropped as %q, not %q", c.what, got, c.why)
			}
			rows := l.Netstat(l.now)
			if c.over {
				if len(rows) != 1 {
					t.Errorf("%s: %+v", c.what, rows)
				}
			} else {
				want := left
				if c.restart {
					want += 10 * time.Second
				}
				if len(rows) != 2 || rows[0].Left != want {
					t.Errorf("%s: %v are left, not %v", c.what, rows[0].Left, want)
				}
			}
			if !held {
				continue
			}
			// The user finds what he had not read, and the end, if any.
			if got, err := l.readAll(k); got != "unread" || !errors.Is(err, io.EOF) {
				t.Errorf("%s: read %q %v", c.what, got, err)
			}
			want := tcb.TimeWait
			if c.over {
				want = tcb.Closed
			}
			if k.State() != want || k.Info().State != want {
				t.Errorf("%s: %v", c.what, k.State())
			}
			l.ok(k.Close(l.now))
			l.quiet("close")
			l.pass(5 * time.Minute)
			if len(l.Netstat(l.now)) != 1 {
				t.Errorf("%s: %+v", c.what, l.Netstat(l.now))
			}
		}
	}
}

// readAll reads until there is an error.
func (l *lone) readAll(k *rawtcp.Socket) (string, error) {
	var all []byte
	buf := make([]byte, 100)
	for {
		n, err := k.Read(l.now, buf)
		if all = append(all, buf[:n]...); err != nil {
			return string(all), err
		}
	}
}

// TestTimeWaitLasts is 2MSL: 60 s of the Berkeley systems, 4 minutes of those
// that follow the RFC.
func TestTimeWaitLasts(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"rfc9293": 4 * time.Minute, "linux": time.Minute, "bsd": time.Minute, "sunos": time.Minute,
		"svr4": time.Minute, "solaris": 4 * time.Minute,
	} {
		for _, held := range []bool{false, true} {
			l, _, _ := inTimeWait(t, held, name)
			l.pass(want - 2*time.Second)
			if n := len(l.Netstat(l.now)); n != 2 {
				t.Errorf("%s: it is over too early", name)
			}
			l.pass(2 * time.Second)
			if n := len(l.Netstat(l.now)); n != 1 {
				t.Errorf("%s: it is not over", name)
			}
			if _, ok := l.NextDeadline(); ok {
				t.Errorf("%s: a timer is left", name)
			}
			l.quiet(name)
		}
	}
}

// TestNewIncarnation: a SYN begins a new connection, by the rule of the profile
// (18.6.1), and its number is the old one and 128000 for the Berkeley systems.
func TestNewIncarnation(t *testing.T) {
	for _, c := range []struct {
		name string
		off  int32 // of the SYN's number, from the next one
		ts   uint32
		ok   bool
		add  seq.Value // the new ISN, from SND.NXT; 0 is anything newer
	}{
		{"bsd", 1, 0, true, 128000},
		{"bsd", 0, 0, false, 0},
		{"bsd", -1, 0, false, 0},
		{"sunos", 1, 0, true, 128000},
		{"svr4", 1, 0, true, 128000},
		{"solaris", 1, 0, true, 128000},
		{"linux", 1, 103, true, 65537},
		{"linux", -70000, 103, true, 65537}, // the timestamp is newer
		{"linux", -70000, 102, false, 0},
		{"linux", 1, 101, false, 0},
		{"rfc9293", 1, 103, true, 0},
		{"rfc9293", -70000, 103, true, 0},
		{"rfc9293", 1, 99, false, 0},
	} {
		for _, held := range []bool{false, true} {
			l, k, p := inTimeWait(t, held, c.name)
			l.pass(10 * time.Second)
			changed := 0
			k.OnChange(func() { changed++ })
			sndNxt, rcvNxt := p.ack, p.seq
			p.seq += seq.Value(c.off)
			p.ts = c.ts
			p.send(wire.SYN, "")
			if !c.ok {
				if s := p.take(wire.ACK); s.Ack != rcvNxt || s.Seq != sndNxt {
					t.Errorf("%+v: %+v", c, s)
				}
				if l.Netstat(l.now)[0].State != tcb.TimeWait {
					t.Errorf("%+v: %+v", c, l.Netstat(l.now))
				}
				continue
			}
			s := p.take(wire.SYN | wire.ACK)
			if l.Stats().Dropped != 0 || l.lost() {
				t.Errorf("%+v: the SYN is said to be dropped", c)
			}
			if c.add != 0 && s.Seq != sndNxt+c.add || s.Seq.LessEq(sndNxt) {
				t.Errorf("%+v: the ISN is %d beyond", c, s.Seq-sndNxt)
			}
			p.ts = c.ts
			p.send(wire.ACK, "")
			if rows := l.Netstat(l.now); len(rows) != 2 || rows[0].State != tcb.Established {
				t.Errorf("%+v: %+v", c, rows)
			}
			if !held {
				continue
			}
			// The old one is over for its user, but what he had not read.
			if changed == 0 || k.State() != tcb.Closed {
				t.Errorf("%+v: %v, changed %d times", c, k.State(), changed)
			}
			if got, err := l.readAll(k); got != "unread" || !errors.Is(err, io.EOF) {
				t.Errorf("%+v: read %q %v", c, got, err)
			}
			l.quiet("reading of the old one")
			l.ok(k.Close(l.now))
			l.quiet("close of the old one")
			if rows := l.Netstat(l.now); len(rows) != 2 || rows[0].State != tcb.Established {
				t.Errorf("%+v, closed: %+v", c, rows)
			}
			p.ts = c.ts + 1
			p.send(wire.ACK|wire.PSH, "new")
			l.pass(10 * time.Minute)
			if rows := l.Netstat(l.now); len(rows) != 2 || rows[0].RecvQ != 3 {
				t.Errorf("%+v, later: %+v", c, rows)
			}
		}
	}
}

// A profile without a rule begins anywhere beyond the old numbers, even if its
// own would lie before them.
func TestNewIncarnationBeyond(t *testing.T) {
	l, _, p := inTimeWait(t, false, "bsd", "time-wait-isn=0", "isn-tick=0", "isn-connection=0")
	sndNxt := p.ack
	p.seq += 1000
	p.send(wire.SYN, "")
	if s := p.take(wire.SYN | wire.ACK); s.Seq != sndNxt+1 {
		t.Errorf("the ISN is %d, and %d was the next", s.Seq, sndNxt)
	}
	if err := l.Check(l.now); err != nil {
		t.Error(err)
	}
}

// Without a listener, or room in its queue, there is no new incarnation.
func TestNewIncarnationRefused(t *testing.T) {
	l, _, p := inTimeWait(t, false, "bsd")
	p.it = at(here, 80)
	for range 8 {
		l.peer(at(there, uint16(3000+l.Stats().PassiveOpens)), at(here, 80)).open()
	}
	p.seq += 1000
	p.send(wire.SYN, "")
	l.quiet("the queue is full")
	if l.dropped() != rawtcp.QueueFull.String() {
		t.Error(l.dropped())
	}

	l = newLone(t, "bsd")
	k, p := l.connected(7)
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	p.seq += 1000
	p.send(wire.SYN, "")
	if s := p.take(wire.RST | wire.ACK); s.Ack != p.seq {
		t.Errorf("nobody listens: %+v", s)
	}
	if rows := l.Netstat(l.now); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

// TestConnectTimeWait is "2msl-3": a client may take a pair in TIME_WAIT at once
// where timestamps tell old segments from new ones, which is Linux; others say
// that it is in use.
func TestConnectTimeWait(t *testing.T) {
	for _, name := range append(profile.Names(), "linux without timestamps") {
		settings := []string{}
		prof := name
		if name == "linux without timestamps" {
			prof, settings = "linux", []string{"timestamps=no"}
		}
		l := newLone(t, prof, settings...)
		dial := func() (*rawtcp.Socket, error) {
			k := l.Socket(rawtcp.IPv4)
			l.ok(k.Set(l.now, rawtcp.ReuseAddr, 1))
			l.ok(k.Bind(l.now, at(here, 6666)))
			return k, k.Connect(l.now, at(there, 1098))
		}
		k, err := dial()
		l.ok(err)
		p := l.peer(at(there, 1098), at(here, 6666))
		if l.prof.TCP.Timestamps {
			p.syn = wire.Options{HasTimestamps: true}
			p.ts = 100
		}
		p.take(wire.SYN)
		p.send(wire.SYN|wire.ACK, "")
		l.pass(time.Second) // Solaris delays the ACK
		p.take(wire.ACK)
		l.ok(k.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.ts = 101
		p.send(wire.FIN|wire.ACK, "")
		sndNxt := p.take(wire.ACK).Seq
		l.pass(2 * time.Second)

		k, err = dial()
		if name != "linux" {
			if !errors.Is(err, rawtcp.ErrInUse) {
				t.Errorf("%s: %v", name, err)
			}
			l.quiet(name)
			if rows := l.Netstat(l.now); len(rows) != 2 {
				t.Errorf("%s: %+v", name, rows)
			}
			l.pass(l.prof.TCP.MSL * 2)
			if err := k.Connect(l.now, at(there, 1098)); !errors.Is(err, rawtcp.ErrWouldBlock) {
				t.Errorf("%s, after 2MSL: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Errorf("%s: %v", name, err)
		}
		if s := p.take(wire.SYN); s.Seq != sndNxt+65537 {
			t.Errorf("%s: the ISN is %d beyond", name, s.Seq-sndNxt)
		}
		if rows := l.Netstat(l.now); len(rows) != 1 || rows[0].State != tcb.SynSent {
			t.Errorf("%s: %+v", name, rows)
		}
		p.send(wire.RST|wire.ACK, "")
		if err := k.Err(); !errors.Is(err, tcb.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One that has begun to wait anew is done last, and keeps nobody waiting.
func TestTimeWaitRestarted(t *testing.T) {
	l := newLone(t, "rfc9293")
	k := l.listen(at(here, 80), 5)
	var ps []*peer
	for i := range 3 {
		a, p := l.accepts(k, uint16(2000+i))
		l.ok(a.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
		ps = append(ps, p)
		l.pass(time.Second)
	}
	ps[0].seq--
	ps[0].send(wire.FIN|wire.ACK, "")
	for _, want := range []time.Duration{241, 242, 243} {
		next, ok := l.NextDeadline()
		if !ok || next != want*time.Second {
			t.Errorf("the next is done at %v, not %d s", next, want)
		}
		if err := l.Check(l.now); err != nil {
			t.Error(err)
		}
		l.pass(next - l.now)
	}
	if n := len(l.Netstat(l.now)); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// Connections with different times to wait are done each in its time.
func TestTimeWaitOrder(t *testing.T) {
	l := newLone(t, "rfc9293")
	k := l.listen(at(here, 80), 5)
	for i, msl := range []time.Duration{30, 10, 20, 5, 60} {
		a, p := l.accepts(k, uint16(2000+i))
		a.Configure(l.now, func(c *tcb.Config) { c.MSL = msl * time.Second })
		l.ok(a.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
	}
	for _, want := range []time.Duration{10, 20, 40, 60, 120} {
		next, ok := l.NextDeadline()
		if !ok || next != want*time.Second {
			t.Errorf("the next is done at %v, not %d s", next, want)
		}
		before := len(l.Netstat(l.now))
		l.pass(next - l.now)
		if n := len(l.Netstat(l.now)); n != before-1 {
			t.Errorf("at %v: %d left of %d", next, n, before)
		}
	}
}
