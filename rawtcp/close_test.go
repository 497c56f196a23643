package rawtcp_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Close with data unread is a RST for those who follow RFC 1122, so that the
// peer learns that it was lost; the Berkeley systems send a FIN.
func TestCloseUnread(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name)
		k, p := l.accepts(l.listen(at(here, 80), 5), 2000)
		p.send(wire.ACK|wire.PSH, "unread")
		l.pass(time.Second)
		l.take()
		l.ok(k.Close(l.now))
		if name == "rfc9293" || name == "linux" {
			if s := p.take(wire.RST | wire.ACK); s.Seq != p.ack || s.Ack != p.seq {
				t.Errorf("%s: %+v", name, s)
			}
			if n := len(l.Netstat(l.now)); n != 1 {
				t.Errorf("%s: %+v", name, l.Netstat(l.now))
			}
		} else {
			p.take(wire.FIN | wire.ACK)
		}
		if k.State() != tcb.Closed || k.Err() != nil {
			t.Errorf("%s: %v", name, k.State())
		}
	}
}

// Data that comes after close is answered by a RST: nobody can read it.
func TestDataAfterClose(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name)
		k, p := l.accepts(l.listen(at(here, 80), 5), 2000)
		l.ok(k.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.ACK, "")
		p.send(wire.ACK|wire.PSH, "late")
		if s := p.take(wire.RST); s.Seq != p.ack {
			t.Errorf("%s: %+v", name, s)
		}
		if n := len(l.Netstat(l.now)); n != 1 {
			t.Errorf("%s: %+v", name, l.Netstat(l.now))
		}
	}
}

// TestAbort: which states send a RST (RFC 9293, section 3.10.5), by Abort and
// by a close with a linger time of 0. Nothing is left in any.
func TestAbort(t *testing.T) {
	for s := range situations {
		if s == isClosed {
			continue
		}
		for what, abort := range map[string]func(*lone, *rawtcp.Socket) error{
			"abort": func(l *lone, k *rawtcp.Socket) error { return k.Abort(l.now) },
			"linger 0": func(l *lone, k *rawtcp.Socket) error {
				if err := k.Set(l.now, rawtcp.Linger, 0); err != nil {
					return k.Abort(l.now) // it lingers already
				}
				return k.Close(l.now)
			},
		} {
			l, k, p := in(t, s, "")
			told := 0
			k.OnChange(func() { told++ })
			if err := abort(l, k); err != nil {
				t.Errorf("%s in %v: %v", what, s, err)
			}
			switch s {
			case isSynRcvd, isEstablished, isCloseWait, isFinWait1, isFinWait2, isLingering:
				if r := p.take(wire.RST | wire.ACK); r.Seq != p.ack {
					t.Errorf("%s in %v: %+v", what, s, r)
				}
			default:
				l.quiet(fmt.Sprintf("%s in %v", what, s))
			}
			if rows := l.Netstat(l.now); len(rows) != 0 {
				t.Errorf("%s in %v: %+v", what, s, rows)
			}
			if _, ok := l.NextDeadline(); ok {
				t.Errorf("%s in %v: a timer is left", what, s)
			}
			if told == 0 || k.State() != tcb.Closed || k.Remote().IsValid() {
				t.Errorf("%s in %v: told %d times, %v, %v", what, s, told, k.State(), k.Remote())
			}
			// What comes now finds nobody.
			if p != nil {
				p.send(wire.ACK, "")
				p.take(wire.RST)
			}
		}
	}
}

