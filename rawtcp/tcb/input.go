package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// Input takes in a segment that has arrived for this connection. The reason is
// OK if all of it was of use; otherwise it says what was not taken, and what
// answer there is comes out of Output.
//
// It follows RFC 9293, section 3.10.7, step by step; its sentences stand above
// what they ask for. The checks of security and compartment are left out: no
// packet carries them.
func (t *TCB) Input(now time.Duration, s *wire.Segment) Reason {
	var why Reason
	switch t.state {
	case Closed:
		why = t.inputClosed(s)
	case Listen:
		why = t.inputListen(now, s)
	case SynSent:
		why = t.inputSynSent(now, s)
	case TimeWait:
		why = t.inputTimeWait(now, s)
	default:
		why = t.inputOther(now, s)
	}
	if why != OK {
		t.tell(now, s, why)
	}
	return why
}

// inputClosed is section 3.10.7.1. "all data in the incoming segment is
// discarded. An incoming segment containing a RST is discarded. An incoming
// segment not containing a RST causes a RST to be sent in response."
func (t *TCB) inputClosed(s *wire.Segment) Reason {
	if !s.Flags.Has(wire.RST) {
		t.reply = refusal(s)
	}
	return NotOpen
}

// inputListen is section 3.10.7.2.
func (t *TCB) inputListen(now time.Duration, s *wire.Segment) Reason {
	// "First, check for a RST: An incoming RST segment could not be valid
	// since it could not have been sent in response to anything sent by this
	// incarnation of the connection. An incoming RST should be ignored."
	if s.Flags.Has(wire.RST) {
		return ResetToListen
	}
	// "Second, check for an ACK: Any acknowledgment is bad if it arrives on a
	// connection still in the LISTEN state. An acceptable reset segment should
	// be formed for any arriving ACK-bearing segment. [...]
	// <SEQ=SEG.ACK><CTL=RST>"
	if s.Flags.Has(wire.ACK) {
		t.reply = refusal(s)
		t.reply.rule = RuleAckToListen
		return AckToListen
	}
	// "Fourth, other data or control: This should not be reached. Drop the
	// segment and return."
	if !s.Flags.Has(wire.SYN) {
		return NotSYN
	}
	if s.Flags.Has(wire.FIN) && !t.cfg.SYNFIN {
		return SYNWithFIN
	}
	// "Third, check for a SYN: [...] Set RCV.NXT to SEG.SEQ+1, IRS is set to
	// SEG.SEQ, and any other control or text should be queued for processing
	// later. ISS should be selected and a SYN segment sent of the form:
	// <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>. [...] If the listen was not fully
	// specified (i.e., the remote socket was not fully specified), then the
	// unspecified fields should be filled in now."
	t.passive = true
	t.remotePort = s.SrcPort
	t.receiveSYN(now, s)
	t.snd.wnd, t.snd.max = seq.Size(s.Window), seq.Size(s.Window)
	t.sendSYN(RuleSYNACK)
	t.setState(now, SynRcvd)
	t.startConnect(now)
	return t.queueSYNText(now, s)
}

// queueSYNText keeps the data and the FIN of a SYN for later: "any other
// incoming control or data (combined with SYN) will be processed in the
// SYN-RECEIVED state". They lie in the queue as if a hole were before them,
// until the state is ESTABLISHED.
func (t *TCB) queueSYNText(now time.Duration, s *wire.Segment) Reason {
	if len(s.Payload) == 0 && !s.Flags.Has(wire.FIN) {
		return OK
	}
	if !t.cfg.SYNData {
		return SYNData
	}
	a := t.arrive(s)
	a.trimLeft(t.rcv.nxt)
	a.trimRight(t.rcv.adv)
	if a.fin {
		t.rcv.fin, t.rcv.hasFIN = a.end(), true
	}
	if len(a.text) == 0 {
		return OK
	}
	return t.hold(&a)
}

