package raw

import (
	"sync"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// capture is a capture of packets as they are on the wire. One that goes through an
// offloading device has but half a checksum here, and the device makes the rest:
// Wireshark would call it wrong.
type capture struct {
	out    *output
	packet []byte

	mu    sync.Mutex
	file  *trace.Pcapng
	ended bool
	quiet *time.Timer // runs since Flush
}

// settled is how long what becomes of a packet may be told after the packet: it is
// told in the same turn of a host or a hub, but the queue may be faster.
const settled = 10 * time.Millisecond

// newCapture returns one in the pcapng form, of what see shows. Its interface has a
// name.
func newCapture(out *output, epoch time.Time, name string, see func(*trace.Event) bool) *capture {
	c := &capture{out: out, file: trace.NewPcapng(out, trace.Capture{
		LinkType: trace.LinkTypeRaw, Epoch: epoch, Interface: name, See: see,
	})}
	c.quiet = time.AfterFunc(settled, c.settle)
	c.quiet.Stop() // until Flush
	return c
}

// Event captures a packet, or what happened to one, or the reason of the next.
func (c *capture) Event(e trace.Event) {
	if len(e.Packet) > 0 {
		c.packet = append(c.packet[:0], e.Packet...)
		link.CompleteChecksum(c.packet)
		e.Packet = c.packet
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet.Stop()
	c.file.Event(e)
}

// Flush has all written unless more comes soon.
func (c *capture) Flush() { c.quiet.Reset(settled) }

// settle writes all.
func (c *capture) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.file.Flush()
		c.out.Flush()
	}
}

// Close ends the capture.
func (c *capture) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet.Stop()
	c.ended = true
	return c.file.Close()
}
