package tcb

import "time"

// quickAck is when data is acknowledged at once, though an ACK might be delayed:
// while a peer may be in slow start, which grows by ACKs, or waits for one before
// it sends the rest (the Nagle algorithm). RFC 5681, 4.2, asks for an ACK of "at
// least every second full-sized segment"; more of them are allowed. The rules
// are those of Linux, whose tcp(7) calls them quickack mode.
type quickAck struct {
	came        time.Duration // when data last came in
	left        int           // so many more ACKs go out at once
	begun       bool          // data has come in
	small       bool          // a segment not full-sized has, since the last ACK
	interactive bool          // data is answered by data, in which the ACK can ride
}

// quicken is told of n bytes that came in order, and reports whether to
// acknowledge them at once. A peer that was silent for longer than a timeout
// starts slowly again.
func (t *TCB) quicken(now time.Duration, n int) bool {
	q := &t.quick
	if t.cfg.QuickAcks == 0 {
		return false
	}
	if !q.begun || now-q.came > t.currentRTO() {
		// Not more than are needed to fill half of the window.
		q.left = min(t.cfg.QuickAcks, max(int(t.rcv.window())/2/max(int(t.rcv.seen), 1), 2))
	}
	q.begun, q.came = true, now
	q.small = q.small || n < int(t.rcv.seen)
	return q.left > 0 && !q.interactive
}

// answers notes that new data is sent: soon after some came in, it is an answer.
func (q *quickAck) answers(now time.Duration, soon time.Duration) {
	if q.begun && now-q.came < soon {
		q.interactive = true
	}
}

// quickRead has the end of a message acknowledged once the user has read all
// there is.
func (t *TCB) quickRead() {
	if t.cfg.QuickAcks > 0 && t.quick.small && !t.quick.interactive && t.ack.owed > 0 && t.rcv.buf.n == 0 {
		t.ackNow(RuleQuickACK)
	}
}