// inputSynSent is section 3.10.7.3.
func (t *TCB) inputSynSent(now time.Duration, s *wire.Segment) Reason {
	// "First, check the ACK bit: [...] If SEG.ACK =< ISS or SEG.ACK > SND.NXT,
	// send a reset (unless the RST bit is set, if so drop the segment and
	// return) <SEQ=SEG.ACK><CTL=RST> and discard the segment."
	acked := s.Flags.Has(wire.ACK)
	if acked && (s.Ack.LessEq(t.snd.iss) || t.snd.nxt.Less(s.Ack)) {
		if s.Flags.Has(wire.RST) {
			return AckOfSYN
		}
		t.reply = refusal(s)
		t.reply.rule = RuleBadAckOfSYN
		return AckOfSYN
	}
	// "Second, check the RST bit: [...] If the ACK was acceptable, then signal
	// to the user "error: connection reset", drop the segment, enter CLOSED
	// state, delete TCB, and return. Otherwise (no ACK), drop the segment and
	// return." Users know this reset as "connection refused".
	if s.Flags.Has(wire.RST) {
		if !acked {
			return ResetNoAck
		}
		t.end(now, ErrRefused)
		return OK
	}
	// "Fifth, if neither of the SYN or RST bits is set, then drop the segment
	// and return."
	if !s.Flags.Has(wire.SYN) {
		return NoSYN
	}
	// "Fourth, check the SYN bit: [...] RCV.NXT is set to SEG.SEQ+1, IRS is
	// set to SEG.SEQ. SND.UNA should be advanced to equal SEG.ACK (if there is
	// an ACK), and any segments on the retransmission queue that are thereby
	// acknowledged should be removed."
	t.receiveSYN(now, s)
	t.rcv.last = now
	t.snd.wnd, t.snd.max = seq.Size(s.Window), seq.Size(s.Window)
	t.snd.wl1, t.snd.wl2 = s.Seq, s.Ack
	if !acked {
		// "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment
		// <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send it. [...] If there are
		// other controls or text in the segment, queue them for processing
		// after the ESTABLISHED state has been reached, return."
		t.sendSYN(RuleSimultaneous)
		t.setState(now, SynRcvd)
		return t.queueSYNText(now, s)
	}
	// "If SND.UNA > ISS (our SYN has been ACKed), change the connection state
	// to ESTABLISHED, form an ACK segment <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
	// and send it. Data or controls that were queued for transmission MAY be
	// included."
	t.ackedTo(now, s)
	if t.cfg.DelayThirdAck {
		t.delayAck(now)
	} else {
		t.ackNow(RuleThirdACK)
	}
	t.established(now)
	// "If there are other controls or text in the segment, then continue
	// processing at the sixth step under Section 3.10.7.4".
	a := t.arrive(s)
	a.trimLeft(t.rcv.nxt)
	a.trimRight(t.rcv.adv)
	return t.inputText(now, &a)
}

// inputTimeWait is section 3.10.7.4 for TIME_WAIT; see TimeWaiter.Input.
func (t *TCB) inputTimeWait(now time.Duration, s *wire.Segment) Reason {
	w := t.TimeWaiter()
	var out wire.Segment
	why, answer, over := w.Input(now, s, &out)
	switch {
	case over:
		t.end(now, nil)
		return why
	case answer && why == SYNInWindow:
		t.challenge(now, RuleChallenge)
	case answer:
		t.ackNow(RuleTimeWait)
	}
	t.set(now, Timer2MSL, w.Deadline)
	return why
}

// inputOther is section 3.10.7.4 for the states from SYN_RCVD to FIN_WAIT_2.
func (t *TCB) inputOther(now time.Duration, s *wire.Segment) Reason {
	a := t.arrive(s)
	if why, ok := t.checkCrossing(&a); !ok {
		return why
	}
	why, ok := t.checkSequence(now, &a)
	if !ok {
		return why
	}
	if s.Flags.Has(wire.RST) {
		return t.inputReset(now, s)
	}
	if a.syn {
		return t.inputSYN(now, s)
	}
	// "Fifth, check the ACK field: if the ACK bit is off, drop the segment
	// and return".
	if !s.Flags.Has(wire.ACK) {
		return NoACK
	}
	t.rcv.last = now
	t.answered()
	if why, ok := t.inputAck(now, &a); !ok {
		return why
	}
	if a.seq.Less(t.rcv.nxt) {
		// It is an old one of which only the ACK counts, or the text of their
		// SYN has been waiting for this ACK, and it has some of it again.
		a.trimLeft(t.rcv.nxt)
		a.fin = a.fin && !a.end().Less(t.rcv.nxt)
	}
	if why == OutsideWindow {
		t.ackNow(RuleUnacceptable)
	}
	text := t.inputText(now, &a)
	t.finWait2(now)
	if text != OK {
		return text
	}
	return why
}

