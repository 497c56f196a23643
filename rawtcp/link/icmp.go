package link

import (
	"net/netip"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// failure is what a router tells the sender of a packet, in either version.
type failure struct {
	v4   wire.ICMPv4Type
	v4c  uint8
	v6   wire.ICMPv6Type // 0: there is no such message
	v6c  uint8
	mtu  int
	rule trace.Rule
}

func netUnreachable() failure {
	return failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.NetUnreachable,
		v6: wire.ICMPv6Unreachable, v6c: wire.NoRoute,
		rule: trace.Rule{Text: "no route leads there", RFC: "RFC 1812, section 5.2.7.1"},
	}
}

func hostUnreachable() failure {
	return failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.HostUnreachable,
		v6: wire.ICMPv6Unreachable, v6c: wire.AddressUnreachable,
		rule: trace.Rule{Text: "the host does not answer ARP", RFC: "RFC 1812, section 3.3.2"},
	}
}

func lineDown() failure {
	why := hostUnreachable()
	why.rule.Text = "the line is down"
	return why
}

func timeExceeded() failure {
	return failure{
		v4: wire.ICMPv4TimeExceeded, v4c: wire.ExceededInTransit,
		v6: wire.ICMPv6TimeExceeded, v6c: wire.ExceededInTransit,
		rule: trace.Rule{Text: "the TTL is used up", RFC: "RFC 1812, section 5.3.1"},
	}
}

func tooBig(mtu int) failure {
	return failure{
		v4: wire.ICMPv4Unreachable, v4c: wire.FragmentationNeeded,
		v6: wire.ICMPv6PacketTooBig, mtu: mtu,
		rule: trace.Rule{Text: "longer than the next MTU, and not to be fragmented", RFC: "RFC 1191, section 4"},
	}
}

func quenched() failure {
	return failure{
		v4:   wire.ICMPv4SourceQuench,
		rule: trace.Rule{Text: "the queue is full", RFC: "RFC 792"},
	}
}

func fragmentsMissing() failure {
	return failure{
		v4: wire.ICMPv4TimeExceeded, v4c: wire.ExceededReassembly,
		v6: wire.ICMPv6TimeExceeded, v6c: wire.ExceededReassembly,
		rule: trace.Rule{Text: "fragments are missing", RFC: "RFC 1122, section 3.3.2"},
	}
}

// icmpError tells the sender of packet that it failed, if that may be told.
// The packet stays the caller's.
func (h *Node) icmpError(now time.Duration, packet []byte, why failure) {
	switch wire.Version(packet) {
	case 4:
		h.icmpError4(now, packet, why)
	case 6:
		h.icmpError6(now, packet, why)
	}
}

func (h *Node) icmpError4(now time.Duration, packet []byte, why failure) {
	var bad wire.IPv4
	if bad.Decode(packet) != wire.OK || !h.mayComplain(bad.Src, bad.Dst) || bad.Offset != 0 {
		return
	}
	if bad.Protocol == wire.ProtoICMP {
		var m wire.ICMPv4
		if m.Decode(bad.Payload) != wire.OK || m.IsError() {
			return
		}
	}
	quote := h.Quote
	if quote == 0 {
		quote = maxPacket
	}
	m := wire.ICMPv4{Type: why.v4, Code: why.v4c, Body: wire.QuoteIPv4(packet, quote)}
	if !h.HidesMTU {
		m.Rest = uint32(why.mtu)
	}
	path, err := h.Path(bad.Src)
	if err != nil {
		return
	}
	h.sendIPv4(now, wire.IPv4{
		TTL: 255, Protocol: wire.ProtoICMP, Src: path.Source, Dst: bad.Src, Payload: m.AppendTo(nil),
	}, why.rule)
}

