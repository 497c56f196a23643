package rawtcp

import (
	"fmt"
	"net/netip"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Receive takes in an IP packet that has arrived for this host. It must not be
// called from within a call of the link's Send.
func (s *Stack) Receive(now time.Duration, packet []byte) {
	s.packet = packet
	if wire.Version(packet) == 6 {
		s.receive6(now, packet)
	} else {
		s.receive4(now, packet)
	}
	s.packet = nil
}

func (s *Stack) receive4(now time.Duration, packet []byte) {
	h := &s.in4
	if why := h.Decode(packet); why != wire.OK {
		s.drop(now, why)
		return
	}
	switch {
	case h.IsFragment():
		s.drop(now, Fragment)
	case h.Protocol == wire.ProtoTCP:
		s.receiveTCP(now, h.Src, h.Dst, h.Payload)
	case h.Protocol == wire.ProtoICMP:
		s.receiveICMP4(now, h)
	default:
		s.drop(now, OtherProto)
	}
}

func (s *Stack) receive6(now time.Duration, packet []byte) {
	h := &s.in6
	if why := h.Decode(packet); why != wire.OK {
		s.drop(now, why)
		return
	}
	switch {
	case h.Src.Is4In6() || h.Dst.Is4In6():
		s.drop(now, Mapped)
	case h.IsFragment():
		s.drop(now, Fragment)
	case h.Protocol == wire.ProtoTCP:
		s.receiveTCP(now, h.Src, h.Dst, h.Payload)
	case h.Protocol == wire.ProtoICMPv6:
		s.receiveICMP6(now, h)
	default:
		s.drop(now, OtherProto)
	}
}

// receiveTCP finds out whom a segment is for.
func (s *Stack) receiveTCP(now time.Duration, src, dst netip.Addr, b []byte) {
	s.stats.SegmentsIn++
	whole := s.ip.Checksums().Offloaded && wire.OffloadedTCP(src, dst, b) || wire.VerifyTCP(src, dst, b) == wire.ChecksumGood
	if !whole {
		s.stats.BadChecksums++
		s.drop(now, BadChecksum)
		return
	}
	seg := &s.in
	switch why := seg.Decode(b); why {
	case wire.OK, wire.OptionLength, wire.OptionSize:
		// A segment with a bad option is used without it.
	default:
		s.stats.BadHeaders++
		s.drop(now, why)
		return
	}
	p := pair{dst.As16(), src.As16(), seg.DstPort, seg.SrcPort}
	if c := s.conns[p]; c != nil {
		switch {
		case c.opening:
			s.drop(now, QuietTime)
		case s.isUsurped(now, c, src, dst):
			s.reinstate(now, c, src, dst)
		case s.input(now, c) == tcb.NewIncarnation:
			s.newIncarnation(now, c, src, dst)
		default:
			s.settle(now, c)
		}
		return
	}
	if w := s.waits.get(&p); w != nil {
		s.receiveWaiting(now, w, src, dst)
		return
	}
	// "A TCP implementation MUST silently discard an incoming SYN segment that
	// is addressed to a broadcast or multicast address (MUST-57)", and one
	// "with an invalid source address" (RFC 9293, section 3.9.2.3).
	if !s.unicast(dst) || !s.unicast(src) {
		s.drop(now, NotUnicast)
		return
	}
	s.receiveNew(now, src, dst)
}

func (s *Stack) unicast(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && !s.ip.IsBroadcast(a)
}

// receiveNew takes in a segment that belongs to no connection.
func (s *Stack) receiveNew(now time.Duration, src, dst netip.Addr) {
	if now < s.quietUntil {
		// "the TCP specification is that a TCP endpoint keeps quiet for an
		// MSL" after it came up (RFC 9293, section 3.4.3).
		s.drop(now, QuietTime)
		return
	}
	if k := s.listener(dst, s.in.DstPort, src, s.in.SrcPort); k != nil {
		s.receiveListen(now, k, src, dst)
		return
	}
	s.refuse(now, dst, src)
}

// receiveWaiting takes in a segment for a connection in TIME_WAIT.
func (s *Stack) receiveWaiting(now time.Duration, w *waiter, src, dst netip.Addr) {
	ends := w.Deadline
	why, answer, over := w.Input(now, &s.in, &s.out)
	switch {
	case why == tcb.NewIncarnation:
		s.forget(w)
		s.stateEvent(now, &w.pair, tcb.TimeWait, tcb.Closed, "a SYN may begin a new incarnation")
		s.reuse(now, &w.TimeWaiter, src, dst)
		return
	case answer:
		s.send(now, dst, src, s.prof.TTL, s.prof.TOS, &s.out, tcb.RuleTimeWait)
	}
	if w.Deadline != ends {
		s.waits.restarted(w)
	}
	if over {
		s.forget(w)
		s.stateEvent(now, &w.pair, tcb.TimeWait, tcb.Closed, "receive RST")
	}
	if why != tcb.OK {
		s.drop(now, why)
	}
}

// newIncarnation lets a SYN take the place of a connection in TIME_WAIT whose
// user has not closed it yet: "it MAY accept a new SYN from the remote TCP
// endpoint to reopen the connection directly from TIME-WAIT state" (RFC 9293,
// section 3.6.1). What has arrived can still be read.
func (s *Stack) newIncarnation(now time.Duration, c *conn, src, dst netip.Addr) {
	w := c.tcb.TimeWaiter()
	s.leave(c)
	s.stateEvent(now, &c.pair, tcb.TimeWait, tcb.Closed, "a SYN may begin a new incarnation")
	if c.sock != nil {
		c.sock.changed()
	}
	s.reuse(now, &w, src, dst)
}

// input gives the segment that has come in to a connection.
func (s *Stack) input(now time.Duration, c *conn) tcb.Reason {
	why := c.tcb.Input(now, &s.in)
	if why != tcb.OK && why != tcb.NewIncarnation {
		s.stats.Dropped++ // the machine has told of it
	}
	return why
}

// drop tells that the packet that is being received goes no further.
func (s *Stack) drop(now time.Duration, why fmt.Stringer) {
	s.stats.Dropped++
	s.dropEvent(now, why)
}
