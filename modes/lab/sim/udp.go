package sim

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"sock/modes"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// UDPOptions are how a host does UDP. The zero value is a host of today.
type UDPOptions struct {
	// MaxData is how many bytes of data one write takes, if no SO_SNDBUF is
	// set; 0 is 65507, all that fits into an IPv4 packet. Berkeley has 9216.
	MaxData int
	// Buffer is the size of the receive buffer, if no SO_RCVBUF is set, in
	// bytes; 0 is 41600, as Berkeley has it.
	Buffer int
	// AnyBroadcast lets a process send broadcasts without SO_BROADCAST, as
	// the systems before 4.3BSD did, and SunOS.
	AnyBroadcast bool
	// PathMTU sets DF, until ICMP says how much can be sent: Solaris.
	PathMTU bool
}

const (
	maxUDPData    = 65535 - 20 - 8
	defaultBuffer = 40 * (1024 + sockaddrLen) // udp_recvspace of 4.4BSD
)

// udp is the UDP of one host.
type udp struct {
	UDPOptions
	h      *Host
	bound  []*datagrams // newest first
	port   uint16       // the ephemeral port given last
	ipID   uint16
	chance *rand.Rand
	paths  map[netip.Addr]pathMTU // what ICMP has said, by destination

	members map[netip.Addr]int // how many sockets have joined a group
}

func newUDP(h *Host, seed uint64) *udp {
	u := &udp{
		UDPOptions: h.o.UDP, h: h, chance: rand.New(rand.NewPCG(seed, 1)),
		port: h.profile.FirstPort - 1, paths: map[netip.Addr]pathMTU{},
		members: map[netip.Addr]int{},
	}
	if u.MaxData == 0 {
		u.MaxData = maxUDPData
	}
	if u.Buffer == 0 {
		u.Buffer = defaultBuffer
	}
	return u
}

// bind gives s a local end.
func (u *udp) bind(s *datagrams, a netip.AddrPort) error {
	switch at := a.Addr(); {
	case s.local.Port() != 0:
		return eINVAL
	case at.Is4() != s.isIPv4():
		return eAFNOSUPPORT
	case !at.IsUnspecified() && !at.IsMulticast() && !u.h.Node.Has(at) && !u.h.Node.IsBroadcast(at):
		return eADDRNOTAVAIL
	}
	if a.Port() == 0 {
		port, ok := u.ephemeral(s)
		if !ok {
			return eADDRNOTAVAIL
		}
		a = netip.AddrPortFrom(a.Addr(), port)
	} else if slices.ContainsFunc(u.bound, func(other *datagrams) bool { return u.conflict(s, a, other) }) {
		return eADDRINUSE
	}
	s.local = a
	u.bound = slices.Insert(u.bound, 0, s)
	return nil
}

func (u *udp) release(s *datagrams) {
	u.bound = slices.DeleteFunc(u.bound, func(other *datagrams) bool { return other == s })
}

// conflict reports whether other keeps s from binding a. Where *.port and
// a.port may both be bound (Berkeley), SO_REUSEADDR on the new socket is
// enough for that; elsewhere both have to have it, and may then be the same.
func (u *udp) conflict(s *datagrams, a netip.AddrPort, other *datagrams) bool {
	theirs := other.local
	same := theirs.Addr() == a.Addr()
	if theirs.Port() != a.Port() || other.isIPv4() != s.isIPv4() ||
		!same && !theirs.Addr().IsUnspecified() && !a.Addr().IsUnspecified() {
		return false
	}
	both := func(o modes.Option) bool { return s.flag(o) && other.flag(o) }
	switch {
	case both(modes.ReusePort):
		return false
	case both(modes.ReuseAddr) && (a.Addr().IsMulticast() || !u.h.profile.BindWildcard):
		return false
	case u.h.profile.BindWildcard && (s.flag(modes.ReuseAddr) || s.flag(modes.ReusePort)):
		return same && !other.remote.IsValid()
	}
	return true
}

