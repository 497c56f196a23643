package raw

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"sock/modes"
	"sock/rawtcp"
)

// descriptor is a socket of ours. All but its calls is done with the lock held.
type descriptor interface {
	modes.Socket
	// canRead and canWrite report what would not block.
	canRead() bool
	canWrite() bool
	// watch has w woken when that may have changed, until unwatch.
	watch(w waiter)
	unwatch(w waiter)
	// exit is close for a process that ends: nobody waits.
	exit(now time.Duration)
}

// socket is one of TCP or of UDP.
type socket interface {
	Local() netip.AddrPort
	Remote() netip.AddrPort
	Err() error
}

// calls is what all sockets have in common: calls that may wait. It is guarded by
// the lock of the Loop.
type calls struct {
	h       *Host
	of      socket
	closed  bool
	waiters []waiter

	recvTimeout, sendTimeout time.Duration
}

func (s *calls) watch(w waiter) { s.waiters = append(s.waiters, w) }

func (s *calls) unwatch(w waiter) {
	s.waiters = slices.DeleteFunc(s.waiters, func(o waiter) bool { return o == w })
}

func (s *calls) wake() {
	for _, w := range s.waiters {
		w.wake()
	}
}

// do makes a call with the lock held.
func (s *calls) do(call func(now time.Duration) error) (err error) {
	s.h.do(func(now time.Duration, _ *rawtcp.Stack) {
		switch {
		case !s.closed:
			err = call(now)
		case s.h.isDown():
			err = s.h.lost() // it was closed because of that
		default:
			err = syscall.EBADF
		}
	})
	return errno(err)
}

// Local is getsockname(2).
func (s *calls) Local() (a netip.AddrPort, err error) {
	err = s.do(func(time.Duration) error {
		a = s.of.Local()
		return nil
	})
	return a, err
}

// Peer is getpeername(2).
func (s *calls) Peer() (a netip.AddrPort, err error) {
	err = s.do(func(time.Duration) error {
		if a = s.of.Remote(); !a.IsValid() {
			return rawtcp.ErrNotConnected
		}
		return nil
	})
	return a, err
}

// Err gives and clears SO_ERROR.
func (s *calls) Err() error {
	return s.do(func(time.Duration) error { return s.of.Err() })
}

// block makes a call until it does not block any more, or limit has passed; 0 is
// none.
func (s *calls) block(limit time.Duration, call func(now time.Duration) error) error {
	var w waiter
	var late <-chan time.Time
	for {
		err := s.do(func(now time.Duration) error {
			err := call(now)
			if w == nil && errors.Is(err, rawtcp.ErrWouldBlock) {
				w = newWaiter()
				s.watch(w)
			}
			return err
		})
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			s.leave(w)
			return err
		}
		if limit > 0 && late == nil {
			t := time.NewTimer(limit)
			defer t.Stop()
			late = t.C
		}
		select {
		case <-w:
		case <-late:
			s.leave(w)
			return modes.ErrTimeout
		case <-s.h.down:
			s.leave(w)
			return s.h.lost() // for ever
		}
	}
}

// leave ends the wait of w, which may be nil.
func (s *calls) leave(w waiter) {
	if w != nil {
		s.h.do(func(time.Duration, *rawtcp.Stack) { s.unwatch(w) })
	}
}

// timeout returns where an option lies that is how long calls may wait, or nil.
func (s *calls) timeout(o modes.Option) *time.Duration {
	switch o {
	case modes.RecvTimeout:
		return &s.recvTimeout
	case modes.SendTimeout:
		return &s.sendTimeout
	}
	return nil
}
