package ether

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Options are where a host is, and who.
type Options struct {
	// Interface is the name of that of this machine; "" is the one with a
	// network that the first address is in.
	Interface string
	// Addresses are those of the host, at most maxAddresses, with the length of
	// their network's prefix. Where that is -1, as netip.PrefixFrom has it, it
	// is that of the interface's network.
	Addresses []netip.Prefix
	// Gateways are whom packets to other networks go to: one for each version
	// of IP, or none.
	Gateways []netip.Addr
}

// maxAddresses is how many addresses a host may have.
const maxAddresses = 4

// port is an interface of this machine.
type port struct {
	index     int
	name      string
	mtu       int
	mac       wire.MAC
	ethernet  bool
	up        bool
	loopback  bool
	addresses []netip.Prefix
}

// ports returns those that there are.
func ports() ([]port, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var ps []port
	for _, i := range all {
		p := port{
			index: i.Index, name: i.Name, mtu: i.MTU, ethernet: len(i.HardwareAddr) == len(wire.MAC{}),
			up: i.Flags&net.FlagUp != 0, loopback: i.Flags&net.FlagLoopback != 0,
		}
		copy(p.mac[:], i.HardwareAddr)
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addresses {
			if x, ok := a.(*net.IPNet); ok {
				ip, _ := netip.AddrFromSlice(x.IP)
				bits, _ := x.Mask.Size()
				p.addresses = append(p.addresses, netip.PrefixFrom(ip.Unmap(), bits))
			}
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// choose returns the interface that o asks for, and the addresses with their
// prefixes.
func choose(all []port, o Options) (p port, own []netip.Prefix, err error) {
	if len(o.Addresses) == 0 || len(o.Addresses) > maxAddresses {
		return p, nil, fmt.Errorf("a host on an Ethernet has 1 to %d addresses", maxAddresses)
	}
	if o.Interface == "" {
		p, err = withNetwork(all, o.Addresses[0].Addr())
	} else {
		p, err = named(all, o.Interface)
	}
	if err != nil {
		return p, nil, err
	}
	switch {
	case p.loopback:
		return p, nil, fmt.Errorf("%s is no Ethernet: frames for 127.0.0.1 that are put there are not answered; "+
			"use --raw without --addr, or a TUN device (--tun)", p.name)
	case !p.ethernet:
		return p, nil, fmt.Errorf("%s is no Ethernet, for it has no MAC address: use --raw without --addr, or a TUN device (--tun)", p.name)
	case !p.up:
		return p, nil, fmt.Errorf("%s is down: sudo ip link set %[1]s up", p.name)
	}
	for _, a := range o.Addresses {
		for _, other := range all {
			if other.has(a.Addr()) {
				return p, nil, fmt.Errorf("--addr %v is this machine's own address on %s: take another, or use --raw without --addr", a.Addr(), other.name)
			}
		}
		if a.Bits() < 0 {
			network, ok := p.network(a.Addr())
			if !ok {
				return p, nil, fmt.Errorf("--addr %v is in no network of %s: give the length of its own, as in --addr %[1]v/%[3]d%[4]s",
					a.Addr(), p.name, link.UsualBits(a.Addr()), others([]port{p}, a.Addr()))
			}
			a = netip.PrefixFrom(a.Addr(), network.Bits())
		}
		if err := usable(a); err != nil {
			return p, nil, err
		}
		own = append(own, a)
	}
	return p, own, checkGateways(o.Gateways, own)
}

// usable checks that a host may have the address.
func usable(p netip.Prefix) error {
	a := p.Addr()
	switch {
	case a.IsMulticast() || a.IsUnspecified() || a.IsLoopback():
		return fmt.Errorf("--addr %v is no address of a host", p)
	case a.Is6() || p.Bits() > 30:
	case link.BroadcastOf(p) == a:
		return fmt.Errorf("--addr %v is all hosts of its network, not one", p)
	case p.Masked().Addr() == a:
		return fmt.Errorf("--addr %v is a network, not a host", p)
	}
	return nil
}

// checkGateways checks that each is a neighbor.
func checkGateways(gateways []netip.Addr, own []netip.Prefix) error {
	n := neighbors{own: own}
	var seen4, seen6 bool
	for _, g := range gateways {
		switch {
		case slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Addr() == g }):
			return fmt.Errorf("--gateway %v is this host itself: name the router", g)
		case !n.onLink(g) || !n.source(g).IsValid() || n.isBroadcast(g):
			return fmt.Errorf("--gateway %v is on no network of --addr: name the router's address there", g)
		case g.Is4() && seen4 || g.Is6() && seen6:
			return errors.New("--gateway takes one address of each version of IP")
		}
		seen4, seen6 = seen4 || g.Is4(), seen6 || g.Is6()
	}
	return nil
}

func named(all []port, name string) (port, error) {
	var names []string
	for _, p := range all {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return port{}, fmt.Errorf("--interface %s: this machine has only %s", name, strings.Join(names, ", "))
}

// withNetwork returns the interface that has a network with a in it. One that is
// up is better.
func withNetwork(all []port, a netip.Addr) (found port, err error) {
	for _, p := range all {
		if _, ok := p.network(a); ok && (found.name == "" || p.up && !found.up) {
			found = p
		}
	}
	if found.name == "" {
		return port{}, fmt.Errorf("--addr %v is in no network of this machine: name the interface and the length of its own, "+
			"as in --interface eth0 --addr %[1]v/%[2]d%[3]s", a, link.UsualBits(a), others(all, a))
	}
	return found, nil
}

// others offers the networks, a few, of a's version of IP that a host may be in.
func others(all []port, a netip.Addr) string {
	var names []string
	for _, p := range all {
		for _, own := range p.addresses {
			if p.ethernet && own.Addr().Is4() == a.Is4() && !own.Addr().IsLinkLocalUnicast() {
				names = append(names, own.Masked().String()+" on "+p.name)
			}
		}
	}
	const most = 4
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		names = append(names[:most], "...")
	}
	return ", or take a free address of " + strings.Join(names, ", ")
}

// network returns the network of p that a is in.
func (p *port) network(a netip.Addr) (netip.Prefix, bool) {
	for _, own := range p.addresses {
		if own.Contains(a) {
			return own.Masked(), true
		}
	}
	return netip.Prefix{}, false
}

func (p *port) has(a netip.Addr) bool {
	for _, own := range p.addresses {
		if own.Addr() == a {
			return true
		}
	}
	return false
}
