package wire

import (
	"encoding/binary"
	"net/netip"

	"sock/rawtcp/seq"
)

const tcpHeaderLen = 20

// String returns the flags as RFC 9293 names them, "SYN|ACK", or "none".
func (f Flags) String() string {
	if f == 0 {
		return "none"
	}
	names := [8]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}
	var s string
	for i, name := range names {
		if f.Has(1 << i) {
			if s != "" {
				s += "|"
			}
			s += name
		}
	}
	return s
}

// Decode sets s to the segment in b, the whole payload of an IP packet. It
// does not look at the checksum, which takes the addresses: see VerifyTCP.
//
// With OptionLength and OptionSize, s is complete but for the option that is
// at fault, and the caller may go on: "TCP implementations MUST be prepared to
// handle an illegal option length (e.g., zero); a suggested procedure is to
// reset the connection and log the error cause (MUST-7)." (RFC 9293, section
// 3.1). With any other reason but OK, s is without meaning.
func (s *Segment) Decode(b []byte) Reason {
	if len(b) < tcpHeaderLen {
		return Truncated
	}
	// "The number of 32-bit words in the TCP header. This indicates where
	// the data begins." (RFC 9293, section 3.1)
	offset := int(b[12]>>4) * 4
	if offset < tcpHeaderLen || offset > len(b) {
		return HeaderLength
	}
	s.SrcPort = binary.BigEndian.Uint16(b[0:])
	s.DstPort = binary.BigEndian.Uint16(b[2:])
	s.Seq = seq.Value(binary.BigEndian.Uint32(b[4:]))
	s.Ack = seq.Value(binary.BigEndian.Uint32(b[8:]))
	s.Flags = Flags(b[13])
	s.Window = binary.BigEndian.Uint16(b[14:])
	s.Checksum = binary.BigEndian.Uint16(b[16:])
	s.Urgent = binary.BigEndian.Uint16(b[18:])
	s.Payload = b[offset:]
	return s.Options.Decode(b[tcpHeaderLen:offset:offset])
}

// AppendTo appends s as it goes into an IP packet from src to dst. mode says
// what becomes of the checksum.
func (s *Segment) AppendTo(buf []byte, src, dst netip.Addr, mode ChecksumMode) []byte {
	start := len(buf)
	buf = append(s.appendHeader(buf), s.Payload...)
	fillChecksum(src, dst, ProtoTCP, buf[start:], 16, mode, s.Checksum)
	return buf
}

// AppendHeader appends the header of s only, for a device that adds the checksum:
// see ChecksumPseudo. The payload is to follow.
func (s *Segment) AppendHeader(buf []byte, src, dst netip.Addr) []byte {
	start := len(buf)
	buf = s.appendHeader(buf)
	binary.BigEndian.PutUint16(buf[start+16:], uint16(PseudoSum(src, dst, ProtoTCP, len(buf)-start+len(s.Payload))))
	return buf
}

func (s *Segment) appendHeader(buf []byte) []byte {
	start := len(buf)
	buf = binary.BigEndian.AppendUint16(buf, s.SrcPort)
	buf = binary.BigEndian.AppendUint16(buf, s.DstPort)
	buf = binary.BigEndian.AppendUint32(buf, uint32(s.Seq))
	buf = binary.BigEndian.AppendUint32(buf, uint32(s.Ack))
	buf = append(buf, 0, uint8(s.Flags))
	buf = binary.BigEndian.AppendUint16(buf, s.Window)
	buf = append(buf, 0, 0)
	buf = binary.BigEndian.AppendUint16(buf, s.Urgent)
	buf = s.Options.AppendTo(buf)
	buf[start+12] = uint8((len(buf) - start) / 4 << 4)
	return buf
}

// WireLen returns how many bytes AppendTo appends.
func (s *Segment) WireLen() int {
	return tcpHeaderLen + s.Options.Len() + len(s.Payload)
}
