package link

import (
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// card is an Interface that keeps what is sent, with an MTU of its own.
type card struct {
	mtu  int
	sent [][]byte
}

func (c *card) Buffer() []byte       { return nil }
func (c *card) MTU() int             { return c.mtu }
func (c *card) Checksums() Checksums { return Checksums{} }
func (c *card) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	c.sent = append(c.sent, packet)
	return nil
}

// newICMP returns the ICMP of 10.0.0.1 and fd00::1, and where it sends to.
func newICMP(mtu int) (*ICMP, *card) {
	c := &card{mtu: mtu}
	return &ICMP{Sender: Sender{IP: &Attached{Interface: c, Addresses: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64"),
	}}}}, c
}

func udpPacket(from, to string) []byte {
	src, dst := netip.MustParseAddr(from), netip.MustParseAddr(to)
	d := wire.UDP{SrcPort: 1, DstPort: 2, Payload: make([]byte, 100)}
	b := d.AppendTo(nil, src, dst, wire.ChecksumFull)
	if dst.Is6() {
		ip := wire.IPv6{HopLimit: 64, Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: b}
		return ip.AppendTo(nil)
	}
	ip := wire.IPv4{TTL: 64, Protocol: wire.ProtoUDP, Src: src, Dst: dst, Payload: b}
	return ip.AppendTo(nil)
}

// "An IPv6 node MUST limit the rate of the ICMPv6 error messages it originates"
// (RFC 4443, section 2.4(f)): as many at once as in a second.
func TestICMPLimit(t *testing.T) {
	c, out := newICMP(1500)
	c.Limit = 10
	bad := udpPacket("10.0.0.2", "10.0.0.1")
	for range 100 {
		c.Error(0, bad, PortUnreachable())
	}
	if n := len(out.sent); n != 10 {
		t.Errorf("%d errors at once", n)
	}
	out.sent = nil
	for now := time.Duration(0); now < 5*time.Second; now += time.Millisecond {
		c.Error(now, bad, PortUnreachable())
	}
	if n := len(out.sent); n < 49 || n > 50 {
		t.Errorf("%d errors in 5 seconds more", n)
	}
	out.sent = nil
	for range 100 {
		c.Error(time.Hour, bad, PortUnreachable())
	}
	if n := len(out.sent); n != 10 {
		t.Errorf("%d errors at once after a rest", n)
	}
}

// What must not be answered is not, though it arrives.
func TestNoErrorAbout(t *testing.T) {
	c, out := newICMP(1500)
	for name, bad := range map[string][]byte{
		"to a broadcast":      udpPacket("10.0.0.2", "10.0.0.255"),
		"to all hosts":        udpPacket("10.0.0.2", "255.255.255.255"),
		"to a group":          udpPacket("10.0.0.2", "224.1.2.3"),
		"to a group of IPv6":  udpPacket("fd00::2", "ff02::1"),
		"from nobody":         udpPacket("0.0.0.0", "10.0.0.1"),
		"from everybody":      udpPacket("10.0.0.255", "10.0.0.1"),
		"from a group":        udpPacket("224.1.2.3", "10.0.0.1"),
		"from nobody of IPv6": udpPacket("::", "fd00::1"),
		"an error":            aboutError(t),
		"a later fragment":    laterFragment(t),
		"garbage":             {0x45, 1, 2},
		"nothing":             {},
	} {
		c.Error(0, bad, PortUnreachable())
		if len(out.sent) != 0 {
			t.Errorf("%s: answered", name)
			out.sent = nil
		}
	}
	c.Error(0, udpPacket("fd00::2", "fd00::1"), PortUnreachable())
	if len(out.sent) != 1 {
		t.Fatal("nothing is told at all")
	}
}

// aboutError returns an ICMP error for 10.0.0.1.
func aboutError(t *testing.T) []byte {
	t.Helper()
	c, out := newICMP(1500)
	c.Error(0, udpPacket("10.0.0.2", "10.0.0.1"), PortUnreachable())
	var ip wire.IPv4
	if why := ip.Decode(out.sent[0]); why != wire.OK {
		t.Fatal(why)
	}
	ip.Src, ip.Dst = ip.Dst, ip.Src
	return ip.AppendTo(nil)
}

