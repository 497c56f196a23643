package peer

import (
	"bytes"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// host is one of the two implementations.
type host interface {
	link.Handler
	Advance(now time.Duration)
	NextDeadline() (time.Duration, bool)

	dial(now time.Duration, to netip.AddrPort) (conn, error)
	listen(now time.Duration, at netip.AddrPort) (listener, error)
	// entries returns how many sockets and connections there are.
	entries() int
}

// conn is a socket of one of them.
type conn interface {
	Read(now time.Duration, p []byte) (int, error)
	Write(now time.Duration, p []byte) (int, error)
	Shutdown(now time.Duration) error
	Close(now time.Duration) error
	Abort(now time.Duration) error
	CanRead() bool
	CanWrite() bool
	Err() error
}

type listener interface {
	Close(now time.Duration) error
	accept(now time.Duration) (conn, error)
}

// implementation makes hosts.
type implementation struct {
	name string
	host func(t testing.TB, n *link.Node, seed uint64, addresses ...netip.Prefix) host
}

const (
	// patience is how long, in virtual time, anything may take. The longest
	// wait there is is for what nobody answers: R2 of RFC 9293, section
	// 3.8.3, is "at least 100 seconds" for data and 3 minutes for a SYN.
	patience = time.Hour
	port     = 7
)

// lab is a client and a server on one link, and what time it is there.
type lab struct {
	testing.TB
	net            *link.Network
	link           *link.Link
	now            time.Duration
	client, server host
	programs       []func()
	packets        int    // sent
	sum            uint64 // a hash of all of them and their times
}

func clientAddress(v6 bool) netip.Prefix {
	if v6 {
		return netip.MustParsePrefix("2001:db8::1/64")
	}
	return netip.MustParsePrefix("10.0.0.1/24")
}

func serverAddress(v6 bool) netip.Prefix {
	if v6 {
		return netip.MustParsePrefix("2001:db8::2/64")
	}
	return netip.MustParsePrefix("10.0.0.2/24")
}

func newLab(t testing.TB, client, server implementation, o link.LinkOptions, seed uint64) *lab {
	l := &lab{TB: t}
	sum := fnv.New64a()
	l.net = link.NewNetwork(seed, trace.Func(func(e trace.Event) {
		if e.Kind == trace.Sent {
			l.packets++
			sum.Write(e.Packet)
			sum.Write([]byte(e.At.String()))
			l.sum = sum.Sum64()
		}
	}))
	l.link = l.net.Link("link", o)
	make := func(i implementation, name string, seed uint64, addresses ...netip.Prefix) host {
		n := l.net.Node(name, link.NodeOptions{})
		n.Attach(l.link, "eth0", addresses...)
		h := i.host(t, n, seed, addresses...)
		n.Handle(h)
		return h
	}
	l.client = make(client, "client", 2*seed, clientAddress(false), clientAddress(true))
	l.server = make(server, "server", 2*seed+1, serverAddress(false), serverAddress(true))
	return l
}

// next returns what happens next, and when, or nil if nothing ever will.
func (l *lab) next() (at time.Duration, what func()) {
	if t, ok := l.net.NextDeadline(); ok {
		at, what = t, func() { l.net.Step(l.now) }
	}
	for _, h := range []host{l.client, l.server} {
		if t, ok := h.NextDeadline(); ok && (what == nil || t < at) {
			at, what = t, func() { h.Advance(l.now) }
		}
	}
	return at, what
}

// step lets the next thing happen if it does before limit.
func (l *lab) step(limit time.Duration) bool {
	at, what := l.next()
	if what == nil || at > limit {
		return false
	}
	l.now = max(l.now, at)
	what()
	for _, p := range l.programs {
		p()
	}
	return true
}

// until lets happen what does until done reports true.
func (l *lab) until(what string, done func() bool) {
	l.Helper()
	for limit := l.now + patience; !done(); {
		if !l.step(limit) {
			l.Fatalf("%v: nothing happens until %v, and not yet: %s", l.now, limit, what)
		}
	}
}

// wait lets d go by.
func (l *lab) wait(d time.Duration) {
	end := l.now + d
	for l.step(end) {
	}
	l.now = end
}

// started is the error of a connect that does not wait.
func started(err error) error {
	if errors.Is(err, tcb.ErrWouldBlock) {
		return nil
	}
	return err
}

// open makes a connection and returns its two ends.
func (l *lab) open(v6 bool) (client, server conn) {
	l.Helper()
	at := netip.AddrPortFrom(serverAddress(v6).Addr(), port)
	waiting, err := l.server.listen(l.now, at)
	if err != nil {
		l.Fatalf("listen: %v", err)
	}
	if client, err = l.client.dial(l.now, at); err != nil {
		l.Fatalf("connect: %v", err)
	}
	l.until("connect", client.CanWrite)
	if err := client.Err(); err != nil {
		l.Fatalf("connect: %v", err)
	}
	l.until("accept", func() bool {
		server, err = waiting.accept(l.now)
		if err != nil && !errors.Is(err, tcb.ErrWouldBlock) {
			l.Fatalf("accept: %v", err)
		}
		return err == nil
	})
	if err := waiting.Close(l.now); err != nil {
		l.Fatalf("close of the listening socket: %v", err)
	}
	return client, server
}

// finish waits until both hosts have forgotten all connections.
func (l *lab) finish() {
	l.Helper()
	l.until("both hosts have forgotten everything", func() bool {
		return l.client.entries() == 0 && l.server.entries() == 0
	})
}

// text is size bytes that are the same for the same seed.
func text(seed uint64, size int) []byte {
	b := make([]byte, size)
	var key [32]byte
	key[0] = byte(seed)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// writer is a program that writes all of a text, and then shuts down.
type writer struct {
	rest []byte
	done bool
}

// write starts a writer on c.
func (l *lab) write(c conn, b []byte) *writer {
	w := &writer{rest: b}
	program := func() {
		for len(w.rest) > 0 {
			n, err := c.Write(l.now, w.rest)
			w.rest = w.rest[n:]
			if errors.Is(err, tcb.ErrWouldBlock) {
				return
			}
			if err != nil {
				l.Fatalf("%v: write: %v", l.now, err)
			}
		}
		if !w.done {
			w.done = true
			if err := c.Shutdown(l.now); err != nil {
				l.Fatalf("%v: shutdown: %v", l.now, err)
			}
		}
	}
	l.programs = append(l.programs, program)
	program()
	return w
}

// reader is a program that reads until the end.
type reader struct {
	got   bytes.Buffer
	ended bool
	err   error
	slow  bool // does not read now
}

// read starts a reader on c.
func (l *lab) read(c conn) *reader {
	r := &reader{}
	buf := make([]byte, 1<<16)
	l.programs = append(l.programs, func() {
		for !r.ended && r.err == nil && !r.slow {
			n, err := c.Read(l.now, buf)
			r.got.Write(buf[:n])
			switch {
			case errors.Is(err, tcb.ErrWouldBlock):
				return
			case errors.Is(err, io.EOF):
				r.ended = true
			case err != nil:
				r.err = err
			}
		}
	})
	return r
}

// check fails unless r has read want and the end.
func (l *lab) check(whose string, r *reader, want []byte) {
	l.Helper()
	if r.err != nil || !r.ended {
		l.Fatalf("%s read: %v after %d of %d bytes, ended %t", whose, r.err, r.got.Len(), len(want), r.ended)
	}
	if !bytes.Equal(r.got.Bytes(), want) {
		l.Fatalf("%s read %d bytes that are not the %d that were written", whose, r.got.Len(), len(want))
	}
}

// close closes the sockets.
func (l *lab) close(conns ...conn) {
	l.Helper()
	l.programs = nil
	for _, c := range conns {
		if err := c.Close(l.now); err != nil {
			l.Fatalf("%v: close: %v", l.now, err)
		}
	}
}
