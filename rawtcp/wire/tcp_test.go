package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"sock/rawtcp/seq"
)

var (
	svr4 = netip.MustParseAddr("140.252.13.34")
	bsdi = netip.MustParseAddr("140.252.13.35")
	six1 = netip.MustParseAddr("2001:db8::1")
	six2 = netip.MustParseAddr("2001:db8::2")
)

// unhex turns hex digits with spaces and newlines between them into bytes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSegmentBytes has segments byte by byte: ports 2 and 2, sequence number
// 4, acknowledgment 4, data offset 4 bits, flags, window 2, checksum 2,
// urgent pointer 2, options, data.
func TestSegmentBytes(t *testing.T) {
	for _, test := range []struct {
		name string
		s    Segment
		hex  string
	}{
		{
			name: "a SYN without options: data offset 5",
			s: Segment{
				SrcPort: 1037, DstPort: 9, Seq: 1415531521, Flags: SYN, Window: 4096,
			},
			hex: `040d 0009 545f4c01 00000000 50 02 1000 c72e 0000`,
		},
		{
			name: "the SYN of Fig 18-1: data offset 6",
			s: Segment{
				SrcPort: 1037, DstPort: 9, Seq: 1415531521, Flags: SYN, Window: 4096,
				Options: Options{HasMSS: true, MSS: 1024},
			},
			hex: `040d 0009 545f4c01 00000000 60 02 1000 b126 0000 02040400`,
		},
		{
			name: "a SYN with 20 bytes of options in the order of 4.4BSD: data offset 10",
			s: Segment{
				SrcPort: 1037, DstPort: 9, Seq: 1415531521, Flags: SYN, Window: 4096,
				Options: Options{
					HasMSS: true, MSS: 512, HasScale: true,
					HasTimestamps: true, TSVal: 146647, Layout: LayoutBSD,
				},
			},
			hex: `040d 0009 545f4c01 00000000 a0 02 1000 292f 0000
				02040200 01 030300 0101 080a 00023cd7 00000000`,
		},
		{
			name: "data with a timestamp, pushed and urgent: data offset 8",
			s: Segment{
				SrcPort: 9, DstPort: 1037, Seq: 1, Ack: 0xfffffffe, Flags: PSH | ACK | URG,
				Window: 65535, Urgent: 3,
				Options: Options{HasTimestamps: true, TSVal: 1, TSEcr: 2},
				Payload: []byte("abc"),
			},
			hex: `0009 040d 00000001 fffffffe 80 38 ffff 79d6 0003
				0101 080a 00000001 00000002 616263`,
		},
		{
			name: "a FIN with all other flags",
			s:    Segment{SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, Flags: 0xff, Window: 5},
			hex:  `0001 0002 00000003 00000004 50 ff 0005 7a99 0000`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.hex)
			got := test.s.AppendTo([]byte("xyz"), svr4, bsdi, ChecksumFull)[3:]
			if !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			if n := test.s.WireLen(); n != len(want) {
				t.Errorf("WireLen = %d, want %d", n, len(want))
			}
			if c := VerifyTCP(svr4, bsdi, want); c != ChecksumGood {
				t.Errorf("the checksum is %v", c)
			}
			var s Segment
			if why := s.Decode(want); why != OK {
				t.Fatalf("refused: %v", why)
			}
			if s.Checksum == 0 {
				t.Error("no checksum was decoded")
			}
			s.Checksum = 0
			s.Options.Raw = nil
			s.Options.Layout = test.s.Options.Layout
			if len(s.Payload) == 0 {
				s.Payload = nil
			}
			if !reflect.DeepEqual(s, test.s) {
				t.Errorf("decoded\n%+v, want\n%+v", s, test.s)
			}
		})
	}
}

