package udp

import (
	"net/netip"
	"slices"

	"sock/rawtcp"
)

// bind gives k a local end.
func (s *Stack) bind(k *Socket, a netip.AddrPort) error {
	switch at := a.Addr(); {
	case k.local.Port() != 0:
		return rawtcp.ErrInvalid
	case at.Is4() != k.isIPv4():
		return ErrFamily
	case !at.IsUnspecified() && !at.IsMulticast() && !s.ip.Has(at) && !s.ip.IsBroadcast(at):
		return rawtcp.ErrNotHere
	}
	if a.Port() == 0 {
		port, ok := s.ephemeral(k)
		if !ok {
			return rawtcp.ErrNotHere
		}
		a = netip.AddrPortFrom(a.Addr(), port)
	} else if slices.ContainsFunc(s.bound, func(other *Socket) bool { return s.conflict(k, a, other) }) {
		return rawtcp.ErrInUse
	}
	k.local = a
	s.bound = slices.Insert(s.bound, 0, k)
	return nil
}

func (s *Stack) release(k *Socket) {
	s.bound = slices.DeleteFunc(s.bound, func(other *Socket) bool { return other == k })
}

// conflict reports whether other keeps k from binding a. Where *.port and a.port
// may both be bound (Berkeley), SO_REUSEADDR on the new socket is enough for that;
// elsewhere both have to have it, and may then be the same.
func (s *Stack) conflict(k *Socket, a netip.AddrPort, other *Socket) bool {
	theirs := other.local
	same := theirs.Addr() == a.Addr()
	if theirs.Port() != a.Port() || other.isIPv4() != k.isIPv4() ||
		!same && !theirs.Addr().IsUnspecified() && !a.Addr().IsUnspecified() {
		return false
	}
	both := func(o Option) bool { return k.flag(o) && other.flag(o) }
	switch {
	case both(ReusePort):
		return false
	case both(ReuseAddr) && (a.Addr().IsMulticast() || !s.prof.BindWildcard):
		return false
	case s.prof.BindWildcard && (k.flag(ReuseAddr) || k.flag(ReusePort)):
		return same && !other.remote.IsValid()
	}
	return true
}

// ephemeral picks a port that no other socket has.
func (s *Stack) ephemeral(k *Socket) (uint16, bool) {
	first, last := s.prof.FirstPort, s.prof.LastPort
	count := int(last) - int(first) + 1
	if s.prof.RandomPort && count > 0 {
		s.port = first + uint16(s.chance.IntN(count))
	}
	for range count {
		if s.port++; s.port < first || s.port > last {
			s.port = first
		}
		used := func(other *Socket) bool {
			return other.local.Port() == s.port && other.isIPv4() == k.isIPv4()
		}
		if !slices.ContainsFunc(s.bound, used) {
			return s.port, true
		}
	}
	return 0, false
}
