package wire

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

func TestIPv4Bytes(t *testing.T) {
	for _, test := range []struct {
		name string
		h    IPv4
		hex  string
	}{
		{
			"plain",
			IPv4{
				TOS: 0x10, ID: 0x1234, DF: true, TTL: 64, Protocol: ProtoTCP,
				Src: svr4, Dst: bsdi, Options: []byte{}, Payload: []byte("abc"), Checksum: 0xf45f,
			},
			`45 10 0017 1234 4000 40 06 f45f 8cfc0d22 8cfc0d23 616263`,
		},
		{
			"a fragment in the middle, with a record route option",
			IPv4{
				ID: 26304, More: true, Offset: 1480, TTL: 255, Protocol: ProtoUDP,
				Src: bsdi, Dst: svr4, Options: []byte{7, 7, 4, 1, 2, 3, 4, 0}, Payload: []byte("12345678"),
				Checksum: 0xed06,
			},
			`47 00 0024 66c0 20b9 ff 11 ed06 8cfc0d23 8cfc0d22 07070401 02030400 3132333435363738`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.hex)
			if got := test.h.AppendTo([]byte("xyz"))[3:]; !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			var h IPv4
			padded := append(bytes.Clone(want), make([]byte, 20)...)
			if why := h.Decode(padded); why != OK {
				t.Fatal(why)
			}
			if !reflect.DeepEqual(h, test.h) {
				t.Errorf("decoded\n%+v, want\n%+v", h, test.h)
			}
		})
	}
}

func TestIPv4Refused(t *testing.T) {
	good := IPv4{TTL: 64, Protocol: ProtoTCP, Src: svr4, Dst: bsdi, Payload: []byte("abc")}
	for _, test := range []struct {
		name   string
		change func(b []byte) []byte
		why    Reason
	}{
		{"nothing", func([]byte) []byte { return nil }, Truncated},
		{"19 bytes", func(b []byte) []byte { return b[:19] }, Truncated},
		{"version 6", func(b []byte) []byte { b[0] = 0x65; return b }, BadVersion},
		{"header of 16 bytes", func(b []byte) []byte { b[0] = 0x44; return b }, HeaderLength},
		{"header past the end", func(b []byte) []byte { b[0] = 0x46; return b }, HeaderLength},
		{"total length within the header", func(b []byte) []byte { b[3] = 19; return b }, BadLength},
		{"total length past the end", func(b []byte) []byte { b[3] = 24; return b }, Truncated},
		{"a bit flipped", func(b []byte) []byte { b[8] ^= 1; return b }, BadChecksum},
	} {
		var h IPv4
		if why := h.Decode(test.change(good.AppendTo(nil))); why != test.why {
			t.Errorf("%s: %v, want %v", test.name, why, test.why)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		packet   []byte
		header   int
		src, dst netip.Addr
	}{
		{(&IPv4{Protocol: ProtoTCP, Src: svr4, Dst: bsdi}).AppendTo(nil), 20, svr4, bsdi},
		{(&IPv6{Protocol: ProtoTCP, Src: six1, Dst: six2}).AppendTo(nil), 40, six1, six2},
	} {
		if src, dst := Addresses(test.packet); src != test.src || dst != test.dst {
			t.Errorf("%v > %v, want %v > %v", src, dst, test.src, test.dst)
		}
		if src, dst := Addresses(test.packet[:test.header-1]); src.IsValid() || dst.IsValid() {
			t.Errorf("%v > %v, of a header that is not whole", src, dst)
		}
	}
	if src, dst := Addresses(append([]byte{0x50}, make([]byte, 64)...)); src.IsValid() || dst.IsValid() {
		t.Errorf("%v > %v, of what is not IP", src, dst)
	}
}

func TestForward(t *testing.T) {
	h := IPv4{ID: 0xffff, TTL: 255, Protocol: ProtoTCP, Src: svr4, Dst: bsdi}
	b := h.AppendTo(nil)
	for ttl := uint8(254); ttl > 0; ttl-- {
		if !Forward(b) {
			t.Fatalf("not forwarded to TTL %d", ttl)
		}
		if why := h.Decode(b); why != OK || h.TTL != ttl {
			t.Fatalf("TTL %d, want %d: %v", h.TTL, ttl, why)
		}
	}
	last := bytes.Clone(b)
	if Forward(b) || Forward(b[:19]) {
		t.Error("forwarded with a TTL of 1, or without a header")
	}
	if !bytes.Equal(b, last) {
		t.Error("the refused packet was changed")
	}

	h6 := IPv6{HopLimit: 2, Protocol: ProtoTCP, Src: six1, Dst: six2}
	b = h6.AppendTo(nil)
	if Forward(b[:39]) {
		t.Error("forwarded without a header")
	}
	if !Forward(b) || h6.Decode(b) != OK || h6.HopLimit != 1 {
		t.Errorf("hop limit %d, want 1", h6.HopLimit)
	}
	if Forward(b) || Forward(nil) || Forward([]byte{0x50}) {
		t.Error("forwarded what was used up, or is no IP")
	}
}

func TestIPv6Bytes(t *testing.T) {
	for _, test := range []struct {
		name string
		h    IPv6
		hex  string // behind the addresses
	}{
		{
			"plain",
			IPv6{TrafficClass: 0xb8, FlowLabel: 0xabcde, NextHeader: ProtoTCP, Protocol: ProtoTCP, Payload: []byte("abc")},
			`6b8abcde 0003 06 40 / 616263`,
		},
		{
			"every header that can be passed over",
			IPv6{
				NextHeader: ProtoHopByHop, Protocol: ProtoUDP, Payload: []byte("abc"),
				Extensions: []byte{
					60, 0, 5, 2, 0, 0, 1, 0, // hop-by-hop: router alert
					43, 1, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, // destination: padding
					44, 0, 0, 0, 0, 0, 0, 0, // routing: no segments left
					17, 0, 0, 0, 1, 2, 3, 4, // fragment: but all of it
				},
			},
			`60000000 002b 00 40 / 3c00 0502 0000 0100 2b01 0000 0000 0108 0000000000000000
				2c00 0000 00000000 1100 0000 01020304 616263`,
		},
		{
			"the first fragment, behind destination options",
			IPv6{
				NextHeader: ProtoDestination, Protocol: ProtoUDP, Payload: []byte("12345678"),
				Extensions: []byte{44, 0, 1, 4, 0, 0, 0, 0}, More: true, ID: 0xfeedbeef,
			},
			`60000000 0018 3c 40 / 2c00 0104 00000000 1100 0001 feedbeef 3132333435363738`,
		},
		{
			"the last fragment",
			IPv6{NextHeader: ProtoFragment, Protocol: ProtoDestination, Payload: []byte("1"), Offset: 65528, ID: 1},
			`60000000 0009 2c 40 / 3c00 fff8 00000001 31`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.h.Src, test.h.Dst, test.h.HopLimit = six1, six2, 64
			addresses := append(six1.AsSlice(), six2.AsSlice()...)
			before, after, _ := bytes.Cut([]byte(test.hex), []byte("/"))
			want := append(unhex(t, string(before)), addresses...)
			want = append(want, unhex(t, string(after))...)
			if got := test.h.AppendTo([]byte("xyz"))[3:]; !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			var h IPv6
			if why := h.Decode(append(bytes.Clone(want), 1, 2, 3)); why != OK {
				t.Fatal(why)
			}
			if len(h.Extensions) == 0 {
				h.Extensions = nil
			}
			if !reflect.DeepEqual(h, test.h) {
				t.Errorf("decoded\n%+v, want\n%+v", h, test.h)
			}
		})
	}
}

