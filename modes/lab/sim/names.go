package sim

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"sock/modes"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Names is what a host finds in its files hosts(5) and services(5), beside the
// names of the hosts of its World and the services of RFC 1700.
type Names struct {
	Hosts    map[string]netip.Addr
	Services map[string]uint16
}

// lookupHost takes the name of a host of this World for its first address.
func (h *Host) lookupHost(name string, f modes.Family) (netip.Addr, error) {
	is := func(a netip.Addr) bool { return a.Is4() == (f == modes.IPv4) }
	version := "IPv4"
	if f == modes.IPv6 {
		version = "IPv6"
	}
	if a, err := netip.ParseAddr(name); err == nil {
		if !is(a) {
			return netip.Addr{}, errors.New("not an " + version + " address")
		}
		return a, nil
	}
	if a, ok := h.o.Names.Hosts[name]; ok && is(a) {
		return a, nil
	}
	if strings.EqualFold(name, "localhost") {
		if f == modes.IPv6 {
			return netip.IPv6Loopback(), nil
		}
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if other := h.w.FindHost(name); other != nil {
		for _, p := range other.Node.Addresses() {
			if is(p.Addr()) {
				return p.Addr(), nil
			}
		}
	}
	return netip.Addr{}, errors.New("no " + version + " address for " + name)
}

func (h *Host) lookupService(name string, t modes.Type) (uint16, error) {
	if port, ok := h.o.Names.Services[name]; ok {
		return port, nil
	}
	for _, s := range services() {
		if s.name == name && slices.Contains(strings.Fields(s.over), t.Network()) {
			return s.port, nil
		}
	}
	return 0, errors.New("no such " + strings.ToUpper(t.Network()) + " service")
}

// TraceNames returns the names that a listing of this World has for addresses
// and ports: of an address that more hosts have, that of the first.
func (w *World) TraceNames() trace.Names {
	return trace.Names{Host: w.hostName, Service: ServiceName}
}

func (w *World) hostName(a netip.Addr) string {
	if a.IsLoopback() {
		return "localhost"
	}
	for _, h := range w.hosts {
		if h.Node.Has(a) {
			return h.name
		}
	}
	return ""
}

// ServiceName returns the name of a port in a listing, or "".
func ServiceName(p wire.Protocol, port uint16) string {
	for _, s := range services() {
		if s.port == port && slices.Contains(strings.Fields(s.over), p.String()) {
			return s.name
		}
	}
	return ""
}

type service struct {
	name string
	port uint16
	over string
}

// services are those of RFC 1700 that the book's experiments name.
func services() []service {
	return []service{
		{"echo", 7, "tcp udp"},
		{"discard", 9, "tcp udp"},
		{"daytime", 13, "tcp udp"},
		{"chargen", 19, "tcp udp"},
		{"ftp-data", 20, "tcp"},
		{"ftp", 21, "tcp"},
		{"telnet", 23, "tcp"},
		{"smtp", 25, "tcp"},
		{"time", 37, "tcp udp"},
		{"domain", 53, "tcp udp"},
		{"bootps", 67, "udp"},
		{"bootpc", 68, "udp"},
		{"tftp", 69, "udp"},
		{"finger", 79, "tcp"},
		{"http", 80, "tcp"},
		{"ntp", 123, "udp"},
		{"snmp", 161, "udp"},
		{"login", 513, "tcp"},
		{"shell", 514, "tcp"},
	}
}
