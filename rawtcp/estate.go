package rawtcp

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
)

// Estate is what a host still has to remember when the process that did its TCP
// has ended: which connections are in TIME_WAIT, and how to go on choosing
// numbers that are newer than those used before.
//
// Who has it can answer for the host in the meantime, and give it back to the
// next process. A host that has lost it has booted anew, and should keep quiet:
// "Hosts that for any reason lose knowledge of the last sequence numbers
// transmitted on each active (i.e., not closed) connection shall delay emitting
// any TCP segments for at least the agreed MSL" (RFC 9293, section 3.4.3).
type Estate struct {
	Secret [16]byte      // of initial sequence numbers and of timestamps
	Age    time.Duration // of the host, since it was booted
	Opened uint32        // connections that have got an initial sequence number
	Port   uint16        // the ephemeral port given last

	// Profile is how whoever answers for the host does so. Of it an encoding has
	// but what counts in TIME_WAIT: the MSL, the ticks of the clocks, RFC 1337
	// and 5961, which SYN may begin a new connection, and the TTL and TOS.
	Profile *profile.Profile

	Waits []TimeWait // the one that is over first comes first
}

// TimeWait is a connection in TIME_WAIT.
type TimeWait struct {
	Local, Remote netip.AddrPort
	// The socket had SO_REUSEADDR, SO_REUSEPORT.
	ReuseAddr, ReusePort bool
	tcb.Remains
}

// Estate returns what would be left if the process ended now. It shares nothing
// with the Stack but the Profile.
func (s *Stack) Estate(now time.Duration) *Estate {
	e := &Estate{
		Secret: s.secret, Age: now - s.boot, Opened: s.isn.Used, Port: s.port,
		Profile: s.prof, Waits: make([]TimeWait, 0, len(s.waits.by)),
	}
	add := func(w *tcb.TimeWaiter, p *pair, addr, port bool) {
		if w.Deadline > now {
			local, remote := p.sockets()
			e.Waits = append(e.Waits, TimeWait{local, remote, addr, port, w.Remains(now)})
		}
	}
	for w := range s.waits.all {
		add(&w.TimeWaiter, &w.pair, w.reuseAddr, w.reusePort)
	}
	for _, c := range s.conns {
		// Its user has not closed it, and never will.
		if c.tcb.State() == tcb.TimeWait {
			w := c.tcb.TimeWaiter()
			add(&w, &c.pair, c.reuseAddr, c.reusePort)
		}
	}
	slices.SortFunc(e.Waits, func(a, b TimeWait) int {
		return cmp.Or(cmp.Compare(a.Left, b.Left), a.Remote.Compare(b.Remote))
	})
	return e
}

// Inherit makes the host the one that has left e, so that its clocks go on, and
// what was in TIME_WAIT is so again, by the rules of this Stack. That is to be
// done before anything else. Connections of addresses that the host has not, or
// of a port that somebody else has by now, are forgotten.
func (s *Stack) Inherit(now time.Duration, e *Estate) {
	s.boot, s.bootOnUse = now-e.Age, false
	s.quietUntil = s.boot + s.prof.QuietTime
	s.secret, s.port = e.Secret, e.Port
	s.isn = tcb.NewISNSource(s.prof.ISN, s.boot, s.secret)
	s.isn.Used = e.Opened
	for i := range e.Waits {
		s.inherit(now, &e.Waits[i])
	}
}

func (s *Stack) inherit(now time.Duration, t *TimeWait) {
	p := pairOf(t.Local, t.Remote)
	local := t.Local.Addr()
	if t.Left <= 0 || !s.ip.Has(local) || s.conns[p] != nil || s.waits.get(&p) != nil ||
		s.takePort(local, p.lport, t.ReuseAddr) != nil {
		return
	}
	s.held.add(p.lport, 1)
	s.waits.add(&waiter{
		TimeWaiter: tcb.NewTimeWaiter(now, s.cfg, p.lport, p.rport, t.Remains), pair: p, id: uint32(s.nextID),
		reuseAddr: t.ReuseAddr, reusePort: t.ReusePort,
	})
	s.nextID++
	s.stateEvent(now, &p, tcb.Closed, tcb.TimeWait, "left by the process before")
}

// InTimeWait reports whether the host has a connection between two sockets that
// is in TIME_WAIT, and that no user has.
func (s *Stack) InTimeWait(local, remote netip.AddrPort) bool {
	p := pairOf(local, remote)
	return s.waits.get(&p) != nil
}

// Waiting returns how many connections are in TIME_WAIT that no user has, and
// how long it is until the last of them is over.
func (s *Stack) Waiting(now time.Duration) (n int, left time.Duration) {
	for w := range s.waits.all {
		n++
		left = w.Deadline - now
	}
	return n, left
}
