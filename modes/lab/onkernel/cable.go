//go:build linux

package onkernel

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Link is what hosts are attached to. Its Pipe says what becomes of a frame.
type Link struct {
	*link.Pipe
	w     *World
	name  string
	mtu   int
	p2p   bool
	ports []*port
}

// port is an interface of a host.
type port struct {
	host     *Host
	link     *Link
	index    int // among the ports of the link
	name     string
	mac      wire.MAC
	prefixes []netip.Prefix
	file     *os.File // nil while the host is down
	number   int      // the kernel's index of it
}

// Ethernet (RFC 894).
const (
	etherHeader = 14
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	etherIPv6   = 0x86dd
	defaultMTU  = 1500
)

// Link adds a link.
func (w *World) Link(name string, o link.LinkOptions) *Link {
	if o.MTU == 0 {
		o.MTU = defaultMTU
	}
	l := &Link{w: w, name: name, mtu: o.MTU, p2p: o.PointToPoint}
	l.Pipe = link.NewPipe(o.Conditions, w.seed+uint64(len(w.links))<<32)
	l.Pipe.Name = w.HostOf
	l.End = l.endOf
	l.Dropped = func(_ time.Duration, f link.Frame, why link.Reason) { l.dropped(l.ports[f.From], f, why, "") }
	l.Meddled = func(_ time.Duration, f link.Frame, what string) {
		w.tell(trace.Event{Kind: trace.Note, Link: name, ID: f.ID, Text: what})
	}
	l.Changed = func(_ time.Duration, end int, cut bool) {
		what, verb := name, "cable mended: "
		if end != link.Everybody {
			what = l.ports[end].host.name + " on " + name
		}
		if cut {
			verb = "cable cut: "
		}
		w.tell(trace.Event{Kind: trace.Note, Link: name, Text: verb + what})
	}
	w.links = append(w.links, l)
	return l
}

func (l *Link) endOf(host string) (int, bool) {
	i := slices.IndexFunc(l.ports, func(p *port) bool { return strings.EqualFold(p.host.name, host) })
	return max(i, 0), i >= 0
}

// dropped tells of a frame that goes no further; host is who drops it, "" for
// the link.
func (l *Link) dropped(at *port, f link.Frame, why link.Reason, host string) {
	l.w.tell(trace.Event{
		Kind: trace.Dropped, Host: host, Interface: at.name, Link: l.name,
		ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst, Reason: why,
	})
}

// read takes what the kernel sends by the interface, until the file is closed.
func (p *port) read(file *os.File) {
	buf := make([]byte, etherHeader+65535)
	for {
		n, err := file.Read(buf)
		if err != nil {
			return
		}
		frame := slices.Clone(buf[:n])
		if !p.link.w.see(func() { p.sent(file, frame) }) {
			return
		}
	}
}

// sent puts a frame of the kernel's on the link.
func (p *port) sent(file *os.File, frame []byte) {
	if file != p.file {
		return // the host has crashed since
	}
	l, w := p.link, p.link.w
	f := link.Frame{From: p.index, Packet: frame}
	if !l.p2p && !unwrapEthernet(&f) {
		return
	}
	var why trace.Rule
	if id, forwarded := w.pass(f.Packet); forwarded {
		f.ID, why = id, trace.Rule{Text: "forwarded", RFC: "RFC 1812, section 5.2.1"}
	} else {
		f.ID = w.newID()
	}
	w.tell(trace.Event{
		Kind: trace.Sent, Host: p.host.name, Interface: p.name, Link: l.name,
		ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst, Rule: why,
	})
	p.host.onlooker.sent(w.now, f.Packet)
	if f.To = l.receiver(p, f); f.To == nobody {
		l.dropped(p, f, link.Nobody, "")
		return
	}
	l.In(w.real, f)
}

// nobody is a receiver that is not there.
const nobody = link.Everybody - 1

// receiver returns the end of the link that takes a frame.
func (l *Link) receiver(from *port, f link.Frame) int {
	if l.p2p {
		if len(l.ports) == 2 {
			return 1 - from.index
		}
		dst, _ := destination(f.Packet)
		if i := slices.IndexFunc(l.ports, func(p *port) bool { return p.has(dst) }); i >= 0 {
			return i
		}
		return nobody
	}
	if f.Dst[0]&1 != 0 { // broadcast or multicast
		return link.Everybody
	}
	for i, p := range l.ports {
		if p.mac == f.Dst {
			return i
		}
	}
	return nobody
}

