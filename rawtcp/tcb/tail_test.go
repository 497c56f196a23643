package tcb_test

import (
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// probing is a machine in ESTABLISHED that probes the tail of a flight, and that
// has measured a round-trip time of 20 ms.
func probing(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, set("sack=yes", "tail-probe=8ms", "tail-ack-delay=200ms", "rto-min=200ms", "rto-variance=200ms"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.advance(20 * time.Millisecond)
	f.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	f.want(". 1:1(0) ack 1")
	return f
}

// RFC 8985, 7.2 and 7.3: "PTO = 2 * SRTT", then "Retransmit the highest-sequence
// segment sent so far", and "the sender MUST rearm the RTO timer, not the PTO
// timer".
func TestTailProbe(t *testing.T) {
	f := probing(t)
	f.send(2500)
	f.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1")
	f.wantTimer(tcb.TimerRexmt, 48*time.Millisecond)
	f.c.SetNoDelay(true)
	f.want("P. 2001:2501(500) ack 1")
	f.advance(10 * time.Millisecond)
	f.send(100)
	f.want("P. 2501:2601(100) ack 1")
	f.wantTimer(tcb.TimerRexmt, 48*time.Millisecond) // from the last segment on
	f.advanceToTimer()
	f.want("P. 2501:2601(100) ack 1")
	f.wantRule(tcb.RuleTailProbe)
	f.wantTimer(tcb.TimerRexmt, 220*time.Millisecond)
	f.advanceToTimer()
	f.want(". 1:1001(1000) ack 1")
	f.wantRule(tcb.RuleTimeout)
	f.wantTimer(tcb.TimerRexmt, 440*time.Millisecond)
}

// "If FlightSize is one segment: PTO += TLP.max_ack_delay", and no later than the
// RTO: so Linux sends a lone segment again after 200 ms, and once more after as
// long.
func TestTailProbeOfOneSegment(t *testing.T) {
	f := probing(t)
	f.send(100)
	f.want("P. 1:101(100) ack 1")
	f.wantTimer(tcb.TimerRexmt, 220*time.Millisecond)
	for _, rule := range []tcb.Rule{tcb.RuleTailProbe, tcb.RuleTimeout} {
		if d := f.advanceToTimer(); d != 220*time.Millisecond {
			t.Errorf("after %v", d)
		}
		f.want("P. 1:101(100) ack 1")
		f.wantRule(rule)
	}
	f.wantTimer(tcb.TimerRexmt, 440*time.Millisecond)
}

// "If an unsent segment exists AND the receive window allows new data to be sent:
// Transmit the lowest-sequence unsent segment".
func TestTailProbeOfNewData(t *testing.T) {
	f := probing(t)
	f.send(1000)
	f.want("P. 1:1001(1000) ack 1")
	f.send(10) // that Nagle's algorithm holds back
	f.wantNothing()
	f.advanceToTimer()
	f.want("P. 1001:1011(10) ack 1")
	f.wantRule(tcb.RuleTailProbe)
	f.in(". 1:1(0) ack 1011")
	f.wantNoTimer()
	f.send(10)
	f.want("P. 1011:1021(10) ack 1")
	f.advanceToTimer()
	f.want("P. 1011:1021(10) ack 1")
	f.wantRule(tcb.RuleTailProbe)
}

// The FIN is the last of a flight, too.
func TestTailProbeOfFIN(t *testing.T) {
	f := probing(t)
	f.send(1000)
	f.want("P. 1:1001(1000) ack 1")
	f.ok(f.c.Shutdown(f.now))
	f.want("F. 1001:1001(0) ack 1")
	f.wantTimer(tcb.TimerRexmt, 48*time.Millisecond)
	f.advanceToTimer()
	f.want("F. 1001:1001(0) ack 1")
	f.wantRule(tcb.RuleTailProbe)
}

// 7.4.2: a probe that has mended the only loss takes the window back, as soon as
// more than it is acknowledged; one that arrived twice, as a DSACK tells, does
// not.
func TestTailProbeAndWindow(t *testing.T) {
	for _, c := range []struct {
		answer string
		less   bool
	}{
		{". 1:1(0) ack 2001", true},
		{". 1:1(0) ack 2001 <sack 1001:2001>", false},
	} {
		f := probing(t)
		f.send(2000)
		f.want(". 1:1001(1000) ack 1", "P. 1001:2001(1000) ack 1")
		f.advanceToTimer()
		f.want("P. 1001:2001(1000) ack 1")
		before := f.c.Info().Cwnd
		f.in(c.answer)
		f.send(1000)
		f.want("P. 2001:3001(1000) ack 1")
		f.in(". 1:1(0) ack 3001")
		if less := f.c.Info().Cwnd < before; less != c.less {
			t.Errorf("%s: the window is %d, and was %d", c.answer, f.c.Info().Cwnd, before)
		}
	}
}
