package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// memory is what the window is reckoned from by the rule of Linux. A buffer is
// memory there, twice RecvBuffer, and a segment takes more of it than its data:
// the window is the part of the free memory that data can fill. That part is
// half at first, then as in the largest segment that has come.
//
// No RFC has this. The names in brackets are those of Linux 6.18, beside which it
// was measured.
type memory struct {
	ratio int // how much of the memory data can fill, in 256ths (scaling_ratio)
	most  int // no larger window is told yet: it grows as segments come (rcv_ssthresh)
	told  int // the last window that was told (rcv_wnd)

	taken int           // what the user reads in a round trip (rcvq_space)
	from  seq.Value     // what had been read
	since time.Duration // when the round trip began
}

const (
	ratioUnit = 256
	leastSize = 2304 // of the memory (SOCK_MIN_RCVBUF)
	sharing   = 17   // segments that lie together, with one overhead (MAX_SKB_FRAGS)
)

// holds returns how much data n bytes of memory hold.
func (m *memory) holds(n int) int { return int(int64(n) * int64(m.ratio) / ratioUnit) }

// memorySize returns the size of the receive buffer, overhead and all.
func (t *TCB) memorySize() int { return max(2*t.rcv.buf.limit, leastSize) }

// memoryFull returns the window with nothing in memory.
func (t *TCB) memoryFull() int { return t.rcv.mem.holds(t.memorySize()) }

// memoryFree returns how much data there is room for.
func (t *TCB) memoryFree() int {
	r := &t.rcv
	used := r.buf.n + int(r.held.size())
	together := sharing * r.usual()
	used += (used + together - 1) / together * t.cfg.RecvOverhead
	return r.mem.holds(max(t.memorySize()-used, 0))
}

// memoryFirst returns the window of a SYN. It is a whole number of segments,
// with the options that they are known to have.
func (t *TCB) memoryFirst() int {
	n, mss := t.memoryFull(), t.announce()
	if t.passive {
		mss = t.dataSize()
	}
	if n > mss {
		n -= n % mss
	}
	return n
}

// dataSize returns the most data in a segment of the peer (advmss).
func (t *TCB) dataSize() int {
	if t.ts.on {
		return max(t.announce()-timestampLen, 1)
	}
	return t.announce()
}

// usual returns the most data that a segment has had so far, as far as an ACK
// or a window depends on it.
func (r *recvVars) usual() int { return max(int(r.seen), min(536, int(r.mss)), 1) }

// memoryOpens begins to reckon, once the SYN of the peer is there. A segment of
// the memory is not told of at first.
func (t *TCB) memoryOpens(now time.Duration) {
	m, full, size := &t.rcv.mem, t.memoryFull(), t.dataSize()
	m.told = t.memoryFirst()
	m.most = m.told
	if full > 2*size {
		m.most = min(m.most, max(2*size, full-size))
	}
	m.taken, m.from, m.since = min(m.most, 10*size), t.rcv.nxt, now
}

// memoryWindow returns the window to tell now: what there is room for, rounded up
// so that the scale takes nothing away, but 0 if less than half is free and that
// is less than a segment or a sixteenth of all. It never shrinks.
func (t *TCB) memoryWindow() int {
	r, m := &t.rcv, &t.rcv.mem
	unit := 1 << r.shift
	now := (int(r.window()) + unit - 1) / unit * unit
	full, free := t.memoryFull(), t.memoryFree()
	mss := max(min(r.usual(), full), 1)
	if free < full/2 {
		free -= free % unit
		if free < full/16 || free < mss {
			return now
		}
	}
	free = min(free, m.most)
	wnd := (free + unit - 1) / unit * unit
	if r.shift == 0 {
		// Without a scale it is a whole number of segments.
		wnd = m.told
		switch {
		case wnd <= free-mss || wnd > free:
			wnd = free - free%mss
		case mss == full && free > wnd+full/2:
			wnd = free
		}
	}
	return min(max(wnd, now), 65535<<r.shift)
}

// memoryTakes has n bytes that have come in order tell how much of the memory is
// data, and make the window larger: a peer in slow start needs more of it with
// each segment. "larger" says that no segment has had more.
func (t *TCB) memoryTakes(n int, larger bool) {
	m := &t.rcv.mem
	if larger {
		m.ratio = max(n*ratioUnit/(n+t.cfg.RecvOverhead), 1)
		t.memoryFollows()
	}
	room := min(t.memoryFull(), t.memoryFree()) - m.most
	if n >= 128 && room > 0 {
		m.most += min(room, max(2*t.dataSize(), 2*n))
	}
}

// memoryFollows has the window follow a change of what all the memory holds.
func (t *TCB) memoryFollows() {
	m, full := &t.rcv.mem, t.memoryFull()
	if full < m.most {
		m.most = full
	}
	m.most = max(m.most, min(m.told, full))
	m.taken = min(m.taken, full)
}

// memoryRead makes the buffer larger for a user who keeps up: it is to hold twice
// what he reads in a round trip, and as much more as he reads more each time,
// since the peer may double what it sends. A buffer of the user's own choice
// stays as it is.
func (t *TCB) memoryRead(now time.Duration) {
	r, m := &t.rcv, &t.rcv.mem
	if t.cfg.Window != WindowMemory || t.cfg.RecvMax == 0 || t.opt.recvBuf || t.rtt.srtt == 0 || now-m.since < t.rtt.srtt {
		return
	}
	read := r.nxt - seq.Value(r.buf.n)
	taken := int(read.Sub(m.from)) - r.buf.n
	m.from, m.since = read, now
	if taken <= m.taken {
		return
	}
	wnd := 2 * int64(taken)
	wnd += 2 * wnd * int64(taken-m.taken) / int64(m.taken)
	m.taken = taken
	limit := int(min(wnd*ratioUnit/int64(2*m.ratio), int64(t.cfg.RecvMax)))
	if limit > r.buf.limit {
		r.buf.limit = limit
		t.memoryFollows()
	}
}
