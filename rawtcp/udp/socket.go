package udp

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"sock/rawtcp"
)

// Socket is one end of the traffic of datagrams, with the calls and the options of
// the sockets API. No call blocks: a Read with nothing to read gives
// rawtcp.ErrWouldBlock, and OnChange tells when to try again.
type Socket struct {
	stack  *Stack
	family rawtcp.Family
	local  netip.AddrPort // port 0: not bound
	remote netip.AddrPort // not valid unless it is connected
	values [numOptions]int
	groups []netip.Addr
	closed bool

	queue   []message
	used    int // bytes of the receive buffer
	memory  int // and what they take of the host's memory
	dropped uint64

	err     error // pending: SO_ERROR
	changes func()
}

// message is a datagram that has arrived.
type message struct {
	from netip.AddrPort
	to   netip.Addr
	data []byte

	bytes, memory int // of the receive buffer
}

// Received is what a Read has learned beside the data.
type Received struct {
	N         int            // bytes read
	From      netip.AddrPort // the sender
	To        netip.Addr     // where it was sent to, with RecvDstAddr
	Truncated bool           // there was more than fitted, which is lost
}

// Socket returns a new socket.
func (s *Stack) Socket(f rawtcp.Family) *Socket {
	k := &Socket{stack: s, family: f, local: netip.AddrPortFrom(unspecified(f), 0)}
	k.values[TTL] = int(s.prof.TTL)
	k.values[TOS] = int(s.prof.TOS)
	k.values[MulticastTTL] = 1
	k.values[RecvBuf] = s.prof.UDPRecvBuffer
	k.values[SendBuf] = s.prof.UDPMaxData
	return k
}

