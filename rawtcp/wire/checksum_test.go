package wire

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
)

// plainSum is the sum as RFC 1071 section 4.1 has it in C: two bytes a step.
func plainSum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// TestSumExample is the numerical example of RFC 1071, section 3.
func TestSumExample(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := SumOf(b); got != 0xddf2 {
		t.Errorf("sum %#04x, want 0xddf2", got)
	}
	if got := SumOf(b).Checksum(); got != 0x220d {
		t.Errorf("checksum %#04x, want 0x220d", got)
	}
	// "Adjacent octets to be checksummed are paired": the same bytes in
	// groups that begin at an odd offset.
	got := SumOf(b[:3]).Plus(SumOf(b[3:6]).Odd()).Plus(SumOf(b[6:]))
	if got != 0xddf2 {
		t.Errorf("sum in parts %#04x, want 0xddf2", got)
	}
}

func TestSumOfEveryLength(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random, ones := make([]byte, 300), make([]byte, 300)
	for i := range random {
		random[i], ones[i] = byte(rnd.Uint32()), 0xff
	}
	for _, b := range [][]byte{random, ones, make([]byte, 300)} {
		for n := range len(b) + 1 {
			if got, want := SumOf(b[:n]), plainSum(b[:n]); uint16(got) != want {
				t.Errorf("%d bytes of %#x...: %#04x, want %#04x", n, b[0], got, want)
			}
		}
	}
}

// TestSumCarries has words that carry at each place of the unrolled chain.
func TestSumCarries(t *testing.T) {
	words := []uint64{0, 1, 1 << 63, 1<<63 - 1, 1<<64 - 2, 1<<64 - 1}
	rnd := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 3*64+40)
	for range 20000 {
		for i := 0; i < len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], words[rnd.IntN(len(words))])
		}
		if got, want := SumOf(b), plainSum(b); uint16(got) != want {
			t.Fatalf("%x: %#04x, want %#04x", b, got, want)
		}
	}
}

func TestUpdateChecksum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 20)
	for range 10000 {
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		old := SumOf(b).Checksum()
		was := binary.BigEndian.Uint16(b[8:])
		is := uint16(rnd.Uint32())
		binary.BigEndian.PutUint16(b[8:], is)
		got := UpdateChecksum(old, was, is)
		if want := SumOf(b).Checksum(); got != want {
			t.Fatalf("%#04x, want %#04x", got, want)
		}
	}
}

func TestPseudoSum(t *testing.T) {
	for _, test := range []struct {
		src, dst netip.Addr
		proto    Protocol
		length   int
		header   string
	}{
		{svr4, bsdi, ProtoTCP, 24, `8cfc0d22 8cfc0d23 00 06 0018`},
		{svr4, bsdi, ProtoUDP, 65535, `8cfc0d22 8cfc0d23 00 11 ffff`},
		{
			netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("255.255.255.255"),
			ProtoTCP, 20, `00000000 ffffffff 00 06 0014`,
		},
		{
			six1, six2, ProtoICMPv6, 70000, `20010db8 00000000 00000000 00000001
				20010db8 00000000 00000000 00000002 00011170 000000 3a`,
		},
	} {
		want := plainSum(unhex(t, test.header))
		if got := PseudoSum(test.src, test.dst, test.proto, test.length); uint16(got) != want {
			t.Errorf("%v > %v: %#04x, want %#04x", test.src, test.dst, got, want)
		}
	}
}

