package rawip

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"sock/rawtcp/link"
)

// network is what the kernel knows of the addresses and routes of the machine,
// kept until the kernel tells of a change.
type network struct {
	changes *socket.Conn

	mu    sync.Mutex
	own   []netip.Prefix // nil: to be asked for
	names []string       // of the interfaces that have own
	paths map[netip.Addr]link.Path
}

// remembered is how many paths are kept.
const remembered = 4096

func newNetwork() (*network, error) {
	c, err := socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "netlink", nil)
	if err != nil {
		return nil, err
	}
	err = c.Bind(&unix.SockaddrNetlink{
		Family: unix.AF_NETLINK,
		Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR |
			unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE,
	})
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &network{changes: c, paths: map[netip.Addr]link.Path{}}, nil
}

// watch forgets what it knows whenever something changes, until changes is
// closed.
func (n *network) watch() {
	b := make([]byte, 1<<16)
	for {
		// ENOBUFS: there were more changes than fit. They need not be read.
		if _, err := n.changes.Read(b); err != nil && n.closed() {
			return
		}
		n.mu.Lock()
		n.own, n.names = nil, nil
		clear(n.paths)
		n.mu.Unlock()
	}
}

// closed reports whether changes has been closed.
func (n *network) closed() bool {
	_, err := n.changes.Getsockname()
	return err != nil
}

// forgetPaths has the kernel be asked again.
func (n *network) forgetPaths() {
	n.mu.Lock()
	clear(n.paths)
	n.mu.Unlock()
}

// attached returns the addresses as a link.Attached, which can tell what they
// mean. The lock is held.
func (n *network) attached() link.Attached {
	if n.own == nil {
		n.own, n.names = interfaceAddresses()
	}
	return link.Attached{Addresses: n.own}
}

// interfaceAddresses returns the addresses of all interfaces that are up, those
// of the widest scope first, and the names of the interfaces.
func interfaceAddresses() (own []netip.Prefix, names []string) {
	all, _ := net.Interfaces() // without one, nothing is to be reached
	of := map[netip.Prefix]string{}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				of[p] = i.Name
			}
		}
	}
	own = slices.SortedFunc(maps.Keys(of), func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(scope(a.Addr()), scope(b.Addr())), a.Compare(b))
	})
	for _, p := range own {
		names = append(names, of[p])
	}
	return own, names
}

// scope is less the further an address is good for.
func scope(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return 2
	case a.IsLinkLocalUnicast():
		return 1
	}
	return 0
}

// has reports whether a is an address of this machine.
func (n *network) has(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	own := n.attached()
	return a.IsLoopback() || own.Has(a)
}

func (n *network) isBroadcast(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	own := n.attached()
	return a.Is4() && own.IsBroadcast(a)
}

// path returns the way to dst, as the kernel goes it.
func (n *network) path(dst netip.Addr) (link.Path, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, ok := n.paths[dst]; ok {
		return p, nil
	}
	p, err := ask(dst)
	if err != nil {
		return link.Path{}, err
	}
	own := n.attached()
	p.Self = dst.IsLoopback() || own.Has(dst)
	p.Multicast, p.Broadcast = dst.IsMulticast(), dst.Is4() && own.IsBroadcast(dst)
	for i, a := range own.Addresses {
		if a.Addr() == p.Source {
			p.Interface = n.names[i]
		}
		p.OnLink = p.OnLink || p.Self || a.Contains(dst)
	}
	if p.Self {
		p.Interface = "lo"
	}
	if len(n.paths) == remembered {
		clear(n.paths)
	}
	n.paths[dst] = p
	return p, nil
}

// ask has the kernel choose the way to dst for a datagram that is never sent.
func ask(dst netip.Addr) (p link.Path, err error) {
	c, err := socket.Socket(domain(dst.Is4()), unix.SOCK_DGRAM, unix.IPPROTO_UDP, "path", nil)
	if err != nil {
		return link.Path{}, noRoute(err)
	}
	defer func() { _ = c.Close() }()
	const discard = 9 // any port
	if _, err := c.Connect(context.Background(), sockaddr(netip.AddrPortFrom(dst, discard))); err != nil {
		return link.Path{}, noRoute(err)
	}
	sa, err := c.Getsockname()
	if err != nil {
		return link.Path{}, err
	}
	level, option, most := unix.SOL_IPV6, unix.IPV6_MTU, longest
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		p.Source = netip.AddrFrom4(sa.Addr)
		level, option, most = unix.SOL_IP, unix.IP_MTU, longest4
	case *unix.SockaddrInet6:
		p.Source = netip.AddrFrom16(sa.Addr)
	}
	p.MTU, err = c.GetsockoptInt(level, option)
	p.MTU = min(p.MTU, most)
	return p, err
}

// longest4 is the length of the longest packet of IPv4.
const longest4 = 65535

// noRoute returns the error of a path: that of the kernel, which says more than
// link.ErrNoRoute if it is another one.
func noRoute(err error) error {
	if err = explained(err); err == unix.ENETUNREACH || err == unix.EAFNOSUPPORT {
		return link.ErrNoRoute
	}
	return err
}
