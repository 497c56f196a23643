package rawtcp

import "net/netip"

// Ports is who else has a say in which local ports a Stack may use: another TCP
// on the same addresses, as the kernel's is.
type Ports interface {
	// Take takes a port at an address of the host, or at all of one version of
	// IP if it is unspecified, and keeps it until Release. What is taken already
	// stays so. reuse says that SO_REUSEADDR is set. The error is ErrInUse if
	// somebody else has the port.
	Take(local netip.AddrPort, reuse bool) error
	// Release gives a port back, at all addresses.
	Release(port uint16)
}

// takePort takes a port, for as long as the Stack has anything on it.
func (s *Stack) takePort(addr netip.Addr, port uint16, reuse bool) error {
	if s.ports == nil {
		return nil
	}
	return s.ports.Take(netip.AddrPortFrom(addr, port), reuse)
}

// releasePort gives a port back if nobody has it any more.
func (s *Stack) releasePort(port uint16) {
	if s.ports != nil && s.unused(port) {
		s.ports.Release(port)
	}
}
