package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

const icmpHeaderLen = 8

// ICMPv4Type is the type of an ICMP message.
type ICMPv4Type uint8

// The types of RFC 792.
const (
	ICMPv4EchoReply        ICMPv4Type = 0
	ICMPv4Unreachable      ICMPv4Type = 3
	ICMPv4SourceQuench     ICMPv4Type = 4
	ICMPv4Redirect         ICMPv4Type = 5
	ICMPv4Echo             ICMPv4Type = 8
	ICMPv4TimeExceeded     ICMPv4Type = 11
	ICMPv4ParameterProblem ICMPv4Type = 12
	ICMPv4Timestamp        ICMPv4Type = 13
	ICMPv4TimestampReply   ICMPv4Type = 14
)

// The codes of ICMPv4Unreachable: RFC 792, RFC 1122 section 3.2.2.1, and
// RFC 1812 section 5.2.7.1.
const (
	NetUnreachable          uint8 = 0
	HostUnreachable         uint8 = 1
	ProtocolUnreachable     uint8 = 2
	PortUnreachable         uint8 = 3
	FragmentationNeeded     uint8 = 4 // and DF set
	SourceRouteFailed       uint8 = 5
	NetUnknown              uint8 = 6
	HostUnknown             uint8 = 7
	SourceHostIsolated      uint8 = 8
	NetProhibited           uint8 = 9
	HostProhibited          uint8 = 10
	NetUnreachableForTOS    uint8 = 11
	HostUnreachableForTOS   uint8 = 12
	CommunicationProhibited uint8 = 13
	PrecedenceViolation     uint8 = 14
	PrecedenceCutoff        uint8 = 15
)

// The codes of ICMPv4Redirect.
const (
	RedirectNet     uint8 = 0
	RedirectHost    uint8 = 1
	RedirectTOSNet  uint8 = 2
	RedirectTOSHost uint8 = 3
)

// The codes of ICMPv4TimeExceeded, and those of ICMPv6TimeExceeded.
const (
	ExceededInTransit  uint8 = 0
	ExceededReassembly uint8 = 1
)

// The codes of ICMPv4ParameterProblem.
const (
	PointerToError  uint8 = 0
	OptionMissing   uint8 = 1
	BadOptionLength uint8 = 2
)

// ICMPv4 is an ICMP message, decoded (RFC 792).
type ICMPv4 struct {
	Type     ICMPv4Type
	Code     uint8
	Checksum uint16 // as received; computed on the way out
	// Rest is the second word of the header: what it says goes by the type.
	// See ID, Seq, MTU, Pointer, and Gateway.
	Rest uint32
	Body []byte // what an echo carries, or what an error quotes
}

// Decode sets m to the message in b, the whole payload of an IPv4 packet.
// With BadChecksum, m is complete all the same; with any other reason but OK,
// it is without meaning.
func (m *ICMPv4) Decode(b []byte) Reason {
	if len(b) < icmpHeaderLen {
		return Truncated
	}
	m.Type, m.Code = ICMPv4Type(b[0]), b[1]
	m.Checksum = binary.BigEndian.Uint16(b[2:])
	m.Rest = binary.BigEndian.Uint32(b[4:])
	m.Body = b[icmpHeaderLen:]
	if SumOf(b) != 0xffff {
		return BadChecksum
	}
	return OK
}

// AppendTo appends m as it goes into an IPv4 packet.
func (m *ICMPv4) AppendTo(buf []byte) []byte {
	start := len(buf)
	buf = append(buf, uint8(m.Type), m.Code, 0, 0)
	buf = binary.BigEndian.AppendUint32(buf, m.Rest)
	buf = append(buf, m.Body...)
	binary.BigEndian.PutUint16(buf[start+2:], SumOf(buf[start:]).Checksum())
	return buf
}

// EchoRest is the Rest of an echo and of its reply, of ICMP and ICMPv6.
func EchoRest(id, seq uint16) uint32 { return uint32(id)<<16 | uint32(seq) }

// ID is the identifier of an echo or of its reply.
func (m *ICMPv4) ID() uint16 { return uint16(m.Rest >> 16) }

// Seq is the sequence number of an echo or of its reply.
func (m *ICMPv4) Seq() uint16 { return uint16(m.Rest) }

// MTU is the next-hop MTU, in bytes, of an unreachable with the code
// FragmentationNeeded. It is 0 if the router is older than RFC 1191.
func (m *ICMPv4) MTU() int { return int(m.Rest & 0xffff) }

// Pointer is the offset in the quoted packet of what a parameter problem with
// the code PointerToError complains of.
func (m *ICMPv4) Pointer() int { return int(m.Rest >> 24) }

