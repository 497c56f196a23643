//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// name is an option as setsockopt(2) takes it.
type name struct{ level, opt int }

// common are the options that are one int on every system, whatever the family.
// Their value is 0 or 1 where flag says so: a BSD reads a flag back as a bit
// of so_options.
func common(o modes.Option) (n name, flag, ok bool) {
	switch o {
	case modes.ReuseAddr:
		return name{unix.SOL_SOCKET, unix.SO_REUSEADDR}, true, true
	case modes.ReusePort:
		return name{unix.SOL_SOCKET, unix.SO_REUSEPORT}, true, true
	case modes.Debug:
		return name{unix.SOL_SOCKET, unix.SO_DEBUG}, true, true
	case modes.DontRoute:
		return name{unix.SOL_SOCKET, unix.SO_DONTROUTE}, true, true
	case modes.Broadcast:
		return name{unix.SOL_SOCKET, unix.SO_BROADCAST}, true, true
	case modes.KeepAlive:
		return name{unix.SOL_SOCKET, unix.SO_KEEPALIVE}, true, true
	case modes.NoDelay:
		return name{unix.IPPROTO_TCP, unix.TCP_NODELAY}, true, true
	case modes.MaxSeg:
		return name{unix.IPPROTO_TCP, unix.TCP_MAXSEG}, false, true
	}
	return name{}, false, false
}

// perFamily are those that go by another name in IPv6 (RFC 3493 section 5,
// RFC 3542 sections 6 and 11).
func perFamily(o modes.Option, f modes.Family) (n name, flag, ok bool) {
	v6 := f == modes.IPv6
	switch {
	case o == modes.TOS && v6:
		return name{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}, false, true
	case o == modes.TOS:
		return name{unix.IPPROTO_IP, unix.IP_TOS}, false, true
	case o == modes.TTL && v6:
		return name{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}, false, true
	case o == modes.TTL:
		return name{unix.IPPROTO_IP, unix.IP_TTL}, false, true
	case o == modes.MulticastTTL && v6:
		return name{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS}, false, true
	case o == modes.RecvDstAddr && v6:
		return name{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO}, true, true
	case o == modes.RecvDstAddr:
		return name{unix.IPPROTO_IP, recvDstAddr}, true, true
	}
	return name{}, false, false
}

func (s *socket) name(o modes.Option) (n name, flag bool, err error) {
	n, flag, ok := common(o)
	if !ok {
		n, flag, ok = perFamily(o, s.family)
	}
	if !ok {
		return name{}, false, unix.ENOPROTOOPT
	}
	return n, flag, nil
}

// Set wraps setsockopt(2).
func (s *socket) Set(o modes.Option, v int) error {
	switch o {
	case modes.Linger:
		return s.setLinger(v)
	case modes.RecvTimeout:
		err := s.setTimeout(unix.SO_RCVTIMEO, v)
		if err == nil {
			s.recvTimeout = time.Duration(v) * time.Microsecond
		}
		return err
	case modes.SendTimeout:
		err := s.setTimeout(unix.SO_SNDTIMEO, v)
		if err == nil {
			s.sendTimeout = time.Duration(v) * time.Microsecond
		}
		return err
	case modes.RecvBuf, modes.SendBuf:
		return s.setBuffer(o, v)
	case modes.DontFragment:
		return s.setDontFragment(v)
	case modes.OnesBroadcast:
		return s.setOnesBroadcast(v)
	case modes.AsyncIO:
		return s.setAsync(v)
	case modes.MulticastTTL:
		if s.family == modes.IPv4 {
			return s.setMulticastTTL(v)
		}
	}
	n, _, err := s.name(o)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(s.fd, n.level, n.opt, v); err != nil {
		return err
	}
	if o == modes.RecvDstAddr {
		s.control = make([]byte, v*controlSize)
	}
	return nil
}

// Get wraps getsockopt(2).
func (s *socket) Get(o modes.Option) (int, error) {
	switch o {
	case modes.Linger:
		return s.linger()
	case modes.RecvTimeout:
		return s.timeout(unix.SO_RCVTIMEO)
	case modes.SendTimeout:
		return s.timeout(unix.SO_SNDTIMEO)
	case modes.RecvBuf, modes.SendBuf:
		return s.buffer(o)
	case modes.DontFragment:
		return s.dontFragment()
	case modes.OnesBroadcast:
		return s.onesBroadcast()
	case modes.AsyncIO:
		return s.async()
	case modes.MulticastTTL:
		if s.family == modes.IPv4 {
			v, err := unix.GetsockoptByte(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL)
			return int(v), err
		}
	}
	n, flag, err := s.name(o)
	if err != nil {
		return 0, err
	}
	v, err := unix.GetsockoptInt(s.fd, n.level, n.opt)
	if flag && v != 0 {
		v = 1
	}
	return v, err
}

func (s *socket) setLinger(seconds int) error {
	l := unix.Linger{}
	if seconds >= 0 {
		l = unix.Linger{Onoff: 1, Linger: int32(seconds)}
	}
	return unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, soLinger, &l)
}

func (s *socket) linger() (int, error) {
	l, err := unix.GetsockoptLinger(s.fd, unix.SOL_SOCKET, soLinger)
	if err != nil || l.Onoff == 0 {
		return -1, err
	}
	return int(l.Linger), nil
}

func (s *socket) setTimeout(opt, microseconds int) error {
	tv := unix.NsecToTimeval(int64(microseconds) * 1000)
	return unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, opt, &tv)
}

func (s *socket) timeout(opt int) (microseconds int, err error) {
	tv, err := unix.GetsockoptTimeval(s.fd, unix.SOL_SOCKET, opt)
	if err != nil {
		return 0, err
	}
	return int(tv.Nano() / 1000), nil
}

// setMulticastTTL sets a byte: the BSDs take nothing else.
func (s *socket) setMulticastTTL(v int) error {
	if v < 0 || v > 255 {
		return unix.EINVAL
	}
	return unix.SetsockoptByte(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, byte(v))
}

func bufferOption(o modes.Option) int {
	if o == modes.SendBuf {
		return unix.SO_SNDBUF
	}
	return unix.SO_RCVBUF
}

// JoinGroup wraps IP_ADD_MEMBERSHIP and IPV6_JOIN_GROUP, on the interface that
// the system picks or that the zone of an IPv6 address names.
func (s *socket) JoinGroup(group netip.Addr) error {
	if s.family == modes.IPv4 {
		if !group.Is4() {
			return unix.EAFNOSUPPORT
		}
		return unix.SetsockoptIPMreq(s.fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreq{Multiaddr: group.As4()})
	}
	if !group.Is6() {
		return unix.EAFNOSUPPORT
	}
	zone, err := zoneID(group.Zone())
	if err != nil {
		return err
	}
	return unix.SetsockoptIPv6Mreq(s.fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP,
		&unix.IPv6Mreq{Multiaddr: group.As16(), Interface: zone})
}
