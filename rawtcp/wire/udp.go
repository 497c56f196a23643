package wire

import (
	"encoding/binary"
	"net/netip"
)

const udpHeaderLen = 8

// UDP is a UDP datagram, decoded (RFC 768).
type UDP struct {
	SrcPort, DstPort uint16
	Checksum         uint16 // as received; computed on the way out
	Payload          []byte
}

// Decode sets u to the datagram in b, the whole payload of an IP packet. It
// does not look at the checksum, which takes the addresses: see VerifyUDP.
func (u *UDP) Decode(b []byte) Reason {
	if len(b) < udpHeaderLen {
		return Truncated
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < udpHeaderLen {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	u.SrcPort = binary.BigEndian.Uint16(b[0:])
	u.DstPort = binary.BigEndian.Uint16(b[2:])
	u.Checksum = binary.BigEndian.Uint16(b[6:])
	u.Payload = b[udpHeaderLen:n:n]
	return OK
}

// AppendTo appends u as it goes into an IP packet from src to dst. mode says
// what becomes of the checksum; ChecksumKeep with a Checksum of 0 sends none.
// The Payload must not be over 65527 bytes.
func (u *UDP) AppendTo(buf []byte, src, dst netip.Addr, mode ChecksumMode) []byte {
	start := len(buf)
	buf = binary.BigEndian.AppendUint16(buf, u.SrcPort)
	buf = binary.BigEndian.AppendUint16(buf, u.DstPort)
	buf = binary.BigEndian.AppendUint16(buf, uint16(udpHeaderLen+len(u.Payload)))
	buf = append(buf, 0, 0)
	buf = append(buf, u.Payload...)
	fillChecksum(src, dst, ProtoUDP, buf[start:], 6, mode, u.Checksum)
	return buf
}
