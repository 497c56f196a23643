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
	field, covered, proto := leftToDevice(packet)
	if field == nil {
		return
	}
	// The sum of the pseudo-header stands there already, and is added with the
	// rest. RFC 768: "If the computed checksum is zero, it is transmitted as all
	// ones". TCP has no such rule.
	sum := wire.SumOf(covered).Checksum()
	if sum == 0 && proto == wire.ProtoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}

// leftToDevice returns the checksum of a segment or datagram that has that of the
// pseudo-header only, and what it is computed of. It returns nil for any other.
func leftToDevice(packet []byte) (field, covered []byte, proto wire.Protocol) {
	var src, dst netip.Addr
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		if h.Decode(packet) != wire.OK || h.IsFragment() {
			return nil, nil, 0
		}
		src, dst, proto, covered = h.Src, h.Dst, h.Protocol, h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(packet) != wire.OK || h.IsFragment() {
			return nil, nil, 0
		}
		src, dst, proto, covered = h.Src, h.Dst, h.Protocol, h.Payload
	}
	switch {
	case proto == wire.ProtoTCP && wire.VerifyTCP(src, dst, covered) == wire.ChecksumOffloaded:
		return covered[16:18], covered, proto
	case proto == wire.ProtoUDP && wire.VerifyUDP(src, dst, covered) == wire.ChecksumOffloaded:
		return covered[6:8], covered[:min(len(covered), int(binary.BigEndian.Uint16(covered[4:])))], proto
	}
	return nil, nil, 0
}
