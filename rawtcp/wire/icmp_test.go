package wire

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

func TestICMPv4Bytes(t *testing.T) {
	for _, test := range []struct {
		m    ICMPv4
		hex  string
		text string
	}{
		{
			ICMPv4{Type: ICMPv4Echo, Rest: EchoRest(0x1234, 5), Body: []byte("ping"), Checksum: 0x06f6},
			`08 00 06f6 1234 0005 70696e67`, "echo request",
		},
		{
			ICMPv4{Type: ICMPv4Unreachable, Code: FragmentationNeeded, Rest: 296, Body: []byte{}, Checksum: 0xfbd3},
			`03 04 fbd3 0000 0128`, "fragmentation needed, mtu 296",
		},
		{
			ICMPv4{Type: ICMPv4Redirect, Code: RedirectHost, Rest: 0x8cfc0d21, Body: []byte{}, Checksum: 0x60e1},
			`05 01 60e1 8cfc 0d21`, "redirect host to 140.252.13.33",
		},
		{
			ICMPv4{Type: ICMPv4ParameterProblem, Rest: 20 << 24, Body: []byte{}, Checksum: 0xdfff},
			`0c 00 dfff 1400 0000`, "parameter problem at 20",
		},
	} {
		want := unhex(t, test.hex)
		if got := test.m.AppendTo([]byte("xyz"))[3:]; !bytes.Equal(got, want) {
			t.Errorf("%s: encoded %x, want %x", test.text, got, want)
		}
		var m ICMPv4
		if why := m.Decode(want); why != OK {
			t.Errorf("%s: %v", test.text, why)
		}
		if !reflect.DeepEqual(m, test.m) {
			t.Errorf("decoded %+v, want %+v", m, test.m)
		}
		if got := m.String(); got != test.text {
			t.Errorf("%q, want %q", got, test.text)
		}
		want[3]++
		if why := m.Decode(want); why != BadChecksum {
			t.Errorf("%s, damaged: %v", test.text, why)
		}
		if why := m.Decode(want[:7]); why != Truncated {
			t.Errorf("%s, 7 bytes: %v", test.text, why)
		}
	}
}

func TestICMPv6Bytes(t *testing.T) {
	m := ICMPv6{Type: ICMPv6PacketTooBig, Rest: 1280, Body: []byte("?")}
	b := m.AppendTo([]byte("xyz"), six1, six2, ChecksumFull)[3:]
	if VerifyICMPv6(six1, six2, b) != ChecksumGood {
		t.Error("bad checksum")
	}
	b[2], b[3] = 0, 0
	if want := unhex(t, `02 00 0000 0000 0500 3f`); !bytes.Equal(b, want) {
		t.Errorf("encoded %x, want %x", b, want)
	}
	var d ICMPv6
	if why := d.Decode(b); why != OK || !reflect.DeepEqual(d, m) || d.MTU() != 1280 {
		t.Errorf("decoded %+v (%v), want %+v", d, why, m)
	}
	if why := d.Decode(b[:7]); why != Truncated {
		t.Errorf("7 bytes: %v", why)
	}
}

