package trace

import (
	"net/netip"
	"testing"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// A million conversations take no more memory than some, and who goes on speaking
// is not forgotten.
func TestConversationsAreBounded(t *testing.T) {
	var c conversations
	here, there := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	steady := wire.Segment{SrcPort: 7, DstPort: 8, Seq: 1000, Ack: 2001, Flags: wire.SYN | wire.ACK}
	c.relative(here, there, &steady)
	steady.Flags = wire.ACK
	for i := range 1_000_000 {
		from := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		c.relative(from, there, &wire.Segment{SrcPort: uint16(i >> 16), Seq: seq.Value(i), Flags: wire.ACK})
		if i%1000 != 0 {
			continue
		}
		if s, a := c.relative(here, there, &steady); s != 1000 || a != 2000 {
			t.Fatalf("after %d others its numbers are relative to %d and %d", i, s, a)
		}
		if n := len(c.recent) + len(c.older); n > 2*many {
			t.Fatalf("%d conversations are known", n)
		}
	}
	first := wire.Segment{Seq: 5000, Ack: 1, Flags: wire.ACK}
	if s, a := c.relative(netip.MustParseAddr("10.1.0.1"), there, &first); s != 0 || a != 0 {
		t.Errorf("who has long been silent is known: %d, %d", s, a)
	}
}
