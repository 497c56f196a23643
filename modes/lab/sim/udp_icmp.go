package sim

import (
	"net/netip"

	"sock/rawtcp/wire"
)

// pathMTU is what ICMP has said of the way to a destination.
type pathMTU struct {
	mtu int
	df  bool // it still pays to forbid fragments
}

// told4 takes in an ICMP error, and reports whether it was about UDP.
func (u *udp) told4(m *wire.ICMPv4) bool {
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
		u.fail(&q, eCONNREFUSED)
	case wire.FragmentationNeeded:
		u.shorten(q.Dst, m.MTU())
	case wire.NetUnreachable:
		u.fail(&q, eNETUNREACH)
	default:
		u.fail(&q, eHOSTUNREACH)
	}
	return true
}

// told6 takes in an ICMPv6 error, and reports whether it was about UDP.
func (u *udp) told6(m *wire.ICMPv6) bool {
	q, why := m.Quoted()
	if why != wire.OK || q.Protocol != wire.ProtoUDP {
		return false
	}
	if m.Type != wire.ICMPv6Unreachable {
		return true
	}
	switch m.Code {
	case wire.PortUnreachableIPv6:
		u.fail(&q, eCONNREFUSED)
	case wire.NoRoute:
		u.fail(&q, eNETUNREACH)
	default:
		u.fail(&q, eHOSTUNREACH)
	}
	return true
}

// fail gives an error to the socket that sent what is quoted, if it is
// connected: any other could not tell to whom it had sent that.
func (u *udp) fail(q *wire.Quote, err errno) {
	sport, dport, ok := q.Ports()
	if !ok {
		return
	}
	local, remote := netip.AddrPortFrom(q.Src, sport), netip.AddrPortFrom(q.Dst, dport)
	for _, s := range u.bound {
		if s.local == local && s.remote == remote {
			s.err = err
			s.signal()
		}
	}
}

// shorten takes in how long a packet to dst may be. A router older than RFC
// 1191 says 0, and "the simplest thing for a host to do in response to such a
// message is to assume that the PMTU is the minimum of its currently-assumed
// PMTU and 576, and to stop setting the DF bit" (section 5).
func (u *udp) shorten(dst netip.Addr, mtu int) {
	p := pathMTU{mtu, true}
	if mtu < 68 {
		p = pathMTU{576, false}
	}
	if old, ok := u.paths[dst]; !ok || p.mtu < old.mtu {
		u.paths[dst] = p
	}
}
