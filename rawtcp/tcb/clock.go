package tcb

import "time"

// never is the deadline of a timer that is not set.
const never = time.Duration(1<<63 - 1)

// Clock says when a timer runs out. A modern one does so exactly when it
// should; that of the Berkeley systems at a tick: the timer counts ticks, and
// the first one comes after anything from nothing to a whole tick. So a timer
// of 6 s, 12 ticks, takes between 5.5 and 6 s (Fig 18-7).
type Clock struct {
	Tick  time.Duration // the time between ticks; 0 for an exact clock
	Phase time.Duration // when one of the ticks is: 0 <= Phase < Tick
}

// After returns when a timer of d that is set now runs out. It is never before
// now.
func (c Clock) After(now, d time.Duration) time.Duration {
	if d > never-now-c.Tick {
		return never
	}
	if c.Tick <= 0 {
		return now + max(d, 0)
	}
	return c.last(now) + max(c.Round(d), c.Tick)
}

// Round returns d rounded up to whole ticks.
func (c Clock) Round(d time.Duration) time.Duration {
	if c.Tick <= 0 {
		return d
	}
	return (d + c.Tick - 1) / c.Tick * c.Tick
}

// Ticks returns how many ticks there are in the time after from up to to.
func (c Clock) Ticks(from, to time.Duration) int {
	if c.Tick <= 0 {
		return 0
	}
	return int((c.last(to) - c.last(from)) / c.Tick)
}

// last returns when the last tick was, now included.
func (c Clock) last(now time.Duration) time.Duration {
	since := (now - c.Phase) % c.Tick
	if since < 0 {
		since += c.Tick
	}
	return now - since
}
