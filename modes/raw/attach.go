package raw

import (
	"fmt"
	"net/netip"
	"strings"

	"sock/opts"
	"sock/rawtcp/ether"
	"sock/rawtcp/tun"
)

// beOn puts the host on an Ethernet of this machine.
func beOn(o *opts.Options) (attached, error) {
	own, err := prefixes(o.Addr)
	if err != nil {
		return attached{}, err
	}
	e := ether.Options{Interface: o.Iface, Addresses: own}
	if o.Gateway != "" {
		for text := range strings.SplitSeq(o.Gateway, ",") {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return attached{}, fmt.Errorf("--gateway takes addresses, not %q", text)
			}
			e.Gateways = append(e.Gateways, a)
		}
	}
	l, err := ether.Open(e)
	if err != nil {
		return attached{}, err
	}
	return attached{l, l.Addresses, l.Name}, nil
}

// beBehind puts the host behind a TUN device.
func beBehind(o *opts.Options) (attached, error) {
	own, err := prefixes(o.Addr)
	if err != nil {
		return attached{}, err
	}
	l, err := tun.Attach(tun.Options{Device: o.TUN, Addresses: own})
	if err != nil {
		return attached{}, err
	}
	return attached{l, l.Addresses, l.Name}, nil
}

// prefixes returns the addresses of --addr, one of each version of IP at most.
// Those without a length have -1.
func prefixes(text string) (all []netip.Prefix, err error) {
	for word := range strings.SplitSeq(text, ",") {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil || a.Zone() != "" || a.Is4In6() {
				return nil, fmt.Errorf("--addr takes addresses such as 10.0.0.9 or 10.0.0.9/24, not %q", word)
			}
			p = netip.PrefixFrom(a, -1)
		}
		for _, other := range all {
			if other.Addr().Is4() == p.Addr().Is4() {
				return nil, fmt.Errorf("--addr takes one address of each version of IP, not %v and %v", other.Addr(), p.Addr())
			}
		}
		all = append(all, p)
	}
	return all, nil
}