func TestSegmentRefused(t *testing.T) {
	s := Segment{SrcPort: 1, DstPort: 2, Options: Options{HasMSS: true, MSS: 1024}, Payload: []byte("data")}
	for _, test := range []struct {
		name   string
		change func(b []byte) []byte
		why    Reason
	}{
		{"nothing", func([]byte) []byte { return nil }, Truncated},
		{"19 bytes", func(b []byte) []byte { return b[:19] }, Truncated},
		{"data offset 0", func(b []byte) []byte { b[12] = 0x00; return b }, HeaderLength},
		{"data offset 4", func(b []byte) []byte { b[12] = 0x40; return b }, HeaderLength},
		{"data offset past the end", func(b []byte) []byte { b[12] = 0x80; return b }, HeaderLength},
		{"data offset at the end", func(b []byte) []byte { b[12] = 0x60; return b[:24] }, OK},
		{"reserved bits", func(b []byte) []byte { b[12] |= 0x0f; return b }, OK},
	} {
		b := test.change(s.AppendTo(nil, svr4, bsdi, ChecksumFull))
		if why := new(Segment).Decode(b); why != test.why {
			t.Errorf("%s: %v, want %v", test.name, why, test.why)
		}
	}
}

// TestDecodeForgets decodes into a segment that had other options before.
func TestDecodeForgets(t *testing.T) {
	s := Segment{SrcPort: 1, DstPort: 2, Flags: ACK}
	d := Segment{Options: Options{HasMSS: true, SACKLen: 4, HasTimestamps: true, Layout: LayoutBSD, Raw: []byte{1}}}
	if why := d.Decode(s.AppendTo(nil, svr4, bsdi, ChecksumFull)); why != OK {
		t.Fatal(why)
	}
	if !reflect.DeepEqual(d.Options, Options{}) {
		t.Errorf("options %+v are left", d.Options)
	}
}

// TestSegmentLen counts what takes a sequence number.
func TestSegmentLen(t *testing.T) {
	for _, test := range []struct {
		f    Flags
		data string
		want seq.Size
	}{{ACK, "", 0}, {SYN, "", 1}, {ACK | FIN, "", 1}, {SYN | FIN, "abc", 5}, {PSH | ACK | RST | URG, "abc", 3}} {
		s := Segment{Flags: test.f, Payload: []byte(test.data)}
		if got := s.Len(); got != test.want {
			t.Errorf("%v with %q takes %d, want %d", test.f, test.data, got, test.want)
		}
	}
	if f := SYN | ACK; !f.Has(SYN|ACK) || f.Has(SYN|FIN) || !f.Any(SYN|FIN) || f.Any(RST|FIN) {
		t.Error("Has or Any is wrong")
	}
}

// A segment whose data a device takes from elsewhere is the same on the wire as
// one in one piece, and its receiver knows it by its checksum.
func TestAppendHeader(t *testing.T) {
	for _, ends := range [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}} {
		src, dst := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		for n := range 100 {
			s := Segment{SrcPort: 1, DstPort: 2, Seq: 3, Flags: ACK, Payload: bytes.Repeat([]byte{0xa5}, n)}
			s.Options.HasTimestamps, s.Options.TSVal = n%2 == 0, uint32(n)
			whole := s.AppendTo(nil, src, dst, ChecksumPseudo)
			parts := append(s.AppendHeader([]byte("before"), src, dst), s.Payload...)
			if !bytes.Equal(parts, append([]byte("before"), whole...)) {
				t.Fatalf("%d bytes of data: % x and % x", n, parts, whole)
			}
			if !OffloadedTCP(src, dst, whole) || VerifyTCP(src, dst, whole) != ChecksumOffloaded {
				t.Errorf("%d bytes of data: the checksum is not that of the pseudo-header", n)
			}
			if full := s.AppendTo(nil, src, dst, ChecksumFull); OffloadedTCP(src, dst, full) || OffloadedTCP(src, dst, full[:19]) {
				t.Errorf("%d bytes of data: a full checksum is taken for one of the pseudo-header", n)
			}
		}
	}
}
