package wire

import (
	"net/netip"
	"testing"
)

// carriers returns a segment with data and timestamps, and IP headers for it.
func carriers() (Segment, IPv4, IPv6) {
	s := Segment{
		SrcPort: 1037, DstPort: 9, Seq: 1, Ack: 2, Flags: PSH | ACK, Window: 4096,
		Options: Options{HasTimestamps: true, TSVal: 3, TSEcr: 4},
		Payload: make([]byte, 1448),
	}
	return s, IPv4{TTL: 64, Protocol: ProtoTCP, Src: svr4, Dst: bsdi},
		IPv6{HopLimit: 64, Protocol: ProtoTCP, Src: six1, Dst: six2}
}

// TestNoAllocation encodes and decodes segments of the usual kinds.
func TestNoAllocation(t *testing.T) {
	data, v4, v6 := carriers()
	syn := Segment{Flags: SYN, Options: Options{
		HasMSS: true, HasScale: true, SACKPermitted: true, HasTimestamps: true, Layout: LayoutBSD,
	}}
	dup := Segment{Flags: ACK, Options: Options{HasTimestamps: true, SACKLen: 3}}
	for name, s := range map[string]Segment{"data": data, "SYN": syn, "SACK": dup} {
		buf := make([]byte, 0, 2048)
		var d Segment
		var d4 IPv4
		var d6 IPv6
		n := testing.AllocsPerRun(100, func() {
			b := v4.AppendHeader(buf, s.WireLen())
			b = s.AppendTo(b, v4.Src, v4.Dst, ChecksumFull)
			if d4.Decode(b) != OK || VerifyTCP(d4.Src, d4.Dst, d4.Payload) != ChecksumGood || d.Decode(d4.Payload) != OK {
				t.Fatal("not decoded")
			}
			b = v6.AppendHeader(buf, s.WireLen())
			b = s.AppendTo(b, v6.Src, v6.Dst, ChecksumFull)
			if d6.Decode(b) != OK || VerifyTCP(d6.Src, d6.Dst, d6.Payload) != ChecksumGood || d.Decode(d6.Payload) != OK {
				t.Fatal("not decoded")
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s, v4, v6 := carriers()
	buf := make([]byte, 0, 2048)
	header4 := func(n int) []byte { return v4.AppendHeader(buf, n) }
	header6 := func(n int) []byte { return v6.AppendHeader(buf, n) }
	for _, test := range []struct {
		name     string
		header   func(int) []byte
		src, dst netip.Addr
		mode     ChecksumMode
	}{
		{"IPv4", header4, svr4, bsdi, ChecksumFull},
		{"IPv4/offload", header4, svr4, bsdi, ChecksumPseudo},
		{"IPv6", header6, six1, six2, ChecksumFull},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(s.Payload)))
			b.ReportAllocs()
			for b.Loop() {
				s.AppendTo(test.header(s.WireLen()), test.src, test.dst, test.mode)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	s, v4, _ := carriers()
	packet := s.AppendTo(v4.AppendHeader(nil, s.WireLen()), svr4, bsdi, ChecksumFull)
	b.SetBytes(int64(len(s.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		var h IPv4
		var d Segment
		if h.Decode(packet) != OK || VerifyTCP(h.Src, h.Dst, h.Payload) != ChecksumGood || d.Decode(h.Payload) != OK {
			b.Fatal("not decoded")
		}
	}
}
