package trace

import (
	"net/netip"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// conversations make sequence numbers relative, as tcpdump does. It takes the
// numbers of a segment with a SYN and an ACK, or else of the first segment
// with an ACK that it sees, prints those as they are, and subtracts them from
// what follows. So a SYN, a RST without an ACK and the RST that answers a SYN
// all keep their numbers.
type conversations map[conversation]*origin

type conversation struct{ a, b netip.AddrPort }

// origin has the two numbers, each one below what goes as 1.
type origin struct{ a, b seq.Value }

// relative returns what to subtract from the sequence number of s and what
// from its acknowledgment number. A SACK block is of the second kind.
func (c conversations) relative(src, dst netip.Addr, s *wire.Segment) (fromSeq, fromAck seq.Value) {
	if !s.Flags.Has(wire.ACK) {
		return 0, 0
	}
	key := conversation{netip.AddrPortFrom(src, s.SrcPort), netip.AddrPortFrom(dst, s.DstPort)}
	reversed := key.a.Compare(key.b) > 0
	if reversed {
		key.a, key.b = key.b, key.a
	}
	o := c[key]
	if o == nil || s.Flags.Has(wire.SYN) {
		o = &origin{a: s.Seq, b: s.Ack - 1}
		if reversed {
			o.a, o.b = o.b, o.a
		}
		c[key] = o
		return 0, 0
	}
	if reversed {
		return o.b, o.a
	}
	return o.a, o.b
}
