package link

import (
	"encoding/binary"
	"net/netip"

	"sock/rawtcp/wire"
)

// CompleteChecksum computes the checksum of a segment or datagram that has that
// of the pseudo-header only, as its device would have done. It leaves any other
// packet alone.
func CompleteChecksum(packet []byte) {
	var src, dst netip.Addr
	var proto wire.Protocol
	var payload []byte
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		if h.Decode(packet) != wire.OK || h.IsFragment() {
			return
		}
		src, dst, proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(packet) != wire.OK || h.IsFragment() {
			return
		}
		src, dst, proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
	}
	var field []byte
	switch {
	case proto == wire.ProtoTCP && wire.VerifyTCP(src, dst, payload) == wire.ChecksumOffloaded:
		field = payload[16:18]
	case proto == wire.ProtoUDP && wire.VerifyUDP(src, dst, payload) == wire.ChecksumOffloaded:
		payload = payload[:min(len(payload), int(binary.BigEndian.Uint16(payload[4:])))]
		field = payload[6:8]
	default:
		return
	}
	// The sum of the pseudo-header stands there already, and is added with the
	// rest. RFC 768: "If the computed checksum is zero, it is transmitted as all
	// ones". TCP has no such rule.
	sum := wire.SumOf(payload).Checksum()
	if sum == 0 && proto == wire.ProtoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}
