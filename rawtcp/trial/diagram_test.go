package trial_test

import (
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// fig18-12: each arrow of the state diagram is taken, by what the figure has
// beside it. Only LISTEN to SYN_SENT cannot be: "This transition is legal but
// not supported in Berkeley-derived systems", nor by the sockets API.
func TestFig18_12(t *testing.T) {
	taken := map[arrow]bool{}
	// take makes an experiment and notes the arrows.
	take := func(delay time.Duration, f func(l *lab, a, b *host)) {
		t.Helper()
		l := newLab(t, delay)
		f(l, l.add("bsdi"), l.add("sun"))
		l.rest()
		for _, path := range l.states {
			for i := 0; i < len(path); i += 2 {
				taken[arrow{stateOf(path[i]), stateOf(path[i+1])}] = true
			}
		}
	}
	far := 107 * ms
	// 1, 2, 3, 6, 7, 11, 12, 13, 14, 15, 18 and 20: an ordinary connection.
	take(transit, func(l *lab, a, b *host) {
		c, s := l.connection(a, b, discard)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.ok(s.Close(l.now))
	})
	// 5: a RST in SYN_RCVD.
	take(transit, func(l *lab, a, b *host) {
		l.listen(b, discard)
		l.inject(a.at(2000), b.at(discard), wire.SYN, 100, 0, "")
	})
	// 8, 16 and 19: open and close at once.
	both := func(l *lab, a, b *host) (j, k *rawtcp.Socket) {
		j, k = l.bound(a, anyAddr(1)), l.bound(b, anyAddr(2))
		l.ok(j.Connect(l.now, b.at(2)))
		l.ok(k.Connect(l.now, a.at(1)))
		return j, k
	}
	take(far, func(l *lab, a, b *host) {
		j, k := both(l, a, b)
		l.run(time.Second)
		l.ok(j.Close(l.now))
		l.ok(k.Close(l.now))
	})
	// 10: close in SYN_RCVD.
	take(far, func(l *lab, a, b *host) {
		j, _ := both(l, a, b)
		l.run(150 * ms)
		l.ok(j.Close(l.now))
	})
	// 9: close in SYN_SENT.
	take(far, func(l *lab, a, b *host) {
		c := l.dial(a, b, discard)
		l.run(ms)
		l.ok(c.Close(l.now))
	})
	// 17: the FIN has the ACK of ours.
	take(far, func(l *lab, a, b *host) {
		c, s := l.connection(a, b, discard)
		l.rule("drop the 1st pure ACK from sun")
		l.ok(c.Close(l.now))
		l.run(far)
		l.ok(s.Close(l.now))
	})

	for n, a := range []arrow{
		{tcb.Closed, tcb.Listen},
		{tcb.Closed, tcb.SynSent},
		{tcb.Listen, tcb.SynRcvd},
		{tcb.Listen, tcb.SynSent},
		{tcb.SynRcvd, tcb.Listen},
		{tcb.SynRcvd, tcb.Established},
		{tcb.SynSent, tcb.Established},
		{tcb.SynSent, tcb.SynRcvd},
		{tcb.SynSent, tcb.Closed},
		{tcb.SynRcvd, tcb.FinWait1},
		{tcb.Established, tcb.FinWait1},
		{tcb.Established, tcb.CloseWait},
		{tcb.CloseWait, tcb.LastAck},
		{tcb.LastAck, tcb.Closed},
		{tcb.FinWait1, tcb.FinWait2},
		{tcb.FinWait1, tcb.Closing},
		{tcb.FinWait1, tcb.TimeWait},
		{tcb.FinWait2, tcb.TimeWait},
		{tcb.Closing, tcb.TimeWait},
		{tcb.TimeWait, tcb.Closed},
	} {
		if possible := n+1 != 4; taken[a] != possible {
			t.Errorf("%d: %v to %v: %t", n+1, a.from, a.to, taken[a])
		}
	}
	l := newLab(t, transit)
	k := l.listen(l.add("bsdi"), discard)
	l.wantErr(k.Connect(l.now, addrPort("140.252.13.33:9")), rawtcp.ErrInvalid)
}
