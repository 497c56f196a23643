package onkernel

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// onlooker tells the states of the connections of a host. The kernel tells
// nobody of them while they change; but a state is nothing else than what has
// been sent and received (RFC 9293, figure 5), and both pass before our eyes.
// What no segment shows, the end of TIME_WAIT for one, comes from the kernel's
// table of sockets.
type onlooker struct {
	host    string
	tell    func(e trace.Event)
	conns   []*conn
	listens []netip.AddrPort
}

// pair is the two ends of a connection.
type pair struct{ local, remote netip.AddrPort }

// The states, as a trace has them.
const (
	closed      = "CLOSED"
	listen      = "LISTEN"
	synSent     = "SYN_SENT"
	synReceived = "SYN_RCVD"
	established = "ESTABLISHED"
	finWait1    = "FIN_WAIT_1"
	finWait2    = "FIN_WAIT_2"
	closeWait   = "CLOSE_WAIT"
	closing     = "CLOSING"
	lastAck     = "LAST_ACK"
	timeWait    = "TIME_WAIT"
)

// conn is a connection that is not CLOSED.
type conn struct {
	pair
	state string
	iss   seq.Value // of our SYN
	next  seq.Value // what we expect next: RCV.NXT

	finSent, finSeen bool      // ours was sent, theirs was seen
	fin, theirs      seq.Value // the numbers behind them

	unlike int // how often in a row the table has said something else
}

// doubts is how often in a row the table of sockets must differ from what the
// segments say before it is believed: a segment may be under way to us.
const doubts = 2

func (o *onlooker) find(p pair) *conn {
	for _, c := range o.conns {
		if c.pair == p {
			return c
		}
	}
	return nil
}

// begin adds a connection.
func (o *onlooker) begin(now time.Duration, p pair, from, to, why string, iss seq.Value) *conn {
	c := &conn{pair: p, state: from, iss: iss}
	o.conns = append(o.conns, c)
	o.become(now, c, to, why)
	return c
}

// become tells of a new state, if it is one.
func (o *onlooker) become(now time.Duration, c *conn, to, why string) {
	if to == c.state {
		return
	}
	o.tell(trace.Event{
		At: now, Kind: trace.State, Host: o.host, From: c.state, To: to, Text: why,
		Local: c.local, Remote: c.remote,
	})
	c.state = to
	if to == closed {
		o.conns = slices.DeleteFunc(o.conns, func(other *conn) bool { return other == c })
	}
}

// sent looks at a packet that the host sends.
func (o *onlooker) sent(now time.Duration, packet []byte) {
	var s wire.Segment
	src, dst, ok := segmentOf(packet, &s)
	if !ok {
		return
	}
	p := pair{src, dst}
	c := o.find(p)
	switch {
	case s.Flags.Has(wire.RST):
		// One in SYN_SENT answers an ACK that is not acceptable, and changes
		// nothing.
		if c != nil && c.state != synSent {
			o.become(now, c, closed, "send RST")
		}
		return
	case s.Flags.Has(wire.SYN) && (c == nil || c.state == timeWait && c.iss != s.Seq):
		if c != nil {
			o.become(now, c, closed, "new incarnation")
		}
		if s.Flags.Has(wire.ACK) {
			c = o.begin(now, p, listen, synReceived, "receive SYN", s.Seq)
		} else {
			c = o.begin(now, p, closed, synSent, "connect", s.Seq)
		}
	}
	if c == nil {
		return
	}
	if s.Flags.Has(wire.ACK) {
		c.next = s.Ack
		o.takeFIN(now, c, c.state)
	}
	if s.Flags.Has(wire.FIN) {
		c.finSent, c.fin = true, s.Seq.Add(s.Len())
		switch c.state {
		case synReceived, established:
			o.become(now, c, finWait1, "close")
		case closeWait:
			o.become(now, c, lastAck, "close")
		}
	}
}

// received looks at a packet that the host gets.
func (o *onlooker) received(now time.Duration, packet []byte) {
	var s wire.Segment
	src, dst, ok := segmentOf(packet, &s)
	if !ok {
		return
	}
	c := o.find(pair{dst, src})
	switch {
	case c == nil:
	case c.state == synSent:
		o.answered(now, c, &s)
	case s.Flags.Has(wire.RST):
		// "If the RST bit is set and the sequence number exactly matches the
		// next expected sequence number (RCV.NXT), then TCP endpoints MUST
		// reset the connection" (RFC 9293, section 3.10.7.4).
		if s.Seq == c.next {
			o.become(now, c, closed, "receive RST")
		}
	default:
		state := o.acknowledged(c, &s)
		if len := s.Len(); s.Seq.LessEq(c.next) && c.next.Less(s.Seq.Add(len)) {
			c.next = s.Seq.Add(len)
		}
		if s.Flags.Has(wire.FIN) {
			c.finSeen, c.theirs = true, s.Seq.Add(s.Len())
		}
		if !o.takeFIN(now, c, state) {
			o.become(now, c, state, "receive "+s.Flags.String())
		}
	}
}

