package rawtcp

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
)

// Socket is one end of a connection, or what listens for connections, with the
// calls and the options of the sockets API. No call blocks: what can't be done
// yet gives ErrWouldBlock, and OnChange tells when to try again.
type Socket struct {
	stack  *Stack
	id     uint64
	family Family

	local  netip.AddrPort // port 0: not bound
	only   netip.AddrPort // who may connect, as far as it is valid
	bound  bool           // in stack.bound
	closed bool
	queue  *backlog // of a socket that listens
	conn   *conn    // of one that is connected, or was, or is about to be

	options
	err     error // pending: SO_ERROR
	changes func()
}

// Socket returns a new socket.
func (s *Stack) Socket(f Family) *Socket {
	k := &Socket{stack: s, id: s.nextID, family: f, local: netip.AddrPortFrom(f.any(), 0)}
	k.options.init(s)
	s.nextID++
	return k
}

// OnChange has f called after anything that may change what CanRead, CanWrite
// or State return. f must not call the Stack.
func (k *Socket) OnChange(f func()) { k.changes = f }

func (k *Socket) changed() {
	if k.changes != nil {
		k.changes()
	}
}

// Bind names the local end. An address that is invalid or unspecified is any
// of the host, port 0 one that the Stack picks. The errors are ErrInUse,
// ErrNotHere, and ErrInvalid if it is bound already.
func (k *Socket) Bind(now time.Duration, a netip.AddrPort) error {
	err := k.bind(a)
	k.stack.callEvent(now, k, "bind", a.String(), err)
	return err
}

func (k *Socket) bind(a netip.AddrPort) error {
	addr := a.Addr()
	if !addr.IsValid() {
		addr = k.family.any()
	}
	s := k.stack
	switch {
	case k.closed:
		return ErrClosed
	case k.local.Port() != 0 || k.conn != nil || k.family.of(addr) != k.family:
		return ErrInvalid
	case !addr.IsUnspecified() && !s.ip.Has(addr):
		return ErrNotHere
	}
	port := a.Port()
	if port == 0 {
		var err error
		if port, err = s.ephemeral(addr, s.unused); err != nil {
			return err
		}
	} else {
		if err := s.bindable(k, addr, port); err != nil {
			return err
		}
		if err := s.takePort(addr, port, k.reuseAddr); err != nil {
			return err
		}
	}
	k.local = netip.AddrPortFrom(addr, port)
	k.bound = true
	s.bound[port] = append(s.bound[port], k)
	return nil
}

func (k *Socket) unbind() {
	if !k.bound {
		return
	}
	k.bound = false
	port := k.local.Port()
	s := k.stack
	i := slices.Index(s.bound[port], k)
	if s.bound[port] = slices.Delete(s.bound[port], i, i+1); len(s.bound[port]) == 0 {
		delete(s.bound, port)
		s.releasePort(port)
	}
}

// Restrict lets nobody but remote connect to a socket that is going to listen:
// "If the foreign socket is specified", a passive OPEN waits for it alone
// (RFC 9293, section 3.9.1.1). An address that is invalid or unspecified stands
// for all hosts, and port 0 for all ports.
func (k *Socket) Restrict(remote netip.AddrPort) {
	if remote.Addr().IsUnspecified() {
		remote = netip.AddrPortFrom(netip.Addr{}, remote.Port())
	}
	k.only = remote
}

// Listen waits for connections, with room for a backlog as the profile counts
// it. A socket that is not bound gets a port.
func (k *Socket) Listen(now time.Duration, n int) error {
	err := k.listen(now, n)
	k.stack.callEvent(now, k, "listen", "", err)
	return err
}

func (k *Socket) listen(now time.Duration, n int) error {
	s := k.stack
	switch {
	case k.closed:
		return ErrClosed
	case k.conn != nil:
		return ErrInvalid
	case k.local.Port() == 0:
		if err := k.bind(netip.AddrPort{}); err != nil {
			return err
		}
	}
	if k.queue == nil {
		for _, o := range s.bound[k.local.Port()] {
			if o != k && o.queue != nil && o.family == k.family && !s.prof.BindWildcard && s.conflict(k, k.local.Addr(), o.holder()) {
				return ErrInUse
			}
		}
		k.queue = &backlog{}
		p := pairOf(k.local, netip.AddrPortFrom(k.family.any(), 0))
		s.stateEvent(now, &p, tcb.Closed, tcb.Listen, "listen")
	}
	k.queue.room = s.prof.Room(n)
	return nil
}

