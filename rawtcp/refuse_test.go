package rawtcp_test

import (
	"net/netip"
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// TestRefuse: what nobody wants is answered by a RST of one of two forms, but a
// RST is not.
func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		what  string
		seg   wire.Segment
		flags wire.Flags // of the answer; 0: none
		seq   seq.Value
		ack   seq.Value
	}{
		{"a SYN", wire.Segment{Seq: 5, Flags: wire.SYN}, wire.RST | wire.ACK, 0, 6},
		{"data without an ACK", wire.Segment{Seq: 5, Payload: []byte("abc")}, wire.RST | wire.ACK, 0, 8},
		{"a FIN", wire.Segment{Seq: 5, Flags: wire.FIN}, wire.RST | wire.ACK, 0, 6},
		{"SYN, FIN and data", wire.Segment{Seq: 1<<32 - 3, Flags: wire.SYN | wire.FIN, Payload: []byte("abc")}, wire.RST | wire.ACK, 0, 2},
		{"an ACK", wire.Segment{Seq: 5, Ack: 77, Flags: wire.ACK}, wire.RST, 77, 0},
		{"a SYN+ACK", wire.Segment{Seq: 5, Ack: 77, Flags: wire.SYN | wire.ACK}, wire.RST, 77, 0},
		{"FIN and data", wire.Segment{Seq: 5, Ack: 77, Flags: wire.FIN | wire.ACK, Payload: []byte("abc")}, wire.RST, 77, 0},
		{"a RST", wire.Segment{Seq: 5, Flags: wire.RST}, 0, 0, 0},
		{"a RST+ACK", wire.Segment{Seq: 5, Ack: 77, Flags: wire.RST | wire.ACK}, 0, 0, 0},
	} {
		for _, six := range []bool{false, true} {
			l := newLone(t, "", "ttl=33", "tos=16")
			src, dst := at(there, 2000), at(here, 80)
			if six {
				src, dst = at(there6, 2000), at(here6, 80)
			}
			// Whoever listens on another port, address or family is not asked.
			l.listen(at(here, 81), 5)
			l.listen(at(also, 80), 5)
			if six {
				l.listen(at(here, 80), 5)
			} else {
				l.listen(at(here6, 80), 5)
			}
			l.deliver(src, dst, c.seg)
			if c.flags == 0 {
				l.quiet(c.what)
				continue
			}
			s := l.one()
			if s.src != dst || s.dst != src || s.Flags != c.flags || s.Seq != c.seq || s.Ack != c.ack ||
				s.Window != 0 || s.Len() != 0 || s.ttl != 33 || s.tos != 16 {
				t.Errorf("%s: %+v", c.what, s)
			}
			if l.Stats().ResetsOut != 1 || l.Stats().SegmentsIn != 1 || l.Stats().SegmentsOut != 1 {
				t.Errorf("%s: %+v", c.what, l.Stats())
			}
		}
	}
}

