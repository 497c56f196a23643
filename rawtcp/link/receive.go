package link

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// listens reports whether the interface takes a packet that was sent to all:
// any broadcast, and of multicasts those of its host's groups.
func (p *Port) listens(packet []byte) bool {
	_, dst := wire.Addresses(packet)
	return !dst.IsMulticast() || p.node.isMember(dst)
}

// isMember reports whether h takes what is sent to a group. Each host is a
// member of that of all hosts.
func (h *Node) isMember(group netip.Addr) bool {
	return group == allHosts() || group == netip.IPv6LinkLocalAllNodes() || slices.Contains(h.groups, group)
}

func allHosts() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 1}) }

// receive takes a frame from the link. The packet is the host's now.
func (p *Port) receive(now time.Duration, f Frame) {
	h := p.node
	if !h.up {
		h.refuse(now, p, &f, HostDown)
		return
	}
	if sink := h.net.sink; sink != nil {
		sink.Event(trace.Event{
			At: now, Kind: trace.Received, Host: h.name, Interface: p.name, Link: p.link.name,
			ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst,
		})
	}
	switch wire.Version(f.Packet) {
	case 4:
		h.receiveIPv4(now, p, &f)
	case 6:
		h.receiveIPv6(now, p, &f)
	default:
		p.receiveARP(now, &f)
	}
}

// refuse drops a frame that has arrived.
func (h *Node) refuse(now time.Duration, p *Port, f *Frame, why interface{ String() string }) {
	h.net.dropped(now, p, f, why, h.name)
	h.net.bufs.put(f.Packet)
}

func (h *Node) receiveIPv4(now time.Duration, p *Port, f *Frame) {
	var ip wire.IPv4
	if why := ip.Decode(f.Packet); why != wire.OK {
		h.refuse(now, p, f, why)
		return
	}
	if !h.isFor(ip.Dst) {
		h.forward(now, p, f, ip.Dst)
		return
	}
	if !ip.IsFragment() {
		h.deliverIPv4(now, p, f, &ip)
		return
	}
	whole, why := h.parts.IPv4(now, &ip)
	if why != wire.OK {
		h.refuse(now, p, f, why)
		return
	}
	h.net.bufs.put(f.Packet)
	if whole {
		f.Packet = ip.AppendTo(h.net.bufs.get())
		h.deliverIPv4(now, p, f, &ip)
	}
}

func (h *Node) receiveIPv6(now time.Duration, p *Port, f *Frame) {
	var ip wire.IPv6
	if why := ip.Decode(f.Packet); why != wire.OK {
		h.refuse(now, p, f, why)
		return
	}
	if !h.isFor(ip.Dst) {
		h.forward(now, p, f, ip.Dst)
		return
	}
	if !ip.IsFragment() {
		h.deliverIPv6(now, p, f, &ip)
		return
	}
	whole, why := h.parts.IPv6(now, &ip)
	if why != wire.OK {
		h.refuse(now, p, f, why)
		return
	}
	h.net.bufs.put(f.Packet)
	if whole {
		f.Packet = ip.AppendTo(h.net.bufs.get())
		h.deliverIPv6(now, p, f, &ip)
	}
}

// isFor reports whether a packet to dst is for h. Any address of h will do, on
// whatever interface the packet came: the weak model of RFC 1122, section
// 3.3.4.2.
func (h *Node) isFor(dst netip.Addr) bool {
	return h.Has(dst) || h.IsBroadcast(dst) || dst.IsMulticast() && h.isMember(dst)
}

// deliverIPv4 hands a whole packet to whom it is for, and takes the buffer
// back.
func (h *Node) deliverIPv4(now time.Duration, p *Port, f *Frame, ip *wire.IPv4) {
	if ip.Protocol == wire.ProtoICMP && h.icmp.Echo4(now, ip) {
		h.net.bufs.put(f.Packet)
		return
	}
	h.handOver(now, p, f)
}

func (h *Node) deliverIPv6(now time.Duration, p *Port, f *Frame, ip *wire.IPv6) {
	if ip.Protocol == wire.ProtoICMPv6 && h.icmp.Echo6(now, ip) {
		h.net.bufs.put(f.Packet)
		return
	}
	h.handOver(now, p, f)
}

func (h *Node) handOver(now time.Duration, p *Port, f *Frame) {
	if h.handler == nil {
		h.refuse(now, p, f, NoHandler)
		return
	}
	h.handler.Receive(now, f.Packet[:totalLength(f.Packet)])
	h.net.bufs.put(f.Packet)
}

// forward sends on a packet that is for somebody else.
func (h *Node) forward(now time.Duration, in *Port, f *Frame, dst netip.Addr) {
	switch {
	case !h.Forwards:
		h.refuse(now, in, f, NotMine)
		return
	case f.Dst == wire.Broadcast() || dst.IsMulticast():
		// "A router MUST NOT forward any packet that the router received as a
		// Link Layer broadcast, unless it is directed to an IP Multicast
		// address." (RFC 1812, section 5.3.4). To those no routes are kept.
		h.refuse(now, in, f, NotUnicast)
		return
	}
	path, err := h.Path(dst)
	if err != nil {
		h.Complain(now, f.Packet, netUnreachable())
		h.refuse(now, in, f, NoRoute)
		return
	}
	f.Packet = f.Packet[:totalLength(f.Packet)]
	if timeToLive(f.Packet) <= 1 {
		h.Complain(now, f.Packet, timeExceeded())
		h.refuse(now, in, f, TTLExceeded)
		return
	}
	if l := path.port.link; l.p2p && l.IsCut(path.port.index) {
		// A modem sees that nobody is there; an Ethernet does not.
		h.Complain(now, f.Packet, lineDown())
		h.refuse(now, in, f, Cut)
		return
	}
	o := outgoing{
		id: f.ID, packet: f.Packet, forwarded: true,
		why: trace.Rule{Text: "forwarded", RFC: "RFC 1812, section 5.2.1"},
	}
	if len(f.Packet) > path.MTU {
		h.forwardFragments(now, in, f, path, o)
		return
	}
	countDown(f.Packet)
	path.port.resolve(now, path.next, o)
}

// forwardFragments sends on a packet that is longer than the MTU of the next
// link, in fragments, or tells its sender that it cannot be sent.
func (h *Node) forwardFragments(now time.Duration, in *Port, f *Frame, path Path, o outgoing) {
	pieces, why := h.fragment(f.Packet, path.MTU, false)
	if why != OK {
		h.Complain(now, f.Packet, TooBig(path.MTU))
		h.refuse(now, in, f, why)
		return
	}
	h.net.bufs.put(f.Packet)
	for _, b := range pieces {
		countDown(b)
		o.id, o.packet = h.net.newID(), b
		path.port.resolve(now, path.next, o)
	}
}
