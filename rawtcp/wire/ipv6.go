package wire

import (
	"encoding/binary"
	"net/netip"
)

const (
	ipv6HeaderLen     = 40
	fragmentHeaderLen = 8
)

// IPv6 is an IPv6 packet, decoded (RFC 8200). The extension headers between
// the header and the upper layer are passed over, not acted on.
type IPv6 struct {
	TrafficClass uint8
	FlowLabel    uint32 // 20 bits
	HopLimit     uint8
	Src, Dst     netip.Addr

	// Protocol is what the payload is: of a packet, the upper layer; of a
	// fragment, what its fragment header says.
	Protocol Protocol
	Payload  []byte

	// Extensions are the extension headers as they came: all of a packet,
	// those before the fragment header of a fragment. NextHeader is the kind
	// of the first of them; without any, it is not looked at on encoding.
	NextHeader Protocol
	Extensions []byte

	// A fragment: one with More set or an Offset other than 0.
	More   bool
	Offset int // in bytes: a multiple of 8 up to 65528
	ID     uint32
}

// IsFragment reports whether h is not a whole datagram. One that has a
// fragment header but is whole (RFC 6946, "atomic") is none.
func (h *IPv6) IsFragment() bool { return h.More || h.Offset != 0 }

// Decode sets h to the packet in b. What follows the packet is left alone.
// With any reason but OK, h is without meaning.
func (h *IPv6) Decode(b []byte) Reason {
	if why := h.decodeHeader(b); why != OK {
		return why
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n > len(b)-ipv6HeaderLen {
		return Truncated
	}
	return h.walk(b[ipv6HeaderLen : ipv6HeaderLen+n : ipv6HeaderLen+n])
}

// decodeHeader decodes the fixed header.
func (h *IPv6) decodeHeader(b []byte) Reason {
	if len(b) < ipv6HeaderLen {
		return Truncated
	}
	if Version(b) != 6 {
		return BadVersion
	}
	word := binary.BigEndian.Uint32(b)
	h.TrafficClass = uint8(word >> 20)
	h.FlowLabel = word & 0xfffff
	h.NextHeader = Protocol(b[6])
	h.HopLimit = b[7]
	h.Src = netip.AddrFrom16([16]byte(b[8:24]))
	h.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	return OK
}

// walk finds the payload in b, all that follows the fixed header.
func (h *IPv6) walk(b []byte) Reason {
	h.More, h.Offset, h.ID = false, 0, 0
	next, rest := h.NextHeader, b
	for {
		var n int // length of this extension header
		switch next {
		case ProtoHopByHop, ProtoRouting, ProtoDestination:
			// "Length of the Hop-by-Hop Options header in 8-octet units, not
			// including the first 8 octets." (RFC 8200, section 4.3; the other
			// two count alike)
			if len(rest) < 8 {
				return Truncated
			}
			n = int(rest[1])*8 + 8
			if n > len(rest) {
				return Truncated
			}
		case ProtoFragment:
			if len(rest) < fragmentHeaderLen {
				return Truncated
			}
			n = fragmentHeaderLen
			field := binary.BigEndian.Uint16(rest[2:])
			if field&^6 != 0 {
				h.More = field&1 != 0
				h.Offset = int(field &^ 7)
				h.ID = binary.BigEndian.Uint32(rest[4:])
				h.Extensions = b[: len(b)-len(rest) : len(b)-len(rest)]
				h.Protocol = Protocol(rest[0])
				h.Payload = rest[fragmentHeaderLen:]
				return OK
			}
		default:
			h.Extensions = b[: len(b)-len(rest) : len(b)-len(rest)]
			h.Protocol = next
			h.Payload = rest
			return OK
		}
		// In any order, "except for the Hop-by-Hop Options header, which is
		// restricted to appear immediately after an IPv6 header only."
		// (RFC 8200, section 4.1)
		if next == ProtoHopByHop && len(rest) != len(b) {
			return ExtensionOrder
		}
		if why := checkExtension(next, rest[:n]); why != OK {
			return why
		}
		next, rest = Protocol(rest[0]), rest[n:]
	}
}

// checkExtension says whether an extension header may be passed over.
func checkExtension(kind Protocol, b []byte) Reason {
	switch kind {
	case ProtoRouting:
		// "If Segments Left is non-zero, the node must discard the packet"
		// (RFC 8200, section 4.4, of routing types it does not know).
		if b[3] != 0 {
			return SourceRouted
		}
	case ProtoHopByHop, ProtoDestination:
		return checkIPv6Options(b[2:])
	}
	return OK
}

// checkIPv6Options says whether the options in b can all be skipped. Their
// types are such that the "highest-order 2 bits specify the action that must
// be taken if the processing IPv6 node does not recognize the Option Type: 00
// - skip over this option and continue processing the header" (RFC 8200,
// section 4.2). The other three all discard the packet.
func checkIPv6Options(b []byte) Reason {
	for len(b) > 0 {
		if b[0] == 0 { // Pad1, which has no length
			b = b[1:]
			continue
		}
		if b[0]>>6 != 0 {
			return UnknownIPv6Option
		}
		if len(b) < 2 || int(b[1])+2 > len(b) {
			return OptionLength
		}
		b = b[b[1]+2:]
	}
	return OK
}

// ProtocolOffset returns the offset in the packet of the Next Header field that
// Protocol comes from.
func (h *IPv6) ProtocolOffset() int {
	if len(h.Extensions) == 0 {
		return 6
	}
	return ipv6HeaderLen + lastExtension(h.NextHeader, h.Extensions)
}

// HeaderLen returns the length in bytes of what AppendHeader appends.
func (h *IPv6) HeaderLen() int {
	n := ipv6HeaderLen + len(h.Extensions)
	if h.IsFragment() {
		n += fragmentHeaderLen
	}
	return n
}

// AppendHeader appends the headers of h for a payload of n bytes that the
// caller appends, and not that of h. Payload and extensions together must not
// be over 65535 bytes.
func (h *IPv6) AppendHeader(buf []byte, n int) []byte {
	next := h.NextHeader
	if len(h.Extensions) == 0 {
		next = h.Protocol
		if h.IsFragment() {
			next = ProtoFragment
		}
	}
	src, dst := h.Src.As16(), h.Dst.As16()
	buf = binary.BigEndian.AppendUint32(buf, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&0xfffff)
	buf = binary.BigEndian.AppendUint16(buf, uint16(h.HeaderLen()-ipv6HeaderLen+n))
	buf = append(buf, uint8(next), h.HopLimit)
	buf = append(buf, src[:]...)
	buf = append(buf, dst[:]...)
	buf = append(buf, h.Extensions...)
	if h.IsFragment() {
		field := uint16(h.Offset) &^ 7
		if h.More {
			field |= 1
		}
		buf = append(buf, uint8(h.Protocol), 0)
		buf = binary.BigEndian.AppendUint16(buf, field)
		buf = binary.BigEndian.AppendUint32(buf, h.ID)
	}
	return buf
}

// AppendTo appends the packet h: its headers and its Payload.
func (h *IPv6) AppendTo(buf []byte) []byte {
	return append(h.AppendHeader(buf, len(h.Payload)), h.Payload...)
}
