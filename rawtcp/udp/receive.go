package udp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Receive takes in a packet that has arrived for this host, whole: a datagram, or
// an ICMP error about one. It reports whether it was that; if not, it has done
// nothing. It must not be called from within a call of the IP's.
func (s *Stack) Receive(now time.Duration, packet []byte) bool {
	switch wire.Version(packet) {
	case 4:
		var ip wire.IPv4
		if ip.Decode(packet) != wire.OK || ip.IsFragment() {
			return false
		}
		switch ip.Protocol {
		case wire.ProtoUDP:
			s.receive(now, packet, ip.Src, ip.Dst, ip.Payload)
			return true
		case wire.ProtoICMP:
			var m wire.ICMPv4
			return m.Decode(ip.Payload) == wire.OK && m.IsError() && s.told4(now, &m)
		}
	case 6:
		var ip wire.IPv6
		if ip.Decode(packet) != wire.OK || ip.IsFragment() {
			return false
		}
		switch ip.Protocol {
		case wire.ProtoUDP:
			s.receive(now, packet, ip.Src, ip.Dst, ip.Payload)
			return true
		case wire.ProtoICMPv6:
			var m wire.ICMPv6
			return m.Decode(ip.Payload) == wire.OK && m.IsError() &&
				wire.VerifyICMPv6(ip.Src, ip.Dst, ip.Payload) == wire.ChecksumGood && s.told6(now, &m)
		}
	}
	return false
}

// receive hands a datagram to whom it is for. Where more than one socket would do,
// the one that is most exactly for it gets it, and of equals the newest; a
// broadcast or multicast goes to all.
func (s *Stack) receive(now time.Duration, packet []byte, src, dst netip.Addr, payload []byte) {
	var d wire.UDP
	if why := d.Decode(payload); why != wire.OK {
		s.bad(now, packet, why)
		return
	}
	switch wire.VerifyUDP(src, dst, payload) {
	case wire.ChecksumBad:
		s.bad(now, packet, BadChecksum)
		return
	case wire.ChecksumOffloaded:
		if !s.ip.Checksums().Offloaded {
			s.bad(now, packet, BadChecksum)
			return
		}
	}
	s.stats.Received++
	m := message{
		from: netip.AddrPortFrom(src, d.SrcPort),
		to:   dst,
		data: slices.Clone(d.Payload),
	}
	local := netip.AddrPortFrom(dst, d.DstPort)
	if dst.IsMulticast() || s.ip.IsBroadcast(dst) {
		s.deliverToAll(now, packet, local, m)
		return
	}
	var best *Socket
	least := 0
	for _, k := range s.bound {
		if n, ok := k.matches(local, m.from); ok && (best == nil || n < least) {
			best, least = k, n
		}
	}
	if best == nil {
		// "If a datagram arrives addressed to a UDP port for which there is no
		// pending LISTEN call, UDP SHOULD send an ICMP Port Unreachable message."
		// (RFC 1122, section 4.1.3.1)
		s.ip.Complain(now, packet, link.PortUnreachable())
		s.noPort(now, packet)
		return
	}
	s.deliver(now, packet, best, m)
}

func (s *Stack) deliverToAll(now time.Duration, packet []byte, local netip.AddrPort, m message) {
	found := false
	for _, k := range s.bound {
		if _, ok := k.matches(local, m.from); ok {
			found = true
			s.deliver(now, packet, k, m)
		}
	}
	if !found {
		s.noPort(now, packet)
	}
}

func (s *Stack) deliver(now time.Duration, packet []byte, k *Socket, m message) {
	if !k.take(m) {
		s.stats.Full++
		k.dropped++
		s.drop(now, packet, BufferFull)
	}
}

func (s *Stack) noPort(now time.Duration, packet []byte) {
	s.stats.NoPort++
	s.drop(now, packet, NoPort)
}

func (s *Stack) bad(now time.Duration, packet []byte, why fmt.Stringer) {
	s.stats.Bad++
	s.drop(now, packet, why)
}