// ephemeral picks a port that no other socket has.
func (u *udp) ephemeral(s *datagrams) (uint16, bool) {
	p := u.h.profile
	count := int(p.LastPort) - int(p.FirstPort) + 1
	if p.RandomPort {
		u.port = p.FirstPort + uint16(u.chance.IntN(count))
	}
	for range count {
		if u.port++; u.port < p.FirstPort || u.port > p.LastPort {
			u.port = p.FirstPort
		}
		used := func(other *datagrams) bool {
			return other.local.Port() == u.port && other.isIPv4() == s.isIPv4()
		}
		if !slices.ContainsFunc(u.bound, used) {
			return u.port, true
		}
	}
	return 0, false
}

// join makes the host a member of a group, and leave ends that with the last
// socket that has joined.
func (u *udp) join(group netip.Addr) {
	u.members[group]++
	u.h.Node.Join(group)
}

func (u *udp) leave(group netip.Addr) {
	if u.members[group]--; u.members[group] == 0 {
		delete(u.members, group)
		u.h.Node.Leave(group)
	}
}

// path returns the way to an address that s may send to.
func (u *udp) path(s *datagrams, to netip.AddrPort) (link.Path, error) {
	switch {
	case to.Addr().Is4() != s.isIPv4():
		return link.Path{}, eAFNOSUPPORT
	case to.Addr().IsUnspecified():
		return link.Path{}, eADDRNOTAVAIL
	}
	path, err := u.h.Node.Path(to.Addr())
	switch {
	case err != nil:
		return path, ofLink(err)
	case s.flag(modes.DontRoute) && !path.OnLink:
		return path, eNETUNREACH
	case path.Broadcast && !s.flag(modes.Broadcast) && !u.AnyBroadcast:
		return path, eACCES
	}
	return path, nil
}

// send sends one datagram from s.
func (u *udp) send(s *datagrams, data []byte, to netip.AddrPort) error {
	path, err := u.path(s, to)
	if err != nil {
		return err
	}
	if len(data) > s.maxData() {
		return eMSGSIZE
	}
	src := s.local.Addr()
	if src.IsUnspecified() || !u.h.Node.Has(src) {
		src = path.Source // a group, or everybody, sends nothing
	}
	dst := to.Addr()
	if path.Broadcast && s.flag(modes.OnesBroadcast) {
		dst = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	d := wire.UDP{SrcPort: s.local.Port(), DstPort: to.Port(), Payload: data}
	mode := wire.ChecksumFull
	if !u.h.profile.UDPChecksum && dst.Is4() {
		mode = wire.ChecksumKeep
	}
	payload := d.AppendTo(nil, src, dst, mode)
	ttl := uint8(s.values[modes.TTL])
	if path.Multicast {
		ttl = uint8(s.values[modes.MulticastTTL])
	}
	if dst.Is6() {
		ip := wire.IPv6{
			TrafficClass: uint8(s.values[modes.TOS]), HopLimit: ttl,
			Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: payload,
		}
		if s.flag(modes.DontFragment) && ip.HeaderLen()+len(payload) > path.MTU {
			return eMSGSIZE
		}
		return ofLink(u.h.Node.Send(u.h.w.now, ip.AppendTo(u.h.Node.Buffer()), trace.Rule{}))
	}
	u.ipID++
	return u.sendIPv4(path, s.flag(modes.DontFragment), wire.IPv4{
		TOS: uint8(s.values[modes.TOS]), ID: u.ipID, TTL: ttl,
		Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: payload,
	})
}

// sendIPv4 sends an IPv4 packet whole if df says so, in fragments if it must
// be; with PathMTU, in such as come through.
func (u *udp) sendIPv4(path link.Path, df bool, ip wire.IPv4) error {
	mtu, forbid := path.MTU, df
	if known, ok := u.paths[ip.Dst]; ok {
		mtu, forbid = min(mtu, known.mtu), df || known.df && u.PathMTU
	} else if u.PathMTU && !path.Broadcast && !path.Multicast {
		forbid = true
	}
	if df && ip.HeaderLen()+len(ip.Payload) > mtu {
		return eMSGSIZE
	}
	fragments, why := ip.Fragments(mtu)
	if why != wire.OK {
		return eMSGSIZE
	}
	for i := range fragments {
		f := &fragments[i]
		f.DF = forbid
		if err := u.h.Node.Send(u.h.w.now, f.AppendTo(u.h.Node.Buffer()), trace.Rule{}); err != nil {
			return ofLink(err)
		}
	}
	return nil
}