func (h *Node) icmpError6(now time.Duration, packet []byte, why failure) {
	var bad wire.IPv6
	if why.v6 == 0 || bad.Decode(packet) != wire.OK || bad.Offset != 0 {
		return
	}
	// A packet that is too big is told of even if it was a multicast, or no
	// path MTU could be found for it (RFC 4443, section 2.4(e)).
	if !h.mayComplain(bad.Src, bad.Dst) && (why.v6 != wire.ICMPv6PacketTooBig || !bad.Src.IsGlobalUnicast()) {
		return
	}
	if bad.Protocol == wire.ProtoICMPv6 {
		var m wire.ICMPv6
		if m.Decode(bad.Payload) != wire.OK || m.IsError() {
			return
		}
	}
	path, err := h.Path(bad.Src)
	if err != nil {
		return
	}
	m := wire.ICMPv6{Type: why.v6, Code: why.v6c, Rest: uint32(why.mtu), Body: wire.QuoteIPv6(packet)}
	h.sendIPv6(now, wire.IPv6{
		HopLimit: 255, Protocol: wire.ProtoICMPv6, Src: path.Source, Dst: bad.Src,
		Payload: m.AppendTo(nil, path.Source, bad.Src, wire.ChecksumFull),
	}, why.rule)
}

// mayComplain reports whether an error may be sent about a packet. "An ICMP
// error message MUST NOT be sent as the result of receiving: [...] a datagram
// destined to an IP broadcast or IP multicast address, [...] a datagram whose
// source address does not define a single host" (RFC 1122, section 3.2.2). The
// other cases there are errors, and fragments that are not the first.
func (h *Node) mayComplain(src, dst netip.Addr) bool {
	for _, a := range []netip.Addr{src, dst} {
		if a.IsUnspecified() || a.IsMulticast() || h.IsBroadcast(a) {
			return false
		}
	}
	return true
}

// reassemblyExpired tells the sender of a fragment that others are missing.
// Nothing is told if the first of them is: it would have to be quoted.
func (h *Node) reassemblyExpired(now time.Duration, e wire.Expired) {
	if e.First != nil {
		h.icmpError(now, e.First, fragmentsMissing())
	}
}

// answersEcho answers an echo request, and reports whether that was one. "An
// ICMP Echo Request destined to an IP broadcast or IP multicast address MAY be
// silently discarded." (RFC 1122, section 3.2.2.6)
func (h *Node) answersEcho(now time.Duration, ip *wire.IPv4) bool {
	var m wire.ICMPv4
	if m.Decode(ip.Payload) != wire.OK || m.Type != wire.ICMPv4Echo {
		return false
	}
	if h.Has(ip.Dst) {
		m.Type = wire.ICMPv4EchoReply
		h.sendIPv4(now, wire.IPv4{
			TOS: ip.TOS, TTL: 255, Protocol: wire.ProtoICMP, Src: ip.Dst, Dst: ip.Src, Payload: m.AppendTo(nil),
		}, trace.Rule{Text: "echo reply", RFC: "RFC 1122, section 3.2.2.6"})
	}
	return true
}

func (h *Node) answersEcho6(now time.Duration, ip *wire.IPv6) bool {
	var m wire.ICMPv6
	if m.Decode(ip.Payload) != wire.OK || m.Type != wire.ICMPv6Echo ||
		wire.VerifyICMPv6(ip.Src, ip.Dst, ip.Payload) != wire.ChecksumGood {
		return false
	}
	if h.Has(ip.Dst) {
		m.Type = wire.ICMPv6EchoReply
		h.sendIPv6(now, wire.IPv6{
			HopLimit: 64, Protocol: wire.ProtoICMPv6, Src: ip.Dst, Dst: ip.Src,
			Payload: m.AppendTo(nil, ip.Dst, ip.Src, wire.ChecksumFull),
		}, trace.Rule{Text: "echo reply", RFC: "RFC 4443, section 4.2"})
	}
	return true
}

// sendIPv4 sends what h has to say itself.
func (h *Node) sendIPv4(now time.Duration, ip wire.IPv4, why trace.Rule) {
	h.ipID++
	ip.ID = uint16(h.ipID)
	_ = h.Send(now, ip.AppendTo(h.net.bufs.get()), why) // if it fails, nobody is waiting for it
}

func (h *Node) sendIPv6(now time.Duration, ip wire.IPv6, why trace.Rule) {
	_ = h.Send(now, ip.AppendTo(h.net.bufs.get()), why)
}
