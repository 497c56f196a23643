package wire

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzTCP: what is decoded is encoded to the same bytes; and encoded from its
// fields alone, to bytes that stay the same from then on.
func FuzzTCP(f *testing.F) {
	data, _, _ := carriers()
	data.Payload = []byte("data")
	for _, o := range []Options{
		{},
		{HasMSS: true, MSS: 1460, SACKPermitted: true, HasTimestamps: true, HasScale: true, WindowScale: 10},
		{HasMSS: true, MSS: 512, HasTimestamps: true, HasScale: true, Layout: LayoutBSD},
		{HasTimestamps: true, SACKLen: 3, SACK: [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}}},
		{Other: []RawOption{{Kind: KindMD5, Data: make([]byte, 16)}, {Kind: KindCC, Data: make([]byte, 4)}}},
		{Raw: []byte{2, 4, 4, 0, 3, 0, 0, 0}},
		{Raw: []byte{2, 3, 4, 8, 4, 1, 1, 0}},
	} {
		s := data
		s.Options = o
		f.Add(s.AppendTo(nil, svr4, bsdi, ChecksumFull))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Segment
		why := s.Decode(b)
		if why != OK && why != OptionLength && why != OptionSize {
			return
		}
		want := bytes.Clone(b)
		want[12] &= 0xf0 // reserved bits are not kept
		if got := s.AppendTo(nil, svr4, bsdi, ChecksumKeep); !bytes.Equal(got, want) {
			t.Fatalf("encoded %x, want %x", got, want)
		}
		if n := s.WireLen(); n != len(b) {
			t.Fatalf("WireLen %d, want %d", n, len(b))
		}
		before := s.Options
		s.Options.Raw = nil
		once := s.AppendTo(nil, six1, six2, ChecksumFull)
		if VerifyTCP(six1, six2, once) != ChecksumGood {
			t.Fatal("bad checksum")
		}
		var again Segment
		if why := again.Decode(once); why != OK && why != OptionSize {
			t.Fatalf("our own segment %x is refused: %v", once, why)
		}
		if !bytes.Equal(again.Payload, s.Payload) || again.Seq != s.Seq || again.Flags != s.Flags {
			t.Fatalf("%+v, want %+v", again, s)
		}
		raw := again.Options.Raw
		again.Options.Raw = nil
		if twice := again.Options.AppendTo(nil); !bytes.Equal(twice, raw) {
			t.Fatalf("options %x, then %x", raw, twice)
		}
		// With timestamps and all that a SYN has, two blocks find room.
		before.Raw = nil
		if len(before.Other) == 0 && before.SACKLen <= 2 && !reflect.DeepEqual(again.Options, before) {
			t.Fatalf("options %+v, want %+v", again.Options, before)
		}
	})
}

// FuzzIPv4: what is decoded is encoded to the same bytes.
func FuzzIPv4(f *testing.F) {
	f.Add((&IPv4{TTL: 1, Protocol: ProtoTCP, Src: svr4, Dst: bsdi, Payload: []byte("abc")}).AppendTo(nil))
	f.Add((&IPv4{More: true, Offset: 8, Src: svr4, Dst: bsdi, Options: []byte{7, 7, 4, 1, 2, 3, 4, 0}}).AppendTo(nil))
	f.Add((&IPv4{DF: true, Reserved: true, Src: svr4, Dst: bsdi}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h IPv4
		why := h.Decode(b)
		if why != OK && why != BadChecksum {
			return
		}
		if why == OK {
			// "Minus zero" and zero are the same sum.
			if sum := h.Checksum; sum != 0 && sum != 0xffff {
				f := bytes.Clone(b)
				if h.TTL > 1 && !Forward(f) {
					t.Fatal("not forwarded")
				}
				var forwarded IPv4
				if why := forwarded.Decode(f); why != OK {
					t.Fatalf("%x forwarded as %x: %v", b, f, why)
				}
			}
		}
		want := bytes.Clone(b[:h.HeaderLen()+len(h.Payload)])
		got := h.AppendTo(nil)
		if why != OK || h.Checksum == 0xffff {
			copy(want[10:12], got[10:12])
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("encoded %x, want %x", got, want)
		}
		fragments, why := h.Fragments(68)
		if why != OK && why != MTUTooSmall {
			t.Fatal(why)
		}
		n := 0
		for _, f := range fragments {
			n += len(f.Payload)
			if f.HeaderLen()+len(f.Payload) > 68 {
				t.Fatalf("a fragment of %d and %d bytes", f.HeaderLen(), len(f.Payload))
			}
		}
		if why == OK && n != len(h.Payload) {
			t.Fatalf("fragments of %d bytes, want %d", n, len(h.Payload))
		}
	})
}