func TestICMPNames(t *testing.T) {
	for _, test := range []struct {
		typ   ICMPv4Type
		codes []string
		err   bool
	}{
		{ICMPv4EchoReply, []string{"echo reply"}, false},
		{ICMPv4Unreachable, []string{
			"net unreachable", "host unreachable", "protocol unreachable", "port unreachable",
			"fragmentation needed, mtu 0", "source route failed", "net unknown", "host unknown",
			"source host isolated", "net prohibited", "host prohibited", "net unreachable for TOS",
			"host unreachable for TOS", "communication prohibited", "host precedence violation",
			"precedence cutoff in effect", "unreachable, code 16",
		}, true},
		{ICMPv4SourceQuench, []string{"source quench"}, true},
		{ICMPv4Redirect, []string{
			"redirect net to 0.0.0.0", "redirect host to 0.0.0.0", "redirect net for TOS to 0.0.0.0",
			"redirect host for TOS to 0.0.0.0", "redirect, code 4, to 0.0.0.0",
		}, true},
		{ICMPv4TimeExceeded, []string{
			"time exceeded in transit", "time exceeded in reassembly", "time exceeded, code 2",
		}, true},
		{ICMPv4ParameterProblem, []string{
			"parameter problem at 0", "parameter problem: option missing", "parameter problem: bad length",
			"parameter problem, code 3",
		}, true},
		{ICMPv4Timestamp, []string{"timestamp request"}, false},
		{ICMPv4TimestampReply, []string{"timestamp reply"}, false},
		{17, []string{"type 17, code 0"}, false},
	} {
		for code, want := range test.codes {
			m := ICMPv4{Type: test.typ, Code: uint8(code)}
			if got := m.String(); got != want || m.IsError() != test.err {
				t.Errorf("type %d, code %d: %q, error %v; want %q, %v", test.typ, code, got, m.IsError(), want, test.err)
			}
		}
	}
	for _, test := range []struct {
		typ   ICMPv6Type
		codes []string
		err   bool
	}{
		{ICMPv6Unreachable, []string{
			"no route", "administratively prohibited", "beyond scope of source address",
			"address unreachable", "port unreachable", "source address failed policy",
			"reject route", "unreachable, code 7",
		}, true},
		{ICMPv6PacketTooBig, []string{"packet too big, mtu 0"}, true},
		{ICMPv6TimeExceeded, []string{"time exceeded in transit", "time exceeded in reassembly"}, true},
		{ICMPv6ParameterProblem, []string{
			"parameter problem at 0: erroneous header", "parameter problem at 0: unknown next header",
			"parameter problem at 0: unknown option", "parameter problem at 0: incomplete header",
			"parameter problem at 0, code 4",
		}, true},
		{ICMPv6Echo, []string{"echo request"}, false},
		{ICMPv6EchoReply, []string{"echo reply"}, false},
		{ICMPv6NeighborSolicitation, []string{"neighbor solicitation"}, false},
		{ICMPv6NeighborAdvertisement, []string{"neighbor advertisement"}, false},
		{137, []string{"type 137, code 0"}, false},
	} {
		for code, want := range test.codes {
			m := ICMPv6{Type: test.typ, Code: uint8(code)}
			if got := m.String(); got != want || m.IsError() != test.err {
				t.Errorf("v6 type %d, code %d: %q, error %v; want %q, %v", test.typ, code, got, m.IsError(), want, test.err)
			}
		}
	}
}

func TestICMPEchoFields(t *testing.T) {
	m4, m6 := ICMPv4{Rest: EchoRest(1, 0xffff)}, ICMPv6{Rest: EchoRest(0xffff, 1)}
	if m4.ID() != 1 || m4.Seq() != 0xffff || m6.ID() != 0xffff || m6.Seq() != 1 {
		t.Errorf("%d %d, %d %d", m4.ID(), m4.Seq(), m6.ID(), m6.Seq())
	}
}

// TestQuoteIPv4 quotes a segment as a router of 1981 and one of 1995 do.
func TestQuoteIPv4(t *testing.T) {
	s := Segment{SrcPort: 1037, DstPort: 9, Seq: 0xfffffffe, Flags: ACK, Payload: make([]byte, 1000)}
	h := IPv4{TTL: 1, Protocol: ProtoTCP, Src: svr4, Dst: bsdi, Options: []byte{1, 1, 1, 0}}
	h.Payload = s.AppendTo(nil, svr4, bsdi, ChecksumFull)
	packet := h.AppendTo(nil)
	for _, test := range []struct {
		n, data int
		ok      bool
	}{{8, 8, true}, {1000, 524, true}, {7, 7, false}, {3, 3, false}} {
		quote := QuoteIPv4(packet, test.n)
		m := ICMPv4{Type: ICMPv4TimeExceeded, Body: quote}
		q, why := m.Quoted()
		if why != OK {
			t.Fatal(why)
		}
		want := Quote{
			Src: svr4, Dst: bsdi, Protocol: ProtoTCP, HopLimit: 1, Length: len(packet),
			Data: packet[24 : 24+test.data],
		}
		if !reflect.DeepEqual(q, want) {
			t.Errorf("n = %d: %+v, want %+v", test.n, q, want)
		}
		seq, ok := q.Seq()
		if ok != test.ok || ok && seq != 0xfffffffe {
			t.Errorf("n = %d: sequence number %d, %v", test.n, seq, ok)
		}
		src, dst, ok := q.Ports()
		if ok != (test.data >= 4) || ok && (src != 1037 || dst != 9) {
			t.Errorf("n = %d: ports %d, %d, %v", test.n, src, dst, ok)
		}
	}
	if QuoteIPv4(nil, 8) != nil || len(QuoteIPv4(packet[:10], 8)) != 10 {
		t.Error("a quote of what is not there")
	}
	for _, test := range []struct {
		body []byte
		why  Reason
	}{
		{packet[:19], Truncated},
		{packet[:23], HeaderLength},
		{append([]byte{0x65}, packet[1:]...), BadVersion},
	} {
		if _, why := (&ICMPv4{Type: ICMPv4Unreachable, Body: test.body}).Quoted(); why != test.why {
			t.Errorf("%v, want %v", why, test.why)
		}
	}
}

