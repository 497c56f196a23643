package link

import "net/netip"

// Attached makes an IP of a single Interface: all destinations are behind it.
// Routes are somebody else's business, the kernel's or a router's.
type Attached struct {
	Interface
	Name      string
	Addresses []netip.Prefix // of this host, with what is on the link itself
}

// Path returns the way to dst. It is ErrNoRoute only if no address is of the
// family of dst.
func (a *Attached) Path(dst netip.Addr) (Path, error) {
	p := Path{Interface: a.Name, MTU: a.MTU(), Multicast: dst.IsMulticast(), Broadcast: a.IsBroadcast(dst), next: dst}
	for _, own := range a.Addresses {
		if own.Addr().Is4() != dst.Is4() {
			continue
		}
		if own.Addr() == dst {
			p.Source, p.OnLink, p.Self = dst, true, true
			return p, nil
		}
		if on := own.Contains(dst); on && !p.OnLink || !p.Source.IsValid() {
			p.Source, p.OnLink = own.Addr(), on
		}
	}
	if !p.Source.IsValid() {
		return Path{}, ErrNoRoute
	}
	return p, nil
}

// Has reports whether addr is among Addresses.
func (a *Attached) Has(addr netip.Addr) bool {
	for _, own := range a.Addresses {
		if own.Addr() == addr {
			return true
		}
	}
	return false
}

// IsBroadcast reports whether addr is all hosts of the link.
func (a *Attached) IsBroadcast(addr netip.Addr) bool {
	if addr == limitedBroadcast() {
		return true
	}
	for _, own := range a.Addresses {
		if b := BroadcastOf(own); b.IsValid() && b == addr {
			return true
		}
	}
	return false
}
