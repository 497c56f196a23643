package rawtcp_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// plain is r without what only the Stack knows.
func plain(rows []rawtcp.Row) []rawtcp.Row {
	all := make([]rawtcp.Row, 0, len(rows))
	for _, r := range rows {
		all = append(all, rawtcp.Row{
			Local: r.Local, Remote: r.Remote, State: r.State, RecvQ: r.RecvQ, SendQ: r.SendQ,
			Completed: r.Completed, Incomplete: r.Incomplete, Room: r.Room, Timer: r.Timer, Left: r.Left, Owned: r.Owned,
		})
	}
	return all
}

// TestNetstat has all kinds of rows: newest first, as the systems of the book
// list them.
func TestNetstat(t *testing.T) {
	l := newLone(t, "rfc9293")
	want := func(what string, rows ...rawtcp.Row) {
		t.Helper()
		if got := plain(l.Netstat(l.now)); !slices.Equal(got, rows) {
			t.Errorf("%s:\n%+v\nnot\n%+v", what, got, rows)
		}
	}
	want("nothing")
	listener := l.listen(at(netip.Addr{}, 23), 4)
	listening := rawtcp.Row{Local: at(netip.IPv4Unspecified(), 23), State: tcb.Listen, Room: 4, Owned: true}
	want("a listener", listening)

	bound := l.Socket(rawtcp.IPv4)
	bound.Restrict(at(there, 9))
	l.ok(bound.Bind(l.now, at(here, 24)))
	boundRow := rawtcp.Row{Local: at(here, 24), Remote: at(there, 9), State: tcb.Closed, Owned: true}
	want("a bound socket", boundRow, listening)

	p := l.peer(at(there, 1029), at(here, 23))
	p.send(wire.SYN, "")
	p.take(wire.SYN | wire.ACK)
	l.pass(time.Millisecond)
	child := rawtcp.Row{
		Local: at(here, 23), Remote: at(there, 1029), State: tcb.SynRcvd,
		Timer: "rexmt", Left: 999 * time.Millisecond,
	}
	listening.Incomplete = 1
	want("half a child", child, boundRow, listening)

	p.send(wire.ACK, "")
	p.send(wire.ACK|wire.PSH, "abc")
	child.State, child.RecvQ, child.Owned = tcb.Established, 3, true
	child.Timer, child.Left = "delack", 100*time.Millisecond
	listening.Incomplete, listening.Completed = 0, 1
	want("a child", child, boundRow, listening)

	a, err := listener.Accept(l.now)
	l.ok(err)
	listening.Completed = 0
	want("accepted", child, boundRow, listening)
	l.pass(time.Second)
	l.take()
	child.Timer, child.Left = "", 0
	want("the ACK has gone", child, boundRow, listening)

	_, err = a.Write(l.now, []byte("hello"))
	l.ok(err)
	l.take()
	child.SendQ, child.Timer, child.Left = 5, "rexmt", time.Second
	want("unacknowledged", child, boundRow, listening)

	c := l.dial(7)
	l.take()
	dialing := rawtcp.Row{Local: c.Local(), Remote: c.Remote(), State: tcb.SynSent, Timer: "rexmt", Left: time.Second, Owned: true}
	want("a client", dialing, child, boundRow, listening)
	l.ok(c.Abort(l.now))

	// A bound socket that connects has one row, not two; when its connection
	// has ended, it is still bound.
	l.ok(bound.Connect(l.now, at(there, 9)))
	l.take()
	connecting := rawtcp.Row{Local: at(here, 24), Remote: at(there, 9), State: tcb.SynSent, Timer: "rexmt", Left: time.Second, Owned: true}
	want("bound and connecting", connecting, child, listening)
	q := l.peer(at(there, 9), at(here, 24))
	q.ack = bound.Info().SndNxt
	q.send(wire.RST|wire.ACK, "")
	want("refused", child, boundRow, listening)

	l.ok(a.Set(l.now, rawtcp.Linger, 0))
	l.ok(a.Close(l.now))
	want("reset", boundRow, listening)
}

