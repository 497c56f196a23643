package wire

import (
	"bytes"
	"net/netip"
	"slices"
	"time"
)

// Limits bound what a Reassembler holds. A zero field takes the default.
type Limits struct {
	// Timeout is how long after its first fragment a datagram may be
	// incomplete: 60 s. "It is recommended that the value lie between 60
	// seconds and 120 seconds." (RFC 1122, section 3.3.2); "within 60 seconds
	// of the reception of the first-arriving fragment" (RFC 8200, section 4.5).
	Timeout   time.Duration
	Datagrams int // how many may be incomplete at a time: 64
	Fragments int // how many of one datagram may wait: 1024
	Bytes     int // of all fragments together, and some for each: 1 MiB
}

// pieceCost is what the bookkeeping of a fragment counts in Limits.Bytes, so
// that a great many small ones cannot take more than is allowed.
const pieceCost = 64

// Reassembler puts fragments together again. It has no clock: the time is an
// argument, counted from any moment, and must not go backwards.
type Reassembler struct {
	limits   Limits
	partials []*partial // in the order of their deadlines
	bytes    int
}

// datagram is what fragments of one datagram have in common: "the same value
// for the four fields: identification, source, destination, and protocol"
// (RFC 791, section 2.3). In IPv6 they need not agree on the last: it is 0.
type datagram struct {
	src, dst netip.Addr
	id       uint32
	protocol Protocol
}

// partial is a datagram that is not complete.
type partial struct {
	datagram
	deadline time.Duration
	first    []byte  // the packet with offset 0, when it is there
	pieces   []piece // sorted by offset, not overlapping
	have     int     // bytes in pieces
	end      int     // length of the whole, or -1: not known yet
	cost     int     // what it counts in Reassembler.bytes
	refused  bool    // overlapped: nothing of it is kept any more
}

type piece struct {
	offset int
	data   []byte
}

func (p piece) end() int { return p.offset + len(p.data) }

// NewReassembler returns a Reassembler that holds nothing.
func NewReassembler(l Limits) *Reassembler {
	if l.Timeout == 0 {
		l.Timeout = 60 * time.Second
	}
	if l.Datagrams == 0 {
		l.Datagrams = 64
	}
	if l.Fragments == 0 {
		l.Fragments = 1024
	}
	if l.Bytes == 0 {
		l.Bytes = 1 << 20
	}
	return &Reassembler{limits: l}
}

// Len returns how many datagrams are incomplete.
func (r *Reassembler) Len() int { return len(r.partials) }

// IPv4 takes the packet h. If that makes a datagram whole, IPv4 reports true,
// and h is the datagram: it has the header of the first fragment, and its
// Payload is the caller's. So it is if h was whole from the start. Otherwise
// the fragment was kept, with OK, or dropped for the reason given.
func (r *Reassembler) IPv4(now time.Duration, h *IPv4) (whole bool, why Reason) {
	if !h.IsFragment() {
		return true, OK
	}
	if h.HeaderLen()+h.Offset+len(h.Payload) > maxPacket {
		return false, FragmentTooFar
	}
	d := datagram{src: h.Src, dst: h.Dst, id: uint32(h.ID), protocol: h.Protocol}
	p, why := r.add(now, d, h.HeaderLen(), piece{h.Offset, h.Payload}, h.More)
	if why == FragmentOverlap && p != nil {
		// An identification of 16 bits soon comes again: its next datagram
		// must not suffer for this one. Linux does so since 4.19, BSD trims.
		r.drop(p)
	}
	if why != OK {
		return false, why
	}
	if h.Offset == 0 {
		p.first = h.AppendTo(nil)
	}
	if p.have != p.end {
		return false, OK
	}
	r.drop(p)
	if why = h.Decode(p.first); why != OK {
		return false, why
	}
	h.More = false
	h.Payload = p.join(nil)
	// The options of the first fragment may be longer than those of this one.
	if h.HeaderLen()+len(h.Payload) > maxPacket {
		return false, FragmentTooFar
	}
	return true, OK
}

// IPv6 takes the packet h, as IPv4 does.
func (r *Reassembler) IPv6(now time.Duration, h *IPv6) (whole bool, why Reason) {
	if !h.IsFragment() {
		return true, OK
	}
	if len(h.Extensions)+h.Offset+len(h.Payload) > maxPacket {
		return false, FragmentTooFar
	}
	d := datagram{src: h.Src, dst: h.Dst, id: h.ID}
	p, why := r.add(now, d, h.HeaderLen(), piece{h.Offset, h.Payload}, h.More)
	if why != OK {
		return false, why
	}
	if h.Offset == 0 {
		p.first = h.AppendTo(nil)
	}
	if p.have != p.end {
		return false, OK
	}
	r.drop(p)
	if why = h.Decode(p.first); why != OK {
		return false, why
	}
	b := p.join(h.Extensions)
	if len(b) > maxPacket {
		return false, FragmentTooFar
	}
	// "The Fragment header is not present in the final, reassembled packet."
	// (RFC 8200, section 4.5)
	if n := len(h.Extensions); n > 0 {
		b[lastExtension(h.NextHeader, b[:n])] = uint8(h.Protocol)
	} else {
		h.NextHeader = h.Protocol
	}
	if why = h.walk(b); why != OK {
		return false, why
	}
	if h.IsFragment() {
		return false, FragmentNested
	}
	return true, OK
}

