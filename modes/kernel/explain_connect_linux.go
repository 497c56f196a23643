package kernel

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// noPair explains why connect found no local address and port to go with the
// peer's.
func (m machine) noPair(f modes.Failure) string {
	switch e := errno(f.Err); {
	case e == unix.EAGAIN && f.Type == modes.Datagram:
		return m.noPortLeft()
	case e != unix.EADDRNOTAVAIL && e != unix.EADDRINUSE:
		return ""
	case f.Type == modes.Stream && f.Local.Port() != 0:
		return m.pairTaken(f)
	case version(f.Peer.Addr()) == modes.IPv6 && len(m.ours(modes.IPv6)) == 0:
		return "no interface of this host that is up has an IPv6 address: give it one, or use IPv4"
	case f.Type == modes.Stream:
		return m.portsTaken(f)
	}
	return ""
}

// pairTaken finds the connection that has the same four numbers.
func (m machine) pairTaken(f modes.Failure) string {
	all, err := m.sockets(f.Type)
	if err != nil {
		return ""
	}
	for _, e := range all {
		if e.peer != unmapped(f.Peer) || clash(f.Local, e.local) == 0 {
			continue
		}
		s := "the connection " + ends(e) + " is still in " + e.state.String()
		switch {
		case e.counting:
			return s + ", " + seconds(e.left) + " left: wait, or connect from another port, for -A does not help with the same pair"
		case e.inode != 0:
			return s + ", of " + m.owner(e.inode) + ": connect from another port"
		}
		return s + ": wait, or connect from another port"
	}
	return ""
}

// portsTaken tells whether all ports that the kernel may pick have a
// connection to the peer already.
func (m machine) portsTaken(f modes.Failure) string {
	lo, hi, ok := m.portRange()
	all, err := m.sockets(f.Type)
	if !ok || err != nil {
		return ""
	}
	used := map[uint16]bool{}
	var waiting int
	var soonest time.Duration
	for _, e := range all {
		if n := int(e.local.Port()); n < lo || n > hi || e.peer != unmapped(f.Peer) {
			continue
		}
		used[e.local.Port()] = true
		if e.counting {
			if waiting == 0 || e.left < soonest {
				soonest = e.left
			}
			waiting++
		}
	}
	if len(used) <= hi-lo {
		return ""
	}
	s := fmt.Sprintf("every port from %d to %d (net.ipv4.ip_local_port_range) has a connection to %s already", lo, hi, dotted(f.Peer))
	if waiting > 0 {
		s += fmt.Sprintf(", %d of them in TIME_WAIT: wait %s for the first, or give a port with -b", waiting, seconds(soonest))
	} else {
		s += ": end one, or give a port with -b"
	}
	return s
}

// refused explains ECONNREFUSED, and a SYN without answer, where the peer is
// this host: then /proc shows who listens.
func (m machine) refused(f modes.Failure) string {
	e := errno(f.Err)
	if e != unix.ECONNREFUSED && e != unix.ETIMEDOUT || !f.Peer.IsValid() || !m.isLocal(f.Peer.Addr()) {
		return ""
	}
	all, err := m.sockets(f.Type)
	if err != nil {
		return ""
	}
	switch {
	case f.Type == modes.Datagram && e == unix.ECONNREFUSED:
		return m.nobodyReceives(f, all)
	case f.Type == modes.Stream && f.Call == "connect" && e == unix.ECONNREFUSED:
		return m.nobodyListens(f, all)
	case f.Type == modes.Stream && f.Call == "connect":
		return m.fullQueue(f, all)
	}
	return ""
}

func (m machine) nobodyListens(f modes.Failure, all []entry) string {
	var elsewhere []string
	for _, e := range all {
		if e.state != listening || e.local.Port() != f.Peer.Port() {
			continue
		}
		if clash(f.Peer, e.local) != 0 {
			return "" // somebody does by now
		}
		elsewhere = append(elsewhere, m.owner(e.inode)+" listens on "+dotted(e.local))
	}
	s := "nothing on this host listens on " + dotted(f.Peer)
	if len(elsewhere) > 0 {
		return s + ", but " + some(elsewhere) + ": connect to that address, or start the server for any address"
	}
	udp, _ := m.sockets(modes.Datagram)
	for _, e := range udp {
		if e.state == closed && clash(f.Peer, e.local) != 0 {
			return s + ", but " + m.owner(e.inode) + " has that port of UDP: start the server first, or give -u"
		}
	}
	return s + ": start the server first, or check the port"
}

