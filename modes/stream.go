package modes

import (
	"io"
	"time"
)

// stream is the loop between the user and a TCP connection, the same for a
// client and a server: standard input goes to the socket, what comes from the
// socket goes to standard output (or, with --echo, back).
type stream struct {
	*console
	s     Socket
	buf   []byte
	queue [][]byte  // writes that the system has not taken yet
	eof   bool      // the peer's FIN has come
	told  bool      // and the user has been told
	heard time.Time // when the last data came, for -x
	stuck time.Time // since when queue waits, for -y
}

func (r *run) stream(s Socket) error {
	l := &stream{console: r.console(), s: s, buf: make([]byte, r.o.ReadSize), heard: r.Now()}
	for {
		ended, err := l.turn()
		if ended || err != nil {
			return err
		}
	}
}

// turn waits once and serves what became ready: standard input first, then
// the socket. While a write waits for room nothing more is read of what feeds
// it, but the other direction goes on: two ends that both have much to say
// must not block each other.
func (l *stream) turn() (ended bool, err error) {
	waiting := len(l.queue) > 0
	in := []Interest{
		{Read: l.open && !waiting},
		{Socket: l.s, Read: !l.eof && !(l.o.Echo && waiting), Write: waiting},
	}
	if err := l.Wait(in, l.patience()); err != nil {
		return false, l.fail("select error", "poll", err, l.s)
	}
	if in[0].CanRead {
		if ended, err := l.fromUser(); ended || err != nil {
			return ended, err
		}
	}
	if in[1].CanRead {
		if err := l.fromPeer(); err != nil {
			return false, err
		}
	}
	if in[1].CanWrite {
		if err := l.flush(); err != nil {
			return false, err
		}
	}
	if !in[1].CanRead && !in[1].CanWrite {
		if err := l.late(); err != nil {
			return false, err
		}
	}
	if l.eof && len(l.queue) == 0 {
		if !l.told {
			l.told = true
			l.verbosef("connection closed by peer")
		}
		return !l.answers(), nil
	}
	return false, nil
}

// answers reports whether the peer's FIN is not the end: it is that of a question
// for a server with -h, whose answer ends with standard input.
func (l *stream) answers() bool { return l.o.Server && l.o.HalfClose && l.open }

func (l *stream) fromUser() (ended bool, err error) {
	p, ended, err := l.read()
	switch {
	case err != nil:
		return false, err
	case ended && l.o.HalfClose:
		if err := l.s.CloseWrite(); err != nil {
			return false, l.fail("shutdown() error", "shutdown", err, l.s)
		}
		return false, nil
	case ended || p == nil:
		return ended, nil
	}
	return false, l.send(p)
}

func (l *stream) fromPeer() error {
	l.pause(l.s)
	if l.o.Peek {
		if n, err := l.s.Peek(l.buf); err == nil {
			l.moved("received", n, " (MSG_PEEK)")
		}
	}
	n, err := l.s.Read(l.buf)
	l.heard = l.Now()
	l.eof = err == io.EOF
	switch {
	case l.eof:
		return l.write(nil, true)
	case err != nil:
		return l.fail("read error", "read", err, l.s)
	case l.o.Echo:
		return l.send(l.buf[:n])
	}
	return l.write(l.buf[:n], false)
}

// send queues p as the writes that the command line wants of it: one, pieces
// of -w bytes, or with -k and -V as many as one writev takes.
func (l *stream) send(p []byte) error {
	size := len(p)
	switch {
	case l.o.Chunks:
		size = (len(p) + maxVector - 1) / maxVector
	case l.o.WriteGiven:
		size = l.o.WriteSize
	}
	for i := 0; len(p) > 0; i++ {
		n := min(size, len(p))
		l.queue = append(l.queue, p[:n])
		p = p[n:]
		if l.o.Chunks {
			l.verbosef("iov[%2d].iov_len = %d", i, n)
		}
	}
	l.pause(l.s)
	l.stuck = l.Now()
	return l.flush()
}

// maxVector is how many buffers -V hands to one writev (IOV_MAX of Linux, the
// BSDs and macOS).
const maxVector = 1024

// flush writes what is queued until the system would block.
func (l *stream) flush() error {
	for len(l.queue) > 0 {
		bufs := l.queue[:1]
		if l.o.Vector {
			bufs = l.queue
		}
		n, err := l.s.WriteNow(bufs...)
		if err == ErrWouldBlock {
			return nil
		}
		if err != nil {
			return l.fail("write error", "write", err, l.s)
		}
		l.stuck = l.Now()
		for len(l.queue) > 0 && n >= len(l.queue[0]) {
			n -= len(l.queue[0])
			l.queue = l.queue[1:]
		}
		if n > 0 {
			l.queue[0] = l.queue[0][n:]
		}
	}
	l.queue = nil
	return nil
}

// patience is how long the loop may wait before -x or -y is over.
func (l *stream) patience() time.Duration {
	d := time.Duration(-1)
	now := l.Now()
	if x := l.o.ReadTimeout; x > 0 && !l.eof {
		d = max(0, x-now.Sub(l.heard))
	}
	if y := l.o.WriteTimeout; y > 0 && len(l.queue) > 0 {
		if w := max(0, y-now.Sub(l.stuck)); d < 0 || w < d {
			d = w
		}
	}
	return d
}

// late fails when -x or -y is over.
func (l *stream) late() error {
	now := l.Now()
	if x := l.o.ReadTimeout; x > 0 && !l.eof && now.Sub(l.heard) >= x {
		return l.fail("read error", "read", ErrTimeout, l.s)
	}
	if y := l.o.WriteTimeout; y > 0 && len(l.queue) > 0 && now.Sub(l.stuck) >= y {
		return l.fail("write error", "write", ErrTimeout, l.s)
	}
	return nil
}
