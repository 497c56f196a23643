package netstack

import (
	"container/heap"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// clock is a tcpip.Clock that moves only when it is told to. Unlike gVisor's
// own faketime it knows when its next timer is due, and calls what is due from
// the goroutine that moves it, so that everything happens in one order.
type clock struct {
	mu     sync.Mutex // timers are also set from gVisor's goroutines
	now    time.Duration
	made   uint64
	timers timers
}

// Now returns the time that has gone by since 1970.
func (c *clock) Now() time.Time { return time.Unix(0, int64(c.read())) }

// NowMonotonic returns the same for differences.
func (c *clock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(c.read())
}

func (c *clock) read() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc has advance call f when d has gone by.
func (c *clock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	t := &timer{clock: c, f: f, index: -1}
	t.Reset(d)
	return t
}

// nextDeadline returns when the first timer is due.
func (c *clock) nextDeadline() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return 0, false
	}
	return c.timers[0].at, true
}

// set moves the clock to now, if it is not later already.
func (c *clock) set(now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, now)
}

// pop takes the first timer out if it is due, or returns nil.
func (c *clock) pop() *timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 || c.timers[0].at > c.now {
		return nil
	}
	return heap.Pop(&c.timers).(*timer)
}

// timer is a tcpip.Timer.
type timer struct {
	clock *clock
	f     func()
	at    time.Duration
	order uint64 // of those with the same time
	index int    // in clock.timers; -1 if it does not run
}

// Stop stops t, and reports whether it was running.
func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.timers, t.index)
	return true
}

// Reset starts t, or starts it anew.
func (t *timer) Reset(d time.Duration) {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	t.at, t.order = c.now+d, c.made
	if t.index < 0 {
		heap.Push(&c.timers, t)
	} else {
		heap.Fix(&c.timers, t.index)
	}
}

// timers is a heap.
type timers []*timer

func (h timers) Len() int { return len(h) }

func (h timers) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}

func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timers) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
