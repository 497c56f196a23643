package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sum is a partial Internet checksum: "the 16-bit one's complement sum" of
// RFC 1071, not yet complemented, of 16-bit words in network order. The zero
// Sum is that of nothing.
type Sum uint16

// SumOf returns the sum of b. An odd last byte counts as if a zero followed.
func SumOf(b []byte) Sum { return Sum(0).Add(b) }

// Add returns the sum s moved on by b, which must start at an even distance
// from where s started. See Odd for the other case.
func (s Sum) Add(b []byte) Sum {
	// "The sum of 16-bit integers can be computed in either byte order."
	// (RFC 1071, section 2(B)). So whole words are added as a little-endian
	// machine has them, and two bytes are swapped at the end. "On machines
	// that have word-sizes that are multiples of 16 bits, it is possible to
	// develop even more efficient implementations." (section 2(C)): here four
	// at a time, with the carry of one addition going into the next.
	var acc, carry uint64
	for len(b) >= 64 {
		// One check of the bounds for the eight loads.
		w := b[:64:64]
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[0:8]), 0)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[8:16]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[16:24]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[24:32]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[32:40]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[40:48]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[48:56]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(w[56:64]), carry)
		// No addition of the chain leaves both a carry and all ones, since
		// it began without a carry: this one cannot carry again.
		acc += carry
		b = b[64:]
	}
	for len(b) >= 8 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc += carry
		b = b[8:]
	}
	if len(b) >= 4 {
		acc, carry = bits.Add64(acc, uint64(binary.LittleEndian.Uint32(b)), 0)
		acc += carry
		b = b[4:]
	}
	if len(b) >= 2 {
		acc, carry = bits.Add64(acc, uint64(binary.LittleEndian.Uint16(b)), 0)
		acc += carry
		b = b[2:]
	}
	if len(b) == 1 {
		acc, carry = bits.Add64(acc, uint64(b[0]), 0)
		acc += carry
	}
	return s.Plus(fold64(acc).Odd())
}

// Plus returns the sum of what s and t are sums of.
func (s Sum) Plus(t Sum) Sum { return fold(uint32(s) + uint32(t)) }

// Odd returns s for bytes that start at an odd distance: their high and low
// bytes change places. SumOf(a).Plus(SumOf(b).Odd()) is the sum of an odd
// number of bytes a followed by b.
func (s Sum) Odd() Sum { return Sum(bits.ReverseBytes16(uint16(s))) }

// Checksum returns s complemented, as the field of a header has it.
func (s Sum) Checksum() uint16 { return ^uint16(s) }

func fold(n uint32) Sum {
	n = n>>16 + n&0xffff
	return Sum(n>>16 + n&0xffff)
}

func fold64(n uint64) Sum {
	n = n>>32 + n&0xffffffff
	n = n>>32 + n&0xffffffff
	return fold(uint32(n))
}

// UpdateChecksum returns checksum as it is after a 16-bit word of what it
// covers went from old to new: "HC' = ~(~HC + ~m + m')" (RFC 1624, section
// 3). A router needs it that counts TTL down.
func UpdateChecksum(checksum, old, new uint16) uint16 {
	return Sum(^checksum).Plus(Sum(^old)).Plus(Sum(new)).Checksum()
}

// PseudoSum returns the sum of the pseudo-header: addresses, protocol, and
// the length in bytes of what the upper layer sends (RFC 9293, section 3.1;
// RFC 8200, section 8.1).
func PseudoSum(src, dst netip.Addr, proto Protocol, length int) Sum {
	if src.Is4() && dst.Is4() {
		a, b := src.As4(), dst.As4()
		return fold64(uint64(binary.BigEndian.Uint32(a[:])) + uint64(binary.BigEndian.Uint32(b[:])) +
			uint64(length) + uint64(proto))
	}
	a, b := src.As16(), dst.As16()
	acc, carry := bits.Add64(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:]), 0)
	acc, carry = bits.Add64(acc, binary.BigEndian.Uint64(b[:8]), carry)
	acc, carry = bits.Add64(acc, binary.BigEndian.Uint64(b[8:]), carry)
	acc, carry = bits.Add64(acc, uint64(length)+uint64(proto), carry)
	// The last number was small, so adding the carry gives no other.
	return fold64(acc + carry)
}

// ChecksumMode says what an encoder puts into a checksum field.
type ChecksumMode uint8

