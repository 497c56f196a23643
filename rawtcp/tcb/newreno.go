package tcb

import "time"

// duplicateAck is told of a duplicate ACK.
//
// Tahoe takes the third for a loss and starts slowly again; Reno recovers fast
// from one loss (RFC 5681, 3.2), NewReno from many (RFC 6582), and with SACK
// RFC 6675 says what to send.
func (c *congestion) duplicateAck(t *TCB, now time.Duration) {
	if t.cfg.Congestion == NoCongestionControl {
		return
	}
	smss := t.smss()
	if c.recovering {
		// "For each additional duplicate ACK received (after the third),
		// cwnd MUST be incremented by SMSS." (RFC 5681, 3.2, step 4)
		if !t.sack.on {
			c.cwnd += smss
		}
		return
	}
	c.dupAcks++
	if c.dupAcks < t.cfg.DupThresh && !t.sack.firstIsLost(t) {
		return
	}
	// "the TCP sender first checks the value of recover to see if the
	// Cumulative Acknowledgment field covers more than recover. If so, [...]
	// enter fast retransmit." (RFC 6582, 3.2, step 2). With SACK it may
	// cover just that (RFC 6675, 5.1).
	if !c.recover.Less(t.snd.una) && !(t.sack.on && c.recover == t.snd.una) {
		return
	}
	if t.snd.resend != t.snd.nxt {
		return // all is being sent again anyway
	}
	c.enter(t, now)
}

// enter begins a recovery: a segment has been lost.
func (c *congestion) enter(t *TCB, now time.Duration) {
	smss := t.smss()
	// What limited transmit has added "MUST NOT be included" in FlightSize;
	// it is what lies beyond cwnd.
	c.reduce(t, min(int(t.snd.nxt.Sub(t.snd.una)), c.cwnd))
	c.recover = t.snd.nxt
	c.dupAcks = t.cfg.DupThresh
	t.rtt.resent()
	t.tail = tail{at: t.tail.at}
	if t.cfg.Congestion == Tahoe {
		c.cwnd = smss
		c.dupAcks = 0
		t.goBack(RuleFastRetransmit)
		return
	}
	c.recovering, c.partials = true, 0
	// "The lost segment starting at SND.UNA MUST be retransmitted and cwnd
	// set to ssthresh plus 3*SMSS. This artificially "inflates" the
	// congestion window by the number of segments (three) that have left the
	// network" (RFC 5681, 3.2, step 3). With SACK they are not in the pipe.
	t.snd.force = RuleFastRetransmit
	c.cwnd = c.ssthresh
	if t.sack.on {
		t.sack.begin(t)
	} else {
		c.cwnd += 3 * smss
	}
	t.armRexmt(now)
}

// recoveryAck is told of an ACK of n new bytes during recovery.
func (c *congestion) recoveryAck(t *TCB, now time.Duration, n int) {
	smss := t.smss()
	full := !t.snd.una.Less(c.recover)
	if full || t.cfg.Congestion == Reno && !t.sack.on {
		// "Full acknowledgments: [...] Set cwnd to either (1) min (ssthresh,
		// max(FlightSize, SMSS) + SMSS) or (2) ssthresh". The first one
		// avoids a burst. (RFC 6582, 3.2, step 3)
		c.cwnd = min(c.ssthresh, max(t.flight(), smss)+smss)
		c.recovering, c.dupAcks, c.acked = false, 0, 0
		return
	}
	if t.sack.on {
		return
	}
	// "Partial acknowledgments: [...] retransmit the first unacknowledged
	// segment. Deflate the congestion window by the amount of new data
	// acknowledged by the Cumulative Acknowledgment field. If the partial ACK
	// acknowledges at least one SMSS of new data, then add back SMSS bytes to
	// the congestion window. [...] For the first partial ACK that arrives
	// during fast recovery, also reset the retransmit timer."
	t.snd.force = RulePartialACK
	c.cwnd = max(c.cwnd-n, smss)
	if n >= smss {
		c.cwnd += smss
	}
	c.partials++
}
