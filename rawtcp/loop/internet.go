package loop

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/udp"
	"sock/rawtcp/wire"
)

// internet is what a host does with the packets that have come for it: it puts
// fragments together, answers echo requests, hands TCP and UDP what is theirs, and
// tells senders what it has no use for.
type internet struct {
	link.IP // to send with
	host    *host
	tcp     *rawtcp.Stack
	udp     *udp.Stack
	icmp    link.ICMP
	parts   *wire.Reassembler
	groups  []netip.Addr
}

// complaints is how many ICMP errors a host sends in a second: "for a small or
// mid-size device, a possible default could be B=10, N=10/s" (RFC 4443, section
// 2.4(f)).
const complaints = 10

// newInternet returns the internet layer of h, whose TCP is there already, that
// sends by ip.
func newInternet(h *host, ip link.IP, o rawtcp.Options) *internet {
	n := &internet{IP: ip, host: h, tcp: h.stack, parts: wire.NewReassembler(wire.Limits{})}
	n.icmp = link.ICMP{Sender: link.Sender{IP: ip}, Limit: complaints}
	n.udp = udp.New(n, udp.Options{Host: o.Host, Profile: o.Profile, Seed: o.Seed, Sink: o.Sink})
	return n
}

// Receive takes a packet that is for the host.
func (n *internet) Receive(now time.Duration, packet []byte) {
	switch {
	case isSegment(packet):
		n.tcp.Receive(now, packet)
	case wire.Version(packet) == 6:
		n.receive6(now, packet)
	default:
		n.receive4(now, packet)
	}
}

// isSegment reports whether packet is whole and nothing but TCP, as most are.
func isSegment(packet []byte) bool {
	switch {
	case wire.Version(packet) == 4 && len(packet) >= 20:
		const moreOrOffset = 0x3fff
		return packet[9] == byte(wire.ProtoTCP) && binary.BigEndian.Uint16(packet[6:])&moreOrOffset == 0
	case wire.Version(packet) == 6 && len(packet) >= 40:
		return packet[6] == byte(wire.ProtoTCP)
	}
	return false
}

func (n *internet) receive4(now time.Duration, packet []byte) {
	var ip wire.IPv4
	if ip.Decode(packet) != wire.OK {
		n.tcp.Receive(now, packet) // says why it is dropped
		return
	}
	if ip.IsFragment() {
		whole, why := n.parts.IPv4(now, &ip)
		if why != wire.OK {
			n.drop(now, packet, why)
		}
		if !whole {
			return
		}
		packet = ip.AppendTo(nil)
	}
	echo := func() bool { return ip.Protocol == wire.ProtoICMP && n.icmp.Echo4(now, &ip) }
	n.deliver(now, packet, ip.Protocol, wire.ProtoICMP, echo)
}

func (n *internet) receive6(now time.Duration, packet []byte) {
	var ip wire.IPv6
	if ip.Decode(packet) != wire.OK {
		n.tcp.Receive(now, packet)
		return
	}
	if ip.IsFragment() {
		whole, why := n.parts.IPv6(now, &ip)
		if why != wire.OK {
			n.drop(now, packet, why)
		}
		if !whole {
			return
		}
		packet = ip.AppendTo(nil)
	}
	echo := func() bool { return ip.Protocol == wire.ProtoICMPv6 && n.icmp.Echo6(now, &ip) }
	n.deliver(now, packet, ip.Protocol, wire.ProtoICMPv6, echo)
}

// deliver hands a whole packet to whom it is for. echo answers it if it is an echo
// request.
func (n *internet) deliver(now time.Duration, packet []byte, proto, icmp wire.Protocol, echo func() bool) {
	switch proto {
	case wire.ProtoUDP:
		n.udp.Receive(now, packet)
		return
	case icmp:
		if echo() || n.udp.Receive(now, packet) {
			return
		}
	case wire.ProtoTCP, wire.ProtoNoNext:
	default:
		// "A host SHOULD generate Destination Unreachable messages with code: 2
		// (Protocol Unreachable), when the designated transport protocol is not
		// supported" (RFC 1122, section 3.2.2.1).
		n.Complain(now, packet, link.ProtocolUnreachable())
	}
	n.tcp.Receive(now, packet) // which drops what is not its own
}

// Complain tells the sender of packet by ICMP that it failed, if that may be told.
func (n *internet) Complain(now time.Duration, packet []byte, why link.Failure) {
	n.icmp.Error(now, packet, why)
}

// Join makes the host a member of a multicast group.
func (n *internet) Join(group netip.Addr) {
	if slices.Contains(n.groups, group) {
		return
	}
	n.groups = append(n.groups, group)
	if l, ok := n.host.Link.(Multicast); ok {
		l.Join(group)
	}
}

// Leave undoes Join.
func (n *internet) Leave(group netip.Addr) {
	n.groups = slices.DeleteFunc(n.groups, func(a netip.Addr) bool { return a == group })
	if l, ok := n.host.Link.(Multicast); ok {
		l.Leave(group)
	}
}

// isMember reports whether the host takes what is sent to a group. Each host is a
// member of that of all hosts.
func (n *internet) isMember(group netip.Addr) bool {
	return group == netip.AddrFrom4([4]byte{224, 0, 0, 1}) || group == netip.IPv6LinkLocalAllNodes() ||
		slices.Contains(n.groups, group)
}

// expire gives up the datagrams that are not complete in time.
func (n *internet) expire(now time.Duration) {
	for _, e := range n.parts.Expire(now) {
		n.drop(now, e.First, link.NotComplete)
		if e.First != nil {
			n.Complain(now, e.First, link.FragmentsMissing())
		}
	}
}

func (n *internet) drop(now time.Duration, packet []byte, why interface{ String() string }) {
	if n.host.sink != nil {
		n.host.sink.Event(trace.Event{At: now, Kind: trace.Dropped, Host: n.host.name, Packet: packet, Reason: why})
	}
}
