package hub

import "sync"

// queue is messages that wait to be written, in a buffer that is written as a
// whole. Whoever puts something in never waits: what finds no room is refused.
type queue struct {
	prefix []byte // goes before each header: the token of UDP
	limit  int    // bytes that may wait

	mu      sync.Mutex
	more    sync.Cond
	pending []byte
	ended   bool // nothing more comes
}

func newQueue(prefix []byte, limit int) *queue {
	q := &queue{prefix: prefix, limit: limit}
	q.more.L = &q.mu
	return q
}

// take puts a packet in, which is copied, or returns false. It is written after
// the next flush.
func (q *queue) take(packet []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended || len(q.pending)+len(packet) > q.limit {
		return false
	}
	q.pending = append(q.pending, q.prefix...)
	q.pending = appendHeader(q.pending, kindPacket, len(packet))
	q.pending = append(q.pending, packet...)
	return true
}

// say puts another message in, and flushes. It has room even if packets have
// none, but for one that comes again and again.
func (q *queue) say(k kind, body string) {
	q.mu.Lock()
	if !q.ended && len(q.pending) < 2*q.limit {
		q.pending = append(q.pending, q.prefix...)
		q.pending = appendMessage(q.pending, k, body)
	}
	q.mu.Unlock()
	q.flush()
}

// flush has written what waits.
func (q *queue) flush() { q.more.Signal() }

// end says that nothing more comes. What waits is still written.
func (q *queue) end() {
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	q.flush()
}

// keep is how large a buffer is kept when there is nothing to write.
const keep = 256 << 10

// run writes what comes until the end, or until write fails.
func (q *queue) run(write func(batch []byte) error) error {
	var batch []byte
	for {
		q.mu.Lock()
		for len(q.pending) == 0 && !q.ended {
			if cap(q.pending) > keep {
				q.pending = nil
			}
			if cap(batch) > keep {
				batch = nil
			}
			q.more.Wait()
		}
		batch, q.pending = q.pending, batch[:0]
		q.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		if err := write(batch); err != nil {
			return err
		}
	}
}
