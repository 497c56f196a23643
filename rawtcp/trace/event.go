package trace

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"sock/rawtcp/wire"
)

// Kind says what an Event tells of, and so which of its fields have a meaning.
type Kind uint8

const (
	// Call is a call of the user that has returned: Name, Text (what it was
	// given), Result, Local and Remote.
	Call Kind = iota + 1
	// Sent is a packet put on a link: Interface, Link, ID, Packet, Src, Dst,
	// Rule.
	Sent
	// Received is a packet taken from a link, with the ID it was Sent with;
	// the fields are those of Sent.
	Received
	// State is a change of state: From, To, Text (what caused it), Local,
	// Remote and Rule.
	State
	// TimerSet is a timer that now runs: Name, For, Local and Remote.
	TimerSet
	// TimerFired is a timer that has run out: Name, Local and Remote.
	TimerFired
	// TimerStopped is a timer that will not run out: Name, Local and Remote.
	TimerStopped
	// Dropped is a packet that goes no further, and why: Reason, Rule, and
	// the fields of Sent as far as they are known.
	Dropped
	// Note is anything else: Text.
	Note
)

// String returns k as JSON lines have it: "call", "sent", "received", "state",
// "timer-set", "timer-fired", "timer-stopped", "dropped", "note".
func (k Kind) String() string {
	switch k {
	case Call:
		return "call"
	case Sent:
		return "sent"
	case Received:
		return "received"
	case State:
		return "state"
	case TimerSet:
		return "timer-set"
	case TimerFired:
		return "timer-fired"
	case TimerStopped:
		return "timer-stopped"
	case Dropped:
		return "dropped"
	case Note:
		return "note"
	}
	return "kind-" + strconv.Itoa(int(k))
}

// Rule is why something was done: what the rule says, and who says so.
type Rule struct {
	Text string // "delayed ACK: two segments have arrived"
	RFC  string // "RFC 9293, section 3.8.6.3", "Fig 18-23"
}

// String returns r as "text (RFC)", or what there is of it.
func (r Rule) String() string {
	switch {
	case r.RFC == "":
		return r.Text
	case r.Text == "":
		return r.RFC
	}
	return r.Text + " (" + r.RFC + ")"
}

// Event is one thing that happened. The fields that the Kind does not name
// are zero.
type Event struct {
	// At is when it happened, since an epoch that whoever started the clock
	// chose. Events come in the order of their times.
	At   time.Duration
	Kind Kind

	Host      string // who tells; "" is the network itself
	Interface string // of Host, "le0"
	Link      string // what Interface is attached to

	// ID is the same for all that becomes of one packet: sent, forwarded,
	// received, twice if it was duplicated, dropped. It is never 0.
	ID uint64
	// Packet is an IP packet or an ARP packet. It is the teller's: who wants it after the call must copy it.
	Packet   []byte
	Src, Dst wire.MAC // zero on a link without such addresses

	Local, Remote netip.AddrPort // the connection
	From, To      string         // states, "SYN_SENT"

	Name   string        // of a call or a timer: "connect", "2MSL"
	Text   string        // in words
	Result string        // what the call returned
	For    time.Duration // how long the timer will run

	// Reason is why a packet was dropped. It is a value of the type of whoever
	// dropped it, a wire.Reason for one.
	Reason fmt.Stringer
	Rule   Rule
}

// Version is the version of IP of e.Packet, 4 or 6, or another number if it is
// damaged or ARP.
func (e *Event) Version() int { return wire.Version(e.Packet) }

// isARP reports whether e.Packet is ARP, which begins with the hardware type 1. An
// IP packet whose version has become 0 by damage has the length of its header there,
// which is five words at least.
func (e *Event) isARP() bool { return len(e.Packet) > 0 && e.Packet[0] < 5 }
