package kernel

import (
	"golang.org/x/sys/unix"

	"sock/modes"
)

const (
	soLinger    = unix.SO_LINGER
	recvDstAddr = unix.IP_PKTINFO

	// struct in_pktinfo { unsigned int ipi_ifindex; struct in_addr
	// ipi_spec_dst; struct in_addr ipi_addr; }, and ip(7): "ipi_addr is the
	// destination address in the packet header".
	dstAddrMessage = unix.IP_PKTINFO
	dstAddrOffset  = 8

	// Of a source route of n addresses Linux sends n: it takes the first out,
	// moves the rest up and puts the destination last. Given the destination
	// too, it would send it twice.
	routeEndsItself = true
)

// setBuffer sets SO_RCVBUF or SO_SNDBUF. rmem_max and wmem_max cap them; who
// is privileged may go beyond with the FORCE options.
func (s *socket) setBuffer(o modes.Option, v int) error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, bufferOption(o), v); err != nil {
		return err
	}
	if got, err := s.buffer(o); err != nil || got >= v {
		return err
	}
	force := unix.SO_RCVBUFFORCE
	if o == modes.SendBuf {
		force = unix.SO_SNDBUFFORCE
	}
	// Without CAP_NET_ADMIN it stays at what it was given, which buffer tells.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, force, v); err != unix.EPERM {
		return err
	}
	return nil
}

// buffer reads a buffer's size as it was asked for. socket(7): "The kernel
// doubles this value (to allow space for bookkeeping overhead) when it is set
// using setsockopt(2), and this doubled value is returned by getsockopt(2)."
func (s *socket) buffer(o modes.Option) (int, error) {
	v, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, bufferOption(o))
	return v / 2, err
}

// setDontFragment sets the DF bit in all that is sent. Path MTU discovery,
// which is what Linux calls it, then fails what is too long with EMSGSIZE.
func (s *socket) setDontFragment(v int) error {
	if s.family == modes.IPv4 {
		mode := unix.IP_PMTUDISC_WANT
		if v != 0 {
			mode = unix.IP_PMTUDISC_DO
		}
		return unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, mode)
	}
	mode := unix.IPV6_PMTUDISC_WANT
	if v != 0 {
		mode = unix.IPV6_PMTUDISC_DO
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, mode); err != nil {
		return err
	}
	return unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, v)
}

func (s *socket) dontFragment() (int, error) {
	if s.family == modes.IPv6 {
		return unix.GetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG)
	}
	mode, err := unix.GetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER)
	if mode == unix.IP_PMTUDISC_DO {
		return 1, err
	}
	return 0, err
}

func (s *socket) setOnesBroadcast(int) error  { return unsupported{"IP_ONESBCAST"} }
func (s *socket) onesBroadcast() (int, error) { return 0, unsupported{"IP_ONESBCAST"} }
