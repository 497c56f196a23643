package link

import (
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Failure is what the sender of a packet is told by ICMP, in either version.
type Failure struct {
	v4   wire.ICMPv4Type
	v4c  uint8
	v6   wire.ICMPv6Type // 0: there is no such message
	v6c  uint8
	mtu  int
	rule trace.Rule
}

// PortUnreachable is for a datagram whose port is nobody's.
func PortUnreachable() Failure {
	return Failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.PortUnreachable,
		v6: wire.ICMPv6Unreachable, v6c: wire.PortUnreachableIPv6,
		rule: trace.Rule{Text: "no process has that port", RFC: "RFC 1122, section 4.1.3.1"},
	}
}

// ProtocolUnreachable is for a packet of a protocol that the host does not have.
// IPv6 has no such code: "If [...] the Next Header value in the current header is
// unrecognized by the node, it should discard the packet and send an ICMP
// Parameter Problem message to the source" (RFC 8200, section 4).
func ProtocolUnreachable() Failure {
	return Failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.ProtocolUnreachable,
		v6: wire.ICMPv6ParameterProblem, v6c: wire.UnknownNext,
		rule: trace.Rule{Text: "no such protocol here", RFC: "RFC 1122, section 3.2.2.1"},
	}
}

func netUnreachable() Failure {
	return Failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.NetUnreachable,
		v6: wire.ICMPv6Unreachable, v6c: wire.NoRoute,
		rule: trace.Rule{Text: "no route leads there", RFC: "RFC 1812, section 5.2.7.1"},
	}
}

func hostUnreachable() Failure {
	return Failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.HostUnreachable,
		v6: wire.ICMPv6Unreachable, v6c: wire.AddressUnreachable,
		rule: trace.Rule{Text: "the host does not answer ARP", RFC: "RFC 1812, section 3.3.2"},
	}
}

func lineDown() Failure {
	why := hostUnreachable()
	why.rule.Text = "the line is down"
	return why
}

func timeExceeded() Failure {
	return Failure{
		v4: wire.ICMPv4TimeExceeded, v4c: wire.ExceededInTransit,
		v6: wire.ICMPv6TimeExceeded, v6c: wire.ExceededInTransit,
		rule: trace.Rule{Text: "the TTL is used up", RFC: "RFC 1812, section 5.3.1"},
	}
}

// TooBig is for a packet that is longer than the next MTU, in bytes, and must not
// be fragmented.
func TooBig(mtu int) Failure {
	return Failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.FragmentationNeeded,
		v6: wire.ICMPv6PacketTooBig, mtu: mtu,
		rule: trace.Rule{Text: "longer than the next MTU, and not to be fragmented", RFC: "RFC 1191, section 4"},
	}
}

func quenched() Failure {
	return Failure{
		v4:   wire.ICMPv4SourceQuench,
		rule: trace.Rule{Text: "the queue is full", RFC: "RFC 792"},
	}
}

// FragmentsMissing is for fragments of which others have not come in time.
func FragmentsMissing() Failure {
	return Failure{
		v4: wire.ICMPv4TimeExceeded, v4c: wire.ExceededReassembly,
		v6: wire.ICMPv6TimeExceeded, v6c: wire.ExceededReassembly,
		rule: trace.Rule{Text: "fragments are missing", RFC: "RFC 1122, section 3.3.2"},
	}
}

func echoed(section string) trace.Rule { return trace.Rule{Text: "echo reply", RFC: section} }
