package ether

import (
	"net/netip"
	"time"

	"sock/rawtcp/wire"
)

// solicit sends a neighbor solicitation.
func (n *neighbors) solicit(a netip.Addr, e *neighbor) {
	to, dst := e.mac, a
	if !e.known {
		dst = wire.SolicitedNode(a)
		to = wire.MulticastMAC(dst)
	}
	n.sendNeighbor(to, n.source(a), dst, wire.Neighbor{
		Type: wire.ICMPv6NeighborSolicitation, Target: a, MAC: n.mac, HasMAC: true,
	})
}

func (n *neighbors) sendNeighbor(to wire.MAC, src, dst netip.Addr, m wire.Neighbor) {
	var room [32]byte
	ip := wire.IPv6{
		HopLimit: 255, Src: src, Dst: dst, Protocol: wire.ProtoICMPv6,
		Payload: m.AppendTo(room[:0], src, dst),
	}
	n.buf = ip.AppendTo(n.buf[:0])
	n.transmit(to, wire.EtherIPv6, n.buf)
}

// isNeighbor reports whether an IPv6 packet is a solicitation or advertisement.
// None that is valid has extension headers: there is nothing to carry in them.
func isNeighbor(packet []byte) bool {
	const header = 40
	return len(packet) > header && wire.Protocol(packet[6]) == wire.ProtoICMPv6 &&
		(wire.ICMPv6Type(packet[header]) == wire.ICMPv6NeighborSolicitation ||
			wire.ICMPv6Type(packet[header]) == wire.ICMPv6NeighborAdvertisement)
}

// receiveNeighbor takes in the packet of a solicitation or an advertisement,
// which came from an Ethernet address.
func (n *neighbors) receiveNeighbor(now time.Duration, from wire.MAC, packet []byte) wire.Reason {
	var ip wire.IPv6
	if why := ip.Decode(packet); why != wire.OK {
		return why
	}
	var m wire.Neighbor
	if why := m.Decode(ip.Payload, ip.Src, ip.Dst, ip.HopLimit); why != wire.OK {
		return why
	}
	if m.Type == wire.ICMPv6NeighborSolicitation {
		n.solicited(now, from, ip.Src, &m)
	} else {
		n.advertised(now, from, &m)
	}
	return wire.OK
}

// solicited answers a solicitation (RFC 4861, section 7.2.3).
func (n *neighbors) solicited(now time.Duration, from wire.MAC, src netip.Addr, m *wire.Neighbor) {
	if n.claims.wants(m.Target) {
		// "If the source address of the Neighbor Solicitation is the unspecified
		// address, the solicitation is from a node performing Duplicate Address
		// Detection", which makes it a duplicate; if not, it is "silently
		// ignored" (RFC 4862, section 5.4.3).
		if src.IsUnspecified() && from != n.mac {
			n.claims.lose(m.Target, from)
		}
		return
	}
	if !n.claims.has(m.Target) {
		return
	}
	answer := wire.Neighbor{
		Type: wire.ICMPv6NeighborAdvertisement, Target: m.Target, MAC: n.mac, HasMAC: true,
		Solicited: true, Override: true,
	}
	if src.IsUnspecified() {
		// "the node MUST set the Solicited flag to zero and multicast the
		// advertisement to the all-nodes address" (section 7.2.4).
		answer.Solicited = false
		n.sendNeighbor(wire.MulticastMAC(allNodes()), m.Target, allNodes(), answer)
		return
	}
	if m.HasMAC && n.onLink(src) {
		n.learn(now, src, m.MAC, false)
		from = m.MAC
	}
	n.sendNeighbor(from, m.Target, src, answer)
}

// advertised takes in an advertisement (RFC 4861, section 7.2.5).
func (n *neighbors) advertised(now time.Duration, from wire.MAC, m *wire.Neighbor) {
	if n.claims.wants(m.Target) {
		// "the tentative address is not unique" (RFC 4862, section 5.4.4).
		n.claims.lose(m.Target, from)
		return
	}
	// "If no entry exists, the advertisement SHOULD be silently discarded."
	e := n.known[m.Target]
	switch {
	case e == nil:
	case !e.known:
		// "and no Target Link-Layer address option is included, the receiving
		// node SHOULD silently discard the received advertisement"
		if m.HasMAC {
			n.learn(now, m.Target, m.MAC, true)
		}
	case !m.HasMAC || m.MAC == e.mac || m.Override:
		mac := e.mac
		if m.HasMAC {
			mac = m.MAC
		}
		n.learn(now, m.Target, mac, m.Solicited)
	}
}

// announceND tells everybody that an address is this host's, with what RFC 4861,
// section 7.2.6, calls an unsolicited advertisement.
func (n *neighbors) announceND(own netip.Addr) {
	n.sendNeighbor(wire.MulticastMAC(allNodes()), own, allNodes(), wire.Neighbor{
		Type: wire.ICMPv6NeighborAdvertisement, Target: own, MAC: n.mac, HasMAC: true, Override: true,
	})
}

// probeND asks who has an address that this host would like to have.
func (n *neighbors) probeND(own netip.Addr) {
	group := wire.SolicitedNode(own)
	n.sendNeighbor(wire.MulticastMAC(group), netip.IPv6Unspecified(), group, wire.Neighbor{
		Type: wire.ICMPv6NeighborSolicitation, Target: own,
	})
}

func allNodes() netip.Addr { return netip.IPv6LinkLocalAllNodes() }
