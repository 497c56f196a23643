package netstack

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"sock/rawtcp/tcb"
)

// Socket is an endpoint of a Host. No call blocks: tcb.ErrWouldBlock says "not
// yet". Where the engine has the same error, a call answers with that.
type Socket struct {
	host *Host
	ep   tcpip.Endpoint
	wq   *waiter.Queue
}

// Socket returns a new socket for addresses like a.
func (h *Host) Socket(a netip.Addr) (*Socket, error) {
	k := &Socket{host: h, wq: new(waiter.Queue)}
	ep, err := h.stack.NewEndpoint(tcp.ProtocolNumber, family(a), k.wq)
	if err != nil {
		return nil, errors.New(err.String())
	}
	if family(a) == ipv6.ProtocolNumber {
		ep.SocketOptions().SetV6Only(true)
	}
	k.ep = ep
	return k, nil
}

// done ends a call.
func (k *Socket) done(now time.Duration, err tcpip.Error) error {
	k.host.clock.set(now)
	k.host.settle()
	return translate(err)
}

func translate(err tcpip.Error) error {
	switch err.(type) {
	case nil:
		return nil
	case *tcpip.ErrWouldBlock, *tcpip.ErrConnectStarted, *tcpip.ErrAlreadyConnecting:
		return tcb.ErrWouldBlock
	case *tcpip.ErrClosedForReceive:
		return io.EOF
	case *tcpip.ErrConnectionReset:
		return tcb.ErrReset
	case *tcpip.ErrConnectionRefused:
		return tcb.ErrRefused
	case *tcpip.ErrTimeout:
		return tcb.ErrTimeout
	}
	return errors.New(err.String())
}

func fullAddress(a netip.AddrPort) tcpip.FullAddress {
	f := tcpip.FullAddress{Port: a.Port()}
	if !a.Addr().IsUnspecified() {
		f.Addr = tcpip.AddrFromSlice(a.Addr().AsSlice())
	}
	return f
}

// Listen binds k to a and makes it listen.
func (k *Socket) Listen(now time.Duration, a netip.AddrPort, backlog int) error {
	k.host.clock.set(now)
	err := k.ep.Bind(fullAddress(a))
	if err == nil {
		err = k.ep.Listen(backlog)
	}
	return k.done(now, err)
}

// Connect starts a connection to a. It answers tcb.ErrWouldBlock, and CanWrite
// tells when it is there.
func (k *Socket) Connect(now time.Duration, a netip.AddrPort) error {
	k.host.clock.set(now)
	return k.done(now, k.ep.Connect(fullAddress(a)))
}

// Accept returns the first connection that waits for it.
func (k *Socket) Accept(now time.Duration) (*Socket, error) {
	k.host.clock.set(now)
	ep, wq, err := k.ep.Accept(nil)
	if err != nil {
		return nil, k.done(now, err)
	}
	return &Socket{host: k.host, ep: ep, wq: wq}, k.done(now, nil)
}

// Read reads into p what has arrived. At the end it answers io.EOF.
func (k *Socket) Read(now time.Duration, p []byte) (int, error) {
	k.host.clock.set(now)
	w := tcpip.SliceWriter(p)
	r, err := k.ep.Read(&w, tcpip.ReadOptions{})
	if r.Count > 0 {
		k.ep.ModerateRecvBuf(r.Count)
	}
	return r.Count, k.done(now, err)
}

// Write takes as much of p as there is room for.
func (k *Socket) Write(now time.Duration, p []byte) (int, error) {
	k.host.clock.set(now)
	n, err := k.ep.Write(bytes.NewReader(p), tcpip.WriteOptions{})
	return int(n), k.done(now, err)
}

// Shutdown ends what k sends.
func (k *Socket) Shutdown(now time.Duration) error {
	k.host.clock.set(now)
	return k.done(now, k.ep.Shutdown(tcpip.ShutdownWrite))
}

// Close gives k up. What is under way goes on in the background.
func (k *Socket) Close(now time.Duration) error {
	k.host.clock.set(now)
	k.ep.Close()
	return k.done(now, nil)
}

// Abort gives k up, and the connection with it.
func (k *Socket) Abort(now time.Duration) error {
	k.host.clock.set(now)
	k.ep.Abort()
	return k.done(now, nil)
}

// CanRead reports whether Read, or Accept, has an answer.
func (k *Socket) CanRead() bool { return k.ep.Readiness(waiter.ReadableEvents) != 0 }

// CanWrite reports whether Write has an answer.
func (k *Socket) CanWrite() bool { return k.ep.Readiness(waiter.WritableEvents) != 0 }

// Err returns the error of the connection, once.
func (k *Socket) Err() error { return translate(k.ep.LastError()) }

// State returns the state of the connection, "ESTABLISHED".
func (k *Socket) State() string { return tcp.EndpointState(k.ep.State()).String() }
