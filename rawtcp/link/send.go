package link

import (
	"encoding/binary"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// outgoing is a packet on its way out of a host.
type outgoing struct {
	id        uint64
	packet    []byte
	why       trace.Rule
	forwarded bool
}

// Send sends the packet from h to where its header says: see Interface. It is
// fragmented if it has to be and may be.
func (h *Node) Send(now time.Duration, packet []byte, why trace.Rule) error {
	err := h.send(now, packet, why)
	if err != nil {
		h.net.bufs.put(packet)
	}
	return err
}

// send is Send, which leaves the packet alone if it fails.
func (h *Node) send(now time.Duration, packet []byte, why trace.Rule) error {
	if !h.up {
		return ErrDown
	}
	_, dst := wire.Addresses(packet)
	if !dst.IsValid() {
		return ErrMalformed
	}
	path, err := h.Path(dst)
	if err != nil {
		return err
	}
	if path.Broadcast || path.Multicast && h.isMember(dst) {
		// Who sends to everybody sends to himself.
		h.loop(now, packet)
	}
	o := outgoing{id: h.net.newID(), packet: packet, why: why}
	if len(packet) <= path.MTU {
		path.port.resolve(now, path.next, o)
		return nil
	}
	return h.sendFragments(now, path, o)
}

// sendFragments sends o in pieces.
func (h *Node) sendFragments(now time.Duration, path Path, o outgoing) error {
	pieces, why := h.fragment(o.packet, path.MTU, !o.forwarded)
	if why != OK {
		return ErrTooBig
	}
	h.net.bufs.put(o.packet)
	for _, b := range pieces {
		o.id, o.packet = h.net.newID(), b
		path.port.resolve(now, path.next, o)
	}
	return nil
}

// fragment returns the pieces of packet in buffers of their own, or
// DontFragment. Only the sender may fragment an IPv6 packet.
func (h *Node) fragment(packet []byte, mtu int, sender bool) ([][]byte, Reason) {
	var pieces [][]byte
	switch wire.Version(packet) {
	case 4:
		var ip wire.IPv4
		if ip.Decode(packet) != wire.OK || ip.DF {
			return nil, DontFragment
		}
		fragments, why := ip.Fragments(mtu)
		if why != wire.OK {
			return nil, DontFragment
		}
		for i := range fragments {
			pieces = append(pieces, fragments[i].AppendTo(h.net.bufs.get()))
		}
	case 6:
		var ip wire.IPv6
		if !sender || ip.Decode(packet) != wire.OK {
			return nil, DontFragment
		}
		h.fragmented++
		fragments, why := ip.Fragments(mtu, h.fragmented)
		if why != wire.OK {
			return nil, DontFragment
		}
		for i := range fragments {
			pieces = append(pieces, fragments[i].AppendTo(h.net.bufs.get()))
		}
	}
	return pieces, OK
}

// loop delivers a copy of packet to its sender.
func (h *Node) loop(now time.Duration, packet []byte) {
	lo := h.loopbackPort()
	lo.link.In(now, Frame{ID: h.net.newID(), Packet: h.net.bufs.copy(packet)})
}

// transmit puts o on the link, to one of its ends or to Everybody. If the link
// has no room for a packet that was forwarded, its sender may be told.
func (p *Port) transmit(now time.Duration, o outgoing, to int, dst wire.MAC) {
	n := p.node.net
	f := Frame{ID: o.id, From: p.index, To: to, Src: p.mac, Dst: dst, Packet: o.packet}
	if n.sink != nil {
		n.sink.Event(trace.Event{
			At: now, Kind: trace.Sent, Host: p.node.name, Interface: p.name, Link: p.link.name,
			ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst, Rule: o.why,
		})
	}
	if o.forwarded && p.node.Quenches {
		// The link takes the packet, and what is quoted of it with it.
		quoted := n.bufs.copy(o.packet)
		if p.link.In(now, f) == QueueFull {
			p.node.Complain(now, quoted, quenched())
		}
		n.bufs.put(quoted)
		return
	}
	p.link.In(now, f)
}

// dropped tells of a packet that goes no further. The packet is still the
// caller's.
func (n *Network) dropped(now time.Duration, at *Port, f *Frame, why interface{ String() string }, host string) {
	if n.sink == nil {
		return
	}
	n.sink.Event(trace.Event{
		At: now, Kind: trace.Dropped, Host: host, Interface: at.name, Link: at.link.name,
		ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst, Reason: why,
	})
}

// timeToLive returns what is left of it, or of the hop limit.
func timeToLive(packet []byte) uint8 {
	if wire.Version(packet) == 4 {
		return packet[8]
	}
	return packet[7]
}

// countDown takes one off the time to live, which must not be 0.
func countDown(packet []byte) {
	if wire.Version(packet) == 4 {
		wire.Forward(packet)
		return
	}
	packet[7]--
}

// totalLength returns the length that the header of packet gives, which is not
// over len(packet).
func totalLength(packet []byte) int {
	if wire.Version(packet) == 4 {
		return int(binary.BigEndian.Uint16(packet[2:]))
	}
	return 40 + int(binary.BigEndian.Uint16(packet[4:]))
}
