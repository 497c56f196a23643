package link

import (
	"net/netip"
	"time"

	"sock/rawtcp/wire"
)

// ICMP is what a host says by ICMP: answers to echo requests, and what became of
// packets that have failed.
type ICMP struct {
	Sender
	// Quote is how many bytes behind the IPv4 header an error quotes. 0 is as
	// many as fit into 576 bytes.
	Quote int
	// HidesMTU leaves out of "fragmentation needed" what would be short enough.
	HidesMTU bool
	// Limit is how many errors may be sent in a second, and in a burst. 0 is any
	// number.
	Limit int

	debt time.Duration // for errors: each adds second/Limit, and time takes it away
	last time.Duration // when debt was that
}

// Error tells the sender of packet that it failed, if that may be told. The
// packet stays the caller's.
func (c *ICMP) Error(now time.Duration, packet []byte, why Failure) {
	switch wire.Version(packet) {
	case 4:
		c.error4(now, packet, why)
	case 6:
		c.error6(now, packet, why)
	}
}

func (c *ICMP) error4(now time.Duration, packet []byte, why Failure) {
	var bad wire.IPv4
	if bad.Decode(packet) != wire.OK || !c.mayComplain(bad.Src, bad.Dst) || bad.Offset != 0 {
		return
	}
	if bad.Protocol == wire.ProtoICMP {
		var m wire.ICMPv4
		if m.Decode(bad.Payload) != wire.OK || m.IsError() {
			return
		}
	}
	path, err := c.Path(bad.Src)
	if err != nil || !c.take(now) {
		return
	}
	quote := c.Quote
	if quote == 0 {
		quote = maxPacket
	}
	m := wire.ICMPv4{Type: why.v4, Code: why.v4c, Body: wire.QuoteIPv4(packet, quote)}
	if !c.HidesMTU {
		m.Rest = uint32(why.mtu)
	}
	// If it fails, nobody is waiting for it.
	_ = c.SendIPv4(now, &wire.IPv4{
		TTL: 255, Protocol: wire.ProtoICMP, Src: c.source(path, bad.Dst), Dst: bad.Src, Payload: m.AppendTo(nil),
	}, path.MTU, false, why.rule)
}

func (c *ICMP) error6(now time.Duration, packet []byte, why Failure) {
	var bad wire.IPv6
	if why.v6 == 0 || bad.Decode(packet) != wire.OK || bad.Offset != 0 {
		return
	}
	// A packet that is too big is told of even if it was a multicast, or no
	// path MTU could be found for it (RFC 4443, section 2.4(e)).
	if !c.mayComplain(bad.Src, bad.Dst) && (why.v6 != wire.ICMPv6PacketTooBig || !bad.Src.IsGlobalUnicast()) {
		return
	}
	if bad.Protocol == wire.ProtoICMPv6 {
		var m wire.ICMPv6
		if m.Decode(bad.Payload) != wire.OK || m.IsError() {
			return
		}
	}
	path, err := c.Path(bad.Src)
	if err != nil || !c.take(now) {
		return
	}
	m := wire.ICMPv6{Type: why.v6, Code: why.v6c, Rest: uint32(why.mtu), Body: wire.QuoteIPv6(packet)}
	if why.v6 == wire.ICMPv6ParameterProblem {
		m.Rest = uint32(bad.ProtocolOffset())
	}
	src := c.source(path, bad.Dst)
	_ = c.SendIPv6(now, &wire.IPv6{
		HopLimit: 255, Protocol: wire.ProtoICMPv6, Src: src, Dst: bad.Src,
		Payload: m.AppendTo(nil, src, bad.Src, wire.ChecksumFull),
	}, path.MTU, false, why.rule)
}

// mayComplain reports whether an error may be sent about a packet. "An ICMP
// error message MUST NOT be sent as the result of receiving: [...] a datagram
// destined to an IP broadcast or IP multicast address, [...] a datagram whose
// source address does not define a single host" (RFC 1122, section 3.2.2). The
// other cases there are errors, and fragments that are not the first.
func (c *ICMP) mayComplain(src, dst netip.Addr) bool {
	for _, a := range []netip.Addr{src, dst} {
		if a.IsUnspecified() || a.IsMulticast() || c.IsBroadcast(a) {
			return false
		}
	}
	return true
}