// TestNotTaken has packets arrive that the Stack must not take, each with its
// reason, and without an answer.
func TestNotTaken(t *testing.T) {
	syn := packet(at(there, 2000), at(here, 80), wire.Segment{Flags: wire.SYN})
	syn6 := packet(at(there6, 2000), at(here6, 80), wire.Segment{Flags: wire.SYN})
	spoilt := func(b []byte, at int) []byte {
		c := append([]byte(nil), b...)
		c[at] ^= 0x40
		return c
	}
	ip4 := func(h wire.IPv4) []byte {
		h.TTL, h.Src, h.Dst = 64, there, here
		if h.Payload == nil {
			h.Payload = syn[20:]
		}
		return h.AppendTo(nil)
	}
	ip6 := func(h wire.IPv6) []byte {
		h.HopLimit, h.Src, h.Dst = 64, there6, here6
		if h.Payload == nil {
			h.Payload = syn6[40:]
		}
		return h.AppendTo(nil)
	}
	from := func(src, dst netip.Addr) []byte {
		return packet(at(src, 2000), at(dst, 80), wire.Segment{Flags: wire.SYN})
	}
	short := wire.Segment{SrcPort: 2000, DstPort: 80, Flags: wire.SYN}
	header := short.AppendTo(nil, there, here, wire.ChecksumFull)
	header[12] = 0x40 // 16 bytes: less than any header
	header[16] += 0x10
	offload := wire.Segment{SrcPort: 2000, DstPort: 80, Flags: wire.SYN}

	for _, c := range []struct {
		what   string
		packet []byte
		why    string
		stats  rawtcp.Stats
	}{
		{"nothing", nil, wire.Truncated.String(), rawtcp.Stats{}},
		{"version 5", append([]byte{0x55}, make([]byte, 30)...), wire.BadVersion.String(), rawtcp.Stats{}},
		{"half a header", syn[:10], wire.Truncated.String(), rawtcp.Stats{}},
		{"half a header", syn6[:30], wire.Truncated.String(), rawtcp.Stats{}},
		{"a bad IP checksum", spoilt(syn, 10), wire.BadChecksum.String(), rawtcp.Stats{}},
		{"a bad checksum", spoilt(syn, 36), rawtcp.BadChecksum.String(), rawtcp.Stats{SegmentsIn: 1, BadChecksums: 1}},
		{"a bad checksum", spoilt(syn6, 56), rawtcp.BadChecksum.String(), rawtcp.Stats{SegmentsIn: 1, BadChecksums: 1}},
		{
			"a checksum left to a device", ip4(wire.IPv4{Protocol: wire.ProtoTCP, Payload: offload.AppendTo(nil, there, here, wire.ChecksumPseudo)}),
			rawtcp.BadChecksum.String(),
			rawtcp.Stats{SegmentsIn: 1, BadChecksums: 1},
		},
		{
			"less than a TCP header", ip4(wire.IPv4{Protocol: wire.ProtoTCP, Payload: syn[20:30]}),
			rawtcp.BadChecksum.String(),
			rawtcp.Stats{SegmentsIn: 1, BadChecksums: 1},
		},
		{
			"a data offset of 4", ip4(wire.IPv4{Protocol: wire.ProtoTCP, Payload: header}),
			wire.HeaderLength.String(),
			rawtcp.Stats{SegmentsIn: 1, BadHeaders: 1},
		},
		{"a fragment", ip4(wire.IPv4{Protocol: wire.ProtoTCP, More: true}), rawtcp.Fragment.String(), rawtcp.Stats{}},
		{"the last fragment", ip4(wire.IPv4{Protocol: wire.ProtoTCP, Offset: 8}), rawtcp.Fragment.String(), rawtcp.Stats{}},
		{"a fragment", ip6(wire.IPv6{Protocol: wire.ProtoTCP, More: true}), rawtcp.Fragment.String(), rawtcp.Stats{}},
		{"UDP", ip4(wire.IPv4{Protocol: wire.ProtoUDP}), rawtcp.OtherProto.String(), rawtcp.Stats{}},
		{"UDP", ip6(wire.IPv6{Protocol: wire.ProtoUDP}), rawtcp.OtherProto.String(), rawtcp.Stats{}},
		{"to a broadcast address", from(there, netip.MustParseAddr("10.0.0.255")), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"to a multicast address", from(there, netip.MustParseAddr("224.0.0.1")), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"to a multicast address", from(there6, netip.MustParseAddr("ff02::1")), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"from a multicast address", from(netip.MustParseAddr("224.0.0.1"), here), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"from a broadcast address", from(netip.MustParseAddr("10.0.0.255"), here), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"from nobody", from(netip.IPv4Unspecified(), here), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"from nobody", from(netip.IPv6Unspecified(), here6), rawtcp.NotUnicast.String(), rawtcp.Stats{SegmentsIn: 1}},
		{"an IPv4 address in IPv6", from(netip.MustParseAddr("::ffff:10.0.0.1"), here6), rawtcp.Mapped.String(), rawtcp.Stats{}},
	} {
		l := newLone(t, "")
		l.listen(at(netip.Addr{}, 80), 5)
		l.listen(at(netip.IPv6Unspecified(), 80), 5)
		l.log = nil
		l.Receive(l.now, c.packet)
		l.quiet(c.what)
		c.stats.Dropped = 1
		if l.dropped() != c.why || l.Stats() != c.stats {
			t.Errorf("%s: %q %+v, want %q %+v", c.what, l.dropped(), l.Stats(), c.why, c.stats)
		}
	}
}