func unspecified(f rawtcp.Family) netip.Addr {
	if f == rawtcp.IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func (k *Socket) isIPv4() bool { return k.family == rawtcp.IPv4 }

// OnChange has f called after anything that may change what CanRead returns. f
// must not call the Stack.
func (k *Socket) OnChange(f func()) { k.changes = f }

func (k *Socket) changed() {
	if k.changes != nil {
		k.changes()
	}
}

// CanRead reports whether Read has something to give: a datagram, or an error.
func (k *Socket) CanRead() bool { return len(k.queue) > 0 || k.err != nil }

// Local returns the local end: port 0 before it is bound.
func (k *Socket) Local() netip.AddrPort { return k.local }

// Remote returns the peer; it is not valid unless the socket is connected.
func (k *Socket) Remote() netip.AddrPort { return k.remote }

// Dropped returns how many datagrams found no room in the receive buffer.
func (k *Socket) Dropped() uint64 { return k.dropped }

// Bind names the local end. An address that is invalid or unspecified is any of
// the host, port 0 one that the Stack picks; a broadcast address or a group is one
// that is listened to alone. The errors are ErrInUse, ErrNotHere and ErrInvalid of
// package rawtcp, and ErrFamily.
func (k *Socket) Bind(now time.Duration, a netip.AddrPort) error {
	err := k.bind(a)
	k.stack.call(now, k, "bind", a.String(), err)
	return err
}

func (k *Socket) bind(a netip.AddrPort) error {
	if k.closed {
		return rawtcp.ErrClosed
	}
	if !a.Addr().IsValid() {
		a = netip.AddrPortFrom(unspecified(k.family), a.Port())
	}
	return k.stack.bind(k, a)
}

// ready binds k to a port, if it has none.
func (k *Socket) ready() error {
	if k.closed || k.local.Port() == 0 {
		return k.bind(netip.AddrPort{})
	}
	return nil
}

// Connect names the peer: only its datagrams are received from then on, and the
// ICMP errors that it sends. Nothing is sent.
func (k *Socket) Connect(now time.Duration, a netip.AddrPort) error {
	err := k.connect(a)
	k.stack.call(now, k, "connect", a.String(), err)
	return err
}

func (k *Socket) connect(a netip.AddrPort) error {
	if err := k.ready(); err != nil {
		return err
	}
	path, err := k.stack.path(k, a)
	if err != nil {
		return err
	}
	if k.local.Addr().IsUnspecified() {
		// The local address becomes fixed too (Section 11.12).
		k.local = netip.AddrPortFrom(path.Source, k.local.Port())
	}
	k.remote = a
	return nil
}

// Write sends p to the peer, as one datagram.
func (k *Socket) Write(now time.Duration, p []byte) error {
	err := k.write(now, p)
	k.stack.call(now, k, "write", size(len(p)), err)
	return err
}

func (k *Socket) write(now time.Duration, p []byte) error {
	if !k.closed && !k.remote.IsValid() {
		return ErrNoPeer
	}
	return k.send(now, p, k.remote)
}

// WriteTo sends p as one datagram, unless the socket is connected.
func (k *Socket) WriteTo(now time.Duration, p []byte, to netip.AddrPort) error {
	err := k.writeTo(now, p, to)
	k.stack.call(now, k, "sendto", size(len(p))+" to "+to.String(), err)
	return err
}

func (k *Socket) writeTo(now time.Duration, p []byte, to netip.AddrPort) error {
	if k.remote.IsValid() {
		return rawtcp.ErrConnected
	}
	return k.send(now, p, to)
}

func (k *Socket) send(now time.Duration, p []byte, to netip.AddrPort) error {
	if err := k.ready(); err != nil {
		return err
	}
	if err := k.takeErr(); err != nil {
		return err
	}
	return k.stack.send(now, k, p, to)
}

// Read takes the next datagram. What does not fit into p is lost.
func (k *Socket) Read(now time.Duration, p []byte) (Received, error) {
	d, err := k.read(p)
	if err != rawtcp.ErrWouldBlock {
		k.stack.call(now, k, "recvfrom", size(d.N), err)
	}
	if err == nil {
		m := &k.queue[0]
		k.used, k.memory = k.used-m.bytes, k.memory-m.memory
		k.queue = k.queue[1:]
	}
	return d, err
}

// Peek is Read that leaves the datagram where it is.
func (k *Socket) Peek(now time.Duration, p []byte) (Received, error) {
	d, err := k.read(p)
	if err != rawtcp.ErrWouldBlock {
		k.stack.call(now, k, "recv", "MSG_PEEK, "+size(d.N), err)
	}
	return d, err
}

func (k *Socket) read(p []byte) (Received, error) {
	if err := k.ready(); err != nil {
		return Received{}, err
	}
	if err := k.takeErr(); err != nil {
		return Received{}, err
	}
	if len(k.queue) == 0 {
		return Received{}, rawtcp.ErrWouldBlock
	}
	m := k.queue[0]
	d := Received{From: m.from, N: copy(p, m.data), Truncated: len(m.data) > len(p)}
	if k.flag(RecvDstAddr) {
		d.To = m.to
	}
	return d, nil
}

// Join makes the host a member of a group for as long as the socket is open
// (IP_ADD_MEMBERSHIP). The errors are ErrFamily, and of package rawtcp ErrInvalid if
// it is no group, and ErrInUse if the socket has joined it already.
func (k *Socket) Join(group netip.Addr) error {
	switch {
	case k.closed:
		return rawtcp.ErrClosed
	case group.Is4() != k.isIPv4():
		return ErrFamily
	case !group.IsMulticast():
		return rawtcp.ErrInvalid
	case slices.Contains(k.groups, group):
		return rawtcp.ErrInUse
	}
	k.groups = append(k.groups, group)
	k.stack.join(group)
	return nil
}

// Err gives and clears SO_ERROR.
func (k *Socket) Err() error { return k.takeErr() }

func (k *Socket) takeErr() error {
	err := k.err
	k.err = nil
	return err
}

// Close gives the socket up, and what it has not read.
func (k *Socket) Close(now time.Duration) error {
	if k.closed {
		return rawtcp.ErrClosed
	}
	k.stack.call(now, k, "close", "", nil)
	for _, g := range k.groups {
		k.stack.leave(g)
	}
	k.stack.release(k)
	k.closed, k.queue, k.err = true, nil, nil
	k.changed()
	return nil
}

func size(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}
