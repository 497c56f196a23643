package wire

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// at returns the time that is s seconds after the tests began.
func at(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// pattern returns n bytes of which no two stretches of 8 are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i/8*7 + i)
	}
	return b
}

// TestFragmentsOfTheBook has the datagrams of Fig 11-7: with 1472 bytes of
// data whole, with 1473 in two fragments.
func TestFragmentsOfTheBook(t *testing.T) {
	for _, test := range []struct {
		data int
		want []int // bytes of each fragment, without the IP header
	}{
		{1471, []int{1479}},
		{1472, []int{1480}},
		{1473, []int{1480, 1}},
		{1474, []int{1480, 2}},
		{8192, []int{1480, 1480, 1480, 1480, 1480, 800}},
	} {
		u := UDP{SrcPort: 1110, DstPort: 9, Payload: pattern(test.data)}
		h := IPv4{ID: 26304, TTL: 255, Protocol: ProtoUDP, Src: bsdi, Dst: svr4}
		h.Payload = u.AppendTo(nil, bsdi, svr4, ChecksumFull)
		all, why := h.Fragments(1500)
		if why != OK {
			t.Fatal(why)
		}
		var got []int
		offset := 0
		for i, f := range all {
			got = append(got, len(f.Payload))
			if f.Offset != offset || f.More != (i < len(all)-1) || f.ID != 26304 {
				t.Errorf("%d bytes, fragment %d: %d@%d, more %v", test.data, i, f.ID, f.Offset, f.More)
			}
			if n := len(f.AppendTo(nil)); n > 1500 {
				t.Errorf("fragment %d is a packet of %d bytes", i, n)
			}
			offset += len(f.Payload)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%d bytes: fragments of %d, want %d", test.data, got, test.want)
		}
	}
}

// TestFragmentOptions has an option with the copied flag, and one without.
func TestFragmentOptions(t *testing.T) {
	route, record := []byte{0x83, 7, 4, 1, 2, 3, 4}, []byte{7, 7, 4, 0, 0, 0, 0}
	options := append(append([]byte{1}, record...), append(route, 0)...)
	h := IPv4{Protocol: ProtoUDP, Src: bsdi, Dst: svr4, Options: options, Payload: pattern(100)}
	all, why := h.Fragments(68)
	if why != OK {
		t.Fatal(why)
	}
	for i, f := range all {
		want, room := route, 40
		if i == 0 {
			want, room = options, 32
		}
		if !bytes.Equal(f.Options, want) {
			t.Errorf("fragment %d: options %x, want %x", i, f.Options, want)
		}
		if f.More && len(f.Payload) != room {
			t.Errorf("fragment %d has %d bytes, want %d", i, len(f.Payload), room)
		}
	}
	for _, bad := range [][]byte{{0x83}, {0x83, 0}, {0x83, 1}, {0x83, 9}} {
		if got := copiedOptions(bad); got != nil {
			t.Errorf("of %x, %x is copied", bad, got)
		}
	}
}

func TestMTUTooSmall(t *testing.T) {
	h4, h6 := IPv4{Payload: pattern(100)}, IPv6{Payload: pattern(100)}
	for _, mtu := range []int{-1, 0, 20, 27} {
		if _, why := h4.Fragments(mtu); why != MTUTooSmall {
			t.Errorf("IPv4, %d: %v", mtu, why)
		}
		if _, why := h6.Fragments(mtu+28, 1); why != MTUTooSmall {
			t.Errorf("IPv6, %d: %v", mtu+28, why)
		}
	}
	if all, why := h4.Fragments(28); why != OK || len(all) != 13 {
		t.Errorf("IPv4, 28: %d fragments, %v", len(all), why)
	}
	if all, why := h6.Fragments(56, 1); why != OK || len(all) != 13 {
		t.Errorf("IPv6, 56: %d fragments, %v", len(all), why)
	}
}

