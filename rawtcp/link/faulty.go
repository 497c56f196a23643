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
	// Number returns the ID of the packet that goes into the Pipe at an end, for
	// what the Pipe tells of it. If it is nil, that is 0.
	Number func(end int) uint64
	// Arriving is the ID of the packet that the host is just receiving.
	Arriving uint64

	up Handler
}

// The ends of the Pipe of a Faulty.
const (
	HostEnd = 0
	NetEnd  = 1
)

// NewFaulty returns i with p in front of it. p is new, and the Faulty's from then
// on.
func NewFaulty(i Interface, p *Pipe) *Faulty {
	p.bufs = &buffers{size: i.MTU()}
	return &Faulty{Interface: i, Pipe: p}
}

// Handle sets who gets what comes through.
func (f *Faulty) Handle(up Handler) { f.up = up }

// Buffer returns a buffer of the Pipe, for which Send has it. Those of the
// Interface, which may be few, are for what comes out.
func (f *Faulty) Buffer() []byte { return f.Pipe.bufs.get() }

// Checksums returns that all are to be computed, or else a device would compute
// that of what the Pipe has damaged. What is received has its own: see Receive.
func (f *Faulty) Checksums() Checksums { return Checksums{} }

// Send puts a packet into the Pipe. It reports no error of the Interface: that
// is met later, and the packet is lost as any other.
func (f *Faulty) Send(now time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > f.MTU() {
		f.Pipe.Release(packet)
		return ErrTooBig
	}
	f.Pipe.In(now, Frame{ID: f.number(HostEnd), From: HostEnd, To: NetEnd, Packet: packet})
	return nil
}

func (f *Faulty) number(end int) uint64 {
	if f.Number == nil {
		return 0
	}
	return f.Number(end)
}

// Receive takes what the Interface has received. A checksum that its sender has
// left to a device is completed, so that damage can be seen.
func (f *Faulty) Receive(now time.Duration, packet []byte) {
	packet = f.Pipe.bufs.copy(packet)
	if f.Interface.Checksums().Offloaded {
		CompleteChecksum(packet)
	}
	f.Pipe.In(now, Frame{ID: f.number(NetEnd), From: NetEnd, To: HostEnd, Packet: packet})
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
			f.Arriving = frame.ID
			f.up.Receive(at, frame.Packet)
			f.Pipe.Release(frame.Packet)
			continue
		}
		buf := append(f.Interface.Buffer(), frame.Packet...)
		f.Pipe.Release(frame.Packet)
		// One damaged packet in 65536 looks as if its checksum was left to a
		// device, which would make it good. Two more bits that are wrong show
		// that it is not, and cannot make up for a first one.
		if field, _, _ := leftToDevice(buf); field != nil {
			field[1] ^= 0b101
		}
		if err := f.Interface.Send(at, buf, trace.Rule{}); first == nil {
			first = err
		}
	}
}
