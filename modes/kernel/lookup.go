//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sock/modes"
)

// LookupHost takes what inet_aton(3) takes for IPv4 ("127.1", "0x7f.1"), the
// forms of RFC 4291 section 2.2 for IPv6, and else asks the resolver.
func (h *Host) LookupHost(name string, f modes.Family) (netip.Addr, error) {
	if a, ok := inetAton(name); ok {
		if f == modes.IPv6 {
			return netip.Addr{}, errors.New("an IPv4 address, and -6 was given")
		}
		return a, nil
	}
	if a, err := netip.ParseAddr(name); err == nil {
		switch {
		case f == modes.IPv4:
			return netip.Addr{}, errors.New("an IPv6 address, which needs -6")
		case a.Is4In6():
			return netip.Addr{}, errors.New("an IPv4 address, and -6 was given")
		}
		return a, nil
	}
	if isLocalhost(name) {
		if f == modes.IPv6 {
			return netip.IPv6Loopback(), nil
		}
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	return resolve(name, f)
}

// isLocalhost, RFC 6761 section 6.3: "Name resolution APIs and libraries
// SHOULD recognize localhost names as special and SHOULD always return the IP
// loopback address for address queries".
func isLocalhost(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// resolve asks the resolver, and puts plainly what it did not find.
func resolve(name string, f modes.Family) (netip.Addr, error) {
	network, version := "ip4", "IPv4"
	if f == modes.IPv6 {
		network, version = "ip6", "IPv6"
	}
	all, err := net.DefaultResolver.LookupNetIP(context.Background(), network, name)
	var e *net.DNSError
	switch {
	case err == nil && len(all) > 0 && f == modes.IPv4:
		return all[0].Unmap(), nil
	case err == nil && len(all) > 0:
		return all[0], nil
	case err == nil || errors.As(err, &e) && e.IsNotFound:
		return netip.Addr{}, errors.New("no " + version + " address for " + name)
	case errors.As(err, &e) && e.IsTimeout:
		return netip.Addr{}, errors.New("no answer from the name server about " + name)
	}
	return netip.Addr{}, errors.New("no answer from the resolver about " + name)
}

// inetAton reads an IPv4 address as inet_aton(3) does: one to four numbers,
// decimal, octal after 0 or hexadecimal after 0x, of which the last fills the
// bytes that are left.
func inetAton(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var a uint64
	for i, part := range parts {
		last := i == len(parts)-1
		bits := 8
		if last {
			bits = 8 * (4 - i)
		}
		n, ok := atonNumber(part, bits)
		if !ok {
			return netip.Addr{}, false
		}
		a = a<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}), true
}

func atonNumber(s string, bits int) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(s, base, bits)
	return n, err == nil
}

// LookupService looks in services(5), and then among the services of the book:
// small systems have no such file.
func (h *Host) LookupService(name string, t modes.Type) (uint16, error) {
	if strings.ContainsFunc(name, func(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }) {
		if port, err := net.LookupPort(t.Network(), name); err == nil {
			return uint16(port), nil
		}
		for _, s := range services() {
			if s.name == strings.ToLower(name) && strings.Contains(s.over, t.Network()) {
				return s.port, nil
			}
		}
	}
	return 0, errors.New("no such " + strings.ToUpper(t.Network()) + " service")
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
		{"ssh", 22, "tcp"},
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
		{"exec", 512, "tcp"},
		{"login", 513, "tcp"},
		{"shell", 514, "tcp"},
		{"syslog", 514, "udp"},
		{"printer", 515, "tcp"},
	}
}