// checkSequence is "First, check sequence number". It reports false if the
// segment goes no further; a segment that does is trimmed to the window.
func (t *TCB) checkSequence(now time.Duration, a *arrival) (Reason, bool) {
	if why, ok := t.checkTimestamp(now, a); !ok {
		return why, false
	}
	// "There are four cases for the acceptability test for an incoming
	// segment" (table 6).
	wnd := t.rcv.window()
	if t.cfg.Window == WindowExact {
		wnd = max(wnd, seq.Size(t.space()))
	}
	edge := t.rcv.nxt.Add(wnd)
	if !inWindow(a.seq, a.len(), t.rcv.nxt, wnd) {
		// "If the RCV.WND is zero, no segments will be acceptable, but special
		// allowance should be made to accept valid ACKs, URGs, and RSTs." A
		// FIN is accepted too: it needs no room, and Berkeley and Linux send
		// it whatever the window.
		if wnd == 0 && a.seq == t.rcv.nxt && !a.syn {
			why := OK
			if len(a.text) > 0 {
				why = OutsideWindow
			}
			a.trimRight(t.rcv.nxt)
			return why, true
		}
		// A peer that has filled the window has every ACK of its own at the
		// right edge. If its first segment is lost, such an ACK would go
		// unheard, and two such peers would answer each other for ever: one of
		// the cases of RFC 9293, appendix A.2. Berkeley and Linux hear it.
		pure := a.len() == 0 && a.s.Flags&(wire.ACK|wire.RST) == wire.ACK
		if pure && a.seq == edge && t.state.Synchronized() {
			return OK, true
		}
		why := t.unacceptable(now, a)
		// RFC 9293, appendix A.2, warns of cases in which this rule keeps
		// ACKs from being heard. If both ends probe a closed window, and both
		// windows open, each one's ACK lies one to the left of the other's
		// window, and they would answer each other for ever. So the ACK of
		// such a segment counts.
		one := a.seq == t.rcv.nxt-1 && !a.syn && a.s.Flags&(wire.ACK|wire.RST) == wire.ACK
		return why, one && t.state.Synchronized()
	}
	// "One could tailor actual segments to fit this assumption by trimming
	// off any portions that lie outside the window (including SYN and FIN)".
	why := OK
	if a.seq.Less(t.rcv.nxt) {
		t.duplicate(a.seq, t.rcv.nxt)
		a.trimLeft(t.rcv.nxt)
	}
	if edge.Less(a.end()) {
		a.trimRight(edge)
		why = OutsideWindow
	}
	t.recentTimestamp(now, a)
	return why, true
}

// unacceptable answers a segment that is not acceptable: "an acknowledgment
// should be sent in reply (unless the RST bit is set, if so drop the segment
// and return): <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. After sending the
// acknowledgment, drop the unacceptable segment and return."
func (t *TCB) unacceptable(now time.Duration, a *arrival) Reason {
	old := a.seq.Less(t.rcv.nxt)
	switch {
	case a.s.Flags.Has(wire.RST):
	case a.syn && a.seq == t.rcv.irs:
		t.ackNow(RuleDuplicateSYN)
	case a.len() == 0:
		// Two ends that disagree would answer each other for ever.
		t.challenge(now, RuleUnacceptable)
	default:
		if old {
			t.duplicate(a.seq, seq.Min(a.end(), t.rcv.nxt))
		}
		t.ackNow(RuleUnacceptable)
	}
	if old {
		return OldDuplicate
	}
	return OutsideWindow
}

// checkCrossing treats the SYN+ACK of a simultaneous open. Its number lies
// left of the window, since its SYN has come before, and by the letter of the
// sequence check its ACK would go unheard; but RFC 9293, figure 8, has it open
// the connection. So the SYN is taken off.
func (t *TCB) checkCrossing(a *arrival) (Reason, bool) {
	if t.state != SynRcvd || t.passive || !a.syn || a.seq != t.rcv.irs ||
		!a.s.Flags.Has(wire.ACK) || a.s.Flags.Has(wire.RST) {
		return OK, true
	}
	if t.cfg.SimultaneousLoop {
		t.sendSYN(RuleSimultaneous)
		return SimultaneousBug, false
	}
	if t.cfg.DuplicateSYNAck {
		t.duplicate(a.seq, t.rcv.nxt)
		t.ackNow(RuleDuplicateSYN)
	}
	a.trimLeft(t.rcv.nxt)
	return OK, true
}