// Close in each state: what is sent, and where the connection goes from there,
// alone.
func TestClose(t *testing.T) {
	for _, c := range []struct {
		in   situation
		sent wire.Flags
		then tcb.State
	}{
		{isNew, 0, tcb.Closed},
		{isBound, 0, tcb.Closed},
		{isListening, 0, tcb.Closed},
		{isSynSent, 0, tcb.Closed},
		{isSynRcvd, wire.FIN | wire.ACK, tcb.FinWait1},
		{isEstablished, wire.FIN | wire.ACK, tcb.FinWait1},
		{isCloseWait, wire.FIN | wire.ACK, tcb.LastAck},
		{isFinWait1, 0, tcb.FinWait1},
		{isClosing, 0, tcb.Closing},
		{isLastAck, 0, tcb.LastAck},
		{isFinWait2, 0, tcb.FinWait2},
		{isTimeWait, 0, tcb.TimeWait},
		{isOver, 0, tcb.Closed},
		{isRefused, 0, tcb.Closed},
		{isReset, 0, tcb.Closed},
	} {
		l, k, p := in(t, c.in, "linux", "ack-delay-fin=no")
		if err := k.Close(l.now); err != nil {
			t.Errorf("%v: %v", c.in, err)
		}
		if c.sent == 0 {
			l.quiet(c.in.String())
		} else {
			p.take(c.sent)
		}
		if k.State() != tcb.Closed {
			t.Errorf("%v: the socket is in %v", c.in, k.State())
		}
		rows := l.Netstat(l.now)
		if c.then == tcb.Closed {
			if len(rows) != 0 {
				t.Errorf("%v: %+v", c.in, rows)
			}
			continue
		}
		if len(rows) != 1 || rows[0].State != c.then || rows[0].Owned {
			t.Errorf("%v: %+v", c.in, rows)
		}
		// However little the peer says from now on, it comes to an end.
		l.pass(time.Hour)
		if rows := l.Netstat(l.now); len(rows) != 0 {
			t.Errorf("%v, an hour later: %+v", c.in, rows)
		}
	}
}

// Half-close: after shutdown the peer's data can be read, for as long as it
// likes (Fig 18-10), since the user is there; FIN_WAIT_2 has no end.
func TestHalfClose(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name)
		k, p := l.accepts(l.listen(at(here, 80), 5), 2000)
		_, err := k.Write(l.now, []byte("sort me"))
		l.ok(err)
		p.take(wire.ACK)
		l.ok(k.Shutdown(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.ACK, "")
		l.pass(24 * time.Hour)
		if k.State() != tcb.FinWait2 {
			t.Errorf("%s: after a day: %v", name, k.State())
		}
		p.send(wire.ACK|wire.PSH, "sorted")
		p.send(wire.FIN|wire.ACK, "")
		if got, err := l.readAll(k); got != "sorted" || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if k.State() != tcb.TimeWait {
			t.Errorf("%s: %v", name, k.State())
		}
	}
}