// TestReassembly splits datagrams, splits the fragments again as a second
// router does, and delivers them in any order, some of them twice.
func TestReassembly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		h := IPv4{
			ID: uint16(rnd.Uint32()), TTL: 9, Protocol: ProtoUDP, Src: bsdi, Dst: svr4,
			Options: []byte{7, 7, 4, 0, 0, 0, 0, 0}, Payload: pattern(1 + rnd.IntN(3000)),
		}
		var pieces []IPv4
		all, _ := h.Fragments(68 + rnd.IntN(1500))
		for _, f := range all {
			again, _ := f.Fragments(68 + rnd.IntN(1500))
			pieces = append(pieces, again...)
		}
		if len(pieces) == 1 {
			continue
		}
		r := NewReassembler(Limits{})
		rnd.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		for i := range pieces {
			f := pieces[i]
			whole, why := r.IPv4(at(0), &f)
			if whole != (i == len(pieces)-1) || why != OK {
				t.Fatalf("fragment %d of %d: whole %v, %v", i, len(pieces), whole, why)
			}
			if whole {
				f.Checksum = 0
				if !reflect.DeepEqual(f, h) {
					t.Fatalf("got %+v, want %+v", f, h)
				}
				break
			}
			twice := pieces[rnd.IntN(i+1)]
			if whole, why := r.IPv4(at(0), &twice); whole || why != FragmentDuplicate {
				t.Fatalf("a duplicate: whole %v, %v", whole, why)
			}
		}
		if r.Len() != 0 || r.bytes != 0 {
			t.Fatalf("%d datagrams and %d bytes are left", r.Len(), r.bytes)
		}
	}
}

func TestReassemblyIPv6(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for _, test := range []struct {
		name string
		h    IPv6
	}{
		{"plain", IPv6{NextHeader: ProtoUDP, Protocol: ProtoUDP}},
		{"with extension headers", IPv6{NextHeader: ProtoHopByHop, Protocol: ProtoUDP, Extensions: []byte{
			60, 0, 1, 4, 0, 0, 0, 0,
			17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		}}},
	} {
		test.h.Src, test.h.Dst, test.h.HopLimit = six1, six2, 64
		test.h.Payload = pattern(5000)
		all, why := test.h.Fragments(1280, 0xfeedbeef)
		if why != OK || len(all) < 4 {
			t.Fatalf("%s: %d fragments, %v", test.name, len(all), why)
		}
		r := NewReassembler(Limits{})
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i := range all {
			b := all[i].AppendTo(nil)
			if len(b) > 1280 {
				t.Errorf("%s: a fragment of %d bytes", test.name, len(b))
			}
			var f IPv6
			if why := f.Decode(b); why != OK || f.ID != 0xfeedbeef {
				t.Fatalf("%s: %v, id %#x", test.name, why, f.ID)
			}
			whole, why := r.IPv6(at(0), &f)
			if whole != (i == len(all)-1) || why != OK {
				t.Fatalf("%s, fragment %d: whole %v, %v", test.name, i, whole, why)
			}
			if whole && !bytes.Equal(f.AppendTo(nil), test.h.AppendTo(nil)) {
				t.Errorf("%s:\n%+v, want\n%+v", test.name, f, test.h)
			}
		}
	}
}

// script delivers fragments of 8-byte units, written "first-last": with a "+"
// if more follow, with a letter before if it is of another datagram. It
// returns what became of each.
func script(r *Reassembler, six bool, text string) string {
	var out []string
	for word := range strings.FieldsSeq(text) {
		id := uint16(0)
		if word[0] >= 'a' {
			id = uint16(word[0])
			word = word[1:]
		}
		first, last := int(word[0]-'0'), int(word[2]-'0')
		more := strings.HasSuffix(word, "+")
		data := pattern(80)[first*8 : last*8+8]
		if strings.Contains(word, "!") { // other bytes than the rest
			data = make([]byte, len(data))
		}
		var whole bool
		var why Reason
		if six {
			h := IPv6{Src: six1, Dst: six2, Protocol: ProtoUDP, ID: uint32(id), More: more, Offset: first * 8, Payload: data}
			whole, why = r.IPv6(at(0), &h)
		} else {
			h := IPv4{Src: svr4, Dst: bsdi, Protocol: ProtoUDP, ID: id, More: more, Offset: first * 8, Payload: data}
			whole, why = r.IPv4(at(0), &h)
		}
		switch {
		case whole:
			out = append(out, "whole")
		case why == OK:
			out = append(out, "kept")
		default:
			out = append(out, why.String())
		}
	}
	return strings.Join(out, ", ")
}

