//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"io"
	"net/netip"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// Read wraps read(2). While a stream has more than each read takes, the next
// one is made without the readiness to block.
func (s *socket) Read(p []byte) (int, error) {
	if s.ahead {
		n, err := recvNow(s.fd, p)
		s.ahead = n == len(p)
		if err != unix.EAGAIN && err != unix.EINTR {
			return s.received(n, err, len(p))
		}
	}
	deadline := after(s.recvTimeout)
	for {
		n, err := unix.Read(s.fd, p)
		s.ahead = s.typ == modes.Stream && n == len(p)
		if err != unix.EINTR {
			return s.received(n, err, len(p))
		}
		if err := s.resume(unix.POLLIN, deadline); err != nil {
			return 0, err
		}
	}
}

// Peek wraps recv(2) with MSG_PEEK.
func (s *socket) Peek(p []byte) (int, error) {
	deadline := after(s.recvTimeout)
	for {
		n, _, err := unix.Recvfrom(s.fd, p, unix.MSG_PEEK)
		if err != unix.EINTR {
			return s.received(n, err, len(p))
		}
		if err := s.resume(unix.POLLIN, deadline); err != nil {
			return 0, err
		}
	}
}

// received is the outcome of a read into size bytes. A stream's nothing is its
// end; a datagram may be empty.
func (s *socket) received(n int, err error, size int) (int, error) {
	switch {
	case err != nil:
		return 0, timedOut(err)
	case n == 0 && size > 0 && s.typ == modes.Stream:
		return 0, io.EOF
	}
	return n, nil
}

// Write wraps write(2), made again for what it did not take. A stream is first
// given what it takes without blocking.
func (s *socket) Write(p []byte) (int, error) {
	total := 0
	if s.typ == modes.Stream {
		var err error
		total, err = sendNow(s.fd, p)
		if total == len(p) || err != nil && err != unix.EAGAIN && err != unix.EINTR {
			return total, err
		}
	}
	deadline := after(s.sendTimeout)
	for {
		n, err := unix.Write(s.fd, p[total:])
		total += max(n, 0)
		switch {
		case err == nil && total == len(p):
			return total, nil
		case err == nil || err == unix.EINTR:
			// Taken in part: by a signal, or at the end of SO_SNDTIMEO.
			if err := s.resume(unix.POLLOUT, deadline); err != nil {
				return total, err
			}
		default:
			return total, timedOut(err)
		}
	}
}

// WriteNow wraps sendmsg(2) with MSG_DONTWAIT: a writev(2) that does not block.
func (s *socket) WriteNow(bufs ...[]byte) (int, error) {
	for {
		var n int
		var err error
		if len(bufs) == 1 {
			n, err = unix.SendmsgN(s.fd, bufs[0], nil, nil, unix.MSG_DONTWAIT)
		} else {
			n, err = unix.SendmsgBuffers(s.fd, bufs, nil, nil, unix.MSG_DONTWAIT)
		}
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, modes.ErrWouldBlock
		default:
			return 0, err
		}
	}
}

// WriteUrgent wraps send(2) with MSG_OOB.
func (s *socket) WriteUrgent(b byte) error {
	deadline := after(s.sendTimeout)
	for {
		err := unix.Sendto(s.fd, []byte{b}, unix.MSG_OOB, nil)
		if err != unix.EINTR {
			return timedOut(err)
		}
		if err := s.resume(unix.POLLOUT, deadline); err != nil {
			return err
		}
	}
}

// ReadFrom wraps recvmsg(2).
func (s *socket) ReadFrom(p []byte) (modes.Received, error) {
	deadline := after(s.recvTimeout)
	for {
		n, oobn, flags, from, err := unix.Recvmsg(s.fd, p, s.control, 0)
		switch err {
		case nil:
			return modes.Received{
				N:         n,
				From:      addrPort(from),
				To:        sentTo(s.control[:oobn]),
				Truncated: flags&unix.MSG_TRUNC != 0,
			}, nil
		case unix.EINTR:
			if err := s.resume(unix.POLLIN, deadline); err != nil {
				return modes.Received{}, err
			}
		default:
			return modes.Received{}, timedOut(err)
		}
	}
}

// controlSize has room for the address of either version of IP, and for what
// else a system may say unasked.
const controlSize = 128

// sentTo finds the destination among the control messages of a datagram.
func sentTo(control []byte) netip.Addr {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return netip.Addr{}
	}
	for _, m := range messages {
		h := m.Header
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == dstAddrMessage && len(m.Data) >= dstAddrOffset+4:
			return netip.AddrFrom4([4]byte(m.Data[dstAddrOffset:]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			// RFC 3542 section 6.1: in6_pktinfo starts with the address.
			return netip.AddrFrom16([16]byte(m.Data[:16])).Unmap()
		}
	}
	return netip.Addr{}
}

// WriteTo wraps sendto(2).
func (s *socket) WriteTo(p []byte, to netip.AddrPort) (int, error) {
	sa, err := sockaddr(s.family, to)
	if err != nil {
		return 0, err
	}
	deadline := after(s.sendTimeout)
	for {
		switch err := unix.Sendto(s.fd, p, 0, sa); err {
		case nil:
			return len(p), nil
		case unix.EINTR:
			if err := s.resume(unix.POLLOUT, deadline); err != nil {
				return 0, err
			}
		default:
			return 0, timedOut(err)
		}
	}
}
