package loop

import "time"

// Batcher is a Link that can send a batch of packets while the next one is made,
// without the lock. Flush does both at once.
type Batcher interface {
	Link
	// Waiting returns how many bytes of packets wait for Flush or Swap.
	Waiting() int
	// Swap makes what waits the batch that Write sends. The last Write has
	// returned.
	Swap()
	// Write sends the batch. It is called without the lock.
	Write()
}

// pump sends batches from a goroutine of its own, and holds the Stack back
// meanwhile: the busier the link, the longer the segments.
type pump struct {
	link   Batcher
	start  chan struct{} // a batch is to be written; is closed at the end
	ended  chan struct{} // is closed when the goroutine has
	recent time.Duration // when a batch was last sent

	busy    bool // a batch is being written
	stopped bool // by stop
}

// lull is after how long a silence a batch is sent at once, with the lock held:
// nothing shows that another one follows soon, and to wake the goroutine takes
// time.
const lull = 100 * time.Microsecond

func newPump(b Batcher, l *Loop) *pump {
	p := &pump{link: b, start: make(chan struct{}, 1), ended: make(chan struct{}), recent: -lull}
	go p.run(l)
	return p
}

// flush has sent what waits, with the lock of l held.
func (p *pump) flush(l *Loop) {
	if p.busy {
		return
	}
	switch {
	case p.link.Waiting() == 0:
	case l.now-p.recent > lull || p.stopped:
		p.link.Flush()
		p.recent = l.now
	default:
		p.begin(l)
		p.start <- struct{}{}
	}
}

// send sends what waits, with the lock of l held before and after, but not while
// the batch is written. It is for who has nothing else to do, and so need not
// wake the goroutine.
func (p *pump) send(l *Loop) {
	if !p.busy && !p.stopped && p.link.Waiting() > 0 {
		p.begin(l)
		l.unlock()
		p.finish(l)
	}
}

// begin takes the batch that is to be written, with the lock held.
func (p *pump) begin(l *Loop) {
	p.link.Swap()
	p.busy = true
	l.stack.Hold()
}

// finish writes it, and takes the lock.
func (p *pump) finish(l *Loop) {
	p.link.Write()
	l.lock()
	p.busy = false
	p.recent = l.now
	if !l.closed {
		l.stack.Release(l.now)
	}
}

// run writes batches until the end.
func (p *pump) run(l *Loop) {
	defer close(p.ended)
	for range p.start {
		p.finish(l)
		l.unlock()
	}
}

// stop ends the goroutine, when it has sent what there was.
func (p *pump) stop(l *Loop) {
	l.lock()
	p.stopped = true
	l.unlock()
	close(p.start)
	<-p.ended
}
