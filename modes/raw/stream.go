package raw

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"sock/modes"
	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// stream is a TCP socket. All of it is guarded by the lock of the Loop.
type stream struct {
	calls
	k    *rawtcp.Socket
	any  netip.Addr // "0.0.0.0" or "::"
	full bool       // a Write waits for room

	dontFragment bool
	congestion   int // what SetCongestion has set; -1: nothing
}

// newStream makes a stream of k, with the lock held.
func (h *Host) newStream(k *rawtcp.Socket) *stream {
	s := &stream{calls: calls{h: h, of: k}, k: k, any: k.Local().Addr(), congestion: -1}
	h.open[s] = struct{}{}
	k.OnChange(s.wake)
	return s
}

func (s *stream) wake() {
	if s.full && !s.closed && !s.roomy() && !s.k.CanRead() {
		return
	}
	s.calls.wake()
}

// roomy reports whether a Write that has found the buffer full may go on: when a
// third of it is free, as with Linux, or it would write little by little, as the
// ACKs come in; or when it is of no use to wait.
func (s *stream) roomy() bool {
	in := s.k.Info()
	open := in.State == tcb.Established || in.State == tcb.CloseWait
	return !open || in.SendBuffer-in.SendQueued >= in.SendBuffer/3
}

func (s *stream) canRead() bool  { return s.closed || s.k.CanRead() }
func (s *stream) canWrite() bool { return s.closed || s.k.CanWrite() }

// Bind is bind(2).
func (s *stream) Bind(a netip.AddrPort) error {
	if !a.Addr().IsValid() {
		a = netip.AddrPortFrom(s.any, a.Port())
	}
	return s.do(func(now time.Duration) error { return s.k.Bind(now, a) })
}

// Listen is listen(2).
func (s *stream) Listen(backlog int) error {
	return s.do(func(now time.Duration) error { return s.k.Listen(now, backlog) })
}

// Accept is accept(2).
func (s *stream) Accept() (modes.Socket, error) {
	var a *stream
	err := s.block(s.recvTimeout, func(now time.Duration) error {
		k, err := s.k.Accept(now)
		if err != nil {
			return err
		}
		a = s.h.newStream(k)
		a.recvTimeout, a.sendTimeout = s.recvTimeout, s.sendTimeout
		a.dontFragment, a.congestion = s.dontFragment, s.congestion
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Connect is connect(2).
func (s *stream) Connect(a netip.AddrPort, limit time.Duration) error {
	err := s.do(func(now time.Duration) error { return s.k.Connect(now, a) })
	if !errors.Is(err, rawtcp.ErrWouldBlock) {
		return err
	}
	err = s.block(limit, func(time.Duration) error {
		switch {
		case !s.k.CanWrite():
			return rawtcp.ErrWouldBlock
		case s.k.State() == tcb.Closed:
			return s.k.Err()
		}
		return nil
	})
	if errors.Is(err, modes.ErrTimeout) {
		// What ICMP told of the SYNs: TCP "SHOULD make the information available
		// to the application" (RFC 1122, section 4.2.3.9).
		return cmp.Or(s.Err(), error(syscall.ETIMEDOUT))
	}
	return err
}

// Read is read(2).
func (s *stream) Read(p []byte) (n int, err error) {
	err = s.block(s.recvTimeout, func(now time.Duration) (err error) {
		n, err = s.k.Read(now, p)
		return s.reason(err)
	})
	return n, err
}

// silence is the ETIMEDOUT of a connection whose probes, those of -K, nobody has
// answered.
type silence struct{}

func (silence) Error() string { return syscall.ETIMEDOUT.Error() }
func (silence) Unwrap() error { return syscall.ETIMEDOUT }

// reason returns err, or silence if that is what it comes from.
func (s *stream) reason(err error) error {
	if errors.Is(err, tcb.ErrTimeout) && s.k.Info().Keeps > 0 {
		return silence{}
	}
	return err
}

// Peek is recv(2) with MSG_PEEK.
func (s *stream) Peek(p []byte) (n int, err error) {
	err = s.block(s.recvTimeout, func(now time.Duration) (err error) {
		n, err = s.k.Peek(now, p)
		return err
	})
	return n, err
}

// turn is how much a Write copies with the lock held.
const turn = 64 << 10

// Write is write(2), made again for what it did not take.
func (s *stream) Write(p []byte) (total int, err error) {
	for {
		some := p[total:min(len(p), total+turn)]
		err = s.block(s.sendTimeout, func(now time.Duration) error {
			switch {
			case s.h.isDown():
				return s.h.lost()
			case s.full && !s.roomy():
				return rawtcp.ErrWouldBlock
			}
			n, err := s.k.Write(now, some)
			total += n
			s.full = err == nil && n < len(some) || errors.Is(err, rawtcp.ErrWouldBlock)
			return err
		})
		if err != nil || total == len(p) {
			return total, err
		}
	}
}

// WriteNow is writev(2) on a descriptor that does not block.
func (s *stream) WriteNow(bufs ...[]byte) (n int, err error) {
	p := bufs[0]
	if len(bufs) > 1 {
		p = slices.Concat(bufs...)
	}
	err = s.do(func(now time.Duration) (err error) {
		n, err = s.k.Write(now, p)
		return s.reason(err)
	})
	if errors.Is(err, rawtcp.ErrWouldBlock) {
		return 0, modes.ErrWouldBlock
	}
	return n, err
}

// WriteUrgent is send(2) with MSG_OOB.
func (s *stream) WriteUrgent(b byte) error {
	return s.block(s.sendTimeout, func(now time.Duration) error {
		_, err := s.k.WriteUrgent(now, []byte{b})
		return err
	})
}

// CloseWrite is shutdown(2) with SHUT_WR.
func (s *stream) CloseWrite() error {
	return s.do(func(now time.Duration) error { return s.k.Shutdown(now) })
}

// Close is close(2), which waits if the socket lingers.
func (s *stream) Close() error {
	return s.block(0, func(now time.Duration) error {
		err := s.k.Close(now)
		if errors.Is(err, rawtcp.ErrWouldBlock) {
			return err
		}
		s.vanish()
		if s.h.isDown() {
			return s.h.lost() // its FIN does not arrive
		}
		return err
	})
}

// vanish is the end of a socket that has been closed, with the lock held.
func (s *stream) vanish() {
	s.k.OnChange(nil)
	s.closed = true
	delete(s.h.open, s)
	s.wake()
}

// exit waits for no linger time.
func (s *stream) exit(now time.Duration) {
	if v, err := s.k.Get(rawtcp.Linger); err == nil && v > 0 {
		_ = s.k.Set(now, rawtcp.Linger, -1)
	}
	_ = s.k.Close(now) // it is open
	s.vanish()
}

// ReadFrom is for datagrams.
func (s *stream) ReadFrom([]byte) (modes.Received, error) {
	return modes.Received{}, syscall.EOPNOTSUPP
}

// WriteTo is for datagrams.
func (s *stream) WriteTo([]byte, netip.AddrPort) (int, error) { return 0, syscall.EISCONN }

// JoinGroup is for datagrams.
func (s *stream) JoinGroup(netip.Addr) error { return syscall.ENOPROTOOPT }
