package tcb_test

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// TestTransitions is each of the twenty arrows of Fig 18-12: what causes it,
// and what is sent.
func TestTransitions(t *testing.T) {
	arrows := []struct {
		from, to tcb.State
		do       func(*fixture)
	}{
		{tcb.Closed, tcb.Listen, func(f *fixture) { f.ok(f.c.OpenPassive(f.now, iss)) }},
		{tcb.Closed, tcb.SynSent, func(f *fixture) { f.ok(f.c.OpenActive(f.now, iss)); f.want("S 0:0(0)") }},
		{tcb.Listen, tcb.SynRcvd, func(f *fixture) { f.in("S 0:0(0)"); f.want("S. 0:0(0) ack 1") }},
		{tcb.Listen, tcb.SynSent, func(f *fixture) { f.send(1); f.want("S 0:0(0)") }},
		{tcb.SynRcvd, tcb.Listen, func(f *fixture) { f.in("R 1:1(0)") }},
		{tcb.SynRcvd, tcb.Established, func(f *fixture) { f.in(". 1:1(0) ack 1") }},
		{tcb.SynSent, tcb.Established, func(f *fixture) { f.in("S. 0:0(0) ack 1"); f.want(". 1:1(0) ack 1") }},
		{tcb.SynSent, tcb.SynRcvd, func(f *fixture) { f.in("S 0:0(0)"); f.want("S. 0:0(0) ack 1") }},
		{tcb.SynSent, tcb.Closed, func(f *fixture) { f.ok(f.c.Close(f.now)) }},
		{tcb.SynRcvd, tcb.FinWait1, func(f *fixture) { f.ok(f.c.Close(f.now)); f.want("F. 1:1(0) ack 1") }},
		{tcb.Established, tcb.FinWait1, func(f *fixture) { f.ok(f.c.Close(f.now)); f.want("F. 1:1(0) ack 1") }},
		{tcb.Established, tcb.CloseWait, func(f *fixture) { f.in("F. 1:1(0) ack 1"); f.want(". 1:1(0) ack 2") }},
		{tcb.CloseWait, tcb.LastAck, func(f *fixture) { f.ok(f.c.Close(f.now)); f.want("F. 1:1(0) ack 2") }},
		{tcb.LastAck, tcb.Closed, func(f *fixture) { f.in(". 2:2(0) ack 2") }},
		{tcb.FinWait1, tcb.FinWait2, func(f *fixture) { f.in(". 1:1(0) ack 2") }},
		{tcb.FinWait1, tcb.Closing, func(f *fixture) { f.in("F. 1:1(0) ack 1"); f.want(". 2:2(0) ack 2") }},
		{tcb.FinWait1, tcb.TimeWait, func(f *fixture) { f.in("F. 1:1(0) ack 2"); f.want(". 2:2(0) ack 2") }},
		{tcb.FinWait2, tcb.TimeWait, func(f *fixture) { f.in("F. 1:1(0) ack 2"); f.want(". 2:2(0) ack 2") }},
		{tcb.Closing, tcb.TimeWait, func(f *fixture) { f.in(". 2:2(0) ack 2") }},
		{tcb.TimeWait, tcb.Closed, func(f *fixture) { f.advance(4 * time.Minute) }},
	}
	if len(arrows) != 20 {
		t.Errorf("%d arrows", len(arrows))
	}
	for _, a := range arrows {
		t.Run(fmt.Sprintf("%v to %v", a.from, a.to), func(t *testing.T) {
			f := at(t, a.from)
			a.do(f)
			var got []string
			for _, e := range f.events {
				if e.Kind == tcb.StateChanged {
					got = append(got, fmt.Sprintf("%v to %v", e.From, e.To))
				}
			}
			if want := fmt.Sprintf("%v to %v", a.from, a.to); len(got) != 1 || got[0] != want {
				t.Errorf("%v, want %s in one step", got, want)
			}
		})
	}
}

// TestOtherArrows: the state machine has no arrow besides those twenty and the
// ways to CLOSED that the diagram leaves out.
func TestOtherArrows(t *testing.T) {
	n := 0
	for from := range tcb.State(tcb.NumStates) {
		for to := range tcb.State(tcb.NumStates) {
			if from.CanBecome(to) {
				n++
			}
		}
	}
	// Of the twenty, three lead to CLOSED: from SYN_SENT, LAST_ACK and
	// TIME_WAIT. By a reset, an abort or a timeout the other seven do too.
	if n != 20+7 {
		t.Errorf("%d arrows", n)
	}
}