// add puts f, which came behind header bytes of header, and of which more says
// that it is not the last, with the others of d. It returns what there is of
// d, if anything.
func (r *Reassembler) add(now time.Duration, d datagram, header int, f piece, more bool) (*partial, Reason) {
	if len(f.data) == 0 || more && len(f.data)%8 != 0 {
		return nil, FragmentSize
	}
	cost := len(f.data) + pieceCost
	if f.offset == 0 { // kept once more, with its header
		cost += header + len(f.data)
	}
	p := r.find(d)
	if p == nil {
		if len(r.partials) >= r.limits.Datagrams || r.bytes+cost > r.limits.Bytes {
			return nil, FragmentLimit
		}
		p = &partial{datagram: d, deadline: now + r.limits.Timeout, end: -1}
		r.partials = append(r.partials, p)
	}
	i, why := p.fits(f, more)
	if why == FragmentOverlap {
		// "If any of the fragments being reassembled overlap with any other
		// fragments being reassembled for the same packet, reassembly of that
		// packet must be abandoned and all the fragments that have been
		// received for that packet must be discarded" (RFC 8200, section 4.5);
		// "including those not yet received" (RFC 5722, section 4).
		r.bytes -= p.cost
		*p = partial{datagram: d, deadline: p.deadline, end: -1, refused: true}
	}
	if why != OK {
		return p, why
	}
	if len(p.pieces) >= r.limits.Fragments || r.bytes+cost > r.limits.Bytes {
		return p, FragmentLimit
	}
	f.data = bytes.Clone(f.data)
	p.pieces = slices.Insert(p.pieces, i, f)
	p.have += len(f.data)
	p.cost += cost
	r.bytes += cost
	if !more {
		p.end = f.end()
	}
	return p, OK
}

// fits returns where among the pieces of p f belongs.
func (p *partial) fits(f piece, more bool) (int, Reason) {
	if p.refused {
		return 0, FragmentOverlap
	}
	i, found := slices.BinarySearchFunc(p.pieces, f.offset, func(q piece, offset int) int {
		return q.offset - offset
	})
	// "Fragments may be duplicated in the network. [...] an implementation may
	// choose to detect this case and drop exact duplicate fragments while
	// keeping the other fragments" (RFC 8200, section 4.5).
	if found && bytes.Equal(p.pieces[i].data, f.data) && more == (f.end() != p.end) {
		return i, FragmentDuplicate
	}
	switch {
	case i < len(p.pieces) && p.pieces[i].offset < f.end():
		return i, FragmentOverlap
	case i > 0 && p.pieces[i-1].end() > f.offset:
		return i, FragmentOverlap
	// One fragment is the last, and it ends where the datagram does.
	case !more && (p.end >= 0 || i < len(p.pieces)):
		return i, FragmentOverlap
	case more && p.end >= 0 && f.end() >= p.end:
		return i, FragmentOverlap
	}
	return i, OK
}

// join returns the payload of p, which must be complete, behind head.
func (p *partial) join(head []byte) []byte {
	b := make([]byte, 0, len(head)+p.have)
	b = append(b, head...)
	for _, f := range p.pieces {
		b = append(b, f.data...)
	}
	return b
}

func (r *Reassembler) find(d datagram) *partial {
	for _, p := range r.partials {
		if p.datagram == d {
			return p
		}
	}
	return nil
}

func (r *Reassembler) drop(p *partial) {
	r.bytes -= p.cost
	i := slices.Index(r.partials, p)
	r.partials = slices.Delete(r.partials, i, i+1)
}

// Expired is a datagram that was not complete in time.
type Expired struct {
	Src, Dst netip.Addr
	// First is the packet with its first fragment, for an ICMP time exceeded
	// to quote. It is nil if that never came: "If fragment zero is not
	// available then no time exceeded need be sent at all." (RFC 792)
	First []byte
}

// NextDeadline returns when Expire will have something to do. It reports false
// if nothing waits.
func (r *Reassembler) NextDeadline() (time.Duration, bool) {
	if len(r.partials) == 0 {
		return 0, false
	}
	return r.partials[0].deadline, true
}

// Expire drops what was to be complete by now, and returns it, the oldest
// first. What was dropped before because it overlapped is not told again.
func (r *Reassembler) Expire(now time.Duration) []Expired {
	var expired []Expired
	for len(r.partials) > 0 && r.partials[0].deadline <= now {
		p := r.partials[0]
		r.drop(p)
		if !p.refused {
			expired = append(expired, Expired{Src: p.src, Dst: p.dst, First: p.first})
		}
	}
	return expired
}
