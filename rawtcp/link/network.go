package link

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Network is hosts and links in memory. It is driven from outside: whoever has
// the clock moves it to NextDeadline and calls Advance.
type Network struct {
	nodes  []*Node
	links  []*Link
	sink   trace.Sink
	seed   uint64
	lastID uint64
	macs   uint32
	bufs   buffers
}

// NewNetwork returns a Network without hosts and links. Chance goes by seed.
// What happens is told to sink, unless that is nil.
func NewNetwork(seed uint64, sink trace.Sink) *Network {
	return &Network{seed: seed, sink: sink}
}

// LinkOptions are the properties of a Link. The zero value is a perfect
// Ethernet.
type LinkOptions struct {
	MTU int // bytes; 0 is 1500
	// PointToPoint is a link without addresses of its own and so without ARP,
	// such as SLIP.
	PointToPoint bool
	Conditions   Conditions
}

// Link is what hosts are attached to.
type Link struct {
	*Pipe
	name  string
	index int
	net   *Network
	mtu   int
	p2p   bool
	ports []*Port
}

// Link adds a link.
func (n *Network) Link(name string, o LinkOptions) *Link {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	n.bufs.grow(o.MTU)
	l := &Link{name: name, index: len(n.links), net: n, mtu: o.MTU, p2p: o.PointToPoint}
	// Each link has a chance of its own: what one of them does to a packet
	// does not depend on what the others did.
	l.Pipe = newPipe(o.Conditions, n.seed+uint64(l.index)<<32, &n.bufs)
	l.Name = n.hostOf
	l.End = l.endOf
	l.Dropped = func(now time.Duration, f Frame, why Reason) {
		n.dropped(now, l.ports[f.From], &f, why, "")
	}
	l.Meddled = func(now time.Duration, f Frame, what string) {
		n.tell(trace.Event{At: now, Kind: trace.Note, Link: name, ID: f.ID, Text: what})
	}
	l.Changed = func(now time.Duration, end int, cut bool) {
		what := name
		if end != Everybody {
			what = l.ports[end].node.name + " on " + name
		}
		verb := "cable mended: "
		if cut {
			verb = "cable cut: "
		}
		n.tell(trace.Event{At: now, Kind: trace.Note, Link: name, Text: verb + what})
	}
	n.links = append(n.links, l)
	return l
}

// LinkName returns the name of l.
func (l *Link) LinkName() string { return l.name }

// MTU returns the length in bytes of the longest packet that l carries.
func (l *Link) MTU() int { return l.mtu }

func (l *Link) endOf(host string) (int, bool) {
	for i, p := range l.ports {
		if strings.EqualFold(p.node.name, host) {
			return i, true
		}
	}
	return 0, false
}

