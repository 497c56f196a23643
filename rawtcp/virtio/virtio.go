// Package virtio is the header that packet sockets and TUN devices put before a
// packet, if asked to: what is left to do for its checksum, and how it is to be
// cut into segments (struct virtio_net_hdr of linux/virtio_net.h).
package virtio

import (
	"encoding/binary"
	"net/netip"

	"sock/rawtcp/wire"
)

// Len is the length in bytes of a Header.
const Len = 10

// MaxPacket is the length in bytes of the longest packet that a device cuts.
const MaxPacket = 65535

// The flags of a Header.
const (
	NeedsChecksum = 1 // the checksum is of the pseudo-header only
	DataValid     = 2 // the device has looked at it
)

// GSO says how a packet that is longer than the MTU is made of segments.
type GSO uint8

// The kinds of GSO. With ECN set, only the first segment has CWR.
const (
	None  GSO = 0
	TCPv4 GSO = 1
	TCPv6 GSO = 4
	UDP   GSO = 5
	ECN   GSO = 0x80
)

// Header is the header, decoded. Offsets are in bytes from the start of what
// follows it: the Ethernet header of a packet socket, or the IP header.
type Header struct {
	Flags          uint8
	GSO            GSO
	HeaderLen      uint16 // of all headers together
	Size           uint16 // bytes of data in a segment
	ChecksumStart  uint16 // where the data begins that it is computed of
	ChecksumOffset uint16 // where it stands, from there
}

// Put writes h into the first Len bytes of b.
func (h *Header) Put(b []byte) {
	_ = b[Len-1]
	b[0], b[1] = h.Flags, uint8(h.GSO)
	binary.NativeEndian.PutUint16(b[2:], h.HeaderLen)
	binary.NativeEndian.PutUint16(b[4:], h.Size)
	binary.NativeEndian.PutUint16(b[6:], h.ChecksumStart)
	binary.NativeEndian.PutUint16(b[8:], h.ChecksumOffset)
}

// Get reads h from the first Len bytes of b.
func (h *Header) Get(b []byte) {
	_ = b[Len-1]
	*h = Header{
		Flags: b[0], GSO: GSO(b[1]),
		HeaderLen:      binary.NativeEndian.Uint16(b[2:]),
		Size:           binary.NativeEndian.Uint16(b[4:]),
		ChecksumStart:  binary.NativeEndian.Uint16(b[6:]),
		ChecksumOffset: binary.NativeEndian.Uint16(b[8:]),
	}
}

// Outgoing returns the header for an IP packet with so many bytes before it. The
// packet may end behind its headers; length is that of all of it. The device
// computes the checksum of TCP and UDP if the packet has that of the
// pseudo-header only; a packet whose checksum is complete, or wrong on purpose,
// goes out as it is. With a size other than 0 the device cuts a TCP packet into
// segments with so many bytes of data.
func Outgoing(packet []byte, length, before, size int) (h Header) {
	at, field, sum, ok := upper(packet, length)
	if !ok || size == 0 && binary.BigEndian.Uint16(packet[at+field:]) != sum {
		return h
	}
	h = Header{Flags: NeedsChecksum, ChecksumStart: uint16(before + at), ChecksumOffset: uint16(field)}
	if size > 0 && field == tcpChecksum && len(packet) > at+12 {
		h.GSO = TCPv4
		if wire.Version(packet) == 6 {
			h.GSO = TCPv6
		}
		h.Size = uint16(size)
		h.HeaderLen = h.ChecksumStart + uint16(packet[at+12]>>4)*4
	}
	return h
}

// Incoming makes of what has come with h a packet that wire.VerifyTCP takes for
// good or offloaded, if it is: what a device has merged it has verified, and
// what checksum it leaves there is its own affair.
func (h *Header) Incoming(packet []byte) {
	if h.GSO == None || h.Flags&NeedsChecksum != 0 {
		return
	}
	if at, field, sum, ok := upper(packet, len(packet)); ok {
		binary.BigEndian.PutUint16(packet[at+field:], sum)
	}
}

// Where the checksum stands.
const (
	tcpChecksum = 16
	udpChecksum = 6
)

// upper finds the TCP or UDP header of a packet of the given length: where it
// begins, where the checksum is in it, and the sum of the pseudo-header. It
// reports false of fragments, of headers that are not whole, and of all else.
func upper(packet []byte, length int) (at, field int, sum uint16, ok bool) {
	var protocol wire.Protocol
	var src, dst netip.Addr
	switch {
	case wire.Version(packet) == 4 && len(packet) >= 20:
		at, protocol = int(packet[0]&15)*4, wire.Protocol(packet[9])
		if binary.BigEndian.Uint16(packet[6:])&0x3fff != 0 {
			return 0, 0, 0, false
		}
		src, dst = netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
	case wire.Version(packet) == 6 && len(packet) >= 40:
		at, protocol = 40, wire.Protocol(packet[6])
		src, dst = netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:]))
	}
	switch protocol {
	case wire.ProtoTCP:
		field = tcpChecksum
	case wire.ProtoUDP:
		field = udpChecksum
	default:
		return 0, 0, 0, false
	}
	if at < 20 || at+field+2 > len(packet) {
		return 0, 0, 0, false
	}
	return at, field, uint16(wire.PseudoSum(src, dst, protocol, length-at)), true
}
