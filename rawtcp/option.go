package rawtcp

import (
	"cmp"
	"math"
	"slices"
	"time"

	"sock/rawtcp/tcb"
)

// Option is a socket option, by its name in the sockets API. A flag is 0 or 1.
type Option uint8

// The options, and what their values are.
const (
	ReuseAddr    Option = iota // SO_REUSEADDR, a flag
	ReusePort                  // SO_REUSEPORT, a flag
	KeepAlive                  // SO_KEEPALIVE, a flag
	Linger                     // SO_LINGER: seconds, -1 for off
	Inline                     // SO_OOBINLINE, a flag
	DontRoute                  // SO_DONTROUTE, a flag
	Debug                      // SO_DEBUG, a flag that is kept and does nothing
	SendBuf                    // SO_SNDBUF, bytes
	RecvBuf                    // SO_RCVBUF, bytes
	NoDelay                    // TCP_NODELAY, a flag
	NoPush                     // TCP_NOPUSH or TCP_CORK, a flag
	MaxSeg                     // TCP_MAXSEG, bytes
	TTL                        // IP_TTL, hops
	TOS                        // IP_TOS, the byte
	KeepIdle                   // TCP_KEEPIDLE, microseconds
	KeepInterval               // TCP_KEEPINTVL, microseconds
	KeepCount                  // TCP_KEEPCNT, probes
	UserTimeout                // TCP_USER_TIMEOUT, microseconds
)

// options are what the user has set. An accepted socket inherits them as they
// are when it is accepted.
type options struct {
	reuseAddr, reusePort, keepAlive, inline bool
	dontRoute, debug, noDelay, noPush       bool
	ttl, tos                                uint8
	linger                                  int
	sendBuf, recvBuf, maxSeg                int
	cfg                                     *tcb.Config
}

func (o *options) init(s *Stack) {
	*o = options{
		ttl: s.prof.TTL, tos: s.prof.TOS, linger: -1,
		sendBuf: s.cfg.SendBuffer, cfg: s.cfg,
	}
}

// flag returns where an option lies that is a flag, or nil.
func (o *options) flag(name Option) *bool {
	switch name {
	case ReuseAddr:
		return &o.reuseAddr
	case ReusePort:
		return &o.reusePort
	case KeepAlive:
		return &o.keepAlive
	case Inline:
		return &o.inline
	case DontRoute:
		return &o.dontRoute
	case Debug:
		return &o.debug
	case NoDelay:
		return &o.noDelay
	case NoPush:
		return &o.noPush
	}
	return nil
}

// Set sets an option. The error is ErrInvalid if v cannot be its value. Buffers
// are set exactly, whatever a kernel would make of them.
func (k *Socket) Set(now time.Duration, o Option, v int) error {
	if k.closed {
		return ErrClosed
	}
	if f := k.flag(o); f != nil {
		*f = v != 0
	} else if err := k.setValue(o, v); err != nil {
		return err
	}
	k.apply(now)
	return nil
}

// longest is the longest time that an option may be.
const longest = math.MaxInt32 * time.Second

func (k *Socket) setValue(o Option, v int) error {
	us := time.Duration(v) * time.Microsecond
	sane := int64(v) <= longest.Microseconds()
	switch {
	case o == Linger && v >= -1 && int64(v) <= int64(longest.Seconds()):
		k.linger = v
	case o == SendBuf && v > 0:
		k.sendBuf = v
	case o == RecvBuf && v > 0:
		k.recvBuf = v
	case o == MaxSeg && v > 0 && v <= 65535:
		k.maxSeg = v
	case o == TTL && v > 0 && v <= 255:
		k.ttl = uint8(v)
	case o == TOS && v >= 0 && v <= 255:
		k.tos = uint8(v)
	case o == KeepIdle && v > 0 && sane:
		k.configure(func(c *tcb.Config) { c.KeepIdle = us })
	case o == KeepInterval && v > 0 && sane:
		k.configure(func(c *tcb.Config) { c.KeepInterval = us })
	case o == KeepCount && v > 0 && v <= 255:
		k.configure(func(c *tcb.Config) { c.KeepCount = v })
	case o == UserTimeout && v >= 0 && sane:
		k.configure(func(c *tcb.Config) { c.UserTimeout = us })
	default:
		return ErrInvalid
	}
	return nil
}

// Configure changes how this socket does TCP: any single value of its profile.
func (k *Socket) Configure(now time.Duration, set func(*tcb.Config)) {
	k.configure(set)
	k.apply(now)
}

func (k *Socket) configure(set func(*tcb.Config)) {
	cfg := *k.cfg
	set(&cfg)
	k.cfg = &cfg
}

// Get returns an option. MaxSeg is what is in use, once there is a connection.
func (k *Socket) Get(o Option) (int, error) {
	if k.closed {
		return 0, ErrClosed
	}
	if f := k.flag(o); f != nil {
		if *f {
			return 1, nil
		}
		return 0, nil
	}
	switch o {
	case Linger:
		return k.linger, nil
	case SendBuf:
		return k.sendBuf, nil
	case RecvBuf:
		return cmp.Or(k.recvBuf, k.cfg.RecvBuffer), nil
	case MaxSeg:
		switch {
		case k.conn != nil:
			in := k.conn.tcb.Info()
			return cmp.Or(in.SegmentSize, in.MSS), nil
		case k.maxSeg != 0:
			return k.maxSeg, nil
		}
		return k.cfg.MSSDefault, nil
	case TTL:
		return int(k.ttl), nil
	case TOS:
		return int(k.tos), nil
	case KeepIdle:
		return int(k.cfg.KeepIdle.Microseconds()), nil
	case KeepInterval:
		return int(k.cfg.KeepInterval.Microseconds()), nil
	case KeepCount:
		return k.cfg.KeepCount, nil
	case UserTimeout:
		return int(k.cfg.UserTimeout.Microseconds()), nil
	}
	return 0, ErrInvalid
}

// apply gives the options to the connection of the socket, or to those in its
// queue, so that they have them when they are accepted.
func (k *Socket) apply(now time.Duration) {
	var all []*conn
	switch {
	case k.conn != nil:
		all = []*conn{k.conn}
	case k.queue != nil:
		all = slices.Concat(k.queue.incomplete, k.queue.complete)
	}
	for _, c := range all {
		k.applyTo(now, c)
		k.stack.settle(now, c)
	}
}

// applyTo gives a connection the options of its socket.
func (k *Socket) applyTo(now time.Duration, c *conn) {
	c.reuseAddr, c.reusePort, c.ttl, c.tos = k.reuseAddr, k.reusePort, k.ttl, k.tos
	t := &c.tcb
	t.Configure(now, k.cfg)
	t.SetKeepAlive(now, k.keepAlive)
	t.SetInline(k.inline)
	t.SetNoDelay(k.noDelay)
	t.SetNoPush(k.noPush)
	t.SetMaxSeg(k.maxSeg)
	t.SetSendBuffer(k.sendBuf)
	if k.recvBuf != 0 {
		t.SetRecvBuffer(now, k.recvBuf)
	}
}
