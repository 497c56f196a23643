package tcb

import "strconv"

// Reason says why a segment, or a part of it, was not taken. The zero Reason,
// OK, says that it was.
type Reason uint8

// The reasons, in the order of the checks.
const (
	OK Reason = iota

	// NewIncarnation is not a refusal by itself: in TIME_WAIT a SYN has come
	// that may begin a new connection between the same sockets. Who owns
	// the machine replaces it by one in LISTEN, if anybody listens, with
	// the initial sequence number of ReuseISS.
	NewIncarnation

	NotOpen         // CLOSED: there is no connection
	NotSYN          // LISTEN: neither a SYN nor an ACK
	AckToListen     // LISTEN: acknowledges what was never sent
	ResetToListen   // LISTEN: there is nothing to reset
	SYNWithFIN      // LISTEN: the profile discards SYN+FIN
	SYNData         // LISTEN: the profile does not keep data of a SYN
	AckOfSYN        // SYN_SENT: does not acknowledge our SYN
	ResetNoAck      // SYN_SENT: a RST that does not acknowledge our SYN
	NoSYN           // SYN_SENT: neither SYN nor RST
	NoTimestamp     // timestamps were agreed on, and it has none
	OldTimestamp    // PAWS: older than the newest seen
	OldDuplicate    // all of it is left of the window
	OutsideWindow   // all of it is right of the window, or the window is 0
	BadReset        // a RST in the window, but not at its left edge
	SYNInWindow     // a SYN in a synchronized state
	NoACK           // an ACK is due in this state
	AckOld          // acknowledges what has long been acknowledged
	AckTooNew       // acknowledges what was never sent
	ReassemblyFull  // too many holes in what has arrived
	DataAfterClose  // the user has closed; the data can reach nobody
	DataAfterFIN    // the peer had said that there would be no more
	Assassin        // TIME_WAIT: a RST that would end it (RFC 1337)
	TimeWaitSegment // TIME_WAIT: whatever else
	SimultaneousBug // SYN_RCVD: the profile falls into the SYN+ACK loop

	NumReasons = iota
)

// String returns r in a few words, as a trace prints it.
func (r Reason) String() string {
	switch r {
	case OK:
		return "ok"
	case NewIncarnation:
		return "SYN of a new incarnation"
	case NotOpen:
		return "no connection"
	case NotSYN:
		return "no SYN to a listener"
	case AckToListen:
		return "ACK to a listener"
	case ResetToListen:
		return "RST to a listener"
	case SYNWithFIN:
		return "SYN with FIN"
	case SYNData:
		return "data in a SYN"
	case AckOfSYN:
		return "does not acknowledge our SYN"
	case ResetNoAck:
		return "RST that does not acknowledge our SYN"
	case NoSYN:
		return "neither SYN nor RST"
	case NoTimestamp:
		return "no timestamp"
	case OldTimestamp:
		return "old timestamp (PAWS)"
	case OldDuplicate:
		return "old duplicate"
	case OutsideWindow:
		return "outside the window"
	case BadReset:
		return "RST not at the left edge of the window"
	case SYNInWindow:
		return "SYN in a synchronized state"
	case NoACK:
		return "no ACK"
	case AckOld:
		return "old ACK"
	case AckTooNew:
		return "ACK of what was never sent"
	case ReassemblyFull:
		return "too many holes"
	case DataAfterClose:
		return "data after close"
	case DataAfterFIN:
		return "data after FIN"
	case Assassin:
		return "RST in TIME_WAIT"
	case TimeWaitSegment:
		return "TIME_WAIT"
	case SimultaneousBug:
		return "SYN+ACK in SYN_RCVD"
	}
	return "reason-" + strconv.Itoa(int(r))
}
