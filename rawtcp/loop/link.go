package loop

import "sock/rawtcp/link"

// Link is a link that works by itself, in real time.
//
// The Loop calls Buffer, Send and Flush from one goroutine at a time, with its
// lock held: they must be quick, and must not call the Loop. Path, Has and
// IsBroadcast come under the same lock.
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
