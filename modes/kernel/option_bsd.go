//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"golang.org/x/sys/unix"

	"sock/modes"
)

const (
	recvDstAddr = unix.IP_RECVDSTADDR

	// ip(4): the control message is the address alone.
	dstAddrMessage = unix.IP_RECVDSTADDR
	dstAddrOffset  = 0

	// Of a source route of n addresses these systems send n-1: the last one
	// given has to be the destination (ip_pcbopts of 4.4BSD).
	routeEndsItself = false
)

func (s *socket) setBuffer(o modes.Option, v int) error {
	return unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, bufferOption(o), v)
}

func (s *socket) buffer(o modes.Option) (int, error) {
	return unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, bufferOption(o))
}

func (s *socket) dontFragmentName() (name, error) {
	switch {
	case s.family == modes.IPv6:
		return name{unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG}, nil
	case ipDontFrag == 0:
		return name{}, unsupported{"IP_DONTFRAG"}
	}
	return name{unix.IPPROTO_IP, ipDontFrag}, nil
}

func (s *socket) setDontFragment(v int) error {
	n, err := s.dontFragmentName()
	if err != nil {
		return err
	}
	return unix.SetsockoptInt(s.fd, n.level, n.opt, v)
}

func (s *socket) dontFragment() (int, error) {
	n, err := s.dontFragmentName()
	if err != nil {
		return 0, err
	}
	return unix.GetsockoptInt(s.fd, n.level, n.opt)
}

func (s *socket) setOnesBroadcast(v int) error {
	if ipOnesBcast == 0 || s.family == modes.IPv6 {
		return unsupported{"IP_ONESBCAST"}
	}
	return unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, ipOnesBcast, v)
}

func (s *socket) onesBroadcast() (int, error) {
	if ipOnesBcast == 0 || s.family == modes.IPv6 {
		return 0, unsupported{"IP_ONESBCAST"}
	}
	return unix.GetsockoptInt(s.fd, unix.IPPROTO_IP, ipOnesBcast)
}

// Info has no decoder for the TCP_INFO of these systems.
func (s *socket) Info() (modes.Info, error) { return nil, unsupported{"TCP_INFO that sock can read"} }
