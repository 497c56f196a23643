package opts

import (
	"net/netip"
	"slices"
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
	m := l.o.mode()
	for _, f := range l.flags {
		switch {
		case !l.given[f.Name] || f.where.has(m):
		case f.where == hub:
			return errorf("%s is for %s, not for %s: add --hub, or drop %s", l.as(f), f.where, m, l.as(f))
		case f.Letter == "b" || f.Letter == "l":
			return errorf("%s is for a client: a server's own end is its operands, [address] port", l.as(f))
		default:
			return errorf("%s is for %s, not for %s: %s, or drop %s",
				l.as(f), f.where, m, f.where.way(m, l.asLetter), l.as(f))
		}
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
		return errorf("a source route has room for %d hops, not for %d", maxHops, len(o.Route)+len(o.strict))
	case o.LocalPort != 0 && o.local.Port() != 0:
		return errorf("%s and %s both give the local port: drop %s, or let the port of %s be 0", as("b"), as("l"), as("b"), as("l"))
	case o.OnesBroadcast && !o.Broadcast:
		return errorf("%s is a way to broadcast: add -B", as("2"))
	case o.Urgent > o.Writes && (o.File == "" || l.given["writes"]):
		return errorf("%s %d comes after the last of the %d writes: raise -n or lower %s", as("U"), o.Urgent, o.Writes, as("U"))
	case o.WriteSize == 0 && !o.UDP:
		return errorf("%s 0 is for UDP, which sends it as an empty datagram: TCP takes at least 1", as("w"))
	case o.WriteSize == 0 && o.File != "":
		return errorf("%s 0 never comes to the end of --file: take at least 1", as("w"))
	case l.given["write-size"] && o.Chunks:
		return errorf("%s and %s both say how much to write at a time: drop one of the two", as("w"), as("k"))
	case l.given["write-size"] && o.Vector:
		return errorf("%s and %s both say how much to write at a time: drop one of the two", as("w"), as("V"))
	case o.Stats && o.JSON:
		return errorf("--stats and --json tell the same: drop one of the two")
	}
	if o.Echo {
		for _, x := range []struct {
			on     bool
			letter string
		}{{o.CRLF, "c"}, {o.Cbreak, "C"}, {o.HalfClose, "h"}} {
			if x.on {
				return errorf("%s is about standard input, which --echo does not read: drop one of the two", as(x.letter))
			}
		}
	}
	return l.groups()
}

// own checks the flags of our own TCP against each other.
func (l *line) own() error {
	if l.o.Raw {
		if err := l.output(); err != nil {
			return err
		}
		if err := l.place(); err != nil {
			return err
		}
		return l.kernelUDP()
	}
	protocol, way := "TCP", "--raw"
	if l.o.UDP {
		protocol = "UDP"
		if l.o.Wire == "" && l.o.Addr == nil {
			way += " with --wire FILE or --addr ADDR"
		}
	}
	for _, f := range l.flags {
		switch {
		case !l.given[f.Name]:
		case f.Group == own:
			return errorf("%s is for our own %s: add %s, or drop %s", l.as(f), protocol, way, l.as(f))
		case f.Group == faults:
			return errorf("%s is for a link of our own: add %s, or --hub, or drop %s", l.as(f), way, l.as(f))
		}
	}
	return nil
}

// kernelUDP checks that nothing is asked of our own UDP where it is the kernel's:
// beside the kernel's TCP.
func (l *line) kernelUDP() error {
	if !l.o.UDP || l.o.Wire != "" || l.o.Addr != nil {
		return nil
	}
	for _, f := range l.flags {
		if l.given[f.Name] && f.Name != "raw" && (f.Group == own || f.Group == faults) {
			return errorf("%s is for UDP of our own: add --wire FILE or --addr ADDR, or drop %s", l.as(f), l.as(f))
		}
	}
	return nil
}

// hub checks the line of a hub, which has no operands, and of the other flags
// takes few.
func (l *line) hub() error {
	for _, f := range l.flags {
		also := f.Group == faults || slices.Contains([]string{"wire", "seed", "trace-json", "ladder", "pcapng", "verbose"}, f.Name)
		if l.given[f.Name] && f.where != hub && !also {
			return errorf("%s is not for a hub: drop it, or drop --hub", l.as(f))
		}
	}
	switch {
	case len(l.words) > 0:
		return errorf("%q is one operand too many: a hub is sock --hub --wire FILE", l.words[0])
	case l.o.Wire == "":
		return errorf("--hub does not know where to be: add --wire FILE")
	}
	return l.output()
}

// output checks that no two have standard output.
func (l *line) output() error {
	o := l.o
	has := ""
	switch {
	case o.Hub:
	case o.JSON:
		has = "the JSON of --json"
	case !o.Bulk:
		has = "the data"
	}
	for _, f := range []struct{ flag, file string }{
		{"--trace-json", o.TraceJSON}, {"--ladder", o.Ladder}, {"--pcapng", o.Pcapng},
	} {
		switch {
		case f.file != "-":
		case has != "":
			return errorf("%s - does not go: standard output is for %s; name a file", f.flag, has)
		default:
			has = "what " + f.flag + " writes"
		}
	}
	return nil
}

// groups checks that no group is joined twice, which systems refuse.
func (l *line) groups() error {
	for i, g := range l.o.Groups {
		switch {
		case slices.Contains(l.o.Groups[:i], g):
			return errorf("%s %s is given twice", l.asLetter("j"), g)
		case g.String() == l.o.Host && l.o.Server:
			return errorf("a server at %s joins that group anyway: drop %s", g, l.asLetter("j"))
		}
	}
	return nil
}

// maxHops is how many addresses a source route can hold: the option has 3
// bytes and 4 for each (RFC 791, section 3.1), and all options together have
// 40. The first hop stands in the header's destination and leaves its place
// to the real destination.
const maxHops = 9

// families checks that the addresses are of the version of IP that was asked
// for.
func (l *line) families() error {
	o := l.o
	addrs := append([]netip.Addr{o.local.Addr(), o.Foreign.Addr()}, o.Groups...)
	for _, name := range slices.Concat([]string{o.Host}, o.Route, o.strict) {
		if a, err := netip.ParseAddr(name); err == nil {
			addrs = append(addrs, a)
		}
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
