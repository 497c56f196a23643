package wire

import "sock/rawtcp/seq"

// Flags are the control bits of a TCP header (RFC 9293, section 3.1).
type Flags uint8

// The control bits, from the least significant up.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has reports whether every bit of f2 is set in f.
func (f Flags) Has(f2 Flags) bool { return f&f2 == f2 }

// Any reports whether some bit of f2 is set in f.
func (f Flags) Any(f2 Flags) bool { return f&f2 != 0 }

// Segment is one TCP segment, decoded. Its numbers are in host order.
type Segment struct {
	SrcPort, DstPort uint16
	Seq, Ack         seq.Value
	Flags            Flags
	Window           uint16 // as on the wire: not scaled
	Checksum         uint16 // as received; computed on the way out
	Urgent           uint16 // as on the wire: an offset from Seq
	Options          Options
	Payload          []byte // aliases the packet it was decoded from
}

// Len is the room the segment takes in the sequence space: its data, and one
// each for SYN and FIN.
func (s *Segment) Len() seq.Size {
	n := seq.Size(len(s.Payload))
	if s.Flags.Has(SYN) {
		n++
	}
	if s.Flags.Has(FIN) {
		n++
	}
	return n
}

// Options are the TCP options of one segment. Those that the machine acts on
// have fields of their own; every other one is carried in Other as it came.
type Options struct {
	MSS           uint16 // with HasMSS: 0 is a value a peer may send
	HasMSS        bool
	WindowScale   uint8 // shift count, with HasScale
	HasScale      bool
	SACKPermitted bool
	HasTimestamps bool
	TSVal, TSEcr  uint32
	SACKLen       uint8 // how many of SACK are in use
	SACK          [4]SACKBlock
	Other         []RawOption

	// Layout is the order in which they go out; "" is LayoutModern.
	Layout Layout
	// Raw is the option part of the header as it came, padding included; it
	// aliases the packet. If it is not nil, it goes out just so, and the
	// fields above are not looked at: who changes them sets it to nil.
	Raw []byte
}

// SACKBlock is one block of RFC 2018: the data from Left up to, not
// including, Right has arrived.
type SACKBlock struct{ Left, Right seq.Value }

// RawOption is an option that is carried and shown but not acted on. One byte
// options, EOL and NOP, have no place among the Other of Options.
type RawOption struct {
	Kind uint8
	Data []byte // without the kind and length bytes; aliases the packet
}
