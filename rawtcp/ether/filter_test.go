package ether

import (
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"

	"sock/rawtcp/wire"
)

// What is for this host wakes it, and nothing else.
func TestFilter(t *testing.T) {
	mac, other := wire.MAC{2, 0, 0, 0, 0, 1}, wire.MAC{2, 0, 0, 0, 0, 9}
	own := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64")}
	vm, err := bpf.NewVM(filter(mac, own, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bpf.Assemble(untagged(filter(mac, own, false))); err != nil {
		t.Error(err)
	}
	ip := func(to wire.MAC, dst string) []byte {
		a := netip.MustParseAddr(dst)
		if a.Is4() {
			h := wire.IPv4{Src: netip.MustParseAddr("10.0.0.9"), Dst: a, TTL: 1}
			return h.AppendTo(wire.AppendEther(nil, to, other, wire.EtherIPv4))
		}
		h := wire.IPv6{Src: netip.MustParseAddr("fd00::9"), Dst: a, HopLimit: 1}
		return h.AppendTo(wire.AppendEther(nil, to, other, wire.EtherIPv6))
	}
	arp := func(to wire.MAC, op wire.ARPOp, sender, target string) []byte {
		a := wire.ARP{Op: op, SenderMAC: other, SenderIP: netip.MustParseAddr(sender), TargetIP: netip.MustParseAddr(target)}
		return a.AppendTo(wire.AppendEther(nil, to, other, wire.EtherARP))
	}
	all := wire.Broadcast()
	for _, test := range []struct {
		name  string
		frame []byte
		want  bool
	}{
		{"to us", ip(mac, "10.0.0.1"), true},
		{"to us, IPv6", ip(mac, "fd00::1"), true},
		{"to another MAC", ip(other, "10.0.0.1"), false},
		{"to another MAC, IPv6", ip(other, "fd00::1"), false},
		{"to a MAC like ours", ip(wire.MAC{2, 0, 0, 0, 0, 2}, "10.0.0.1"), false},
		{"to another address", ip(mac, "10.0.0.2"), false},
		{"to another address, IPv6", ip(mac, "fd00::1:0:1"), false},
		{"broadcast", ip(all, "255.255.255.255"), true},
		{"directed broadcast", ip(all, "10.0.0.255"), true},
		{"another network's broadcast", ip(all, "10.0.1.255"), false},
		{"solicited node", ip(wire.MAC{0x33, 0x33, 0xff, 0, 0, 1}, "ff02::1:ff00:1"), true},
		{"another's solicited node", ip(wire.MAC{0x33, 0x33, 0xff, 0, 0, 2}, "ff02::1:ff00:2"), false},
		{"all nodes", ip(wire.MAC{0x33, 0x33, 0, 0, 0, 1}, "ff02::1"), true},
		{"all routers", ip(wire.MAC{0x33, 0x33, 0, 0, 0, 2}, "ff02::2"), false},
		{"ARP for us", arp(all, wire.ARPRequest, "10.0.0.9", "10.0.0.1"), true},
		{"ARP for another", arp(all, wire.ARPRequest, "10.0.0.9", "10.0.0.3"), false},
		{"ARP reply", arp(mac, wire.ARPReply, "10.0.0.9", "10.0.0.1"), true},
		{"ARP reply to another", arp(other, wire.ARPReply, "10.0.0.9", "10.0.0.1"), false},
		{"ARP announcement", arp(all, wire.ARPRequest, "10.0.0.9", "10.0.0.9"), true},
		{"ARP with our address", arp(all, wire.ARPRequest, "10.0.0.1", "10.0.0.3"), true},
		{"another protocol", wire.AppendEther(nil, mac, other, 0x88cc), false},
		{"short", wire.AppendEther(nil, mac, other, wire.EtherIPv4)[:13], false},
	} {
		n, err := vm.Run(test.frame)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := n > 0; got != test.want {
			t.Errorf("%s: let through %v", test.name, got)
		}
		if n > 0 && n < len(test.frame) {
			t.Errorf("%s: cut to %d bytes", test.name, n)
		}
	}
}

// A host that is a member of a group gets what is sent to groups, and still
// nothing that is for another host.
func TestFilterOfMember(t *testing.T) {
	mac, other := wire.MAC{2, 0, 0, 0, 0, 1}, wire.MAC{2, 0, 0, 0, 0, 9}
	own := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64")}
	program := filter(mac, own, true)
	if _, err := bpf.Assemble(untagged(program)); err != nil {
		t.Error(err)
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	for dst, want := range map[string]bool{
		"224.5.5.5": true, "239.255.255.255": true, "ff05::5": true, "ff02::1": true,
		"10.0.0.1": true, "10.0.0.2": false, "223.255.255.255": false, "fd00::1": true, "fd00::2": false,
	} {
		a := netip.MustParseAddr(dst)
		to := mac
		if a.IsMulticast() {
			to = wire.MulticastMAC(a)
		}
		var frame []byte
		if a.Is4() {
			h := wire.IPv4{Src: netip.MustParseAddr("10.0.0.9"), Dst: a, TTL: 1}
			frame = h.AppendTo(wire.AppendEther(nil, to, other, wire.EtherIPv4))
		} else {
			h := wire.IPv6{Src: netip.MustParseAddr("fd00::9"), Dst: a, HopLimit: 1}
			frame = h.AppendTo(wire.AppendEther(nil, to, other, wire.EtherIPv6))
		}
		if n, err := vm.Run(frame); err != nil || (n > 0) != want {
			t.Errorf("%s: %d bytes let through: %v", dst, n, err)
		}
	}
}
