package kernel

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// explain says in one sentence why a call failed and what to do about it, as
// far as that is known, or "".
func explain(f modes.Failure) string { return thisMachine().explain(f) }

// machine is what an explanation is read from.
type machine struct {
	proc  string // where proc(5) is mounted
	uid   int    // of this process
	addrs func() []netip.Prefix
	// tryBind reports what bind(2) gives a new TCP socket.
	tryBind func(a netip.AddrPort, reuse, share bool) error
	// route asks the routing table, and sends nothing.
	route func(to netip.Addr, broadcast bool) (mtu int, err error)
}

func thisMachine() machine {
	return machine{proc: "/proc", uid: os.Geteuid(), addrs: addresses, tryBind: tryBind, route: route}
}

func (m machine) explain(f modes.Failure) string {
	s := ""
	switch f.Call {
	case "bind", "listen":
		s = m.bind(f)
	case "connect":
		s = cmp.Or(m.noPair(f), m.refused(f), m.unreached(f))
	case "read", "write":
		s = cmp.Or(m.refused(f), m.unreached(f))
	case "setsockopt":
		s = m.option(f)
	}
	return cmp.Or(s, general(f))
}

// addresses are those of the interfaces that are up.
func addresses() []netip.Prefix {
	var list []netip.Prefix
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		all, _ := i.Addrs()
		for _, a := range all {
			p, err := netip.ParsePrefix(a.String())
			if err == nil {
				list = append(list, p)
			}
		}
	}
	return list
}

// isLocal reports whether an address is one of this host's.
func (m machine) isLocal(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || a.IsUnspecified() ||
		slices.ContainsFunc(m.addrs(), func(p netip.Prefix) bool { return p.Addr() == a })
}

// ours are the host's addresses of one version of IP.
func (m machine) ours(v modes.Family) []netip.Addr {
	var list []netip.Addr
	for _, p := range m.addrs() {
		if version(p.Addr()) == v {
			list = append(list, p.Addr())
		}
	}
	return list
}

// tryBind binds a socket that never listens, so that nobody notices, and
// closes it.
func tryBind(a netip.AddrPort, reuse, share bool) error {
	fd, err := probe(a, unix.SOCK_STREAM)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if version(a.Addr()) == modes.IPv6 { // as Socket has it
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	for option, on := range map[int]bool{unix.SO_REUSEADDR: reuse, unix.SO_REUSEPORT: share} {
		if !on {
			continue
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return err
		}
	}
	sa, err := sockaddr(version(a.Addr()), a)
	if err != nil {
		return err
	}
	return unix.Bind(fd, sa)
}

// route connects a UDP socket, for which the kernel looks for a route, and
// gives the MTU of the path as far as it is known.
func route(to netip.Addr, broadcast bool) (mtu int, err error) {
	a := netip.AddrPortFrom(to, 9)
	fd, err := probe(a, unix.SOCK_DGRAM)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if broadcast {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
			return 0, err
		}
	}
	sa, err := sockaddr(version(to), a)
	if err != nil {
		return 0, err
	}
	if err := unix.Connect(fd, sa); err != nil {
		return 0, err
	}
	if version(to) == modes.IPv6 {
		return unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU)
	}
	return unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU)
}

func probe(a netip.AddrPort, t int) (fd int, err error) {
	family := unix.AF_INET
	if version(a.Addr()) == modes.IPv6 {
		family = unix.AF_INET6
	}
	return unix.Socket(family, t|unix.SOCK_CLOEXEC, 0)
}

// version is the family of an address; IPv4 if it is not valid.
func version(a netip.Addr) modes.Family {
	if a.Is6() && !a.Is4In6() {
		return modes.IPv6
	}
	return modes.IPv4
}
