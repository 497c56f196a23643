package opts

import (
	"net/netip"
	"strconv"
	"strings"
)

// operands takes HOST PORT for a client, [ADDR] PORT for a server.
func (l *line) operands() error {
	o, words := l.o, l.words
	switch {
	case len(words) > 2:
		return errorf("%q is one operand too many: %s", words[2], form(o))
	case len(words) == 2:
		o.Host, o.Service = words[0], words[1]
		if o.Host == "" {
			return errorf("the host is empty: %s", form(o))
		}
	case len(words) == 1 && o.Server:
		o.Service = words[0]
	case len(words) == 1:
		return errorf("a port is missing after %q: %s", words[0], form(o))
	default:
		return errorf("the operands are missing: %s", form(o))
	}
	return checkService(o)
}

func form(o *Options) string {
	if o.Server {
		return "a server is sock -s [address] port"
	}
	return "a client is sock host port, a server sock -s [address] port"
}

// checkService takes a port number or what may be a service name: whether
// there is one is for the host to know.
func checkService(o *Options) error {
	s := o.Service
	if s == "" {
		return errorf("the port is empty: %s", form(o))
	}
	if !strings.ContainsRune("+-.0123456789", rune(s[0])) {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	switch {
	case err != nil:
		return errorf("the port %q is neither a number from 1 to 65535 nor a service name", s)
	case n == 0 && !o.Server:
		return errorf("the port 0 is for a server only, whose system then picks one")
	}
	return nil
}

// places checks that each flag has an effect in the mode that was asked for.
func (l *line) places() error {
	n := l.o.number()
	for _, f := range l.flags {
		if !l.given[f.Name] || f.where.has(n) {
			continue
		}
		if f.why != "" {
			return errorf("%s is for %s: %s", l.as(f), f.where, f.why)
		}
		here := modes(1 << n)
		return errorf("%s is for %s, not for %s: %s, or drop %s",
			l.as(f), f.where, here, steps(n, f.where.way(n), l.asLetter), l.as(f))
	}
	return nil
}

// conflicts checks the flags against each other.
func (l *line) conflicts() error {
	o, as := l.o, l.asLetter
	switch {
	case len(o.Route) > 0 && len(o.strict) > 0:
		return errorf("%s and %s are mixed: a source route is either loose or strict", as("g"), as("G"))
	case len(o.Route) > maxHops || len(o.strict) > maxHops:
		return errorf("a source route has room for %d hops, not for %d", maxHops, max(len(o.Route), len(o.strict)))
	case o.LocalPort != 0 && o.localPort != 0:
		return errorf("%s and %s both give the local port: drop %s, or let the port of %s be 0", as("b"), as("l"), as("b"), as("l"))
	case o.OnesBroadcast && !o.Broadcast:
		return errorf("%s is a way of broadcasting: add -B", as("2"))
	case o.Urgent > o.Writes && (o.File == "" || o.NGiven):
		return errorf("%s %d is after the last of %d writes (-n)", as("U"), o.Urgent, o.Writes)
	case o.WriteSize == 0 && !o.UDP:
		return errorf("%s 0 is for UDP, where it sends empty datagrams: add -u", as("w"))
	case o.WriteSize == 0 && o.File != "":
		return errorf("%s 0 never comes to the end of --file: drop one of the two", as("w"))
	case o.WriteGiven && (o.Chunks || o.Vector):
		return errorf("%s and %s both divide what is written: drop one of the two", as("w"), as(chunksLetter(o)))
	case o.Stats && o.JSON:
		return errorf("--stats and --json tell the same: drop one of the two")
	case o.Echo && (o.CRLF || o.Cbreak || o.HalfClose):
		return errorf("%s is for standard input, which --echo does not read: drop one of the two", as(inputLetter(o)))
	}
	if len(o.strict) > 0 {
		o.Route, o.RouteExact = o.strict, true
	}
	if o.localPort != 0 {
		o.LocalPort = o.localPort
	}
	o.Chunks = o.Chunks || o.Vector
	return nil
}

// maxHops is how many addresses a source route can hold: the option has 3
// bytes and 4 for each (RFC 791, section 3.1), and all options together have
// 40. The first hop stands in the header's destination and leaves its place
// to the real destination.
const maxHops = 9

func chunksLetter(o *Options) string {
	if o.Vector {
		return "V"
	}
	return "k"
}

func inputLetter(o *Options) string {
	switch {
	case o.CRLF:
		return "c"
	case o.Cbreak:
		return "C"
	}
	return "h"
}

// families checks that all addresses are of the version of IP that was asked
// for, and so are the flags.
func (l *line) families() error {
	o := l.o
	for _, f := range l.flags {
		if o.IPv6 && l.given[f.Name] && f.ipv4 != "" {
			return errorf("%s does not go with %s: %s", l.as(f), l.asLetter("6"), f.ipv4)
		}
	}
	addrs := []netip.Addr{o.LocalAddr, o.Foreign.Addr()}
	addrs = append(addrs, o.Groups...)
	for _, name := range append(o.Route[:len(o.Route):len(o.Route)], o.Host) {
		addr, _ := netip.ParseAddr(name) // a name is not an address
		addrs = append(addrs, addr)
	}
	for _, a := range addrs {
		switch {
		case a.Is6() && !o.IPv6:
			return errorf("%s is an IPv6 address: add -6", a)
		case a.Is4() && o.IPv6:
			return errorf("%s is an IPv4 address: drop %s", a, l.asLetter("6"))
		}
	}
	return nil
}
