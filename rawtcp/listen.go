package rawtcp

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// backlog is the queue of a listening socket, "which contains both the
// connections that TCP has accepted (the three-way handshake is complete) but
// not yet by the application", and those whose handshake is under way.
type backlog struct {
	room       int // how many connections both together may be
	incomplete []*conn
	complete   []*conn // oldest first
}

func (b *backlog) full() bool { return len(b.incomplete)+len(b.complete) >= b.room }

// listener returns the socket that a segment is for that begins a connection:
// among those that listen on the port, the one that says most about the two
// ends. "TCP always tries to find the most specific match" (Fig 18-22); a
// socket that names the foreign end goes first, which the sockets API cannot do
// and RFC 9293 can.
func (s *Stack) listener(local netip.Addr, lport uint16, remote netip.Addr, rport uint16) *Socket {
	var best *Socket
	most := -1
	for _, k := range s.bound[lport] {
		if k.queue == nil || k.family.of(local) != k.family || k.only.IsValid() && k.only.Addr() != remote ||
			k.only.Port() != 0 && k.only.Port() != rport {
			continue
		}
		score := 0
		if k.only.IsValid() {
			score += 4
		}
		if k.only.Port() != 0 {
			score += 2
		}
		switch a := k.local.Addr(); {
		case a == local:
			score++
		case !a.IsUnspecified():
			continue
		}
		if score > most {
			best, most = k, score
		}
	}
	return best
}

// receiveListen takes in a segment for a listening socket.
func (s *Stack) receiveListen(now time.Duration, k *Socket, src, dst netip.Addr) {
	seg := &s.in
	switch {
	case seg.Flags.Has(wire.RST):
		s.drop(now, tcb.ResetToListen)
	case seg.Flags.Has(wire.ACK) && s.prof.SYNCookies && !seg.Flags.Has(wire.SYN):
		s.receiveCookie(now, k, src, dst)
	case seg.Flags.Has(wire.ACK):
		s.refuseACK(now, src, dst)
	case !seg.Flags.Has(wire.SYN):
		s.drop(now, tcb.NotSYN)
	case s.queueFull(now, k, src, dst):
	default:
		s.use(now)
		p := pair{dst.As16(), src.As16(), seg.DstPort, seg.SrcPort}
		s.accept(now, k, src, dst, s.isn.Next(now, p.bytes()))
	}
}

// refuseACK answers an ACK for a listening socket: "An acceptable reset segment
// should be formed for any arriving ACK-bearing segment." (RFC 9293, 3.10.7.2)
func (s *Stack) refuseACK(now time.Duration, src, dst netip.Addr) {
	tcb.Refuse(&s.in, &s.out) // it is no RST
	s.reset(now, dst, src, tcb.RuleAckToListen)
	s.drop(now, tcb.AckToListen)
}

// queueFull deals with a SYN that the queue has no room for: "TCP just ignores
// the received SYN and nothing is sent back (no RST segment)", so the client
// tries again (section 18.11). A profile may answer with a RST, or a cookie.
func (s *Stack) queueFull(now time.Duration, k *Socket, src, dst netip.Addr) bool {
	q := k.queue
	if !q.full() {
		return false
	}
	s.stats.Overflows++
	switch {
	case s.prof.SYNCookies && len(q.complete) < q.room:
		s.sendCookie(now, k, src, dst)
		return true
	case s.prof.OverflowReset:
		s.refuse(now, dst, src)
	}
	s.drop(now, QueueFull)
	return true
}

// accept begins a connection with the SYN that has come in, and the initial
// sequence number iss.
func (s *Stack) accept(now time.Duration, k *Socket, src, dst netip.Addr, iss seq.Value) {
	if c := s.child(now, k, src, dst, iss, true); c != nil {
		s.enqueue(k, c)
		s.settle(now, c)
	}
}

func (s *Stack) enqueue(k *Socket, c *conn) {
	s.stats.PassiveOpens++
	c.parent = k
	k.queue.incomplete = append(k.queue.incomplete, c)
}

// child makes the connection of a SYN that has come in for k, and has it in the
// table if it is to be kept. It returns nil if there is no way back, or the SYN
// is no good.
func (s *Stack) child(now time.Duration, k *Socket, src, dst netip.Addr, iss seq.Value, keep bool) *conn {
	local, remote := netip.AddrPortFrom(dst, s.in.DstPort), netip.AddrPortFrom(src, s.in.SrcPort)
	path, err := s.ip.Path(src)
	if err != nil {
		s.stats.SendErrors++
		return nil
	}
	c := s.newConn(local, remote, path, k)
	if keep {
		s.enter(c)
	}
	_ = c.tcb.OpenPassive(now, iss) // it is new
	s.input(now, c)
	if c.tcb.State() == tcb.Listen {
		s.leave(c) // it does not like the SYN
		return nil
	}
	return c
}

// reuse begins a new incarnation of a connection that was in TIME_WAIT.
func (s *Stack) reuse(now time.Duration, w *tcb.TimeWaiter, src, dst netip.Addr) {
	k := s.listener(dst, s.in.DstPort, src, s.in.SrcPort)
	if k == nil {
		s.refuse(now, dst, src)
		return
	}
	if s.queueFull(now, k, src, dst) {
		return
	}
	p := pair{dst.As16(), src.As16(), s.in.DstPort, s.in.SrcPort}
	s.accept(now, k, src, dst, s.reuseISS(now, &p, w))
}

// reuseISS returns the initial sequence number of a new incarnation: by the
// rule of the profile, or else any that is newer than those of the old one.
func (s *Stack) reuseISS(now time.Duration, p *pair, w *tcb.TimeWaiter) seq.Value {
	iss, ok := w.ReuseISS()
	if ok {
		return iss
	}
	if iss = s.isn.Next(now, p.bytes()); iss.LessEq(w.SndNxt()) {
		iss = w.SndNxt().Add(1)
	}
	return iss
}

// settleChild moves a connection between the queues of its parent.
func (s *Stack) settleChild(c *conn, state tcb.State) {
	k := c.parent
	q := k.queue
	switch {
	case c.completed:
	case state == tcb.Listen || state == tcb.Closed:
		// A RST, or silence, has ended the handshake: "The user need not be
		// informed." (RFC 9293, 3.10.7.4)
		q.incomplete = remove(q.incomplete, c)
		c.parent = nil
		s.leave(c)
	case state >= tcb.Established:
		q.incomplete = remove(q.incomplete, c)
		q.complete = append(q.complete, c)
		c.completed = true
		k.changed()
	}
}

// take takes a connection out of the queue for accept.
func (b *backlog) take(lifo bool) *conn {
	n := len(b.complete)
	if n == 0 {
		return nil
	}
	i := 0
	if lifo {
		i = n - 1
	}
	c := b.complete[i]
	b.complete = slices.Delete(b.complete, i, i+1)
	c.parent, c.completed = nil, false
	return c
}

// endListen resets what is in the queue: the user will never accept it.
func (s *Stack) endListen(now time.Duration, k *Socket) {
	q := k.queue
	k.queue = nil
	p := pairOf(k.local, netip.AddrPortFrom(k.family.any(), 0))
	s.stateEvent(now, &p, tcb.Listen, tcb.Closed, "close")
	for _, c := range slices.Concat(q.complete, q.incomplete) {
		c.parent = nil
		_ = c.tcb.Abort(now) // it may have ended
		s.settle(now, c)
	}
}

func remove(cs []*conn, c *conn) []*conn {
	i := slices.Index(cs, c)
	return slices.Delete(cs, i, i+1)
}
