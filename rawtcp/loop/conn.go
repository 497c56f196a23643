package loop

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"sock/rawtcp"
)

// Conn is a connection: a net.Conn, with what a net.TCPConn has besides.
//
// Errors are of type *net.OpError, but for io.EOF. They wrap net.ErrClosed,
// os.ErrDeadlineExceeded, or both the error of package rawtcp, tcb or link and
// the syscall.Errno that a kernel would have given.
type Conn struct {
	socket
	local, remote *net.TCPAddr
}

var _ net.Conn = (*Conn)(nil)

func newConn(l *Loop, k *rawtcp.Socket) *Conn {
	c := &Conn{local: tcpAddr(k.Local()), remote: tcpAddr(k.Remote())}
	c.open(l, k)
	return c
}

func tcpAddr(a netip.AddrPort) *net.TCPAddr { return net.TCPAddrFromAddrPort(a) }

// Read reads what has arrived, and waits for it if it must. It returns io.EOF
// after the peer's FIN, and after CloseRead.
func (c *Conn) Read(p []byte) (int, error) {
	c.enter(&c.in)
	defer c.leave(&c.in)
	for {
		if err := c.ready(&c.in); err != nil {
			return 0, c.fail("read", err)
		}
		if len(p) == 0 {
			return 0, nil
		}
		if c.muted {
			return 0, io.EOF
		}
		n, err := c.k.Read(c.loop.now, p)
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			return n, c.fail("read", err)
		}
		c.wait(&c.in, nil)
	}
}

// turn is how much a Write copies with the lock held.
const turn = 64 << 10

// Write queues p, and waits for room if it must. What has been queued is sent
// even if the Conn is closed then.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.enter(&c.out)
	defer c.leave(&c.out)
	for {
		if err = c.ready(&c.out); err != nil {
			return n, c.fail("write", err)
		}
		some := p[n:min(len(p), n+turn)]
		k, err := c.k.Write(c.loop.now, some)
		n += k
		switch {
		case err != nil && !errors.Is(err, rawtcp.ErrWouldBlock):
			return n, c.fail("write", err)
		case n == len(p):
			return n, nil
		case k == len(some):
			c.loop.pause()
		default:
			c.out.want = len(p) - n
			c.wait(&c.out, nil)
		}
	}
}

// Close gives the connection up. What has been written is still sent, in the
// background, by the Loop; with a linger time, see SetLinger. What has arrived
// and has not been read is lost, and the peer may be told by a RST.
func (c *Conn) Close() error {
	c.loop.lock()
	defer c.loop.unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.shut()
	for {
		err := c.k.Close(c.loop.now)
		if !errors.Is(err, rawtcp.ErrWouldBlock) {
			delete(c.loop.sockets, &c.socket)
			return c.fail("close", err)
		}
		c.wait(&c.end, nil)
	}
}

// CloseWrite sends a FIN after what has been written. Reading goes on.
func (c *Conn) CloseWrite() error {
	return c.do("close", func(now time.Duration) error { return c.k.Shutdown(now) })
}

// CloseRead says that nothing more will be read. What arrives from now on is
// acknowledged and forgotten: the peer is not told.
func (c *Conn) CloseRead() error {
	return c.do("close", func(time.Duration) error {
		c.muted = true
		c.discard()
		c.in.rouse()
		return nil
	})
}

// discard reads what has arrived, for nobody.
func (s *socket) discard() {
	for {
		if _, err := s.k.Read(s.loop.now, s.loop.waste[:]); err != nil {
			return
		}
	}
}

// LocalAddr returns the local end, a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the foreign end, a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the time after which Read and Write give
// os.ErrDeadlineExceeded; the zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.do("set", func(time.Duration) error {
		c.setDeadline(&c.in, t)
		c.setDeadline(&c.out, t)
		return nil
	})
}

// SetReadDeadline sets the deadline of Read.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.do("set", func(time.Duration) error {
		c.setDeadline(&c.in, t)
		return nil
	})
}

// SetWriteDeadline sets the deadline of Write. If it passes, some of what was to
// be written may have been.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.do("set", func(time.Duration) error {
		c.setDeadline(&c.out, t)
		return nil
	})
}

// Do calls f with the lock held, the time, and the socket: for its options, its
// state, urgent data, and what else a Conn has no method for. f must not wait,
// and must not call OnChange or Close.
func (c *Conn) Do(f func(now time.Duration, k *rawtcp.Socket) error) error {
	return c.do("do", func(now time.Duration) error { return f(now, c.k) })
}

// do calls f with the lock held, unless the Conn is closed.
func (c *Conn) do(op string, f func(now time.Duration) error) error {
	c.loop.lock()
	defer c.loop.unlock()
	if c.closed {
		return c.fail(op, net.ErrClosed)
	}
	return c.fail(op, f(c.loop.now))
}

// fail makes of err what a net.Conn returns.
func (c *Conn) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: cause(err)}
}
