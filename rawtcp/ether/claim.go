package ether

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/wire"
)

// How an address is claimed. RFC 5227 would have three probes and 4 s at least,
// RFC 4862 one and 1 s, both after a random delay, for any network there may be
// and for hosts that all come up at once. A user waits for this one, so it takes
// the three within 0.6 s: a neighbor answers in far less than 0.2 s.
const (
	probeCount    = 3
	probeInterval = 200 * time.Millisecond
	// announceCount and announceInterval are ANNOUNCE_NUM and
	// ANNOUNCE_INTERVAL of RFC 5227.
	announceCount    = 2
	announceInterval = 2 * time.Second
	// defendInterval is its DEFEND_INTERVAL.
	defendInterval = 10 * time.Second
)

// claims is how far this host has got with its addresses.
type claims struct {
	all      []claim
	defended time.Duration
	defends  bool // defended is set
}

// claim is one address: it is probed for, announced, and then this host's.
type claim struct {
	address netip.Addr
	ours    bool
	lost    bool
	taker   wire.MAC // who has it, if it is lost
	sent    int      // of the probes, or of the announcements
	due     time.Duration
}

// InUseError is that an address of a host is another's.
type InUseError struct {
	Address netip.Addr
	MAC     wire.MAC // whose it is
}

// Error says so.
func (e *InUseError) Error() string {
	return fmt.Sprintf("--addr %v is in use by %v: take another", e.Address, e.MAC)
}

// claim begins to claim all addresses.
func (n *neighbors) claim(now time.Duration) {
	for _, p := range n.own {
		n.claims.all = append(n.claims.all, claim{address: p.Addr(), due: now})
	}
	n.advanceClaims(now)
}

// claimed reports whether all addresses are this host's, or why one never is: an
// *InUseError.
func (n *neighbors) claimed() (bool, error) {
	all := true
	for _, c := range n.claims.all {
		if c.lost {
			return false, &InUseError{c.address, c.taker}
		}
		all = all && c.ours
	}
	return all, nil
}

// has reports whether a is this host's.
func (c *claims) has(a netip.Addr) bool {
	return slices.ContainsFunc(c.all, func(x claim) bool { return x.ours && x.address == a })
}

// wants reports whether this host would like to have a, and has not yet.
func (c *claims) wants(a netip.Addr) bool {
	return slices.ContainsFunc(c.all, func(x claim) bool { return !x.ours && !x.lost && x.address == a })
}

// lose leaves a to who has it.
func (c *claims) lose(a netip.Addr, to wire.MAC) {
	for i := range c.all {
		if x := &c.all[i]; x.address == a {
			x.lost, x.taker = true, to
		}
	}
}

// mayDefend reports whether this host may say again that an address is its own:
// two who both think so must not shout at each other.
func (c *claims) mayDefend(now time.Duration) bool {
	if c.defends && now-c.defended < defendInterval {
		return false
	}
	c.defended, c.defends = now, true
	return true
}

func (c *claims) nextDeadline() (at time.Duration, ok bool) {
	for _, x := range c.all {
		if x.busy() && (!ok || x.due < at) {
			at, ok = x.due, true
		}
	}
	return at, ok
}

// busy reports whether something is still to be sent, or waited for.
func (x *claim) busy() bool { return !x.lost && (!x.ours || x.sent < announceCount) }

// advanceClaims sends the probes and announcements that are due.
func (n *neighbors) advanceClaims(now time.Duration) {
	for i := range n.claims.all {
		x := &n.claims.all[i]
		if !x.busy() || x.due > now {
			continue
		}
		if !x.ours && x.sent == probeCount {
			x.ours, x.sent = true, 0
		}
		x.sent++
		switch {
		case x.ours:
			x.due = now + announceInterval
			n.announce(x.address)
		default:
			x.due = now + probeInterval
			n.probe(x.address)
		}
	}
}

func (n *neighbors) announce(own netip.Addr) {
	if own.Is4() {
		n.announceARP(own)
	} else {
		n.announceND(own)
	}
}

func (n *neighbors) probe(own netip.Addr) {
	if own.Is4() {
		n.probeARP(own)
	} else {
		n.probeND(own)
	}
}
