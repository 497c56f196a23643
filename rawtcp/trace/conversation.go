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
//
// A hub may be up for months, or see a flood, so whoever has been silent while
// many others spoke is forgotten: what comes then is taken for the first segment.
type conversations struct {
	recent map[conversation]*origin
	older  map[conversation]*origin // those before recent was last full
}

// many is how many conversations are recent.
const many = 1 << 16

type conversation struct{ a, b netip.AddrPort }

// origin has the two numbers, each one below what goes as 1.
type origin struct{ a, b seq.Value }

// relative returns what to subtract from the sequence number of s and what
// from its acknowledgment number. A SACK block is of the second kind.
func (c *conversations) relative(src, dst netip.Addr, s *wire.Segment) (fromSeq, fromAck seq.Value) {
	if !s.Flags.Has(wire.ACK) {
		return 0, 0
	}
	key := conversation{netip.AddrPortFrom(src, s.SrcPort), netip.AddrPortFrom(dst, s.DstPort)}
	reversed := key.a.Compare(key.b) > 0
	if reversed {
		key.a, key.b = key.b, key.a
	}
	o := c.find(key)
	if o == nil || s.Flags.Has(wire.SYN) {
		o = &origin{a: s.Seq, b: s.Ack - 1}
		if reversed {
			o.a, o.b = o.b, o.a
		}
		c.keep(key, o)
		return 0, 0
	}
	if reversed {
		return o.b, o.a
	}
	return o.a, o.b
}

// find returns what is known of a conversation, or nil.
func (c *conversations) find(key conversation) *origin {
	o := c.recent[key]
	if o == nil {
		if o = c.older[key]; o != nil {
			c.keep(key, o)
		}
	}
	return o
}

func (c *conversations) keep(key conversation, o *origin) {
	if c.recent == nil || len(c.recent) == many {
		c.older, c.recent = c.recent, map[conversation]*origin{}
	}
	c.recent[key] = o
}
