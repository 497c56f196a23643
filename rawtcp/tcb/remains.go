package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// Remains is what a TimeWaiter knows, in numbers that mean the same to another
// process, with another clock: times and timestamps are told from a moment that
// both agree on.
type Remains struct {
	Left time.Duration // until TIME_WAIT is over

	SndNxt, RcvNxt seq.Value
	RcvWnd         uint32 // in bytes
	RcvShift       uint8  // of the window, 0 to 14

	Timestamps bool   // the connection had agreed on them
	TSRecent   uint32 // the peer's last
	TSVal      uint32 // ours at that moment
}

// Remains returns what is left of w at now.
func (w *TimeWaiter) Remains(now time.Duration) Remains {
	r := Remains{
		Left: max(w.Deadline-now, 0), SndNxt: w.sndNxt, RcvNxt: w.rcvNxt,
		RcvWnd: w.rcvWnd, RcvShift: w.rcvShift,
	}
	if w.timestamps {
		r.Timestamps, r.TSRecent, r.TSVal = true, w.tsRecent, w.cfg.timestamp(now, w.tsOffset)
	}
	return r
}

// NewTimeWaiter brings back at now what is left of a connection between two
// ports. It goes by the rules of cfg.
func NewTimeWaiter(now time.Duration, cfg *Config, localPort, remotePort uint16, r Remains) TimeWaiter {
	return TimeWaiter{
		cfg:      cfg,
		Deadline: now + r.Left,
		sndNxt:   r.SndNxt, rcvNxt: r.RcvNxt, rcvWnd: r.RcvWnd, rcvShift: r.RcvShift,
		timestamps: r.Timestamps, tsRecent: r.TSRecent, tsOffset: r.TSVal - cfg.timestamp(now, 0),
		localPort: localPort, remotePort: remotePort,
	}
}