// TestOrphans: a connection is one from the close of its user until it has ended,
// or only TIME_WAIT is left.
func TestOrphans(t *testing.T) {
	l := newLone(t, "rfc9293")
	want := func(what string, states ...tcb.State) {
		t.Helper()
		var got []tcb.State
		for in := range l.Orphans() {
			got = append(got, in.State)
		}
		slices.Sort(got)
		if !slices.Equal(got, states) {
			t.Errorf("%s: %v, not %v", what, got, states)
		}
	}
	k := l.listen(at(here, 23), 4)
	half := l.peer(at(there, 1028), at(here, 23))
	half.send(wire.SYN, "")
	half.take(wire.SYN | wire.ACK)
	p, q := l.peer(at(there, 1029), at(here, 23)), l.peer(at(there, 1030), at(here, 23))
	p.open()
	q.open()
	want("in the queue")
	a, err := k.Accept(l.now)
	l.ok(err)
	b, err := k.Accept(l.now)
	l.ok(err)
	want("accepted")
	q.send(wire.FIN|wire.ACK, "")
	q.take(wire.ACK)
	l.ok(a.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	want("closed", tcb.FinWait1)
	l.ok(b.Close(l.now))
	q.take(wire.FIN | wire.ACK)
	want("both closed", tcb.FinWait1, tcb.LastAck)
	for range l.Orphans() {
		break // when one has been found
	}
	p.send(wire.ACK, "")
	q.send(wire.ACK, "")
	want("one has ended", tcb.FinWait2)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	want("the other waits for 2 MSL")
}

// TestNetstatServer is the four steps of 18.11.1: all connections of a server
// have its port.
func TestNetstatServer(t *testing.T) {
	l := newLone(t, "bsd")
	k := l.listen(at(netip.Addr{}, 23), 5)
	for _, c := range [][2]netip.AddrPort{
		{at(there, 1029), at(here, 23)}, {at(there, 1030), at(here, 23)}, {at(netip.MustParseAddr("10.0.0.9"), 34603), at(also, 23)},
	} {
		p := l.peer(c[0], c[1])
		p.open()
		_, err := k.Accept(l.now)
		l.ok(err)
		if r := l.Netstat(l.now)[0]; r.Local != c[1] || r.Remote != c[0] || r.State != tcb.Established {
			t.Errorf("%+v", r)
		}
	}
	rows := l.Netstat(l.now)
	if len(rows) != 4 || rows[3].State != tcb.Listen {
		t.Errorf("%+v", rows)
	}
}

// TestStats: what the counters of both ends say of a conversation over a link
// that loses some.
func TestStats(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}})
	a, b := w.host("a", "rfc9293"), w.host("b", "rfc9293")
	c, s := w.pair(a, b)
	w.run(time.Second)
	if a.Stats().ActiveOpens != 1 || b.Stats().PassiveOpens != 1 || b.Stats().Accepts != 1 {
		t.Errorf("%+v %+v", a.Stats(), b.Stats())
	}
	if a.Stats().SegmentsOut != 2 || b.Stats().SegmentsIn != 2 || b.Stats().SegmentsOut != 1 || a.Stats().SegmentsIn != 1 {
		t.Errorf("%+v %+v", a.Stats(), b.Stats())
	}
	for _, rule := range []string{"drop the 1st data from a", "drop the 4th data from a"} {
		if err := w.net.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Write(w.now, []byte("lost"))
	w.ok(err)
	w.run(2 * time.Second)
	if st := a.Stats(); st.Timeouts != 1 || st.Retransmits != 1 || st.FastRetransmits != 0 {
		t.Errorf("a timeout: %+v", st)
	}
	if st := b.Stats(); st.DelayedACKs != 1 {
		t.Errorf("a delayed ACK: %+v", st)
	}
	_, err = c.Write(w.now, make([]byte, 20_000))
	w.ok(err)
	w.run(2 * time.Second)
	if st := a.Stats(); st.Timeouts != 1 || st.FastRetransmits != 1 || st.Retransmits != 2 {
		t.Errorf("a fast retransmission: %+v\n%s", st, w.trace())
	}
	if _, err := w.readAll(s); err != nil {
		t.Error(err)
	}

	w.ok(s.Set(w.now, rawtcp.RecvBuf, 1000))
	w.run(time.Second)
	for range 4 {
		_, err = c.Write(w.now, make([]byte, 400_000))
		w.ok(err)
		w.run(10 * time.Second)
	}
	if st := a.Stats(); st.WindowProbes == 0 {
		t.Errorf("a window probe: %+v", st)
	}
	for s.CanRead() {
		if _, err := w.readAll(s); err != nil {
			t.Fatal(err)
		}
		w.run(time.Second)
	}
	w.ok(c.Set(w.now, rawtcp.KeepIdle, 1_000_000))
	w.ok(c.Set(w.now, rawtcp.KeepAlive, 1))
	w.run(90 * time.Second)
	w.ok(c.Set(w.now, rawtcp.KeepAlive, 0))
	if st := a.Stats(); st.KeepaliveProbes == 0 {
		t.Errorf("a keepalive probe: %+v", st)
	}
	before := b.Stats()
	b.Receive(w.now, packet(c.Local(), c.Remote(), wire.Segment{Seq: c.Info().SndNxt + 1, Flags: wire.RST}))
	if st := b.Stats(); st.ChallengeACKs != 1 || st.Dropped != before.Dropped+1 {
		t.Errorf("a challenge: %+v", st)
	}
	w.ok(s.Abort(w.now))
	if st := b.Stats(); st.ResetsOut != 1 {
		t.Errorf("a reset: %+v", st)
	}
	w.run(time.Second)
	// Two were dropped on their way, and one was made by hand.
	if a.Stats().SegmentsOut != b.Stats().SegmentsIn+2-1 || b.Stats().SegmentsOut != a.Stats().SegmentsIn {
		t.Errorf("%+v %+v", a.Stats(), b.Stats())
	}
}