// FuzzIPv6: what is decoded is encoded to the same bytes.
func FuzzIPv6(f *testing.F) {
	f.Add((&IPv6{Protocol: ProtoTCP, Src: six1, Dst: six2, Payload: []byte("abc")}).AppendTo(nil))
	f.Add((&IPv6{
		NextHeader: ProtoHopByHop, Src: six1, Dst: six2, Payload: []byte("abc"),
		Extensions: []byte{60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 2, 3, 4},
	}).AppendTo(nil))
	f.Add((&IPv6{Protocol: ProtoUDP, Src: six1, Dst: six2, More: true, Offset: 8, ID: 1, Payload: []byte("abc")}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h IPv6
		if why := h.Decode(b); why != OK {
			return
		}
		want := bytes.Clone(b[:h.HeaderLen()+len(h.Payload)])
		if h.IsFragment() { // reserved bits are not kept
			at := h.HeaderLen() - fragmentHeaderLen
			want[at+1] = 0
			want[at+3] &^= 6
		}
		if got := h.AppendTo(nil); !bytes.Equal(got, want) {
			t.Fatalf("encoded %x, want %x", got, want)
		}
		fragments, why := h.Fragments(128, 7)
		if why != OK && why != MTUTooSmall {
			t.Fatal(why)
		}
		for _, f := range fragments {
			b := f.AppendTo(nil)
			if len(b) > 128 {
				t.Fatalf("a fragment of %d bytes", len(b))
			}
			var again IPv6
			if why := again.Decode(b); why != OK || !bytes.Equal(again.Payload, f.Payload) {
				t.Fatalf("fragment %x: %v, %x", b, why, again.Payload)
			}
		}
	})
}

// FuzzICMP: what is decoded is encoded to the same bytes, and what it quotes
// can be read. ARP and UDP, which are as short, come along.
func FuzzICMP(f *testing.F) {
	s := Segment{SrcPort: 1037, DstPort: 9, Seq: 7, Payload: []byte("data")}
	v4 := IPv4{TTL: 1, Protocol: ProtoTCP, Src: svr4, Dst: bsdi, Payload: s.AppendTo(nil, svr4, bsdi, ChecksumFull)}
	v6 := IPv6{HopLimit: 1, Protocol: ProtoTCP, Src: six1, Dst: six2, Payload: s.AppendTo(nil, six1, six2, ChecksumFull)}
	f.Add((&ICMPv4{Type: ICMPv4Echo, Rest: 1, Body: []byte("ping")}).AppendTo(nil))
	f.Add((&ICMPv4{Type: ICMPv4Unreachable, Code: FragmentationNeeded, Rest: 296, Body: QuoteIPv4(v4.AppendTo(nil), 8)}).AppendTo(nil))
	f.Add((&ICMPv6{Type: ICMPv6PacketTooBig, Rest: 1280, Body: QuoteIPv6(v6.AppendTo(nil))}).AppendTo(nil, six1, six2, ChecksumFull))
	f.Add((&UDP{SrcPort: 1, DstPort: 2, Payload: []byte("abc")}).AppendTo(nil, svr4, bsdi, ChecksumFull))
	f.Add((&ARP{Op: ARPReply, SenderIP: svr4, TargetIP: bsdi}).AppendTo(nil))
	quoted := func(t *testing.T, q Quote, why Reason) {
		if why != OK {
			return
		}
		src, dst, ports := q.Ports()
		number, numbered := q.Seq()
		var s Segment
		if !numbered || s.Decode(q.Data) != OK {
			return
		}
		if !ports || s.SrcPort != src || s.DstPort != dst || s.Seq != number {
			t.Fatalf("ports %d and %d (%v), number %d of %+v", src, dst, ports, number, s)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m4 ICMPv4
		if why := m4.Decode(b); why == OK || why == BadChecksum {
			got := m4.AppendTo(nil)
			copy(got[2:4], b[2:4])
			if !bytes.Equal(got, b) || m4.String() == "" {
				t.Fatalf("encoded %x, want %x", got, b)
			}
			q, why := m4.Quoted()
			quoted(t, q, why)
		}
		var m6 ICMPv6
		if m6.Decode(b) == OK {
			if got := m6.AppendTo(nil, six1, six2, ChecksumKeep); !bytes.Equal(got, b) || m6.String() == "" {
				t.Fatalf("encoded %x, want %x", got, b)
			}
			q, why := m6.Quoted()
			quoted(t, q, why)
		}
		var a ARP
		if a.Decode(b) == OK {
			if got := a.AppendTo(nil); !bytes.Equal(got, b[:arpLen]) {
				t.Fatalf("encoded %x, want %x", got, b)
			}
		}
		var u UDP
		if u.Decode(b) == OK {
			want := b[:udpHeaderLen+len(u.Payload)]
			if got := u.AppendTo(nil, svr4, bsdi, ChecksumKeep); !bytes.Equal(got, want) {
				t.Fatalf("encoded %x, want %x", got, want)
			}
		}
		VerifyUDP(svr4, bsdi, b)
	})
}