// FIN_WAIT_2 ends, where the profile says so, when the user has closed: 675 s
// of BSD, 60 s of Linux (18.6.3).
func TestFinWait2(t *testing.T) {
	for name, want := range map[string]time.Duration{"bsd": 675 * time.Second, "linux": time.Minute, "rfc9293": 0} {
		l := newLone(t, name)
		k, p := l.accepts(l.listen(at(here, 80), 5), 2000)
		l.ok(k.Close(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.ACK, "")
		if want == 0 {
			l.pass(24 * time.Hour)
			if rows := l.Netstat(l.now); len(rows) != 2 || rows[0].State != tcb.FinWait2 {
				t.Errorf("%s: %+v", name, rows)
			}
			continue
		}
		l.pass(want - time.Second)
		if rows := l.Netstat(l.now); len(rows) != 2 || rows[0].State != tcb.FinWait2 || rows[0].Timer != "fin_wait_2" || rows[0].Owned {
			t.Errorf("%s: %+v", name, rows)
		}
		l.pass(2 * time.Second)
		if rows := l.Netstat(l.now); len(rows) != 1 {
			t.Errorf("%s: %+v", name, rows)
		}
		// The FIN that comes at last finds nobody (exercise 18.6).
		p.send(wire.FIN|wire.ACK, "")
		if s := p.take(wire.RST); s.Seq != p.ack {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestLinger: a close that lingers waits until everything is acknowledged, the
// connection has ended, or the time is over, and then goes on alone.
func TestLinger(t *testing.T) {
	for _, c := range []struct {
		what  string
		then  func(*lone, *peer)
		after time.Duration // when close is done, after then
		rows  int
	}{
		{"drained", func(_ *lone, p *peer) { p.ack += 5; p.send(wire.ACK, "") }, 0, 1},
		{"closed both ways", func(_ *lone, p *peer) { p.ack += 5; p.send(wire.FIN|wire.ACK, "") }, 0, 1},
		{"reset", func(_ *lone, p *peer) { p.send(wire.RST, "") }, 0, 0},
		{"too late", func(*lone, *peer) {}, 5 * time.Second, 1},
		{"half of it too late", func(_ *lone, p *peer) { p.ack += 2; p.send(wire.ACK, "") }, 5 * time.Second, 1},
	} {
		l, k, p := in(t, isEstablished, "")
		l.ok(k.Set(l.now, rawtcp.Linger, 5))
		_, err := k.Write(l.now, []byte("last"))
		l.ok(err)
		p.take(wire.ACK)
		p.ack -= 4
		told := 0
		k.OnChange(func() { told++ })
		if err := k.Close(l.now); !errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Fatalf("%s: %v", c.what, err)
		}
		if err := k.Close(l.now); !errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Fatalf("%s, asked again: %v", c.what, err)
		}
		told = 0
		c.then(l, p)
		if c.after > 0 {
			l.pass(c.after - 1)
			if err := k.Close(l.now); !errors.Is(err, rawtcp.ErrWouldBlock) {
				t.Errorf("%s, too early: %v", c.what, err)
			}
			told = 0
			l.pass(1)
		}
		if told == 0 {
			t.Errorf("%s: not told", c.what)
		}
		if err := k.Close(l.now); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if err := k.Close(l.now); !errors.Is(err, rawtcp.ErrClosed) {
			t.Errorf("%s, once more: %v", c.what, err)
		}
		if n := len(l.Netstat(l.now)); n != c.rows {
			t.Errorf("%s: %+v", c.what, l.Netstat(l.now))
		}
		if _, ok := l.NextDeadline(); ok && c.what == "drained" {
			t.Errorf("%s: the linger time still runs", c.what)
		}
	}
}

// A close that need not wait does not: nothing is outstanding but the FIN of a
// connection that never was, or that is over.
func TestLingerAtOnce(t *testing.T) {
	for _, s := range []situation{isNew, isBound, isListening, isSynSent, isFinWait2, isTimeWait, isOver, isRefused, isReset} {
		l, k, _ := in(t, s, "")
		l.ok(k.Set(l.now, rawtcp.Linger, 5))
		if err := k.Close(l.now); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// The linger time is over when it is, whether Advance has been called or not.
func TestLingerTime(t *testing.T) {
	l, k, _ := in(t, isLingering, "")
	if err := k.Close(10*time.Second - 1); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("too early: %v", err)
	}
	if err := k.Close(10 * time.Second); err != nil {
		t.Errorf("in time: %v", err)
	}
	if d, _ := l.NextDeadline(); d > 5*time.Second {
		t.Errorf("the FIN is sent again at %v", d)
	}
}

// Who has lingered enough can still abort.
func TestLingerAborted(t *testing.T) {
	l, k, p := in(t, isLingering, "")
	if err := k.Abort(l.now); err != nil {
		t.Error(err)
	}
	p.take(wire.RST | wire.ACK)
	if err := k.Close(l.now); !errors.Is(err, rawtcp.ErrClosed) {
		t.Error(err)
	}
	if rows := l.Netstat(l.now); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

// A connection that its user has closed is retransmitted and given up like any
// other.
func TestOrphan(t *testing.T) {
	l, k, p := in(t, isEstablished, "linux")
	_, err := k.Write(l.now, []byte("text"))
	l.ok(err)
	l.ok(k.Close(l.now))
	l.take()
	l.pass(time.Hour)
	if n := len(l.take()); n < 10 {
		t.Errorf("%d retransmissions", n)
	}
	if rows := l.Netstat(l.now); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	_ = p
}