func TestIPv6Refused(t *testing.T) {
	packet := func(next Protocol, hex string) []byte {
		h := IPv6{Src: six1, Dst: six2, Protocol: next, Payload: unhex(t, hex)}
		return h.AppendTo(nil)
	}
	short := packet(ProtoTCP, `0102`)
	for _, test := range []struct {
		name string
		b    []byte
		why  Reason
	}{
		{"nothing", nil, Truncated},
		{"39 bytes", short[:39], Truncated},
		{"payload past the end", short[:41], Truncated},
		{"version 4", append([]byte{0x45}, short[1:]...), BadVersion},
		{"a hop-by-hop header of 7 bytes", packet(ProtoHopByHop, `06000104 000000`), Truncated},
		{"a hop-by-hop header past the end", packet(ProtoHopByHop, `06010104 00000000`), Truncated},
		{"a fragment header of 7 bytes", packet(ProtoFragment, `06000001 000000`), Truncated},
		{"hop-by-hop in second place", packet(ProtoDestination, `0000 0104 00000000 0600 0104 00000000`), ExtensionOrder},
		{"an option that says discard", packet(ProtoDestination, `0600 4200 00000000`), UnknownIPv6Option},
		{"the jumbo payload option", packet(ProtoHopByHop, `0600 c204 00010000`), UnknownIPv6Option},
		{"an option past the end", packet(ProtoDestination, `0600 0105 00000000`), OptionLength},
		{"an option without a length", packet(ProtoDestination, `0600 0103 00000001`), OptionLength},
		{"a source route", packet(ProtoRouting, `0600 0001 00000000`), SourceRouted},
		{"no next header", packet(ProtoNoNext, `0102`), OK},
	} {
		var h IPv6
		if why := h.Decode(test.b); why != test.why {
			t.Errorf("%s: %v, want %v", test.name, why, test.why)
		}
	}
}

