package main

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"sock/rawtcp/tcb"
)

// engineConnections opens and closes n connections, one after the other, and
// returns how long that took. Each leaves an entry in TIME_WAIT behind.
func engineConnections(n int) (time.Duration, error) {
	p := newEnginePair(1500, false)
	l, err := p.listen(5)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for range n {
		a, b, err := p.open(l, netip.AddrPort{})
		if err != nil {
			return 0, err
		}
		if err := p.close(a, b); err != nil {
			return 0, err
		}
	}
	took := time.Since(start)
	waiting := 0
	for _, row := range p.client.Netstat(p.now) {
		if row.State == tcb.TimeWait {
			waiting++
		}
	}
	if waiting != n {
		return 0, fmt.Errorf("%d connections in TIME_WAIT, not %d", waiting, n)
	}
	return took, nil
}

// gvisorConnections does the same with gVisor, with several of its users at a
// time, each of whom opens one connection after the other.
func gvisorConnections(n, users int) (time.Duration, error) {
	p, err := newGvisorPair(channelLink, 1500, false)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	l, err := gvisorListen(p.server, 4096)
	if err != nil {
		return 0, err
	}
	errs := make(chan error, users+1)
	start := time.Now()
	var all sync.WaitGroup
	all.Go(func() {
		// The server closes a connection when its client has.
		var conns sync.WaitGroup
		defer conns.Wait()
		for range n {
			k, err := l.accept()
			if err != nil {
				errs <- err
				return
			}
			conns.Go(func() {
				_, _ = k.read(make([]byte, 1))
				k.close()
			})
		}
	})
	for i := range users {
		share := n / users
		if i == 0 {
			share += n % users
		}
		all.Go(func() {
			for range share {
				k, err := gvisorConnect(p.client)
				if err != nil {
					errs <- err
					return
				}
				k.close()
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	select {
	case err := <-errs:
		return 0, err
	default:
		return took, nil
	}
}
