package kernel

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// bind explains why a local address was refused.
func (m machine) bind(f modes.Failure) string {
	switch errno(f.Err) {
	case unix.EADDRINUSE:
		switch {
		case f.Local.Port() == 0:
			return m.noPortLeft()
		case f.Type == modes.Datagram:
			return m.takenUDP(f)
		}
		return m.takenTCP(f)
	case unix.EADDRNOTAVAIL:
		return m.notOurs(f.Local.Addr())
	case unix.EACCES:
		first, ok := m.number("sys/net/ipv4/ip_unprivileged_port_start")
		if ok && f.Local.Port() != 0 && int(f.Local.Port()) < first {
			return fmt.Sprintf("ports below %d (net.ipv4.ip_unprivileged_port_start) need a privilege: run it as root, "+
				"give the program the capability with setcap cap_net_bind_service=ep, or take a port from %[1]d on", first)
		}
	}
	return ""
}

func (m machine) noPortLeft() string {
	lo, hi, ok := m.portRange()
	if !ok {
		return ""
	}
	return fmt.Sprintf("every port from %d to %d (net.ipv4.ip_local_port_range) is taken: "+
		"give one outside with -b, or widen the range with sysctl -w", lo, hi)
}

// portRange is where the kernel picks a port from when none is given.
func (m machine) portRange() (lo, hi int, ok bool) {
	n, _ := fmt.Sscan(m.setting("sys/net/ipv4/ip_local_port_range"), &lo, &hi)
	return lo, hi, n == 2 && lo <= hi
}

func (m machine) notOurs(a netip.Addr) string {
	if !a.IsValid() || m.isLocal(a) {
		return "" // an address that is there may not be ready yet
	}
	var ours []string
	for _, b := range m.ours(version(a)) {
		if !b.IsLinkLocalUnicast() { // it would need its interface's name
			ours = append(ours, b.String())
		}
	}
	s := "no interface of this host that is up has the address " + a.Unmap().String() + ": "
	if len(ours) > 0 {
		s += "take one of " + some(ours) + ", or "
	}
	return s + "leave the address out"
}

// takenTCP says who has a TCP port, and whether -A or -T would get it.
func (m machine) takenTCP(f modes.Failure) string {
	held, ok := m.holders(f)
	switch {
	case !ok:
		return ""
	case len(held) == 0:
		return m.takenUnseen(f)
	}
	e := held[0]
	if !f.Local.Addr().IsValid() {
		f.Local = netip.AddrPortFrom(anyOf(e.local.Addr()), f.Local.Port())
	}
	port := fmt.Sprintf("port %d ", f.Local.Port())
	if e.inode != 0 || e.state == listening {
		port += "is taken by " + m.owner(e.inode) + ", "
		switch {
		case e.state == listening && m.ownTCP(e):
			return port + "which has it for a TCP of its own" + apart(f)
		case e.state == listening && f.OwnTCP:
			return port + "which listens on " + dotted(e.local) + apart(f)
		case e.state == listening:
			return port + "which listens on " + dotted(e.local) + m.beside(f, e)
		}
		return port + "whose connection " + ends(e) + " is in " + e.state.String() +
			": end that process, take another port, or " + m.again(f, held)
	}
	port += "is in " + e.state.String() + " (" + ends(e) + andMore(held)
	switch {
	case e.counting && e.state == timeWait:
		return port + "), " + seconds(e.left) + " left: wait, or " + m.again(f, held)
	case e.counting:
		return port + "; this end has closed, that one has not), " + seconds(e.left) +
			" left: end that one, wait, or " + m.again(f, held)
	}
	return port + "; its process has gone, the other end has not acknowledged all): end that one, wait, or " + m.again(f, held)
}

// takenUnseen explains a port that nobody shows to have. A socket that is
// only bound is in no table of /proc, but keeps its port from others.
func (m machine) takenUnseen(f modes.Failure) string {
	if !f.Local.Addr().IsValid() {
		return ""
	}
	switch m.tryBind(f.Local, f.Reuse, f.Share) {
	case nil:
		return fmt.Sprintf("port %d has come free in the meantime: start it again", f.Local.Port())
	case unix.EADDRINUSE:
		return fmt.Sprintf("port %d is held by a socket that neither listens nor is connected, which /proc does not show: "+
			"end its process or take another port", f.Local.Port())
	}
	return ""
}