// Accept takes a connection out of the queue, or gives ErrWouldBlock.
func (k *Socket) Accept(now time.Duration) (*Socket, error) {
	if k.closed {
		return nil, ErrClosed
	}
	if k.queue == nil {
		return nil, ErrInvalid
	}
	s := k.stack
	c := k.queue.take(s.prof.AcceptLIFO)
	if c == nil {
		return nil, ErrWouldBlock
	}
	a := &Socket{
		stack: s, id: c.id, family: k.family, local: c.local, conn: c,
		options: k.options, err: c.tcb.Err(),
	}
	c.sock = a
	s.stats.Accepts++
	s.callEvent(now, a, "accept", "", nil)
	return a, nil
}

// Connect opens a connection to a. It gives ErrWouldBlock while that is under
// way; afterwards State is ESTABLISHED, or Err says why not. Other errors come
// at once: ErrInUse (the pair of sockets is in use, or in TIME_WAIT),
// ErrNotHere, ErrInvalid, ErrBroadcast, ErrConnected, link.ErrNoRoute.
func (k *Socket) Connect(now time.Duration, a netip.AddrPort) error {
	err := k.connect(now, a)
	k.stack.callEvent(now, k, "connect", a.String(), err)
	return err
}

func (k *Socket) connect(now time.Duration, a netip.AddrPort) error {
	s := k.stack
	if c := k.conn; c != nil && !k.closed {
		switch {
		case c.opening || k.State() == tcb.SynSent || k.State() == tcb.SynRcvd:
			return ErrWouldBlock
		case k.err != nil:
			return k.Err()
		case k.State() != tcb.Closed:
			return ErrConnected
		}
	}
	addr := a.Addr()
	switch {
	case k.closed:
		return ErrClosed
	case k.queue != nil || k.family.of(addr) != k.family:
		return ErrInvalid
	case a.Port() == 0:
		return ErrNotHere
	case addr.IsUnspecified():
		// "INADDR_ANY" as a destination means this host (4.4BSD, in_pcbconnect).
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if k.family == IPv6 {
			addr = netip.IPv6Loopback()
		}
	case !s.unicast(addr):
		return ErrBroadcast
	}
	path, err := s.ip.Path(addr)
	if err != nil {
		return err
	}
	switch {
	case k.dontRoute && !path.OnLink && !path.Self:
		return link.ErrNoRoute
	case k.local.Addr().IsLoopback() && !path.Self:
		// "Addresses of this form MUST NOT appear outside a host." (RFC 1122,
		// section 3.2.1.3)
		return ErrInvalid
	}
	remote := netip.AddrPortFrom(addr, a.Port())
	local, err := k.localFor(path.Source, remote)
	if err != nil {
		return err
	}
	s.use(now)
	c := s.newConn(local, remote, path, k)
	c.sock, c.opening = k, true
	s.enter(c)
	if w := s.waits.get(&c.pair); w != nil {
		s.forget(w)
		s.stateEvent(now, &w.pair, tcb.TimeWait, tcb.Closed, "connect")
		c.iss = s.reuseISS(now, &c.pair, &w.TimeWaiter)
	} else {
		c.iss = s.isn.Next(now, c.pair.bytes())
	}
	k.conn, k.local, k.err = c, local, nil
	s.stats.ActiveOpens++
	if now < s.quietUntil {
		c.wake = s.quietUntil
	} else {
		s.open(now, c)
	}
	s.settle(now, c)
	return ErrWouldBlock
}

// open sends the SYN.
func (s *Stack) open(now time.Duration, c *conn) {
	c.opening = false
	s.cause = "connect"
	_ = c.tcb.OpenActive(now, c.iss) // it is new
}