// TestQuoteOfAnother has quotes from which no port may be read.
func TestQuoteOfAnother(t *testing.T) {
	for _, q := range []Quote{
		{Protocol: ProtoICMP, Data: make([]byte, 8)},
		{Protocol: ProtoTCP, Offset: 8, Data: make([]byte, 8)},
		{Protocol: ProtoUDP, Data: make([]byte, 3)},
	} {
		if _, _, ok := q.Ports(); ok {
			t.Errorf("%+v has ports", q)
		}
		if _, ok := q.Seq(); ok {
			t.Errorf("%+v has a sequence number", q)
		}
	}
}

// TestQuoteLength has quotes with what some old routers did to the length, and
// bytes behind the packet.
func TestQuoteLength(t *testing.T) {
	h := IPv4{TTL: 1, Protocol: ProtoUDP, Src: svr4, Dst: bsdi, Payload: []byte("12345678")}
	for _, test := range []struct{ length, data int }{{28, 8}, {8, 12}, {0xffff, 12}, {20, 0}} {
		body := append(h.AppendTo(nil), 0, 0, 0, 0)
		body[2], body[3] = byte(test.length>>8), byte(test.length)
		q, why := (&ICMPv4{Body: body}).Quoted()
		if why != OK || len(q.Data) != test.data {
			t.Errorf("length %d: %d bytes (%v), want %d", test.length, len(q.Data), why, test.data)
		}
	}
}

func TestQuoteIPv6(t *testing.T) {
	s := Segment{SrcPort: 1037, DstPort: 9, Seq: 7, Payload: make([]byte, 1400)}
	h := IPv6{
		HopLimit: 1, NextHeader: ProtoDestination, Extensions: []byte{6, 0, 1, 4, 0, 0, 0, 0},
		Src: six1, Dst: six2,
	}
	h.Payload = s.AppendTo(nil, six1, six2, ChecksumFull)
	packet := h.AppendTo(nil)
	m := ICMPv6{Type: ICMPv6PacketTooBig, Rest: 1400, Body: QuoteIPv6(packet)}
	q, why := m.Quoted()
	if why != OK || len(m.Body) != 1232 {
		t.Fatalf("%v, %d bytes", why, len(m.Body))
	}
	want := Quote{
		Src: six1, Dst: six2, Protocol: ProtoTCP, HopLimit: 1, Length: len(packet),
		Data: packet[48:1232],
	}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("%+v, want %+v", q, want)
	}
	if seq, ok := q.Seq(); !ok || seq != 7 {
		t.Errorf("sequence number %d, %v", seq, ok)
	}
	if _, why := (&ICMPv6{Body: packet[:39]}).Quoted(); why != Truncated {
		t.Errorf("39 bytes: %v", why)
	}
	if _, why := (&ICMPv6{Body: packet[:47]}).Quoted(); why != Truncated {
		t.Errorf("half an extension header: %v", why)
	}
}

func TestGateway(t *testing.T) {
	m := ICMPv4{Type: ICMPv4Redirect, Rest: 0x01020304}
	if got := m.Gateway(); got != netip.MustParseAddr("1.2.3.4") {
		t.Errorf("%v", got)
	}
}
