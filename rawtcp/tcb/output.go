package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// plan is a segment of the stream that is to be sent.
type plan struct {
	at    seq.Value
	n     int  // bytes of data
	size  int  // so many of them in each segment, if the device cuts it
	fin   bool // and a FIN
	again bool // all of it has been sent before
	rule  Rule
}

// Output makes the next segment to be sent, and reports false if there is
// none. Call it until then after every call that may change anything. The
// payload lies in the machine's own buffer: it is good until the next call of
// whatever kind.
//
// Whoever calls it may do so late, after several segments came in: "it MUST
// process them all before sending any ACK segments" (RFC 9293, 3.10.7.4).
func (t *TCB) Output(now time.Duration, s *wire.Segment) bool {
	t.size = 0
	if t.reply.rule != NoRule {
		t.emitReply(now, s)
		return true
	}
	if t.state <= Listen {
		return false
	}
	if t.snd.syn != NoRule {
		t.emitSYN(now, s)
		return true
	}
	if t.state.Synchronized() && t.state != TimeWait {
		if p, ok := t.choose(now); ok {
			t.emit(now, s, p)
			return true
		}
		if t.snd.sayUp {
			// Of urgent data the peer is told even if it cannot go yet,
			// because the window is closed or Nagle's algorithm waits
			// (Stevens, 20.8).
			t.snd.sayUp = false
			t.ackNow(RuleUrgent)
		}
	}
	if t.ack.now != NoRule {
		t.emitACK(now, s)
		return true
	}
	t.wait(now)
	return false
}

// choose decides which part of the stream goes out next, if any may.
func (t *TCB) choose(now time.Duration) (plan, bool) {
	v := &t.snd
	if v.probe {
		return t.chooseProbe(), true
	}
	if v.force != NoRule {
		rule := v.force
		v.force = NoRule
		if t.outstanding() {
			p := t.cut(v.una, t.firstHole())
			p.rule, p.again = rule, true
			if p.n > 0 || p.fin {
				return p, true
			}
		}
	}
	if t.tail.due {
		if p, ok := t.chooseTail(now); ok {
			return p, true
		}
	}
	if v.resend != v.nxt {
		// It may turn out that all of it has arrived.
		if p, ok := t.chooseAgain(); ok || v.resend != v.nxt {
			return p, ok
		}
	}
	if t.cc.recovering && t.sack.on {
		return t.chooseSACK(now)
	}
	if v.keep {
		v.keep = false
		if !t.outstanding() {
			return plan{at: v.una - 1, rule: RuleKeepalive}, true
		}
	}
	return t.chooseNew(now, t.room())
}

// firstHole returns up to where the first segment may be sent again: the first
// number that has been acknowledged by SACK, or SND.NXT.
func (t *TCB) firstHole() seq.Value {
	if len(t.sack.got) > 0 && t.snd.una.Less(t.sack.got[0].left) {
		return t.sack.got[0].left
	}
	return t.snd.nxt
}

// cut returns the segment that begins at at and reaches up to right at most,
// and no further than the largest segment and the window do.
func (t *TCB) cut(at, right seq.Value) plan {
	v := &t.snd
	if edge := v.una.Add(v.wnd); edge.Less(right) {
		// "SHOULD retransmit normally the old unacknowledged data between
		// SND.UNA and SND.UNA+SND.WND" (RFC 9293, 3.8.6)
		right = seq.Max(edge, at)
	}
	end := seq.Min(v.end(), right)
	p := plan{at: at}
	if at.Less(end) {
		p.n = min(int(end.Sub(at)), t.most())
	}
	p.fin = v.fin && at.Add(seq.Size(p.n)) == v.end() && v.end().Less(right)
	return p
}

// chooseAgain sends again what is outstanding, in slow start. What was queued
// meanwhile joins it: "the sender may repacketize" (Stevens, 21.11).
func (t *TCB) chooseAgain() (plan, bool) {
	v := &t.snd
	right := v.end().Add(1)
	for _, s := range t.sack.got {
		if v.resend.Less(s.left) {
			right = s.left
			break
		}
		v.resend = seq.Max(v.resend, s.right)
	}
	if v.resend == v.nxt {
		return plan{}, false
	}
	p := t.cut(v.resend, right)
	p.rule, p.again = v.why, true
	if p.n == 0 && !p.fin {
		return plan{}, false
	}
	if flight := t.flight(); flight > 0 && flight+p.n > t.cc.cwnd {
		return plan{}, false
	}
	return p, true
}

