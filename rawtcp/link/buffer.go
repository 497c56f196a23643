package link

// buffers are packets' buffers that are used again and again, so that nothing
// is allocated for a packet once there are enough of them.
type buffers struct {
	free [][]byte
	size int // capacity of a buffer: the greatest MTU there is
}

// get returns an empty buffer.
func (b *buffers) get() []byte {
	if n := len(b.free); n > 0 {
		buf := b.free[n-1]
		b.free = b.free[:n-1]
		return buf[:0]
	}
	return make([]byte, 0, b.size)
}

// put takes buf back. One that is too small is left to the collector.
func (b *buffers) put(buf []byte) {
	if cap(buf) >= b.size && b.size > 0 {
		b.free = append(b.free, buf)
	}
}

// copy returns p in a buffer of its own.
func (b *buffers) copy(p []byte) []byte { return append(b.get(), p...) }

// grow sees to it that buffers have room for size bytes.
func (b *buffers) grow(size int) {
	if size > b.size {
		b.size, b.free = size, nil
	}
}