func TestReassemblyOverlap(t *testing.T) {
	const overlap = "overlapping fragments"
	for _, test := range []struct {
		name, in string
		want4    string
		want6    string
	}{
		{"in order", "0-1+ 2-3+ 4-4", "kept, kept, whole", ""},
		{"backwards", "4-4 2-3+ 0-1+", "kept, kept, whole", ""},
		{"a duplicate", "0-1+ 0-1+ 2-2", "kept, duplicate fragment, whole", ""},
		{"a last duplicate", "2-2 2-2 0-1+", "kept, duplicate fragment, whole", ""},
		{
			"the same place, other bytes", "0-1+ 0-1!+ 2-2 0-1+",
			"kept, " + overlap + ", kept, whole", "kept, " + overlap + ", " + overlap + ", " + overlap,
		},
		{
			"over the one before", "0-1+ 1-2+ 3-3",
			"kept, " + overlap + ", kept", "kept, " + overlap + ", " + overlap,
		},
		{"over the one behind", "2-3+ 1-2+", "kept, " + overlap, ""},
		{"within another", "0-3+ 1-2+", "kept, " + overlap, ""},
		{"around another", "1-2+ 0-3+", "kept, " + overlap, ""},
		{"a second end, further on", "2-2 4-4", "kept, " + overlap, ""},
		{"a second end, before", "4-4 2-2", "kept, " + overlap, ""},
		{"an end before what is there", "3-4+ 1-2", "kept, " + overlap, ""},
		{"more behind the end", "1-2 3-4+", "kept, " + overlap, ""},
		{"more at the end", "2-2 2-2+", "kept, " + overlap, ""},
		{"an end where there was more", "2-2+ 2-2", "kept, " + overlap, ""},
		{"two datagrams", "a0-0+ b0-0+ a1-1 b1-1", "kept, kept, whole, whole", ""},
	} {
		if test.want6 == "" {
			test.want6 = test.want4
		}
		for _, six := range []bool{false, true} {
			want := test.want4
			if six {
				want = test.want6
			}
			if got := script(NewReassembler(Limits{}), six, test.in); got != want {
				t.Errorf("%s (IPv6 %v): %s; want %s", test.name, six, got, want)
			}
		}
	}
}

func TestReassemblyLimits(t *testing.T) {
	const full = "no room for fragments"
	for _, test := range []struct {
		name     string
		limits   Limits
		in, want string
	}{
		{"datagrams", Limits{Datagrams: 2}, "a0-0+ b0-0+ c0-0+ a1-1 c0-0+", "kept, kept, " + full + ", whole, kept"},
		{"fragments", Limits{Fragments: 2}, "0-0+ 1-1+ 2-2", "kept, kept, " + full},
		{"bytes", Limits{Bytes: 200}, "1-1+ 2-2+ 3-3+", "kept, kept, " + full},
		{"bytes of the first", Limits{Bytes: 90}, "0-0+ 1-1", full + ", kept"},
	} {
		for _, six := range []bool{false, true} {
			if six && test.name == "bytes of the first" {
				test.limits.Bytes = 110 // its header is longer
			}
			if got := script(NewReassembler(test.limits), six, test.in); got != test.want {
				t.Errorf("%s (IPv6 %v): %s; want %s", test.name, six, got, test.want)
			}
		}
	}
}

func TestReassemblyRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		more   bool
		offset int
		data   int
		why    Reason
	}{
		{"not a multiple of 8", true, 0, 15, FragmentSize},
		{"empty", true, 8, 0, FragmentSize},
		{"empty and last", false, 8, 0, FragmentSize},
		{"the ping of death", false, 65528, 40, FragmentTooFar},
		{"whole", false, 0, 15, OK},
	} {
		r := NewReassembler(Limits{})
		h4 := IPv4{Src: svr4, Dst: bsdi, More: test.more, Offset: test.offset, Payload: make([]byte, test.data)}
		h6 := IPv6{Src: six1, Dst: six2, More: test.more, Offset: test.offset, Payload: make([]byte, test.data)}
		whole4, why4 := r.IPv4(at(0), &h4)
		whole6, why6 := r.IPv6(at(0), &h6)
		whole := test.why == OK
		if why4 != test.why || why6 != test.why || whole4 != whole || whole6 != whole {
			t.Errorf("%s: %v (%v) and %v (%v), want %v", test.name, why4, whole4, why6, whole6, test.why)
		}
		if r.Len() != 0 {
			t.Errorf("%s: something is kept", test.name)
		}
	}
}

