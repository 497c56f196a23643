package loop

import (
	"net"
	"os"
	"sync"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// socket is what a Conn and a Listener have in common: calls that wait. All but
// the calls themselves is guarded by the lock of the Loop.
type socket struct {
	loop   *Loop
	k      *rawtcp.Socket
	in     side // of Read and Accept
	out    side // of Write and of the dialing
	end    side // of a Close that lingers
	marked bool // in loop.changed
	closed bool // by the user
	muted  bool // by CloseRead
}

// side is one direction of a socket.
type side struct {
	busy     bool      // a call is under way, though it may wait
	idle     sync.Cond // for the next one
	deadline time.Duration
	waiting  bool
	want     int           // how much room a waiting Write wants
	wake     chan struct{} // is sent to once when waiting becomes false
	timer    *time.Timer   // for the deadline, while the call waits
}

// open makes k the socket of s.
func (s *socket) open(l *Loop, k *rawtcp.Socket) {
	s.loop, s.k = l, k
	for _, d := range [...]*side{&s.in, &s.out, &s.end} {
		d.deadline, d.idle.L = never, &l.mu
	}
	l.sockets[s] = struct{}{}
	k.OnChange(s.mark)
}

// shut says that the user has closed: whoever waits need wait no longer.
func (s *socket) shut() {
	s.closed = true
	s.in.rouse()
	s.out.rouse()
}

// mark has the socket looked at before the lock is released.
func (s *socket) mark() {
	if !s.marked {
		s.marked = true
		s.loop.changed = append(s.loop.changed, s)
	}
}

// notify wakes those who wait for what has changed.
func (s *socket) notify() {
	if s.muted && !s.closed {
		s.discard()
	}
	if s.in.waiting && s.k.CanRead() {
		s.in.rouse()
	}
	if s.out.waiting && s.k.CanWrite() && s.roomy() {
		s.out.rouse()
	}
	s.end.rouse()
}

// roomy reports whether there is as much room as a Write waits for. If it woke
// for each segment acknowledged, it would do little else.
func (s *socket) roomy() bool {
	in := s.k.Info()
	open := in.State == tcb.Established || in.State == tcb.CloseWait
	return !open || in.SendBuffer-in.SendQueued >= min(s.out.want, in.SendBuffer/3)
}

// enter begins a call on side d, with a turn: one at a time, so that two Writes
// do not mix.
func (s *socket) enter(d *side) {
	s.loop.lock()
	for d.busy {
		d.idle.Wait() // the turn has not done anything yet
		s.loop.now = time.Since(s.loop.epoch)
	}
	d.busy = true
}

// leave ends a call.
func (s *socket) leave(d *side) {
	d.busy = false
	d.idle.Signal()
	s.loop.unlock()
}

// ready returns why a call on side d cannot go on: it has been closed, or the
// deadline has passed.
func (s *socket) ready(d *side) error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.loop.now >= d.deadline:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wait waits for a change, for the deadline or for done, with the lock released.
// It may return too early, so the caller must look again.
func (s *socket) wait(d *side, done <-chan struct{}) {
	l := s.loop
	if d.wake == nil {
		d.wake = make(chan struct{}, 1)
	}
	d.waiting = true
	if d.deadline == never && done == nil {
		l.unlock()
		<-d.wake
		l.lock()
		return
	}
	var timeout <-chan time.Time
	if d.deadline != never {
		if left := d.deadline - l.now; d.timer == nil {
			d.timer = time.NewTimer(left)
		} else {
			d.timer.Reset(left)
		}
		defer d.timer.Stop()
		timeout = d.timer.C
	}
	l.unlock()
	select {
	case <-d.wake:
		l.lock()
		return
	case <-timeout:
	case <-done:
	}
	l.lock()
	if !d.waiting {
		<-d.wake // it came at the same time
	}
	d.waiting = false
}

// rouse wakes who waits.
func (d *side) rouse() {
	if d.waiting {
		d.waiting = false
		d.wake <- struct{}{}
	}
}

// setDeadline sets the deadline of side d; the zero time is none.
func (s *socket) setDeadline(d *side, t time.Time) {
	d.deadline = never
	if !t.IsZero() {
		now := s.loop.now
		d.deadline = now + min(max(time.Until(t), 0), never-1-now)
	}
	d.rouse() // to wait for the new one
}
