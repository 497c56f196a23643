package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/veth"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// gvisorLink is one of the queues in memory that gVisor has for a link. Its
// third, pipe, is none: there one host's goroutine runs the other host as well.
type gvisorLink string

const (
	channelLink gvisorLink = "channel" // a queue each way, and a goroutine that empties it
	vethLink    gvisorLink = "veth"    // one queue, and gVisor's own goroutine
)

func gvisorLinks() []gvisorLink { return []gvisorLink{channelLink, vethLink} }

// gvisorPair is two of gVisor's hosts on a link, in real time and with the
// goroutines it is made for.
type gvisorPair struct {
	client, server *stack.Stack
	stop           func()
}

const (
	nic   = 1
	port  = 7
	queue = 4096    // packets on their way
	chunk = 1 << 16 // bytes of one read or write
)

func clientIP() tcpip.Address { return tcpip.AddrFrom4([4]byte{10, 0, 0, 1}) }
func serverIP() tcpip.Address { return tcpip.AddrFrom4([4]byte{10, 0, 0, 2}) }

func newGvisorPair(kind gvisorLink, mtu int, offload bool) (*gvisorPair, error) {
	var a, b stack.LinkEndpoint
	var stop func()
	switch kind {
	case channelLink:
		x, y := channel.New(queue, uint32(mtu), ""), channel.New(queue, uint32(mtu), "")
		if offload {
			x.LinkEPCapabilities = stack.CapabilityTXChecksumOffload | stack.CapabilityRXChecksumOffload
			y.LinkEPCapabilities = x.LinkEPCapabilities
		}
		ctx, cancel := context.WithCancel(context.Background())
		var both sync.WaitGroup
		both.Go(func() { carry(ctx, x, y) })
		both.Go(func() { carry(ctx, y, x) })
		a, b, stop = x, y, func() { cancel(); both.Wait() }
	case vethLink:
		x, y := veth.NewPair(uint32(mtu), queue)
		a, b, stop = x, y, x.Close
	}
	p := &gvisorPair{}
	var err error
	if p.client, err = newGvisorHost(a, clientIP()); err != nil {
		return nil, err
	}
	if p.server, err = newGvisorHost(b, serverIP()); err != nil {
		return nil, err
	}
	p.stop = func() {
		p.client.Close()
		p.server.Close()
		stop()
	}
	return p, nil
}

// carry takes packets from one end of the link to the other.
func carry(ctx context.Context, from, to *channel.Endpoint) {
	for p := from.ReadContext(ctx); p != nil; p = from.ReadContext(ctx) {
		in := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: p.ToBuffer()})
		p.DecRef()
		to.InjectInbound(header.IPv4ProtocolNumber, in)
		in.DecRef()
	}
}

func newGvisorHost(e stack.LinkEndpoint, a tcpip.Address) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	sack := tcpip.TCPSACKEnabled(true)
	if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack); err != nil {
		return nil, errors.New(err.String())
	}
	if err := s.SetPortRange(1024, 65535); err != nil {
		return nil, errors.New(err.String())
	}
	if err := s.CreateNIC(nic, e); err != nil {
		return nil, errors.New(err.String())
	}
	at := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: a, PrefixLen: 24}}
	if err := s.AddProtocolAddress(nic, at, stack.AddressProperties{}); err != nil {
		return nil, errors.New(err.String())
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	return s, nil
}

// gvisorSocket is an endpoint with what is needed to wait for it.
type gvisorSocket struct {
	ep    tcpip.Endpoint
	wq    *waiter.Queue
	entry waiter.Entry
	ready chan struct{}
}

func newGvisorSocket(ep tcpip.Endpoint, wq *waiter.Queue) *gvisorSocket {
	k := &gvisorSocket{ep: ep, wq: wq}
	k.entry, k.ready = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.WritableEvents)
	wq.EventRegister(&k.entry)
	return k
}