// inputReset is "Second, check the RST bit". The segment is in the window.
func (t *TCB) inputReset(now time.Duration, s *wire.Segment) Reason {
	// "3) If the RST bit is set and the sequence number does not exactly
	// match the next expected sequence value, yet is within the current
	// receive window, TCP endpoints MUST send an acknowledgment (challenge
	// ACK)".
	if t.cfg.Challenge && s.Seq != t.rcv.nxt {
		t.challenge(now, RuleChallenge)
		return BadReset
	}
	switch t.state {
	case SynRcvd:
		// "If this connection was initiated with a passive OPEN (i.e., came
		// from the LISTEN state), then return this connection to LISTEN state
		// and return. The user need not be informed. If this connection was
		// initiated with an active OPEN [...], then the connection was
		// refused; signal the user "connection refused"."
		if t.passive {
			t.relisten(now)
		} else {
			t.end(now, ErrRefused)
		}
	case Closing, LastAck:
		// "enter the CLOSED state, delete the TCB, and return."
		t.end(now, nil)
	default:
		// "any outstanding RECEIVEs and SEND should receive "reset"
		// responses. [...] Enter the CLOSED state, delete the TCB".
		t.end(now, ErrReset)
	}
	return OK
}

// inputSYN is "Fourth, check the SYN bit". The segment is in the window.
func (t *TCB) inputSYN(now time.Duration, s *wire.Segment) Reason {
	// "SYN-RECEIVED STATE: If the connection was initiated with a passive
	// OPEN, then return this connection to the LISTEN state and return.
	// Otherwise, handle per the directions for synchronized states below."
	if t.state == SynRcvd && t.passive {
		t.relisten(now)
		return SYNInWindow
	}
	// "RFC 5961 recommends that in these synchronized states, if the SYN bit
	// is set, irrespective of the sequence number, TCP endpoints MUST send a
	// "challenge ACK" to the remote peer".
	if t.cfg.Challenge {
		t.challenge(now, RuleChallenge)
		return SYNInWindow
	}
	// "For implementations that do not follow RFC 5961, the original behavior
	// described in RFC 793 follows [...]. If the SYN is in the window it is an
	// error: send a reset, any outstanding RECEIVEs and SEND should receive
	// "reset" responses".
	t.reply = refusal(s)
	t.reply.rule = RuleSYNInWindow
	t.end(now, ErrReset)
	return SYNInWindow
}

// inputText is the sixth to the eighth step: URG, text and FIN.
func (t *TCB) inputText(now time.Duration, a *arrival) Reason {
	// "CLOSE-WAIT STATE, CLOSING STATE, LAST-ACK STATE, TIME-WAIT STATE: This
	// should not occur since a FIN has been received from the remote side.
	// Ignore the URG. [...] Ignore the segment text." The FIN among them has
	// been dealt with by the sequence check: it lies left of the window.
	if t.rcv.done || t.state == Closed {
		if len(a.text) > 0 {
			return DataAfterFIN
		}
		return OK
	}
	// "If [...] new data is received after CLOSE is called, its TCP SHOULD
	// send an RST to show that data was lost." (RFC 1122, 4.2.2.13)
	if t.rcv.gone && len(a.text) > 0 {
		t.reply = refusal(a.s)
		t.reply.rule = RuleDataAfterClose
		t.end(now, ErrAborted)
		return DataAfterClose
	}
	if a.s.Flags.Has(wire.URG) && t.urgentTo(a.urgentEnd(t.cfg.UrgentLast)) && t.hook != nil {
		t.hook(Event{At: now, Kind: UrgentArrived, Segment: a.s})
	}
	why := t.inputData(now, a)
	t.inputFIN(now)
	return why
}

// inputFIN is "Eighth, check the FIN bit", once all before the FIN has come.
func (t *TCB) inputFIN(now time.Duration) {
	r := &t.rcv
	if !r.hasFIN || r.done || r.nxt != r.fin || t.state < Established {
		return
	}
	// "signal the user "connection closing" and return any pending RECEIVEs
	// with same message, advance RCV.NXT over the FIN, and send an
	// acknowledgment for the FIN."
	r.nxt = r.nxt.Add(1)
	r.adv = seq.Max(r.adv, r.nxt)
	r.done = true
	if t.ack.now == RuleQuickACK {
		t.ack.now = NoRule // the FIN may have come with data
	}
	if t.cfg.DelayFINAck && t.state == Established && t.ack.now == NoRule {
		t.quick.interactive = true
		t.delayAck(now)
	} else {
		t.ackNow(RuleACKOfFIN)
	}
	switch t.state {
	case Established:
		// "Enter the CLOSE-WAIT state."
		t.setState(now, CloseWait)
	case FinWait1:
		// "If our FIN has been ACKed (perhaps in this segment), then enter
		// TIME-WAIT, start the time-wait timer, turn off the other timers;
		// otherwise, enter the CLOSING state."
		if t.snd.finAcked() {
			t.enterTimeWait(now)
		} else {
			t.setState(now, Closing)
		}
	case FinWait2:
		// "Enter the TIME-WAIT state. Start the time-wait timer, turn off the
		// other timers."
		t.enterTimeWait(now)
	}
}
