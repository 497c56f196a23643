package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// TimeWaiter is what must be remembered of a connection in TIME_WAIT: enough
// to answer every segment that may still come, in a fraction of the memory.
// The machine itself answers by it while it is in TIME_WAIT; who owns the
// machine can keep the TimeWaiter alone when the user has done with the rest.
type TimeWaiter struct {
	cfg *Config

	Deadline time.Duration // when it is over

	sndNxt, rcvNxt        seq.Value
	rcvWnd                uint32
	tsRecent, tsOffset    uint32
	localPort, remotePort uint16
	rcvShift              uint8
	timestamps            bool
}

// Input answers a segment. If reply is true, *out is to be sent. The reason
// NewIncarnation says that the segment is a SYN that may begin a new
// connection (see ReuseISS); it is not answered.
//
// If over is true, a RST has ended TIME_WAIT.
func (w *TimeWaiter) Input(now time.Duration, in, out *wire.Segment) (why Reason, reply, over bool) {
	if in.Flags.Has(wire.SYN) && !in.Flags.Any(wire.RST|wire.ACK) && w.mayReuse(in) {
		return NewIncarnation, false, false
	}
	end := in.Seq.Add(in.Len())
	acceptable := w.acceptable(in)
	if in.Flags.Has(wire.RST) {
		// "If the RST bit is set, then enter the CLOSED state, delete the
		// TCB, and return." (RFC 9293, 3.10.7.4). But "ignore RST segments
		// in TIME-WAIT state" (RFC 1337, section 3, F1).
		switch {
		case w.cfg.IgnoreTimeWaitRST:
			return Assassin, false, false
		case !acceptable:
			return OutsideWindow, false, false
		case w.cfg.Challenge && in.Seq != w.rcvNxt:
			w.answer(now, out)
			return BadReset, true, false
		}
		return OK, false, true
	}
	// "The only thing that can arrive in this state is a retransmission of
	// the remote FIN. Acknowledge it, and restart the 2 MSL timeout." It
	// lies left of the window, so it is looked for before that is checked.
	if in.Flags.Has(wire.FIN) && end == w.rcvNxt {
		w.Deadline = w.cfg.Slow.After(now, 2*w.cfg.MSL)
		w.answer(now, out)
		return OK, true, false
	}
	if !acceptable {
		w.answer(now, out)
		if end.LessEq(w.rcvNxt) {
			return OldDuplicate, true, false
		}
		return OutsideWindow, true, false
	}
	if in.Flags.Has(wire.SYN) {
		w.answer(now, out)
		return SYNInWindow, true, false
	}
	if !in.Flags.Has(wire.ACK) {
		return NoACK, false, false
	}
	// Text and URG "should not occur since a FIN has been received from the
	// remote side. Ignore".
	return TimeWaitSegment, false, false
}

// acceptable is the test of RFC 9293, table 6.
func (w *TimeWaiter) acceptable(in *wire.Segment) bool {
	return inWindow(in.Seq, in.Len(), w.rcvNxt, seq.Size(w.rcvWnd))
}

// mayReuse reports whether a SYN may begin a new incarnation.
func (w *TimeWaiter) mayReuse(in *wire.Segment) bool {
	switch w.cfg.Reuse {
	case ReuseTimestamps:
		// RFC 6191, section 2: with timestamps before, and in the SYN, a
		// newer timestamp is enough, and with the same one the number must
		// be larger.
		if w.timestamps && in.Options.HasTimestamps {
			age := int32(in.Options.TSVal - w.tsRecent)
			return age > 0 || age == 0 && w.rcvNxt.Less(in.Seq)
		}
		fallthrough
	case ReuseSequence:
		// RFC 1122, section 4.2.2.13: if its number is "larger than the
		// largest sequence number it used on the previous connection". That
		// was the FIN, but Berkeley and Linux ask for one more.
		return w.rcvNxt.Less(in.Seq)
	}
	return false
}

// answer makes out <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (w *TimeWaiter) answer(now time.Duration, out *wire.Segment) {
	*out = wire.Segment{
		SrcPort: w.localPort,
		DstPort: w.remotePort,
		Seq:     w.sndNxt,
		Ack:     w.rcvNxt,
		Flags:   wire.ACK,
		Window:  uint16(min(w.rcvWnd>>w.rcvShift, 65535)),
	}
	out.Options.Layout = w.cfg.Layout
	if w.timestamps {
		out.Options.HasTimestamps = true
		out.Options.TSVal = w.cfg.timestamp(now, w.tsOffset)
		out.Options.TSEcr = w.tsRecent
	}
}

// ReuseISS returns the initial sequence number of a new incarnation, "larger
// than the largest sequence number it used on the previous connection
// incarnation" (RFC 1122, section 4.2.2.13), and whether the profile has a
// rule for it. If not, any number that is newer than that will do.
func (w *TimeWaiter) ReuseISS() (iss seq.Value, ok bool) {
	return w.sndNxt.Add(seq.Size(w.cfg.ReuseISN)), w.cfg.ReuseISN != 0
}

// SndNxt returns the number after the last one that the connection used.
func (w *TimeWaiter) SndNxt() seq.Value { return w.sndNxt }

// inWindow is the acceptability test of RFC 9293, table 6.
func inWindow(s seq.Value, length seq.Size, nxt seq.Value, wnd seq.Size) bool {
	if wnd == 0 {
		return length == 0 && s == nxt
	}
	return s.In(nxt, wnd) || length > 0 && s.Add(length-1).In(nxt, wnd)
}