const (
	// ChecksumFull computes the whole sum.
	ChecksumFull ChecksumMode = iota
	// ChecksumPseudo puts in the sum of the pseudo-header only, not
	// complemented, for a device that adds the rest (checksum offload).
	ChecksumPseudo
	// ChecksumKeep takes the Checksum of the header as it is: for damage on
	// purpose, and for UDP, where 0 means that there is none.
	ChecksumKeep
)

// ChecksumState is what the receiver finds a checksum to be.
type ChecksumState uint8

const (
	// ChecksumBad is a packet damaged on its way.
	ChecksumBad ChecksumState = iota
	// ChecksumGood is a complete and correct checksum.
	ChecksumGood
	// ChecksumOffloaded is a field with the sum of the pseudo-header only:
	// the sender left the rest to a device, and the packet never met one.
	ChecksumOffloaded
	// ChecksumAbsent is a UDP checksum of zero: "the transmitter generated
	// no checksum" (RFC 768).
	ChecksumAbsent
)

// String returns "bad", "good", "offloaded" or "absent".
func (c ChecksumState) String() string {
	switch c {
	case ChecksumBad:
		return "bad"
	case ChecksumGood:
		return "good"
	case ChecksumOffloaded:
		return "offloaded"
	case ChecksumAbsent:
		return "absent"
	}
	return "unknown"
}

// VerifyTCP judges the checksum of the TCP segment b: header, options and
// data, and nothing after them. A segment shorter than a header is bad.
func VerifyTCP(src, dst netip.Addr, b []byte) ChecksumState {
	return verify(src, dst, ProtoTCP, b, tcpHeaderLen, 16)
}

// VerifyUDP judges the checksum of the UDP datagram b, up to its Length. Over
// IPv6 an absent one is bad: "Unlike IPv4, the default behavior when UDP
// packets are originated by an IPv6 node is that the UDP checksum is not
// optional." (RFC 8200, section 8.1)
func VerifyUDP(src, dst netip.Addr, b []byte) ChecksumState {
	if len(b) < udpHeaderLen {
		return ChecksumBad
	}
	if b[6] == 0 && b[7] == 0 {
		if src.Unmap().Is4() {
			return ChecksumAbsent
		}
		return ChecksumBad
	}
	if n := int(binary.BigEndian.Uint16(b[4:])); n < len(b) {
		b = b[:n]
	}
	return verify(src, dst, ProtoUDP, b, udpHeaderLen, 6)
}

// VerifyICMPv6 judges the checksum of the ICMPv6 message b.
func VerifyICMPv6(src, dst netip.Addr, b []byte) ChecksumState {
	return verify(src, dst, ProtoICMPv6, b, icmpHeaderLen, 2)
}

// OffloadedTCP reports whether VerifyTCP would find the checksum of b to be offloaded,
// or good by a rare chance. It does not look at the data.
func OffloadedTCP(src, dst netip.Addr, b []byte) bool {
	return len(b) >= tcpHeaderLen && Sum(binary.BigEndian.Uint16(b[16:])) == PseudoSum(src, dst, ProtoTCP, len(b))
}

func verify(src, dst netip.Addr, proto Protocol, b []byte, header, field int) ChecksumState {
	if len(b) < header {
		return ChecksumBad
	}
	pseudo := PseudoSum(src, dst, proto, len(b))
	if pseudo.Add(b) == 0xffff {
		return ChecksumGood
	}
	if Sum(binary.BigEndian.Uint16(b[field:])) == pseudo {
		return ChecksumOffloaded
	}
	return ChecksumBad
}

// fillChecksum puts the checksum of b, whose field at offset field is still
// zero, into that field.
func fillChecksum(src, dst netip.Addr, proto Protocol, b []byte, field int, mode ChecksumMode, kept uint16) {
	switch mode {
	case ChecksumFull:
		c := PseudoSum(src, dst, proto, len(b)).Add(b).Checksum()
		if c == 0 && proto == ProtoUDP {
			// "If the computed checksum is zero, it is transmitted as all
			// ones (the equivalent in one's complement arithmetic)." (RFC 768)
			c = 0xffff
		}
		binary.BigEndian.PutUint16(b[field:], c)
	case ChecksumPseudo:
		binary.BigEndian.PutUint16(b[field:], uint16(PseudoSum(src, dst, proto, len(b))))
	case ChecksumKeep:
		binary.BigEndian.PutUint16(b[field:], kept)
	}
}