func (m machine) nobodyReceives(f modes.Failure, all []entry) string {
	const what = "an ICMP port unreachable came back for a datagram: "
	var elsewhere []string
	for _, e := range all {
		switch {
		case e.local.Port() != f.Peer.Port():
		case e.state == established && clash(f.Peer, e.local) != 0:
			elsewhere = append(elsewhere, m.owner(e.inode)+" takes datagrams there from "+dotted(e.peer)+" alone")
		case clash(f.Peer, e.local) != 0:
			return "" // somebody does by now
		default:
			elsewhere = append(elsewhere, m.owner(e.inode)+" has a socket on "+dotted(e.local))
		}
	}
	s := what + "nothing on this host takes what is sent to " + dotted(f.Peer) + " from here"
	if len(elsewhere) > 0 {
		return s + ", but " + some(elsewhere) + ": use the addresses that it has, or start a server for any"
	}
	return s + ": start the server first, or check the port"
}

// fullQueue explains a SYN that got no answer on this very host. tcp(7): the
// listener may leave connections in its queue until accept takes them.
func (m machine) fullQueue(f modes.Failure, all []entry) string {
	for _, e := range all {
		if e.state == listening && clash(f.Peer, e.local) != 0 && e.queued > 0 {
			return fmt.Sprintf("no SYN was answered: %s has not accepted %d of its connections yet, "+
				"and when its queue (-q) is full the kernel drops a SYN; wait for it, or start it with a longer queue",
				m.owner(e.inode), e.queued)
		}
	}
	return ""
}

// unreached explains the errors of routing. What the routing table itself
// refuses, it refuses to a UDP socket too, without a packet being sent.
func (m machine) unreached(f modes.Failure) string {
	if !f.Peer.IsValid() {
		return ""
	}
	to := f.Peer.Addr().Unmap()
	switch e := errno(f.Err); e {
	case unix.ENETUNREACH:
		return m.noRoute(f)
	case unix.EHOSTUNREACH:
		if _, err := m.route(to, true); err == e {
			return "the routing table of this host rejects " + to.String() + ": see ip route get " + to.String()
		}
		return m.noARP(f)
	case unix.EACCES:
		_, err := m.route(to, false)
		if _, err2 := m.route(to, true); err == e && err2 == nil {
			return to.String() + " is a broadcast address: give -B"
		} else if err == e {
			return "the routing table of this host prohibits " + to.String() + ": see ip route get " + to.String()
		}
	case unix.EINVAL:
		if _, err := m.route(to, true); err == e && !to.IsLinkLocalUnicast() { // which lacks its zone
			return "the routing table of this host drops what is for " + to.String() + " (blackhole): see ip route get " + to.String()
		}
	case unix.EPERM:
		return "a packet filter of this host (nftables, iptables or BPF) did not let it out: see nft list ruleset"
	case unix.EMSGSIZE:
		if f.Type == modes.Datagram {
			return m.tooLong(f)
		}
	}
	return ""
}

func (m machine) noRoute(f modes.Failure) string {
	to := f.Peer.Addr().Unmap()
	_, err := m.route(to, false)
	switch {
	case f.Type == modes.Stream && to.IsMulticast():
		return to.String() + " is a group, and TCP connects two hosts: give -u"
	case f.Type == modes.Stream && (err == unix.EACCES || to == netip.AddrFrom4([4]byte{255, 255, 255, 255})):
		return to.String() + " is a broadcast address, and TCP connects two hosts: give -u and -B"
	case err == unix.ENETUNREACH:
		return "this host has no route to " + to.String() + ": check the address, and the routes with ip route"
	case err == nil:
		return "this host has a route to " + to.String() + ", so a router refused it with ICMP, or -Y forbids the route: " +
			"see ip route get " + to.String()
	}
	return ""
}

// noARP explains an IPv4 address for which there is no hardware address. In
// /proc/net/arp such an entry has no flags; the file is a table of "IP
// address, HW type, Flags, HW address, Mask, Device".
func (m machine) noARP(f modes.Failure) string {
	to := f.Peer.Addr().Unmap()
	next := m.nextHop(to)
	for line := range strings.Lines(m.setting("net/arp")) {
		c := strings.Fields(line)
		if len(c) < 6 || c[0] != next.String() || c[2] != "0x0" {
			continue
		}
		if next == to {
			return "nobody answered ARP for " + c[0] + " on " + printable(c[5]) + ": check the address, and that the host is up"
		}
		return "the gateway to " + to.String() + ", " + c[0] + ", did not answer ARP on " + printable(c[5]) +
			": check the route, and that the gateway is up"
	}
	return ""
}

func (m machine) tooLong(f modes.Failure) string {
	to := f.Peer.Addr().Unmap()
	most := maxDatagram(to)
	s := fmt.Sprintf("a datagram to %s holds at most %d bytes", to, most)
	headers := 65535 - most
	if to.Is6() {
		headers += 40 // which the length field of IPv6 does not count
	}
	if mtu, err := m.route(to, true); err == nil {
		s += fmt.Sprintf(", or with -d %d (path MTU %d)", min(most, mtu-headers), mtu)
	}
	return s + ": send less at a time (-w)"
}
