package link

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// ARPOptions are how a host does ARP. The zero value is a host of today.
type ARPOptions struct {
	// Timeout is how long an entry is good for; 0 is 20 minutes.
	Timeout time.Duration
	// Pending is how many packets wait for one address; 0 is 3, Berkeley has
	// 1. Of more, the last ones are kept: "The link layer SHOULD save (rather
	// than discard) at least one (the latest) packet of each set of packets
	// destined to the same unresolved IP address" (RFC 1122, section 2.3.2.2).
	Pending int
	// Requests is how often a request is repeated by itself, Interval apart,
	// until the packets that wait are given up; 0 is 3. If it is negative,
	// requests go out only with packets, and nothing is ever given up: so do
	// the systems of the book.
	Requests int
	// Interval is the least time between two requests for one address; 0 is
	// 1 s, less than 0 is none. "The recommended maximum rate is 1 per second
	// per destination." (RFC 1122, section 2.3.2.1)
	Interval time.Duration
}

// timeout and the others return the values with the defaults in place.
func (o *ARPOptions) timeout() time.Duration {
	if o.Timeout == 0 {
		return 20 * time.Minute
	}
	return o.Timeout
}

func (o *ARPOptions) pending() int {
	if o.Pending == 0 {
		return 3
	}
	return o.Pending
}

func (o *ARPOptions) requests() int {
	if o.Requests == 0 {
		return 3
	}
	return max(o.Requests, 0)
}

func (o *ARPOptions) interval() time.Duration {
	if o.Interval == 0 {
		return time.Second
	}
	return max(o.Interval, 0)
}

// arpEntry is what a port knows of one address of its link, or wants to know.
type arpEntry struct {
	ip        netip.Addr
	mac       wire.MAC
	known     bool
	permanent bool
	expires   time.Duration // once known
	asked     time.Duration // when the last request was sent
	requests  int           // since the last answer
	waiting   []outgoing
}

// resolve sends o to the host on the link that has the address next: at once,
// or when its Ethernet address has come to be known.
func (p *Port) resolve(now time.Duration, next netip.Addr, o outgoing) {
	switch {
	case p.link.p2p:
		to := p.peer(next)
		if to < 0 {
			p.sendToNobody(now, o, wire.MAC{})
			return
		}
		p.transmit(now, o, to, wire.MAC{})
	case p.node.IsBroadcast(next):
		p.transmit(now, o, Everybody, wire.Broadcast())
	case next.IsMulticast():
		p.transmit(now, o, Everybody, wire.MulticastMAC(next))
	case next.Is6():
		// There is no neighbour discovery: the link knows its hosts.
		to := p.link.portOf(next)
		if to == nil {
			p.giveUp(now, o)
			return
		}
		p.transmit(now, o, to.index, to.mac)
	default:
		p.resolveARP(now, next, o)
	}
}

// peer returns the end of a point-to-point link that is not p. If it has more
// ends than two it is the one with the address next, or -1; a loopback has
// only its own.
func (p *Port) peer(next netip.Addr) int {
	if len(p.link.ports) == 2 {
		return 1 - p.index
	}
	if to := p.link.portOf(next); to != nil {
		return to.index
	}
	if p == p.node.lo {
		return p.index
	}
	return -1
}

func (p *Port) resolveARP(now time.Duration, next netip.Addr, o outgoing) {
	e := p.entry(next)
	if e != nil && e.known && !e.permanent && e.expires <= now {
		e.known, e.requests = false, 0
	}
	if e != nil && e.known {
		to := p.link.byMAC(e.mac)
		if to < 0 {
			// The frame goes out, and no card takes it.
			p.sendToNobody(now, o, e.mac)
			return
		}
		p.transmit(now, o, to, e.mac)
		return
	}
	if e == nil {
		e = &arpEntry{ip: next}
		p.arp = append(p.arp, e)
	}
	if len(e.waiting) == 0 {
		p.asking++
	}
	e.waiting = append(e.waiting, o)
	if len(e.waiting) > p.node.ARP.pending() {
		p.dropOutgoing(now, e.waiting[0], Displaced)
		e.waiting = slices.Delete(e.waiting, 0, 1)
	}
	if e.requests == 0 || now-e.asked >= p.node.ARP.interval() {
		p.ask(now, e)
	}
}

func (p *Port) entry(ip netip.Addr) *arpEntry {
	for _, e := range p.arp {
		if e.ip == ip {
			return e
		}
	}
	return nil
}

// byMAC returns the end of the link with an Ethernet address, or -1.
func (l *Link) byMAC(m wire.MAC) int {
	for i, p := range l.ports {
		if p.mac == m {
			return i
		}
	}
	return -1
}

// sendToNobody is transmit where no card has the address any more.
func (p *Port) sendToNobody(now time.Duration, o outgoing, dst wire.MAC) {
	n := p.node.net
	n.tell(trace.Event{
		At: now, Kind: trace.Sent, Host: p.node.name, Interface: p.name, Link: p.link.name,
		ID: o.id, Packet: o.packet, Src: p.mac, Dst: dst, Rule: o.why,
	})
	p.dropOutgoing(now, o, Nobody)
}

