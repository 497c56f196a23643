package link

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// loopback is the name of the interface of a host to itself, and of its link.
const loopback = "lo0"

// Route says where packets to some addresses go.
type Route struct {
	To      netip.Prefix
	Gateway netip.Addr // the zero Addr: the addresses are on the link itself
	MTU     int        // 0 is that of the link
	port    *Port
}

// AddRoute adds a route, before others to the same addresses. With a Gateway
// that is on no link of h it is never used.
func (h *Node) AddRoute(r Route) {
	// Longest prefix first: the first that contains an address is the one.
	i := 0
	for i < len(h.routes) && h.routes[i].To.Bits() > r.To.Bits() {
		i++
	}
	h.routes = slices.Insert(h.routes, i, r)
	h.last = Path{}
}

// Path is what IP knows about the way to a destination.
type Path struct {
	Interface string     // the name of the outgoing interface
	Source    netip.Addr // the address to send from; zero if the interface has none
	MTU       int        // in bytes, of the first hop
	OnLink    bool       // the destination is on a network that this host is attached to
	Self      bool       // the destination is this host
	Broadcast bool       // the destination is all hosts of a network
	Multicast bool       // the destination is a group

	port *Port
	next netip.Addr // who gets it on the link: the destination or a router
}

// Path returns the way to dst, or ErrNoRoute. A transport layer learns from
// it what RFC 1122, section 3.4, has it ask: which source address to send
// from, and how long a packet may be.
func (h *Node) Path(dst netip.Addr) (Path, error) {
	// Most packets go where the one before went. New addresses and routes,
	// which all come by AddRoute, forget it.
	if h.last.port != nil && h.lastTo == dst {
		return h.last, nil
	}
	path, err := h.lookup(dst)
	if err == nil {
		h.last, h.lastTo = path, dst
	}
	return path, err
}

func (h *Node) lookup(dst netip.Addr) (Path, error) {
	if h.Has(dst) {
		lo := h.loopbackPort()
		return Path{
			Interface: loopback, Source: dst, MTU: lo.link.mtu, OnLink: true, Self: true,
			port: lo, next: dst,
		}, nil
	}
	if p := h.broadcastPort(dst); p != nil {
		return p.path(dst, dst, Path{OnLink: true, Broadcast: true, MTU: p.link.mtu}), nil
	}
	for i := range h.routes {
		r := &h.routes[i]
		if !r.To.Contains(dst) {
			continue
		}
		p, next := r.port, dst
		if r.Gateway.IsValid() {
			if p = h.portTo(r.Gateway); p == nil {
				continue
			}
			next = r.Gateway
		}
		path := Path{OnLink: !r.Gateway.IsValid(), MTU: p.link.mtu, Multicast: dst.IsMulticast()}
		if r.MTU > 0 && r.MTU < path.MTU {
			path.MTU = r.MTU
		}
		if path.Multicast {
			next = dst
		}
		return p.path(dst, next, path), nil
	}
	// A group needs no route: it is on every link.
	if dst.IsMulticast() && len(h.ports) > 0 {
		p := h.ports[0]
		return p.path(dst, dst, Path{OnLink: true, Multicast: true, MTU: p.link.mtu}), nil
	}
	return Path{}, ErrNoRoute
}

func (p *Port) path(dst, next netip.Addr, path Path) Path {
	path.Interface, path.port, path.next = p.name, p, next
	path.Source = p.source(dst, next)
	return path
}

// source returns the address of p to send to dst from: the one in the network
// of the next hop, or else the first of that family (RFC 1122, section
// 3.3.4.3).
func (p *Port) source(dst, next netip.Addr) (first netip.Addr) {
	for _, a := range p.prefixes {
		if a.Addr().Is4() != dst.Is4() {
			continue
		}
		if a.Contains(next) {
			return a.Addr()
		}
		if !first.IsValid() {
			first = a.Addr()
		}
	}
	return first
}

// portTo returns the port on whose network a is, or nil.
func (h *Node) portTo(a netip.Addr) *Port {
	for i := range h.routes {
		if r := &h.routes[i]; !r.Gateway.IsValid() && r.To.Contains(a) {
			return r.port
		}
	}
	return nil
}

// Has reports whether a is an address of h. All of 127.0.0.0/8 is, and ::1.
func (h *Node) Has(a netip.Addr) bool {
	for _, p := range h.ports {
		if p.has(a) {
			return true
		}
	}
	return a.IsLoopback()
}

func (p *Port) has(a netip.Addr) bool {
	for i := range p.prefixes {
		if p.prefixes[i].Addr() == a {
			return true
		}
	}
	return false
}

// Addresses returns the addresses of h with their prefixes, interface by
// interface.
func (h *Node) Addresses() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range h.ports {
		all = append(all, p.prefixes...)
	}
	return all
}

// IsBroadcast reports whether a is everybody, on some network of h.
func (h *Node) IsBroadcast(a netip.Addr) bool { return h.broadcastPort(a) != nil }

// broadcastPort returns the port for whose network a is the broadcast address,
// or nil. The limited broadcast, 255.255.255.255, goes to the first.
func (h *Node) broadcastPort(a netip.Addr) *Port {
	if !a.Is4() || len(h.ports) == 0 {
		return nil
	}
	if a == limitedBroadcast() {
		return h.ports[0]
	}
	for _, p := range h.ports {
		for _, own := range p.prefixes {
			if BroadcastOf(own) == a {
				return p
			}
		}
	}
	return nil
}

func limitedBroadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// BroadcastOf returns the broadcast address of a network: all ones behind the
// prefix. A network of two hosts or one has none (RFC 3021), nor has one of IPv6.
func BroadcastOf(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	n := binary.BigEndian.Uint32(b[:]) | (1<<(32-p.Bits()) - 1)
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// UsualBits is the length of the prefix of most networks of a's version of IP.
func UsualBits(a netip.Addr) int {
	if a.Is4() {
		return 24
	}
	return 64
}

// loopbackPort returns the interface of h to itself.
func (h *Node) loopbackPort() *Port {
	if h.lo == nil {
		mtu := h.LoopbackMTU
		if mtu == 0 {
			mtu = maxPacket
		}
		l := h.net.Link(loopback, LinkOptions{MTU: mtu, PointToPoint: true})
		h.lo = &Port{node: h, link: l, name: loopback}
		l.ports = append(l.ports, h.lo)
	}
	return h.lo
}
