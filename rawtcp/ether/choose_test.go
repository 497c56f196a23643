package ether

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// parse returns the addresses in words, of which some have no length.
func parse(words string) (all []netip.Prefix) {
	for w := range strings.FieldsSeq(words) {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			p = netip.PrefixFrom(netip.MustParseAddr(w), -1)
		}
		all = append(all, p)
	}
	return all
}

func TestChoose(t *testing.T) {
	all := []port{
		{name: "lo", up: true, loopback: true, addresses: parse("127.0.0.1/8 ::1/128")},
		{name: "eth0", up: true, ethernet: true, addresses: parse("10.0.0.1/20 fd00::1/64")},
		{name: "eth1", ethernet: true, addresses: parse("10.1.0.1/24")},
		{name: "eth2", ethernet: true, up: true},
		{name: "tun0", up: true, addresses: parse("10.2.0.1/24")},
	}
	for _, test := range []struct {
		name, addresses, gateways, want, own string // want: the interface, or the error
	}{
		{"", "10.0.0.9", "", "eth0", "10.0.0.9/20"},
		{"", "10.0.0.9/24 fd00::9", "10.0.0.254 fd00::fe", "eth0", "10.0.0.9/24 fd00::9/64"},
		{"", "fd00::9", "fe80::1", "eth0", "fd00::9/64"},
		{"eth2", "192.168.1.1/24", "", "eth2", "192.168.1.1/24"},
		{"eth2", "192.168.1.1/31", "", "eth2", "192.168.1.1/31"},
		{"", "10.9.9.9/24", "", "--addr 10.9.9.9 is in no network of this machine: name the interface and the length of its own, " +
			"as in --interface eth0 --addr 10.9.9.9/24, or take a free address of 10.0.0.0/20 on eth0, 10.1.0.0/24 on eth1", ""},
		{"eth2", "10.9.9.9", "", "--addr 10.9.9.9 is in no network of eth2: give the length of its own, as in --addr 10.9.9.9/24", ""},
		{"eth7", "10.9.9.9", "", "--interface eth7: this machine has only lo, eth0, eth1, eth2, tun0", ""},
		{
			"lo", "127.0.0.9/8", "", "lo is no Ethernet: frames for 127.0.0.1 that are put there are not answered; " +
				"use --raw without --addr, or a TUN device (--tun)", "",
		},
		{"", "10.1.0.9", "", "eth1 is down: sudo ip link set eth1 up", ""},
		{"", "10.2.0.9", "", "tun0 is no Ethernet, for it has no MAC address: use --raw without --addr, or a TUN device (--tun)", ""},
		{"", "10.0.0.1", "", "--addr 10.0.0.1 is this machine's own address on eth0: take another, or use --raw without --addr", ""},
		{"", "10.0.15.255", "", "--addr 10.0.15.255/20 is all hosts of its network, not one", ""},
		{"", "10.0.0.0", "", "--addr 10.0.0.0/20 is a network, not a host", ""},
		{"eth2", "224.0.0.9/24", "", "--addr 224.0.0.9/24 is no address of a host", ""},
		{"", "10.0.0.9", "10.0.16.1", "--gateway 10.0.16.1 is on no network of --addr: name the router's address there", ""},
		{"", "10.0.0.9", "fe80::1", "--gateway fe80::1 is on no network of --addr: name the router's address there", ""},
		{"", "10.0.0.9", "10.0.0.9", "--gateway 10.0.0.9 is this host itself: name the router", ""},
		{"eth0", "fd77::9", "", "--addr fd77::9 is in no network of eth0: give the length of its own, as in --addr fd77::9/64, or take a free address of fd00::/64 on eth0", ""},
		{"", "10.0.0.9", "10.0.0.2 10.0.0.3", "--gateway takes one address of each version of IP", ""},
		{"", "", "", "a host on an Ethernet has 1 to 4 addresses", ""},
	} {
		o := Options{Interface: test.name, Addresses: parse(test.addresses)}
		for _, g := range parse(test.gateways) {
			o.Gateways = append(o.Gateways, g.Addr())
		}
		p, own, err := choose(all, o)
		if err != nil {
			p.name, own = err.Error(), nil
		}
		if p.name != test.want || !slices.Equal(own, parse(test.own)) {
			t.Errorf("%+v: %s, %v, want %s, %s", o, p.name, own, test.want, test.own)
		}
	}
}