// localFor returns the local end of a connection to remote, if source is the
// address to send from.
func (k *Socket) localFor(source netip.Addr, remote netip.AddrPort) (netip.AddrPort, error) {
	s := k.stack
	addr := k.local.Addr()
	if addr.IsUnspecified() {
		addr = source
	}
	if !addr.IsValid() {
		return netip.AddrPort{}, ErrNotHere
	}
	// What takes the place of a connection in TIME_WAIT must be told from it,
	// by timestamps (RFC 6191): Linux does not try without them.
	reuse := s.prof.ConnectTimeWait && k.cfg.Timestamps
	free := func(port uint16) bool {
		p := pairOf(netip.AddrPortFrom(addr, port), remote)
		return s.conns[p] == nil && (reuse || s.waits.get(&p) == nil)
	}
	port := k.local.Port()
	switch {
	case port == 0:
		var err error
		port, err = s.ephemeral(addr, s.unused)
		if err != nil && s.prof.RandomPort {
			// All are in use; but two connections may share one, if they
			// go to different sockets.
			port, err = s.ephemeral(addr, func(p uint16) bool { return len(s.bound[p]) == 0 && free(p) })
		}
		if err != nil {
			return netip.AddrPort{}, err
		}
	case !free(port):
		return netip.AddrPort{}, ErrInUse
	case !k.bound:
		// It has had the port before, for a connection that has come to nothing.
		if err := s.takePort(addr, port, k.reuseAddr); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPortFrom(addr, port), nil
}

// live returns the connection, if there is one.
func (k *Socket) live() (*conn, error) {
	switch {
	case k.closed:
		return nil, ErrClosed
	case k.conn == nil || k.conn.opening:
		return nil, ErrNotConnected
	}
	return k.conn, nil
}

// Read moves what has arrived to p. It gives io.EOF after the peer's FIN, and
// once the error that has ended the connection.
func (k *Socket) Read(now time.Duration, p []byte) (int, error) {
	return k.read(now, "read", p, (*tcb.TCB).Read)
}

// Peek is Read that leaves what has arrived where it is (MSG_PEEK).
func (k *Socket) Peek(now time.Duration, p []byte) (int, error) {
	return k.read(now, "peek", p, (*tcb.TCB).Peek)
}

func (k *Socket) read(now time.Duration, name string, p []byte, read func(*tcb.TCB, time.Duration, []byte) (int, error)) (int, error) {
	c, err := k.live()
	if err != nil {
		return 0, err
	}
	n, err := read(&c.tcb, now, p)
	switch {
	case err == nil:
		k.stack.settle(now, c)
	case errors.Is(err, ErrWouldBlock):
		return 0, ErrWouldBlock
	case k.err != nil:
		err = k.Err()
	default:
		err = io.EOF
	}
	k.stack.transferEvent(now, k, name, n, err)
	return n, err
}

// ReadUrgent returns the urgent byte, unless it stays in the stream (MSG_OOB).
// The error is tcb.ErrNoUrgent if there is none, and ErrWouldBlock if the peer
// has told of one that has not come yet.
func (k *Socket) ReadUrgent(now time.Duration) (byte, error) {
	c, err := k.live()
	if err != nil {
		return 0, err
	}
	b, err := c.tcb.ReadUrgent(false)
	k.stack.settle(now, c)
	return b, err
}

// AtMark reports whether the next byte to be read is the urgent one, or would
// be if it had been left in the stream (sockatmark). Read stops there.
func (k *Socket) AtMark() bool { return k.conn != nil && k.conn.tcb.AtMark() }

// HasUrgent reports whether the peer has told of urgent data that has not been
// read past yet, arrived or not (POLLPRI).
func (k *Socket) HasUrgent() bool {
	if k.conn == nil {
		return false
	}
	_, ok := k.conn.tcb.Urgent()
	return ok
}

// Write queues as much of p as there is room for, and returns how much.
func (k *Socket) Write(now time.Duration, p []byte) (int, error) {
	return k.write(now, "write", p, (*tcb.TCB).Send)
}

// WriteUrgent is Write of urgent data, which ends with the last byte of p.
func (k *Socket) WriteUrgent(now time.Duration, p []byte) (int, error) {
	return k.write(now, "send urgent", p, (*tcb.TCB).SendUrgent)
}

func (k *Socket) write(now time.Duration, name string, p []byte, write func(*tcb.TCB, time.Duration, []byte) (int, error)) (int, error) {
	c, err := k.live()
	if err != nil {
		return 0, err
	}
	n, err := write(&c.tcb, now, p)
	switch {
	case err == nil:
		k.stack.settle(now, c)
	case errors.Is(err, ErrWouldBlock):
		return 0, ErrWouldBlock
	case k.err != nil:
		err = k.Err()
	default:
		err = ErrPipe
	}
	k.stack.transferEvent(now, k, name, n, err)
	return n, err
}

// Shutdown sends a FIN after what is queued; reading goes on (SHUT_WR). A
// second time it does nothing.
func (k *Socket) Shutdown(now time.Duration) error {
	c, err := k.live()
	if err != nil {
		return err
	}
	k.stack.cause = "shutdown"
	switch err = c.tcb.Shutdown(now); {
	case errors.Is(err, tcb.ErrClosing):
		err = nil
	case err != nil:
		err = ErrNotConnected
	}
	k.stack.callEvent(now, k, "shutdown", "", err)
	k.stack.settle(now, c)
	return err
}

// Close gives the socket up; what is queued is still sent. With a linger time
// of 0 it is Abort. With a longer one it gives ErrWouldBlock until the peer has
// acknowledged everything or the time is over: call it again after OnChange.
func (k *Socket) Close(now time.Duration) error {
	s, c := k.stack, k.conn
	switch {
	case c != nil && c.lingers:
		if c.wake > now && !c.done() {
			return ErrWouldBlock
		}
	case k.closed:
		return ErrClosed
	case k.linger == 0:
		return k.Abort(now)
	default:
		s.callEvent(now, k, "close", "", nil)
		k.closed = true
		if c != nil {
			s.cause = "close"
			_ = c.tcb.Close(now) // it may have ended
			if k.linger > 0 {
				c.lingers, c.wake = true, now+time.Duration(k.linger)*time.Second
			}
			s.settle(now, c)
			if c.lingers && !c.done() {
				return ErrWouldBlock
			}
		}
	}
	k.detach(now)
	return nil
}

// done reports whether a close that lingers need wait no longer.
func (c *conn) done() bool { return c.tcb.State() == tcb.Closed || c.tcb.Drained() }

// Abort gives the socket up and resets the connection: "Send a reset segment"
// (RFC 9293, section 3.10.5).
func (k *Socket) Abort(now time.Duration) error {
	if k.closed && k.conn == nil {
		return ErrClosed
	}
	k.stack.callEvent(now, k, "abort", "", nil)
	k.closed = true
	if k.conn != nil {
		k.stack.cause = "abort"
		_ = k.conn.tcb.Abort(now) // it may have ended
	}
	k.detach(now)
	return nil
}

// detach parts the socket from all that it had. A connection goes on alone.
func (k *Socket) detach(now time.Duration) {
	k.unbind()
	if k.queue != nil {
		k.stack.endListen(now, k)
	}
	if c := k.conn; c != nil {
		k.conn, c.sock, c.opening, c.lingers, c.wake = nil, nil, false, false, never
		k.stack.settle(now, c)
	}
	k.changed()
}

// Err returns the pending error and forgets it (SO_ERROR): why the connection
// ended, or what the network complained of.
func (k *Socket) Err() error {
	err := k.err
	k.err = nil
	if err == nil && k.conn != nil {
		err = k.conn.tcb.SoftErr()
	}
	return err
}

// Local returns the local end; port 0 if there is none yet.
func (k *Socket) Local() netip.AddrPort { return k.local }

// Remote returns the foreign end; it is invalid if there is none.
func (k *Socket) Remote() netip.AddrPort {
	if k.conn == nil {
		return netip.AddrPort{}
	}
	return k.conn.remote
}

// State returns the state of the connection, or LISTEN, or CLOSED.
func (k *Socket) State() tcb.State {
	switch {
	case k.queue != nil:
		return tcb.Listen
	case k.conn == nil || !k.conn.known:
		return tcb.Closed
	}
	return k.conn.tcb.State()
}

// Info returns what there is to know of the connection (TCP_INFO).
func (k *Socket) Info() tcb.Info {
	if k.conn == nil {
		return tcb.Info{State: k.State(), LocalPort: k.local.Port()}
	}
	in := k.conn.tcb.Info()
	in.State = k.State()
	return in
}

// CanRead reports whether Read or Accept would give something, if only an
// error.
func (k *Socket) CanRead() bool {
	switch {
	case k.queue != nil:
		return len(k.queue.complete) > 0
	case k.conn == nil:
		return true
	case k.conn.opening:
		return false
	}
	t := &k.conn.tcb
	return t.Readable() > 0 || t.AtEOF() || t.State() == tcb.Closed
}

// CanWrite reports whether Write would take something, or give an error.
func (k *Socket) CanWrite() bool {
	if k.conn == nil {
		return k.queue == nil
	}
	switch t := &k.conn.tcb; t.State() {
	case tcb.Closed:
		return !k.conn.opening
	case tcb.SynSent, tcb.SynRcvd:
		return false
	case tcb.Established, tcb.CloseWait:
		return t.Writable() > 0
	}
	return true
}
