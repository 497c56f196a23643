package trial_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// inspector looks at every segment of one connection, as it goes out, and at
// every change of state, and keeps the first thing that is wrong. It knows
// nothing of the machines: what it asks for is what anybody can see from
// outside.
type inspector struct {
	text   func(end, i int) byte // what each end sends
	ends   [2]flow
	states map[place]tcb.State
	arrows map[arrow]int
	err    error
}

// arrow is one of the diagram.
type arrow struct{ from, to tcb.State }

// place is one end of a connection.
type place struct {
	host          string
	local, remote netip.AddrPort
}

// flow is what one end has sent so far.
type flow struct {
	socket    netip.AddrPort
	syn, fin  bool
	iss       seq.Value
	end       seq.Value // one past all it has sent
	ack       seq.Value // the latest
	acks      bool
	window    seq.Size  // of its SYN
	edge      seq.Value // how far its windows have allowed to send, once acks
	mss       int
	shift     uint8
	canScale  bool
	stamps    bool
	sack      bool
	lastStamp uint32
}

func newInspector(a, b netip.AddrPort, text func(end, i int) byte) *inspector {
	return &inspector{
		text: text, ends: [2]flow{{socket: a}, {socket: b}},
		states: map[place]tcb.State{}, arrows: map[arrow]int{},
	}
}

func (i *inspector) event(e trace.Event) {
	if i.err != nil {
		return
	}
	var err error
	switch e.Kind {
	case trace.State:
		err = i.state(e)
	case trace.Sent:
		err = i.packet(&e)
	}
	if err != nil {
		i.err = fmt.Errorf("%v: %w", e.At, err)
	}
}

// state checks that "the diagram has an arrow", and that it begins where the
// last one ended.
func (i *inspector) state(e trace.Event) error {
	from, to := stateOf(e.From), stateOf(e.To)
	if !from.CanBecome(to) {
		return fmt.Errorf("%s: no arrow from %s to %s", e.Host, e.From, e.To)
	}
	at := place{e.Host, e.Local, e.Remote}
	if last, ok := i.states[at]; ok && last != from && !(last == tcb.Closed && from == tcb.Listen) {
		return fmt.Errorf("%s: %s to %s, but it was in %v", e.Host, e.From, e.To, last)
	}
	i.states[at] = to
	i.arrows[arrow{from, to}]++
	return nil
}

func stateOf(name string) tcb.State {
	for s := range tcb.State(tcb.NumStates) {
		if s.String() == name {
			return s
		}
	}
	return tcb.NumStates
}

// packet checks one packet that goes out.
func (i *inspector) packet(e *trace.Event) error {
	src, dst, b, err := payload(e.Packet)
	if err != nil || b == nil {
		return err
	}
	if sum := plainSum(src, dst, b); sum != 0xffff {
		return fmt.Errorf("%s: the checksum is wrong: %#04x", e.Host, sum)
	}
	var s wire.Segment
	if why := s.Decode(b); why != wire.OK {
		return fmt.Errorf("%s: %v", e.Host, why)
	}
	from := netip.AddrPortFrom(src, s.SrcPort)
	for n := range i.ends {
		me, peer := &i.ends[n], &i.ends[1-n]
		if me.socket == from && peer.socket == netip.AddrPortFrom(dst, s.DstPort) {
			if err := i.segment(n, me, peer, &s, e.Rule.Text); err != nil {
				return fmt.Errorf("%s: %v seq %d len %d ack %d win %d: %w", e.Host, s.Flags, s.Seq, len(s.Payload), s.Ack, s.Window, err)
			}
			return nil
		}
	}
	return fmt.Errorf("a segment from %v to %v:%d", from, dst, s.DstPort)
}

