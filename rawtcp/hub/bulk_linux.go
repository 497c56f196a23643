package hub

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// segmented is a bulk of Linux: UDP_SEGMENT has the system cut what is sent into
// datagrams, and UDP_GRO has it join those that come.
type segmented struct {
	conn  *net.UDPConn
	oob   []byte      // of receive
	plain atomic.Bool // the device does not take segments
}

// newSegmented returns conn as a segmented, or nil if it is no socket, or the
// system is older than both.
func newSegmented(conn packetConn) bulk {
	var u *net.UDPConn
	switch c := conn.(type) {
	case *net.UDPConn:
		u = c
	case toPeer:
		u, _ = c.Conn.(*net.UDPConn)
	}
	if u == nil {
		return nil
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return nil
	}
	cannot := err
	if err := raw.Control(func(fd uintptr) {
		cannot = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	}); err != nil || cannot != nil {
		return nil
	}
	return &segmented{conn: u, oob: make([]byte, unix.CmsgSpace(4))}
}

func (s *segmented) receive(b []byte) (n, size int, from netip.AddrPort, err error) {
	n, oobn, _, from, err := s.conn.ReadMsgUDPAddrPort(b, s.oob)
	if err != nil || oobn == 0 {
		return n, n, from, err // there is one, if any
	}
	h, data, _, err := unix.ParseOneSocketControlMessage(s.oob[:oobn])
	if err == nil && h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4 {
		return n, int(binary.NativeEndian.Uint32(data)), from, nil
	}
	return n, n, from, nil
}

func (s *segmented) send(b []byte, size int, to netip.AddrPort) {
	if len(b) > size && !s.plain.Load() {
		oob := make([]byte, unix.CmsgSpace(2))
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		h.SetLen(unix.CmsgLen(2))
		binary.NativeEndian.PutUint16(oob[unix.CmsgLen(0):], uint16(size))
		_, _, err := s.conn.WriteMsgUDPAddrPort(b, oob, to)
		if err == nil {
			return
		}
		if errors.Is(err, unix.EIO) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EMSGSIZE) {
			s.plain.Store(true) // anything else tells of a datagram sent before
		}
	}
	for len(b) > 0 {
		n := min(size, len(b))
		_, _, _ = s.conn.WriteMsgUDPAddrPort(b[:n], nil, to)
		b = b[n:]
	}
}