// A packet with IPv4 addresses in IPv6 form is not of an IPv4 connection.
func TestMappedAddresses(t *testing.T) {
	l := newLone(t, "")
	k, p := l.connected(7)
	mapped := func(a netip.AddrPort) netip.AddrPort {
		return at(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	l.deliver(mapped(p.me), mapped(p.it), wire.Segment{Seq: p.seq, Flags: wire.RST})
	if k.State() != tcb.Established {
		t.Errorf("%v after a RST by IPv6", k.State())
	}
}

// Whoever says so gets segments whose checksum a device was to make.
func TestOffload(t *testing.T) {
	l := newLone(t, "")
	l.check = link.Checksums{Send: wire.ChecksumPseudo, Offloaded: true}
	l.listen(at(here, 80), 5)
	seg := wire.Segment{SrcPort: 2000, DstPort: 80, Flags: wire.SYN}
	h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: there, Dst: here, Payload: seg.AppendTo(nil, there, here, wire.ChecksumPseudo)}
	l.Receive(l.now, h.AppendTo(nil))
	s := l.one()
	if got := wire.VerifyTCP(here, there, s.packet[20:]); got != wire.ChecksumOffloaded {
		t.Errorf("sent a checksum that is %v", got)
	}
	if s.Flags != wire.SYN|wire.ACK || !s.df {
		t.Errorf("%+v", s)
	}
}

// A bad option is passed over, and the rest of the segment is used.
func TestBadOption(t *testing.T) {
	l := newLone(t, "")
	l.listen(at(here, 80), 5)
	l.deliver(at(there, 2000), at(here, 80), wire.Segment{
		Flags: wire.SYN, Options: wire.Options{Raw: []byte{wire.KindMSS, 4, 2, 0, 99, 77, 0, 0}},
	})
	l.one()
	l.deliver(at(there, 2001), at(here, 80), wire.Segment{
		Flags: wire.SYN, Options: wire.Options{Raw: []byte{wire.KindMSS, 3, 2, 0}},
	})
	l.one()
	if r := l.Netstat(l.now); len(r) != 3 {
		t.Errorf("%+v", r)
	}
}

// IPv6 does all that IPv4 does, from the handshake to TIME_WAIT.
func TestIPv6(t *testing.T) {
	l := newLone(t, "", "tos=8")
	listener := l.listen(at(netip.IPv6Unspecified(), 80), 5)
	p := l.peer(at(there6, 2000), at(here6, 80))
	p.send(wire.SYN, "")
	if s := p.take(wire.SYN | wire.ACK); s.Options.MSS != 1440 {
		t.Errorf("MSS %d", s.Options.MSS)
	}
	p.send(wire.ACK, "")
	k, err := listener.Accept(l.now)
	l.ok(err)
	if k.Local() != p.it || k.Remote() != p.me {
		t.Errorf("%v %v", k.Local(), k.Remote())
	}
	_, err = k.Write(l.now, []byte("six"))
	l.ok(err)
	s := l.one()
	if string(s.Payload) != "six" || s.ttl != 64 || s.tos != 8 {
		t.Errorf("%+v", s)
	}
	p.ack = s.Seq + 3
	p.send(wire.ACK, "")
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	r := l.Netstat(l.now)
	if len(r) != 2 || r[0].State != tcb.TimeWait || r[0].Remote != p.me || r[0].Local != p.it {
		t.Errorf("%+v", r)
	}
	c := l.Socket(rawtcp.IPv6)
	l.ok(c.Connect(l.now, at(there6, 7)))
	if s := l.one(); s.dst != at(there6, 7) || s.src.Addr() != here6 {
		t.Errorf("%+v", s)
	}
}
