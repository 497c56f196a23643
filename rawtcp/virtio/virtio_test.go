package virtio

import (
	"bytes"
	"net/netip"
	"testing"

	"sock/rawtcp/wire"
)

var (
	a4, b4 = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	a6, b6 = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
)

// packet returns an IP packet of n bytes of data.
func packet(src, dst netip.Addr, n int, mode wire.ChecksumMode) []byte {
	var s wire.Segment
	s.SrcPort, s.DstPort, s.Flags = 1, 2, wire.ACK
	s.Options.HasTimestamps = true
	s.Payload = make([]byte, n)
	b := s.AppendTo(nil, src, dst, mode)
	if src.Is4() {
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst, Payload: b}
		return h.AppendTo(nil)
	}
	h := wire.IPv6{HopLimit: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst, Payload: b}
	return h.AppendTo(nil)
}

func TestOutgoing(t *testing.T) {
	fragment := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: a4, Dst: b4, More: true, Payload: make([]byte, 64)}
	for _, test := range []struct {
		name   string
		packet []byte
		size   int
		want   Header
	}{
		{"complete", packet(a4, b4, 100, wire.ChecksumFull), 0, Header{}},
		{"IPv4", packet(a4, b4, 100, wire.ChecksumPseudo), 0, Header{Flags: NeedsChecksum, ChecksumStart: 34, ChecksumOffset: 16}},
		{"IPv6", packet(a6, b6, 100, wire.ChecksumPseudo), 0, Header{Flags: NeedsChecksum, ChecksumStart: 54, ChecksumOffset: 16}},
		{
			"IPv4, cut", packet(a4, b4, 10_000, wire.ChecksumPseudo), 1448,
			Header{Flags: NeedsChecksum, GSO: TCPv4, HeaderLen: 66, Size: 1448, ChecksumStart: 34, ChecksumOffset: 16},
		},
		{
			"IPv6, cut", packet(a6, b6, 10_000, wire.ChecksumPseudo), 1428,
			Header{Flags: NeedsChecksum, GSO: TCPv6, HeaderLen: 86, Size: 1428, ChecksumStart: 54, ChecksumOffset: 16},
		},
		{"fragment", fragment.AppendTo(nil), 0, Header{}},
		{"short", packet(a4, b4, 0, wire.ChecksumPseudo)[:37], 0, Header{}},
		{"nothing", nil, 0, Header{}},
	} {
		got := Outgoing(test.packet[:min(len(test.packet), 72)], len(test.packet), 14, test.size)
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		var b [Len]byte
		var again Header
		got.Put(b[:])
		if again.Get(b[:]); again != got {
			t.Errorf("%s: %+v became %+v", test.name, got, again)
		}
	}
}

// Whatever a device has left in the checksum of what it has merged, it is taken
// as offloaded; a single packet is still looked at.
func TestIncoming(t *testing.T) {
	for _, ends := range [][2]netip.Addr{{a4, b4}, {a6, b6}} {
		good := packet(ends[0], ends[1], 3000, wire.ChecksumFull)
		bad := bytes.Clone(good)
		bad[len(bad)-1]++
		at := 20
		if ends[0].Is6() {
			at = 40
		}
		state := func(h Header, b []byte) wire.ChecksumState {
			b = bytes.Clone(b)
			h.Incoming(b)
			return wire.VerifyTCP(ends[0], ends[1], b[at:])
		}
		if got := state(Header{}, bad); got != wire.ChecksumBad {
			t.Errorf("damaged: %v", got)
		}
		if got := state(Header{}, good); got != wire.ChecksumGood {
			t.Errorf("good: %v", got)
		}
		if got := state(Header{GSO: TCPv4 | ECN, Size: 1448, Flags: DataValid}, bad); got != wire.ChecksumOffloaded {
			t.Errorf("merged: %v", got)
		}
	}
}