// payload returns what of a packet is TCP, nil if it is not.
func payload(packet []byte) (src, dst netip.Addr, b []byte, err error) {
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		if why := h.Decode(packet); why != wire.OK {
			return src, dst, nil, fmt.Errorf("IPv4: %v", why)
		}
		if h.Protocol == wire.ProtoTCP && !h.IsFragment() {
			return h.Src, h.Dst, h.Payload, nil
		}
	case 6:
		var h wire.IPv6
		if why := h.Decode(packet); why != wire.OK {
			return src, dst, nil, fmt.Errorf("IPv6: %v", why)
		}
		if h.Protocol == wire.ProtoTCP && !h.IsFragment() {
			return h.Src, h.Dst, h.Payload, nil
		}
	}
	return src, dst, nil, nil
}

// plainSum is the sum of pseudo-header and segment by the letter of RFC 9293,
// section 3.1, two bytes at a time. It is 0xffff if the checksum is right.
func plainSum(src, dst netip.Addr, b []byte) uint16 {
	var sum uint32
	add := func(p []byte) {
		for ; len(p) > 1; p = p[2:] {
			sum += uint32(binary.BigEndian.Uint16(p))
		}
		if len(p) == 1 {
			sum += uint32(p[0]) << 8
		}
	}
	add(src.AsSlice())
	add(dst.AsSlice())
	sum += uint32(wire.ProtoTCP) + uint32(len(b))
	add(b)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// segment checks a segment that end n sends.
func (i *inspector) segment(n int, me, peer *flow, s *wire.Segment, rule string) error {
	switch {
	case s.Flags.Has(wire.RST):
		return nil
	case s.Flags.Has(wire.SYN):
		return me.open(peer, s)
	case !me.syn:
		// An old duplicate has come to a host that has forgotten everything.
		return fmt.Errorf("no SYN before")
	case !s.Flags.Has(wire.ACK):
		return fmt.Errorf("no ACK")
	}
	if err := me.acknowledge(peer, s); err != nil {
		return err
	}
	if err := me.options(peer, s); err != nil {
		return err
	}
	return i.stream(n, me, peer, s, rule)
}

// open takes in a SYN.
func (f *flow) open(peer *flow, s *wire.Segment) error {
	o := &s.Options
	switch {
	case f.syn && f.iss != s.Seq:
		return fmt.Errorf("another SYN: the first was %d", f.iss)
	case len(s.Payload) > 0:
		return fmt.Errorf("data in a SYN")
	case s.Flags.Has(wire.ACK) && s.Ack != peer.iss.Add(1):
		return fmt.Errorf("the SYN was %d", peer.iss)
	case !o.HasMSS:
		return fmt.Errorf("no MSS")
	}
	if !f.syn {
		*f = flow{
			socket: f.socket, syn: true, iss: s.Seq, end: s.Seq.Add(1), mss: int(o.MSS),
			window: seq.Size(s.Window), canScale: o.HasScale, shift: o.WindowScale, stamps: o.HasTimestamps, sack: o.SACKPermitted,
			lastStamp: o.TSVal,
		}
	}
	if s.Flags.Has(wire.ACK) {
		// "A TCP MUST NOT send [an option in a SYN+ACK] unless it was in the
		// SYN" is what RFC 7323 and 2018 say of each.
		if o.HasScale && !peer.canScale || o.HasTimestamps && !peer.stamps || o.SACKPermitted && !peer.sack {
			return fmt.Errorf("an option that was not offered: %+v", o)
		}
		if !f.acks {
			f.ack, f.acks, f.edge = s.Ack, true, s.Ack.Add(seq.Size(s.Window))
		}
	}
	return nil
}

// acknowledge checks the ACK and the window.
func (f *flow) acknowledge(peer *flow, s *wire.Segment) error {
	shift := f.shift
	if !f.canScale || !peer.canScale {
		shift = 0
	}
	edge := s.Ack.Add(seq.Size(s.Window) << shift)
	if peer.end.Less(s.Ack) {
		return fmt.Errorf("only %d have been sent", peer.end)
	}
	if !f.acks {
		f.ack, f.acks, f.edge = s.Ack, true, edge
		return nil
	}
	// "RCV.NXT = next sequence number expected": it never goes back.
	if s.Ack.Less(f.ack) {
		return fmt.Errorf("the ACK goes back from %d", f.ack)
	}
	f.ack = s.Ack
	// "a TCP receiver SHOULD NOT shrink the window, i.e., move the right
	// window edge to the left (SHLD-14)"; but scaling rounds it, and behind
	// the FIN of the peer it does not matter.
	if edge.Add(1<<shift).LessEq(f.edge) && !(peer.fin && s.Ack == peer.end) {
		return fmt.Errorf("the window shrinks: from %d to %d", f.edge, edge)
	}
	f.edge = seq.Max(f.edge, edge)
	return nil
}

// options checks the options of a segment without SYN.
func (f *flow) options(peer *flow, s *wire.Segment) error {
	o := &s.Options
	stamps := f.stamps && peer.stamps
	switch {
	case o.HasMSS || o.HasScale || o.SACKPermitted:
		return fmt.Errorf("an option that only a SYN has")
	case o.HasTimestamps != stamps:
		return fmt.Errorf("timestamps: %t, but %t was agreed on", o.HasTimestamps, stamps)
	case stamps && int32(o.TSVal-f.lastStamp) < 0:
		return fmt.Errorf("the timestamp goes back from %d", f.lastStamp)
	case o.SACKLen > 0 && !(f.sack && peer.sack):
		return fmt.Errorf("SACK was not agreed on")
	}
	f.lastStamp = o.TSVal
	for k, b := range o.SACK[:o.SACKLen] {
		if !b.Left.Less(b.Right) || peer.end.Less(b.Right) {
			return fmt.Errorf("block %d of SACK is %v", k, b)
		}
		// The first may tell of what has come twice (RFC 2883).
		if k > 0 && !s.Ack.Less(b.Left) {
			return fmt.Errorf("block %d of SACK is acknowledged: %v", k, b)
		}
	}
	return nil
}

// stream checks that what is sent is the text, and that the peer has allowed
// it.
func (i *inspector) stream(n int, me, peer *flow, s *wire.Segment, rule string) error {
	end := s.Seq.Add(s.Len())
	if s.Len() == 0 {
		// A pure ACK has a number that was sent, or is next; a probe one less.
		if me.end.Less(s.Seq) || s.Seq.Less(me.iss) {
			return fmt.Errorf("its number is not between %d and %d", me.iss, me.end)
		}
		return nil
	}
	switch limit := peer.mss; {
	case len(s.Payload) > limit:
		return fmt.Errorf("the peer takes segments of %d bytes", limit)
	case s.Seq.LessEq(me.iss), me.end.Less(s.Seq):
		return fmt.Errorf("its number is not between %d and %d", me.iss, me.end)
	case me.fin && me.end.Less(end):
		return fmt.Errorf("behind the FIN at %d", me.end-1)
	case me.fin && s.Flags.Has(wire.FIN) && end != me.end:
		return fmt.Errorf("the FIN was at %d", me.end-1)
	}
	// "the sender must be prepared to send at least one octet of new data even
	// if the send window is zero": that is a probe.
	edge := peer.edge
	if !peer.acks {
		edge = me.iss.Add(1).Add(peer.window) // SYNs have crossed
	}
	if edge.Less(end) && !(s.Len() == 1 && rule == tcb.RuleProbe.String()) {
		return fmt.Errorf("the window ends at %d", edge)
	}
	for k, b := range s.Payload {
		at := int(s.Seq.Sub(me.iss)) - 1 + k
		if want := i.text(n, at); b != want {
			return fmt.Errorf("byte %d is %#x, not %#x", at, b, want)
		}
	}
	me.fin = me.fin || s.Flags.Has(wire.FIN)
	me.end = seq.Max(me.end, end)
	return nil
}
