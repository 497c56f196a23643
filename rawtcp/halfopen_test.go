package rawtcp_test

import (
	"errors"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// A RST ends a handshake; the listener goes on and takes the next client
// ("state-5": a SYN from an address that does not answer, then the RST of the
// host that has it).
func TestHalfOpenReset(t *testing.T) {
	for _, name := range profile.Names() {
		l := newLone(t, name)
		k := l.listen(at(here, 80), 1)
		told := 0
		k.OnChange(func() { told++ })
		p := l.peer(at(there, 2000), at(here, 80))
		p.send(wire.SYN, "")
		p.take(wire.SYN | wire.ACK)
		p.send(wire.RST, "")
		l.quiet("a RST")
		if rows := l.Netstat(l.now); len(rows) != 1 || rows[0].State != tcb.Listen || rows[0].Incomplete != 0 {
			t.Errorf("%s: %+v", name, rows)
		}
		if _, ok := l.NextDeadline(); ok {
			t.Errorf("%s: a timer is left", name)
		}
		if _, err := k.Accept(l.now); !errors.Is(err, rawtcp.ErrWouldBlock) || told != 0 {
			t.Errorf("%s: the user has heard of it: %v, %d", name, err, told)
		}
		p.open()
		if _, err := k.Accept(l.now); err != nil || told != 1 {
			t.Errorf("%s: the next client: %v, told %d times", name, err, told)
		}
	}
}

// A SYN in the window takes a half-open connection back to LISTEN too, and an
// ICMP error does.
func TestHalfOpenEnds(t *testing.T) {
	for what, end := range map[string]func(*lone, *peer, sent){
		"a SYN in the window": func(_ *lone, p *peer, _ sent) { p.seq++; p.send(wire.SYN, "") },
		"port unreachable": func(l *lone, _ *peer, synack sent) {
			l.icmp(wire.ICMPv4Unreachable, wire.PortUnreachable, 0, synack.packet)
		},
	} {
		l := newLone(t, "")
		l.listen(at(here, 80), 5)
		p := l.peer(at(there, 2000), at(here, 80))
		p.send(wire.SYN, "")
		synack := l.one()
		end(l, p, synack)
		if rows := l.Netstat(l.now); len(rows) != 1 || rows[0].Incomplete != 0 {
			t.Errorf("%s: %+v", what, rows)
		}
		l.quiet(what)
	}
}

// A client that says no more is forgotten, after the SYN+ACKs that the profile
// sends; then there is room again.
func TestHalfOpenTimeout(t *testing.T) {
	for name, want := range map[string]struct {
		synacks int
		after   time.Duration
	}{
		"bsd":     {3, 75 * time.Second},
		"sunos":   {4, 75 * time.Second},
		"rfc9293": {8, 180 * time.Second},
	} {
		l := newLone(t, name)
		l.listen(at(here, 80), 1)
		p := l.peer(at(there, 2000), at(here, 80))
		p.send(wire.SYN, "")
		l.pass(want.after - time.Second)
		if r := l.Netstat(l.now); len(r) != 2 {
			t.Errorf("%s: %d rows too early", name, len(r))
		}
		l.pass(2 * time.Second)
		if r := l.Netstat(l.now); len(r) != 1 || r[0].Incomplete != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		out := l.take()
		synacks := 0
		for _, s := range out {
			if s.Flags == wire.SYN|wire.ACK && s.Seq == out[0].Seq {
				synacks++
			}
		}
		if synacks != want.synacks {
			t.Errorf("%s: %d SYN+ACKs, not %d", name, synacks, want.synacks)
		}
		if _, ok := l.NextDeadline(); ok {
			t.Errorf("%s: a timer is left", name)
		}
	}
}

// Who closes a listener resets all that is in its queue: nobody will accept it.
func TestCloseListener(t *testing.T) {
	for what, end := range map[string]func(*lone, *rawtcp.Socket) error{
		"close": func(l *lone, k *rawtcp.Socket) error { return k.Close(l.now) },
		"abort": func(l *lone, k *rawtcp.Socket) error { return k.Abort(l.now) },
		"linger 0": func(l *lone, k *rawtcp.Socket) error {
			l.ok(k.Set(l.now, rawtcp.Linger, 0))
			return k.Close(l.now)
		},
	} {
		l := newLone(t, "")
		k := l.listen(at(here, 80), 5)
		mine, minePeer := l.accepts(k, 1999)
		done := l.peer(at(there, 2000), at(here, 80))
		done.open()
		done.send(wire.ACK|wire.PSH, "unread")
		gone := l.peer(at(there, 2001), at(here, 80))
		gone.open()
		gone.send(wire.RST, "")
		half := l.peer(at(there, 2002), at(here, 80))
		half.send(wire.SYN, "")
		l.take()
		if err := end(l, k); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		out := l.take()
		if len(out) != 2 || out[0].Flags != wire.RST|wire.ACK || out[0].dst.Port() != 2000 ||
			out[1].Flags != wire.RST|wire.ACK || out[1].dst.Port() != 2002 {
			t.Errorf("%s: sent %+v", what, out)
		}
		if r := l.Netstat(l.now); len(r) != 1 || r[0].Remote.Port() != 1999 {
			t.Errorf("%s: %+v", what, r)
		}
		// The one that was accepted goes on, the port has no listener.
		minePeer.send(wire.ACK|wire.PSH, "hello")
		var b [8]byte
		if n, err := mine.Read(l.now, b[:]); n != 5 || err != nil {
			t.Errorf("%s: %d %v", what, n, err)
		}
		late := l.peer(at(there, 2003), at(here, 80))
		late.send(wire.SYN, "")
		late.take(wire.RST | wire.ACK)
		if _, err := k.Accept(l.now); !errors.Is(err, rawtcp.ErrClosed) {
			t.Errorf("%s: accept: %v", what, err)
		}
		for _, err := range []error{k.Close(l.now), k.Abort(l.now), k.Listen(l.now, 1)} {
			if !errors.Is(err, rawtcp.ErrClosed) {
				t.Errorf("%s: a second time: %v", what, err)
			}
		}
	}
}

// What a listening socket does with each kind of segment that is no SYN.
func TestSegmentsToListener(t *testing.T) {
	for _, c := range []struct {
		flags wire.Flags
		want  wire.Flags // of the answer; 0 is none
		why   tcb.Reason
	}{
		{wire.RST, 0, tcb.ResetToListen},
		{wire.RST | wire.ACK, 0, tcb.ResetToListen},
		{wire.RST | wire.SYN, 0, tcb.ResetToListen},
		{wire.ACK, wire.RST, tcb.AckToListen},
		{wire.SYN | wire.ACK, wire.RST, tcb.AckToListen},
		{wire.FIN | wire.ACK, wire.RST, tcb.AckToListen},
		{wire.FIN, 0, tcb.NotSYN},
		{wire.PSH, 0, tcb.NotSYN},
		{0, 0, tcb.NotSYN},
		{wire.SYN | wire.FIN, 0, tcb.SYNWithFIN},
	} {
		for _, cookies := range []string{"yes", "no"} {
			l := newLone(t, "linux", "syn-cookies="+cookies)
			l.listen(at(here, 80), 5)
			p := l.peer(at(there, 2000), at(here, 80))
			p.ack = 77
			p.send(c.flags, "")
			if c.want == 0 {
				l.quiet(c.flags.String())
			} else if s := l.one(); s.Flags != c.want || s.Seq != 77 || s.why != tcb.RuleAckToListen.String() {
				t.Errorf("%v: answered by %+v", c.flags, s)
			}
			if l.dropped() != c.why.String() || l.Stats().Dropped != 1 {
				t.Errorf("%v: dropped as %q, %d", c.flags, l.dropped(), l.Stats().Dropped)
			}
			if len(l.Netstat(l.now)) != 1 || l.Stats().PassiveOpens != 0 {
				t.Errorf("%v: %+v", c.flags, l.Netstat(l.now))
			}
		}
	}
}
