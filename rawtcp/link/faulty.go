package link

import (
	"time"

	"sock/rawtcp/trace"
)

// Faulty puts a Pipe in front of an Interface, and so gives any link delay,
// loss and the rest, in both directions. What the host sends comes from end
// HostEnd of the Pipe, what it receives from end NetEnd.
//
// Its Handle must be called before anything arrives.
type Faulty struct {
	Interface
	Pipe *Pipe

	up     Handler
	lastID uint64
}

// The ends of the Pipe of a Faulty.
const (
	HostEnd = 0
	NetEnd  = 1
)

// NewFaulty returns i with p in front of it.
func NewFaulty(i Interface, p *Pipe) *Faulty { return &Faulty{Interface: i, Pipe: p} }

// Handle sets who gets what comes through.
func (f *Faulty) Handle(up Handler) { f.up = up }

// Send puts a packet into the Pipe. It reports no error of the Interface: that
// is met later, and the packet is lost as any other.
func (f *Faulty) Send(now time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > f.MTU() {
		return ErrTooBig
	}
	f.in(now, HostEnd, NetEnd, packet)
	return nil
}

// Receive takes what the Interface has received.
func (f *Faulty) Receive(now time.Duration, packet []byte) {
	f.in(now, NetEnd, HostEnd, packet)
}

func (f *Faulty) in(now time.Duration, from, to int, packet []byte) {
	f.lastID++
	f.Pipe.In(now, Frame{ID: f.lastID, From: from, To: to, Packet: f.Pipe.bufs.copy(packet)})
}

// NextDeadline returns when Advance will have something to do. It reports
// false if nothing is under way.
func (f *Faulty) NextDeadline() (time.Duration, bool) { return f.Pipe.NextDeadline() }

// Advance hands on what has come through the Pipe by now, and returns the
// first error of the Interface.
func (f *Faulty) Advance(now time.Duration) (first error) {
	for {
		frame, at, ok := f.Pipe.Out(now)
		if !ok {
			return first
		}
		if frame.To == HostEnd {
			f.up.Receive(at, frame.Packet)
			f.Pipe.Release(frame.Packet)
			continue
		}
		buf := append(f.Interface.Buffer(), frame.Packet...)
		f.Pipe.Release(frame.Packet)
		if err := f.Interface.Send(at, buf, trace.Rule{}); first == nil {
			first = err
		}
	}
}
