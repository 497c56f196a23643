package link

import "strconv"

// Reason says why a packet was dropped. What a decoder of package wire
// refuses has a wire.Reason instead.
type Reason uint8

// The reasons, by who finds them.
const (
	// OK is no reason: the packet went on.
	OK Reason = iota

	// A link.
	Lost      // by chance
	ByRule    // because a Rule says so
	Cut       // the cable was cut
	QueueFull // too many packets waited to be sent
	Nobody    // no host on the link has that address

	// A host.
	HostDown    // it is not running
	NotMine     // for another host, and this one does not forward
	Spoofed     // from an address of this very host
	NoHandler   // nobody takes the packets of that protocol
	Unresolved  // no answer to ARP
	Displaced   // another packet waits for ARP in its place
	NotComplete // fragments are missing, and it is too late for them

	// A router.
	TTLExceeded  // it has come too far
	NoRoute      // no way leads there
	DontFragment // longer than the next MTU, and must not be fragmented
	NotUnicast   // broadcasts and multicasts are not forwarded

	NumReasons = iota
)

// String returns r in a few words, as a trace prints it.
func (r Reason) String() string {
	switch r {
	case OK:
		return "ok"
	case Lost:
		return "lost"
	case ByRule:
		return "dropped by rule"
	case Cut:
		return "cable cut"
	case QueueFull:
		return "queue full"
	case Nobody:
		return "nobody has that address"
	case HostDown:
		return "host down"
	case NotMine:
		return "not for this host"
	case Spoofed:
		return "from an address of this host"
	case NoHandler:
		return "nobody listens"
	case Unresolved:
		return "no ARP reply"
	case Displaced:
		return "displaced while waiting for ARP"
	case NotComplete:
		return "fragments missing"
	case TTLExceeded:
		return "TTL exceeded"
	case NoRoute:
		return "no route"
	case DontFragment:
		return "needs fragmenting, and DF is set"
	case NotUnicast:
		return "not forwarded: broadcast or multicast"
	}
	return "reason-" + strconv.Itoa(int(r))
}
