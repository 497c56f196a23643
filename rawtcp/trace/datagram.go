package trace

import (
	"net/netip"

	"sock/rawtcp/wire"
)

// datagram is an IP packet of either version, as far as a listing tells of it.
type datagram struct {
	version  int
	src, dst netip.Addr
	proto    wire.Protocol
	payload  []byte
	length   int // of the payload, as the header says
	tos, ttl uint8
	df, more bool
	offset   int
	id       uint32
}

// decode decodes a packet as far as that goes. One with a bad checksum is
// decoded too: whoever listens wants to see it.
func (d *datagram) decode(packet []byte) wire.Reason {
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		why := h.Decode(packet)
		if why != wire.OK && why != wire.BadChecksum {
			return why
		}
		*d = datagram{
			version: 4, src: h.Src, dst: h.Dst, proto: h.Protocol,
			payload: h.Payload, length: len(h.Payload),
			tos: h.TOS, ttl: h.TTL, df: h.DF, more: h.More, offset: h.Offset, id: uint32(h.ID),
		}
		return wire.OK
	case 6:
		var h wire.IPv6
		if why := h.Decode(packet); why != wire.OK {
			return why
		}
		*d = datagram{
			version: 6, src: h.Src, dst: h.Dst, proto: h.Protocol,
			payload: h.Payload, length: len(h.Payload),
			tos: h.TrafficClass, ttl: h.HopLimit, more: h.More, offset: h.Offset, id: h.ID,
		}
		return wire.OK
	}
	return wire.BadVersion
}

func (d *datagram) isFragment() bool { return d.more || d.offset != 0 }
