package wire

import (
	"encoding/binary"
	"net/netip"

	"sock/rawtcp/seq"
)

// Quote is what an ICMP or ICMPv6 error quotes of the packet it is about: its
// header, and the beginning of what followed. Src sent it.
type Quote struct {
	Src, Dst netip.Addr
	Protocol Protocol
	HopLimit uint8 // TTL, when it was refused
	Offset   int   // of a fragment, in bytes
	Length   int   // of the packet, in bytes, as its header says
	Data     []byte
}

// Ports returns the ports of a TCP or UDP packet. It reports false for any
// other, for a fragment that is not the first, and if too little is quoted.
func (q *Quote) Ports() (src, dst uint16, ok bool) {
	if q.Protocol != ProtoTCP && q.Protocol != ProtoUDP || q.Offset != 0 || len(q.Data) < 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(q.Data), binary.BigEndian.Uint16(q.Data[2:]), true
}

// Seq returns the sequence number of a TCP packet, which the 64 bits of data
// that every error quotes hold. With it a connection can tell whether the
// packet was its own: many "check that the TCP sequence number contained in
// the payload of the ICMP error message is within the range SND.UNA =< SEG.SEQ
// < SND.NXT" (RFC 5927, section 4.1).
func (q *Quote) Seq() (seq.Value, bool) {
	if q.Protocol != ProtoTCP || q.Offset != 0 || len(q.Data) < 8 {
		return 0, false
	}
	return seq.Value(binary.BigEndian.Uint32(q.Data[4:])), true
}
