//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"sock/modes"
)

// lookupTime is how long an explanation may take to ask the resolver again.
const lookupTime = 2 * time.Second

// lookup is net.Resolver's LookupNetIP.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// unknownHost explains why a name gave no address of the version of IP that
// was wanted.
func unknownHost(f modes.Failure, look lookup) string {
	if f.Name == "" {
		return ""
	}
	if _, err := netip.ParseAddr(f.Name); err == nil {
		return "" // the error says all
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	all, err := look(ctx, "ip", f.Name)
	if err == nil {
		return otherVersion(f.Name, all)
	}
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return "neither /etc/hosts nor the name servers know " + f.Name + ": check the spelling, or give the address"
	}
	return "no name server answers about " + f.Name + ": check the network and /etc/resolv.conf, or give the address"
}

// otherVersion explains a failure for a host that does have addresses, if they
// are all of one version: the other was wanted.
func otherVersion(name string, all []netip.Addr) string {
	var v4, v6 []string
	for _, a := range all {
		if a.Unmap().Is4() {
			v4 = append(v4, a.Unmap().String())
		} else {
			v6 = append(v6, a.String())
		}
	}
	switch {
	case len(v4) == 0 && len(v6) > 0:
		return hasOnly(name, "IPv6", v6) + ": give -6"
	case len(v6) == 0 && len(v4) > 0:
		return hasOnly(name, "IPv4", v4) + ": leave -6 out"
	}
	return ""
}

func hasOnly(name, version string, all []string) string {
	if len(all) == 1 && all[0] == name {
		return name + " is an " + version + " address"
	}
	return name + " has only " + version + " addresses (" + some(all) + ")"
}

// unknownService explains why a name like "echo/tcp" gave no port.
func unknownService(f modes.Failure) string {
	name, network, ok := strings.Cut(f.Name, "/")
	if !ok {
		return ""
	}
	other, remedy := modes.Datagram, "give -u"
	if network == other.Network() {
		other, remedy = modes.Stream, "leave -u out"
	}
	if _, err := new(Host).LookupService(name, other); err == nil {
		return name + " is a service of " + strings.ToUpper(other.Network()) + " only: " + remedy + ", or give the port's number"
	}
	return "/etc/services has no line for " + name + ": check the spelling, or give the port's number"
}