// source returns whom an error about a packet to dst is from. "If the message is
// a response to a message sent to one of the node's unicast addresses, the Source
// Address of the reply MUST be that same address." (RFC 4443, section 2.2)
func (c *ICMP) source(path Path, dst netip.Addr) netip.Addr {
	if c.Has(dst) {
		return dst
	}
	return path.Source
}

// take reports whether an error may be sent now. "An IPv6 node MUST limit the
// rate of the ICMPv6 error messages it originates": by "a token bucket function,
// limiting the average rate of transmission to N, [...] but allowing up to B error
// messages to be transmitted in a burst" (RFC 4443, section 2.4(f); RFC 1812,
// section 4.3.2.8, for IPv4). Here N and B are the same.
func (c *ICMP) take(now time.Duration) bool {
	if c.Limit == 0 {
		return true
	}
	cost := time.Second / time.Duration(c.Limit)
	c.debt = max(c.debt-(now-c.last), 0)
	c.last = now
	if c.debt+cost > time.Second {
		return false
	}
	c.debt += cost
	return true
}

// IsError reports whether a packet that is no fragment is an ICMP error.
func IsError(packet []byte) bool {
	switch wire.Version(packet) {
	case 4:
		var ip wire.IPv4
		var m wire.ICMPv4
		return ip.Decode(packet) == wire.OK && ip.Protocol == wire.ProtoICMP && !ip.IsFragment() &&
			m.Decode(ip.Payload) == wire.OK && m.IsError()
	case 6:
		var ip wire.IPv6
		var m wire.ICMPv6
		return ip.Decode(packet) == wire.OK && ip.Protocol == wire.ProtoICMPv6 && !ip.IsFragment() &&
			m.Decode(ip.Payload) == wire.OK && m.IsError()
	}
	return false
}

// Echo4 answers an echo request, and reports whether that was one. "An ICMP Echo
// Request destined to an IP broadcast or IP multicast address MAY be silently
// discarded." (RFC 1122, section 3.2.2.6)
func (c *ICMP) Echo4(now time.Duration, ip *wire.IPv4) bool {
	var m wire.ICMPv4
	if m.Decode(ip.Payload) != wire.OK || m.Type != wire.ICMPv4Echo {
		return false
	}
	path, err := c.Path(ip.Src)
	if err != nil || !c.Has(ip.Dst) || !c.mayComplain(ip.Src, ip.Dst) {
		return true
	}
	m.Type = wire.ICMPv4EchoReply
	_ = c.SendIPv4(now, &wire.IPv4{
		TOS: ip.TOS, TTL: 255, Protocol: wire.ProtoICMP, Src: ip.Dst, Dst: ip.Src, Payload: m.AppendTo(nil),
	}, path.MTU, false, echoed("RFC 1122, section 3.2.2.6"))
	return true
}

// Echo6 is Echo4 for IPv6.
func (c *ICMP) Echo6(now time.Duration, ip *wire.IPv6) bool {
	var m wire.ICMPv6
	if m.Decode(ip.Payload) != wire.OK || m.Type != wire.ICMPv6Echo ||
		wire.VerifyICMPv6(ip.Src, ip.Dst, ip.Payload) != wire.ChecksumGood {
		return false
	}
	path, err := c.Path(ip.Src)
	if err != nil || !c.Has(ip.Dst) || !c.mayComplain(ip.Src, ip.Dst) {
		return true
	}
	m.Type = wire.ICMPv6EchoReply
	_ = c.SendIPv6(now, &wire.IPv6{
		HopLimit: 64, Protocol: wire.ProtoICMPv6, Src: ip.Dst, Dst: ip.Src,
		Payload: m.AppendTo(nil, ip.Dst, ip.Src, wire.ChecksumFull),
	}, path.MTU, false, echoed("RFC 4443, section 4.2"))
	return true
}