func laterFragment(t *testing.T) []byte {
	t.Helper()
	var ip wire.IPv4
	if why := ip.Decode(udpPacket("10.0.0.2", "10.0.0.1")); why != wire.OK {
		t.Fatal(why)
	}
	fragments, why := ip.Fragments(68)
	if why != wire.OK {
		t.Fatal(why)
	}
	return fragments[1].AppendTo(nil)
}

// IPv6 points at what it does not know: the Next Header field of the last header
// that it does.
func TestUnknownProtocol(t *testing.T) {
	c, out := newICMP(1500)
	ip := wire.IPv6{
		HopLimit: 64, Protocol: 132, NextHeader: wire.ProtoDestination,
		Extensions: []byte{132, 0, 1, 4, 0, 0, 0, 0},
		Src:        netip.MustParseAddr("fd00::2"), Dst: netip.MustParseAddr("fd00::1"), Payload: make([]byte, 12),
	}
	c.Error(0, ip.AppendTo(nil), ProtocolUnreachable())
	ip.NextHeader, ip.Extensions = 0, nil
	c.Error(0, ip.AppendTo(nil), ProtocolUnreachable())
	for i, want := range []string{"parameter problem at 40: unknown next header", "parameter problem at 6: unknown next header"} {
		var got wire.IPv6
		var m wire.ICMPv6
		if got.Decode(out.sent[i]) != wire.OK || m.Decode(got.Payload) != wire.OK ||
			wire.VerifyICMPv6(got.Src, got.Dst, got.Payload) != wire.ChecksumGood || m.String() != want {
			t.Errorf("%v, want %s", m.String(), want)
		}
	}
}

// An echo comes back as it went, in fragments if it must.
func TestEchoOfFragments(t *testing.T) {
	for _, family := range []int{4, 6} {
		c, out := newICMP(1280)
		body := make([]byte, 3000)
		body[2999] = 7
		if family == 4 {
			m := wire.ICMPv4{Type: wire.ICMPv4Echo, Rest: wire.EchoRest(1, 2), Body: body}
			c.Echo4(0, &wire.IPv4{
				Protocol: wire.ProtoICMP, Payload: m.AppendTo(nil),
				Src: netip.MustParseAddr("10.0.0.2"), Dst: netip.MustParseAddr("10.0.0.1"),
			})
		} else {
			m := wire.ICMPv6{Type: wire.ICMPv6Echo, Rest: wire.EchoRest(1, 2), Body: body}
			src, dst := netip.MustParseAddr("fd00::2"), netip.MustParseAddr("fd00::1")
			c.Echo6(0, &wire.IPv6{
				Protocol: wire.ProtoICMPv6, Src: src, Dst: dst,
				Payload: m.AppendTo(nil, src, dst, wire.ChecksumFull),
			})
		}
		got := reassembled(t, out.sent)
		if len(out.sent) != 3 || len(got) != 3008 || got[3007] != 7 {
			t.Errorf("IPv%d: %d fragments, %d bytes", family, len(out.sent), len(got))
		}
	}
}

// reassembled returns the payload of the fragments.
func reassembled(t *testing.T, fragments [][]byte) []byte {
	t.Helper()
	r := wire.NewReassembler(wire.Limits{})
	for _, f := range fragments {
		var v4 wire.IPv4
		var v6 wire.IPv6
		switch wire.Version(f) {
		case 4:
			if why := v4.Decode(f); why != wire.OK {
				t.Fatal(why)
			}
			if whole, _ := r.IPv4(0, &v4); whole {
				return v4.Payload
			}
		case 6:
			if why := v6.Decode(f); why != wire.OK {
				t.Fatal(why)
			}
			if whole, _ := r.IPv6(0, &v6); whole {
				return v6.Payload
			}
		}
	}
	t.Fatal("it is not whole")
	return nil
}
