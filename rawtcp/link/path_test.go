package link

import "testing"

// The way that a packet took is remembered until there is another one.
func TestPathChanges(t *testing.T) {
	n := NewNetwork(1, nil)
	h := n.Node("h", NodeOptions{})
	h.Attach(n.Link("ether", LinkOptions{}), "le0", prefix("10.0.0.1/24"))
	slip := h.Attach(n.Link("slip", LinkOptions{MTU: 296}), "sl0")
	dst := addr("10.0.0.9")
	for range 2 {
		if p, err := h.Path(dst); err != nil || p.Interface != "le0" || p.MTU != 1500 {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	slip.AddAddress(prefix("10.0.0.8/30"))
	if p, err := h.Path(dst); err != nil || p.Interface != "sl0" || p.MTU != 296 {
		t.Errorf("with a better route %+v, %v", p, err)
	}
	if _, err := h.Path(addr("192.0.2.1")); err != ErrNoRoute {
		t.Errorf("without a route: %v", err)
	}
}
