package trace

import (
	"fmt"
	"sync"
)

// Queue is a Sink before another that may be slow, or stop: a terminal, a pipe
// that nobody reads, a disk. Whoever tells a Queue of an Event never waits. What
// finds no room is lost, and the other Sink is told how much that was, in a Note
// where it is missing.
//
// The Sink is called from one goroutine. If it has a method Flush, that is called
// whenever nothing more waits.
type Queue struct {
	sink  Sink
	flush func() // of sink, or nil
	limit int    // bytes that may wait

	mu      sync.Mutex
	more    sync.Cond // something waits, or nothing more will
	gone    sync.Cond // done has moved on
	pending []Event
	packets []byte // those of pending
	lost    uint64 // since the last that was taken
	last    Event  // that was lost: At and Host
	total   uint64 // lost
	taken   uint64 // events
	done    uint64 // those of them that sink has got
	ended   bool
	closed  chan struct{} // when sink has got all there was
}

// eventSize is about what an Event costs that waits, without its packet.
const eventSize = 512

// NewQueue returns a Queue before s where about so many bytes may wait. It must
// be closed, and closes s.
func NewQueue(s Sink, limit int) *Queue {
	q := &Queue{sink: s, limit: limit, closed: make(chan struct{})}
	q.more.L, q.gone.L = &q.mu, &q.mu
	if f, ok := s.(interface{ Flush() }); ok {
		q.flush = f.Flush
	}
	go q.run()
	return q
}

// Event puts e in, or counts it as lost.
func (q *Queue) Event(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return
	}
	if (len(q.pending)+1)*eventSize+len(q.packets)+len(e.Packet) > q.limit {
		q.lost++
		q.total++
		q.last.At, q.last.Host = e.At, e.Host
		return
	}
	q.confess(&e)
	q.take(e)
	q.more.Signal()
}

// take puts e in, with a copy of its packet.
func (q *Queue) take(e Event) {
	if n := len(q.packets); len(e.Packet) > 0 {
		q.packets = append(q.packets, e.Packet...)
		e.Packet = q.packets[n:len(q.packets):len(q.packets)]
	}
	q.pending = append(q.pending, e)
	q.taken++
}

// confess puts in a Note of what was lost before next.
func (q *Queue) confess(next *Event) {
	if q.lost == 0 {
		return
	}
	q.take(Event{At: next.At, Kind: Note, Host: next.Host, Text: fmt.Sprintf("events missing here: %d", q.lost)})
	q.lost = 0
}

// run hands on what comes, until the end.
func (q *Queue) run() {
	defer close(q.closed)
	var batch []Event
	var packets []byte
	for {
		q.mu.Lock()
		for len(q.pending) == 0 && !q.ended {
			q.more.Wait()
		}
		batch, q.pending = q.pending, batch[:0]
		packets, q.packets = q.packets, packets[:0]
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for i := range batch {
			q.sink.Event(batch[i])
		}
		if q.flush != nil {
			q.flush()
		}
		q.mu.Lock()
		q.done += uint64(len(batch))
		q.gone.Broadcast()
		q.mu.Unlock()
		clear(batch)
	}
}

// Sync waits until the Sink has got all that was put in before.
func (q *Queue) Sync() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for until := q.taken; q.done < until; {
		q.gone.Wait()
	}
}

// Lost returns how many events were lost.
func (q *Queue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// Close waits until the Sink has got all that was put in, closes it, and returns
// its error. Events that come later are for nobody.
func (q *Queue) Close() error {
	q.mu.Lock()
	if !q.ended {
		q.confess(&q.last)
	}
	q.ended = true
	q.mu.Unlock()
	q.more.Signal()
	<-q.closed
	return q.sink.Close()
}
