package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// rttVars are the estimate of the round-trip time, and the retransmission
// timeout that follows from it (RFC 6298).
type rttVars struct {
	srtt, rttvar time.Duration // 0 before the first sample
	rto          time.Duration // RTO without back-off; 0 before the first sample
	start        time.Duration // when the segment that is timed was sent
	since        time.Duration // since when una has not moved
	at           seq.Value     // its first number
	timing       bool
	shift        uint8 // how often the RTO has been doubled
	tries        uint8 // how often una has been retransmitted
}

// time begins to time the segment at, if none is being timed.
func (r *rttVars) time(now time.Duration, at seq.Value) {
	if !r.timing {
		r.timing, r.at, r.start = true, at, now
	}
}

// resent stops the timing: "RTT samples MUST NOT be made using segments that
// were retransmitted (and thus for which it is ambiguous whether the reply was
// for the first instance of the packet or a later instance)." (Karn's
// algorithm; RFC 6298, section 3)
func (r *rttVars) resent() { r.timing = false }

// sample takes in what an ACK of all before ack says of the round-trip time.
// echo is how old the timestamp is that it echoes, or negative.
func (t *TCB) sample(now time.Duration, ack seq.Value, echo time.Duration) {
	r := &t.rtt
	switch {
	case r.timing && r.at.Less(ack):
		r.timing = false
		if t.cfg.TickRTT {
			t.tickSample(1 + t.cfg.Slow.Ticks(r.start, now))
			return
		}
		t.addSample(now - r.start)
	case !r.timing && echo >= 0:
		// "when the timestamp option is used [...] retransmitted segments"
		// can be timed too: "the TSecr field tells which" (RFC 7323, 4.1).
		t.addSample(echo)
	}
}

// addSample is RFC 6298, section 2.
func (t *TCB) addSample(rtt time.Duration) {
	r := &t.rtt
	if r.srtt == 0 {
		// "(2.2) When the first RTT measurement R is made, the host MUST set
		// SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + max (G, K*RTTVAR)".
		r.srtt, r.rttvar = max(rtt, 1), rtt/2
	} else {
		// "(2.3) [...] RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|,
		// SRTT <- (1 - alpha) * SRTT + alpha * R'", alpha=1/8, beta=1/4.
		r.rttvar += ((r.srtt - rtt).Abs() - r.rttvar) / 4
		r.srtt = max(r.srtt+(rtt-r.srtt)/8, 1)
	}
	t.setRTO(r.srtt + max(t.cfg.Granularity, 4*r.rttvar))
}

// tickSample is tcp_xmit_timer of the Berkeley code: rtt counts ticks, the
// first one is the tick the segment was sent in, srtt is kept in eighths of a
// tick and rttvar in fourths. What rounding does to it gives the timeouts of
// the book: 1.5 s on a fast network, whatever is measured.
func (t *TCB) tickSample(rtt int) {
	r, tick := &t.rtt, max(t.cfg.Slow.Tick, 1)
	srtt, rttvar := int(r.srtt*8/tick), int(r.rttvar*4/tick)
	if srtt == 0 {
		srtt, rttvar = rtt*8, rtt*2
	} else {
		delta := rtt - 1 - srtt/8
		srtt = max(srtt+delta, 1)
		rttvar = max(rttvar+max(delta, -delta)-rttvar/4, 1)
	}
	r.srtt = time.Duration(srtt) * tick / 8
	r.rttvar = time.Duration(rttvar) * tick / 4
	t.setRTO(time.Duration(srtt/8+rttvar) * tick)
}

func (t *TCB) setRTO(rto time.Duration) {
	// "(2.4) Whenever RTO is computed, if it is less than 1 second, then the
	// RTO SHOULD be rounded up to 1 second."
	t.rtt.rto = max(min(rto, t.cfg.MaxRTO), t.cfg.MinRTO)
	t.rtt.shift = 0
}

// baseRTO is the RTO before back-off.
func (t *TCB) baseRTO() time.Duration {
	if t.rtt.rto == 0 {
		return t.cfg.InitialRTO
	}
	return t.rtt.rto
}

// tickPersist is what tcp_setpersist of the Berkeley code makes of the
// measurements: 1.5 s in Fig 22-1, where the RTO has come to be 2.5 s.
func (t *TCB) tickPersist() time.Duration {
	r, tick := &t.rtt, max(t.cfg.Slow.Tick, 1)
	srtt, rttvar := int(r.srtt*8/tick), int(r.rttvar*4/tick)
	return time.Duration((srtt/4+rttvar)/2) * tick
}

// currentRTO is the RTO with back-off.
//
// "(5.5) The host MUST set RTO <- RTO * 2 ("back off the timer"). The maximum
// value discussed in (2.5) above may be used to provide an upper bound".
func (t *TCB) currentRTO() time.Duration {
	return min(t.baseRTO()<<min(t.rtt.shift, 20), t.cfg.MaxRTO)
}

// synTimeout returns how long to wait for an answer to the SYN just sent.
func (t *TCB) synTimeout() time.Duration {
	list, n := t.cfg.SYNTimeouts, int(t.rtt.tries)
	if t.passive && len(t.cfg.SYNACKTimeouts) > 0 {
		list = t.cfg.SYNACKTimeouts
	}
	switch {
	case len(list) == 0:
		return min(t.cfg.InitialRTO<<min(n, 20), t.cfg.MaxRTO)
	case n < len(list):
		return list[n]
	}
	return min(list[len(list)-1]<<min(n-len(list)+1, 20), t.cfg.MaxRTO)
}

// armRexmt sets the retransmission timer anew, or that of the tail loss probe.
func (t *TCB) armRexmt(now time.Duration) {
	if t.mayProbe() {
		t.armTimer(now, t.tailTimeout(now))
		t.tail.armed = true
		return
	}
	t.armTimeout(now)
}

// armTimeout is armRexmt without a probe.
func (t *TCB) armTimeout(now time.Duration) {
	if t.snd.synAcked() {
		t.armTimer(now, t.currentRTO())
	} else {
		t.armTimer(now, t.synTimeout())
	}
}

func (t *TCB) armTimer(now, wait time.Duration) {
	t.tail.armed = false
	deadline := t.cfg.Slow.After(now, wait)
	if limit := t.cfg.UserTimeout; limit > 0 {
		deadline = min(deadline, max(now, t.rtt.since+limit))
	}
	t.set(now, TimerRexmt, deadline)
	t.stop(now, TimerPersist)
}
