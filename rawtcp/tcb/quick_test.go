package tcb_test

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// quick is a machine in ESTABLISHED that acknowledges n segments at once.
func quick(t *testing.T, n int) *fixture {
	t.Helper()
	return at(t, tcb.Established, set(fmt.Sprintf("ack-quick=%d", n), "ack-delay=40ms", "ack-delay-fin=yes", "rto-min=200ms"))
}

// The first segments are acknowledged at once, the later ones by the usual rules:
// every second one, or after the delay.
func TestQuickAcks(t *testing.T) {
	f := quick(t, 3)
	for i := range 3 {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
		f.want(fmt.Sprintf(". 1:1(0) ack %d", 1001+1000*i))
		f.wantRule(tcb.RuleQuickACK)
	}
	f.in(". 3001:4001(1000) ack 1")
	f.wantNothing()
	f.wantTimer(tcb.TimerDelack, 40*time.Millisecond)
	f.in(". 4001:5001(1000) ack 1")
	f.want(". 1:1(0) ack 5001")
	f.wantRule(tcb.RuleEverySecond)
	f.readAll(5000)
	f.drain()
	// After a silence the peer may start slowly again.
	f.advance(10 * time.Second)
	f.in(". 5001:6001(1000) ack 1")
	f.want(". 1:1(0) ack 6001")
}

// There are no more of them than half of the window has segments, and two.
func TestQuickAcksOfWindow(t *testing.T) {
	f := quick(t, 16)
	for i := range 4 {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
		if i < 3 {
			f.want(fmt.Sprintf(". 1:1(0) ack %d", 1001+1000*i))
		}
	}
	f.wantNothing()
	f.wantTimer(tcb.TimerDelack, 40*time.Millisecond)
}

// An ACK may ride on the answer, once there has been one; it waits until an ACK
// has waited in vain.
func TestQuickAcksAndAnswers(t *testing.T) {
	f := quick(t, 16)
	f.in("P. 1:11(10) ack 1")
	f.want(". 1:1(0) ack 11")
	f.readAll(10)
	f.send(10)
	f.want("P. 1:11(10) ack 11")
	f.in("P. 11:21(10) ack 11")
	f.read(10)
	f.wantNothing()
	f.advance(40 * time.Millisecond)
	f.want(". 11:11(0) ack 21")
	f.wantRule(tcb.RuleDelayedACK)
	f.in("P. 21:31(10) ack 11")
	f.want(". 11:11(0) ack 31")
	f.wantRule(tcb.RuleQuickACK)
}

// When those are used up, the end of a message is acknowledged as soon as the user
// has read it.
func TestQuickAckOfReader(t *testing.T) {
	f := quick(t, 1)
	f.in("P. 1:11(10) ack 1")
	f.in("P. 11:21(10) ack 1")
	f.drain()
	f.in("P. 21:31(10) ack 1")
	f.drain()
	f.in("P. 31:41(10) ack 1")
	f.wantNothing()
	f.read(30)
	f.wantNothing()
	f.read(10)
	f.want(". 1:1(0) ack 41")
	f.wantRule(tcb.RuleQuickACK)
}

// The ACK of a FIN waits for the user to close, though data came along.
func TestQuickAcksAndFIN(t *testing.T) {
	f := quick(t, 16)
	f.in("FP. 1:11(10) ack 1")
	f.readAll(10)
	f.wantNothing()
	f.wantTimer(tcb.TimerDelack, 40*time.Millisecond)
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 12")
}
