package raw

import (
	"io"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// capture is a capture of packets as they are on the wire. One that goes through an
// offloading device has but half a checksum here, and the device makes the rest:
// Wireshark would call it wrong.
type capture struct {
	trace.Sink
	packet []byte
}

// newCapture returns one in the pcapng form.
func newCapture(w io.Writer, epoch time.Time, see func(*trace.Event) bool) trace.Sink {
	return &capture{Sink: trace.NewPcapng(w, trace.Capture{LinkType: trace.LinkTypeRaw, Epoch: epoch, See: see})}
}

// Event writes a packet, or the reason of the next one.
func (c *capture) Event(e trace.Event) {
	if len(e.Packet) > 0 {
		c.packet = append(c.packet[:0], e.Packet...)
		link.CompleteChecksum(c.packet)
		e.Packet = c.packet
	}
	c.Sink.Event(e)
}
