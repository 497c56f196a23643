package wire

import (
	"bytes"
	"net/netip"
	"testing"
)

var (
	neighborA = netip.MustParseAddr("fd00::1")
	neighborB = netip.MustParseAddr("fd00::12:3456")
)

func TestNeighborBytes(t *testing.T) {
	group := netip.MustParseAddr("ff02::1:ff12:3456")
	if got := SolicitedNode(neighborB); got != group {
		t.Errorf("the group of %v is %v, want %v", neighborB, got, group)
	}
	for _, test := range []struct {
		n        Neighbor
		src, dst netip.Addr
		hex      string
	}{
		{
			Neighbor{Type: ICMPv6NeighborSolicitation, Target: neighborB, MAC: MAC{2, 0, 0, 0, 0, 1}, HasMAC: true},
			neighborA, group,
			`87 00 14cb 00000000 fd000000000000000000000000123456 01 01 020000000001`,
		},
		{
			Neighbor{Type: ICMPv6NeighborSolicitation, Target: neighborB},
			netip.IPv6Unspecified(), group,
			`87 00 14d7 00000000 fd000000000000000000000000123456`,
		},
		{
			Neighbor{
				Type: ICMPv6NeighborAdvertisement, Target: neighborB, MAC: MAC{2, 0, 0, 0, 0, 2}, HasMAC: true,
				Solicited: true, Override: true,
			},
			neighborB, neighborA,
			`88 00 b3cd 60000000 fd000000000000000000000000123456 02 01 020000000002`,
		},
	} {
		want := unhex(t, test.hex)
		got := test.n.AppendTo([]byte("xyz"), test.src, test.dst)[3:]
		if !bytes.Equal(got, want) {
			t.Errorf("%v: encoded %x, want %x", test.n, got, want)
		}
		var n Neighbor
		if why := n.Decode(got, test.src, test.dst, 255); why != OK || n != test.n {
			t.Errorf("%x: %v, %+v, want %+v", got, why, n, test.n)
		}
	}
}

// What RFC 4861, sections 7.1.1 and 7.1.2, has a host discard.
func TestNeighborInvalid(t *testing.T) {
	group := SolicitedNode(neighborB)
	good := Neighbor{Type: ICMPv6NeighborSolicitation, Target: neighborB, MAC: MAC{2, 0, 0, 0, 0, 1}, HasMAC: true}
	again := func(b []byte, src, dst netip.Addr) []byte {
		b[2], b[3] = 0, 0
		fillChecksum(src, dst, ProtoICMPv6, b, 2, ChecksumFull, 0)
		return b
	}
	for _, test := range []struct {
		name   string
		src    netip.Addr
		dst    netip.Addr
		hops   uint8
		damage func(b []byte) []byte
		want   Reason
	}{
		{"none", neighborA, group, 255, func(b []byte) []byte { return b }, OK},
		{"hop limit", neighborA, group, 254, func(b []byte) []byte { return b }, Forwarded},
		{"short", neighborA, group, 255, func(b []byte) []byte { return b[:7] }, Truncated},
		{"no target", neighborA, group, 255, func(b []byte) []byte { return again(b[:20], neighborA, group) }, Truncated},
		{"checksum", neighborA, group, 255, func(b []byte) []byte { b[9]++; return b }, BadChecksum},
		{"type", neighborA, group, 255, func(b []byte) []byte { b[0] = 134; return again(b, neighborA, group) }, BadType},
		{"code", neighborA, group, 255, func(b []byte) []byte { b[1] = 1; return again(b, neighborA, group) }, BadNeighbor},
		{"target", neighborA, group, 255, func(b []byte) []byte { b[8] = 0xff; return again(b, neighborA, group) }, BadNeighbor},
		{"empty option", neighborA, group, 255, func(b []byte) []byte { b[25] = 0; return again(b, neighborA, group) }, OptionLength},
		{"long option", neighborA, group, 255, func(b []byte) []byte { b[25] = 2; return again(b, neighborA, group) }, OptionLength},
		{
			"probe with a source", netip.IPv6Unspecified(), group, 255,
			func(b []byte) []byte { return again(b, netip.IPv6Unspecified(), group) }, BadNeighbor,
		},
		{
			"probe to a host", netip.IPv6Unspecified(), neighborB, 255,
			func(b []byte) []byte { return again(b[:24], netip.IPv6Unspecified(), neighborB) }, BadNeighbor,
		},
	} {
		b := test.damage(good.AppendTo(nil, neighborA, group))
		var n Neighbor
		if why := n.Decode(b, test.src, test.dst, test.hops); why != test.want {
			t.Errorf("%s: %v, want %v", test.name, why, test.want)
		}
	}
}

func FuzzNeighbor(f *testing.F) {
	n := Neighbor{Type: ICMPv6NeighborSolicitation, Target: neighborB, MAC: MAC{2, 0, 0, 0, 0, 1}, HasMAC: true}
	f.Add(n.AppendTo(nil, neighborA, neighborB))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n, again Neighbor
		if len(b) >= 4 {
			b = bytes.Clone(b)
			b[2], b[3] = 0, 0
			fillChecksum(neighborA, neighborB, ProtoICMPv6, b, 2, ChecksumFull, 0)
		}
		if why := n.Decode(b, neighborA, neighborB, 255); why != OK {
			return
		}
		if why := again.Decode(n.AppendTo(nil, neighborA, neighborB), neighborA, neighborB, 255); why != OK || n != again {
			t.Errorf("%+v became %+v: %v", n, again, why)
		}
	})
}