// chooseSACK is what RFC 6675, section 5, step C has sent: "If cwnd - pipe >= 1
// SMSS, the sender SHOULD transmit one or more segments as follows".
func (t *TCB) chooseSACK(now time.Duration) (plan, bool) {
	room := t.cc.cwnd - t.sack.pipe(t)
	if room < t.smss() {
		return plan{}, false
	}
	if p, ok := t.sack.next(t, true); ok && p.n+btoi(p.fin) > 0 {
		return p, true
	}
	if p, ok := t.chooseNew(now, room); ok {
		return p, true
	}
	if p, ok := t.sack.next(t, false); ok && p.n+btoi(p.fin) > 0 {
		return p, true
	}
	return plan{}, false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// chooseProbe is a window probe: "The sending TCP peer must regularly transmit
// at least one octet of new data (if available), or retransmit to the
// receiving TCP peer even if the send window is zero" (RFC 9293, 3.8.6.1). With
// no octet of its own, it is one that the peer will not accept, and so answer.
func (t *TCB) chooseProbe() plan {
	v := &t.snd
	v.probe = false
	if !t.cfg.PersistByte && v.buf.n > 0 {
		return plan{at: v.una - 1, rule: RuleProbe}
	}
	p := plan{at: v.una, n: min(v.buf.n, 1), rule: RuleProbe, again: v.una != v.nxt}
	p.fin = p.n == 0 && v.fin
	return p
}

// chooseNew sends data that has not been sent before, of which room bytes fit
// in the congestion window. It is the algorithm of RFC 9293, 3.8.6.2.1, and
// that of Nagle, 3.7.4.
func (t *TCB) chooseNew(now time.Duration, room int) (plan, bool) {
	v := &t.snd
	queued := int(v.end().Sub(v.nxt)) // D
	if v.fin && v.end().Less(v.nxt) {
		return plan{}, false // the FIN has been sent
	}
	edge := v.una.Add(v.wnd)
	usable := 0 // U
	if v.nxt.Less(edge) {
		usable = int(edge.Sub(v.nxt))
	}
	idle := v.una == v.nxt
	if idle && queued > 0 && t.cfg.RestartIdle && t.rtt.srtt > 0 && now-t.silent() > t.currentRTO() {
		t.cc.afterIdle(t)
		room = t.room()
	}
	most := t.most()
	p := plan{at: v.nxt, n: max(min(queued, usable, most), 0)}
	if !idle {
		p.n = min(p.n, max(room, 0))
	}
	if p.n == most && t.segmented > 0 {
		p.n, p.size = t.join(p.at, most, min(queued, usable, room))
	}
	all := p.n == queued
	p.fin = v.fin && all && p.n < usable
	calm := (idle || t.opt.noDelay) && !t.opt.noPush
	switch {
	case p.fin:
		// "form a FIN segment and send it", with the last of the data.
		p.rule = RuleFIN
	case p.n == 0:
		return plan{}, false
	case p.n >= most:
		// "(1) if a maximum-sized segment can be sent, i.e., if: min(D,U) >=
		// Eff.snd.MSS"
		p.rule = RuleFullSegment
	case all && (calm || v.fin):
		// "(2) or if the data is pushed and all queued data can be sent now,
		// i.e., if: [SND.NXT = SND.UNA and] PUSHed and D <= U (the bracketed
		// condition is imposed by the Nagle algorithm)". All data is pushed.
		p.rule = RulePush
	case calm && p.n >= int(v.max)/2:
		// "(3) or if at least a fraction Fs of the maximum window can be sent,
		// i.e., if: [SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND)"
		p.rule = RuleHalfWindow
	case v.flush:
		// "(4) or if the override timeout occurs."
		p.rule = RuleOverride
	default:
		return plan{}, false
	}
	if t.cc.dupAcks > 0 && !t.cc.recovering {
		p.rule = RuleLimitedTransmit
	}
	return p, true
}

// join returns how much of the n bytes from at on goes out as one, which the
// device cuts into segments of size bytes: what lies in one piece, so that it need
// not be copied. Not what has an urgent pointer: each segment has another.
func (t *TCB) join(at seq.Value, most, n int) (joined, size int) {
	// The options may take 40 bytes.
	longest := int(t.segmented) - int(t.ipHeader) - 20 - 40
	piece, _ := t.snd.buf.parts(int(at.Sub(t.snd.base)), min(n, longest))
	if len(piece) < 2*most || t.urgentWaits() {
		return most, 0
	}
	return len(piece) - len(piece)%most, most
}

// wait is called when nothing can be sent: it sees to it that something will
// be. What is outstanding has its timer since it was sent, unless a window that
// had opened is closed again; else it is data that may not be sent yet, for which
// nobody else will wake us.
func (t *TCB) wait(now time.Duration) {
	if !t.state.Synchronized() || t.state == TimeWait || t.running(TimerRexmt) || t.running(TimerPersist) {
		return
	}
	if t.urgentWaits() && t.cfg.UrgentRepeats && !t.outstanding() {
		return
	}
	if t.snd.buf.n > 0 || t.snd.fin && !t.snd.finAcked() {
		t.enterPersist(now)
	}
}

// emit makes the segment p, and notes that it has been sent.
func (t *TCB) emit(now time.Duration, s *wire.Segment, p plan) {
	v := &t.snd
	flags := wire.ACK
	var text []byte
	if p.n > 0 {
		text = v.buf.view(int(p.at.Sub(v.base)), p.n)
		// "[If] the data queued is all sent, [...] the PUSH flag must be set
		// in the last segment" (RFC 9293, 3.9.1.2).
		if p.at.Add(seq.Size(p.n)) == v.end() {
			flags |= wire.PSH
		}
	} else if p.rule == RuleKeepalive && t.cfg.KeepByte {
		text = []byte{0}
	}
	if p.fin {
		flags |= wire.FIN
	}
	t.header(now, s, p.at, flags)
	if t.sackLen() > 0 {
		t.blocks(&s.Options)
	}
	s.Payload = text
	t.urgentOut(s, p)
	if p.again && t.hook != nil {
		t.hook(Event{At: now, Kind: Retransmit, Rule: p.rule, Segment: s})
	}

	end := p.at.Add(seq.Size(p.n))
	if p.fin {
		end = end.Add(1)
	}
	if p.n > 0 || p.fin {
		t.sent(now, p, end)
	}
	if p.rule == RuleProbe {
		t.stop(now, TimerRexmt)
		t.armPersist(now)
	}
	t.last, t.size = p.rule, uint16(p.size)
	t.ackSent(now, s)
}

// sent notes that the stream from p.at up to end has been sent.
func (t *TCB) sent(now time.Duration, p plan, end seq.Value) {
	v := &t.snd
	if p.again {
		t.rtt.resent()
	} else {
		if !t.outstanding() {
			t.rtt.since = now
		}
		t.rtt.time(now, p.at)
		t.quick.answers(now, t.cfg.AckDelay)
		t.tail.at = p.at
		if p.size > 0 {
			t.tail.at = p.at.Add(seq.Size((p.n - 1) / p.size * p.size))
		}
	}
	if p.at == v.resend && p.rule != RuleProbe {
		v.resend = seq.Max(v.resend, end)
	}
	if t.cc.recovering && t.sack.on && p.again {
		t.sack.highRxt = seq.Max(t.sack.highRxt, end)
		t.sack.rescued = t.sack.rescued || p.rule == RuleRescue
	}
	if v.nxt.Less(end) {
		if v.resend == v.nxt {
			v.resend = end
		}
		v.nxt = end
	}
	v.last = now
	v.flush = false
	if p.rule == RuleProbe {
		return
	}
	// "(5.1) Every time a packet containing data is sent (including a
	// retransmission), if the timer is not running, start it running so that
	// it will expire after RTO seconds" (RFC 6298)
	if !t.running(TimerRexmt) || !p.again && t.mayProbe() {
		t.armRexmt(now)
	}
}

// urgentOut sets the urgent pointer, as long as urgent data lies ahead.
func (t *TCB) urgentOut(s *wire.Segment, p plan) {
	v := &t.snd
	if !v.urgent || !s.Seq.Less(v.up) {
		return
	}
	// "the urgent pointer [...] points to the sequence number of the octet
	// following the urgent data" (RFC 6093, section 4).
	off := v.up.Sub(s.Seq)
	if t.cfg.UrgentLast {
		off--
	}
	s.Urgent = uint16(min(off, 65535))
	s.Flags |= wire.URG
	v.sayUp = false
}

// emitSYN makes our SYN, or SYN+ACK.
func (t *TCB) emitSYN(now time.Duration, s *wire.Segment) {
	v := &t.snd
	flags := wire.SYN
	if t.state != SynSent {
		flags |= wire.ACK
	}
	t.header(now, s, v.iss, flags)
	t.synOptions(now, s)
	// "The window field in a segment where the SYN bit is set (i.e., a <SYN>
	// or <SYN,ACK>) MUST NOT be scaled." (RFC 7323, 2.2)
	s.Window = uint16(min(t.firstWindow(), 65535))
	if v.nxt == v.iss {
		v.nxt = v.iss.Add(1)
		v.resend = v.nxt
		t.rtt.since = now
	}
	t.last = v.syn
	v.syn = NoRule
	if t.rtt.tries == 0 {
		t.rtt.time(now, v.iss)
	} else {
		t.rtt.resent()
		if t.hook != nil {
			t.hook(Event{At: now, Kind: Retransmit, Rule: t.last, Segment: s})
		}
	}
	t.armRexmt(now)
	if t.state != SynSent {
		t.rcv.adv = seq.Max(t.rcv.adv, t.rcv.nxt.Add(seq.Size(s.Window)))
		t.rcv.max = seq.Size(s.Window)
		t.ackDone(now)
	}
}

// synOptions sets the options of a SYN. A SYN+ACK has those that the SYN had.
func (t *TCB) synOptions(now time.Duration, s *wire.Segment) {
	o := &s.Options
	first := t.state == SynSent
	o.HasMSS, o.MSS = true, uint16(t.announce())
	if t.cfg.WindowScale && (first || t.rcv.scaling) {
		o.HasScale, o.WindowScale = true, t.scale()
	}
	if t.cfg.SACK && (first || t.sack.on) {
		o.SACKPermitted = true
	}
	if t.cfg.Timestamps && first {
		o.HasTimestamps, o.TSVal = true, t.cfg.timestamp(now, t.ts.offset)
	}
}

// emitACK makes an ACK without data.
//
// "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>". If the peer's window has closed over
// what was sent, SND.NXT would be beyond it, and the ACK not be acceptable: it
// has the right edge of the window then. But "when a non-zero scale factor is
// in use, there are instances when a retracted window can be offered", and if it
// is "out of window by less than 2^Rcv.Wind.Shift" (RFC 7323, section 2.4), the
// peer has only rounded it, and may have received what lies beyond.
func (t *TCB) emitACK(now time.Duration, s *wire.Segment) {
	v := &t.snd
	at := v.nxt
	if edge := v.una.Add(v.wnd); v.synAcked() && edge.Add(1<<v.shift-1).Less(at) {
		at = edge
	}
	t.header(now, s, at, wire.ACK)
	if t.sack.on && (len(t.rcv.held) > 0 || t.ack.dsack != span{}) {
		t.blocks(&s.Options)
	}
	t.urgentOut(s, plan{})
	t.last = t.ack.now
	t.ackSent(now, s)
}

// emitReply makes the segment outside the stream that waits.
func (t *TCB) emitReply(now time.Duration, s *wire.Segment) {
	r := t.reply
	t.reply = reply{}
	t.last = r.rule
	*s = wire.Segment{
		SrcPort: t.localPort, DstPort: t.remotePort,
		Seq: r.seq, Ack: r.ack, Flags: r.flags, Window: r.wnd,
	}
}

// header makes the header of a segment: all but SYN options, data and the
// urgent pointer.
func (t *TCB) header(now time.Duration, s *wire.Segment, at seq.Value, flags wire.Flags) {
	*s = wire.Segment{
		SrcPort: t.localPort,
		DstPort: t.remotePort,
		Seq:     at,
		Flags:   flags,
	}
	s.Options.Layout = t.cfg.Layout
	if flags.Has(wire.ACK) {
		s.Ack = t.rcv.nxt
		s.Window = t.advertise()
	}
	if t.ts.on {
		s.Options.HasTimestamps = true
		s.Options.TSVal = t.cfg.timestamp(now, t.ts.offset)
		s.Options.TSEcr = t.ts.recent
	}
}

// ackSent notes that s, which has an ACK, goes out.
func (t *TCB) ackSent(now time.Duration, s *wire.Segment) {
	wnd := seq.Size(s.Window) << t.rcv.shift
	t.rcv.adv = seq.Max(t.rcv.adv, s.Ack.Add(wnd))
	t.rcv.max = max(t.rcv.max, wnd)
	t.rcv.mem.told = int(wnd)
	t.ackDone(now)
}

// ackDone notes that all that has arrived is acknowledged.
func (t *TCB) ackDone(now time.Duration) {
	t.ts.acked = t.rcv.nxt
	if t.ack.owed > 0 {
		t.quick.left, t.quick.small = max(t.quick.left-1, 0), false
	}
	t.ack.now, t.ack.owed = NoRule, 0
	t.ack.dsack = span{}
	t.stop(now, TimerDelack)
}
