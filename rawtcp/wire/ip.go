package wire

import (
	"encoding/binary"
	"net/netip"
)

// maxPacket is the most that the length fields of IP can say.
const maxPacket = 65535

// Version returns the IP version in the first byte of packet b, or 0 if b is
// empty.
func Version(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return int(b[0] >> 4)
}

// Addresses returns the source and the destination of the IP packet b, and invalid
// ones if the header is not all there. It looks at nothing else.
func Addresses(b []byte) (src, dst netip.Addr) {
	switch {
	case Version(b) == 4 && len(b) >= ipv4HeaderLen:
		return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	case Version(b) == 6 && len(b) >= ipv6HeaderLen:
		return netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	}
	return src, dst
}

// Forward counts down the TTL or hop limit of the IP packet b, in place, as a
// router does, and mends the checksum of IPv4. It reports false if it is used
// up, and leaves b alone: "If the gateway processing a datagram finds the time
// to live field is zero it must discard the datagram." (RFC 792)
func Forward(b []byte) bool {
	switch {
	case Version(b) == 4 && len(b) >= ipv4HeaderLen && b[8] > 1:
		old := binary.BigEndian.Uint16(b[8:])
		b[8]--
		sum := UpdateChecksum(binary.BigEndian.Uint16(b[10:]), old, binary.BigEndian.Uint16(b[8:]))
		binary.BigEndian.PutUint16(b[10:], sum)
		return true
	case Version(b) == 6 && len(b) >= ipv6HeaderLen && b[7] > 1:
		b[7]--
		return true
	}
	return false
}