// FindLink returns the link of a name, or nil.
func (n *Network) FindLink(name string) *Link {
	for _, l := range n.links {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

// FindNode returns the host of a name, or nil.
func (n *Network) FindNode(name string) *Node {
	for _, h := range n.nodes {
		if strings.EqualFold(h.name, name) {
			return h
		}
	}
	return nil
}

// hostOf returns the name of the host that has an address, or "".
func (n *Network) hostOf(a netip.Addr) string {
	for _, h := range n.nodes {
		if !a.IsLoopback() && h.Has(a) {
			return h.name
		}
	}
	return ""
}

// Rule puts a rule of ParseRule to work. "on LINK" at its end says where; it
// can be left out if there is only one link.
func (n *Network) Rule(text string) error {
	words := strings.Fields(text)
	l := n.onlyLink()
	if k := len(words); k > 2 && strings.EqualFold(words[k-2], "on") {
		if l = n.FindLink(words[k-1]); l == nil {
			return fmt.Errorf("%q: there is no link %q", text, words[k-1])
		}
		text = strings.Join(words[:k-2], " ")
	}
	r, err := ParseRule(text)
	if err != nil {
		return err
	}
	if l == nil {
		return fmt.Errorf(`%q: which link? say "on" and its name`, text)
	}
	return l.Add(r)
}

func (n *Network) onlyLink() (only *Link) {
	for _, l := range n.links {
		if l.name == loopback {
			continue
		}
		if only != nil {
			return nil
		}
		only = l
	}
	return only
}

// NextDeadline returns when Advance will have something to do. It reports
// false if nothing is under way.
func (n *Network) NextDeadline() (time.Duration, bool) {
	_, _, at, ok := n.next()
	return at, ok
}

// next returns the link or the host that has something to do first. Of two
// with the same deadline it is the one that was added first, and a link before
// a host.
func (n *Network) next() (first *Link, host *Node, at time.Duration, ok bool) {
	for _, l := range n.links {
		if t, some := l.NextDeadline(); some && (!ok || t < at) {
			first, at, ok = l, t, true
		}
	}
	for _, h := range n.nodes {
		if t, some := h.nextDeadline(); some && (!ok || t < at) {
			first, host, at, ok = nil, h, t, true
		}
	}
	return first, host, at, ok
}

// Advance lets all that is due by now happen, in its order. What comes of it
// at once happens too; what a link without delay delivers, for one.
func (n *Network) Advance(now time.Duration) {
	for n.Step(now) {
	}
}

// Step lets the next thing that is due by now happen. It reports false if there
// is none. Whoever has other clocks beside the network's, of the hosts for
// one, takes steps, and looks at those in between.
func (n *Network) Step(now time.Duration) bool {
	l, h, at, ok := n.next()
	switch {
	case !ok || at > now:
		return false
	case h != nil:
		h.advance(at)
	default:
		if f, at, ok := l.Out(at); ok {
			l.deliver(at, f)
		}
	}
	return true
}

// deliver hands a frame to whom it is for.
func (l *Link) deliver(now time.Duration, f Frame) {
	if f.To != Everybody {
		l.ports[f.To].receive(now, f)
		return
	}
	for i, p := range l.ports {
		if i == f.From || !p.listens(f.Packet) {
			continue
		}
		one := f
		one.To, one.Packet = i, l.net.bufs.copy(f.Packet)
		if l.IsCut(i) {
			l.net.dropped(now, p, &one, Cut, "")
			l.net.bufs.put(one.Packet)
			continue
		}
		p.receive(now, one)
	}
	l.net.bufs.put(f.Packet)
}

// Inject puts a packet on the link that no host has sent: an old duplicate, or
// one made by hand. It goes to the host on the link that has the destination
// address, or else to the first router. The packet is copied.
func (l *Link) Inject(now time.Duration, packet []byte, why trace.Rule) error {
	_, dst := wire.Addresses(packet)
	if !dst.IsValid() {
		return ErrMalformed
	}
	if len(packet) > l.mtu {
		return ErrTooBig
	}
	to := l.portOf(dst)
	if to == nil {
		for _, p := range l.ports {
			if p.node.Forwards && to == nil {
				to = p
			}
		}
	}
	if to == nil {
		return errors.New("nobody on the link takes a packet for " + dst.String())
	}
	f := Frame{ID: l.net.newID(), From: to.index, To: to.index, Dst: to.mac, Packet: l.net.bufs.copy(packet)}
	l.net.tell(trace.Event{
		At: now, Kind: trace.Sent, Link: l.name, ID: f.ID, Packet: f.Packet, Dst: f.Dst, Rule: why,
	})
	l.queue.push(now, f)
	l.stats.In++
	return nil
}

// portOf returns the port on l that has an address, or nil.
func (l *Link) portOf(a netip.Addr) *Port {
	for _, p := range l.ports {
		if p.has(a) {
			return p
		}
	}
	return nil
}

func (n *Network) newID() uint64 {
	n.lastID++
	return n.lastID
}

// newMAC returns the next of addresses that belong to no maker of cards.
func (n *Network) newMAC() wire.MAC {
	n.macs++
	return wire.MAC{2, 0, byte(n.macs >> 24), byte(n.macs >> 16), byte(n.macs >> 8), byte(n.macs)}
}

func (n *Network) tell(e trace.Event) {
	if n.sink != nil {
		n.sink.Event(e)
	}
}
