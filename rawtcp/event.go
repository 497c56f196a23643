package rawtcp

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// event passes on to the trace what a machine tells.
func (s *Stack) event(c *conn, e tcb.Event) {
	if !c.known && e.Kind != tcb.Dropped {
		return // nothing of it is kept: a SYN cookie
	}
	t := trace.Event{At: e.At, Host: s.name, Local: c.local, Remote: c.remote}
	switch e.Kind {
	case tcb.StateChanged:
		if e.From == tcb.Closed && e.To == tcb.Listen {
			return // its parent listens, and did so before
		}
		t.Kind, t.From, t.To, t.Text = trace.State, e.From.String(), e.To.String(), s.because()
	case tcb.TimerSet:
		t.Kind, t.Name, t.For = trace.TimerSet, e.Timer.String(), e.Deadline-e.At
	case tcb.TimerStopped:
		t.Kind, t.Name = trace.TimerStopped, e.Timer.String()
	case tcb.TimerFired:
		t.Kind, t.Name = trace.TimerFired, e.Timer.String()
		s.cause = t.Name + " timer"
	case tcb.Dropped:
		if e.Reason != tcb.NewIncarnation { // which is taken, if not by this one
			s.dropEvent(e.At, e.Reason)
		}
		return
	case tcb.UrgentArrived:
		t.Kind, t.Text = trace.Note, "urgent data is coming"
	default:
		// A retransmission shows by the rule of the packet.
		return
	}
	s.sink.Event(t)
}

// because says what has caused a change of state.
func (s *Stack) because() string {
	switch {
	case s.cause != "":
		return s.cause
	case s.packet != nil:
		return "receive " + s.in.Flags.String()
	}
	return ""
}

func (s *Stack) stateEvent(now time.Duration, p *pair, from, to tcb.State, why string) {
	if s.sink == nil {
		return
	}
	local, remote := p.sockets()
	s.sink.Event(trace.Event{
		At: now, Kind: trace.State, Host: s.name, Local: local, Remote: remote,
		From: from.String(), To: to.String(), Text: why,
	})
}

func (s *Stack) dropEvent(now time.Duration, why fmt.Stringer) {
	if s.sink != nil {
		s.sink.Event(trace.Event{At: now, Kind: trace.Dropped, Host: s.name, Packet: s.packet, Reason: why})
	}
}

// callEvent tells of a call of the user.
func (s *Stack) callEvent(now time.Duration, k *Socket, name, text string, err error) {
	if s.sink == nil {
		return
	}
	e := trace.Event{At: now, Kind: trace.Call, Host: s.name, Name: name, Text: text, Local: k.local, Remote: k.Remote()}
	switch {
	case errors.Is(err, ErrWouldBlock):
		e.Result = "in progress"
	case err != nil:
		e.Result = err.Error()
	}
	s.sink.Event(e)
}

// transferEvent tells of a read or a write that has done something.
func (s *Stack) transferEvent(now time.Duration, k *Socket, name string, n int, err error) {
	if s.sink == nil {
		return
	}
	text := strconv.Itoa(n) + " bytes"
	if err != nil {
		text = ""
	}
	s.callEvent(now, k, name, text, err)
}