// TestMixedFamilies has addresses of the family that a header is not for: that
// is the caller's mistake, but no reason to panic.
func TestMixedFamilies(t *testing.T) {
	v4 := IPv4{Src: six1, Dst: netip.Addr{}}
	if why := new(IPv4).Decode(v4.AppendTo(nil)); why != OK {
		t.Error(why)
	}
	v6 := IPv6{Src: svr4, Dst: netip.Addr{}, Protocol: ProtoTCP}
	if why := new(IPv6).Decode(v6.AppendTo(nil)); why != OK {
		t.Error(why)
	}
	s := Segment{}
	if b := s.AppendTo(nil, svr4, six1, ChecksumFull); VerifyTCP(svr4, six1, b) != ChecksumGood {
		t.Error("bad checksum")
	}
}

func TestUDP(t *testing.T) {
	u := UDP{SrcPort: 1110, DstPort: 9, Payload: []byte("hi!")}
	want := unhex(t, `0456 0009 000b 3dd2 686921`)
	got := u.AppendTo([]byte("xyz"), bsdi, svr4, ChecksumFull)[3:]
	if !bytes.Equal(got, want) {
		t.Errorf("encoded %x, want %x", got, want)
	}
	var d UDP
	if why := d.Decode(want); why != OK {
		t.Fatal(why)
	}
	u.Checksum = 0x3dd2
	if !reflect.DeepEqual(d, u) {
		t.Errorf("decoded %+v, want %+v", d, u)
	}
	for _, test := range []struct {
		hex string
		why Reason
	}{
		{`0456 0009 000b 00`, Truncated},
		{`0456 0009 0007 0000 6869`, BadLength},
		{`0456 0009 000b 0000 6869`, Truncated},
		{`0456 0009 0008 0000 6869`, OK},
	} {
		if why := d.Decode(unhex(t, test.hex)); why != test.why {
			t.Errorf("%s: %v, want %v", test.hex, why, test.why)
		}
	}
}

func TestARP(t *testing.T) {
	a := ARP{
		Op: ARPRequest, SenderMAC: MAC{0, 0, 0xc0, 0x6f, 0x2d, 0x40}, SenderIP: bsdi,
		TargetIP: svr4,
	}
	want := unhex(t, `0001 0800 06 04 0001 0000c06f2d40 8cfc0d23 000000000000 8cfc0d22`)
	if got := a.AppendTo([]byte("xyz"))[3:]; !bytes.Equal(got, want) {
		t.Errorf("encoded %x, want %x", got, want)
	}
	var d ARP
	// An Ethernet frame is at least 46 bytes: 18 of padding follow.
	if why := d.Decode(append(want, make([]byte, 18)...)); why != OK || d != a {
		t.Errorf("decoded %+v (%v), want %+v", d, why, a)
	}
	if got := a.SenderMAC.String(); got != "0:0:c0:6f:2d:40" {
		t.Errorf("the sender is %s", got)
	}
	if got := Broadcast().String(); got != "ff:ff:ff:ff:ff:ff" {
		t.Errorf("everybody is %s", got)
	}
	if why := d.Decode(want[:27]); why != Truncated {
		t.Errorf("27 bytes: %v", why)
	}
	for i := range 6 {
		b := bytes.Clone(want)
		b[i]++
		if why := d.Decode(b); why != NotEthernetIPv4 {
			t.Errorf("byte %d changed: %v", i, why)
		}
	}
}

// TestNames has what a trace prints of the small enumerations.
func TestNames(t *testing.T) {
	for _, test := range []struct {
		names []string
		name  func(int) string
	}{
		{[]string{
			"ok", "truncated", "bad header length", "bad length", "bad checksum", "bad IP version",
			"hop-by-hop header not first", "unknown IPv6 option", "source routed", "bad option length",
			"wrong option size", "not Ethernet and IPv4", "not neighbor discovery", "not from this link",
			"bad neighbor discovery", "fragment of a bad size",
			"fragment beyond 65535 bytes", "duplicate fragment", "overlapping fragments",
			"fragment within a fragment", "no room for fragments", "MTU too small", "reason-22",
		}, func(i int) string { return Reason(i).String() }},
		{[]string{"bad", "good", "offloaded", "absent", "unknown"}, func(i int) string { return ChecksumState(i).String() }},
	} {
		for i, want := range test.names {
			if got := test.name(i); got != want {
				t.Errorf("%d is %q, want %q", i, got, want)
			}
		}
	}
	for p, want := range map[Protocol]string{
		0: "hop-by-hop", 1: "icmp", 2: "proto-2", 6: "tcp", 17: "udp", 43: "routing", 44: "fragment",
		58: "icmp6", 59: "no-next-header", 60: "destination-options",
	} {
		if got := p.String(); got != want {
			t.Errorf("protocol %d is %q, want %q", uint8(p), got, want)
		}
	}
}
