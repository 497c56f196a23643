package rawtcp

// Reason says why the Stack dropped a packet, where it was not the machine of a
// connection that did (tcb.Reason) or the codec (wire.Reason).
type Reason uint8

// The reasons.
const (
	BadChecksum Reason = iota + 1 // of the TCP segment
	NotUnicast                    // TCP to or from a broadcast or multicast address
	Mapped                        // IPv6 with an IPv4 address: it would be taken for IPv4
	Fragment                      // whoever is below puts them together
	OtherProto                    // neither TCP nor ICMP
	QueueFull                     // a SYN, and no room in the listen queue
	QuietTime                     // the host was booted less than an MSL ago
	StrayICMP                     // an error about no connection of ours

	NumReasons = iota + 1
)

// String returns r in a few words, as a trace prints it.
func (r Reason) String() string {
	switch r {
	case BadChecksum:
		return "bad checksum"
	case NotUnicast:
		return "TCP to or from a broadcast or multicast address"
	case Mapped:
		return "an IPv4 address in IPv6"
	case Fragment:
		return "a fragment"
	case OtherProto:
		return "nobody takes this protocol"
	case QueueFull:
		return "the listen queue is full"
	case QuietTime:
		return "quiet time after the boot"
	case StrayICMP:
		return "about no connection of this host"
	}
	return "unknown reason"
}
