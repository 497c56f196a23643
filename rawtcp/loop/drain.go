package loop

import (
	"context"
	"slices"

	"sock/rawtcp/tcb"
)

// Drain waits until all that closed connections had to send has been
// acknowledged, or has failed, or ctx is done. A program that ends calls it
// after it has closed its connections, and before Close: there is no kernel to
// go on for it. TIME_WAIT is not waited for.
func (l *Loop) Drain(ctx context.Context) error {
	done := make(chan struct{})
	l.lock()
	l.drains = append(l.drains, done)
	l.unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		l.lock()
		l.drains = slices.DeleteFunc(l.drains, func(d chan struct{}) bool { return d == done })
		l.unlock()
		return ctx.Err()
	}
}

// drained tells those who wait in Drain, if there is nothing left to wait for.
func (l *Loop) drained() {
	if !l.closed && l.sending() {
		return
	}
	for _, done := range l.drains {
		close(done)
	}
	l.drains = nil
}

// sending reports whether a connection that its user has closed has still
// something to send.
func (l *Loop) sending() bool {
	for in := range l.stack.Orphans() {
		switch in.State {
		case tcb.FinWait1, tcb.Closing, tcb.LastAck:
			return true
		}
	}
	return false
}
