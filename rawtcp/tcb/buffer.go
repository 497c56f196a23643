package tcb

// buffer is a queue of bytes in a ring. Its memory is a power of two that
// grows with what is put in, so a connection that carries nothing costs
// nothing; limit is how much its owner lets in.
type buffer struct {
	mem   []byte
	head  int // where the first byte is
	n     int // how many there are in order
	limit int

	joined []byte // the bytes of view, if they lie around the end of mem
}

const leastMemory = 2048

// free returns how many more bytes the limit allows.
func (b *buffer) free() int { return max(b.limit-b.n, 0) }

// reserve makes room for n bytes in all.
func (b *buffer) reserve(n int) {
	if n <= len(b.mem) {
		return
	}
	size := max(len(b.mem), leastMemory)
	for size < n {
		size *= 2
	}
	mem := make([]byte, size)
	if b.mem != nil {
		k := copy(mem, b.mem[b.head:])
		copy(mem[k:], b.mem[:b.head])
	}
	b.mem, b.head = mem, 0
}

// put writes p so that it starts off bytes behind the first one. It does not
// count it: that is for the caller, who may leave a hole before it.
func (b *buffer) put(off int, p []byte) {
	b.reserve(off + len(p))
	at := (b.head + off) & (len(b.mem) - 1)
	k := copy(b.mem[at:], p)
	copy(b.mem, p[k:])
}

// write appends as much of p as the limit allows, and returns how much.
func (b *buffer) write(p []byte) int {
	p = p[:min(len(p), b.free())]
	if len(p) == 0 {
		return 0
	}
	b.put(b.n, p)
	b.n += len(p)
	return len(p)
}

// parts returns n bytes from off on, where they lie: in one part, or two.
func (b *buffer) parts(off, n int) (p, q []byte) {
	if n == 0 {
		return nil, nil
	}
	at := (b.head + off) & (len(b.mem) - 1)
	if at+n <= len(b.mem) {
		return b.mem[at : at+n : at+n], nil
	}
	return b.mem[at:], b.mem[:at+n-len(b.mem)]
}

// view returns n bytes from off on in one piece. It is good until the buffer
// changes or view is called again.
func (b *buffer) view(off, n int) []byte {
	p, q := b.parts(off, n)
	if q == nil {
		return p
	}
	b.joined = append(append(b.joined[:0], p...), q...)
	return b.joined
}

// read copies the first bytes to p and drops them.
func (b *buffer) read(p []byte) int {
	n := min(len(p), b.n)
	x, y := b.parts(0, n)
	copy(p[copy(p, x):], y)
	b.drop(n)
	return n
}

// drop drops the first n bytes.
func (b *buffer) drop(n int) {
	b.n -= n
	if len(b.mem) > 0 {
		b.head = (b.head + n) & (len(b.mem) - 1)
	}
}

// release gives the memory back; what was in it is lost.
func (b *buffer) release() {
	b.mem, b.joined, b.head, b.n = nil, nil, 0, 0
}
