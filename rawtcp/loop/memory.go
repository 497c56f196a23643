package loop

import (
	"net/netip"
	"sync"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// MemoryOptions are what a link in memory is made with.
type MemoryOptions struct {
	MTU int // the longest packet, 68 to 65535 bytes; 0 is 1500
	// Offload leaves out the checksum of segments, as an Ethernet card that
	// computes it allows: nothing is damaged in memory.
	Offload bool
}

// NewMemory returns the two ends of a link within the program, and the hosts'
// addresses are a and b, with the length of the network's prefix. It has no
// limit to its rate and loses nothing; Options.Faults does.
//
// How many packets may wait has no limit either: TCP's windows see to that. No
// buffer is allocated for a packet once there are enough of them.
func NewMemory(o MemoryOptions, a, b []netip.Prefix) (Link, Link) {
	if o.MTU == 0 {
		o.MTU = 1500
	}
	there, back := newDirection(), newDirection()
	return newEnd(o, a, there, back), newEnd(o, b, back, there)
}

// end is one end of a link in memory.
type end struct {
	link.Attached
	o    MemoryOptions
	out  *direction
	in   *direction
	sent [][]byte // until Flush
	free [][]byte // buffers
	done chan struct{}
}

// direction is what is under way from one end to the other, and the buffers
// that come back.
type direction struct {
	mu      sync.Mutex
	more    sync.Cond
	packets [][]byte
	buffers [][]byte
	closed  bool // by either end
}

func newDirection() *direction {
	d := &direction{}
	d.more.L = &d.mu
	return d
}

func newEnd(o MemoryOptions, own []netip.Prefix, out, in *direction) *end {
	e := &end{o: o, out: out, in: in}
	e.Attached = link.Attached{Interface: e, Name: "mem0", Addresses: own}
	return e
}

func (e *end) MTU() int { return e.o.MTU }

func (e *end) Checksums() link.Checksums {
	if e.o.Offload {
		return link.Checksums{Send: wire.ChecksumPseudo, Offloaded: true}
	}
	return link.Checksums{}
}

func (e *end) Buffer() []byte {
	if len(e.free) == 0 {
		e.out.mu.Lock()
		e.free, e.out.buffers = e.out.buffers, e.free
		e.out.mu.Unlock()
	}
	n := len(e.free)
	if n == 0 {
		return make([]byte, 0, e.o.MTU)
	}
	b := e.free[n-1]
	e.free = e.free[:n-1]
	return b[:0]
}

func (e *end) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > e.o.MTU {
		e.free = append(e.free, packet)
		return link.ErrTooBig
	}
	e.sent = append(e.sent, packet)
	return nil
}

func (e *end) Flush() {
	if len(e.sent) == 0 {
		return
	}
	d := e.out
	d.mu.Lock()
	if d.closed {
		d.buffers = append(d.buffers, e.sent...)
	} else {
		d.packets = append(d.packets, e.sent...)
	}
	d.mu.Unlock()
	d.more.Signal()
	e.sent = e.sent[:0]
}

func (e *end) Start(receive func(packets [][]byte)) {
	e.done = make(chan struct{})
	go e.run(receive)
}

// run hands over what comes in, until it ends.
func (e *end) run(receive func(packets [][]byte)) {
	defer close(e.done)
	d := e.in
	var packets [][]byte
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for len(d.packets) == 0 && !d.closed {
			d.more.Wait()
		}
		if len(d.packets) == 0 {
			return
		}
		packets, d.packets = d.packets, packets[:0]
		d.mu.Unlock()
		receive(packets)
		d.mu.Lock()
		d.buffers = append(d.buffers, packets...)
	}
}

// Close ends it both ways. What the other end has not received yet it still
// will.
func (e *end) Close() error {
	e.out.close(false)
	e.in.close(true)
	<-e.done
	return nil
}

func (d *direction) close(forget bool) {
	d.mu.Lock()
	d.closed = true
	if forget {
		d.packets = nil
	}
	d.mu.Unlock()
	d.more.Signal()
}
