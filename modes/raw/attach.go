package raw

import (
	"sock/opts"
	"sock/rawtcp/ether"
	"sock/rawtcp/tun"
)

// beOn puts the host on an Ethernet of this machine.
func beOn(o *opts.Options) (attached, error) {
	l, err := ether.Open(ether.Options{Interface: o.Iface, Addresses: o.Addr, Gateways: o.Gateway})
	if err != nil {
		return attached{}, err
	}
	return attached{l, l.Addresses, l.Name}, nil
}

// beBehind puts the host behind a TUN device.
func beBehind(o *opts.Options) (attached, error) {
	l, err := tun.Attach(tun.Options{Device: o.TUN, Addresses: o.Addr})
	if err != nil {
		return attached{}, err
	}
	return attached{l, l.Addresses, l.Name}, nil
}
