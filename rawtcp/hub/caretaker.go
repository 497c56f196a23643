package hub

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// caretaker answers for a host whose process has gone, and keeps what it has left
// until another process comes to one of its addresses. It is as silent as an
// address that nobody has, but for connections in TIME_WAIT: their segments get
// what the host itself would have answered. Only a SYN that may begin a new
// connection gets a RST, and ends TIME_WAIT, since nobody listens.
//
// A process that is killed leaves nothing. For the others on the wire its host
// has crashed.
type caretaker struct {
	link.Attached
	cable  *cable
	port   *port
	stack  *rawtcp.Stack
	buffer []byte
	busy   bool // something is in TIME_WAIT
}

// bequeath takes what p leaves, which goes to a caretaker when it has left. It
// returns io.EOF, since nothing more comes from p.
func (c *cable) bequeath(p *port, body []byte) error {
	e, err := rawtcp.DecodeEstate(body)
	if err != nil {
		return errJunk
	}
	p.estate = e
	return io.EOF
}

// appoint puts a caretaker in the place of p, which has left.
func (c *cable) appoint(now time.Duration, p *port) {
	if len(c.absent) >= c.limit {
		c.dismiss(c.absent[0])
	}
	t := &caretaker{cable: c, port: p, buffer: make([]byte, 0, c.mtu)}
	t.Attached = link.Attached{Interface: t, Name: wireName, Addresses: p.addresses}
	t.stack = rawtcp.New(t, rawtcp.Options{Host: p.name, Profile: p.estate.Profile})
	t.stack.Inherit(now, p.estate)
	p.caretaker, p.estate = t, nil
	c.absent = append(c.absent, p)
	c.ends[p.end].port = p
	for _, a := range p.addresses {
		c.owners[a.Addr()] = p
	}
	if n, left := t.stack.Waiting(now); n > 0 {
		t.busy = true
		c.note(now, p.name, p.name+" has left "+inTimeWait(n, left))
		c.schedule(p)
	}
}

// welcome is the body of the welcome of p, which gets what is left to it.
func (c *cable) welcome(p *port) string {
	w := welcome{c.mtu, p.addresses, p.estate}
	p.estate = nil
	return w.text()
}

// dismiss ends the work of a caretaker.
func (c *cable) dismiss(p *port) {
	i := slices.Index(c.absent, p)
	c.absent = slices.Delete(c.absent, i, i+1)
	c.ends[p.end].port = nil
	for _, a := range p.addresses {
		delete(c.owners, a.Addr())
	}
}

// inherit takes what is left at addresses from the caretakers, or nil. If that
// was more than one host, the first one lives on.
func (c *cable) inherit(now time.Duration, addresses []netip.Prefix) (e *rawtcp.Estate) {
	for _, a := range addresses {
		p := c.owners[a.Addr()]
		if p == nil {
			continue
		}
		left := p.caretaker.stack.Estate(now)
		c.dismiss(p)
		if e == nil {
			e = left
		} else {
			e.Waits = append(e.Waits, left.Waits...)
		}
	}
	if e != nil {
		e.Waits = slices.DeleteFunc(e.Waits, func(w rawtcp.TimeWait) bool {
			return !slices.ContainsFunc(addresses, func(a netip.Prefix) bool { return a.Addr() == w.Local.Addr() })
		})
		e.Fit()
	}
	return e
}

// tend has the caretakers do what is due.
func (c *cable) tend(now time.Duration) {
	c.due = never
	for _, p := range c.absent {
		p.caretaker.stack.Advance(now)
		c.schedule(p)
		c.idle(now, p)
	}
}

// schedule has tend called when the caretaker of p will have something to do.
func (c *cable) schedule(p *port) {
	if d, ok := p.caretaker.stack.NextDeadline(); ok {
		c.due = min(c.due, d)
	}
}

// idle tells of it when nothing is in TIME_WAIT any more.
func (c *cable) idle(now time.Duration, p *port) {
	if n, _ := p.caretaker.stack.Waiting(now); n == 0 && p.caretaker.busy {
		p.caretaker.busy = false
		c.note(now, p.name, p.name+" has no connection in TIME_WAIT any more")
	}
}

// knows reports whether a packet is of a connection in TIME_WAIT.
func (t *caretaker) knows(packet []byte) bool {
	var src, dst netip.Addr
	var segment []byte
	if wire.Version(packet) == 4 {
		var h wire.IPv4
		if h.Decode(packet) != wire.OK || h.IsFragment() || h.Protocol != wire.ProtoTCP {
			return false
		}
		src, dst, segment = h.Src, h.Dst, h.Payload
	} else {
		var h wire.IPv6
		if h.Decode(packet) != wire.OK || h.IsFragment() || h.Protocol != wire.ProtoTCP {
			return false
		}
		src, dst, segment = h.Src, h.Dst, h.Payload
	}
	var s wire.Segment
	switch s.Decode(segment) {
	case wire.OK, wire.OptionLength, wire.OptionSize:
	default:
		return false
	}
	return t.stack.InTimeWait(netip.AddrPortFrom(dst, s.DstPort), netip.AddrPortFrom(src, s.SrcPort))
}

// Send puts an answer on the wire.
func (t *caretaker) Send(now time.Duration, packet []byte, _ trace.Rule) error {
	t.cable.send(now, t.port, packet)
	return nil
}

// Buffer returns a buffer for Send, always the same.
func (t *caretaker) Buffer() []byte { return t.buffer }

// MTU returns that of the wire.
func (t *caretaker) MTU() int { return t.cable.mtu }

// Checksums returns that all are to be computed.
func (t *caretaker) Checksums() link.Checksums { return link.Checksums{} }

// listAbsent lists the hosts whose processes have gone, and left something in
// TIME_WAIT.
func (c *cable) listAbsent(now time.Duration) (lines []string) {
	for _, p := range c.absent {
		n, left := p.caretaker.stack.Waiting(now)
		if n == 0 {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: nobody, but %s", addresses(p.addresses), inTimeWait(n, left)))
		for i, r := range p.caretaker.stack.Netstat(now) {
			if i == maxListed {
				lines = append(lines, "  ...")
				break
			}
			lines = append(lines, fmt.Sprintf("  %s to %s: %.1f s", dotted(r.Local), dotted(r.Remote), r.Left.Seconds()))
		}
	}
	return lines
}

// maxListed is how many connections of a host that has gone are listed.
const maxListed = 20

// dotted returns an address and a port as all of sock shows them: 10.0.0.1.8888.
func dotted(a netip.AddrPort) string { return fmt.Sprintf("%v.%d", a.Addr(), a.Port()) }

// inTimeWait says how many connections are in TIME_WAIT, and how long the last is.
func inTimeWait(n int, left time.Duration) string {
	text := "1 connection"
	if n != 1 {
		text = fmt.Sprint(n, " connections")
	}
	return fmt.Sprintf("%s in TIME_WAIT for %.1f s", text, left.Seconds())
}
