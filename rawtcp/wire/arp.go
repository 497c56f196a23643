package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

const arpLen = 28

// MAC is an Ethernet address.
type MAC [6]byte

// Broadcast returns the Ethernet address of everybody.
func Broadcast() MAC { return MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// String returns m as "0:0:c0:c2:9b:26", as the tcpdump of the book had it.
func (m MAC) String() string {
	return fmt.Sprintf("%x:%x:%x:%x:%x:%x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// ARPOp is what an ARP packet is for.
type ARPOp uint16

// The operations of RFC 826.
const (
	ARPRequest ARPOp = 1
	ARPReply   ARPOp = 2
)

// ARP is an ARP packet for IPv4 over Ethernet, decoded (RFC 826).
type ARP struct {
	Op        ARPOp
	SenderMAC MAC
	SenderIP  netip.Addr
	TargetMAC MAC // zero in a request
	TargetIP  netip.Addr
}

// arpEthernetIPv4 is how such a packet begins: hardware type 1, protocol type
// 0x0800, and the lengths of their addresses.
const arpEthernetIPv4 = 0x0001_0800_06_04

// Decode sets a to the packet in b, what follows the Ethernet header. Padding
// behind it is left alone.
func (a *ARP) Decode(b []byte) Reason {
	if len(b) < arpLen {
		return Truncated
	}
	if binary.BigEndian.Uint64(b)>>16 != arpEthernetIPv4 {
		return NotEthernetIPv4
	}
	a.Op = ARPOp(binary.BigEndian.Uint16(b[6:]))
	a.SenderMAC = MAC(b[8:14])
	a.SenderIP = netip.AddrFrom4([4]byte(b[14:18]))
	a.TargetMAC = MAC(b[18:24])
	a.TargetIP = netip.AddrFrom4([4]byte(b[24:28]))
	return OK
}

// AppendTo appends the 28 bytes of a.
func (a *ARP) AppendTo(buf []byte) []byte {
	sender, target := as4(a.SenderIP), as4(a.TargetIP)
	buf = binary.BigEndian.AppendUint64(buf, arpEthernetIPv4<<16|uint64(a.Op))
	buf = append(buf, a.SenderMAC[:]...)
	buf = append(buf, sender[:]...)
	buf = append(buf, a.TargetMAC[:]...)
	return append(buf, target[:]...)
}
