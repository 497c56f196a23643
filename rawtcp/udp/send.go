package udp

import (
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// path returns the way to an address that k may send to.
func (s *Stack) path(k *Socket, to netip.AddrPort) (link.Path, error) {
	switch {
	case to.Addr().Is4() != k.isIPv4():
		return link.Path{}, ErrFamily
	case to.Addr().IsUnspecified():
		return link.Path{}, rawtcp.ErrNotHere
	}
	path, err := s.ip.Path(to.Addr())
	switch {
	case err != nil:
		return path, err
	case k.flag(DontRoute) && !path.OnLink && !path.Broadcast && !path.Multicast:
		return path, link.ErrNoRoute
	case path.Broadcast && !k.flag(Broadcast) && !s.prof.UDPAnyBroadcast:
		return path, rawtcp.ErrBroadcast
	case k.local.Addr().IsLoopback() && !path.Self:
		// "Addresses of this form MUST NOT appear outside a host." (RFC 1122,
		// section 3.2.1.3)
		return path, rawtcp.ErrInvalid
	}
	return path, nil
}

// send sends one datagram from k.
func (s *Stack) send(now time.Duration, k *Socket, data []byte, to netip.AddrPort) error {
	path, err := s.path(k, to)
	if err != nil {
		return err
	}
	if len(data) > min(k.values[SendBuf], maxData) {
		return link.ErrTooBig
	}
	src := k.local.Addr()
	if src.IsUnspecified() || !s.ip.Has(src) {
		src = path.Source // a group, or everybody, sends nothing
	}
	dst := to.Addr()
	if path.Broadcast && k.flag(OnesBroadcast) {
		dst = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	ttl := uint8(k.values[TTL])
	if path.Multicast {
		ttl = uint8(k.values[MulticastTTL])
	}
	d := wire.UDP{SrcPort: k.local.Port(), DstPort: to.Port(), Payload: data}
	// A device computes checksums of whole packets only: this is no matter of
	// speed, so UDP does it itself.
	sum := wire.ChecksumFull
	if !s.prof.UDPChecksum && dst.Is4() {
		sum = wire.ChecksumKeep
	}
	payload := d.AppendTo(nil, src, dst, sum)
	if dst.Is4() {
		err = s.sendIPv4(now, path, k.flag(DontFragment), &wire.IPv4{
			TOS: uint8(k.values[TOS]), TTL: ttl, Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: payload,
		})
	} else {
		err = s.out.SendIPv6(now, &wire.IPv6{
			TrafficClass: uint8(k.values[TOS]), HopLimit: ttl, Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: payload,
		}, s.mtu(now, path, dst), k.flag(DontFragment), trace.Rule{})
	}
	if err == nil {
		s.stats.Sent++
	}
	return err
}

// sendIPv4 sends an IPv4 packet whole if df says so, in fragments if it must be;
// with UDPPathMTU, in such as come through.
func (s *Stack) sendIPv4(now time.Duration, path link.Path, df bool, ip *wire.IPv4) error {
	if known, ok := s.known(now, ip.Dst); ok {
		ip.DF = df || known.df && s.prof.UDPPathMTU
	} else {
		ip.DF = df || s.prof.UDPPathMTU && !path.Broadcast && !path.Multicast
	}
	return s.out.SendIPv4(now, ip, s.mtu(now, path, ip.Dst), df, trace.Rule{})
}
