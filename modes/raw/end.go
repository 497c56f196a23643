package raw

import (
	"errors"
	"fmt"
	"math"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// What a kernel does for a process that has ended, this process has to do before
// it ends: it sends what is queued, and the FIN, again and again if it must, and
// it acknowledges the peer's FIN.
//
// It does not stay for TIME_WAIT, whose end would be minutes away. On a wire the
// hub does: it is left what is in TIME_WAIT, acknowledges the FIN of a peer that
// has not heard of it, and gives what is left to the next process at the same
// address. On other links TIME_WAIT ends with the process: "to be sure the remote
// TCP received the acknowledgment of its connection termination request" (RFC
// 9293, section 3.3.2) is then not sure, and the same pair of sockets is free at
// once. So it is everywhere after SIGKILL, as after the crash of a host.

// How long the end waits while nothing comes.
const (
	// patience is as long as Linux lets a connection without a process wait
	// for the peer's FIN.
	patience = time.Minute
	// shortPatience is for what is over but for the acknowledgment of our FIN,
	// which never comes if the peer's process has ended; and for who has sent
	// a signal. A second one is obeyed at once.
	shortPatience = 5 * time.Second
)

// End closes what is still open, and waits until TCP has done with it, or nothing
// comes for a minute. The error is that of the Sink, or that the link has gone away
// first, if no call has said so.
func (h *Host) End() error {
	h.do(func(now time.Duration, _ *rawtcp.Stack) {
		h.ending = true
		h.closeAll(now)
	})
	err := h.drain(patience)
	h.forget()
	return errors.Join(err, h.stop())
}

// interrupted is the last act of a process that a signal ends.
func (h *Host) interrupted() {
	var ending bool
	h.loop.Do(func(now time.Duration, _ *rawtcp.Stack) {
		h.dying, ending = true, h.ending
		h.closeAll(now)
	})
	if !ending {
		_ = h.drain(shortPatience)
	}
	_ = h.stop() // nobody is left to be told
}

// stop ends all activity.
func (h *Host) stop() error {
	h.bequeath()
	err := h.loop.Close()
	if h.sink != nil {
		err = errors.Join(err, h.sink.Close())
	}
	return err
}

// closeAll closes what is open, with the lock held.
func (h *Host) closeAll(now time.Duration) {
	for s := range h.open {
		s.exit(now)
	}
}

// drain waits until no connection has anything to do, or nothing has come for so
// long, or the link has gone.
func (h *Host) drain(limit time.Duration) error {
	silence := time.NewTimer(never)
	defer silence.Stop()
	for heard := h.Now(); ; {
		worth := h.unfinished()
		if worth == 0 {
			return nil
		}
		silence.Reset(heard.Add(min(limit, worth)).Sub(h.Now()))
		select {
		case <-h.arrived:
			heard = h.Now()
		case <-h.ticked: // a connection may have ended
		case <-silence.C:
			return nil
		case <-h.down:
			if h.told.Swap(true) {
				return nil
			}
			return fmt.Errorf("a connection has not ended: %w", h.why())
		}
	}
}

const never = time.Duration(math.MaxInt64)

// unfinished returns how long a silence is worth waiting for those connections
// that have been closed and are not over, but for TIME_WAIT: 0 if there are none.
func (h *Host) unfinished() (worth time.Duration) {
	h.loop.Do(func(_ time.Duration, tcp *rawtcp.Stack) {
		for in := range tcp.Orphans() {
			switch in.State {
			case tcb.FinWait1, tcb.FinWait2:
				worth = patience
			case tcb.Closing, tcb.LastAck:
				if in.SendQueued > 0 {
					worth = patience
				}
				worth = max(worth, shortPatience)
			}
			if worth == patience {
				return // there is no more
			}
		}
	})
	return worth
}
