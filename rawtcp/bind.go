package rawtcp

import (
	"errors"
	"net/netip"

	"sock/rawtcp/tcb"
)

// Family is the version of IP of a socket.
type Family uint8

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// of returns the family of an address.
func (Family) of(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// any returns the unspecified address.
func (f Family) any() netip.Addr {
	if f == IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// holder is somebody who has a local port: a socket, a connection that has lost
// its socket or has none yet, or what is left in TIME_WAIT.
type holder struct {
	addr                 netip.Addr
	only                 netip.AddrPort
	reuseAddr, reusePort bool
	connected            bool
	listening, waiting   bool
}

func (k *Socket) holder() holder {
	return holder{
		addr: k.local.Addr(), only: k.only, reuseAddr: k.reuseAddr, reusePort: k.reusePort,
		connected: k.conn != nil, listening: k.queue != nil, waiting: k.State() == tcb.TimeWait,
	}
}

// bindable returns ErrInUse if k may not have the port at addr.
func (s *Stack) bindable(k *Socket, addr netip.Addr, port uint16) error {
	for _, o := range s.bound[port] {
		if o == k || o.family != k.family {
			continue
		}
		if s.conflict(k, addr, o.holder()) {
			return ErrInUse
		}
	}
	if s.held.of(port) == 0 {
		return nil
	}
	for p, c := range s.conns {
		if p.lport == port && (c.sock == nil || !c.sock.bound) && k.family.of(c.local.Addr()) == k.family &&
			s.conflict(k, addr, holder{
				addr: c.local.Addr(), reuseAddr: c.reuseAddr, reusePort: c.reusePort, connected: true,
				waiting: c.tcb.State() == tcb.TimeWait,
			}) {
			return ErrInUse
		}
	}
	for w := range s.waits.all {
		local, _ := w.pair.sockets()
		if local.Port() == port && k.family.of(local.Addr()) == k.family && s.conflict(k, addr, holder{
			addr: local.Addr(), reuseAddr: w.reuseAddr, reusePort: w.reusePort, connected: true, waiting: true,
		}) {
			return ErrInUse
		}
	}
	return nil
}

// conflict reports whether k may not be bound to addr because of h, which has
// the port already.
func (s *Stack) conflict(k *Socket, addr netip.Addr, h holder) bool {
	same := h.addr == addr
	// Where SO_REUSEPORT comes from, it does what SO_REUSEADDR does, and more.
	asks := k.reuseAddr || k.reusePort && s.prof.BindWildcard
	switch {
	case !same && !h.addr.IsUnspecified() && !addr.IsUnspecified():
		return false
	case k.reusePort && h.reusePort:
		return false
	case k.reuseAddr && k.only != h.only && !h.connected:
		return false // they wait for different clients
	case h.waiting && s.prof.BindTimeWait:
		return !asks
	case s.prof.BindWildcard && !h.waiting:
		// "SO_REUSEADDR allows multiple instances of the same server to be
		// started [...] as long as each instance binds a different local IP
		// address", and takes no notice of connections (4.4BSD, in_pcbbind).
		return !asks || same && !h.connected
	}
	// Linux wants SO_REUSEADDR of both, and that none of them listens.
	return !k.reuseAddr || !h.reuseAddr || h.listening
}

// ephemeral picks a local port at addr for a socket that has not asked for one,
// and takes it. free says which will do; ErrNotHere says that none does.
//
// "A simple way is to [...] random() % (max_ephemeral - min_ephemeral + 1)" and
// go on from there (RFC 6056, algorithm 1); older systems count.
func (s *Stack) ephemeral(addr netip.Addr, free func(port uint16) bool) (uint16, error) {
	first, n := s.prof.FirstPort, int(s.prof.LastPort)-int(s.prof.FirstPort)+1
	if s.prof.RandomPort && n > 0 {
		s.port = first + uint16(s.chance.IntN(n))
	}
	for range n {
		if s.port++; s.port < first || s.port > s.prof.LastPort {
			s.port = first
		}
		if !free(s.port) {
			continue
		}
		if err := s.takePort(addr, s.port, false); !errors.Is(err, ErrInUse) {
			return s.port, err
		}
	}
	return 0, ErrNotHere
}

// counters counts something by port. A page of counters costs memory only once one
// of its ports is in use.
type counters [256]*[256]int32

func (p *counters) add(port uint16, n int32) {
	page := &p[port>>8]
	if *page == nil {
		*page = new([256]int32)
	}
	(*page)[port&0xff] += n
}

func (p *counters) of(port uint16) int {
	if page := p[port>>8]; page != nil {
		return int(page[port&0xff])
	}
	return 0
}

// unused reports whether nobody has the port.
func (s *Stack) unused(port uint16) bool {
	return s.held.of(port) == 0 && len(s.bound[port]) == 0
}
