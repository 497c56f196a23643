package tcb

import "strconv"

// State is one of the eleven states of RFC 9293, section 3.3.2.
type State uint8

// The states, in the order of Stevens. Synchronized ones come last, and of
// these the ones from CloseWait on have had a FIN in one direction or both.
const (
	Closed State = iota
	Listen
	SynSent
	SynRcvd
	Established
	CloseWait
	FinWait1
	Closing
	LastAck
	FinWait2
	TimeWait

	NumStates = iota
)

// String returns the name of s as Stevens writes it, "FIN_WAIT_2".
func (s State) String() string {
	switch s {
	case Closed:
		return "CLOSED"
	case Listen:
		return "LISTEN"
	case SynSent:
		return "SYN_SENT"
	case SynRcvd:
		return "SYN_RCVD"
	case Established:
		return "ESTABLISHED"
	case CloseWait:
		return "CLOSE_WAIT"
	case FinWait1:
		return "FIN_WAIT_1"
	case Closing:
		return "CLOSING"
	case LastAck:
		return "LAST_ACK"
	case FinWait2:
		return "FIN_WAIT_2"
	case TimeWait:
		return "TIME_WAIT"
	}
	return "state-" + strconv.Itoa(int(s))
}

// Synchronized reports whether both ends know each other's sequence numbers:
// "one of the synchronized states (ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2,
// CLOSE-WAIT, CLOSING, LAST-ACK, TIME-WAIT)" (RFC 9293, section 3.5.2).
func (s State) Synchronized() bool { return s >= Established }

// CanSend reports whether the user may hand over more data to be sent.
func (s State) CanSend() bool {
	return s >= SynSent && s <= CloseWait
}

// next lists where each state may go: the arrows of RFC 9293, figure 5 (Fig
// 18-12), and the ways to CLOSED that it leaves out: a reset, an abort, a
// timeout.
var next = [NumStates][]State{
	Closed:      {Listen, SynSent},
	Listen:      {SynRcvd, SynSent, Closed},
	SynSent:     {SynRcvd, Established, Closed},
	SynRcvd:     {Established, FinWait1, Listen, Closed},
	Established: {FinWait1, CloseWait, Closed},
	CloseWait:   {LastAck, Closed},
	FinWait1:    {FinWait2, Closing, TimeWait, Closed},
	Closing:     {TimeWait, Closed},
	LastAck:     {Closed},
	FinWait2:    {TimeWait, Closed},
	TimeWait:    {Closed},
}

// CanBecome reports whether the diagram has an arrow from s to u.
func (s State) CanBecome(u State) bool {
	if s >= NumStates {
		return false
	}
	for _, to := range next[s] {
		if to == u {
			return true
		}
	}
	return false
}
