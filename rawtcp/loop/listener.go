package loop

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"sock/rawtcp"
)

// Listener waits for connections: a net.Listener. Its errors are those of Conn.
type Listener struct {
	socket
	local *net.TCPAddr
}

var _ net.Listener = (*Listener)(nil)

// Listen listens at a, an unspecified address for all of the host's own of that
// family, port 0 for one that is free. backlog is how many connections may wait
// to be accepted, as the profile counts it. As with package net, SO_REUSEADDR is
// set.
func (l *Loop) Listen(a netip.AddrPort, backlog int, setup ...Setup) (*Listener, error) {
	l.lock()
	defer l.unlock()
	a = unmap(a)
	n := &Listener{local: tcpAddr(a)}
	err := l.ready(context.Background())
	if err == nil {
		k := l.stack.Socket(familyOf(a.Addr()))
		setup = append([]Setup{Set(rawtcp.ReuseAddr, 1)}, setup...)
		if err = prepare(l.now, k, append(setup, Bind(a))); err == nil {
			err = k.Listen(l.now, backlog)
		}
		if err == nil {
			n.local = tcpAddr(k.Local())
			n.open(l, k)
			return n, nil
		}
		_ = k.Abort(l.now) // it is open
	}
	return nil, n.fail("listen", err)
}

// Accept waits for the next connection, which is a *Conn.
func (n *Listener) Accept() (net.Conn, error) {
	c, err := n.AcceptConn()
	if err != nil {
		return nil, err // not a Conn that is nil
	}
	return c, nil
}

// AcceptConn waits for the next connection.
func (n *Listener) AcceptConn() (*Conn, error) {
	n.enter(&n.in)
	defer n.leave(&n.in)
	for {
		if err := n.ready(&n.in); err != nil {
			return nil, n.fail("accept", err)
		}
		k, err := n.k.Accept(n.loop.now)
		switch {
		case err == nil:
			return newConn(n.loop, k), nil
		case !errors.Is(err, rawtcp.ErrWouldBlock):
			return nil, n.fail("accept", err)
		}
		n.wait(&n.in, nil)
	}
}

// Close ends the listening. Connections that nobody has accepted are reset.
func (n *Listener) Close() error {
	n.loop.lock()
	defer n.loop.unlock()
	if n.closed {
		return n.fail("close", net.ErrClosed)
	}
	n.shut()
	delete(n.loop.sockets, &n.socket)
	return n.fail("close", n.k.Abort(n.loop.now))
}

// Addr returns where it listens, a *net.TCPAddr.
func (n *Listener) Addr() net.Addr { return n.local }

// SetDeadline sets the time after which Accept gives os.ErrDeadlineExceeded; the
// zero time is none.
func (n *Listener) SetDeadline(t time.Time) error {
	n.loop.lock()
	defer n.loop.unlock()
	if n.closed {
		return n.fail("set", net.ErrClosed)
	}
	n.setDeadline(&n.in, t)
	return nil
}

// fail makes of err what a net.Listener returns.
func (n *Listener) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: "tcp", Addr: n.local, Err: cause(err)}
}
