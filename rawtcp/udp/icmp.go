package udp

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// pathMTU is what ICMP has said of the way to a destination.
type pathMTU struct {
	mtu   int
	df    bool // it still pays to forbid fragments
	until time.Duration
}

const (
	// pathAge is how long a path MTU is believed: "The recommended value for
	// this timer is 10 minutes" (RFC 1191, section 6.3).
	pathAge = 10 * time.Minute
	// maxPaths is of how many destinations it is kept.
	maxPaths = 1024
)

// told4 takes in an ICMP error, and reports whether it was about UDP.
func (s *Stack) told4(now time.Duration, m *wire.ICMPv4) bool {
	q, why := m.Quoted()
	if why != wire.OK || q.Protocol != wire.ProtoUDP {
		return false
	}
	if m.Type != wire.ICMPv4Unreachable {
		// Of a source quench or a TTL that was used up nobody is told.
		return true
	}
	switch m.Code {
	case wire.PortUnreachable, wire.ProtocolUnreachable:
		s.fail(&q, tcb.ErrRefused)
	case wire.FragmentationNeeded:
		s.shorten4(now, &q, m.MTU())
	case wire.NetUnreachable:
		s.fail(&q, rawtcp.ErrNetUnreachable)
	default:
		s.fail(&q, rawtcp.ErrHostUnreachable)
	}
	return true
}

// told6 takes in an ICMPv6 error, and reports whether it was about UDP.
func (s *Stack) told6(now time.Duration, m *wire.ICMPv6) bool {
	q, why := m.Quoted()
	if why != wire.OK || q.Protocol != wire.ProtoUDP {
		return false
	}
	switch m.Type {
	case wire.ICMPv6PacketTooBig:
		// "a node [...] MUST discard" one that tells of less than the least MTU
		// of IPv6 (RFC 8201, section 4).
		if m.MTU() >= 1280 {
			s.shorten(now, &q, pathMTU{mtu: m.MTU()})
		}
	case wire.ICMPv6Unreachable:
		switch m.Code {
		case wire.PortUnreachableIPv6:
			s.fail(&q, tcb.ErrRefused)
		case wire.NoRoute:
			s.fail(&q, rawtcp.ErrNetUnreachable)
		default:
			s.fail(&q, rawtcp.ErrHostUnreachable)
		}
	}
	return true
}

// fail gives an error to the socket that sent what is quoted, if it is connected:
// any other could not tell to whom it had sent that.
func (s *Stack) fail(q *wire.Quote, err error) {
	sport, dport, ok := q.Ports()
	if !ok {
		return
	}
	local, remote := netip.AddrPortFrom(q.Src, sport), netip.AddrPortFrom(q.Dst, dport)
	for _, k := range s.bound {
		if k.local == local && k.remote == remote {
			k.err = err
			k.changed()
		}
	}
}

// shorten4 takes in how long an IPv4 packet may be. A router older than RFC 1191
// says 0, and "the simplest thing for a host to do in response to such a message
// is to assume that the PMTU is the minimum of its currently-assumed PMTU and 576,
// and to stop setting the DF bit" (section 5).
func (s *Stack) shorten4(now time.Duration, q *wire.Quote, mtu int) {
	if mtu < 68 {
		s.shorten(now, q, pathMTU{mtu: 576})
		return
	}
	s.shorten(now, q, pathMTU{mtu: mtu, df: true})
}

// shorten takes in what is known of the way that a datagram went, if a socket of
// this host can have sent it.
func (s *Stack) shorten(now time.Duration, q *wire.Quote, p pathMTU) {
	sport, _, ok := q.Ports()
	ours := func(k *Socket) bool { return k.local.Port() == sport && k.isIPv4() == q.Src.Is4() }
	if !ok || !s.ip.Has(q.Src) || !slices.ContainsFunc(s.bound, ours) {
		return
	}
	if old, ok := s.known(now, q.Dst); ok && old.mtu <= p.mtu {
		return
	}
	if len(s.paths) >= maxPaths {
		clear(s.paths)
	}
	p.until = now + pathAge
	s.paths[q.Dst] = p
}

// known returns what ICMP has said of the way to dst lately.
func (s *Stack) known(now time.Duration, dst netip.Addr) (pathMTU, bool) {
	p, ok := s.paths[dst]
	if ok && p.until <= now {
		delete(s.paths, dst)
		return pathMTU{}, false
	}
	return p, ok
}

// mtu returns how long a packet to dst may be.
func (s *Stack) mtu(now time.Duration, path link.Path, dst netip.Addr) int {
	if p, ok := s.known(now, dst); ok {
		return min(path.MTU, p.mtu)
	}
	return path.MTU
}
