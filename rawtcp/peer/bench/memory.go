package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// inUse returns how many bytes of memory the program needs now: the heap, and
// the stacks of goroutines.
func inUse() int64 {
	for range 3 { // what has a finalizer, or is in a sync.Pool, goes later
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// engineIdle returns how many bytes one end of an idle connection takes, with
// the socket of its user, of n connections with two ends each.
func engineIdle(n int) (float64, error) {
	p := newEnginePair(1500, false)
	l, err := p.listen(5)
	if err != nil {
		return 0, err
	}
	sockets := make([]*rawtcp.Socket, 0, 2*n)
	before := inUse()
	for range n {
		a, b, err := p.open(l, netip.AddrPort{})
		if err != nil {
			return 0, err
		}
		sockets = append(sockets, a, b)
	}
	each := float64(inUse()-before) / float64(2*n)
	for _, k := range sockets {
		if k.State() != tcb.Established {
			return 0, fmt.Errorf("one is in %v", k.State())
		}
	}
	runtime.KeepAlive(p)
	return each, nil
}

// gvisorIdle does the same with gVisor.
func gvisorIdle(n int) (float64, error) {
	p, err := newGvisorPair(channelLink, 1500, false)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	l, err := gvisorListen(p.server, 4096)
	if err != nil {
		return 0, err
	}
	// Nothing of ours that helps to wait for an endpoint is counted.
	bare := func(k *gvisorSocket) gvisorSocket {
		k.wq.EventUnregister(&k.entry)
		return gvisorSocket{ep: k.ep, wq: k.wq}
	}
	sockets := make([]gvisorSocket, 0, 2*n)
	before := inUse()
	for range n {
		a, err := gvisorConnect(p.client)
		if err != nil {
			return 0, err
		}
		b, err := l.accept()
		if err != nil {
			return 0, err
		}
		sockets = append(sockets, bare(a), bare(b))
	}
	each := float64(inUse()-before) / float64(2*n)
	runtime.KeepAlive(sockets)
	return each, nil
}

// engineTimeWait returns how many bytes a connection in TIME_WAIT takes, of n
// that are there at once.
func engineTimeWait(n int) (float64, error) {
	const ports = 65536 - 1024
	var clients []netip.Prefix
	for i := range (n + ports - 1) / ports {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24|1<<16|uint32(i+1))
		clients = append(clients, netip.PrefixFrom(netip.AddrFrom4(a), 8))
	}
	p := newEnginePair(1500, false, clients...)
	l, err := p.listen(5)
	if err != nil {
		return 0, err
	}
	before := inUse()
	for i := range n {
		from := netip.AddrPortFrom(clients[i/ports].Addr(), uint16(1024+i%ports))
		a, b, err := p.open(l, from)
		if err != nil {
			return 0, fmt.Errorf("connection %d: %w", i, err)
		}
		// Who closes first waits: here the server, whose peers can use their
		// ports again.
		if err := p.close(b, a); err != nil {
			return 0, err
		}
	}
	each := float64(inUse()-before) / float64(n)
	waiting := 0
	for _, row := range p.server.Netstat(p.now) {
		if row.State == tcb.TimeWait {
			waiting++
		}
	}
	if waiting != n {
		return 0, fmt.Errorf("%d connections in TIME_WAIT, not %d", waiting, n)
	}
	// They are all forgotten in time.
	for range n {
		if len(p.server.Netstat(p.now)) == 1 {
			return each, nil
		}
		if err := p.idle(); err != nil {
			return 0, err
		}
		p.now += time.Minute
	}
	return 0, errors.New("TIME_WAIT does not end")
}
