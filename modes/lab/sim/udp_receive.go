package sim

import (
	"net/netip"
	"slices"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// reason says why UDP dropped a datagram.
type reason string

// String returns r as a trace prints it.
func (r reason) String() string { return string(r) }

const (
	noPort     reason = "no process has that port"
	bufferFull reason = "the receive buffer is full"
	badUDPSum  reason = "bad UDP checksum"
)

// takes takes a packet that is UDP, or tells of an error of UDP, and reports
// whether it was.
func (u *udp) takes(packet []byte) bool {
	switch wire.Version(packet) {
	case 4:
		var ip wire.IPv4
		if ip.Decode(packet) != wire.OK {
			return false
		}
		switch ip.Protocol {
		case wire.ProtoUDP:
			u.receive(packet, ip.Src, ip.Dst, ip.Payload)
			return true
		case wire.ProtoICMP:
			var m wire.ICMPv4
			return m.Decode(ip.Payload) == wire.OK && m.IsError() && u.told4(&m)
		}
	case 6:
		var ip wire.IPv6
		if ip.Decode(packet) != wire.OK {
			return false
		}
		switch ip.Protocol {
		case wire.ProtoUDP:
			u.receive(packet, ip.Src, ip.Dst, ip.Payload)
			return true
		case wire.ProtoICMPv6:
			var m wire.ICMPv6
			return m.Decode(ip.Payload) == wire.OK && m.IsError() && u.told6(&m)
		}
	}
	return false
}

// receive hands a datagram to whom it is for. Where more than one socket would
// do, the one that is most exactly for it gets it, and of equals the newest; a
// broadcast or multicast goes to all.
func (u *udp) receive(packet []byte, src, dst netip.Addr, payload []byte) {
	var d wire.UDP
	if why := d.Decode(payload); why != wire.OK {
		u.dropped(packet, why)
		return
	}
	if wire.VerifyUDP(src, dst, payload) == wire.ChecksumBad {
		u.dropped(packet, badUDPSum)
		return
	}
	m := message{
		from: netip.AddrPortFrom(src, d.SrcPort),
		to:   dst,
		data: slices.Clone(d.Payload),
	}
	local := netip.AddrPortFrom(dst, d.DstPort)
	if dst.IsMulticast() || u.h.Node.IsBroadcast(dst) {
		u.deliverToAll(packet, local, m)
		return
	}
	var best *datagrams
	least := 0
	for _, s := range u.bound {
		if n, ok := s.matches(local, m.from); ok && (best == nil || n < least) {
			best, least = s, n
		}
	}
	if best == nil {
		u.unreachable(packet, src, dst)
		u.dropped(packet, noPort)
		return
	}
	u.deliver(packet, best, m)
}

func (u *udp) deliverToAll(packet []byte, local netip.AddrPort, m message) {
	found := false
	for _, s := range slices.Clone(u.bound) {
		if _, ok := s.matches(local, m.from); ok {
			found = true
			u.deliver(packet, s, m)
		}
	}
	if !found {
		u.dropped(packet, noPort)
	}
}

func (u *udp) deliver(packet []byte, s *datagrams, m message) {
	if !s.take(m) {
		u.dropped(packet, bufferFull)
	}
}

func (u *udp) dropped(packet []byte, why interface{ String() string }) {
	u.h.w.tell(trace.Event{Kind: trace.Dropped, Host: u.h.name, Packet: packet, Reason: why})
}

// unreachable tells the sender of a packet that its port is nobody's. "If a
// datagram arrives addressed to a UDP port for which there is no pending
// LISTEN call, UDP SHOULD send an ICMP Port Unreachable message." (RFC 1122,
// section 4.1.3.1)
func (u *udp) unreachable(packet []byte, src, dst netip.Addr) {
	if src.IsUnspecified() || src.IsMulticast() || u.h.Node.IsBroadcast(src) {
		return
	}
	rule := trace.Rule{
		Text: "no process has that port",
		RFC:  "RFC 1122, section 4.1.3.1",
	}
	if dst.Is6() {
		m := wire.ICMPv6{Type: wire.ICMPv6Unreachable, Code: wire.PortUnreachableIPv6, Body: wire.QuoteIPv6(packet)}
		ip := wire.IPv6{
			HopLimit: 255, Protocol: wire.ProtoICMPv6, Src: dst, Dst: src,
			Payload: m.AppendTo(nil, dst, src, wire.ChecksumFull),
		}
		_ = u.h.Node.Send(u.h.w.now, ip.AppendTo(u.h.Node.Buffer()), rule) // nobody waits for it
		return
	}
	quote := u.h.Node.Quote
	if quote == 0 {
		quote = len(packet)
	}
	m := wire.ICMPv4{
		Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: wire.QuoteIPv4(packet, quote),
	}
	u.ipID++
	ip := wire.IPv4{
		ID: u.ipID, TTL: 255, Protocol: wire.ProtoICMP, Src: dst, Dst: src, Payload: m.AppendTo(nil),
	}
	_ = u.h.Node.Send(u.h.w.now, ip.AppendTo(u.h.Node.Buffer()), rule)
}
