package rawtcp

import "time"

// deadlines is a heap of connections by the time at which they want attention.
//
// A deadline that moves away, as that of a retransmission does with each ACK,
// leaves its place in the heap as it is; only when it comes to the top is it
// put where it belongs. So the data path does not touch the heap.
type deadlines []*conn

const never = time.Duration(-1)

// update takes in that c has another deadline, or none.
func (h *deadlines) update(c *conn) {
	d, ok := c.tcb.NextDeadline()
	if c.wake != never && (!ok || c.wake < d) {
		d, ok = c.wake, true
	}
	if !ok {
		d = never
	}
	c.due = d
	switch {
	case c.heap < 0 && ok:
		c.heap, c.sorted = len(*h), d
		*h = append(*h, c)
		h.up(c.heap)
	case c.heap >= 0 && ok && d < c.sorted:
		c.sorted = d
		h.up(c.heap)
	}
}

// top returns the connection with the least deadline, or nil.
func (h *deadlines) top() *conn {
	for len(*h) > 0 {
		c := (*h)[0]
		switch {
		case c.due == never:
			h.remove(c)
		case c.due != c.sorted:
			c.sorted = c.due
			h.down(0)
		default:
			return c
		}
	}
	return nil
}

func (h *deadlines) remove(c *conn) {
	i, last := c.heap, len(*h)-1
	if i < 0 {
		return
	}
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	c.heap = -1
	if i < last {
		h.down(i)
		h.up(i)
	}
}

func (h deadlines) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = i, j
}

func (h deadlines) up(i int) {
	for i > 0 && h[i].before(h[(i-1)/2]) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h deadlines) down(i int) {
	for {
		least := i
		for j := 2*i + 1; j <= 2*i+2 && j < len(h); j++ {
			if h[j].before(h[least]) {
				least = j
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

// before breaks a tie by age, so that the same calls give the same packets.
func (c *conn) before(d *conn) bool {
	return c.sorted < d.sorted || c.sorted == d.sorted && c.id < d.id
}
