package wire

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// names lists the options of b as a trace does, NOPs included.
func names(t *testing.T, b []byte) string {
	t.Helper()
	var all []string
	for len(b) > 0 {
		o, rest, why := NextOption(b)
		if why != OK {
			all = append(all, why.String())
			break
		}
		if o.Kind == KindEOL {
			all = append(all, fmt.Sprintf("%s*%d", o.Name(), len(b)))
			break
		}
		all = append(all, o.Name())
		b = rest
	}
	return strings.Join(all, ",")
}

func TestLayout(t *testing.T) {
	full := Options{
		HasMSS: true, MSS: 1460, HasScale: true, WindowScale: 10,
		SACKPermitted: true, HasTimestamps: true, TSVal: 1, TSEcr: 2,
	}
	for _, test := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"modern SYN", func(*Options) {}, "mss,sackOK,TS,nop,wscale"},
		{"modern SYN without timestamps", func(o *Options) { o.HasTimestamps = false }, "mss,nop,nop,sackOK,nop,wscale"},
		{"modern SYN without SACK", func(o *Options) { o.SACKPermitted = false }, "mss,nop,nop,TS,nop,wscale"},
		{"modern data", func(o *Options) { *o = Options{HasTimestamps: true} }, "nop,nop,TS"},
		{"modern ACK with 2 blocks", func(o *Options) {
			*o = Options{HasTimestamps: true, SACKLen: 2}
		}, "nop,nop,TS,nop,nop,sack"},
		{"4.4BSD SYN", func(o *Options) { o.SACKPermitted, o.Layout = false, LayoutBSD }, "mss,nop,wscale,nop,nop,TS"},
		{"plain SYN", func(o *Options) { *o = Options{HasMSS: true, MSS: 1024, Layout: LayoutBSD} }, "mss"},
		{"no layout at all", func(o *Options) { o.Layout = end }, "mss,wscale,sackOK,TS,eol*1"},
		{"NOPs behind", func(o *Options) {
			o.Layout = sackOK + nop + nop + end + scale + nop + end
		}, "sackOK,nop,nop,wscale,nop,mss,TS,eol*2"},
		{"unknown ones last", func(o *Options) {
			*o = Options{HasMSS: true, Other: []RawOption{{Kind: KindCC, Data: []byte{0, 0, 0, 1}}, {Kind: 77}}}
		}, "mss,cc,unknown-77"},
		{"no room for all the NOPs", func(o *Options) {
			*o = Options{HasMSS: true, Layout: Layout(strings.Repeat(nop, MaxOptionLen-3)) + mss + end}
		}, "mss"},
		{"no room for all of it", func(o *Options) {
			o.Other = []RawOption{{Kind: KindMD5, Data: make([]byte, 16)}, {Kind: KindMD5, Data: make([]byte, 19)}, {Kind: 77}}
		}, "mss,sackOK,TS,nop,wscale,md5,unknown-77"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := full
			test.change(&o)
			b := o.AppendTo(nil)
			if got := names(t, b); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if len(b)%4 != 0 || len(b) != o.Len() {
				t.Errorf("%d bytes, Len %d", len(b), o.Len())
			}
		})
	}
}

// TestLayoutBytes has the option part of the SYNs that the documents print.
func TestLayoutBytes(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Options
		hex  string
	}{
		{
			"mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 10",
			Options{
				HasMSS: true, MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 5,
				HasScale: true, WindowScale: 10,
			},
			`020405b4 0402 080a 00000005 00000000 01 03030a`,
		},
		{
			"<mss 512,nop,wscale 0,nop,nop,timestamp 146647 0>",
			Options{
				HasMSS: true, MSS: 512, HasScale: true, HasTimestamps: true, TSVal: 146647,
				Layout: LayoutBSD,
			},
			`02040200 01 030300 01 01 080a 00023cd7 00000000`,
		},
		{"<mss 1024>", Options{HasMSS: true, MSS: 1024}, `02040400`},
		{
			"two blocks",
			Options{SACKLen: 2, SACK: [4]SACKBlock{{1, 2}, {0xfffffff0, 4}}},
			`0101 0512 00000001 00000002 fffffff0 00000004`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.hex)
			if got := test.o.AppendTo(nil); !bytes.Equal(got, want) {
				t.Errorf("%x, want %x", got, want)
			}
			var o Options
			if why := o.Decode(want); why != OK {
				t.Fatal(why)
			}
			if !bytes.Equal(o.Raw, want) {
				t.Errorf("Raw is %x", o.Raw)
			}
			o.Raw, o.Layout = nil, test.o.Layout
			if !reflect.DeepEqual(o, test.o) {
				t.Errorf("%+v, want %+v", o, test.o)
			}
		})
	}
}

func TestSACKBlocksThatFit(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want uint8
	}{
		{Options{SACKLen: 4}, 4},
		{Options{SACKLen: 4, HasTimestamps: true}, 3},
		{Options{SACKLen: 4, HasTimestamps: true, HasMSS: true}, 2},
		{Options{SACKLen: 200}, 4},
	} {
		b := test.o.AppendTo(nil)
		var o Options
		if why := o.Decode(b); why != OK || o.SACKLen != test.want || len(b) > MaxOptionLen {
			t.Errorf("%+v: %d blocks in %d bytes (%v), want %d", test.o, o.SACKLen, len(b), why, test.want)
		}
	}
}

