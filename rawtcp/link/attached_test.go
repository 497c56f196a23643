package link

import (
	"errors"
	"net/netip"
	"testing"
)

func TestAttached(t *testing.T) {
	n := NewNetwork(1, nil)
	h := n.Node("a", NodeOptions{})
	h.Attach(n.Link("ether", LinkOptions{}), "eth0", prefix("10.0.0.1/24"))
	a := &Attached{Interface: h, Name: "tun0", Addresses: []netip.Prefix{prefix("10.0.0.1/24"), prefix("10.0.1.1/24"), prefix("2001:db8::1/64")}}
	var _ IP = a
	var _ IP = h
	for _, c := range []struct {
		dst, source             string
		onLink, self, broadcast bool
	}{
		{"10.0.0.9", "10.0.0.1", true, false, false},
		{"10.0.1.9", "10.0.1.1", true, false, false},
		{"8.8.8.8", "10.0.0.1", false, false, false},
		{"10.0.1.1", "10.0.1.1", true, true, false},
		{"10.0.1.255", "10.0.1.1", true, false, true},
		{"255.255.255.255", "10.0.0.1", false, false, true},
		{"2001:db8::2", "2001:db8::1", true, false, false},
	} {
		p, err := a.Path(addr(c.dst))
		if err != nil || p.Source != addr(c.source) || p.OnLink != c.onLink || p.Self != c.self ||
			p.Broadcast != c.broadcast || p.MTU != 1500 || p.Interface != "tun0" {
			t.Errorf("to %s: %+v, %v", c.dst, p, err)
		}
	}
	if !a.Has(addr("10.0.1.1")) || a.Has(addr("10.0.1.2")) {
		t.Error("Has is wrong")
	}
	a.Addresses = a.Addresses[:1]
	if _, err := a.Path(addr("::1")); !errors.Is(err, ErrNoRoute) {
		t.Errorf("IPv6 without an address: %v", err)
	}
}
