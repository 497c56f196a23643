package sim

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"sock/modes"
	"sock/modes/sockopt"
	"sock/rawtcp"
	"sock/rawtcp/udp"
)

// datagrams is a UDP socket.
type datagrams struct {
	nothing
	k *udp.Socket // nil when the host has crashed
	// values are the options that UDP knows nothing of.
	values map[modes.Option]int
}

func (h *Host) newDatagrams(p *Process, f modes.Family) *datagrams {
	family := rawtcp.IPv4
	if f == modes.IPv6 {
		family = rawtcp.IPv6
	}
	s := &datagrams{
		nothing: nothing{p}, k: h.UDP.Socket(family),
		values: map[modes.Option]int{modes.Linger: -1},
	}
	s.k.OnChange(s.onChange)
	p.opened(s)
	return s
}

// onChange takes in that something has arrived: there is a signal, if the process
// wants one.
func (s *datagrams) onChange() {
	if s.values[modes.AsyncIO] != 0 {
		s.p.sigio()
	}
}

func (s *datagrams) now() time.Duration { return s.p.w.now }

// call begins a call, which fails if the socket has gone with its host.
func (s *datagrams) call() error {
	s.enter()
	if s.k == nil {
		return eBADF
	}
	return nil
}

func (s *datagrams) canRead() bool  { return s.k == nil || s.k.CanRead() }
func (s *datagrams) canWrite() bool { return true }

// Bind wraps bind(2).
func (s *datagrams) Bind(a netip.AddrPort) error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Bind(s.now(), a))
}

// Connect wraps connect(2), which sends nothing.
func (s *datagrams) Connect(a netip.AddrPort, _ time.Duration) error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Connect(s.now(), a))
}

// Local wraps getsockname(2).
func (s *datagrams) Local() (netip.AddrPort, error) {
	if err := s.call(); err != nil {
		return netip.AddrPort{}, err
	}
	return s.k.Local(), nil
}

// Peer wraps getpeername(2).
func (s *datagrams) Peer() (netip.AddrPort, error) {
	if err := s.call(); err != nil {
		return netip.AddrPort{}, err
	}
	if !s.k.Remote().IsValid() {
		return netip.AddrPort{}, eNOTCONN
	}
	return s.k.Remote(), nil
}

// Write wraps write(2).
func (s *datagrams) Write(p []byte) (int, error) {
	return s.send(len(p), func() error { return s.k.Write(s.now(), p) })
}

// WriteNow is Write: nothing blocks.
func (s *datagrams) WriteNow(bufs ...[]byte) (int, error) {
	return s.Write(slices.Concat(bufs...))
}

// WriteTo wraps sendto(2).
func (s *datagrams) WriteTo(p []byte, to netip.AddrPort) (int, error) {
	return s.send(len(p), func() error { return s.k.WriteTo(s.now(), p, to) })
}

func (s *datagrams) send(n int, call func() error) (int, error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	s.p.w.spend(datagramCalls)
	if err := call(); err != nil {
		return 0, errnoOf(err)
	}
	s.p.work()
	return n, nil
}

// Read wraps read(2).
func (s *datagrams) Read(p []byte) (int, error) {
	d, err := s.ReadFrom(p)
	return d.N, err
}

// Peek wraps recv(2) with MSG_PEEK.
func (s *datagrams) Peek(p []byte) (n int, err error) {
	err = s.receive(func() error {
		d, err := s.k.Peek(s.now(), p)
		n = d.N
		return err
	})
	return n, err
}

// ReadFrom wraps recvmsg(2).
func (s *datagrams) ReadFrom(p []byte) (d modes.Received, err error) {
	err = s.receive(func() error {
		got, err := s.k.Read(s.now(), p)
		d = modes.Received(got)
		return err
	})
	return d, err
}

// receive makes a call until there was something to read, or the time-out has
// passed.
func (s *datagrams) receive(call func() error) error {
	until := s.p.w.after(s.values[modes.RecvTimeout])
	for {
		if err := s.call(); err != nil {
			return err
		}
		if s.k.CanRead() {
			s.p.work()
		}
		err := call()
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			return errnoOf(err)
		}
		if !s.p.w.await(until, s.canRead) {
			return modes.ErrTimeout
		}
	}
}

// Close wraps close(2).
func (s *datagrams) Close() error {
	if err := s.call(); err != nil {
		return err
	}
	s.k.OnChange(nil)
	err := s.k.Close(s.now())
	s.p.closed(s)
	return errnoOf(err)
}

func (s *datagrams) exit() {
	s.k.OnChange(nil)
	_ = s.k.Close(s.now()) // it is open
	s.p.closed(s)
}

func (s *datagrams) vanish() { s.k = nil }

// Set wraps setsockopt(2).
func (s *datagrams) Set(o modes.Option, v int) error {
	if err := s.call(); err != nil {
		return err
	}
	if name, ok := sockopt.UDP(o); ok {
		return errnoOf(s.k.Set(name, v))
	}
	if o == modes.NoDelay || o == modes.MaxSeg {
		return eNOPROTOOPT
	}
	s.values[o] = v
	return nil
}

// Get wraps getsockopt(2).
func (s *datagrams) Get(o modes.Option) (int, error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	if name, ok := sockopt.UDP(o); ok {
		v, err := s.k.Get(name)
		return v, errnoOf(err)
	}
	if o == modes.NoDelay || o == modes.MaxSeg {
		return 0, eNOPROTOOPT
	}
	return s.values[o], nil
}

// JoinGroup wraps IP_ADD_MEMBERSHIP.
func (s *datagrams) JoinGroup(group netip.Addr) error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Join(group))
}

// Err gives and clears SO_ERROR.
func (s *datagrams) Err() error {
	if err := s.call(); err != nil {
		return err
	}
	return errnoOf(s.k.Err())
}
