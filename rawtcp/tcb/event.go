package tcb

import (
	"strconv"
	"time"

	"sock/rawtcp/wire"
)

// Timer is one of the timers of a connection.
type Timer uint8

// The timers. No more than one of TimerRexmt and TimerPersist is set.
const (
	TimerRexmt    Timer = iota // for what is unacknowledged, a SYN and a FIN too
	TimerPersist               // for what the window does not allow
	TimerConnect               // limits how long a connection takes to open
	TimerKeep                  // keepalive
	Timer2MSL                  // TIME_WAIT
	TimerFinWait2              // how long FIN_WAIT_2 may last
	TimerDelack                // the delayed ACK

	NumTimers = iota
)

// String returns the name of t as a trace prints it.
func (t Timer) String() string {
	switch t {
	case TimerRexmt:
		return "rexmt"
	case TimerPersist:
		return "persist"
	case TimerConnect:
		return "connect"
	case TimerKeep:
		return "keep"
	case Timer2MSL:
		return "2msl"
	case TimerFinWait2:
		return "fin_wait_2"
	case TimerDelack:
		return "delack"
	}
	return "timer-" + strconv.Itoa(int(t))
}

// EventKind says what an Event tells of.
type EventKind uint8

// The kinds, and the fields of Event that have a meaning with each.
const (
	StateChanged  EventKind = iota // From, To
	TimerSet                       // Timer, Deadline
	TimerStopped                   // Timer
	TimerFired                     // Timer
	Dropped                        // Segment, Reason
	Retransmit                     // Segment, Rule
	UrgentArrived                  // the peer points to urgent data further on
)

// Event is something that has happened within the machine. Segments that come
// in and go out are no events: the caller has them in its hands.
type Event struct {
	At       time.Duration
	Kind     EventKind
	From, To State
	Timer    Timer
	Deadline time.Duration
	Reason   Reason
	Rule     Rule
	Segment  *wire.Segment // good until the hook returns
}

// Hook is told of events as they happen. It must not call the machine.
type Hook func(Event)
