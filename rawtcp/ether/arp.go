package ether

import (
	"net/netip"
	"time"

	"sock/rawtcp/wire"
)

// askARP sends a request.
func (n *neighbors) askARP(a netip.Addr, e *neighbor) {
	to := wire.Broadcast()
	if e.known {
		to = e.mac
	}
	n.sendARP(to, wire.ARP{Op: wire.ARPRequest, SenderMAC: n.mac, SenderIP: n.source(a), TargetIP: a})
}

func (n *neighbors) sendARP(to wire.MAC, a wire.ARP) {
	n.buf = a.AppendTo(n.buf[:0])
	n.transmit(to, wire.EtherARP, n.buf)
}

// receiveARP does as RFC 826 says under "Packet Reception": what is known is
// brought up to date by any packet, and who asks this host becomes known.
func (n *neighbors) receiveARP(now time.Duration, b []byte) wire.Reason {
	var a wire.ARP
	if why := a.Decode(b); why != wire.OK {
		return why
	}
	n.contested(now, &a)
	mine := n.claims.has(a.TargetIP)
	// A probe has no sender address: "This field MUST be set to all zeroes, to
	// avoid polluting ARP caches" (RFC 5227, section 1.1).
	if !a.SenderIP.IsUnspecified() && n.onLink(a.SenderIP) && a.SenderMAC != n.mac {
		if n.known[a.SenderIP] != nil || mine {
			n.learn(now, a.SenderIP, a.SenderMAC, mine && a.Op == wire.ARPReply)
		}
	}
	if mine && a.Op == wire.ARPRequest {
		n.sendARP(a.SenderMAC, wire.ARP{
			Op: wire.ARPReply, SenderMAC: n.mac, SenderIP: a.TargetIP,
			TargetMAC: a.SenderMAC, TargetIP: a.SenderIP,
		})
	}
	return wire.OK
}

// contested looks whether somebody else has, or wants, an address of this host.
func (n *neighbors) contested(now time.Duration, a *wire.ARP) {
	switch {
	case n.claims.wants(a.SenderIP):
		// "If [...] the host receives any ARP packet (Request *or* Reply) [...]
		// where the packet's 'sender IP address' is the address being probed
		// for, then the host MUST treat this address as being in use" (RFC
		// 5227, section 2.1.1).
		n.claims.lose(a.SenderIP, a.SenderMAC)
	case n.claims.wants(a.TargetIP) && a.SenderIP.IsUnspecified() && a.SenderMAC != n.mac:
		// Another host probes for it at the same time.
		n.claims.lose(a.TargetIP, a.SenderMAC)
	case n.claims.has(a.SenderIP) && a.SenderMAC != n.mac && n.claims.mayDefend(now):
		// "the host can elect to attempt to defend its address by [...]
		// broadcasting one single ARP Announcement" (section 2.4).
		n.announceARP(a.SenderIP)
	}
}

// announceARP tells everybody that an address is this host's: a request for
// itself.
func (n *neighbors) announceARP(own netip.Addr) {
	n.sendARP(wire.Broadcast(), wire.ARP{Op: wire.ARPRequest, SenderMAC: n.mac, SenderIP: own, TargetIP: own})
}

// probeARP asks who has an address that this host would like to have.
func (n *neighbors) probeARP(own netip.Addr) {
	n.sendARP(wire.Broadcast(), wire.ARP{
		Op: wire.ARPRequest, SenderMAC: n.mac, SenderIP: netip.IPv4Unspecified(), TargetIP: own,
	})
}
