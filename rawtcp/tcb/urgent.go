package tcb

import "sock/rawtcp/seq"

// Urgent data, as Berkeley has it: one byte, that at the mark, is urgent. It
// is taken out of the stream, and ReadUrgent returns it, unless SetInline
// leaves it there. Either way Read stops at the mark, so that its place is
// known.

// urgentWaits reports whether there is urgent data that has not been sent.
func (t *TCB) urgentWaits() bool { return t.snd.urgent && t.snd.nxt.Less(t.snd.up) }

// repeatUrgent is what the output of the Berkeley systems does whenever it is
// called and nothing can be sent: as long as there is urgent data, it sends a
// segment that says so. As it never comes to where it would set the persist
// timer, it does not probe the window either (Stevens, Fig 20-14).
func (t *TCB) repeatUrgent() {
	if t.cfg.UrgentRepeats && t.urgentWaits() {
		t.snd.sayUp = true
	}
}

// mark returns the number of the urgent byte, or that after the urgent data
// if the profile reads the pointer so.
func (r *recvVars) mark() seq.Value { return r.up - 1 }

// first returns the number of the first byte in the buffer.
func (t *TCB) first() seq.Value {
	v := t.rcv.nxt - seq.Value(t.rcv.buf.n)
	if t.rcv.done {
		v--
	}
	return v
}

// Urgent reports whether the peer has pointed to urgent data that has not been
// read past, and how many bytes can be read before it, arrived or not.
func (t *TCB) Urgent() (before int, ok bool) {
	if !t.rcv.urgent {
		return 0, false
	}
	return int(t.rcv.mark().Sub(t.first())), true
}

// AtMark reports whether the next byte to be read is the urgent one, or would
// be if it had been left in the stream (sockatmark).
func (t *TCB) AtMark() bool {
	before, ok := t.Urgent()
	return ok && before == 0
}

// ReadUrgent returns the urgent byte, and forgets it unless peek is set. The
// error is ErrNoUrgent if there is none, or ErrWouldBlock if it has been told
// of but not arrived.
func (t *TCB) ReadUrgent(peek bool) (byte, error) {
	r := &t.rcv
	switch {
	case t.opt.inline, !r.urgent && !r.haveOOB:
		return 0, ErrNoUrgent
	case !r.haveOOB && r.mark().Less(t.rcv.nxt):
		return 0, ErrNoUrgent
	case !r.haveOOB:
		return 0, ErrWouldBlock
	}
	if !peek {
		r.haveOOB = false
	}
	return r.oob, nil
}

// readable returns how many bytes Read would return: up to the mark, if one
// lies ahead. A mark that Read has stopped at stops it no more.
func (t *TCB) readable() int {
	n := t.rcv.buf.n
	before, ok := t.Urgent()
	switch {
	case !ok || before >= n:
		return n
	case before > 0:
		return before
	case t.opt.inline:
		return n
	}
	return n - 1
}

// take moves n bytes to p, all of which are there, and passes the mark.
func (t *TCB) take(p []byte) int {
	r := &t.rcv
	if before, ok := t.Urgent(); ok && before == 0 && len(p) > 0 {
		if !t.opt.inline {
			r.buf.drop(1)
		}
		r.urgent = false
	}
	return r.buf.read(p)
}

// urgentTo notes that urgent data ends before up, and tells the user.
//
// "If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal the user
// that the remote side has urgent data if the urgent pointer (RCV.UP) is in
// advance of the data consumed. If the user has already been signaled (or is
// still in the "urgent mode") for this continuous sequence of urgent data, do
// not signal the user again." (RFC 9293, 3.10.7.4)
func (t *TCB) urgentTo(up seq.Value) bool {
	r := &t.rcv
	if up.LessEq(t.first()) || r.urgent && up.LessEq(r.up) || up == r.up {
		return false
	}
	signal := !r.urgent
	r.up, r.urgent, r.haveOOB = up, true, false
	// The byte may be here already, in order or beyond a hole.
	if m := r.mark(); m.Less(r.nxt) || r.held.covers(span{m, up}) {
		p, _ := r.buf.parts(int(m.Sub(t.first())), 1)
		t.keepUrgent(m, p)
	}
	return signal
}

// keepUrgent keeps the urgent byte, if it is among the bytes p that begin at
// left.
func (t *TCB) keepUrgent(left seq.Value, p []byte) {
	r := &t.rcv
	if r.urgent && r.mark().In(left, seq.Size(len(p))) {
		r.oob, r.haveOOB = p[r.mark().Sub(left)], true
	}
}
