package rawtcp

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"

	"sock/rawtcp/tcb"
)

// pair names a connection: both sockets, an IPv4 address in its IPv6 form.
type pair struct {
	local, remote [16]byte
	lport, rport  uint16
}

func pairOf(local, remote netip.AddrPort) pair {
	return pair{local.Addr().As16(), remote.Addr().As16(), local.Port(), remote.Port()}
}

// bytes returns what a hash of the pair is made of.
func (p *pair) bytes() []byte {
	b := make([]byte, 0, 44)
	b = append(append(b, p.local[:]...), p.remote[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(p.lport)<<16|uint32(p.rport))
}

func (p *pair) sockets() (local, remote netip.AddrPort) {
	return netip.AddrPortFrom(netip.AddrFrom16(p.local).Unmap(), p.lport),
		netip.AddrPortFrom(netip.AddrFrom16(p.remote).Unmap(), p.rport)
}

// waiter is a connection in TIME_WAIT that no socket belongs to any more.
type waiter struct {
	tcb.TimeWaiter
	pair       pair
	id         uint32
	prev, next *waiter
	same       *waiter // another one whose pair has the same hash
	reuseAddr  bool    // the socket had SO_REUSEADDR
	reusePort  bool
}

// waiters has them by pair, and in a ring in the order of their deadlines: all
// wait equally long, so whoever comes last is done last. There may be very
// many, so the map has a short hash of the pair in the place of the pair.
type waiters struct {
	by   map[uint32]*waiter
	seed maphash.Seed
	ring waiter // of which nothing but prev and next is used
}

func (ws *waiters) init() {
	ws.by, ws.seed = map[uint32]*waiter{}, maphash.MakeSeed()
	ws.ring.prev, ws.ring.next = &ws.ring, &ws.ring
}

func (ws *waiters) hash(p *pair) uint32 { return uint32(maphash.Comparable(ws.seed, *p)) }

// get returns the one with the pair p, or nil.
func (ws *waiters) get(p *pair) *waiter {
	w := ws.by[ws.hash(p)]
	for w != nil && w.pair != *p {
		w = w.same
	}
	return w
}

// all goes over them in the order of their deadlines.
func (ws *waiters) all(yield func(*waiter) bool) {
	for w := ws.ring.next; w != &ws.ring; w = w.next {
		if !yield(w) {
			return
		}
	}
}

func (ws *waiters) add(w *waiter) {
	h := ws.hash(&w.pair)
	w.same, ws.by[h] = ws.by[h], w
	ws.link(w)
}

func (ws *waiters) link(w *waiter) {
	at := ws.ring.prev
	for at != &ws.ring && at.Deadline > w.Deadline {
		at = at.prev
	}
	w.prev, w.next = at, at.next
	w.prev.next, w.next.prev = w, w
}

func (w *waiter) unlink() {
	w.prev.next, w.next.prev = w.next, w.prev
}

func (ws *waiters) remove(w *waiter) {
	w.unlink()
	h := ws.hash(&w.pair)
	first := ws.by[h]
	switch {
	case first != w:
		for first.same != w {
			first = first.same
		}
		first.same = w.same
	case w.same != nil:
		ws.by[h] = w.same
	default:
		delete(ws.by, h)
	}
}

// restarted puts w where its new deadline belongs.
func (ws *waiters) restarted(w *waiter) {
	w.unlink()
	ws.link(w)
}

// first returns the one that is done first, or nil.
func (ws *waiters) first() *waiter {
	if w := ws.ring.next; w != &ws.ring {
		return w
	}
	return nil
}

// expire drops those whose time is over.
func (s *Stack) expire(now time.Duration) {
	for w := s.waits.first(); w != nil && w.Deadline <= now; w = s.waits.first() {
		s.forget(w)
		s.stateEvent(now, &w.pair, tcb.TimeWait, tcb.Closed, "2MSL timer")
	}
}

func (s *Stack) forget(w *waiter) {
	s.waits.remove(w)
	s.held.add(w.pair.lport, -1)
	s.releasePort(w.pair.lport)
}
