//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// socket is one kernel socket.
type socket struct {
	h      *Host
	fd     int
	family modes.Family
	typ    modes.Type
	ahead  bool // the read before took all that it could: there may be more

	recvTimeout time.Duration // SO_RCVTIMEO, for what is left of it after a signal
	sendTimeout time.Duration // SO_SNDTIMEO
	control     []byte        // with RecvDstAddr: for recvmsg's control messages
}

// Socket wraps socket(2).
func (h *Host) Socket(f modes.Family, t modes.Type) (modes.Socket, error) {
	domain, kind := unix.AF_INET, unix.SOCK_STREAM
	if f == modes.IPv6 {
		domain = unix.AF_INET6
	}
	if t == modes.Datagram {
		kind = unix.SOCK_DGRAM
	}
	fd, err := newSocket(domain, kind)
	if err != nil {
		return nil, err
	}
	s := &socket{h: h, fd: fd, family: f, typ: t}
	if f == modes.IPv6 {
		// An IPv6 socket is for IPv6 alone, so that a server of each version
		// can have the port and a client's address is never IPv4 in disguise.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Bind wraps bind(2).
func (s *socket) Bind(a netip.AddrPort) error {
	sa, err := sockaddr(s.family, a)
	if err != nil {
		return err
	}
	return unix.Bind(s.fd, sa)
}

// Listen wraps listen(2).
func (s *socket) Listen(backlog int) error { return unix.Listen(s.fd, backlog) }

// Accept wraps accept(2).
//
// A connection that was reset while it waited is no failure of the server's:
// "ECONNABORTED: A connection has been aborted." Nor is, while clients are
// served, the want of a descriptor: one of theirs will do.
func (s *socket) Accept() (modes.Socket, error) {
	deadline := after(s.recvTimeout)
	for {
		fd, err := accept(s.fd)
		switch err {
		case nil:
			return &socket{
				h: s.h, fd: fd, family: s.family, typ: s.typ,
				recvTimeout: s.recvTimeout, sendTimeout: s.sendTimeout,
			}, nil
		case unix.EINTR:
			if err := s.resume(unix.POLLIN, deadline); err != nil {
				return nil, err
			}
		case unix.ECONNABORTED, unix.EPROTO:
		case unix.EMFILE, unix.ENFILE:
			if !s.h.awaitDescriptor() {
				return nil, err
			}
		default:
			return nil, timedOut(err)
		}
	}
}

// Connect wraps connect(2). Under a limit the descriptor is non-blocking while
// it connects.
func (s *socket) Connect(a netip.AddrPort, limit time.Duration) error {
	sa, err := sockaddr(s.family, a)
	if err != nil {
		return err
	}
	if limit > 0 {
		if err := unix.SetNonblock(s.fd, true); err != nil {
			return err
		}
		defer unix.SetNonblock(s.fd, false)
	}
	switch err := unix.Connect(s.fd, sa); err {
	case unix.EINTR:
		// POSIX: "the connection request shall not be aborted, and the
		// connection shall be established asynchronously". A second connect
		// would fail.
		if limit <= 0 {
			limit = s.sendTimeout // it bounds a blocking connect on Linux
		}
		return s.connected(limit)
	case unix.EINPROGRESS:
		if limit > 0 {
			return s.connected(limit)
		}
		return unix.ETIMEDOUT // the end of SO_SNDTIMEO
	default:
		return err
	}
}

// connected waits for the outcome of a connect that goes on by itself.
func (s *socket) connected(limit time.Duration) error {
	ready, err := pollOne(s.fd, unix.POLLOUT, after(limit))
	if err != nil {
		return err
	}
	if !ready {
		return unix.ETIMEDOUT
	}
	return s.Err()
}

// Local wraps getsockname(2).
func (s *socket) Local() (netip.AddrPort, error) {
	sa, err := unix.Getsockname(s.fd)
	return addrPort(sa), err
}

// Peer wraps getpeername(2).
func (s *socket) Peer() (netip.AddrPort, error) {
	sa, err := unix.Getpeername(s.fd)
	return addrPort(sa), err
}

// CloseWrite wraps shutdown(2) with SHUT_WR.
func (s *socket) CloseWrite() error { return unix.Shutdown(s.fd, unix.SHUT_WR) }

// Close wraps close(2). It is never made twice, when by now the descriptor may
// be another client's, and not after EINTR either: "Linux kernel always
// releases the file descriptor early in the close operation", as the BSDs do.
func (s *socket) Close() error {
	err := unix.Close(s.fd)
	s.fd = -1
	s.h.release()
	if err == unix.EINTR {
		return nil
	}
	return err
}

// Err gives and clears SO_ERROR.
func (s *socket) Err() error {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// after is the end of a time-out that starts now; zero, which is never, when
// there is none.
func after(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// resume is what a call does after a signal has interrupted it (Go's scheduler
// and SIGIO send them): it may be made again. Under a time-out it is not made
// before it can succeed, so that the time-out does not start anew.
func (s *socket) resume(events int16, deadline time.Time) error {
	if deadline.IsZero() {
		return nil
	}
	ready, err := pollOne(s.fd, events, deadline)
	if err == nil && !ready {
		return modes.ErrTimeout
	}
	return err
}

// timedOut names the EAGAIN of a blocking descriptor for what it is: the end
// of SO_RCVTIMEO or SO_SNDTIMEO.
func timedOut(err error) error {
	if err == unix.EAGAIN {
		return modes.ErrTimeout
	}
	return err
}
