package ether

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// How neighbors are found, and for how long they are believed.
const (
	// askInterval is between two questions: "The recommended maximum rate is 1
	// per second per destination" (RFC 1122, section 2.3.2.1). It is
	// RETRANS_TIMER too (RFC 4861, section 10).
	askInterval = time.Second
	// askLimit is how often is asked: MAX_MULTICAST_SOLICIT, and
	// MAX_UNICAST_SOLICIT.
	askLimit = 3
	// believed is how long an answer is good for: REACHABLE_TIME. RFC 1122 would
	// have "on the order of a minute" for ARP.
	believed = 30 * time.Second
	// heldLimit is how many packets wait for one neighbor: "SHOULD save (rather
	// than discard) at least one (the latest) packet" (RFC 1122, section
	// 2.3.2.2). All fragments of the longest datagram have room; a host that
	// keeps only the last loses it (Section 11.9).
	heldLimit = 64
	// heldTotal is how many wait in all: strangers can make this host answer
	// neighbors that are not there.
	heldTotal = 256
	// neighborLimit is how many are known, whoever floods the link.
	neighborLimit = 1024
)

// held is a packet that waits for the Ethernet address of its next host.
type held struct {
	packet []byte
	size   int // of the segments that the device is to cut it into, or 0
}

// neighbor is what is known of an address of the link.
type neighbor struct {
	mac   wire.MAC
	known bool // or it has been asked for, and has not answered yet
	used  bool // since it was confirmed
	asked int  // questions since then
	// due is when the next question goes out, or what is known must be
	// confirmed.
	due     time.Duration
	waiting []held
}

// neighbors is the host's part in ARP (RFC 826, RFC 5227) and in neighbor
// discovery (RFC 4861, RFC 4862). Time comes as an argument; what it wants done
// it says by calling its functions.
type neighbors struct {
	mac wire.MAC       // of this host
	own []netip.Prefix // its addresses

	// transmit sends a packet in a frame of its own. It is lent.
	transmit func(to wire.MAC, t wire.EtherType, packet []byte)
	// release sends what has waited.
	release func(to wire.MAC, h held)
	// giveUp is told of what has waited in vain.
	giveUp func(h held)

	known  map[netip.Addr]*neighbor
	silent netip.Addr // who was given up last
	claims claims
	buf    []byte
}

// lookup returns the Ethernet address for a neighbor, or a group or all of them.
// It reports false if it is not known: see hold.
func (n *neighbors) lookup(next netip.Addr) (wire.MAC, bool) {
	if e := n.known[next]; e != nil {
		e.used = true
		return e.mac, e.known
	}
	switch {
	case next.IsMulticast():
		return wire.MulticastMAC(next), true
	case n.isBroadcast(next):
		return wire.Broadcast(), true
	}
	return wire.MAC{}, false
}

func (n *neighbors) isBroadcast(a netip.Addr) bool {
	return slices.ContainsFunc(n.own, func(p netip.Prefix) bool { return link.BroadcastOf(p) == a }) ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// hold keeps a packet for a neighbor that lookup does not know, and asks for it.
func (n *neighbors) hold(now time.Duration, next netip.Addr, h held) {
	e := n.known[next]
	if e == nil {
		e = n.add(next)
	}
	e.waiting = append(e.waiting, h)
	if len(e.waiting) > heldLimit || n.holds() > heldTotal {
		e.waiting = slices.Delete(e.waiting, 0, 1)
	}
	if e.asked == 0 {
		n.ask(now, next, e)
	}
}

// holds returns how many packets wait.
func (n *neighbors) holds() (all int) {
	for _, e := range n.known {
		all += len(e.waiting)
	}
	return all
}

// add returns a new neighbor. If there are too many, the one is forgotten that
// would be the first to go anyway.
func (n *neighbors) add(a netip.Addr) *neighbor {
	if len(n.known) >= neighborLimit {
		var oldest netip.Addr
		for b, e := range n.known {
			if o := n.known[oldest]; o == nil || e.due < o.due || e.due == o.due && b.Less(oldest) {
				oldest = b
			}
		}
		delete(n.known, oldest)
	}
	e := &neighbor{}
	n.known[a] = e
	return e
}

// ask asks for a neighbor: everybody, or itself if only a confirmation is
// wanted. "Unicast Poll -- Actively poll the remote host by periodically sending
// a point-to-point ARP Request to it" (RFC 1122, section 2.3.2.1).
func (n *neighbors) ask(now time.Duration, a netip.Addr, e *neighbor) {
	e.asked++
	e.due = now + askInterval
	if a.Is4() {
		n.askARP(a, e)
	} else {
		n.solicit(a, e)
	}
}

// learn takes down that a neighbor has an Ethernet address. confirmed is whether
// it has just said so to this host.
func (n *neighbors) learn(now time.Duration, a netip.Addr, mac wire.MAC, confirmed bool) {
	e := n.known[a]
	if e == nil {
		e = n.add(a)
	}
	if confirmed || !e.known || e.mac != mac {
		e.asked, e.used = 0, false
		e.due = now + believed
	}
	e.mac, e.known = mac, true
	waiting := e.waiting
	e.waiting = nil
	for _, h := range waiting {
		e.used = true
		n.release(mac, h)
	}
}

// unanswered reports whether a neighbor that was asked for has not answered.
func (n *neighbors) unanswered(a netip.Addr) bool {
	if e := n.known[a]; e != nil {
		return !e.known
	}
	return a == n.silent
}

// onLink reports whether a is on a network of this host, so that it can be a
// neighbor.
func (n *neighbors) onLink(a netip.Addr) bool {
	return a.Is6() && a.IsLinkLocalUnicast() ||
		slices.ContainsFunc(n.own, func(p netip.Prefix) bool { return p.Contains(a) })
}

// source returns the address of this host to ask for a from. There is one, or
// nothing would be sent there.
func (n *neighbors) source(a netip.Addr) (first netip.Addr) {
	for _, p := range n.own {
		if p.Addr().Is4() != a.Is4() {
			continue
		}
		if p.Contains(a) {
			return p.Addr()
		}
		if !first.IsValid() {
			first = p.Addr()
		}
	}
	return first
}

// nextDeadline returns when advance is due.
func (n *neighbors) nextDeadline() (at time.Duration, ok bool) {
	at, ok = n.claims.nextDeadline()
	for _, e := range n.known {
		if !ok || e.due < at {
			at, ok = e.due, true
		}
	}
	return at, ok
}

// advance does what is due: it asks again, gives up, and forgets.
func (n *neighbors) advance(now time.Duration) {
	n.advanceClaims(now)
	var due []netip.Addr
	for a, e := range n.known {
		if e.due <= now {
			due = append(due, a)
		}
	}
	slices.SortFunc(due, netip.Addr.Compare)
	for _, a := range due {
		e := n.known[a]
		if (e.used || len(e.waiting) > 0) && e.asked < askLimit {
			n.ask(now, a, e)
			continue
		}
		delete(n.known, a)
		if !e.known || e.used {
			n.silent = a
		}
		for _, h := range e.waiting {
			n.giveUp(h)
		}
	}
}