func TestVerify(t *testing.T) {
	s := Segment{SrcPort: 1, DstPort: 2, Flags: ACK, Payload: []byte("odd")}
	u := UDP{SrcPort: 1, DstPort: 2, Payload: []byte("odd")}
	m := ICMPv6{Type: ICMPv6Echo, Rest: EchoRest(1, 2), Body: []byte("odd")}
	tcp := func(src, dst netip.Addr, mode ChecksumMode) ([]byte, func([]byte) ChecksumState) {
		return s.AppendTo(nil, src, dst, mode), func(b []byte) ChecksumState { return VerifyTCP(src, dst, b) }
	}
	udp := func(src, dst netip.Addr, mode ChecksumMode) ([]byte, func([]byte) ChecksumState) {
		return u.AppendTo(nil, src, dst, mode), func(b []byte) ChecksumState { return VerifyUDP(src, dst, b) }
	}
	icmp := func(src, dst netip.Addr, mode ChecksumMode) ([]byte, func([]byte) ChecksumState) {
		return m.AppendTo(nil, src, dst, mode), func(b []byte) ChecksumState { return VerifyICMPv6(src, dst, b) }
	}
	for _, test := range []struct {
		name     string
		make     func(src, dst netip.Addr, mode ChecksumMode) ([]byte, func([]byte) ChecksumState)
		src, dst netip.Addr
		mode     ChecksumMode
		want     ChecksumState
	}{
		{"tcp", tcp, svr4, bsdi, ChecksumFull, ChecksumGood},
		{"tcp offloaded", tcp, svr4, bsdi, ChecksumPseudo, ChecksumOffloaded},
		{"tcp zero", tcp, svr4, bsdi, ChecksumKeep, ChecksumBad},
		{"tcp6", tcp, six1, six2, ChecksumFull, ChecksumGood},
		{"tcp6 offloaded", tcp, six1, six2, ChecksumPseudo, ChecksumOffloaded},
		{"udp", udp, svr4, bsdi, ChecksumFull, ChecksumGood},
		{"udp offloaded", udp, svr4, bsdi, ChecksumPseudo, ChecksumOffloaded},
		{"udp zero", udp, svr4, bsdi, ChecksumKeep, ChecksumAbsent},
		{"udp6", udp, six1, six2, ChecksumFull, ChecksumGood},
		{"udp6 zero", udp, six1, six2, ChecksumKeep, ChecksumBad},
		{"icmp6", icmp, six1, six2, ChecksumFull, ChecksumGood},
		{"icmp6 zero", icmp, six1, six2, ChecksumKeep, ChecksumBad},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, verify := test.make(test.src, test.dst, test.mode)
			if got := verify(b); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if got := verify(b[:7]); got != ChecksumBad {
				t.Errorf("less than a header: %v, want bad", got)
			}
			if test.want != ChecksumGood {
				return
			}
			for i := range len(b) * 8 {
				b[i/8] ^= 0x80 >> (i % 8)
				if got := verify(b); got == ChecksumGood {
					t.Errorf("bit %d flipped: still good", i)
				}
				b[i/8] ^= 0x80 >> (i % 8)
			}
		})
	}
}

// TestUDPChecksumOfZero has data whose checksum comes out as zero, which on
// the wire would say that there is none.
func TestUDPChecksumOfZero(t *testing.T) {
	u := UDP{SrcPort: 7, DstPort: 9, Payload: []byte{0, 0}}
	b := u.AppendTo(nil, svr4, bsdi, ChecksumFull)
	copy(b[8:], b[6:8])
	u.Payload = b[8:10]
	b = u.AppendTo(nil, svr4, bsdi, ChecksumFull)
	if b[6] != 0xff || b[7] != 0xff {
		t.Errorf("checksum %x, want ffff", b[6:8])
	}
	if got := VerifyUDP(svr4, bsdi, b); got != ChecksumGood {
		t.Errorf("it is %v", got)
	}
}

// TestUDPTrailer has bytes behind the datagram, which are not summed.
func TestUDPTrailer(t *testing.T) {
	u := UDP{SrcPort: 7, DstPort: 9, Payload: []byte("abc")}
	b := append(u.AppendTo(nil, svr4, bsdi, ChecksumFull), 1, 2, 3)
	if got := VerifyUDP(svr4, bsdi, b); got != ChecksumGood {
		t.Errorf("it is %v", got)
	}
	var d UDP
	if why := d.Decode(b); why != OK || string(d.Payload) != "abc" {
		t.Errorf("decoded %q, %v", d.Payload, why)
	}
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{20, 40, 576, 1460, 9000, 65535} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * 7)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				SumOf(data)
			}
		})
	}
}
