package raw

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"sock/modes"
	"sock/modes/sockopt"
	"sock/rawtcp/udp"
)

// datagrams is a UDP socket. All of it is guarded by the lock of the Loop.
type datagrams struct {
	calls
	k *udp.Socket
}

// newDatagrams makes a socket of k, with the lock held.
func (h *Host) newDatagrams(k *udp.Socket) *datagrams {
	s := &datagrams{calls: calls{h: h, of: k}, k: k}
	h.open[s] = struct{}{}
	k.OnChange(s.wake)
	return s
}

func (s *datagrams) canRead() bool  { return s.closed || s.k.CanRead() }
func (s *datagrams) canWrite() bool { return true }

// Bind is bind(2).
func (s *datagrams) Bind(a netip.AddrPort) error {
	return s.do(func(now time.Duration) error { return s.k.Bind(now, a) })
}

// Connect is connect(2), which sends nothing.
func (s *datagrams) Connect(a netip.AddrPort, _ time.Duration) error {
	return s.do(func(now time.Duration) error { return s.k.Connect(now, a) })
}

// Read is read(2).
func (s *datagrams) Read(p []byte) (int, error) {
	d, err := s.ReadFrom(p)
	return d.N, err
}

// Peek is recv(2) with MSG_PEEK.
func (s *datagrams) Peek(p []byte) (n int, err error) {
	err = s.block(s.recvTimeout, func(now time.Duration) error {
		d, err := s.k.Peek(now, p)
		n = d.N
		return err
	})
	return n, err
}

// ReadFrom is recvmsg(2).
func (s *datagrams) ReadFrom(p []byte) (d modes.Received, err error) {
	err = s.block(s.recvTimeout, func(now time.Duration) error {
		got, err := s.k.Read(now, p)
		d = modes.Received(got)
		return err
	})
	return d, err
}

// Write is write(2).
func (s *datagrams) Write(p []byte) (int, error) {
	return s.send(len(p), func(now time.Duration) error { return s.k.Write(now, p) })
}

// WriteNow is writev(2).
func (s *datagrams) WriteNow(bufs ...[]byte) (int, error) { return s.Write(slices.Concat(bufs...)) }

// WriteTo is sendto(2).
func (s *datagrams) WriteTo(p []byte, to netip.AddrPort) (int, error) {
	return s.send(len(p), func(now time.Duration) error { return s.k.WriteTo(now, p, to) })
}

// send makes a write of n bytes: all are sent, or none.
func (s *datagrams) send(n int, write func(now time.Duration) error) (int, error) {
	if s.h.isDown() {
		return 0, s.h.lost()
	}
	if err := s.do(write); err != nil {
		return 0, err
	}
	return n, nil
}

// JoinGroup is setsockopt(2) with IP_ADD_MEMBERSHIP.
func (s *datagrams) JoinGroup(group netip.Addr) error {
	return s.do(func(time.Duration) error { return s.k.Join(group) })
}

// Close is close(2).
func (s *datagrams) Close() error {
	return s.do(func(now time.Duration) error {
		s.exit(now)
		if s.h.isDown() {
			return s.h.lost() // perhaps a pause has ended early
		}
		return nil
	})
}

func (s *datagrams) exit(now time.Duration) {
	_ = s.k.Close(now) // it is open
	s.closed = true
	delete(s.h.open, s)
	s.wake()
}

// Set is setsockopt(2).
func (s *datagrams) Set(o modes.Option, v int) error {
	return s.do(func(time.Duration) error {
		if name, ok := sockopt.UDP(o); ok {
			return s.k.Set(name, v)
		}
		if d := s.timeout(o); d != nil {
			*d = time.Duration(v) * time.Microsecond
			return nil
		}
		if o == modes.AsyncIO {
			return lacks("SIGIO")
		}
		return syscall.ENOPROTOOPT // it is of TCP
	})
}

// Get is getsockopt(2).
func (s *datagrams) Get(o modes.Option) (v int, err error) {
	err = s.do(func(time.Duration) (err error) {
		if name, ok := sockopt.UDP(o); ok {
			v, err = s.k.Get(name)
			return err
		}
		if d := s.timeout(o); d != nil {
			v = int(d.Microseconds())
			return nil
		}
		return syscall.ENOPROTOOPT
	})
	return v, err
}

// SetRoute says that there are no source routes.
func (*datagrams) SetRoute([]netip.Addr, netip.Addr, bool) error { return lacks("source routes") }

// Listen and the others are for connections.
func (*datagrams) Listen(int) error              { return syscall.EOPNOTSUPP }
func (*datagrams) Accept() (modes.Socket, error) { return nil, syscall.EOPNOTSUPP }
func (*datagrams) WriteUrgent(byte) error        { return syscall.EOPNOTSUPP }
func (*datagrams) CloseWrite() error             { return syscall.EOPNOTSUPP }
func (*datagrams) SetCongestion(string) error    { return syscall.ENOPROTOOPT }
func (*datagrams) Congestion() (string, error)   { return "", syscall.ENOPROTOOPT }
func (*datagrams) Info() (modes.Info, error)     { return nil, syscall.ENOPROTOOPT }
