package kernel

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// option explains why setsockopt was refused, or took less than it was given.
func (m machine) option(f modes.Failure) string {
	option, arg, _ := strings.Cut(f.Name, " ")
	e := errno(f.Err)
	switch {
	case errors.Is(f.Err, errors.ErrUnsupported):
		return withoutIt(option)
	case option == "SO_RCVBUF" && e == 0:
		return m.capped("rmem_max", "-R")
	case option == "SO_SNDBUF" && e == 0:
		return m.capped("wmem_max", "-S")
	case option == "IP_TOS" && e == 0 && f.Type == modes.Stream:
		// RFC 3168 section 5: bits 6 and 7 are "designated as the ECN field".
		return "the two low bits of the TOS are those of ECN, which Linux keeps for its TCP: give a multiple of 4"
	case option == "SO_DEBUG" && e == unix.EACCES:
		return "SO_DEBUG needs CAP_NET_ADMIN on the host itself, which root in a container does not have: run it as root there, or leave -D out"
	case option == "TCP_CONGESTION":
		return m.congestion(e, arg)
	case option == "IP_ADD_MEMBERSHIP":
		return m.membership(e, arg, f.Type)
	case option == "IP_MULTICAST_TTL" && e != 0 && f.Type == modes.Stream:
		return "TCP connects two hosts and sends to no group: give -u"
	case e == unix.EINVAL:
		return outOfRange(option)
	}
	return ""
}

func withoutIt(option string) string {
	if option == "IP_ONESBCAST" {
		return "without it a broadcast goes to the address that is given: leave -2 out, and send to 255.255.255.255 with -B"
	}
	return ""
}

func (m machine) capped(setting, flag string) string {
	most, ok := m.number("sys/net/core/" + setting)
	if !ok {
		return ""
	}
	return fmt.Sprintf("net.core.%s allows %d bytes: give %s less, or raise it with sysctl -w net.core.%[1]s=N", setting, most, flag)
}

// outOfRange gives the ranges that Linux takes, from the cases in ip(7),
// ipv6(7) and tcp(7).
func outOfRange(option string) string {
	switch option {
	case "IP_TTL":
		return "the TTL is one byte, and 0 lets no datagram out: give -J 1 to 255"
	case "IP_MULTICAST_TTL":
		return "the TTL is one byte: give -t 0 to 255"
	case "IP_TOS":
		return "the TOS is one byte: give -H 0 to 255"
	case "TCP_MAXSEG":
		return "Linux takes no such segment size: give -X 88 to 32767"
	}
	return ""
}

func (m machine) congestion(e unix.Errno, name string) string {
	switch e {
	case unix.ENOENT:
		if all := m.setting("sys/net/ipv4/tcp_available_congestion_control"); all != "" {
			return "this kernel has no congestion control " + name + " loaded: take one of " + all + ", or modprobe tcp_" + name
		}
	case unix.EPERM:
		if all := m.setting("sys/net/ipv4/tcp_allowed_congestion_control"); all != "" {
			return name + " needs CAP_NET_ADMIN: run it as root, or take one of " + all +
				" (net.ipv4.tcp_allowed_congestion_control)"
		}
	}
	return ""
}

func (m machine) membership(e unix.Errno, group string, t modes.Type) string {
	switch e {
	case unix.ENODEV:
		return "no interface leads to " + group + ": give the group a route, as with ip route add " + group + " dev eth0"
	case unix.EADDRINUSE:
		return "the socket is in " + group + " already: name the group once"
	case unix.EPROTO:
		if t == modes.Stream {
			return "TCP connects two hosts and joins no group: give -u"
		}
	case unix.EINVAL:
		return group + " is not the address of a group: give one of 224.0.0.0 to 239.255.255.255, or with -6 ff00::/8"
	case unix.ENOBUFS:
		if most, ok := m.number("sys/net/ipv4/igmp_max_memberships"); ok {
			return fmt.Sprintf("net.ipv4.igmp_max_memberships allows %d groups: join fewer, or raise it with sysctl -w", most)
		}
	}
	return ""
}
