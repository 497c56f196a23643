package link_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Whatever the data, what the device would have computed is what the sender does
// without one: a sum of 0 too, which only UDP writes otherwise.
func TestCompleteChecksum(t *testing.T) {
	src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	zeros := 0
	for n := range 1 << 16 {
		s := wire.Segment{SrcPort: 1, DstPort: 2, Seq: 3, Flags: wire.ACK, Payload: binary.BigEndian.AppendUint16(nil, uint16(n))}
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
		packet := s.AppendTo(h.AppendHeader(nil, s.WireLen()), src, dst, wire.ChecksumPseudo)
		whole := s.AppendTo(nil, src, dst, wire.ChecksumFull)
		link.CompleteChecksum(packet)
		got, want := binary.BigEndian.Uint16(packet[20+16:]), binary.BigEndian.Uint16(whole[16:])
		if got != want {
			t.Fatalf("data %#04x: %#04x, not %#04x", n, got, want)
		}
		if want == 0 {
			zeros++
		}
	}
	if zeros == 0 {
		t.Error("no sum was 0")
	}
}
