package wire

import (
	"encoding/binary"
	"net/netip"
)

// The types of neighbor discovery that hosts need (RFC 4861, section 4).
const (
	ICMPv6NeighborSolicitation  ICMPv6Type = 135
	ICMPv6NeighborAdvertisement ICMPv6Type = 136
)

// The flags in the second word of an advertisement.
const (
	neighborRouter    uint32 = 1 << 31
	neighborSolicited uint32 = 1 << 30
	neighborOverride  uint32 = 1 << 29
)

// The options with a link-layer address, which is 8 bytes long on Ethernet
// (RFC 2464, section 6).
const (
	optionSourceMAC = 1
	optionTargetMAC = 2
	optionMACLen    = 8
)

// Neighbor is a neighbor solicitation or advertisement, decoded.
type Neighbor struct {
	Type   ICMPv6Type
	Target netip.Addr // whose Ethernet address is asked for or told
	// MAC is that of the sender in a solicitation, and that of the target in
	// an advertisement, if HasMAC is set.
	MAC    MAC
	HasMAC bool

	// Of an advertisement.
	Router    bool // the sender is one
	Solicited bool // it answers a solicitation
	Override  bool // MAC is to replace another that is known
}

// Decode sets n to the message in b, the payload of an IPv6 packet with the
// given addresses and hop limit. What it checks is in RFC 4861, sections 7.1.1
// and 7.1.2; a message of another type has BadType.
func (n *Neighbor) Decode(b []byte, src, dst netip.Addr, hopLimit uint8) Reason {
	var m ICMPv6
	if why := m.Decode(b); why != OK {
		return why
	}
	if m.Type != ICMPv6NeighborSolicitation && m.Type != ICMPv6NeighborAdvertisement {
		return BadType
	}
	if hopLimit != 255 {
		// "i.e., the packet could not possibly have been forwarded by a
		// router"
		return Forwarded
	}
	if VerifyICMPv6(src, dst, b) == ChecksumBad {
		return BadChecksum
	}
	if len(m.Body) < 16 {
		return Truncated
	}
	*n = Neighbor{Type: m.Type, Target: netip.AddrFrom16([16]byte(m.Body))}
	kind := uint8(optionSourceMAC)
	if m.Type == ICMPv6NeighborAdvertisement {
		kind = optionTargetMAC
		n.Router, n.Solicited, n.Override = m.Rest&neighborRouter != 0, m.Rest&neighborSolicited != 0, m.Rest&neighborOverride != 0
	}
	if m.Code != 0 || n.Target.IsMulticast() {
		return BadNeighbor
	}
	for o := m.Body[16:]; len(o) > 0; {
		// "All included options have a length that is greater than zero."
		if len(o) < 8 || o[1] == 0 || int(o[1])*8 > len(o) {
			return OptionLength
		}
		if o[0] == kind && int(o[1])*8 == optionMACLen {
			n.MAC, n.HasMAC = MAC(o[2:8]), true
		}
		o = o[int(o[1])*8:]
	}
	// "If the IP source address is the unspecified address, the IP
	// destination address is a solicited-node multicast address", and "there
	// is no source link-layer address option in the message".
	if n.Type == ICMPv6NeighborSolicitation && src.IsUnspecified() && (n.HasMAC || dst != SolicitedNode(n.Target)) {
		return BadNeighbor
	}
	return OK
}

// AppendTo appends n as it goes into an IPv6 packet from src to dst, whose hop
// limit is to be 255.
func (n *Neighbor) AppendTo(buf []byte, src, dst netip.Addr) []byte {
	m := ICMPv6{Type: n.Type}
	kind := byte(optionSourceMAC)
	if n.Type == ICMPv6NeighborAdvertisement {
		kind = optionTargetMAC
		for _, f := range [...]struct {
			on  bool
			bit uint32
		}{{n.Router, neighborRouter}, {n.Solicited, neighborSolicited}, {n.Override, neighborOverride}} {
			if f.on {
				m.Rest |= f.bit
			}
		}
	}
	var body [16 + optionMACLen]byte
	target := n.Target.As16()
	m.Body = append(body[:0], target[:]...)
	if n.HasMAC {
		m.Body = append(m.Body, kind, optionMACLen/8)
		m.Body = append(m.Body, n.MAC[:]...)
	}
	return m.AppendTo(buf, src, dst, ChecksumFull)
}

// SolicitedNode returns the group that a host with the IPv6 address a listens
// to: "formed by taking the low-order 24 bits of an address (unicast or anycast)
// and appending those bits to the prefix FF02:0:0:0:0:1:FF00::/104" (RFC 4291,
// section 2.7.1).
func SolicitedNode(a netip.Addr) netip.Addr {
	g := [16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff}
	b := a.As16()
	copy(g[13:], b[13:])
	return netip.AddrFrom16(g)
}

// MulticastMAC is the Ethernet address of a group: "placing the low-order
// 23-bits of the IP address into the low-order 23 bits of the Ethernet
// multicast address 01-00-5E-00-00-00" (RFC 1112, section 6.4), or the low 32
// of an IPv6 group behind 33-33 (RFC 2464, section 7).
func MulticastMAC(a netip.Addr) MAC {
	if a.Is4() {
		b := a.As4()
		return MAC{1, 0, 0x5e, b[1] & 0x7f, b[2], b[3]}
	}
	b := a.As16()
	return MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// EtherType says what an Ethernet frame carries.
type EtherType uint16

// The types that hosts need.
const (
	EtherIPv4 EtherType = 0x0800
	EtherARP  EtherType = 0x0806
	EtherIPv6 EtherType = 0x86dd
)

// EtherLen is the length in bytes of an Ethernet header.
const EtherLen = 14

// AppendEther appends an Ethernet header.
func AppendEther(buf []byte, dst, src MAC, t EtherType) []byte {
	buf = append(buf, dst[:]...)
	buf = append(buf, src[:]...)
	return binary.BigEndian.AppendUint16(buf, uint16(t))
}
