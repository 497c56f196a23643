package loop

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// Setup prepares a socket before it connects or listens: it sets options, binds
// it, or configures its TCP. It is called with the lock held, and must not wait.
type Setup func(now time.Duration, k *rawtcp.Socket) error

// Dial opens a connection to a, and waits until it is open, or ctx is done. The
// error is a *net.OpError: see Conn.
func (l *Loop) Dial(ctx context.Context, a netip.AddrPort, setup ...Setup) (*Conn, error) {
	a = unmap(a)
	var source net.Addr
	fail := func(err error) (*Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Source: source, Addr: tcpAddr(a), Err: cause(err)}
	}
	l.lock()
	defer l.unlock()
	if err := l.ready(ctx); err != nil {
		return fail(err)
	}
	k := l.stack.Socket(familyOf(a.Addr()))
	c := &Conn{remote: tcpAddr(a)}
	c.open(l, k)
	err := prepare(l.now, k, setup)
	if err == nil {
		err = k.Connect(l.now, a)
	}
	if local := k.Local(); local.Port() != 0 {
		c.local = tcpAddr(local)
		source = c.local
	}
	if errors.Is(err, rawtcp.ErrWouldBlock) {
		err = c.opened(ctx)
	}
	if err != nil {
		if !c.closed {
			c.shut()
			delete(l.sockets, &c.socket)
			_ = k.Abort(l.now) // it is open
		}
		return fail(err)
	}
	c.remote = tcpAddr(k.Remote())
	return c, nil
}

// opened waits until the connection is open, or returns why it will not be.
func (c *Conn) opened(ctx context.Context) error {
	for !c.k.CanWrite() {
		c.wait(&c.out, ctx.Done())
		if c.closed {
			return net.ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if c.k.State() == tcb.Closed {
		if err := c.k.Err(); err != nil {
			return err
		}
	}
	return nil
}

// DialContext is Dial for who has names of networks and addresses in text, such
// as an http.Transport: network is tcp, tcp4 or tcp6, and address an IP address
// and a port. There is no name service.
func (l *Loop) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	a, err := parse(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	c, err := l.Dial(ctx, a)
	if err != nil {
		return nil, err // not a Conn that is nil
	}
	return c, nil
}

func parse(network, address string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return a, &net.AddrError{Err: "not an IP address and a port", Addr: address}
	}
	a = unmap(a)
	switch {
	case network == "tcp",
		network == "tcp4" && a.Addr().Is4(),
		network == "tcp6" && a.Addr().Is6():
		return a, nil
	}
	return a, net.UnknownNetworkError(network)
}

// unmap returns an IPv4 address as such, also if it comes in its IPv6 form.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// ready returns why nothing new can be begun.
func (l *Loop) ready(ctx context.Context) error {
	if l.closed {
		return net.ErrClosed
	}
	return ctx.Err()
}

// Bind returns a Setup that binds the socket.
func Bind(a netip.AddrPort) Setup {
	return func(now time.Duration, k *rawtcp.Socket) error { return k.Bind(now, a) }
}

// Set returns a Setup that sets an option.
func Set(o rawtcp.Option, v int) Setup {
	return func(now time.Duration, k *rawtcp.Socket) error { return k.Set(now, o, v) }
}

func prepare(now time.Duration, k *rawtcp.Socket, setup []Setup) error {
	for _, f := range setup {
		if err := f(now, k); err != nil {
			return err
		}
	}
	return nil
}

func familyOf(a netip.Addr) rawtcp.Family {
	if a.Is6() {
		return rawtcp.IPv6
	}
	return rawtcp.IPv4
}
