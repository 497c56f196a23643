package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// opening returns where the right edge of the receive window would be now, as
// RFC 9293, 3.8.6.2.2 has it: "keep RCV.NXT+RCV.WND fixed until: RCV.BUFF -
// RCV.USER - RCV.WND >= min( Fr * RCV.BUFF, Eff.snd.MSS ), where Fr is a
// fraction whose recommended value is 1/2".
func (t *TCB) opening() seq.Size {
	if t.cfg.Window == WindowMemory {
		return seq.Size(t.memoryWindow())
	}
	r := &t.rcv
	free, now := t.space(), int(r.window())
	if t.cfg.Window == WindowExact && free > now && (free >= r.buf.limit/4 || free >= int(r.mss)) {
		return seq.Size(free)
	}
	if free-now >= max(min(r.buf.limit/2, int(r.mss)), 1) {
		return seq.Size(free)
	}
	return seq.Size(now)
}

// space returns how large a window there is room for. The head of a STREAM
// takes data out of the buffer long before the user reads it.
func (t *TCB) space() int {
	b := &t.rcv.buf
	return min(max(b.limit+t.cfg.StreamHead-b.n, 0), b.limit)
}

// firstWindow returns the window of a SYN. By one rule it may be more than a SYN
// can tell.
func (t *TCB) firstWindow() int {
	if t.cfg.Window == WindowMemory {
		return t.memoryFirst()
	}
	return min(t.space(), 65535)
}

// advertise returns the window field of the next segment.
func (t *TCB) advertise() uint16 {
	if t.rcv.done && t.cfg.Window != WindowMemory {
		// The peer has no more to send: tell the room there is.
		return uint16(min(max(t.space(), 0)>>t.rcv.shift, 65535))
	}
	return uint16(min(t.opening()>>t.rcv.shift, 65535))
}

// windowOpens has the peer told of a window that has opened, if it was less than
// half as large as it has been and opens by enough: two segments or half of the
// buffer, or one segment if there was no room for one before. A Berkeley system
// tells of two segments or half of the buffer always, and of less never.
func (t *TCB) windowOpens(now time.Duration) {
	r := &t.rcv
	if r.done || r.gone || t.state != Established && t.state != FinWait1 && t.state != FinWait2 {
		return
	}
	before := min(int(r.window()), 65535<<r.shift)
	if t.cfg.Window == WindowMemory {
		// It is worth a segment if it is twice as large.
		if 2*before <= t.memoryFull() && t.memoryWindow() >= max(2*before, 1) {
			t.ackNow(RuleWindowUpdate)
		}
		return
	}
	if t.cfg.Window != WindowExact && 2*before > int(r.max) {
		return // what the peer knows of will do, and the next ACK tells the rest
	}
	by := min(int(t.opening()), 65535<<r.shift)>>r.shift<<r.shift - before
	enough := int(r.mss)
	if before >= enough || t.cfg.Window == WindowExact {
		enough *= 2
	}
	if by >= max(min(enough, r.buf.limit/2), 1) {
		t.ackNow(RuleWindowUpdate)
	}
}
