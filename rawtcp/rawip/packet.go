package rawip

import (
	"encoding/binary"
	"net/netip"

	"sock/rawtcp/wire"
)

// header6 is the length of an IPv6 header.
const header6 = 40

// headed returns whether a packet has an IPv4 header, or else one of IPv6; ok is
// false if neither, with the ports of a segment behind it.
func headed(packet []byte) (is4, ok bool) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return true, int(packet[0]&15)*4+4 <= len(packet)
	case len(packet) >= header6+4 && packet[0]>>4 == 6:
		return false, true
	}
	return false, false
}

// sourcePort returns where a segment comes from, and destinationPort where it
// goes to.
func sourcePort(is4 bool, packet []byte) uint16 {
	return binary.BigEndian.Uint16(segment(is4, packet))
}

func destinationPort(is4 bool, packet []byte) uint16 {
	return binary.BigEndian.Uint16(segment(is4, packet)[2:])
}

func segment(is4 bool, packet []byte) []byte {
	if is4 {
		return packet[int(packet[0]&15)*4:]
	}
	return packet[header6:]
}

func source(is4 bool, packet []byte) netip.Addr {
	if is4 {
		return netip.AddrFrom4([4]byte(packet[12:16]))
	}
	return netip.AddrFrom16([16]byte(packet[8:24]))
}

func destination(is4 bool, packet []byte) netip.Addr {
	if is4 {
		return netip.AddrFrom4([4]byte(packet[16:20]))
	}
	return netip.AddrFrom16([16]byte(packet[24:40]))
}

// unreachable returns the ICMP error that says that a packet was too big.
func unreachable(is4 bool, quote []byte, mtu int) []byte {
	from := source(is4, quote)
	if is4 {
		m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.FragmentationNeeded, Rest: uint32(mtu), Body: quote}
		h := wire.IPv4{TTL: 1, Protocol: wire.ProtoICMP, Src: from, Dst: from}
		return m.AppendTo(h.AppendHeader(nil, icmpHeader+len(quote)))
	}
	m := wire.ICMPv6{Type: wire.ICMPv6PacketTooBig, Rest: uint32(mtu), Body: quote}
	h := wire.IPv6{HopLimit: 1, Protocol: wire.ProtoICMPv6, Src: from, Dst: from}
	return m.AppendTo(h.AppendHeader(nil, icmpHeader+len(quote)), from, from, wire.ChecksumFull)
}

// icmpHeader is the length of the header of an ICMP message.
const icmpHeader = 8