// answered is what a SYN_SENT does with a segment: section 3.10.7.3.
func (o *onlooker) answered(now time.Duration, c *conn, s *wire.Segment) {
	ack := s.Flags.Has(wire.ACK)
	switch {
	case ack && s.Ack != c.iss+1:
	case s.Flags.Has(wire.RST):
		if ack {
			o.become(now, c, closed, "receive RST")
		}
	case s.Flags.Has(wire.SYN):
		c.next = s.Seq.Add(s.Len())
		if ack {
			o.become(now, c, established, "receive "+s.Flags.String())
		} else {
			o.become(now, c, synReceived, "receive "+s.Flags.String())
		}
	}
}

// acknowledged returns the state that the ACK of a segment leads to.
func (o *onlooker) acknowledged(c *conn, s *wire.Segment) string {
	if !s.Flags.Has(wire.ACK) {
		return c.state
	}
	if c.state == synReceived && s.Ack == c.iss+1 {
		return established
	}
	if !c.finSent || s.Ack != c.fin {
		return c.state
	}
	switch c.state {
	case finWait1:
		return finWait2
	case closing:
		return timeWait
	case lastAck:
		return closed
	}
	return c.state
}

// takeFIN passes on from state because the FIN of the peer has come, with all
// that was sent before it. It reports false if that is not so.
func (o *onlooker) takeFIN(now time.Duration, c *conn, state string) bool {
	if !c.finSeen || c.next != c.theirs {
		return false
	}
	switch state {
	case synReceived, established:
		state = closeWait
	case finWait1:
		state = closing
	case finWait2:
		state = timeWait
	default:
		return false
	}
	o.become(now, c, state, "receive FIN")
	return true
}

// compare looks at the table of the sockets.
func (o *onlooker) compare(now time.Duration, table []Row) {
	o.compareListeners(now, table)
	for _, c := range slices.Clone(o.conns) {
		state := closed
		for _, r := range table {
			if r.Local == c.local && r.Remote == c.remote {
				state = r.State
			}
		}
		if state == c.state {
			c.unlike = 0
			continue
		}
		if c.unlike++; c.unlike < doubts {
			continue
		}
		c.unlike = 0
		why := "the kernel says so"
		switch {
		case state != closed:
		case c.state == timeWait:
			why = "2MSL have passed"
		case c.state == finWait2:
			why = "waited long enough"
		case c.state == synSent:
			why = "given up"
		}
		o.become(now, c, state, why)
	}
}

func (o *onlooker) compareListeners(now time.Duration, table []Row) {
	var there []netip.AddrPort
	for _, r := range table {
		if r.State == listen && !slices.Contains(there, r.Local) {
			there = append(there, r.Local)
		}
	}
	for _, a := range there {
		if !slices.Contains(o.listens, a) {
			o.tell(trace.Event{
				At: now, Kind: trace.State, Host: o.host, From: closed, To: listen, Text: "listen", Local: a,
			})
		}
	}
	for _, a := range o.listens {
		if !slices.Contains(there, a) {
			o.tell(trace.Event{
				At: now, Kind: trace.State, Host: o.host, From: listen, To: closed, Text: "close", Local: a,
			})
		}
	}
	o.listens = there
}

// age returns a number that is greater the later a connection began, and less
// than 0 of what is no connection.
func (o *onlooker) age(r Row) int {
	return slices.IndexFunc(o.conns, func(c *conn) bool { return c.local == r.Local && c.remote == r.Remote })
}

// resting reports whether all connections are in states that they do not leave
// by themselves.
func (o *onlooker) resting() bool {
	return !slices.ContainsFunc(o.conns, func(c *conn) bool {
		return c.state != established && c.state != closeWait
	})
}

// segmentOf takes the segment out of a packet, if it is a whole one without an
// error.
func segmentOf(packet []byte, s *wire.Segment) (src, dst netip.AddrPort, ok bool) {
	var from, to netip.Addr
	var payload []byte
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		if h.Decode(packet) != wire.OK || h.Protocol != wire.ProtoTCP || h.IsFragment() {
			return src, dst, false
		}
		from, to, payload = h.Src, h.Dst, h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(packet) != wire.OK || h.Protocol != wire.ProtoTCP || h.IsFragment() {
			return src, dst, false
		}
		from, to, payload = h.Src, h.Dst, h.Payload
	default:
		return src, dst, false
	}
	if wire.VerifyTCP(from, to, payload) == wire.ChecksumBad || s.Decode(payload) != wire.OK {
		return src, dst, false
	}
	return netip.AddrPortFrom(from, s.SrcPort), netip.AddrPortFrom(to, s.DstPort), true
}