// TestReassemblyTooLong has a first fragment with options: with them, what all
// fragments make is longer than a packet can be.
func TestReassemblyTooLong(t *testing.T) {
	r := NewReassembler(Limits{})
	last := IPv4{Src: svr4, Dst: bsdi, Offset: 65504, Payload: make([]byte, 8)}
	first := IPv4{Src: svr4, Dst: bsdi, More: true, Options: make([]byte, 40), Payload: make([]byte, 65400)}
	rest := IPv4{Src: svr4, Dst: bsdi, More: true, Offset: 65400, Payload: make([]byte, 104)}
	for _, h := range []*IPv4{&last, &first} {
		if whole, why := r.IPv4(at(0), h); whole || why != OK {
			t.Fatal(whole, why)
		}
	}
	if whole, why := r.IPv4(at(0), &rest); whole || why != FragmentTooFar || r.Len() != 0 {
		t.Error(whole, why, r.Len())
	}
}

// TestRefusedWhenWhole has IPv6 fragments whose sum is refused.
func TestRefusedWhenWhole(t *testing.T) {
	for _, test := range []struct {
		name      string
		fragments []IPv6
		why       Reason
	}{
		{
			"an extension header within, with an option that says discard",
			[]IPv6{
				{Offset: 8, Payload: pattern(8)},
				{More: true, Protocol: ProtoDestination, Payload: []byte{17, 0, 0x42, 0, 0, 0, 0, 0}},
			},
			UnknownIPv6Option,
		},
		{
			"too long with the extension headers of the first",
			[]IPv6{
				{Offset: 65528, Payload: make([]byte, 7)},
				{More: true, Offset: 8, Payload: make([]byte, 65520)},
				{
					More: true, Protocol: ProtoUDP, Payload: make([]byte, 8),
					NextHeader: ProtoDestination, Extensions: []byte{44, 0, 1, 4, 0, 0, 0, 0},
				},
			},
			FragmentTooFar,
		},
	} {
		r := NewReassembler(Limits{})
		for i := range test.fragments {
			want := OK
			if i == len(test.fragments)-1 {
				want = test.why
			}
			if whole, why := r.IPv6(at(0), &test.fragments[i]); whole || why != want {
				t.Errorf("%s, fragment %d: whole %v, %v; want %v", test.name, i, whole, why, want)
			}
		}
		if r.Len() != 0 {
			t.Errorf("%s: something is kept", test.name)
		}
	}
}

func TestFragmentWithinFragment(t *testing.T) {
	r := NewReassembler(Limits{})
	first := IPv6{
		Src: six1, Dst: six2, Protocol: ProtoFragment, More: true,
		Payload: []byte{17, 0, 0, 1, 0, 0, 0, 9},
	}
	last := IPv6{Src: six1, Dst: six2, Protocol: ProtoFragment, Offset: 8, Payload: []byte("12345678")}
	if whole, why := r.IPv6(at(0), &first); whole || why != OK {
		t.Fatal(whole, why)
	}
	if whole, why := r.IPv6(at(0), &last); whole || why != FragmentNested {
		t.Error(whole, why)
	}
}

func TestReassemblyExpires(t *testing.T) {
	r := NewReassembler(Limits{Timeout: 30 * time.Second})
	if _, ok := r.NextDeadline(); ok {
		t.Error("there is a deadline, but nothing waits")
	}
	first := IPv4{Src: svr4, Dst: bsdi, Protocol: ProtoUDP, ID: 1, TTL: 3, More: true, Payload: pattern(16)}
	second := IPv4{Src: svr4, Dst: bsdi, Protocol: ProtoUDP, ID: 2, TTL: 3, Offset: 16, Payload: pattern(16)}
	spoiled := IPv6{Src: six1, Dst: six2, Protocol: ProtoUDP, ID: 3, Offset: 16, Payload: pattern(16)}
	overlap := spoiled
	overlap.Offset = 8
	packet := first.AppendTo(nil)
	r.IPv4(at(0), &first)
	r.IPv4(at(1), &second)
	r.IPv6(at(2), &spoiled)
	if _, why := r.IPv6(at(3), &overlap); why != FragmentOverlap {
		t.Error(why)
	}
	if when, ok := r.NextDeadline(); !ok || when != at(30) {
		t.Errorf("the deadline is %v, %v", when, ok)
	}
	if got := r.Expire(at(29.9)); got != nil {
		t.Errorf("too early: %+v", got)
	}
	want := []Expired{{Src: svr4, Dst: bsdi, First: packet}}
	if got := r.Expire(at(30)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Of the second, fragment zero never came; the third is not told of.
	want = []Expired{{Src: svr4, Dst: bsdi}}
	if got := r.Expire(at(100)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if r.Len() != 0 || r.bytes != 0 {
		t.Errorf("%d datagrams and %d bytes are left", r.Len(), r.bytes)
	}
}
