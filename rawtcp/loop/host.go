package loop

import (
	"fmt"
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// host is the Stack and what is beneath it: it loops back what the host sends to
// itself, takes from the link only what is for the host, and has the faults and
// the tap that lie in between.
type host struct {
	Link
	stack  *rawtcp.Stack
	net    *internet    // above the Link, or nil if that is Shared: then it has one
	up     link.Handler // the Stack, or net before it, or a tap before both
	faulty *link.Faulty // or nil
	tap    *link.Tap    // or nil
	shared bool         // the Link is Shared
	name   string
	sink   trace.Sink

	self  [][]byte // sent to this host, and not received yet
	own   [][]byte // buffers for self
	spare [][]byte // buffers that Send has not passed on
	now   time.Duration

	arrived bool // something has come from the link, in this turn
}

func newHost(l Link, o Options) *host {
	h := &host{Link: l, name: o.Host, sink: o.Sink}
	if s, ok := l.(Shared); ok {
		h.shared, o.Ports = true, s
	}
	if o.Faults != nil {
		h.faulty = link.NewFaulty(l, o.Faults)
		h.faulty.Handle(handler(h.passed))
	}
	if o.Sink == nil {
		h.up = h.layers(h, o.Options)
		return h
	}
	h.tap = link.NewTap(h, o.Host, "", o.Sink)
	if h.faulty != nil {
		h.faulty.Number = h.number
		h.confess(o.Faults)
	}
	h.tap.Handle(h.layers(tapped{h, h.tap}, o.Options))
	h.up = h.tap
	return h
}

// layers makes what is above ip, and returns who takes its packets.
func (h *host) layers(ip link.IP, o rawtcp.Options) link.Handler {
	h.stack = rawtcp.New(ip, o)
	if h.shared {
		return h.stack
	}
	h.net = newInternet(h, ip, o)
	return h.net
}

// tapped is a host whose packets pass a tap on their way out.
type tapped struct {
	*host
	tap *link.Tap
}

func (t tapped) SendSegmented(now time.Duration, header, data []byte, size int, why trace.Rule) error {
	return t.tap.SendSegmented(now, header, data, size, why)
}

func (t tapped) Send(now time.Duration, packet []byte, why trace.Rule) error {
	return t.tap.Send(now, packet, why)
}

// handler is a link.Handler that is a function.
type handler func(packet []byte)

func (f handler) Receive(_ time.Duration, packet []byte) { f(packet) }

// Buffer returns a buffer for Send.
func (h *host) Buffer() []byte {
	if n := len(h.spare); n > 0 {
		b := h.spare[n-1]
		h.spare = h.spare[:n-1]
		return b[:0]
	}
	if h.faulty != nil {
		return h.faulty.Buffer()
	}
	return h.Link.Buffer()
}

// Send sends a packet of the Stack.
func (h *host) Send(now time.Duration, packet []byte, why trace.Rule) error {
	if !h.shared {
		switch _, dst := wire.Addresses(packet); {
		case h.isOwn(dst):
			h.loop(packet)
			h.spare = append(h.spare, packet)
			return nil
		case h.IsBroadcast(dst), dst.IsMulticast() && h.net.isMember(dst):
			// Who sends to everybody sends to himself.
			h.loop(packet)
		}
	}
	if h.faulty != nil {
		return h.faulty.Send(now, packet, why)
	}
	return h.Link.Send(now, packet, why)
}

// loop has a copy of packet received at the end of the turn: the Stack must not be
// called from within a call of its own.
func (h *host) loop(packet []byte) { h.self = append(h.self, append(h.buffer(), packet...)) }

// Checksums returns who computes them.
func (h *host) Checksums() link.Checksums {
	if h.faulty != nil {
		return h.faulty.Checksums()
	}
	return h.Link.Checksums()
}

// MaxSegmented returns what the link does. Faults are for single packets.
func (h *host) MaxSegmented() int {
	if h.faulty != nil {
		return 0
	}
	return link.MaxSegmented(h.Link)
}

// SendSegmented sends a packet of the Stack that the link cuts into segments.
func (h *host) SendSegmented(now time.Duration, header, data []byte, size int, why trace.Rule) error {
	return h.Link.(link.Segmenter).SendSegmented(now, header, data, size, why)
}

// buffer returns one for what the host sends to itself. It is not the link's,
// which may have only one.
func (h *host) buffer() []byte {
	if n := len(h.own); n > 0 {
		b := h.own[n-1]
		h.own = h.own[:n-1]
		return b[:0]
	}
	return make([]byte, 0, h.MTU())
}

// loopback receives what the host has sent to itself, and hands on what the
// faults do not delay. It reports whether there was anything.
func (h *host) loopback(now time.Duration) bool {
	any := len(h.self) > 0
	for i := 0; i < len(h.self); i++ { // it may grow
		h.up.Receive(now, h.self[i])
		h.own = append(h.own, h.self[i])
	}
	h.self = h.self[:0]
	if h.faulty != nil {
		if d, ok := h.faulty.NextDeadline(); ok && d <= now {
			h.pass(now)
			any = true
		}
	}
	return any
}

// receive takes a packet from the link. One for a loopback address is for
// nobody: such addresses "MUST NOT appear outside a host" (RFC 1122, section
// 3.2.1.3).
//
// Nor can one come from this host: what it is said to have sent to itself would
// be answered to itself, again and again ("land", CERT CA-1997-28). But for an ICMP
// error, which is never answered (RFC 1122, section 3.2.2): so the link tells that a
// neighbor does not answer.
func (h *host) receive(now time.Duration, packet []byte) {
	switch src, dst := wire.Addresses(packet); {
	case !h.isFor(dst):
		h.drop(now, packet, notMine(packet))
		return
	case !h.shared && h.isOwn(src) && !(src == dst && link.IsError(packet)):
		h.drop(now, packet, link.Spoofed)
		return
	}
	if h.faulty != nil {
		h.faulty.Receive(now, packet)
		return
	}
	h.arrived = true
	h.up.Receive(now, packet)
}

// notMine returns why a packet that seems to be for somebody else is dropped: a
// damaged header does not tell for whom it is. "A host MUST verify the IP header
// checksum on every received datagram and silently discard every datagram that has a
// bad checksum." (RFC 1122, section 3.2.1.2)
func notMine(packet []byte) fmt.Stringer {
	var why wire.Reason
	switch wire.Version(packet) {
	case 4:
		why = new(wire.IPv4).Decode(packet)
	case 6:
		why = new(wire.IPv6).Decode(packet)
	default:
		why = wire.BadVersion
	}
	if why != wire.OK {
		return why
	}
	return link.NotMine
}

// drop tells that a packet from the link goes no further.
func (h *host) drop(now time.Duration, packet []byte, why fmt.Stringer) {
	if h.tap != nil {
		h.dropped(now, h.tap.Next(), packet, why)
	}
}

func (h *host) dropped(now time.Duration, id uint64, packet []byte, why fmt.Stringer) {
	h.sink.Event(trace.Event{At: now, Kind: trace.Dropped, Host: h.name, ID: id, Packet: packet, Reason: why})
}

// isFor reports whether what comes from the link to dst is for this host.
func (h *host) isFor(dst netip.Addr) bool {
	if dst.IsMulticast() {
		return h.net == nil || h.net.isMember(dst)
	}
	return h.Link.Has(dst) || h.IsBroadcast(dst)
}

// passed takes a packet that has come through the faults. It was to come a
// little before now; but a user may have called the Stack since, whose time must
// not go backwards.
func (h *host) passed(packet []byte) {
	h.arrived = true
	if h.tap != nil {
		h.tap.ReceiveAs(h.now, h.faulty.Arriving, packet)
		return
	}
	h.up.Receive(h.now, packet)
}

// number returns the ID of a packet that meets the faults: one that is sent has just
// passed the tap.
func (h *host) number(end int) uint64 {
	if end == link.HostEnd {
		return h.tap.Last()
	}
	return h.tap.Next()
}

// confess has the sink told what p does to packets.
func (h *host) confess(p *link.Pipe) {
	p.Dropped = func(now time.Duration, f link.Frame, why link.Reason) {
		h.dropped(now, f.ID, f.Packet, why)
	}
	p.Meddled = func(now time.Duration, f link.Frame, what string) {
		if f.From == link.NetEnd {
			what += " on its way in"
		}
		h.sink.Event(trace.Event{At: now, Kind: trace.Note, Host: h.name, ID: f.ID, Text: what})
	}
}

func (h *host) nextDeadline() (time.Duration, bool) {
	d, ok := h.stack.NextDeadline()
	if h.net != nil {
		if f, is := h.net.parts.NextDeadline(); is && (!ok || f < d) {
			d, ok = f, true
		}
	}
	if h.faulty != nil {
		if f, is := h.faulty.NextDeadline(); is && (!ok || f < d) {
			return f, true
		}
	}
	return d, ok
}

func (h *host) advance(now time.Duration) {
	if h.faulty != nil {
		h.pass(now)
	}
	h.stack.Advance(now)
	if h.net != nil {
		h.net.expire(now)
	}
}

// pass hands on what has come through the faults by now.
func (h *host) pass(now time.Duration) {
	h.now = now
	// What the link does not take is lost, as any other packet.
	_ = h.faulty.Advance(now)
}

// isOwn reports whether what is sent to a comes back to this host: by itself, or
// by way of a Shared link.
func (h *host) isOwn(a netip.Addr) bool { return a.IsLoopback() || h.Link.Has(a) }

// Has reports whether a is an address of this host: each host has those of the
// loopback network.
func (h *host) Has(a netip.Addr) bool { return h.isOwn(a) }

// Path returns the way to dst.
func (h *host) Path(dst netip.Addr) (link.Path, error) {
	if dst.IsLoopback() && !h.shared {
		return link.Path{Interface: "lo", Source: dst, MTU: h.MTU(), OnLink: true, Self: true}, nil
	}
	return h.Link.Path(dst)
}
