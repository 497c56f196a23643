package link

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// NodeOptions are the properties of a host. The zero value is a host of today.
type NodeOptions struct {
	// Forwards makes the host a router.
	Forwards bool
	// Quenches makes a router answer with an ICMP source quench what it drops
	// because its queue is full. "A router SHOULD NOT originate ICMP Source
	// Quench messages" (RFC 1812, section 4.3.3.3); those of the book do.
	Quenches bool
	// HidesMTU makes a router older than RFC 1191: its "fragmentation needed"
	// does not say what would be short enough.
	HidesMTU bool
	// Quote is how many bytes behind the IP header an ICMP error quotes. 0 is
	// as many as fit into 576 bytes. Berkeley systems have 8.
	Quote int
	// LoopbackMTU is the MTU of the loopback interface; 0 is 65535.
	LoopbackMTU int
	ARP         ARPOptions
	Fragments   wire.Limits
	// Offload is what Checksums returns. Hosts that all leave the checksums
	// to a device that is not there understand each other, and save time.
	Offload Checksums
}

// Node is a host, or a router.
type Node struct {
	NodeOptions
	name    string
	net     *Network
	ports   []*Port
	lo      *Port // attached on first use
	routes  []Route
	last    Path // to lastTo, if its port is set
	lastTo  netip.Addr
	groups  []netip.Addr
	handler Handler
	up      bool
	parts   *wire.Reassembler
	icmp    ICMP

	fragmented uint32 // IPv6 packets
}

// Port is an interface of a host, attached to a link.
type Port struct {
	node     *Node
	link     *Link
	index    int // among the ports of the link
	name     string
	mac      wire.MAC
	prefixes []netip.Prefix
	arp      []*arpEntry
	asking   int // entries of arp that have packets waiting and a timer
}

// Node adds a host, which runs.
func (n *Network) Node(name string, o NodeOptions) *Node {
	h := &Node{NodeOptions: o, name: name, net: n, up: true}
	h.parts = wire.NewReassembler(o.Fragments)
	h.icmp.IP = h
	n.nodes = append(n.nodes, h)
	return h
}

// Name returns the name of h.
func (h *Node) Name() string { return h.name }

// Attach attaches h to l by an interface of the given name. Each of addresses
// is one of its own, with the length of the prefix that the link's hosts have
// in common; a route to them is added.
func (h *Node) Attach(l *Link, name string, addresses ...netip.Prefix) *Port {
	p := &Port{node: h, link: l, index: len(l.ports), name: name}
	if !l.p2p {
		p.mac = h.net.newMAC()
	}
	l.ports = append(l.ports, p)
	h.ports = append(h.ports, p)
	for _, a := range addresses {
		p.AddAddress(a)
	}
	return p
}

// AddAddress gives p one more address.
func (p *Port) AddAddress(a netip.Prefix) {
	p.prefixes = append(p.prefixes, a)
	p.node.AddRoute(Route{To: a.Masked(), port: p})
}

// SetMAC gives p another Ethernet address.
func (p *Port) SetMAC(m wire.MAC) { p.mac = m }

// MAC returns the Ethernet address of p.
func (p *Port) MAC() wire.MAC { return p.mac }

// Name returns the name of p, "le0".
func (p *Port) Name() string { return p.name }

// Link returns what p is attached to.
func (p *Port) Link() *Link { return p.link }

// Index returns which end of its link p is, for Cut and SetFrom.
func (p *Port) Index() int { return p.index }

// Handle sets who takes the packets for h, or nobody, if it is nil.
func (h *Node) Handle(to Handler) { h.handler = to }

// Join makes h a member of a multicast group, on all its interfaces.
func (h *Node) Join(group netip.Addr) {
	if !slices.Contains(h.groups, group) {
		h.groups = append(h.groups, group)
	}
}

// Leave undoes Join.
func (h *Node) Leave(group netip.Addr) {
	h.groups = slices.DeleteFunc(h.groups, func(a netip.Addr) bool { return a == group })
}

// Complain tells the sender of packet by ICMP that it failed, if that may be told.
// The packet stays the caller's.
func (h *Node) Complain(now time.Duration, packet []byte, why Failure) {
	h.icmp.Quote, h.icmp.HidesMTU = h.Quote, h.HidesMTU // they may have been changed
	h.icmp.Error(now, packet, why)
}

// Crash stops h at once. It says nothing to anybody, and forgets all that it
// had in memory: its Handler, its ARP cache, its fragments.
func (h *Node) Crash(now time.Duration) {
	h.up = false
	h.handler = nil
	h.groups = nil
	h.parts = wire.NewReassembler(h.Fragments)
	for _, p := range h.ports {
		p.forget(now)
	}
	h.net.tell(trace.Event{At: now, Kind: trace.Note, Host: h.name, Text: "crash"})
}

// Reboot starts h again after a Crash. It has the addresses and routes it had,
// but no Handler yet.
func (h *Node) Reboot(now time.Duration) {
	if h.up {
		h.Crash(now)
	}
	h.up = true
	h.net.tell(trace.Event{At: now, Kind: trace.Note, Host: h.name, Text: "reboot"})
}

// Up reports whether h runs.
func (h *Node) Up() bool { return h.up }

// Buffer returns an empty buffer to build a packet in: see Interface.
func (h *Node) Buffer() []byte { return h.net.bufs.get() }

// MTU returns the greatest MTU of the interfaces of h. What can be sent to one
// destination is in its Path.
func (h *Node) MTU() int {
	most := 0
	for _, p := range h.ports {
		most = max(most, p.link.mtu)
	}
	return most
}

// Checksums returns NodeOptions.Offload.
func (h *Node) Checksums() Checksums { return h.Offload }

// String returns the name of h and its addresses, for a message.
func (h *Node) String() string {
	s := h.name
	for _, p := range h.ports {
		for _, a := range p.prefixes {
			s += fmt.Sprintf(" %s", a)
		}
	}
	return s
}

// nextDeadline returns when advance will have something to do.
func (h *Node) nextDeadline() (at time.Duration, ok bool) {
	if t, some := h.parts.NextDeadline(); some {
		at, ok = t, true
	}
	for _, p := range h.ports {
		if p.asking == 0 {
			continue
		}
		if t, some := p.arpDeadline(); some && (!ok || t < at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// advance does what is due by now.
func (h *Node) advance(now time.Duration) {
	for _, e := range h.parts.Expire(now) {
		h.net.tell(trace.Event{
			At: now, Kind: trace.Dropped, Host: h.name, Packet: e.First, Reason: NotComplete,
		})
		// "If fragment zero is not available then no time exceeded need be sent
		// at all." (RFC 792)
		if e.First != nil {
			h.Complain(now, e.First, FragmentsMissing())
		}
	}
	for _, p := range h.ports {
		if p.asking > 0 {
			p.arpAdvance(now)
		}
	}
}
