package ether

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

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
		return p, nil, fmt.Errorf("%s is no Ethernet: it has no MAC address", p.name)
	case !p.up:
		return p, nil, fmt.Errorf("%s is down: sudo ip link set %s up", p.name, p.name)
	}
	for _, a := range o.Addresses {
		for _, other := range all {
			if other.has(a.Addr()) {
				return p, nil, fmt.Errorf("%v is this machine's own address on %s: use --raw without --addr", a.Addr(), other.name)
			}
		}
		if a.Bits() < 0 {
			network, ok := p.network(a.Addr())
			if !ok {
				return p, nil, fmt.Errorf("%v needs the length of its network's prefix, such as %v/%d: %s has no network with it",
					a.Addr(), a.Addr(), usualBits(a.Addr()), p.name)
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
func usable(a netip.Prefix) error {
	b := a.Addr()
	if b.IsMulticast() || b.IsUnspecified() || b.IsLoopback() || b.Is4() && a.Bits() < 31 && (broadcastOf(a) == b || a.Masked().Addr() == b) {
		return fmt.Errorf("%v is no address of a host", a)
	}
	return nil
}

// checkGateways checks that each is a neighbor.
func checkGateways(gateways []netip.Addr, own []netip.Prefix) error {
	n := neighbors{own: own}
	var seen4, seen6 bool
	for _, g := range gateways {
		if !n.onLink(g) || !n.source(g).IsValid() {
			return fmt.Errorf("--gateway %v is on no network of this host", g)
		}
		if g.Is4() && seen4 || g.Is6() && seen6 {
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
	return port{}, fmt.Errorf("this machine has no interface %s, only %s", name, strings.Join(names, ", "))
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
		return port{}, fmt.Errorf("no interface of this machine has a network with %v: name one with --interface", a)
	}
	return found, nil
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

// usualBits is the length of the prefix of most networks.
func usualBits(a netip.Addr) int {
	if a.Is4() {
		return 24
	}
	return 64
}
