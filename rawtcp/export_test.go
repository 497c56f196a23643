package rawtcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Multiply adds n copies of the connection that is done first of those in
// TIME_WAIT. Their peers have the IPv4 addresses from 1 to n, as numbers.
func (s *Stack) Multiply(n int) {
	w := s.waits.first()
	for i := range n {
		c := *w
		binary.BigEndian.PutUint32(c.pair.remote[12:], uint32(i+1))
		s.held.add(c.pair.lport, 1)
		s.waits.add(&c)
	}
}

// Plateau is plateau.
func Plateau(n int) int { return plateau(n) }

// Check returns what is not as it must be between two calls.
func (s *Stack) Check(now time.Duration) error {
	held := map[uint16]int{}
	var all []error
	for p, c := range s.conns {
		held[p.lport]++
		if err := s.checkConn(now, c); p != c.pair || err != nil {
			all = append(all, fmt.Errorf("%v to %v in %v: %w", c.local, c.remote, c.tcb.State(), err))
		}
	}
	last, n := time.Duration(0), 0
	for w := range s.waits.all {
		held[w.pair.lport]++
		n++
		if s.waits.get(&w.pair) != w || s.conns[w.pair] != nil || w.Deadline < last || w.prev.next != w {
			all = append(all, fmt.Errorf("in TIME_WAIT: %+v", w))
		}
		last = w.Deadline
	}
	for _, w := range s.waits.by {
		for ; w != nil; w = w.same {
			n--
		}
	}
	if n != 0 {
		all = append(all, fmt.Errorf("%d more in the ring than in the map", n))
	}
	for high, page := range s.held {
		if page == nil {
			continue
		}
		for low, n := range page {
			port := uint16(high<<8 | low)
			if int(n) != held[port] {
				all = append(all, fmt.Errorf("port %d is held by %d, not %d", port, n, held[port]))
			}
			delete(held, port)
		}
	}
	if len(held) > 0 {
		all = append(all, fmt.Errorf("ports %v are held, and not counted", held))
	}
	for port, ks := range s.bound {
		for _, k := range ks {
			if err := k.check(port); err != nil {
				all = append(all, fmt.Errorf("bound to %v: %w", k.local, err))
			}
		}
	}
	for i, c := range s.heap {
		if c.heap != i || !c.known || i > 0 && c.before(s.heap[(i-1)/2]) {
			all = append(all, fmt.Errorf("%d in the heap is wrong", i))
		}
	}
	spare := map[*conn]bool{}
	for _, c := range s.spare {
		if spare[c] || !reflect.ValueOf(c).Elem().IsZero() {
			all = append(all, fmt.Errorf("kept for another connection, twice or not blank: %v to %v", c.local, c.remote))
		}
		spare[c] = true
	}
	for _, c := range s.late {
		if spare[c] {
			all = append(all, errors.New("kept for another connection, and for Release"))
		}
	}
	return errors.Join(all...)
}

// Spares returns how many connections are kept for others.
func (s *Stack) Spares() int { return len(s.spare) }

func (s *Stack) checkConn(now time.Duration, c *conn) error {
	var out wire.Segment
	state := c.tcb.State()
	d, ok := c.tcb.NextDeadline()
	switch {
	case !c.known:
		return errors.New("in the table, and does not know")
	case c.sock != nil && c.sock.conn != c:
		return errors.New("of a socket that has another one")
	case c.sock != nil && c.parent != nil:
		return errors.New("accepted, and in a queue")
	case c.parent != nil && !slices.Contains(slices.Concat(c.parent.queue.complete, c.parent.queue.incomplete), c):
		return errors.New("not in the queue of its parent")
	case state == tcb.Closed && !c.opening, state == tcb.Listen, state == tcb.TimeWait && c.sock == nil && c.parent == nil:
		return errors.New("in this state, and in the table")
	case ok && (c.heap < 0 || c.due > d || c.sorted > c.due):
		return fmt.Errorf("due at %v, not %v", c.due, d)
	case c.tcb.Output(now, &out):
		return fmt.Errorf("has something to send: %+v", out)
	}
	return nil
}

func (k *Socket) check(port uint16) error {
	switch {
	case !k.bound || k.local.Port() != port:
		return errors.New("not the port")
	case k.closed && k.conn == nil:
		return errors.New("closed")
	case k.queue == nil:
		return nil
	case len(k.queue.complete)+len(k.queue.incomplete) > 2*k.queue.room+1:
		return fmt.Errorf("%d and %d in the queue for %d", len(k.queue.complete), len(k.queue.incomplete), k.queue.room)
	}
	for _, c := range k.queue.incomplete {
		if c.parent != k || c.completed || c.tcb.State() != tcb.SynRcvd {
			return fmt.Errorf("incomplete, and in %v", c.tcb.State())
		}
	}
	for _, c := range k.queue.complete {
		if c.parent != k || !c.completed {
			return errors.New("complete, and not marked so")
		}
	}
	return nil
}
