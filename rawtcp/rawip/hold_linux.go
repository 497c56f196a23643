package rawip

import (
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"sock/rawtcp"
)

// ports are those that are held, of one version of IP.
type ports struct {
	mu sync.RWMutex // for who receives; all else has the lock of the Stack
	by map[uint16][]holder
}

// holder is a socket of the kernel's that keeps a port from everybody, the
// kernel's own TCP included: it listens, so what comes to the port is its
// business; and a filter drops all that, so nothing is answered. Raw sockets are
// given their copy before.
type holder struct {
	addr netip.Addr // may be unspecified
	conn *socket.Conn
}

// has reports whether a segment to a is for a port that is held.
func (p *ports) has(a netip.Addr, port uint16) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.covered(a, port)
}

// covered is has for who has a lock already.
func (p *ports) covered(a netip.Addr, port uint16) bool {
	for _, h := range p.by[port] {
		if h.addr == a || h.addr.IsUnspecified() {
			return true
		}
	}
	return false
}

func (p *ports) add(port uint16, h holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[port] = append(p.by[port], h)
}

func (p *ports) remove(port uint16) []holder {
	p.mu.Lock()
	defer p.mu.Unlock()
	hs := p.by[port]
	delete(p.by, port)
	return hs
}

// sorted returns the ports.
func (p *ports) sorted() []uint16 {
	all := make([]uint16, 0, len(p.by))
	for port := range p.by {
		all = append(all, port)
	}
	slices.Sort(all)
	return all
}

// Take takes a port at an address from the kernel, or at all addresses of a
// version of IP, and keeps it until Release. Whatever uses the port already, as
// bind(2) and listen(2) see it, makes it fail with rawtcp.ErrInUse; reuse is
// SO_REUSEADDR. What is held already stays so.
func (l *Link) Take(local netip.AddrPort, reuse bool) error {
	f := l.family(local.Addr().Is4())
	if f == nil {
		return rawtcp.ErrNotHere
	}
	if f.ports.covered(local.Addr(), local.Port()) {
		return nil
	}
	c, err := newHolder(local, reuse)
	if err != nil {
		return explained(err)
	}
	// First the raw socket hears the port, and then the kernel falls silent: so
	// nothing is lost in between.
	f.ports.add(local.Port(), holder{local.Addr(), c})
	if err = f.listenIn(); err == nil {
		err = c.Listen(1)
	}
	if err != nil {
		l.Release(local.Port())
		return explained(err)
	}
	return nil
}

// Release gives a port back to the kernel, at all addresses of both versions.
func (l *Link) Release(port uint16) {
	for _, f := range l.families {
		held := f.ports.remove(port)
		if held == nil {
			continue
		}
		for _, h := range held {
			_ = h.conn.Close()
		}
		_ = f.listenIn() // what it lets through is looked at again
	}
}

// listenIn has the raw socket wake us for the ports that are held.
func (f *family) listenIn() error {
	return setFilter(f.tcp.conn, segments(f.is4, f.ports.sorted()))
}

// newHolder returns a socket that is bound, and drops what comes. That takes
// effect when it listens: until then the kernel answers what comes with a RST.
func newHolder(local netip.AddrPort, reuse bool) (*socket.Conn, error) {
	is4 := local.Addr().Is4()
	c, err := socket.Socket(domain(is4), unix.SOCK_STREAM, unix.IPPROTO_TCP, "holder", nil)
	if err != nil {
		return nil, err
	}
	if !is4 {
		err = c.SetsockoptInt(unix.SOL_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil && reuse {
		err = c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = setFilter(c, nothing())
	}
	if err == nil {
		err = c.Bind(sockaddr(local))
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// sockaddr returns a as the kernel takes it.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// explained returns what a Stack makes of an error of the kernel.
func explained(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return rawtcp.ErrInUse
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return rawtcp.ErrNotHere
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