// FuzzChecksum: the sum is that of two bytes a step, however it is cut.
func FuzzChecksum(f *testing.F) {
	f.Add([]byte{}, 0, 0)
	f.Add([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, 3, 5)
	f.Add(bytes.Repeat([]byte{0xff}, 200), 64, 129)
	f.Fuzz(func(t *testing.T, b []byte, i, j int) {
		want := Sum(plainSum(b))
		if got := SumOf(b); got != want {
			t.Fatalf("%#04x, want %#04x", got, want)
		}
		// In three parts, each at an even or an odd distance.
		i = int(uint(i) % uint(len(b)+1))
		j = i + int(uint(j)%uint(len(b)-i+1))
		got := SumOf(b[:i])
		for _, part := range []struct {
			at int
			b  []byte
		}{{i, b[i:j]}, {j, b[j:]}} {
			if part.at%2 == 0 {
				got = got.Add(part.b)
			} else {
				got = got.Plus(SumOf(part.b).Odd())
			}
		}
		if got != want {
			t.Fatalf("in parts %#04x, want %#04x", got, want)
		}
		if len(b) >= 2 {
			// A new word, with the sum brought up to date.
			old := want.Checksum()
			was, is := uint16(b[0])<<8|uint16(b[1]), uint16(i)
			changed := bytes.Clone(b)
			changed[0], changed[1] = byte(is>>8), byte(is)
			got, want := Sum(^UpdateChecksum(old, was, is)), SumOf(changed)
			// "Minus zero" and zero are the same sum.
			if got%0xffff != want%0xffff {
				t.Fatalf("up to date %#04x, want %#04x", got, want)
			}
		}
	})
}

// FuzzReassembly delivers any fragments of a few datagrams whose every byte
// is known, both as IPv4 and as IPv6: what comes out whole has those bytes.
// Three bytes say one fragment: offset, length, and then datagram, more, last.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte{0, 8, 1, 1, 8, 1, 2, 5, 0})
	f.Add([]byte{2, 5, 0, 1, 8, 1, 0, 8, 1})
	f.Add([]byte{0, 16, 1, 1, 16, 1, 2, 8, 0, 0, 8, 5, 1, 8, 4})
	f.Add([]byte{255, 255, 0, 0, 0, 1, 7, 8, 0})
	content := func(id, offset, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte((offset+i)*(2*id+3) + (offset+i)/256)
		}
		return b
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		limits := Limits{Datagrams: 5, Fragments: 40, Bytes: 20000}
		r := NewReassembler(limits)
		for n := 0; len(script) >= 3; n++ {
			offset, length, rest := int(script[0])*8, int(script[1]), int(script[2])
			script = script[3:]
			id, more := rest>>2%8, rest&1 != 0
			if rest&2 != 0 { // far out
				offset += 65536 - 256*8
				length *= 8
			}
			data := content(id, offset, length)
			now := at(float64(n))
			var whole bool
			var got []byte
			if id < 4 {
				h := IPv4{Src: svr4, Dst: bsdi, ID: uint16(id), More: more, Offset: offset, Payload: data}
				whole, _ = r.IPv4(now, &h)
				got = h.Payload
			} else {
				h := IPv6{Src: six1, Dst: six2, Protocol: ProtoTCP, ID: uint32(id), More: more, Offset: offset, Payload: data}
				whole, _ = r.IPv6(now, &h)
				got = h.Payload
			}
			if whole && (len(got) > maxPacket || !bytes.Equal(got, content(id, 0, len(got)))) {
				t.Fatalf("datagram %d is %x", id, got)
			}
			if r.Len() > limits.Datagrams || r.bytes > limits.Bytes || r.bytes < 0 {
				t.Fatalf("%d datagrams, %d bytes", r.Len(), r.bytes)
			}
			for _, p := range r.partials {
				if len(p.pieces) > limits.Fragments {
					t.Fatalf("%d fragments", len(p.pieces))
				}
			}
			if n%16 == 15 {
				r.Expire(now)
				if when, ok := r.NextDeadline(); ok && when <= now {
					t.Fatal("the deadline is over, but what it was for is still there")
				}
			}
		}
		r.Expire(at(1e6))
		if r.Len() != 0 || r.bytes != 0 {
			t.Fatalf("%d datagrams and %d bytes are left", r.Len(), r.bytes)
		}
	})
}
