package tun

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"sock/rawtcp/link"
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

// checkName checks that a device can have a name: "" is for the kernel to choose.
func checkName(name string) error {
	const most = 15 // IFNAMSIZ of linux/if.h, with a 0 behind
	if len(name) > most {
		return fmt.Errorf("%q is no name for a TUN device: it has %d characters, and %d are the most", name, len(name), most)
	}
	if name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\v\f\r") {
		return fmt.Errorf("%q is no name for a TUN device: it goes without spaces, slashes and colons, as tun0", name)
	}
	return nil
}

// kernelSide returns the address of this machine in the network of a host that is
// alone in it: the first one that is not the host's.
func kernelSide(host netip.Prefix) (netip.Prefix, error) {
	a := host.Addr()
	if host.Bits() < 0 {
		return host, fmt.Errorf("--addr %v needs the length of its network's prefix, such as %[1]v/%[2]d: the device is new and has no network yet",
			a, link.UsualBits(a))
	}
	first := host.Masked().Addr()
	if host.Bits() < a.BitLen()-1 {
		// The first of all is the network itself (RFC 1122, section 3.2.1.3),
		// or all its routers (RFC 4291, section 2.6.1).
		if first == a {
			return host, fmt.Errorf("--addr %v is a network, not a host: take %v", host, first.Next().Next())
		}
		first = first.Next()
	}
	if first == a {
		first = first.Next()
	}
	switch network := (link.Attached{Addresses: []netip.Prefix{host}}); {
	case network.IsBroadcast(a):
		return host, fmt.Errorf("--addr %v is all hosts of its network, not one: take %v", host, first.Next())
	case !host.Contains(first):
		return host, fmt.Errorf("--addr %v leaves no address for this machine: make the prefix shorter", host)
	}
	return netip.PrefixFrom(first, host.Bits()), nil
}

// on returns the addresses of a host behind a device that is there, with their
// prefixes.
func (o Options) on(device *net.Interface) ([]netip.Prefix, error) {
	if device.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("%s is down: sudo ip link set %[1]s up", device.Name)
	}
	kernel, err := addressesOf(device)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", device.Name, err)
	}
	return inNetworks(o.Addresses, device.Name, kernel)
}

// inNetworks returns the addresses of a host with their prefixes, where this
// machine has the given addresses on the device.
func inNetworks(host []netip.Prefix, device string, kernel []netip.Prefix) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, h := range host {
		bits := h.Bits()
		for _, k := range kernel {
			if k.Addr() == h.Addr() {
				return nil, fmt.Errorf("--addr %v is this machine's own address on %s: take another", k.Addr(), device)
			}
			if bits < 0 && k.Contains(h.Addr()) {
				bits = k.Bits()
			}
		}
		if bits < 0 {
			return nil, fmt.Errorf("--addr %v is in no network of %s: take one of %v, or give the length of its own, such as %[1]v/%[4]d",
				h.Addr(), device, kernel, link.UsualBits(h.Addr()))
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
