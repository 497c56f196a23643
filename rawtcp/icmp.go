package rawtcp

import (
	"errors"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// What ICMP tells, as sockets report it.
var (
	ErrHostUnreachable = errors.New("no route to host")       // EHOSTUNREACH
	ErrNetUnreachable  = errors.New("network is unreachable") // ENETUNREACH
	ErrProtoOption     = errors.New("protocol not available") // ENOPROTOOPT
)

func (s *Stack) receiveICMP4(now time.Duration, h *wire.IPv4) {
	var m wire.ICMPv4
	if why := m.Decode(h.Payload); why != wire.OK {
		s.drop(now, why)
		return
	}
	if !m.IsError() {
		s.drop(now, StrayICMP)
		return
	}
	q, why := m.Quoted()
	if why != wire.OK {
		s.drop(now, why)
		return
	}
	switch m.Type {
	case wire.ICMPv4Unreachable:
		switch m.Code {
		case wire.FragmentationNeeded:
			s.tooBig(now, &q, m.MTU())
		case wire.ProtocolUnreachable, wire.PortUnreachable:
			// "Destination Unreachable -- codes 2-4: These are hard error
			// conditions" (RFC 9293, section 3.9.2.2).
			s.icmpError(now, &q, true, tcb.ErrRefused)
		case wire.HostUnreachable, wire.HostUnknown, wire.HostProhibited, wire.HostUnreachableForTOS,
			wire.CommunicationProhibited:
			s.icmpError(now, &q, s.ip.Has(h.Src), ErrHostUnreachable)
		default:
			s.icmpError(now, &q, false, ErrNetUnreachable)
		}
	case wire.ICMPv4TimeExceeded:
		s.icmpError(now, &q, false, ErrHostUnreachable)
	case wire.ICMPv4ParameterProblem:
		s.icmpError(now, &q, false, ErrProtoOption)
	default:
		// "A TCP implementation MUST silently discard any received ICMP
		// Source Quench messages" (MUST-55); redirects are for IP.
		s.drop(now, StrayICMP)
	}
}

func (s *Stack) receiveICMP6(now time.Duration, h *wire.IPv6) {
	if wire.VerifyICMPv6(h.Src, h.Dst, h.Payload) != wire.ChecksumGood {
		s.drop(now, wire.BadChecksum) // no device makes these
		return
	}
	var m wire.ICMPv6
	if why := m.Decode(h.Payload); why != wire.OK {
		s.drop(now, why)
		return
	}
	if !m.IsError() {
		s.drop(now, StrayICMP)
		return
	}
	q, why := m.Quoted()
	if why != wire.OK {
		s.drop(now, why)
		return
	}
	switch m.Type {
	case wire.ICMPv6PacketTooBig:
		// "If a node receives a Packet Too Big message reporting a next-hop
		// MTU that is less than the IPv6 minimum link MTU, it MUST discard
		// it." (RFC 8201, section 4)
		if m.MTU() < 1280 {
			s.drop(now, StrayICMP)
			return
		}
		s.tooBig(now, &q, m.MTU())
	case wire.ICMPv6Unreachable:
		switch m.Code {
		case wire.PortUnreachableIPv6:
			s.icmpError(now, &q, true, tcb.ErrRefused)
		case wire.NoRoute:
			s.icmpError(now, &q, false, ErrNetUnreachable)
		default:
			s.icmpError(now, &q, s.ip.Has(h.Src), ErrHostUnreachable)
		}
	case wire.ICMPv6TimeExceeded:
		s.icmpError(now, &q, false, ErrHostUnreachable)
	default:
		s.icmpError(now, &q, false, ErrProtoOption)
	}
}

// quoted returns the connection that an error is about.
func (s *Stack) quoted(now time.Duration, q *wire.Quote) *conn {
	lport, rport, ok := q.Ports()
	if ok && q.Protocol == wire.ProtoTCP {
		if c := s.conns[pair{q.Src.As16(), q.Dst.As16(), lport, rport}]; c != nil {
			return c
		}
	}
	s.drop(now, StrayICMP)
	return nil
}

// icmpError takes in an error that is hard, or soft: "these Unreachable messages
// indicate soft error conditions" (RFC 9293, section 3.9.2.2) because a route may
// be mended on the way, of which this host knows nothing. It is not so with what
// the host tells itself: its own link has asked, again and again, and no neighbor
// has answered. That ends a connection which is opening, as in Linux.
func (s *Stack) icmpError(now time.Duration, q *wire.Quote, hard bool, err error) {
	c := s.quoted(now, q)
	if c == nil {
		return
	}
	if at, ok := q.Seq(); !ok || !c.tcb.ICMPError(now, at, hard, err) {
		s.drop(now, StrayICMP)
		return
	}
	s.stats.ICMPErrors++
	s.settle(now, c)
}

// tooBig takes in that the path takes packets of mtu bytes at most; 0 if the
// router does not say, and then it is the next of the plateaus of RFC 1191.
func (s *Stack) tooBig(now time.Duration, q *wire.Quote, mtu int) {
	c := s.quoted(now, q)
	if c == nil {
		return
	}
	if mtu == 0 {
		mtu = plateau(q.Length)
	}
	if at, ok := q.Seq(); !ok || !c.tcb.PacketTooBig(now, at, mtu) {
		s.drop(now, StrayICMP)
		return
	}
	s.stats.ICMPErrors++
	s.settle(now, c)
}

// plateau returns the largest of the common MTUs that is less than n (RFC 1191,
// table 7-1).
func plateau(n int) int {
	for _, m := range [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296} {
		if m < n {
			return m
		}
	}
	return 68
}