func gvisorListen(s *stack.Stack, backlog int) (*gvisorSocket, error) {
	wq := new(waiter.Queue)
	ep, err := s.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, wq)
	if err == nil {
		err = ep.Bind(tcpip.FullAddress{Port: port})
	}
	if err == nil {
		err = ep.Listen(backlog)
	}
	if err != nil {
		return nil, errors.New(err.String())
	}
	return newGvisorSocket(ep, wq), nil
}

func gvisorConnect(s *stack.Stack) (*gvisorSocket, error) {
	wq := new(waiter.Queue)
	ep, err := s.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, wq)
	if err != nil {
		return nil, errors.New(err.String())
	}
	k := newGvisorSocket(ep, wq)
	err = ep.Connect(tcpip.FullAddress{Addr: serverIP(), Port: port})
	if _, ok := err.(*tcpip.ErrConnectStarted); ok {
		for ep.Readiness(waiter.WritableEvents) == 0 {
			<-k.ready
		}
		err = ep.LastError()
	}
	if err != nil {
		return nil, errors.New(err.String())
	}
	return k, nil
}

func (k *gvisorSocket) accept() (*gvisorSocket, error) {
	for {
		ep, wq, err := k.ep.Accept(nil)
		if err == nil {
			return newGvisorSocket(ep, wq), nil
		}
		if _, ok := err.(*tcpip.ErrWouldBlock); !ok {
			return nil, errors.New(err.String())
		}
		<-k.ready
	}
}

// write writes all of b.
func (k *gvisorSocket) write(b []byte) error {
	var r bytes.Reader
	for len(b) > 0 {
		r.Reset(b)
		n, err := k.ep.Write(&r, tcpip.WriteOptions{})
		b = b[n:]
		if _, ok := err.(*tcpip.ErrWouldBlock); ok {
			<-k.ready
		} else if err != nil {
			return errors.New(err.String())
		}
	}
	return nil
}

// read waits for something to read, or gives io.EOF.
func (k *gvisorSocket) read(b []byte) (int, error) {
	for {
		w := tcpip.SliceWriter(b)
		r, err := k.ep.Read(&w, tcpip.ReadOptions{})
		if _, ok := err.(*tcpip.ErrWouldBlock); ok {
			<-k.ready
			continue
		}
		if _, ok := err.(*tcpip.ErrClosedForReceive); ok {
			return 0, io.EOF
		}
		if err != nil {
			return 0, errors.New(err.String())
		}
		k.ep.ModerateRecvBuf(r.Count)
		return r.Count, nil
	}
}

func (k *gvisorSocket) close() {
	k.wq.EventUnregister(&k.entry)
	k.ep.Close()
}

// open makes a connection.
func (p *gvisorPair) open() (client, server *gvisorSocket, err error) {
	l, err := gvisorListen(p.server, 4096)
	if err != nil {
		return nil, nil, err
	}
	defer l.close()
	if client, err = gvisorConnect(p.client); err != nil {
		return nil, nil, err
	}
	server, err = l.accept()
	return client, server, err
}

// gvisorThroughput sends size bytes and returns how long that took.
func gvisorThroughput(kind gvisorLink, mtu int, offload bool, size int64) (time.Duration, error) {
	p, err := newGvisorPair(kind, mtu, offload)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	a, b, err := p.open()
	if err != nil {
		return 0, err
	}
	var received int64
	var readError error
	start := time.Now()
	var reader sync.WaitGroup
	reader.Go(func() {
		buf := make([]byte, chunk)
		for {
			n, err := b.read(buf)
			received += int64(n)
			if errors.Is(err, io.EOF) {
				return
			}
			if readError = err; err != nil {
				return
			}
		}
	})
	buf := make([]byte, chunk)
	for rest := size; rest > 0; rest -= chunk {
		if err := a.write(buf[:min(rest, chunk)]); err != nil {
			return 0, err
		}
	}
	if err := a.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
		return 0, errors.New(err.String())
	}
	reader.Wait()
	took := time.Since(start)
	if readError != nil {
		return 0, readError
	}
	if received != size {
		return 0, errors.New("not everything has arrived")
	}
	return took, nil
}