// beside says how a port could be shared with a listener. socket(7): under
// SO_REUSEADDR "a socket may bind, except when there is an active listening
// socket bound to the address"; SO_REUSEPORT "must be set on each socket
// (including the first socket)", and "all of the processes binding to the same
// address must have the same effective UID".
func (m machine) beside(f modes.Failure, e entry) string {
	const never = " (-A never shares a port with a listener)"
	switch {
	case !f.Share && m.tryBind(f.Local, f.Reuse, true) == nil:
		return ": stop it, take another port, or share this one with -T, as it does" + never
	case e.uid != m.uid:
		return fmt.Sprintf(": stop it or take another port (-A never shares a port with a listener, "+
			"nor -T with one of another user, %d)", e.uid)
	case f.Share:
		return ": stop it, take another port, or start that one with -T too" + never
	}
	return ": stop it, take another port, or start both with -T" + never
}

// apart says what to do about a port between the kernel's TCP, or one beside it, and
// another beside it.
func apart(f modes.Failure) string {
	which := "that one"
	if f.OwnTCP {
		which = "this one"
	}
	return ": stop it, take another port, or give " + which + " a network or an address of its own with --wire or --addr " +
		"(with --raw a port is one program's while it is in use, and neither -A nor -T shares it)"
}

// again says whether -A or -T would get a port on which nobody listens.
// socket(7): "Linux will allow port reuse only with the SO_REUSEADDR option
// when this option was set both in the previous program that performed a
// bind(2) to the port and in the program that wants to reuse the port." So it
// is for SO_REUSEPORT.
func (m machine) again(f modes.Failure, held []entry) string {
	those := "that connection was"
	if len(held) > 1 {
		those = "those connections were"
	}
	switch {
	case !f.Reuse && m.tryBind(f.Local, true, f.Share) == nil:
		return "start this one with -A, as " + those
	case !f.Share && !f.OwnTCP && m.tryBind(f.Local, f.Reuse, true) == nil:
		return "start this one with -T, as " + those
	}
	return "another time start both with -A (on Linux -A has to be on the first socket too)"
}

// takenUDP says who has a UDP port. No socket is bound for a try here: it
// could take a datagram that another waits for.
func (m machine) takenUDP(f modes.Failure) string {
	held, ok := m.holders(f)
	if !ok || len(held) == 0 {
		return ""
	}
	e := held[0]
	s := fmt.Sprintf("port %d is taken by %s, which has a UDP socket on %s", f.Local.Port(), m.owner(e.inode), dotted(e.local))
	if e.state == established {
		s += " to " + dotted(e.peer)
	}
	return s + ": stop it, take another port, or start both with -A (UDP sockets share a port if both have -A, " +
		"or both -T and the same user)"
}

// holders are the sockets because of which an address is in use, a listener
// first, a TIME_WAIT that ends soon last.
func (m machine) holders(f modes.Failure) (held []entry, ok bool) {
	all, err := m.sockets(f.Type)
	if err != nil {
		return nil, false
	}
	most := 1
	for _, e := range all {
		n := clash(f.Local, e.local)
		if n > most {
			most, held = n, nil
		}
		if n == most {
			held = append(held, e)
		}
	}
	rank := func(e entry) int {
		switch {
		case e.state == listening:
			return 0
		case e.inode != 0:
			return 1
		case !e.counting:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(held, func(a, b entry) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.left, a.left))
	})
	return held, true
}

// clash is how surely two local addresses exclude each other: 2 for one
// version of IP, 1 if the other's any address of IPv6 stands for IPv4 too. Our
// own never does.
func clash(ours, other netip.AddrPort) int {
	x, y := ours.Addr().Unmap().WithZone(""), other.Addr()
	switch {
	case ours.Port() != other.Port():
		return 0
	case !x.IsValid():
		return 2
	case x.Is4() == y.Is4() && (x == y || x.IsUnspecified() || y.IsUnspecified()):
		return 2
	case x.Is4() && y.Is6() && y.IsUnspecified():
		return 1
	}
	return 0
}

// anyOf is the any address of the same version of IP.
func anyOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// ends are the two ends of a connection.
func ends(e entry) string { return dotted(e.local) + " to " + dotted(e.peer) }

func andMore(held []entry) string {
	n := 0
	for _, e := range held[1:] {
		if e.state == held[0].state {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return " and " + strconv.Itoa(n) + " more"
}

// seconds are the seconds that a timer has left, begun ones counted whole.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds()))) + " s"
}
