//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// The source routes of RFC 791 section 3.1.
const (
	looseRoute  = 131
	strictRoute = 137
	routeStart  = 4 // "The pointer [...] is relative to this option, and the smallest legal value for the pointer is 4."
)

// SetRoute sets IP_OPTIONS to a source route.
func (s *socket) SetRoute(hops []netip.Addr, to netip.Addr, strict bool) error {
	if s.family == modes.IPv6 {
		// RFC 5095: "An IPv6 node that receives a packet with a destination
		// address assigned to it and that contains an RH0 extension header
		// [...] MUST NOT execute the algorithm".
		return errors.New("only IPv4 has source routes (RFC 5095 took them out of IPv6)")
	}
	addrs := hops
	if !routeEndsItself {
		addrs = append(hops[:len(hops):len(hops)], to)
	}
	b, err := routeOption(addrs, strict)
	if err != nil {
		return err
	}
	return unix.SetsockoptString(s.fd, unix.IPPROTO_IP, unix.IP_OPTIONS, string(b))
}

// routeOption lays out the option: type, length, pointer, the addresses, and
// the end of the option list up to a whole word. The system sends to the first
// address and takes it out of the route.
func routeOption(addrs []netip.Addr, strict bool) ([]byte, error) {
	kind := byte(looseRoute)
	if strict {
		kind = strictRoute
	}
	size := 3 + 4*len(addrs)
	if size > 255 {
		return nil, unix.EINVAL
	}
	b := append(make([]byte, 0, size+1), kind, byte(size), routeStart)
	for _, a := range addrs {
		if !a.Is4() {
			return nil, unix.EAFNOSUPPORT
		}
		b = append(b, a.AsSlice()...)
	}
	return append(b, 0), nil // 3 + 4n and one are whole words
}