// Gateway is the router that a redirect sends to.
func (m *ICMPv4) Gateway() netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, m.Rest)))
}

// IsError reports whether m tells of an error, and so quotes a packet.
func (m *ICMPv4) IsError() bool {
	switch m.Type {
	case ICMPv4Unreachable, ICMPv4SourceQuench, ICMPv4Redirect,
		ICMPv4TimeExceeded, ICMPv4ParameterProblem:
		return true
	}
	return false
}

// Quoted decodes the packet that the error m quotes.
func (m *ICMPv4) Quoted() (Quote, Reason) {
	var h IPv4
	n, why := h.decodeHeader(m.Body)
	if why != OK {
		return Quote{}, why
	}
	q := Quote{
		Src: h.Src, Dst: h.Dst, Protocol: h.Protocol, HopLimit: h.TTL, Offset: h.Offset,
		Length: int(binary.BigEndian.Uint16(m.Body[2:])),
		Data:   m.Body[n:],
	}
	// Some quote with zeros behind, some spoil the length: it is believed
	// only where it can be true.
	if q.Length >= n && q.Length < len(m.Body) {
		q.Data = m.Body[n:q.Length]
	}
	return q, OK
}

// QuoteIPv4 returns what an error quotes of packet: its header, and n bytes
// of what follows. "The internet header plus the first 64 bits of the original
// datagram's data" (RFC 792) is n = 8; a router of today sends "as much of the
// original datagram as possible without the length of the ICMP datagram
// exceeding 576 bytes" (RFC 1812, section 4.3.2.3), and no n makes it more.
func QuoteIPv4(packet []byte, n int) []byte {
	if len(packet) == 0 {
		return nil
	}
	header := int(packet[0]&0x0f) * 4
	return packet[:min(len(packet), header+n, 576-ipv4HeaderLen-icmpHeaderLen)]
}

// String returns what m says, in a few words: "echo request", "port
// unreachable", "fragmentation needed, mtu 296".
func (m *ICMPv4) String() string {
	switch m.Type {
	case ICMPv4EchoReply:
		return "echo reply"
	case ICMPv4Unreachable:
		if m.Code == FragmentationNeeded {
			return fmt.Sprintf("fragmentation needed, mtu %d", m.MTU())
		}
		return unreachableName(m.Code)
	case ICMPv4SourceQuench:
		return "source quench"
	case ICMPv4Redirect:
		return redirectName(m.Code) + " to " + m.Gateway().String()
	case ICMPv4Echo:
		return "echo request"
	case ICMPv4TimeExceeded:
		return exceededName(m.Code)
	case ICMPv4ParameterProblem:
		switch m.Code {
		case PointerToError:
			return fmt.Sprintf("parameter problem at %d", m.Pointer())
		case OptionMissing:
			return "parameter problem: option missing"
		case BadOptionLength:
			return "parameter problem: bad length"
		}
		return fmt.Sprintf("parameter problem, code %d", m.Code)
	case ICMPv4Timestamp:
		return "timestamp request"
	case ICMPv4TimestampReply:
		return "timestamp reply"
	}
	return fmt.Sprintf("type %d, code %d", uint8(m.Type), m.Code)
}

func unreachableName(code uint8) string {
	switch code {
	case NetUnreachable:
		return "net unreachable"
	case HostUnreachable:
		return "host unreachable"
	case ProtocolUnreachable:
		return "protocol unreachable"
	case PortUnreachable:
		return "port unreachable"
	case SourceRouteFailed:
		return "source route failed"
	case NetUnknown:
		return "net unknown"
	case HostUnknown:
		return "host unknown"
	case SourceHostIsolated:
		return "source host isolated"
	case NetProhibited:
		return "net prohibited"
	case HostProhibited:
		return "host prohibited"
	case NetUnreachableForTOS:
		return "net unreachable for TOS"
	case HostUnreachableForTOS:
		return "host unreachable for TOS"
	case CommunicationProhibited:
		return "communication prohibited"
	case PrecedenceViolation:
		return "host precedence violation"
	case PrecedenceCutoff:
		return "precedence cutoff in effect"
	}
	return fmt.Sprintf("unreachable, code %d", code)
}

func redirectName(code uint8) string {
	switch code {
	case RedirectNet:
		return "redirect net"
	case RedirectHost:
		return "redirect host"
	case RedirectTOSNet:
		return "redirect net for TOS"
	case RedirectTOSHost:
		return "redirect host for TOS"
	}
	return fmt.Sprintf("redirect, code %d,", code)
}

func exceededName(code uint8) string {
	switch code {
	case ExceededInTransit:
		return "time exceeded in transit"
	case ExceededReassembly:
		return "time exceeded in reassembly"
	}
	return fmt.Sprintf("time exceeded, code %d", code)
}
