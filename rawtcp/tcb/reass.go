package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// arrival is what is left of a segment as its parts outside the window are
// trimmed off.
type arrival struct {
	s    *wire.Segment
	seq  seq.Value
	text []byte
	syn  bool
	fin  bool
}

func (t *TCB) arrive(s *wire.Segment) arrival {
	return arrival{
		s: s, seq: s.Seq, text: s.Payload,
		syn: s.Flags.Has(wire.SYN), fin: s.Flags.Has(wire.FIN),
	}
}

func (a *arrival) len() seq.Size {
	n := seq.Size(len(a.text))
	if a.syn {
		n++
	}
	if a.fin {
		n++
	}
	return n
}

// end returns the number after the text: that of the FIN, if there is one.
func (a *arrival) end() seq.Value {
	n := seq.Size(len(a.text))
	if a.syn {
		n++
	}
	return a.seq.Add(n)
}

// trimLeft trims off what lies before v. The FIN is left.
func (a *arrival) trimLeft(v seq.Value) {
	if !a.seq.Less(v) {
		return
	}
	if a.syn {
		a.syn = false
		a.seq = a.seq.Add(1)
	}
	n := min(int(v.Sub(a.seq)), len(a.text))
	a.text = a.text[n:]
	a.seq = a.seq.Add(seq.Size(n))
}

// trimRight trims off what lies at v or beyond. A FIN at v is left.
func (a *arrival) trimRight(v seq.Value) {
	if v.Less(a.end()) {
		a.fin = false
		a.text = a.text[:max(len(a.text)-int(a.end().Sub(v)), 0)]
	}
}

// urgentEnd returns the number after the last urgent byte.
//
// "the urgent pointer [...] points to the sequence number of the octet
// following the urgent data" (RFC 6093, section 4). RFC 1122 had it the other
// way: "the urgent pointer points to the sequence number of the LAST octet".
func (a *arrival) urgentEnd(last bool) seq.Value {
	up := a.s.Seq.Add(seq.Size(a.s.Urgent))
	if a.s.Flags.Has(wire.SYN) {
		up = up.Add(1)
	}
	if last {
		up = up.Add(1)
	}
	return up
}

// inputData is "Seventh, process the segment text". All of it is in the
// window.
func (t *TCB) inputData(now time.Duration, a *arrival) Reason {
	r := &t.rcv
	if r.hasFIN && r.fin.Less(a.end()) {
		a.trimRight(r.fin)
	}
	if a.fin && !r.hasFIN {
		r.hasFIN, r.fin = true, a.end()
		r.held.dropFrom(r.fin) // who has sent that says himself it is wrong
	}
	if len(a.text) == 0 {
		if a.fin && a.seq != r.nxt {
			t.ackNow(RuleOutOfOrder)
		}
		return OK
	}
	if a.seq != r.nxt {
		// "Segments with higher beginning sequence numbers SHOULD be held for
		// later processing". "A TCP receiver SHOULD send an immediate
		// duplicate ACK when an out-of-order segment arrives." (RFC 5681, 3.2)
		t.ackNow(RuleOutOfOrder)
		return t.hold(a)
	}
	// "Once the TCP endpoint takes responsibility for the data, it advances
	// RCV.NXT over the data accepted, and adjusts RCV.WND as appropriate to
	// the current buffer availability. The total of RCV.NXT and RCV.WND should
	// not be reduced."
	r.buf.put(r.buf.n, a.text)
	t.keepUrgent(a.seq, a.text)
	t.advance(len(a.text))
	if len(r.held) > 0 {
		// "a TCP receiver SHOULD send an immediate ACK when the incoming
		// segment fills in all or part of a gap in the sequence space."
		t.release()
		t.ackNow(RuleHoleFilled)
	}
	t.countAck(now, len(a.text))
	return OK
}

// advance moves RCV.NXT over n bytes that lie in the buffer.
func (t *TCB) advance(n int) {
	t.rcv.buf.n += n
	t.rcv.nxt = t.rcv.nxt.Add(seq.Size(n))
	t.rcv.adv = seq.Max(t.rcv.adv, t.rcv.nxt)
}

// hold keeps data that lies beyond a hole. It goes where it belongs in the
// buffer, so that nothing is left to do when the hole is filled.
func (t *TCB) hold(a *arrival) Reason {
	r := &t.rcv
	s := span{a.seq, a.seq.Add(seq.Size(len(a.text)))}
	if r.held.covers(s) {
		t.duplicate(s.left, s.right)
		return OK
	}
	if _, ok := r.held.add(s); !ok {
		return ReassemblyFull
	}
	r.buf.put(r.buf.n+int(s.left.Sub(r.nxt)), a.text)
	t.keepUrgent(a.seq, a.text)
	t.ack.recent = [3]seq.Value{s.left, t.ack.recent[0], t.ack.recent[1]}
	return OK
}

// release moves RCV.NXT over what lay beyond a hole that is filled.
func (t *TCB) release() {
	r := &t.rcv
	for len(r.held) > 0 && r.held[0].left.LessEq(r.nxt) {
		if r.nxt.Less(r.held[0].right) {
			t.advance(int(r.held[0].right.Sub(r.nxt)))
		}
		r.held = append(r.held[:0], r.held[1:]...)
	}
}

// duplicate notes data that had arrived before, for the next ACK to tell.
func (t *TCB) duplicate(left, right seq.Value) {
	if t.sack.on && left.Less(right) {
		t.ack.dsack = span{left, right}
	}
}

// countAck says how soon n bytes that came in order are acknowledged.
//
// "the delayed ACK algorithm [...] an ACK SHOULD be generated for at least
// every second full-sized segment, and MUST be generated within 500 ms of the
// arrival of the first unacknowledged packet." (RFC 5681, 4.2). The Berkeley
// systems do not count: it is the reader who makes the window grow, and each two
// segments that it grows by send an ACK.
func (t *TCB) countAck(now time.Duration, n int) {
	r := &t.rcv
	larger := n > r.usual()
	r.seen = uint16(max(r.usual(), min(n, int(r.mss))))
	if t.cfg.Window == WindowMemory {
		t.memoryTakes(n, larger)
	}
	t.ack.owed += n
	quick := t.quicken(now, n)
	if t.cfg.StreamHead > 0 {
		t.windowOpens(now)
	}
	if t.cfg.AckDelay == 0 || t.cfg.AckEvery > 0 && t.ack.owed >= t.cfg.AckEvery*int(r.seen) {
		t.ackNow(RuleEverySecond)
		return
	}
	if quick {
		t.ackNow(RuleQuickACK)
		return
	}
	t.delayAck(now)
}

// delayAck has an ACK sent a little later.
func (t *TCB) delayAck(now time.Duration) {
	if !t.running(TimerDelack) {
		t.set(now, TimerDelack, t.cfg.Fast.After(now, t.cfg.AckDelay))
	}
}
