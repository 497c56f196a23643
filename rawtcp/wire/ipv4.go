package wire

import (
	"encoding/binary"
	"net/netip"
)

const ipv4HeaderLen = 20

// IPv4 is an IPv4 packet, decoded (RFC 791, section 3.1). A fragment is one
// with More set or an Offset other than 0.
type IPv4 struct {
	TOS      uint8
	ID       uint16
	Reserved bool // the bit that "must be zero"
	DF       bool // don't fragment
	More     bool // more fragments follow
	Offset   int  // of the payload in its datagram, in bytes: a multiple of 8 up to 65528
	TTL      uint8
	Protocol Protocol
	Checksum uint16 // as received; computed on the way out
	Src, Dst netip.Addr
	Options  []byte // with their padding; at most 40 bytes go out
	Payload  []byte
}

// IsFragment reports whether h is not a whole datagram.
func (h *IPv4) IsFragment() bool { return h.More || h.Offset != 0 }

// Decode sets h to the packet in b. What follows the packet, such as the
// padding of a short Ethernet frame, is left alone. With BadChecksum, h is
// complete all the same; with any other reason but OK, it is without meaning.
func (h *IPv4) Decode(b []byte) Reason {
	header, why := h.decodeHeader(b)
	if why != OK {
		return why
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total < header {
		return BadLength
	}
	if total > len(b) {
		return Truncated
	}
	h.Payload = b[header:total:total]
	if SumOf(b[:header]) != 0xffff {
		return BadChecksum
	}
	return OK
}

// decodeHeader decodes all but the payload and returns the header's length.
func (h *IPv4) decodeHeader(b []byte) (int, Reason) {
	if len(b) < ipv4HeaderLen {
		return 0, Truncated
	}
	if Version(b) != 4 {
		return 0, BadVersion
	}
	header := int(b[0]&0x0f) * 4
	if header < ipv4HeaderLen || header > len(b) {
		return 0, HeaderLength
	}
	h.TOS = b[1]
	h.ID = binary.BigEndian.Uint16(b[4:])
	fragment := binary.BigEndian.Uint16(b[6:])
	h.Reserved = fragment&0x8000 != 0
	h.DF = fragment&0x4000 != 0
	h.More = fragment&0x2000 != 0
	h.Offset = int(fragment&0x1fff) * 8
	h.TTL = b[8]
	h.Protocol = Protocol(b[9])
	h.Checksum = binary.BigEndian.Uint16(b[10:])
	h.Src = netip.AddrFrom4([4]byte(b[12:16]))
	h.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	h.Options = b[ipv4HeaderLen:header:header]
	return header, OK
}

// HeaderLen returns the length of the header of h in bytes, 20 to 60.
func (h *IPv4) HeaderLen() int {
	return ipv4HeaderLen + (min(len(h.Options), MaxOptionLen)+3)/4*4
}

// AppendHeader appends the header of h for a payload of n bytes that the
// caller appends, and not that of h. Header and payload together must not be
// over 65535 bytes.
func (h *IPv4) AppendHeader(buf []byte, n int) []byte {
	start, header := len(buf), h.HeaderLen()
	fragment := uint16(h.Offset / 8 & 0x1fff)
	if h.Reserved {
		fragment |= 0x8000
	}
	if h.DF {
		fragment |= 0x4000
	}
	if h.More {
		fragment |= 0x2000
	}
	src, dst := as4(h.Src), as4(h.Dst)
	buf = append(buf, 4<<4|uint8(header/4), h.TOS)
	buf = binary.BigEndian.AppendUint16(buf, uint16(header+n))
	buf = binary.BigEndian.AppendUint16(buf, h.ID)
	buf = binary.BigEndian.AppendUint16(buf, fragment)
	buf = append(buf, h.TTL, uint8(h.Protocol), 0, 0)
	buf = append(buf, src[:]...)
	buf = append(buf, dst[:]...)
	buf = append(buf, h.Options[:min(len(h.Options), MaxOptionLen)]...)
	buf = pad(buf, start)
	binary.BigEndian.PutUint16(buf[start+10:], SumOf(buf[start:]).Checksum())
	return buf
}

// AppendTo appends the packet h: its header and its Payload.
func (h *IPv4) AppendTo(buf []byte) []byte {
	return append(h.AppendHeader(buf, len(h.Payload)), h.Payload...)
}

// as4 returns the bytes of a, or 0.0.0.0 if a is not an IPv4 address.
func as4(a netip.Addr) (b [4]byte) {
	if a = a.Unmap(); a.Is4() {
		b = a.As4()
	}
	return b
}
