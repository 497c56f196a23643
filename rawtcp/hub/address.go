package hub

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/link"
)

// join plugs somebody in who wants addresses, as a join has them, or says why it
// cannot be. who tells others about him.
func (c *cable) join(now time.Duration, wanted []string, who string, out outlet) (*port, error) {
	if len(c.ports) >= c.limit {
		return nil, fmt.Errorf("there are %d on the wire, and no room for more", len(c.ports))
	}
	p := &port{who: who, out: out, since: now, left: make(chan struct{})}
	for _, w := range wanted {
		a, err := c.address(w, p.addresses)
		if err != nil {
			return nil, err
		}
		p.addresses = append(p.addresses, a)
	}
	p.estate = c.inherit(now, p.addresses)
	first := p.addresses[0].Addr()
	var err error
	if p.end, err = c.endOf(first); err != nil {
		return nil, err
	}
	p.name = first.String()
	c.ends[p.end].port = p
	c.ports = append(c.ports, p)
	for _, a := range p.addresses {
		c.owners[a.Addr()] = p
	}
	c.note(now, p.name, p.name+" has joined: "+who)
	if e := p.estate; e != nil && len(e.Waits) > 0 {
		c.note(now, p.name, p.name+" has got back "+inTimeWait(len(e.Waits), e.Waits[len(e.Waits)-1].Left))
	}
	return p, nil
}

// leave pulls the plug of p, whose addresses are free again. why is nil if there
// is nothing to say about it.
func (c *cable) leave(now time.Duration, p *port, why error) {
	i := slices.Index(c.ports, p)
	if i < 0 {
		return
	}
	close(p.left)
	c.ports = slices.Delete(c.ports, i, i+1)
	c.ends[p.end].port = nil
	for _, a := range p.addresses {
		delete(c.owners, a.Addr())
	}
	text := p.name + " has left"
	if why != nil {
		text += ": " + why.Error()
	}
	if n := p.lost - p.told; n > 0 {
		text += fmt.Sprintf("; packets lost for it: %d", n)
	}
	c.note(now, p.name, text)
	if p.estate != nil {
		c.appoint(now, p)
	}
}

// takenError is why nobody else can have an address.
type takenError struct {
	address netip.Addr
	owner   *port
}

// Error names who has it.
func (t *takenError) Error() string { return fmt.Sprintf("%v is taken by %s", t.address, t.owner.who) }

// address returns the address that is wanted, with the length of its network's
// prefix, if it is free. others are those that the same plug has got already.
func (c *cable) address(wanted string, others []netip.Prefix) (netip.Prefix, error) {
	taken := func(a netip.Addr) bool {
		o := c.owners[a]
		return o != nil && o.caretaker == nil || slices.ContainsFunc(others, func(p netip.Prefix) bool { return p.Addr() == a })
	}
	if wanted == auto {
		return c.nextFree(taken)
	}
	p, err := c.parseAddress(wanted)
	if err != nil {
		return p, err
	}
	switch owner := c.owners[p.Addr()]; {
	case owner != nil && owner.caretaker == nil:
		return p, &takenError{p.Addr(), owner}
	case taken(p.Addr()):
		return p, fmt.Errorf("%v is asked for twice", p.Addr())
	}
	return p, nil
}

// parseAddress reads an address, with or without the length of a prefix. Without,
// it is on the network of the wire, or else on one of the usual size.
func (c *cable) parseAddress(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return p, fmt.Errorf("%.50q is no IP address", text)
		}
		if a.Zone() != "" {
			return p, fmt.Errorf("%v has a zone, of which the wire knows nothing", a)
		}
		a = a.Unmap()
		bits := 64
		switch {
		case c.prefix.Contains(a):
			bits = c.prefix.Bits()
		case a.Is4():
			bits = 24
		}
		p = netip.PrefixFrom(a, bits)
	}
	return p, checkHost(p)
}

// checkHost returns why no host can have the address of p.
func checkHost(p netip.Prefix) error {
	a := p.Addr()
	network := link.Attached{Addresses: []netip.Prefix{p}}
	switch {
	case a.IsUnspecified(), a.IsMulticast(), a.IsLoopback(), a.Is4In6(), network.IsBroadcast(a):
		return fmt.Errorf("%v cannot be the address of a host", a)
	case p.Bits() < a.BitLen()-1 && p.Masked().Addr() == a:
		// RFC 1122, section 3.2.1.3: "IP addresses are not permitted to have
		// the value 0 or -1 for any of the <Host-number> [...] fields". With
		// IPv6 it is the address of all routers (RFC 4291, section 2.6.1).
		return fmt.Errorf("%v is the address of a network, not of a host", p)
	}
	return nil
}

// nextFree returns the first address of the wire's network that a host can have
// and that is not taken.
func (c *cable) nextFree(taken func(netip.Addr) bool) (netip.Prefix, error) {
	for a := c.prefix.Masked().Addr(); c.prefix.Contains(a); a = a.Next() {
		p := netip.PrefixFrom(a, c.prefix.Bits())
		if !taken(a) && checkHost(p) == nil {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("all addresses of %v are taken", c.prefix.Masked())
}

// maxEnds returns how many ends the pipe may have: as many as there were different
// addresses, as long as something is under way.
func (c *cable) maxEnds() int { return 4 * c.limit }

// endOf returns the end of the pipe where a is, or would be.
func (c *cable) endOf(a netip.Addr) (int, error) {
	if p := c.owners[a]; p != nil {
		return p.end, nil
	}
	for i, e := range c.ends {
		if i != nowhere && e.address == a {
			return i, nil
		}
	}
	if err := checkHost(netip.PrefixFrom(a, a.BitLen())); err != nil {
		return 0, err
	}
	// An end whose address nobody has may be taken when no packet is under way
	// that is for it.
	if idle := c.pipe.Stats().Pending == 0; idle {
		for i, e := range c.ends {
			if i != nowhere && e.port == nil && !e.pinned {
				c.ends[i].address = a
				return i, nil
			}
		}
	}
	if len(c.ends) >= c.maxEnds() {
		return 0, errors.New("too many addresses were on the wire; it forgets them when nothing is under way")
	}
	c.ends = append(c.ends, end{address: a})
	return len(c.ends) - 1, nil
}
