package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// ICMPv6Type is the type of an ICMPv6 message. Below 128 it is an error.
type ICMPv6Type uint8

// The types of RFC 4443.
const (
	ICMPv6Unreachable      ICMPv6Type = 1
	ICMPv6PacketTooBig     ICMPv6Type = 2
	ICMPv6TimeExceeded     ICMPv6Type = 3
	ICMPv6ParameterProblem ICMPv6Type = 4
	ICMPv6Echo             ICMPv6Type = 128
	ICMPv6EchoReply        ICMPv6Type = 129
)

// The codes of ICMPv6Unreachable. The one for a port has the number 4, not
// that of IPv4.
const (
	NoRoute             uint8 = 0
	AdminProhibited     uint8 = 1
	BeyondScope         uint8 = 2 // of the source address
	AddressUnreachable  uint8 = 3
	PortUnreachableIPv6 uint8 = 4
	PolicyFailed        uint8 = 5 // of the source address, ingress or egress
	RejectRoute         uint8 = 6
)

// The codes of ICMPv6ParameterProblem.
const (
	ErroneousHeader  uint8 = 0
	UnknownNext      uint8 = 1 // next header
	UnknownOption    uint8 = 2
	IncompleteHeader uint8 = 3 // in a first fragment: RFC 7112
)

// ICMPv6 is an ICMPv6 message, decoded (RFC 4443).
type ICMPv6 struct {
	Type     ICMPv6Type
	Code     uint8
	Checksum uint16 // as received; computed on the way out
	// Rest is the second word of the header: what it says goes by the type.
	// See ID, Seq, MTU, and Pointer.
	Rest uint32
	Body []byte // what an echo carries, or what an error quotes
}

// Decode sets m to the message in b, the whole payload of an IPv6 packet. It
// does not look at the checksum, which takes the addresses: see VerifyICMPv6.
func (m *ICMPv6) Decode(b []byte) Reason {
	if len(b) < icmpHeaderLen {
		return Truncated
	}
	m.Type, m.Code = ICMPv6Type(b[0]), b[1]
	m.Checksum = binary.BigEndian.Uint16(b[2:])
	m.Rest = binary.BigEndian.Uint32(b[4:])
	m.Body = b[icmpHeaderLen:]
	return OK
}

// AppendTo appends m as it goes into an IPv6 packet from src to dst. mode
// says what becomes of the checksum.
func (m *ICMPv6) AppendTo(buf []byte, src, dst netip.Addr, mode ChecksumMode) []byte {
	start := len(buf)
	buf = append(buf, uint8(m.Type), m.Code, 0, 0)
	buf = binary.BigEndian.AppendUint32(buf, m.Rest)
	buf = append(buf, m.Body...)
	fillChecksum(src, dst, ProtoICMPv6, buf[start:], 2, mode, m.Checksum)
	return buf
}

// ID is the identifier of an echo or of its reply.
func (m *ICMPv6) ID() uint16 { return uint16(m.Rest >> 16) }

// Seq is the sequence number of an echo or of its reply.
func (m *ICMPv6) Seq() uint16 { return uint16(m.Rest) }

// MTU is the next-hop MTU, in bytes, of a packet too big.
func (m *ICMPv6) MTU() int { return int(m.Rest) }

// Pointer is the offset in the quoted packet of what a parameter problem
// complains of. It may lie beyond what is quoted.
func (m *ICMPv6) Pointer() int { return int(m.Rest) }

// IsError reports whether m tells of an error, and so quotes a packet.
func (m *ICMPv6) IsError() bool { return m.Type < 128 }

// Quoted decodes the packet that the error m quotes.
func (m *ICMPv6) Quoted() (Quote, Reason) {
	var h IPv6
	if why := h.decodeHeader(m.Body); why != OK {
		return Quote{}, why
	}
	length := ipv6HeaderLen + int(binary.BigEndian.Uint16(m.Body[4:]))
	if why := h.walk(m.Body[ipv6HeaderLen:min(length, len(m.Body))]); why != OK {
		return Quote{}, why
	}
	return Quote{
		Src: h.Src, Dst: h.Dst, Protocol: h.Protocol, HopLimit: h.HopLimit, Offset: h.Offset,
		Length: length,
		Data:   h.Payload,
	}, OK
}

// QuoteIPv6 returns what an error quotes of packet: "As much of invoking
// packet as possible without the ICMPv6 packet exceeding the minimum IPv6
// MTU" of 1280 bytes (RFC 4443, section 3).
func QuoteIPv6(packet []byte) []byte {
	return packet[:min(len(packet), 1280-ipv6HeaderLen-icmpHeaderLen)]
}

// String returns what m says, in a few words: "echo request", "port
// unreachable", "packet too big, mtu 1280".
func (m *ICMPv6) String() string {
	switch m.Type {
	case ICMPv6Unreachable:
		switch m.Code {
		case NoRoute:
			return "no route"
		case AdminProhibited:
			return "administratively prohibited"
		case BeyondScope:
			return "beyond scope of source address"
		case AddressUnreachable:
			return "address unreachable"
		case PortUnreachableIPv6:
			return "port unreachable"
		case PolicyFailed:
			return "source address failed policy"
		case RejectRoute:
			return "reject route"
		}
		return fmt.Sprintf("unreachable, code %d", m.Code)
	case ICMPv6PacketTooBig:
		return fmt.Sprintf("packet too big, mtu %d", m.MTU())
	case ICMPv6TimeExceeded:
		return exceededName(m.Code)
	case ICMPv6ParameterProblem:
		switch m.Code {
		case ErroneousHeader:
			return fmt.Sprintf("parameter problem at %d: erroneous header", m.Pointer())
		case UnknownNext:
			return fmt.Sprintf("parameter problem at %d: unknown next header", m.Pointer())
		case UnknownOption:
			return fmt.Sprintf("parameter problem at %d: unknown option", m.Pointer())
		case IncompleteHeader:
			return fmt.Sprintf("parameter problem at %d: incomplete header", m.Pointer())
		}
		return fmt.Sprintf("parameter problem at %d, code %d", m.Pointer(), m.Code)
	case ICMPv6Echo:
		return "echo request"
	case ICMPv6EchoReply:
		return "echo reply"
	case ICMPv6NeighborSolicitation:
		return "neighbor solicitation"
	case ICMPv6NeighborAdvertisement:
		return "neighbor advertisement"
	}
	return fmt.Sprintf("type %d, code %d", uint8(m.Type), m.Code)
}
