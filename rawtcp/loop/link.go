package loop

import (
	"net/netip"

	"sock/rawtcp"
	"sock/rawtcp/link"
)

// Link is a link that works by itself, in real time.
//
// The Loop calls all but Start and Close from one goroutine at a time, with its
// lock held. So they must not call the Loop, and must not wait for the other
// end, which may be waiting for this one: what finds no room is dropped, or left
// to a goroutine of the link's.
type Link interface {
	link.IP
	// Start begins to hand over what arrives: receive is called with one
	// packet or many, each a whole IP packet without anything behind it, from
	// any goroutine. They are lent until it returns. Start is called once.
	Start(receive func(packets [][]byte))
	// Flush is called when nothing more follows for now. A link that sends
	// many packets at once keeps those of Send until then.
	Flush()
	// Close ends the link: when it returns, receive is not called any more.
	Close() error
}

// Shared is a Link on addresses that another TCP has too, the kernel's, with
// whom it shares the ports. It also carries what the host sends to itself, the
// loopback addresses included: the other TCP may be who it is for.
type Shared interface {
	Link
	rawtcp.Ports
}

// Multicast is a Link that must be told of which groups its host is a member, to
// hand over what is sent to them. One that is not hands over all.
type Multicast interface {
	Link
	Join(group netip.Addr)
	Leave(group netip.Addr)
}
