//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// sockaddr is the address as the system calls want it for the family. An
// invalid one becomes any.
func sockaddr(f modes.Family, a netip.AddrPort) (unix.Sockaddr, error) {
	ip, port := a.Addr(), int(a.Port())
	switch {
	case f == modes.IPv4 && !ip.IsValid():
		return &unix.SockaddrInet4{Port: port}, nil
	case f == modes.IPv4 && ip.Unmap().Is4():
		return &unix.SockaddrInet4{Port: port, Addr: ip.Unmap().As4()}, nil
	case f == modes.IPv6 && !ip.IsValid():
		return &unix.SockaddrInet6{Port: port}, nil
	case f == modes.IPv6 && ip.Is6():
		zone, err := zoneID(ip.Zone())
		return &unix.SockaddrInet6{Port: port, Addr: ip.As16(), ZoneId: zone}, err
	}
	return nil, unix.EAFNOSUPPORT
}

// addrPort is the way back. What is no Internet address is invalid.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 {
			ip = ip.WithZone(zoneName(sa.ZoneId))
		}
		return netip.AddrPortFrom(ip, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// RFC 4007 section 11.2: the zone of a link-local address is an interface,
// named or numbered: fe80::1%eth0.

func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index), nil
	}
	n, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0, unix.ENXIO
	}
	return uint32(n), nil
}

func zoneName(id uint32) string {
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
