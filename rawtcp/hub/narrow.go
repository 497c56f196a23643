package hub

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// A cable may be narrow: as if a router stood before that host, which has the MTU
// of the wire on both sides and a shorter one between. What does not fit is
// fragmented there, or its sender is told by ICMP. That is how the MTU of a path
// is found out on a wire.

// setMTU says how long a packet may be on its way to a host and from it.
func (c *cable) setMTU(words []string) (answer string, err error) {
	if len(words) != 2 {
		return "", errors.New("an address and a number of bytes are needed: mtu 10.0.0.2 576")
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < minMTU || n > c.mtu {
		return "", fmt.Errorf("%.50q is no MTU here, which is from %d to %d", words[1], minMTU, c.mtu)
	}
	i, err := c.endNamed(words[0])
	if err != nil {
		return "", err
	}
	if n == c.mtu {
		n = 0
	}
	c.ends[i].mtu, c.ends[i].pinned = n, true
	return c.mtuLine(i), nil
}

// minMTU6 is what no link is below that has IPv6: "IPv6 requires that every link
// in the Internet have an MTU of 1280 octets or greater." (RFC 8200, section 5)
const minMTU6 = 1280

// isNarrow reports whether a packet does not fit the cable of an end.
func (c *cable) isNarrow(end int, packet []byte) bool {
	mtu := c.ends[end].mtu
	return mtu > 0 && len(packet) > mtu && (wire.Version(packet) == 4 || len(packet) > minMTU6)
}

// squeeze has f pass the narrow cable of an end, in fragments, each of which goes
// to on. If it may not be fragmented, its sender is told.
func (c *cable) squeeze(now time.Duration, end int, f *link.Frame, on func(piece *link.Frame)) {
	mtu := c.ends[end].mtu
	var ip wire.IPv4
	if wire.Version(f.Packet) == 6 {
		mtu = max(mtu, minMTU6)
	} else if why := ip.Decode(f.Packet); why != wire.OK {
		// "A router MUST verify the IP checksum of any packet that is received,
		// and MUST discard messages containing invalid checksums." (RFC 1812,
		// section 4.2.2.5)
		c.dropped(now, "", f, why)
		return
	} else if !ip.DF {
		if fragments, why := ip.Fragments(mtu); why == wire.OK {
			for i := range fragments {
				piece := *f
				piece.Packet = fragments[i].AppendTo(c.buffer())
				on(&piece)
			}
			return
		}
	}
	c.dropped(now, "", f, link.DontFragment)
	c.icmp.Error(now, f.Packet, link.TooBig(mtu))
}

// narrow is the IP of the router before any narrow cable. What it says is from
// whom the packet was for: the router has no address.
type narrow struct{ c *cable }

func (n narrow) Buffer() []byte                { return n.c.buffer() }
func (n narrow) MTU() int                      { return n.c.mtu }
func (n narrow) Checksums() link.Checksums     { return link.Checksums{} }
func (n narrow) Has(netip.Addr) bool           { return true }
func (n narrow) IsBroadcast(a netip.Addr) bool { return n.c.isBroadcast(a) }

func (n narrow) Path(dst netip.Addr) (link.Path, error) {
	return link.Path{Interface: wireName, Source: dst, MTU: n.c.mtu, OnLink: true}, nil
}

// Send puts what the router says on the wire, where the host is that it is from.
func (n narrow) Send(now time.Duration, packet []byte, why trace.Rule) error {
	c := n.c
	c.lastID++
	src, dst := wire.Addresses(packet)
	f := link.Frame{ID: c.lastID, From: c.toward(src), To: c.toward(dst), Packet: packet}
	c.tell(trace.Event{At: now, Kind: trace.Sent, Link: wireName, ID: f.ID, Packet: packet, Rule: why})
	c.pipe.In(now, f)
	return nil
}
