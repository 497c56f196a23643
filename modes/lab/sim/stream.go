package sim

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"sock/modes"
	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// stream is a TCP socket.
type stream struct {
	nothing
	k      *rawtcp.Socket // nil when it is closed
	family modes.Family
	// values are the options that the Stack knows nothing of.
	values  map[modes.Option]int
	changed bool // since it was set to false
}

func (h *Host) newStream(p *Process, f modes.Family) *stream {
	family := rawtcp.IPv4
	if f == modes.IPv6 {
		family = rawtcp.IPv6
	}
	return p.newStream(h.TCP.Socket(family), f)
}

func (p *Process) newStream(k *rawtcp.Socket, f modes.Family) *stream {
	s := &stream{nothing: nothing{p}, k: k, family: f, values: map[modes.Option]int{}}
	k.OnChange(s.onChange)
	p.opened(s)
	return s
}

// onChange takes in that something may have changed: if that is not what the
// process has just done, there is a signal, if it wants one.
func (s *stream) onChange() {
	s.changed = true
	if s.values[modes.AsyncIO] != 0 && s.p.w.running == nil {
		s.p.sigio()
	}
}

func (s *stream) now() time.Duration { return s.p.w.now }

// call begins a call, which fails if the socket is closed.
func (s *stream) call() error {
	s.enter()
	if s.k == nil {
		return eBADF
	}
	return nil
}

func (s *stream) canRead() bool  { return s.k == nil || s.k.CanRead() }
func (s *stream) canWrite() bool { return s.k == nil || s.k.CanWrite() }

// Bind wraps bind(2).
func (s *stream) Bind(a netip.AddrPort) error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Bind(s.now(), a))
}

// Listen wraps listen(2).
func (s *stream) Listen(backlog int) error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Listen(s.now(), backlog))
}

// Accept wraps accept(2).
func (s *stream) Accept() (modes.Socket, error) {
	var k *rawtcp.Socket
	err := s.block(modes.RecvTimeout, s.canRead, func() (err error) {
		k, err = s.k.Accept(s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.p.newStream(k, s.family), nil
}

// block makes a call until it does not block any more, or the time-out has
// passed.
func (s *stream) block(timeout modes.Option, ready func() bool, call func() error) error {
	until := s.p.w.after(s.values[timeout])
	for {
		if err := s.call(); err != nil {
			return err
		}
		err := call()
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			return errnoOf(err)
		}
		if !s.p.w.await(until, ready) {
			return modes.ErrTimeout
		}
	}
}

// Connect wraps connect(2).
func (s *stream) Connect(a netip.AddrPort, limit time.Duration) error {
	if err := s.call(); err != nil {
		return err
	}
	err := s.k.Connect(s.now(), a)
	if !errors.Is(err, rawtcp.ErrWouldBlock) {
		return errnoOf(err)
	}
	until := never
	if limit > 0 {
		until = s.now() + limit
	}
	if !s.p.w.await(until, s.canWrite) {
		if err := s.k.Err(); err != nil {
			return errnoOf(err) // what ICMP told of the SYNs
		}
		return eTIMEDOUT
	}
	if s.k.State() == tcb.Closed {
		return errnoOf(s.k.Err())
	}
	return nil
}

// Local wraps getsockname(2).
func (s *stream) Local() (netip.AddrPort, error) {
	if err := s.call(); err != nil {
		return netip.AddrPort{}, err
	}
	return s.k.Local(), nil
}

// Peer wraps getpeername(2).
func (s *stream) Peer() (netip.AddrPort, error) {
	if err := s.call(); err != nil {
		return netip.AddrPort{}, err
	}
	a := s.k.Remote()
	if !a.IsValid() {
		return a, eNOTCONN
	}
	return a, nil
}

// Read wraps read(2).
func (s *stream) Read(p []byte) (n int, err error) {
	err = s.block(modes.RecvTimeout, s.canRead, func() (err error) {
		if s.canRead() {
			s.p.work()
		}
		if s.k == nil {
			return eBADF
		}
		n, err = s.k.Read(s.now(), p)
		return err
	})
	return n, err
}

// Peek wraps recv(2) with MSG_PEEK.
func (s *stream) Peek(p []byte) (n int, err error) {
	err = s.block(modes.RecvTimeout, s.canRead, func() (err error) {
		n, err = s.k.Peek(s.now(), p)
		return err
	})
	return n, err
}

// Write wraps write(2), made again for what it did not take.
func (s *stream) Write(p []byte) (total int, err error) {
	err = s.block(modes.SendTimeout, s.canWrite, func() error {
		n, err := s.k.Write(s.now(), p[total:])
		total += n
		if err == nil && total < len(p) {
			return rawtcp.ErrWouldBlock
		}
		return err
	})
	s.p.work()
	return total, err
}

// WriteNow wraps writev(2) on a descriptor that does not block.
func (s *stream) WriteNow(bufs ...[]byte) (int, error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	n, err := s.k.Write(s.now(), slices.Concat(bufs...))
	s.p.work()
	if errors.Is(err, rawtcp.ErrWouldBlock) {
		return 0, modes.ErrWouldBlock
	}
	return n, errnoOf(err)
}

// WriteUrgent wraps send(2) with MSG_OOB.
func (s *stream) WriteUrgent(b byte) error {
	return s.block(modes.SendTimeout, s.canWrite, func() error {
		_, err := s.k.WriteUrgent(s.now(), []byte{b})
		return err
	})
}

// CloseWrite wraps shutdown(2) with SHUT_WR.
func (s *stream) CloseWrite() error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Shutdown(s.now()))
}

// Close wraps close(2), which waits if the socket lingers.
func (s *stream) Close() error {
	if err := s.call(); err != nil {
		return err
	}
	if w := s.p.w; w.running == nil || w.running.dying {
		s.exit()
		return nil
	}
	for {
		s.changed = false
		err := s.k.Close(s.now())
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			s.vanish()
			s.p.closed(s)
			return errnoOf(err)
		}
		s.p.w.await(never, func() bool { return s.changed })
	}
}

func (s *stream) exit() {
	if v, _ := s.k.Get(rawtcp.Linger); v > 0 {
		_ = s.k.Set(s.now(), rawtcp.Linger, -1) // fails only if it is closed
	}
	_ = s.k.Close(s.now()) // nobody is left to be told
	s.vanish()
	s.p.closed(s)
}

func (s *stream) vanish() {
	s.k.OnChange(nil)
	s.k = nil
}

// Err gives and clears SO_ERROR.
func (s *stream) Err() error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Err())
}
