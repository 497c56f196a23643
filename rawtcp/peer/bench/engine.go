package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// enginePair is two of our hosts on a link in memory, driven from one goroutine.
// What they think the time is moves only when nothing is left to do.
type enginePair struct {
	net            *link.Network
	client, server *rawtcp.Stack
	now            time.Duration
}

// newEnginePair returns a pair whose client has the given addresses. If offload
// is set, they leave checksums to a device, and nobody computes any.
func newEnginePair(mtu int, offload bool, clients ...netip.Prefix) *enginePair {
	p := &enginePair{net: link.NewNetwork(1, nil)}
	l := p.net.Link("link", link.LinkOptions{MTU: mtu, PointToPoint: true})
	var o link.NodeOptions
	if offload {
		o.Offload = link.Checksums{Send: wire.ChecksumPseudo, Offloaded: true}
	}
	host := func(name string, seed uint64, addresses ...netip.Prefix) *rawtcp.Stack {
		n := p.net.Node(name, o)
		n.Attach(l, "eth0", addresses...)
		prof, _ := profile.Get("")
		prof.FirstPort, prof.LastPort = 1024, 65535
		s := rawtcp.New(n, rawtcp.Options{Host: name, Profile: prof, Seed: seed})
		n.Handle(s)
		return s
	}
	if len(clients) == 0 {
		clients = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")}
	}
	p.client = host("client", 1, clients...)
	p.server = host("server", 2, netip.PrefixFrom(serverAddress().Addr(), 8))
	return p
}

func serverAddress() netip.AddrPort { return netip.MustParseAddrPort("10.0.0.2:7") }

// carry delivers all packets that are under way.
func (p *enginePair) carry() { p.net.Advance(p.now) }

// idle moves the clock to the next deadline of a host.
func (p *enginePair) idle() error {
	a, ok := p.client.NextDeadline()
	b, also := p.server.NextDeadline()
	switch {
	case !ok && !also:
		return errors.New("nothing more will happen")
	case ok && (!also || a <= b):
		p.now = max(p.now, a)
		p.client.Advance(p.now)
	default:
		p.now = max(p.now, b)
		p.server.Advance(p.now)
	}
	return nil
}

func (p *enginePair) listen(backlog int) (*rawtcp.Socket, error) {
	l := p.server.Socket(rawtcp.IPv4)
	if err := l.Bind(p.now, serverAddress()); err != nil {
		return nil, err
	}
	return l, l.Listen(p.now, backlog)
}

// open makes a connection from an address; an invalid one is any.
func (p *enginePair) open(l *rawtcp.Socket, from netip.AddrPort) (client, server *rawtcp.Socket, err error) {
	client = p.client.Socket(rawtcp.IPv4)
	if from.IsValid() {
		if err := client.Bind(p.now, from); err != nil {
			return nil, nil, fmt.Errorf("bind: %w", err)
		}
	}
	if err := client.Connect(p.now, serverAddress()); !errors.Is(err, rawtcp.ErrWouldBlock) {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	p.carry()
	if client.State() != tcb.Established {
		return nil, nil, fmt.Errorf("connect: %w", client.Err())
	}
	server, err = l.Accept(p.now)
	return client, server, err
}

// engineFlow is what a transfer cost.
type engineFlow struct {
	took time.Duration
	// Of the second half, when all buffers are there: what both have sent,
	// and what was allocated.
	segments, allocs uint64
}

// engineThroughput sends size bytes.
func engineThroughput(mtu int, offload bool, size int64) (engineFlow, error) {
	p := newEnginePair(mtu, offload)
	l, err := p.listen(1)
	if err != nil {
		return engineFlow{}, err
	}
	a, b, err := p.open(l, netip.AddrPort{})
	if err != nil {
		return engineFlow{}, err
	}
	in, out := make([]byte, chunk), make([]byte, chunk)
	var received int64
	var f engineFlow
	start := time.Now()
	for rest, ended := size, false; !ended; {
		progress := false
		for rest > 0 {
			n, err := a.Write(p.now, out[:min(rest, chunk)])
			rest -= int64(n)
			if errors.Is(err, rawtcp.ErrWouldBlock) {
				break
			}
			if err != nil {
				return engineFlow{}, fmt.Errorf("write: %w", err)
			}
			progress = true
			if before, after := rest+int64(n), rest; before > size/2 && after <= size/2 {
				f.segments, f.allocs = p.segments(), allocations()
			}
			if rest == 0 {
				if err := a.Shutdown(p.now); err != nil {
					return engineFlow{}, fmt.Errorf("shutdown: %w", err)
				}
			}
		}
		p.carry()
		for {
			n, err := b.Read(p.now, in)
			received += int64(n)
			if errors.Is(err, rawtcp.ErrWouldBlock) {
				break
			}
			if ended = errors.Is(err, io.EOF); ended {
				break
			}
			if err != nil {
				return engineFlow{}, fmt.Errorf("read: %w", err)
			}
			progress = true
		}
		p.carry()
		if !progress && !ended {
			if err := p.idle(); err != nil {
				return engineFlow{}, err
			}
		}
	}
	f.took = time.Since(start)
	f.segments, f.allocs = p.segments()-f.segments, allocations()-f.allocs
	if received != size {
		return engineFlow{}, fmt.Errorf("%d of %d bytes have arrived", received, size)
	}
	return f, nil
}

// segments returns how many segments both have sent.
func (p *enginePair) segments() uint64 {
	return p.client.Stats().SegmentsOut + p.server.Stats().SegmentsOut
}

func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// close closes the first end, and then the other.
func (p *enginePair) close(first, other *rawtcp.Socket) error {
	if err := first.Close(p.now); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	p.carry()
	if err := other.Close(p.now); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	p.carry()
	return nil
}
