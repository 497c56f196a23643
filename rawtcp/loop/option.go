package loop

import (
	"net"
	"time"

	"sock/rawtcp"
)

// The options of a net.TCPConn; Do has all the others. They begin as the
// sockets API and the profile have it: unlike that of package net, a Conn has
// Nagle's algorithm on and no keepalive.

// SetNoDelay switches Nagle's algorithm off (TCP_NODELAY).
func (c *Conn) SetNoDelay(on bool) error { return c.set(rawtcp.NoDelay, flag(on)) }

// SetLinger says what becomes on Close of what has not been sent, or not been
// acknowledged (SO_LINGER). If sec < 0, as it is at first, it is sent in the
// background. If sec == 0, it is lost, and the connection reset. If sec > 0,
// Close waits so long for the peer to acknowledge all of it.
func (c *Conn) SetLinger(sec int) error { return c.set(rawtcp.Linger, max(sec, -1)) }

// SetKeepAlive switches keepalive probes on (SO_KEEPALIVE).
func (c *Conn) SetKeepAlive(on bool) error { return c.set(rawtcp.KeepAlive, flag(on)) }

// SetKeepAlivePeriod sets how long it is silent before the first probe, and how
// long after that until the next.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: c.keepAlive(), Idle: d, Interval: d, Count: -1})
}

// SetKeepAliveConfig sets all of it: a negative time or count is left as it is,
// and 0 is what package net takes for it.
func (c *Conn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	us := func(d time.Duration) int {
		switch {
		case d < 0:
			return -1
		case d == 0:
			d = 15 * time.Second
		}
		return int(d.Microseconds())
	}
	if k.Count == 0 {
		k.Count = 9
	}
	for _, o := range [...]struct {
		name  rawtcp.Option
		value int
	}{
		{rawtcp.KeepAlive, flag(k.Enable)},
		{rawtcp.KeepIdle, us(k.Idle)},
		{rawtcp.KeepInterval, us(k.Interval)},
		{rawtcp.KeepCount, k.Count},
	} {
		if o.value < 0 {
			continue
		}
		if err := c.set(o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

// SetReadBuffer sets how much may arrive before it is read, in bytes
// (SO_RCVBUF).
func (c *Conn) SetReadBuffer(bytes int) error { return c.set(rawtcp.RecvBuf, bytes) }

// SetWriteBuffer sets how much may be written before it is acknowledged, in
// bytes (SO_SNDBUF).
func (c *Conn) SetWriteBuffer(bytes int) error { return c.set(rawtcp.SendBuf, bytes) }

func (c *Conn) set(o rawtcp.Option, v int) error {
	return c.do("set", func(now time.Duration) error { return c.k.Set(now, o, v) })
}

func (c *Conn) keepAlive() bool {
	c.loop.lock()
	defer c.loop.unlock()
	v, err := c.k.Get(rawtcp.KeepAlive)
	return err == nil && v != 0
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}
