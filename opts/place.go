package opts

import (
	"net/netip"
	"slices"
)

// place checks that the flags say once, and all, where a host with our own TCP
// is: on a wire, behind a TUN device, on an Ethernet, or else on the network of
// this machine.
func (l *line) place() error {
	o := l.o
	for _, x := range []struct {
		flag string
		on   bool
	}{{"--tun", o.TUN != ""}, {"--interface", o.Iface != ""}, {"--gateway", o.Gateway != nil}} {
		switch {
		case !x.on:
		case o.Wire != "":
			return errorf("%s is not for a wire: drop it, or drop --wire", x.flag)
		case o.TUN != "" && x.flag != "--tun":
			return errorf("%s is for an Ethernet: behind a TUN device the kernel is the way to everywhere; drop it, or drop --tun", x.flag)
		case !l.given["addr"]:
			return errorf("%s needs the address that this host is to have there: add --addr ADDRESS/LENGTH", x.flag)
		}
	}
	for i, p := range o.Addr {
		for _, q := range o.Addr[:i] {
			if o.Wire == "" && q.Addr().Is4() == p.Addr().Is4() {
				return errorf("--addr takes one address of each version of IP, unless it is on a wire: drop %v or %v", q.Addr(), p.Addr())
			}
		}
	}
	switch ours := slices.ContainsFunc(o.Addr, func(p netip.Prefix) bool { return p.Addr().Is6() == o.IPv6 }); {
	case o.Addr != nil && !ours && o.IPv6:
		return errorf("--addr %v is an IPv4 address: drop %s, or add an IPv6 address after a comma", o.Addr[0].Addr(), l.asLetter("6"))
	case o.Addr != nil && !ours:
		return errorf("--addr %v is an IPv6 address: add -6, or an IPv4 address after a comma", o.Addr[0].Addr())
	case l.given["addr"] && o.Addr == nil && o.Wire == "":
		return errorf("--addr auto is for a wire, whose hub knows what is free: name an address, or add --wire FILE")
	}
	return nil
}