func TestLayoutText(t *testing.T) {
	for _, test := range []struct {
		l    Layout
		text string
	}{
		{LayoutModern, "mss sackOK,TS nop,nop,TS nop,nop,sackOK nop,wscale nop,nop,sack"},
		{LayoutBSD, "mss nop,wscale nop,nop,TS nop,nop,sackOK nop,nop,sack"},
		{"", ""},
	} {
		if got := test.l.String(); got != test.text {
			t.Errorf("%q, want %q", got, test.text)
		}
		if got, ok := ParseLayout(test.text); !ok || got != test.l {
			t.Errorf("parsed %q, %v, want %q", string(got), ok, string(test.l))
		}
	}
	for _, text := range []string{"mss,", "window", "mss eol", "mss;TS"} {
		if l, ok := ParseLayout(text); ok {
			t.Errorf("%q was parsed as %q", text, string(l))
		}
	}
}

// TestBadOptions has what must not loop and must not read past the end.
func TestBadOptions(t *testing.T) {
	mss := Options{HasMSS: true, MSS: 1024}
	with := func(o Options, other ...RawOption) Options {
		o.Other = other
		return o
	}
	for _, test := range []struct {
		name string
		hex  string
		why  Reason
		want Options
	}{
		{"length 0", `02040400 03000000`, OptionLength, mss},
		{"length 1", `02040400 08010000`, OptionLength, mss},
		{"length past the end", `02040400 080a0000`, OptionLength, mss},
		{"kind without length", `02040400 01010103`, OptionLength, mss},
		{"length 255", `02040400 4dff0000`, OptionLength, mss},
		{"nothing is read behind EOL", `02040400 00030002`, OK, mss},
		{"padding that is not zero", `02040400 00ffffff`, OK, mss},
		{"EOL first", `00000000 02040400`, OK, Options{}},
		{"the later of two", `0204ffff 02040400`, OK, mss},
		{
			"the later of two SACKs, with fewer blocks",
			`0512 00000001 00000002 00000003 00000004 050a 00000005 00000006 0101 0101`, OK,
			Options{SACKLen: 1, SACK: [4]SACKBlock{{5, 6}}},
		},
		{"unknown", `02040400 4d040102`, OK, with(mss, RawOption{77, []byte{1, 2}})},
		{"known, too short", `02030400 01010101`, OptionSize, with(Options{}, RawOption{KindMSS, []byte{4}})},
		{"scale of 4", `02040400 03040102`, OptionSize, with(mss, RawOption{KindWindowScale, []byte{1, 2}})},
		{"SACK-permitted of 4", `02040400 04040102`, OptionSize, with(mss, RawOption{KindSACKPermitted, []byte{1, 2}})},
		{"SACK without blocks", `02040400 05020101`, OptionSize, with(mss, RawOption{KindSACK, []byte{}})},
		{"SACK of half a block", `02040400 05060000 00000101`, OptionSize, with(mss, RawOption{KindSACK, []byte{0, 0, 0, 0}})},
		{
			"timestamps of 6, and more after",
			`0806 00000001 02040400 0000`, OptionSize, with(mss, RawOption{KindTimestamps, []byte{0, 0, 0, 1}}),
		},
		{
			"the first reason counts",
			`0203 04 01 0800 0000`, OptionSize, with(Options{}, RawOption{KindMSS, []byte{4}}),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.hex)
			s := Segment{SrcPort: 1, DstPort: 2, Flags: SYN, Options: Options{Raw: b}, Payload: []byte("data")}
			var got Segment
			why := got.Decode(s.AppendTo(nil, svr4, bsdi, ChecksumFull))
			if why != test.why {
				t.Errorf("%v, want %v", why, test.why)
			}
			if !bytes.Equal(got.Options.Raw, b) || string(got.Payload) != "data" {
				t.Errorf("the rest is not whole: %x, %q", got.Options.Raw, got.Payload)
			}
			got.Options.Raw = nil
			if !reflect.DeepEqual(got.Options, test.want) {
				t.Errorf("%+v, want %+v", got.Options, test.want)
			}
		})
	}
}

func TestOptionNames(t *testing.T) {
	for kind, want := range map[uint8]string{
		0: "eol", 1: "nop", 2: "mss", 3: "wscale", 4: "sackOK", 5: "sack", 6: "echo", 7: "echoreply",
		8: "TS", 9: "poc-permitted", 10: "poc-profile", 11: "cc", 12: "ccnew", 13: "ccecho",
		19: "md5", 34: "tfo", 254: "exp", 200: "unknown-200",
	} {
		if got := OptionName(kind); got != want {
			t.Errorf("kind %d is %q, want %q", kind, got, want)
		}
	}
	seen := map[string]int{}
	for kind := range 253 {
		name := OptionName(uint8(kind))
		if k, ok := seen[name]; ok {
			t.Errorf("kinds %d and %d are both %q", k, kind, name)
		}
		seen[name] = kind
	}
}

func TestFlagNames(t *testing.T) {
	for f, want := range map[Flags]string{
		0: "none", SYN | ACK: "SYN|ACK", 0xff: "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR",
	} {
		if got := f.String(); got != want {
			t.Errorf("%#x is %q, want %q", uint8(f), got, want)
		}
	}
}

// TestTimestampsAlone: what has a short way is the same as by the long one.
func TestTimestampsAlone(t *testing.T) {
	for _, layout := range []Layout{LayoutModern, LayoutBSD} {
		o := Options{HasTimestamps: true, TSVal: 0x01020304, TSEcr: 0x05060708, Layout: layout}
		short := o.AppendTo(nil)
		o.Layout += nop + nop + end // which changes nothing
		if long := o.AppendTo(nil); !bytes.Equal(short, long) {
			t.Errorf("%s: % x, and the long way % x", layout, short, long)
		}
	}
}
