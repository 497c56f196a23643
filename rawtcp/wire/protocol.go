package wire

import "strconv"

// Protocol is the number of what an IP header is followed by: the Protocol
// field of IPv4 and the Next Header field of IPv6.
type Protocol uint8

// The protocols that this package knows, by the numbers IANA assigned.
const (
	ProtoHopByHop    Protocol = 0
	ProtoICMP        Protocol = 1
	ProtoTCP         Protocol = 6
	ProtoUDP         Protocol = 17
	ProtoRouting     Protocol = 43
	ProtoFragment    Protocol = 44
	ProtoICMPv6      Protocol = 58
	ProtoNoNext      Protocol = 59
	ProtoDestination Protocol = 60
)

// String returns the name of p in lower case, or "proto-N".
func (p Protocol) String() string {
	switch p {
	case ProtoHopByHop:
		return "hop-by-hop"
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoRouting:
		return "routing"
	case ProtoFragment:
		return "fragment"
	case ProtoICMPv6:
		return "icmp6"
	case ProtoNoNext:
		return "no-next-header"
	case ProtoDestination:
		return "destination-options"
	}
	return "proto-" + strconv.Itoa(int(p))
}
