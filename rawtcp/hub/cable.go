package hub

import (
	"fmt"
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// cable is the wire itself: who is plugged in, what is under way, and what
// becomes of it. It has no clock, no lock and no goroutine.
type cable struct {
	pipe   *link.Pipe
	state  link.Conditions // of pipe
	mtu    int
	prefix netip.Prefix // for addresses without a length, and those that are given out
	limit  int          // how many may be plugged in
	sink   trace.Sink   // or nil
	log    func(text string)

	ports  []*port
	absent []*port       // have left, and have a caretaker; the first has left first
	due    time.Duration // when a caretaker has something to do
	owners map[netip.Addr]*port
	ends   []end // of the pipe
	cut    bool  // the whole of it
	numbers
	fresh []*port   // those that have got something since they were flushed
	free  [][]byte  // buffers
	icmp  link.ICMP // of routers: see narrow
}

// numbers are what a cable counts.
type numbers struct {
	lastID uint64
	losses map[string]uint64 // packets that were dropped, by why
}

// end is an end of the pipe. It stays with its address, cut or not, when who is
// plugged in leaves, and another comes: a host that boots again gets what is
// still under way to it.
type end struct {
	address netip.Addr
	port    *port // or nil
	pinned  bool  // somebody wants it cut or mended some day, or narrow
	cut     bool
	mtu     int // of a narrow cable, or 0
}

// port is where somebody is plugged in.
type port struct {
	name      string // its first address
	who       string // "process 4711", "udp:192.0.2.1:4711"
	addresses []netip.Prefix
	end       int // of the pipe
	out       outlet
	estate    *rawtcp.Estate // what it has got from the one before, and then what it leaves; or nil
	caretaker *caretaker     // answers in its place if it has left; or nil
	left      chan struct{}  // is closed when it has left
	since     time.Duration
	sent, got uint64 // packets
	lost      uint64 // packets that the outlet had no room for
	told      uint64 // how many of them have been told of
	fresh     bool   // it is among those to be flushed
}

// outlet takes what is delivered to a port. It must not wait.
type outlet interface {
	// take takes a packet, which is lent, or reports that there is no room.
	take(packet []byte) bool
	// flush is called when nothing more follows for now.
	flush()
}

// The end of the pipe that is nobody's: of packets for an address that nobody
// has yet.
const nowhere = 0

// maxUnderWay is how many bytes may be between the ends of a cable, if each
// packet is as long as can be. It bounds what long delays cost.
const maxUnderWay = 256 << 20

// maxFree is how many buffers are kept when nothing is under way.
const maxFree = 4096

// wireName is the name of the cable in a trace.
const wireName = "wire"

// newCable returns the cable that o describes, which must be valid.
func newCable(o Options) *cable {
	c := &cable{
		pipe: link.NewPipe(o.Conditions, o.Seed), state: o.Conditions,
		mtu: o.MTU, prefix: o.Prefix, limit: o.Plugs, sink: o.Sink, log: o.Log,
		owners: map[netip.Addr]*port{}, ends: make([]end, nowhere+1), due: never,
		numbers: numbers{losses: map[string]uint64{}},
	}
	c.pipe.End = func(host string) (int, bool) {
		end, err := c.endNamed(host)
		if err != nil {
			return 0, false
		}
		c.ends[end].pinned = true
		return end, true
	}
	c.pipe.Name = func(a netip.Addr) string {
		if p := c.owners[a]; p != nil {
			return p.name
		}
		return ""
	}
	c.pipe.Dropped = func(now time.Duration, f link.Frame, why link.Reason) {
		c.dropped(now, "", &f, why)
	}
	c.pipe.Meddled = func(now time.Duration, f link.Frame, what string) {
		c.tell(trace.Event{At: now, Kind: trace.Note, Link: wireName, ID: f.ID, Text: what})
	}
	c.pipe.Changed = c.changed
	c.icmp.IP = narrow{c}
	return c
}

// changed is told of cables that are cut or mended.
func (c *cable) changed(now time.Duration, end int, cut bool) {
	what, verb := "the wire", "mended"
	if cut {
		verb = "cut"
	}
	if end == link.Everybody {
		c.cut = cut
	} else {
		c.ends[end].cut = cut
		what = c.ends[end].address.String()
	}
	c.note(now, "", "cable "+verb+": "+what)
}

// send puts a packet on the wire. It is copied.
func (c *cable) send(now time.Duration, p *port, packet []byte) {
	c.lastID++
	p.sent++
	f := link.Frame{ID: c.lastID, From: p.end, Packet: packet}
	c.tell(trace.Event{At: now, Kind: trace.Sent, Host: p.name, Link: wireName, ID: f.ID, Packet: packet})
	_, dst := wire.Addresses(packet)
	switch {
	case !dst.IsValid():
		c.dropped(now, p.name, &f, wire.Truncated)
		return
	case len(packet) > c.mtu:
		c.dropped(now, p.name, &f, tooLong)
		return
	case c.pipe.Stats().Pending*c.mtu >= maxUnderWay:
		c.dropped(now, "", &f, link.QueueFull)
		return
	}
	f.To = c.toward(dst)
	if c.isNarrow(p.end, packet) {
		c.squeeze(now, p.end, &f, func(piece *link.Frame) { c.pipe.In(now, *piece) })
		return
	}
	f.Packet = append(c.buffer(), packet...)
	c.pipe.In(now, f)
}

// toward returns the end of the pipe that dst is at.
func (c *cable) toward(dst netip.Addr) int {
	if p := c.owners[dst]; p != nil {
		return p.end
	}
	if dst.IsMulticast() || c.isBroadcast(dst) {
		return link.Everybody
	}
	return nowhere
}

// isBroadcast reports whether a is all hosts, as any of them sees it.
func (c *cable) isBroadcast(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	var all link.Attached
	for _, p := range c.ports {
		all.Addresses = p.addresses
		if all.IsBroadcast(a) {
			return true
		}
	}
	return false
}

// nextDeadline returns when advance will have something to do.
func (c *cable) nextDeadline() (time.Duration, bool) {
	d, ok := c.pipe.NextDeadline()
	if c.due < never && (!ok || c.due < d) {
		return c.due, true
	}
	return d, ok
}

// advance delivers what has arrived by now.
func (c *cable) advance(now time.Duration) {
	for {
		f, at, ok := c.pipe.Out(now)
		if !ok {
			break
		}
		if c.due <= at {
			c.tend(at)
		}
		c.deliver(at, &f)
		if cap(f.Packet) == c.mtu {
			c.release(f.Packet)
		} else {
			c.pipe.Release(f.Packet) // a duplicate, which the pipe has made
		}
	}
	if c.due <= now {
		c.tend(now)
	}
	for _, p := range c.fresh {
		p.fresh = false
		p.out.flush()
	}
	clear(c.fresh)
	c.fresh = c.fresh[:0]
}

// deliver hands a frame to whom it is for. Who has plugged in while it was under
// way gets it too.
func (c *cable) deliver(now time.Duration, f *link.Frame) {
	if f.To == nowhere {
		if _, dst := wire.Addresses(f.Packet); dst.IsValid() {
			f.To = c.toward(dst)
		}
	}
	if f.To != link.Everybody && c.isNarrow(f.To, f.Packet) {
		c.squeeze(now, f.To, f, func(piece *link.Frame) {
			c.hand(now, c.ends[f.To].port, piece)
			c.release(piece.Packet)
		})
		return
	}
	if f.To != link.Everybody {
		c.hand(now, c.ends[f.To].port, f)
		return
	}
	for _, p := range c.ports {
		if p.end != f.From {
			c.hand(now, p, f)
		}
	}
}

// hand hands a frame to the one who is plugged in at p, or nil if that is nobody.
func (c *cable) hand(now time.Duration, p *port, f *link.Frame) {
	switch {
	case p == nil || p.caretaker != nil && !p.caretaker.knows(f.Packet):
		c.dropped(now, "", f, link.Nobody)
		return
	case c.pipe.IsCut(p.end):
		c.dropped(now, p.name, f, link.Cut)
		return
	case p.caretaker != nil:
		c.took(now, p, f)
		p.caretaker.stack.Receive(now, f.Packet)
		c.idle(now, p)
		return
	case !p.out.take(f.Packet):
		if p.lost == p.told {
			c.note(now, p.name, p.name+" does not read what comes for it, which is lost")
		}
		p.lost++
		c.dropped(now, p.name, f, tooSlow)
		return
	}
	if p.lost > p.told {
		c.note(now, p.name, fmt.Sprintf("%s reads again; packets lost for it: %d", p.name, p.lost-p.told))
		p.told = p.lost
	}
	if !p.fresh {
		p.fresh = true
		c.fresh = append(c.fresh, p)
	}
	c.took(now, p, f)
}

func (c *cable) took(now time.Duration, p *port, f *link.Frame) {
	p.got++
	c.tell(trace.Event{At: now, Kind: trace.Received, Host: p.name, Link: wireName, ID: f.ID, Packet: f.Packet})
}

// reason is why a cable drops a packet, if it is none of package link.
type reason string

const (
	tooLong reason = "longer than the MTU"
	tooSlow reason = "receiver does not read"
)

// String returns r.
func (r reason) String() string { return string(r) }

// buffer returns an empty buffer. Its capacity, which is below all those that the
// pipe makes, says whose it is.
func (c *cable) buffer() []byte {
	if n := len(c.free); n > 0 {
		b := c.free[n-1]
		c.free = c.free[:n-1]
		return b
	}
	return make([]byte, 0, c.mtu)
}

func (c *cable) release(b []byte) {
	if len(c.free) < maxFree {
		c.free = append(c.free, b[:0])
	}
}

func (c *cable) dropped(now time.Duration, host string, f *link.Frame, why fmt.Stringer) {
	c.losses[why.String()]++
	c.tell(trace.Event{
		At: now, Kind: trace.Dropped, Host: host, Link: wireName, ID: f.ID, Packet: f.Packet, Reason: why,
	})
}

// note tells of what is no packet.
func (c *cable) note(now time.Duration, host, text string) {
	c.tell(trace.Event{At: now, Kind: trace.Note, Host: host, Link: wireName, Text: text})
	if c.log != nil {
		c.log(text)
	}
}

func (c *cable) tell(e trace.Event) {
	if c.sink != nil {
		c.sink.Event(e)
	}
}