// ask sends a request for the address of e.
func (p *Port) ask(now time.Duration, e *arpEntry) {
	e.asked = now
	e.requests++
	src := p.source(e.ip, e.ip)
	a := wire.ARP{Op: wire.ARPRequest, SenderMAC: p.mac, SenderIP: src, TargetIP: e.ip}
	p.sendARP(now, a, Everybody, wire.Broadcast(), trace.Rule{Text: "whose address is that", RFC: "RFC 826"})
}

func (p *Port) sendARP(now time.Duration, a wire.ARP, to int, dst wire.MAC, why trace.Rule) {
	n := p.node.net
	o := outgoing{id: n.newID(), packet: a.AppendTo(n.bufs.get()), why: why}
	p.transmit(now, o, to, dst)
}

// receiveARP does as RFC 826 says under "Packet Reception": an address that
// is known already is brought up to date by any packet of its owner; one that
// is not is learned from a packet to this host.
func (p *Port) receiveARP(now time.Duration, f *Frame) {
	h := p.node
	var a wire.ARP
	if why := a.Decode(f.Packet); why != wire.OK {
		h.refuse(now, p, f, why)
		return
	}
	h.net.bufs.put(f.Packet)
	mine := p.has(a.TargetIP)
	if e := p.entry(a.SenderIP); e != nil || mine && a.SenderIP.IsValid() && !a.SenderIP.IsUnspecified() {
		p.learn(now, a.SenderIP, a.SenderMAC)
	}
	if mine && a.Op == wire.ARPRequest {
		reply := wire.ARP{
			Op: wire.ARPReply, SenderMAC: p.mac, SenderIP: a.TargetIP,
			TargetMAC: a.SenderMAC, TargetIP: a.SenderIP,
		}
		to := p.link.byMAC(a.SenderMAC)
		if to < 0 {
			to = f.From
		}
		p.sendARP(now, reply, to, a.SenderMAC, trace.Rule{Text: "that is my address", RFC: "RFC 826"})
	}
}

// learn puts an address into the cache, and sends what has waited for it.
func (p *Port) learn(now time.Duration, ip netip.Addr, mac wire.MAC) {
	e := p.entry(ip)
	if e == nil {
		e = &arpEntry{ip: ip}
		p.arp = append(p.arp, e)
	}
	if e.permanent {
		return
	}
	e.mac, e.known, e.requests = mac, true, 0
	e.expires = now + p.node.ARP.timeout()
	for _, o := range p.takeWaiting(e) {
		p.resolveARP(now, ip, o)
	}
}

func (p *Port) takeWaiting(e *arpEntry) []outgoing {
	waiting := e.waiting
	if len(waiting) > 0 {
		e.waiting = nil
		p.asking--
	}
	return waiting
}

// SetARP puts an address into the cache for good, as "arp -s" does.
func (p *Port) SetARP(now time.Duration, ip netip.Addr, mac wire.MAC) {
	p.learn(now, ip, mac)
	p.entry(ip).permanent = true
}

// ARPEntry is one line of "arp -a".
type ARPEntry struct {
	IP        netip.Addr
	MAC       wire.MAC
	Complete  bool // false: asked for, and not answered yet
	Permanent bool
}

// ARPCache returns what p knows of its link, oldest first.
func (p *Port) ARPCache(now time.Duration) []ARPEntry {
	var all []ARPEntry
	for _, e := range p.arp {
		if e.known && !e.permanent && e.expires <= now {
			continue
		}
		all = append(all, ARPEntry{IP: e.ip, MAC: e.mac, Complete: e.known, Permanent: e.permanent})
	}
	return all
}

// arpDeadline returns when the next request is due, or the end of waiting.
func (p *Port) arpDeadline() (at time.Duration, ok bool) {
	if p.node.ARP.requests() == 0 {
		return 0, false
	}
	for _, e := range p.arp {
		if t := e.asked + p.retryAfter(); len(e.waiting) > 0 && (!ok || t < at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// retryAfter is the time between requests that a timer sends: never none.
func (p *Port) retryAfter() time.Duration {
	if i := p.node.ARP.interval(); i > 0 {
		return i
	}
	return time.Second
}

// arpAdvance asks again, or gives up.
func (p *Port) arpAdvance(now time.Duration) {
	requests := p.node.ARP.requests()
	if requests == 0 {
		return
	}
	for _, e := range slices.Clone(p.arp) {
		if len(e.waiting) == 0 || e.asked+p.retryAfter() > now {
			continue
		}
		if e.requests < requests {
			p.ask(now, e)
			continue
		}
		waiting := p.takeWaiting(e)
		p.arp = slices.DeleteFunc(p.arp, func(other *arpEntry) bool { return other == e })
		for _, o := range waiting {
			p.giveUp(now, o)
		}
	}
}

// giveUp drops a packet whose next host does not answer, and tells its sender,
// who may be the transport layer of this host.
func (p *Port) giveUp(now time.Duration, o outgoing) {
	p.node.Complain(now, o.packet, hostUnreachable())
	p.dropOutgoing(now, o, Unresolved)
}

func (p *Port) dropOutgoing(now time.Duration, o outgoing, why Reason) {
	f := Frame{ID: o.id, Packet: o.packet, Src: p.mac}
	p.node.refuse(now, p, &f, why)
}

// forget empties the cache; what waited is lost.
func (p *Port) forget(now time.Duration) {
	for _, e := range p.arp {
		for _, o := range p.takeWaiting(e) {
			p.dropOutgoing(now, o, HostDown)
		}
	}
	p.arp = nil
}
