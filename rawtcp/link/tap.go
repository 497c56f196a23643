package link

import (
	"time"

	"sock/rawtcp/trace"
)

// Tap is an Interface that tells a trace what goes through it, both ways. The
// links of a Network do so themselves.
type Tap struct {
	Interface
	host, name string
	sink       trace.Sink
	up         Handler
	lastID     uint64
	whole      []byte // a packet that came in parts
}

// NewTap returns i with a tap: the events are of host, and of its interface of
// the given name.
func NewTap(i Interface, host, name string, sink trace.Sink) *Tap {
	return &Tap{Interface: i, host: host, name: name, sink: sink}
}

// Handle sets who gets what is received.
func (t *Tap) Handle(up Handler) { t.up = up }

// Last returns the ID of the packet that was told of last.
func (t *Tap) Last() uint64 { return t.lastID }

// Next returns an ID for a packet that has come, and may go no further than what
// lies before the Tap.
func (t *Tap) Next() uint64 {
	t.lastID++
	return t.lastID
}

// Send tells of the packet and sends it.
func (t *Tap) Send(now time.Duration, packet []byte, why trace.Rule) error {
	t.tell(now, trace.Sent, t.Next(), packet, why)
	return t.Interface.Send(now, packet, why)
}

// MaxSegmented returns what the Interface does, if it is a Segmenter.
func (t *Tap) MaxSegmented() int { return MaxSegmented(t.Interface) }

// SendSegmented tells of the packet before it is cut, as a capture on the sending
// host does, and sends it. The Interface is a Segmenter.
func (t *Tap) SendSegmented(now time.Duration, header, data []byte, size int, why trace.Rule) error {
	t.whole = append(append(t.whole[:0], header...), data...)
	t.tell(now, trace.Sent, t.Next(), t.whole, why)
	return t.Interface.(Segmenter).SendSegmented(now, header, data, size, why)
}

// Receive tells of the packet and hands it on.
func (t *Tap) Receive(now time.Duration, packet []byte) {
	t.ReceiveAs(now, t.Next(), packet)
}

// ReceiveAs is Receive for a packet that has an ID, one of Next.
func (t *Tap) ReceiveAs(now time.Duration, id uint64, packet []byte) {
	t.tell(now, trace.Received, id, packet, trace.Rule{})
	t.up.Receive(now, packet)
}

func (t *Tap) tell(now time.Duration, kind trace.Kind, id uint64, packet []byte, why trace.Rule) {
	t.sink.Event(trace.Event{
		At: now, Kind: kind, Host: t.host, Interface: t.name, Link: t.name,
		ID: id, Packet: packet, Rule: why,
	})
}
