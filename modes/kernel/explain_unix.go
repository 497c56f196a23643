//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// general is what the error alone tells, on any system.
func general(f modes.Failure) string {
	switch {
	case f.Call == "lookup host":
		return unknownHost(f, net.DefaultResolver.LookupNetIP)
	case f.Call == "lookup service":
		return unknownService(f)
	case errors.Is(f.Err, modes.ErrTimeout):
		return outOfTime(f)
	case f.Call == "socket" && errors.Is(f.Err, unix.EAFNOSUPPORT):
		return "this system has no IPv6: leave -6 out"
	case errors.Is(f.Err, unix.EMFILE):
		return "this process may not have more files open: serve fewer clients, or raise the limit with ulimit -n"
	}
	switch f.Call {
	case "bind":
		return misnamed(f.Err, f.Local.Addr())
	case "connect":
		return cmp.Or(misnamed(f.Err, f.Peer.Addr()), onTheWay(f))
	case "read", "write":
		return onTheWay(f)
	}
	return ""
}

// outOfTime explains the ends of -x and -y.
func outOfTime(f modes.Failure) string {
	switch f.Call {
	case "read":
		return "nothing came from " + peer(f) + " in the time of -x: give it more time, or see what that end does"
	case "write":
		return peer(f) + " took no data in the time of -y: give it more time, or see whether that end reads"
	}
	return ""
}

// misnamed explains an address that a socket cannot even be asked for.
func misnamed(err error, a netip.Addr) string {
	switch e := errno(err); {
	case e == unix.EAFNOSUPPORT && a.IsValid():
		return otherVersion(a.String(), []netip.Addr{a})
	case e == unix.ENXIO && a.Zone() != "":
		return "this host has no interface " + a.Zone() + ": see ip link or ifconfig for their names"
	case e == unix.EINVAL && a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "":
		// RFC 4007 section 6: such an address "may be in use in more than one
		// zone of the same scope".
		return a.String() + " is a link-local address: name its interface too, as in " + a.String() + "%eth0"
	}
	return ""
}

// onTheWay explains the errors that segments, ICMP messages and silence cause.
func onTheWay(f modes.Failure) string {
	switch e := errno(f.Err); {
	case e == unix.ECONNREFUSED && f.Type == modes.Datagram:
		return "an ICMP port unreachable came back for a datagram: nothing at " + peer(f) +
			" takes datagrams from here; start the server there, or check the port"
	case e == unix.ECONNREFUSED && f.Call == "connect":
		return "the SYN to " + peer(f) + " was refused, by a RST of the host, where nothing listens on the port, " +
			"or by a firewall: start the server there, or check the port"
	case e == unix.ECONNRESET && f.Type == modes.Stream:
		return peer(f) + " sent a RST, as it does if its process closes with data unread or with -L0, " +
			"or if its host knows no such connection: look for the reason at that end"
	case e == unix.EPIPE && f.Type == modes.Stream:
		return "the connection has ended already, by a RST of " + peer(f) +
			" or an error reported before: connect again"
	case e == unix.ETIMEDOUT && f.Call == "connect":
		return "no SYN was answered: see whether " + host(f) + " is up and lets port " +
			strconv.Itoa(int(f.Peer.Port())) + " through, or give it more time if --connect-timeout was short"
	case e == unix.ETIMEDOUT:
		return "what was sent again and again, as data or as probes (-K), was never acknowledged by " + peer(f) +
			": see whether that host is up and the way to it whole"
	case e == unix.EHOSTUNREACH:
		return "nobody answered for that address on the last link, or a router refused it with ICMP: " +
			"check the address, and that " + host(f) + " is up"
	case e == unix.EMSGSIZE && f.Type == modes.Datagram:
		return "a datagram holds at most " + strconv.Itoa(maxDatagram(destination(f))) +
			" bytes, or with -d what the path takes in one packet: send less at a time (-w)"
	case e == unix.EDESTADDRREQ:
		return "nobody has written to this socket yet, so there is nobody to send to: name the other end with -f"
	}
	return ""
}

// destination is the peer's address, or where it is not known the local one,
// which is of the same version of IP.
func destination(f modes.Failure) netip.Addr {
	if f.Peer.IsValid() {
		return f.Peer.Addr()
	}
	return f.Local.Addr()
}

// maxDatagram is the most that UDP carries: RFC 768 counts its header of 8
// bytes in 16 bits, and RFC 791 likewise that of IPv4, of 20 bytes.
func maxDatagram(to netip.Addr) int {
	if to.IsValid() && !to.Unmap().Is4() {
		return 65535 - 8
	}
	return 65535 - 8 - 20
}

// errno is the system's error in err, or 0.
func errno(err error) unix.Errno {
	var e unix.Errno
	errors.As(err, &e)
	return e
}

// dotted is an end point in the book's notation: addr.port.
func dotted(a netip.AddrPort) string {
	return a.Addr().Unmap().String() + "." + strconv.Itoa(int(a.Port()))
}

// peer names the other end.
func peer(f modes.Failure) string {
	if !f.Peer.IsValid() {
		return "the peer"
	}
	return dotted(f.Peer)
}

// host names the other end's host.
func host(f modes.Failure) string {
	if !f.Peer.IsValid() {
		return "the peer's host"
	}
	return f.Peer.Addr().Unmap().String()
}

// some joins up to four of the words.
func some(words []string) string {
	const most = 4
	if len(words) > most {
		words = append(words[:most:most], "...")
	}
	return strings.Join(words, ", ")
}
