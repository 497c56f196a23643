package batch

import "syscall"

// Buffers are buffers of one size that are used again.
type Buffers struct {
	size int
	free [][]byte
}

// NewBuffers returns buffers of size bytes.
func NewBuffers(size int) *Buffers { return &Buffers{size: size} }

// Buffer returns an empty buffer.
func (b *Buffers) Buffer() []byte {
	if n := len(b.free); n > 0 {
		p := b.free[n-1]
		b.free = b.free[:n-1]
		return p[:0]
	}
	return make([]byte, 0, b.size)
}

// Return gives a buffer back.
func (b *Buffers) Return(p []byte) {
	if cap(p) >= b.size && len(b.free) < 2*Len {
		b.free = append(b.free, p)
	}
}

// Queue is the packets that wait to be sent: one batch is filled while another is
// written. All but Write is called by one goroutine at a time: see loop.Batcher,
// which has the same methods.
type Queue struct {
	filling, writing *Batch
	buffers          *Buffers
	conn             syscall.RawConn
}

// NewQueue returns a Queue of packets in buffers. write sends a batch on conn, and
// returns false to be called again when there is room. It may be called for two
// batches at the same time.
func NewQueue(buffers *Buffers, conn syscall.RawConn, write func(fd uintptr, b *Batch) bool) *Queue {
	make1 := func() *Batch {
		b := &Batch{}
		b.write = func(fd uintptr) bool { return write(fd, b) }
		return b
	}
	return &Queue{filling: make1(), writing: make1(), buffers: buffers, conn: conn}
}

// Head returns that of the next packet, to be filled in before Add.
func (q *Queue) Head() *Head { return &q.filling.Heads[q.filling.n] }

// Add has a packet wait for Flush or Swap, with so many bytes of its Head before it
// and data behind it. When there is no room for another it sends them all.
func (q *Queue) Add(head int, packet, data []byte) {
	b := q.filling
	b.Put(b.n, b.Heads[b.n][:head], packet, data)
	q.added(len(packet) + len(data))
}

// AddTo is Add for a packet whose Head is an address of so many bytes.
func (q *Queue) AddTo(address int, packet []byte) {
	b := q.filling
	b.Put(b.n, nil, packet, nil)
	m := b.Message(b.n)
	m.Name, m.Namelen = &b.Heads[b.n][0], uint32(address)
	q.added(len(packet))
}

func (q *Queue) added(bytes int) {
	b := q.filling
	b.bytes += bytes
	b.n++
	if b.n == Len {
		q.Flush()
	}
}

// Flush sends what waits.
func (q *Queue) Flush() {
	if q.filling.n > 0 {
		q.send(q.filling)
		q.recycle(q.filling)
	}
}

// Waiting returns how many bytes of packets wait.
func (q *Queue) Waiting() int { return q.filling.bytes }

// Swap makes what waits the batch that Write sends. The last Write has returned.
func (q *Queue) Swap() {
	q.recycle(q.writing)
	q.filling, q.writing = q.writing, q.filling
}

// Write sends the batch of the last Swap. It may be called while others call the
// Queue.
func (q *Queue) Write() { q.send(q.writing) }

func (q *Queue) send(b *Batch) {
	b.done = 0
	_ = q.conn.Write(b.write) // the error is that it has been closed
}

// recycle takes back the buffers of a batch that has been sent.
func (q *Queue) recycle(b *Batch) {
	for _, p := range b.Packets[:b.n] {
		q.buffers.Return(p)
	}
	b.n, b.bytes = 0, 0
}
