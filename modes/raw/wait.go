package raw

import (
	"slices"
	"syscall"
	"time"

	"sock/modes"
	"sock/rawtcp"
)

// waiter is woken by what changes. It has room for one wake, so that none is
// lost that comes before the wait.
type waiter chan struct{}

func newWaiter() waiter { return make(waiter, 1) }

func (w waiter) wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// Wait is poll(2) for our own sockets and standard input.
func (h *Host) Wait(in []modes.Interest, d time.Duration) error {
	w := newWaiter()
	h.watch(in, w)
	defer h.unwatch(in, w)
	var end <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		end = t.C
	}
	down := h.down
	if !slices.ContainsFunc(in, isSocket) {
		down = nil
	}
	for late := d == 0; ; {
		ready, err := h.poll(in)
		if ready || err != nil || late {
			return err
		}
		select {
		case <-w:
		case <-h.typed(in):
		case <-down: // poll knows what that means
		case <-end:
			late = true
		}
	}
}

// watch has w woken when one of the sockets changes.
func (h *Host) watch(in []modes.Interest, w waiter) {
	h.do(func(time.Duration, *rawtcp.Stack) {
		for _, i := range in {
			if s, ok := i.Socket.(descriptor); ok {
				s.watch(w)
			}
		}
	})
}

func (h *Host) unwatch(in []modes.Interest, w waiter) {
	h.do(func(time.Duration, *rawtcp.Stack) {
		for _, i := range in {
			if s, ok := i.Socket.(descriptor); ok {
				s.unwatch(w)
			}
		}
	})
}

func isSocket(i modes.Interest) bool { return i.Socket != nil }

// poll sets what can be done now, and reports whether that is anything. As with
// poll(2) a socket that is asked for nothing can still have an error: ENETDOWN.
func (h *Host) poll(in []modes.Interest) (ready bool, err error) {
	for i := range in {
		if in[i].Socket == nil {
			// The kernel knows; a Read of nothing is no question.
			if err := h.Host.Wait(in[i:i+1], 0); err != nil {
				return false, err
			}
		}
	}
	down := h.isDown()
	h.do(func(time.Duration, *rawtcp.Stack) {
		for i := range in {
			if s, ok := in[i].Socket.(descriptor); ok {
				in[i].CanRead = in[i].Read && (down || s.canRead())
				in[i].CanWrite = in[i].Write && (down || s.canWrite())
			}
			ready = ready || in[i].CanRead || in[i].CanWrite
		}
	})
	if down && !ready && slices.ContainsFunc(in, isSocket) {
		return false, h.lost()
	}
	return ready, nil
}

// isDown reports whether the link has gone away: no call sends anything or waits for
// anything any more, and so says that the network is down.
func (h *Host) isDown() bool {
	select {
	case <-h.down:
		return true
	default:
		return false
	}
}

// lost is the error of a call that is of no use since the link has gone away.
func (h *Host) lost() error {
	h.told.Store(true)
	return syscall.ENETDOWN
}

// Sleep sleeps until d has passed, or the link goes away meanwhile: then the call
// that follows says so.
func (h *Host) Sleep(d time.Duration) {
	if h.isDown() {
		h.Host.Sleep(d)
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-h.down:
	}
}

// typed returns a channel that is closed when there may be something to read from
// standard input, or nil if nobody asks.
//
// Only the kernel can wait for that, and our sockets cannot wake it up. So a
// goroutine waits, one for all, and if there is no end of it, it goes with the
// process.
func (h *Host) typed(in []modes.Interest) <-chan struct{} {
	asks := func(i modes.Interest) bool { return i.Socket == nil && i.Read }
	if !slices.ContainsFunc(in, asks) {
		return nil
	}
	h.input.mu.Lock()
	defer h.input.mu.Unlock()
	if h.input.coming == nil {
		c := make(chan struct{})
		h.input.coming = c
		go func() {
			// An error is what the next poll gives too.
			_ = h.Host.Wait([]modes.Interest{{Read: true}}, -1)
			h.input.mu.Lock()
			h.input.coming = nil
			h.input.mu.Unlock()
			close(c)
		}()
	}
	return h.input.coming
}
