package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// inputAck is "Fifth, check the ACK field", of a segment that has one. It
// reports false if the segment goes no further.
func (t *TCB) inputAck(now time.Duration, a *arrival) (Reason, bool) {
	s := a.s
	if t.state == SynRcvd {
		// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and
		// continue processing with the variables below set to: SND.WND <-
		// SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK. If the segment
		// acknowledgment is not acceptable, form a reset segment
		// <SEQ=SEG.ACK><CTL=RST> and send it."
		if !t.snd.una.Less(s.Ack) || t.snd.nxt.Less(s.Ack) {
			t.reply = refusal(s)
			t.reply.rule = RuleBadAckOfSYN
			return AckOfSYN, false
		}
		t.setWindow(a)
		t.ackedTo(now, s)
		t.established(now)
		return OK, true
	}
	// "TCP stacks that implement RFC 5961 MUST add an input check that the
	// ACK value is acceptable only if it is in the range of ((SND.UNA -
	// MAX.SND.WND) =< SEG.ACK =< SND.NXT). All incoming segments whose ACK
	// value doesn't satisfy the above condition MUST be discarded and an ACK
	// sent back."
	if t.cfg.Challenge && s.Ack.Less(t.snd.una-seq.Value(t.snd.max)) {
		t.challenge(now, RuleChallenge)
		return AckOld, false
	}
	// "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send
	// an ACK, drop the segment, and return."
	if t.snd.nxt.Less(s.Ack) {
		t.challenge(now, RuleAckTooNew)
		return AckTooNew, false
	}
	news := t.sack.update(t, &s.Options)
	moved := t.updateWindow(now, a)
	t.tailAck(s, moved)
	// "If SND.UNA < SEG.ACK =< SND.NXT, then set SND.UNA <- SEG.ACK. [...] If
	// the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored."
	switch {
	case t.snd.una.Less(s.Ack):
		t.ackedTo(now, s)
	case s.Ack == t.snd.una && t.outstanding() && len(s.Payload) == 0 && !a.fin && (news || !moved):
		// "An acknowledgment is considered a "duplicate" [...] when (a) the
		// receiver of the ACK has outstanding data, (b) the incoming
		// acknowledgment carries no data, (c) the SYN and FIN bits are both
		// off, (d) the acknowledgment number is equal to the greatest
		// acknowledgment received on the given connection [...] and (e) the
		// advertised window in the incoming acknowledgment equals the
		// advertised window in the last incoming acknowledgment." (RFC 5681,
		// section 2)
		if t.running(TimerRexmt) {
			t.cc.duplicateAck(t, now)
		}
	}
	return OK, t.closeOn(now)
}

// closeOn takes the states further in which nothing but the ACK of our FIN is
// waited for. It reports false if the segment goes no further.
func (t *TCB) closeOn(now time.Duration) bool {
	switch t.state {
	case Closing:
		// "if the ACK acknowledges our FIN, then enter the TIME-WAIT state;
		// otherwise, ignore the segment."
		if t.snd.finAcked() {
			t.enterTimeWait(now)
		}
		return false
	case LastAck:
		// "If our FIN is now acknowledged, delete the TCB, enter the CLOSED
		// state, and return."
		if t.snd.finAcked() {
			t.end(now, nil)
			return false
		}
	}
	return true
}

// finWait2 takes FIN_WAIT_1 further: "if the FIN segment is now acknowledged,
// then enter FIN-WAIT-2 and continue processing in that state." It is done
// last, so that a FIN that comes along leads to TIME_WAIT in one step.
func (t *TCB) finWait2(now time.Duration) {
	if t.state == FinWait1 && t.snd.finAcked() {
		t.setState(now, FinWait2)
		t.touchKeep(now)
		if t.rcv.gone {
			t.startFinWait2(now)
		}
	}
}

// ackedTo takes in that all before SEG.ACK has arrived.
func (t *TCB) ackedTo(now time.Duration, s *wire.Segment) {
	v := &t.snd
	before := t.flight()
	n := int(s.Ack.Sub(v.una))
	synAcked := v.synAcked()
	v.una = s.Ack
	v.resend = seq.Max(v.resend, v.una)
	if v.base.Less(v.una) {
		// "Any segments on the retransmission queue that are thereby entirely
		// acknowledged are removed."
		data := min(int(v.una.Sub(v.base)), v.buf.n)
		v.buf.drop(data)
		v.base = v.base.Add(seq.Size(data))
	}
	if v.urgent && v.up.LessEq(v.una) {
		v.urgent = false
	}
	// What was beyond the ACK and is not covered by it, the peer has thrown
	// away again (RFC 2018, section 8).
	t.sack.got.dropBefore(v.una)
	t.sample(now, s.Ack, t.echoAge(now, s))
	t.rtt.tries = 0
	t.rtt.since = now
	v.syn = NoRule
	if !synAcked {
		t.synAcked(now)
	} else {
		t.cc.newAck(t, now, n, before)
	}
	t.restartRexmt(now)
}

// synAcked is what follows from the first ACK, that of our SYN.
func (t *TCB) synAcked(now time.Duration) {
	t.stop(now, TimerRexmt)
	t.stop(now, TimerConnect)
	t.cc.start(t)
	// "If the timer expires awaiting the ACK of a SYN segment and the TCP
	// implementation is using an RTO less than 3 seconds, the RTO MUST be
	// re-initialized to 3 seconds when data transmission begins" (RFC 6298,
	// 5.7)
	if t.cc.synLost && t.rtt.rto == 0 {
		t.rtt.rto = max(min(3*time.Second, t.cfg.MaxRTO), t.cfg.InitialRTO)
	}
	// Text that came with the SYN of the peer has waited for this.
	if n := t.rcv.buf.n; len(t.rcv.held) > 0 {
		t.release()
		t.countAck(now, t.rcv.buf.n-n)
	}
}

