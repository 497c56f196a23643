package link

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"sock/rawtcp/wire"
)

// Everybody is the To of a Frame for all ends of a link but the sender's.
const Everybody = -1

// Frame is a packet on a link.
type Frame struct {
	ID       uint64 // of the packet, for a trace
	From, To int    // ends of the link, counted from 0; To may be Everybody
	Src, Dst wire.MAC
	Packet   []byte // IP or ARP
}

// Conditions are what a link does to packets, apart from rules. The zero
// Conditions are those of a perfect link.
type Conditions struct {
	Delay  time.Duration // from end to end, after the last bit has left
	Jitter time.Duration // at most this much is added to Delay; packets stay in order
	Rate   int64         // bits per second; 0 is without limit
	Queue  int           // packets that may wait to be sent because of Rate; 0 is 50

	// Probabilities, from 0 to 1.
	Loss        float64
	Duplication float64
	Reordering  float64 // of being late by ReorderBy, so that others overtake
	Corruption  float64 // of one bit inverted

	ReorderBy time.Duration // 0 is 10 ms
}

const (
	defaultQueue     = 50 // IFQ_MAXLEN of the Berkeley systems
	defaultReorderBy = 10 * time.Millisecond
)

// Stats counts packets: In + Duplicated = Delivered + Dropped + Pending.
type Stats struct {
	In, Duplicated, Delivered, Dropped uint64
	Corrupted                          uint64
	Pending                            int
}

// Pipe is a link: frames go in at one end and come out at another, later,
// damaged, twice, or not at all. What becomes of a frame is decided when it
// goes in, but for a cable that is cut while it is under way.
type Pipe struct {
	// Dropped is told of frames that are dropped, if it is not nil. The frame
	// is the Pipe's again when it returns.
	Dropped func(now time.Duration, f Frame, why Reason)
	// Meddled is told what else is done to a frame, in a word: "held",
	// "duplicated", "corrupted", "made late". It may be nil.
	Meddled func(now time.Duration, f Frame, what string)
	// Changed is told when the cable of an end, or of Everybody, is cut or
	// mended, if it is not nil.
	Changed func(now time.Duration, end int, cut bool)
	// Name returns the name of the host that has an address, for the rules
	// that name hosts. If it is nil, rules must give addresses.
	Name func(netip.Addr) string
	// End returns the end of the host of a name, for rules that cut its cable.
	End func(name string) (int, bool)

	conditions Conditions
	ends       []direction
	rules      []*rule
	outages    []outage // those to come, in the order of their times
	cuts       []int    // the ends that are cut now
	frozen     bool
	thawed     time.Duration // nothing comes out before
	queue      schedule
	rand       *rand.Rand
	bufs       *buffers
	stats      Stats
}

// direction is what a Pipe knows of the frames from one end.
type direction struct {
	conditions Conditions
	own        bool            // conditions are this direction's own
	leaving    []time.Duration // when those that wait, or are being sent, will have left
	arrival    time.Duration   // of the last one
}

// NewPipe returns a Pipe with conditions c. Chance goes by seed.
func NewPipe(c Conditions, seed uint64) *Pipe {
	return newPipe(c, seed, &buffers{size: maxPacket})
}

const maxPacket = 65535

func newPipe(c Conditions, seed uint64, bufs *buffers) *Pipe {
	return &Pipe{conditions: c, rand: rand.New(rand.NewPCG(seed, 0)), bufs: bufs}
}

// Set changes the conditions for all ends, from now on.
func (p *Pipe) Set(c Conditions) {
	p.conditions = c
	for i := range p.ends {
		p.ends[i].own = false
	}
}

// SetFrom changes the conditions for what comes from one end.
func (p *Pipe) SetFrom(end int, c Conditions) {
	d := p.from(end)
	d.conditions, d.own = c, true
}

// Stats returns what has become of the frames so far.
func (p *Pipe) Stats() Stats {
	s := p.stats
	s.Pending = p.queue.len()
	return s
}

func (p *Pipe) from(end int) *direction {
	for len(p.ends) <= end {
		p.ends = append(p.ends, direction{})
	}
	return &p.ends[end]
}