// unwrapEthernet takes the header off f. It reports false if it is neither IP
// nor ARP.
func unwrapEthernet(f *link.Frame) bool {
	if len(f.Packet) <= etherHeader {
		return false
	}
	f.Dst, f.Src = wire.MAC(f.Packet[:6]), wire.MAC(f.Packet[6:12])
	kind := binary.BigEndian.Uint16(f.Packet[12:])
	f.Packet = f.Packet[etherHeader:]
	return kind == etherIPv4 || kind == etherIPv6 || kind == etherARP
}

// wrapEthernet returns f with its header.
func wrapEthernet(f link.Frame) []byte {
	kind := uint16(etherARP)
	switch wire.Version(f.Packet) {
	case 4:
		kind = etherIPv4
	case 6:
		kind = etherIPv6
	}
	b := slices.Concat(f.Dst[:], f.Src[:])
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, f.Packet...)
}

// out takes from the link what has arrived.
func (l *Link) out() {
	f, _, ok := l.Out(l.w.real)
	if !ok {
		return
	}
	if f.To != link.Everybody {
		l.ports[f.To].receive(f)
		return
	}
	for i, p := range l.ports {
		switch {
		case i == f.From:
		case l.IsCut(i):
			l.dropped(p, f, link.Cut, "")
		default:
			p.receive(f)
		}
	}
}

// receive gives a frame to the kernel.
func (p *port) receive(f link.Frame) {
	h, w := p.host, p.host.w
	if !h.up {
		p.link.dropped(p, f, link.HostDown, h.name)
		return
	}
	w.tell(trace.Event{
		Kind: trace.Received, Host: h.name, Interface: p.name, Link: p.link.name,
		ID: f.ID, Packet: f.Packet, Src: f.Src, Dst: f.Dst,
	})
	h.onlooker.received(w.now, f.Packet)
	if dst, ok := destination(f.Packet); ok && h.Router && !h.has(dst) {
		w.passing[inTransit(f.Packet)] = f.ID
	}
	b := f.Packet
	if !p.link.p2p {
		b = wrapEthernet(f)
	}
	// The kernel takes it or not, as any machine does with what is on the
	// cable.
	_, _ = p.file.Write(b)
}

// destination returns where an IP packet goes.
func destination(packet []byte) (netip.Addr, bool) {
	switch {
	case wire.Version(packet) == 4 && len(packet) >= 20:
		return netip.AddrFrom4([4]byte(packet[16:20])), true
	case wire.Version(packet) == 6 && len(packet) >= 40:
		return netip.AddrFrom16([16]byte(packet[24:40])), true
	}
	return netip.Addr{}, false
}

// Inject puts a packet on the link that no host has sent. It goes to the host
// on the link that has the destination address, or else to the first router.
func (l *Link) Inject(packet []byte, why trace.Rule) error {
	dst, ok := destination(packet)
	switch {
	case !ok:
		return link.ErrMalformed
	case len(packet) > l.mtu:
		return link.ErrTooBig
	}
	var to *port
	for _, p := range l.ports {
		switch {
		case p.has(dst):
			to = p
		case p.host.Router && to == nil:
			to = p
		}
	}
	if to == nil {
		return errors.New("nobody on the link takes a packet for " + dst.String())
	}
	f := link.Frame{ID: l.w.newID(), From: to.index, To: to.index, Dst: to.mac, Packet: packet}
	l.w.tell(trace.Event{Kind: trace.Sent, Link: l.name, ID: f.ID, Packet: packet, Dst: f.Dst, Rule: why})
	to.receive(f)
	return nil
}

// has reports whether an address is of p.
func (p *port) has(a netip.Addr) bool {
	return slices.ContainsFunc(p.prefixes, func(own netip.Prefix) bool { return own.Addr() == a })
}

// meet puts the neighbours of p into its ARP cache.
func (p *port) meet(n *netlink) error {
	if p.link.p2p {
		return nil
	}
	for _, other := range p.link.ports {
		for _, a := range other.prefixes {
			if other == p {
				continue
			}
			if err := n.neighbour(p.number, a.Addr(), other.mac); err != nil {
				return err
			}
		}
	}
	return nil
}
