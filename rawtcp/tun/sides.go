package tun

import (
	"fmt"
	"net"
	"net/netip"
)

// Options are which device a host is behind, and who it is.
type Options struct {
	// Device is what it is called; "" is for the kernel to choose. If it is
	// there it is used as it is; if not, it is made, and gone at the end.
	Device string
	// Addresses are those of the host, with the length of their network's
	// prefix. Where that is -1, as netip.PrefixFrom has it, it is that of the
	// device's network.
	Addresses []netip.Prefix
}

// kernelSide returns the address of this machine in the network of a host that is
// alone in it: the first one that is not the host's.
func kernelSide(host netip.Prefix) (netip.Prefix, error) {
	a := host.Addr()
	if host.Bits() < 0 {
		return host, fmt.Errorf("%v needs the length of its network's prefix, such as %v/%d: the device is new and has no network yet",
			a, a, a.BitLen()-8)
	}
	first := host.Masked().Addr()
	if host.Bits() < a.BitLen()-1 {
		// The first of all is the network itself (RFC 1122, section 3.2.1.3),
		// or all its routers (RFC 4291, section 2.6.1).
		if first == a {
			return host, fmt.Errorf("%v is a network, not a host", host)
		}
		first = first.Next()
	}
	if first == a {
		first = first.Next()
	}
	if !host.Contains(first) {
		return host, fmt.Errorf("%v leaves no address for this machine: make the prefix shorter", host)
	}
	return netip.PrefixFrom(first, host.Bits()), nil
}

// inNetworks returns the addresses of a host with their prefixes, where this
// machine has the given addresses on the device.
func inNetworks(host []netip.Prefix, device string, kernel []netip.Prefix) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, h := range host {
		bits := h.Bits()
		for _, k := range kernel {
			if k.Addr() == h.Addr() {
				return nil, fmt.Errorf("%v is this machine's own address on %s: take another --addr", k.Addr(), device)
			}
			if bits < 0 && k.Contains(h.Addr()) {
				bits = k.Bits()
			}
		}
		if bits < 0 {
			return nil, fmt.Errorf("%v needs the length of its network's prefix: %s has no network with it", h.Addr(), device)
		}
		all = append(all, netip.PrefixFrom(h.Addr(), bits))
	}
	return all, nil
}

// addressesOf returns those of an interface of this machine.
func addressesOf(i *net.Interface) ([]netip.Prefix, error) {
	all, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	var ps []netip.Prefix
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			ip, _ := netip.AddrFromSlice(n.IP)
			bits, _ := n.Mask.Size()
			ps = append(ps, netip.PrefixFrom(ip.Unmap(), bits))
		}
	}
	return ps, nil
}