// restartRexmt sets the retransmission timer after an ACK of something new.
//
// "(5.2) When all outstanding data has been acknowledged, turn off the
// retransmission timer. (5.3) When an ACK is received that acknowledges new
// data, restart the retransmission timer so that it will expire after RTO
// seconds". But in NewReno's recovery only the first partial ACK does (RFC
// 6582, section 4, the Impatient variant).
func (t *TCB) restartRexmt(now time.Duration) {
	switch {
	case !t.outstanding():
		t.stop(now, TimerRexmt)
		if t.Drained() {
			// A window probe has taken the last byte, or the FIN.
			t.stop(now, TimerPersist)
		}
	case t.running(TimerPersist):
	case t.cc.recovering && !t.sack.on && t.cc.partials > 1:
	default:
		t.armRexmt(now)
	}
}

// updateWindow takes in the window, and reports whether it is another.
//
// "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should be updated. If
// (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set
// SND.WND <- SEG.WND, set SND.WL1 <- SEG.SEQ, and set SND.WL2 <- SEG.ACK."
func (t *TCB) updateWindow(now time.Duration, a *arrival) bool {
	v := &t.snd
	if a.s.Ack.Less(v.una) {
		return false
	}
	// A segment that acknowledges more than any before it was sent after all of
	// them, whatever its number: it may be a retransmission that fills a hole.
	// "The check here prevents using old segments to update the window", and
	// SND.WND counts from SND.UNA, which moves.
	wl1 := v.wl1
	if t.rcv.hasFIN {
		// No number of the peer's lies beyond its FIN. A forged one that does would
		// keep out all that the peer says from now on.
		wl1 = seq.Min(wl1, t.rcv.fin.Add(1))
	}
	if !v.una.Less(a.s.Ack) && !wl1.Less(a.seq) && !(wl1 == a.seq && v.wl2.LessEq(a.s.Ack)) {
		return false
	}
	before := v.wnd
	t.setWindow(a)
	if t.running(TimerPersist) {
		t.rtt.since = now
		if v.wnd != before && v.wnd > 0 {
			t.leavePersist(now)
		}
	}
	if v.wnd != before {
		t.repeatUrgent()
	}
	return v.wnd != before
}

// setWindow takes in the window, without a question.
func (t *TCB) setWindow(a *arrival) {
	v := &t.snd
	v.wnd = seq.Size(a.s.Window) << v.shift
	if a.s.Flags.Has(wire.SYN) {
		// A SYN+ACK has crossed ours: its window "MUST NOT be scaled" (RFC 7323, 2.2).
		v.wnd = seq.Size(a.s.Window)
	}
	v.max = max(v.max, v.wnd)
	v.wl1, v.wl2 = a.seq, a.s.Ack
}

// echoAge returns how old the timestamp is that s echoes, or -1 if it echoes
// none.
func (t *TCB) echoAge(now time.Duration, s *wire.Segment) time.Duration {
	if !t.ts.on || !s.Options.HasTimestamps || s.Options.TSEcr == 0 {
		return -1
	}
	ticks := int32(t.cfg.timestamp(now, t.ts.offset) - s.Options.TSEcr)
	if ticks < 0 {
		return -1
	}
	return time.Duration(ticks) * max(t.cfg.TSClock, 1)
}

// checkTimestamp is PAWS (RFC 7323, section 5).
func (t *TCB) checkTimestamp(now time.Duration, a *arrival) (Reason, bool) {
	o := &a.s.Options
	if !t.ts.on || a.s.Flags.Has(wire.RST) || a.syn {
		return OK, true
	}
	// "Once TSopt has been successfully negotiated, [...] the TSopt MUST be
	// sent in every non-<RST> segment [...]. If a non-<RST> segment is
	// received without a TSopt, a TCP SHOULD silently drop the segment."
	// (section 3.2)
	if !o.HasTimestamps {
		return NoTimestamp, false
	}
	// "R1) If there is a Timestamps option in the arriving segment, SEG.TSval
	// < TS.Recent, TS.Recent is valid, and the RST bit is not set, then treat
	// the arriving segment as not acceptable: Send an acknowledgment in reply
	// [...] and drop the segment." It is not valid after 24 days (section
	// 5.5).
	if int32(o.TSVal-t.ts.recent) < 0 && now-t.ts.age < 24*24*time.Hour {
		if a.len() == 0 {
			t.challenge(now, RulePAWS) // as in unacceptable
		} else {
			t.ackNow(RulePAWS)
		}
		return OldTimestamp, false
	}
	return OK, true
}

// recentTimestamp is "R3) If an arriving segment satisfies SEG.TSval >=
// TS.Recent and SEG.SEQ <= Last.ACK.sent, then record its timestamp in
// TS.Recent."
func (t *TCB) recentTimestamp(now time.Duration, a *arrival) {
	if !t.ts.on || !a.s.Options.HasTimestamps || t.ts.acked.Less(a.s.Seq) {
		return
	}
	if int32(a.s.Options.TSVal-t.ts.recent) >= 0 || now-t.ts.age >= 24*24*time.Hour {
		t.ts.recent, t.ts.age = a.s.Options.TSVal, now
	}
}
