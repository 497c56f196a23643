package rawip

import (
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"sock/rawtcp/wire"
)

// accepts runs a filter.
func accepts(t *testing.T, filter []bpf.Instruction, packet []byte) bool {
	t.Helper()
	if _, err := bpf.Assemble(filter); err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(filter)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

var (
	one4 = netip.MustParseAddr("10.0.0.1")
	two4 = netip.MustParseAddr("10.0.0.2")
	one6 = netip.MustParseAddr("fd00::1")
	two6 = netip.MustParseAddr("fd00::2")
)

// syn is a packet from port 1098 of one to port of two, with room bytes of IPv4
// options.
func syn(is4 bool, port uint16, room int) []byte {
	s := wire.Segment{SrcPort: 1098, DstPort: port, Flags: wire.SYN}
	if is4 {
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: one4, Dst: two4, Options: make([]byte, room)}
		return s.AppendTo(h.AppendHeader(nil, s.WireLen()), one4, two4, wire.ChecksumFull)
	}
	h := wire.IPv6{HopLimit: 64, Protocol: wire.ProtoTCP, Src: one6, Dst: two6}
	return s.AppendTo(h.AppendHeader(nil, s.WireLen()), one6, two6, wire.ChecksumFull)
}

// heard is what a raw socket filters of a packet.
func heard(is4 bool, packet []byte) []byte {
	if is4 {
		return packet
	}
	return packet[header6:]
}

func TestSegments(t *testing.T) {
	many := make([]uint16, 0, manyPorts)
	for i := range manyPorts {
		many = append(many, uint16(1000+2*i))
	}
	last := many[len(many)-1]
	for _, c := range []struct {
		ports   []uint16
		in, out []uint16
	}{
		{nil, nil, []uint16{0, 7, 65535}},
		{[]uint16{7}, []uint16{7}, []uint16{0, 6, 8, 1098}},
		{[]uint16{7, 9, 65535}, []uint16{7, 9, 65535}, []uint16{8, 65534}},
		{many, []uint16{1000, 1002, last}, []uint16{999, 1001, last - 1, last + 1}},
		// Too many to be told apart.
		{slices.Concat([]uint16{7}, many), []uint16{7, 8, 1001, last}, []uint16{6, last + 1, 65535}},
	} {
		for _, is4 := range []bool{true, false} {
			filter := segments(is4, c.ports)
			for _, port := range c.in {
				if !accepts(t, filter, heard(is4, syn(is4, port, 0))) {
					t.Errorf("%v, IPv4 %v: port %d is not let through", c.ports, is4, port)
				}
			}
			for _, port := range c.out {
				if accepts(t, filter, heard(is4, syn(is4, port, 0))) {
					t.Errorf("%v, IPv4 %v: port %d is let through", c.ports, is4, port)
				}
			}
			if is4 && len(c.in) > 0 && !accepts(t, filter, syn(true, c.in[0], 40)) {
				t.Errorf("%v: not behind IP options", c.ports)
			}
		}
	}
}

func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		kind  wire.ICMPv4Type
		quote wire.Protocol
		want  bool
	}{
		{wire.ICMPv4Unreachable, wire.ProtoTCP, true},
		{wire.ICMPv4SourceQuench, wire.ProtoTCP, true},
		{wire.ICMPv4TimeExceeded, wire.ProtoTCP, true},
		{wire.ICMPv4ParameterProblem, wire.ProtoTCP, true},
		{wire.ICMPv4Unreachable, wire.ProtoUDP, false},
		{wire.ICMPv4ParameterProblem, wire.ProtoUDP, false},
		{wire.ICMPv4Redirect, wire.ProtoTCP, false},
		{wire.ICMPv4Echo, wire.ProtoTCP, false},
		{wire.ICMPv4EchoReply, wire.ProtoTCP, false},
	} {
		quote := syn(true, 7, 0)
		quote[9] = byte(c.quote)
		m := wire.ICMPv4{Type: c.kind, Body: quote}
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoICMP, Src: two4, Dst: one4}
		if accepts(t, complaints(true), m.AppendTo(h.AppendHeader(nil, icmpHeader+len(quote)))) != c.want {
			t.Errorf("ICMP %v about protocol %v: not %v", c.kind, c.quote, c.want)
		}
	}
	for _, c := range []struct {
		kind  wire.ICMPv6Type
		quote wire.Protocol
		want  bool
	}{
		{wire.ICMPv6Unreachable, wire.ProtoTCP, true},
		{wire.ICMPv6PacketTooBig, wire.ProtoTCP, true},
		{wire.ICMPv6TimeExceeded, wire.ProtoTCP, true},
		{wire.ICMPv6ParameterProblem, wire.ProtoTCP, true},
		{wire.ICMPv6PacketTooBig, wire.ProtoUDP, false},
		{128, wire.ProtoTCP, false}, // an echo request
	} {
		quote := syn(false, 7, 0)
		quote[6] = byte(c.quote)
		m := wire.ICMPv6{Type: c.kind, Body: quote}
		if accepts(t, complaints(false), m.AppendTo(nil, two6, one6, wire.ChecksumFull)) != c.want {
			t.Errorf("ICMPv6 %v about protocol %v: not %v", c.kind, c.quote, c.want)
		}
	}
	// What a link says by itself is understood above it.
	for _, is4 := range []bool{true, false} {
		p := unreachable(is4, syn(is4, 7, 0), 1280)
		if is4 {
			var h wire.IPv4
			var m wire.ICMPv4
			if why := h.Decode(p); why != wire.OK {
				t.Fatal(why)
			}
			if why := m.Decode(h.Payload); why != wire.OK || m.MTU() != 1280 || h.Dst != one4 {
				t.Errorf("%v: %+v to %v", why, m, h.Dst)
			}
			continue
		}
		var h wire.IPv6
		var m wire.ICMPv6
		if why := h.Decode(p); why != wire.OK {
			t.Fatal(why)
		}
		if why := m.Decode(h.Payload); why != wire.OK || m.MTU() != 1280 || h.Dst != one6 ||
			wire.VerifyICMPv6(h.Src, h.Dst, h.Payload) != wire.ChecksumGood {
			t.Errorf("%v: %+v to %v", why, m, h.Dst)
		}
	}
}