// In puts f into the pipe, and returns OK or why it was dropped at once. The
// packet is the Pipe's from then on.
func (p *Pipe) In(now time.Duration, f Frame) Reason {
	p.advance(now)
	p.stats.In++
	d := p.from(f.From)
	c := &p.conditions
	if d.own {
		c = &d.conditions
	}
	if *c == (Conditions{}) && len(p.rules) == 0 && len(p.cuts) == 0 {
		p.queue.push(now, f)
		return OK
	}
	fate := p.judge(now, f.Packet)
	switch {
	case fate.drop:
		return p.drop(now, f, ByRule)
	case p.IsCut(f.From):
		return p.drop(now, f, Cut)
	case p.chance(c.Loss):
		return p.drop(now, f, Lost)
	}
	left, ok := d.send(now, c, len(f.Packet))
	if !ok {
		return p.drop(now, f, QueueFull)
	}
	arrival := left + c.Delay
	if c.Jitter > 0 {
		arrival += time.Duration(p.rand.Int64N(int64(c.Jitter) + 1))
	}
	arrival = max(arrival, d.arrival)
	d.arrival = arrival
	if p.chance(c.Reordering) {
		by := c.ReorderBy
		if by == 0 {
			by = defaultReorderBy
		}
		arrival += by
		p.meddled(now, f, "made late")
	}
	if fate.hold > 0 || fate.until > arrival {
		arrival = max(arrival+fate.hold, fate.until)
		p.meddled(now, f, "held")
	}
	duplicate := p.chance(c.Duplication)
	if p.chance(c.Corruption) {
		p.corrupt(now, f, p.rand.IntN(8*len(f.Packet)))
	}
	if fate.corrupt {
		// The last byte, if the rule names none: the data, if there are any.
		at := len(f.Packet) - 1
		if fate.corruptByte >= 0 {
			at = min(fate.corruptByte, at)
		}
		p.corrupt(now, f, 8*at)
	}
	if duplicate || fate.duplicate {
		p.stats.Duplicated++
		p.meddled(now, f, "duplicated")
		twin := f
		twin.Packet = p.bufs.copy(f.Packet) // damaged, if f is
		p.queue.push(arrival+fate.after, twin)
	}
	p.queue.push(arrival, f)
	return OK
}

func (p *Pipe) chance(probability float64) bool {
	return probability > 0 && p.rand.Float64() < probability
}

// corrupt inverts one bit of the packet.
func (p *Pipe) corrupt(now time.Duration, f Frame, bit int) {
	f.Packet[bit/8] ^= 1 << (bit % 8)
	p.stats.Corrupted++
	p.meddled(now, f, "corrupted")
}

func (p *Pipe) meddled(now time.Duration, f Frame, what string) {
	if p.Meddled != nil {
		p.Meddled(now, f, what)
	}
}

// drop drops f.
func (p *Pipe) drop(now time.Duration, f Frame, why Reason) Reason {
	p.stats.Dropped++
	if p.Dropped != nil {
		p.Dropped(now, f, why)
	}
	p.bufs.put(f.Packet)
	return why
}

// send returns when a packet of size bytes will have left this end, or false
// if there is no room for it in the queue.
func (d *direction) send(now time.Duration, c *Conditions, size int) (time.Duration, bool) {
	if c.Rate <= 0 {
		return now, true
	}
	gone := 0
	for gone < len(d.leaving) && d.leaving[gone] <= now {
		gone++
	}
	d.leaving = append(d.leaving[:0], d.leaving[gone:]...)
	limit := c.Queue
	if limit == 0 {
		limit = defaultQueue
	}
	start := now
	if n := len(d.leaving); n > 0 {
		if n > limit { // the first is being sent, the others wait
			return 0, false
		}
		start = d.leaving[n-1]
	}
	left := start + time.Duration(int64(size)*8*int64(time.Second)/c.Rate)
	d.leaving = append(d.leaving, left)
	return left, true
}

// Freeze has all that is in the pipe stay there, and all that goes in, until Thaw.
// What is done to a frame as it goes in is done as ever.
func (p *Pipe) Freeze() { p.frozen = true }

// Thaw undoes Freeze. What would have come out by now does so, in that order.
func (p *Pipe) Thaw(now time.Duration) { p.frozen, p.thawed = false, now }

// IsFrozen reports whether Freeze was called, and Thaw was not.
func (p *Pipe) IsFrozen() bool { return p.frozen }

// next returns when the next frame comes out. It reports false if none will.
func (p *Pipe) next() (time.Duration, bool) {
	at, ok := p.queue.next()
	return max(at, p.thawed), ok && !p.frozen
}

// NextDeadline returns when Out will have something to do. It reports false if
// nothing is under way.
func (p *Pipe) NextDeadline() (time.Duration, bool) {
	at, ok := p.next()
	if len(p.outages) > 0 && (!ok || p.outages[0].at < at) {
		return p.outages[0].at, true
	}
	return at, ok
}

// Out takes out the next frame that has arrived by now, and returns it with
// the time it arrived. It reports false if there is none. The packet is the
// caller's, who should Release it.
func (p *Pipe) Out(now time.Duration) (f Frame, at time.Duration, ok bool) {
	for {
		at, ok = p.next()
		if !ok || at > now {
			p.advance(now)
			return Frame{}, 0, false
		}
		p.advance(at)
		f = p.queue.pop()
		if len(p.cuts) > 0 && (p.IsCut(f.From) || p.IsCut(f.To)) {
			p.drop(at, f, Cut)
			continue
		}
		p.stats.Delivered++
		return f, at, true
	}
}

// Release gives the packet of a frame back, to be used again.
func (p *Pipe) Release(packet []byte) { p.bufs.put(packet) }
