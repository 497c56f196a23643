//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/loop"
	"sock/rawtcp/tcb"
)

// The server of the tests below.
var echo = netip.MustParseAddrPort("10.0.0.1:7")

const (
	crowdSize    = 10_000
	crowdMemory  = 300 // MiB that a server may take for it, half of them garbage
	crowdThreads = 40

	opened = "connection on" // what a server says of each
	closed = "connection closed by peer"
)

// crowdServer starts a server for a crowd.
func crowdServer(t *testing.T, n *network) *process {
	s := n.launch(t, []string{"listening", opened, closed}, "-s", "-F", "--echo", "-q", "4096", "--addr", echo.Addr().String()+"/8", "7")
	s.await(t, 1, "listening")
	return s
}

// A server has 10,000 clients at once, twice, and when they have gone
// nothing is left of them.
func TestCrowd(t *testing.T) {
	n := newNetwork(t, buildSock(t))
	server := crowdServer(t, n)
	for round := 1; round <= 2; round++ {
		c := newCrowd(t, n, fmt.Sprintf("10.0.0.%d/8", 1+round))
		c.open(t)
		server.await(t, round*crowdSize, opened)
		c.exchange(t)
		c.allOpen(t)
		t.Logf("open: server %v; hub %v", server.footprint(t), n.hub.footprint(t))
		c.close(t)
		server.await(t, round*crowdSize, closed)
		server.footprint(t).within(t, crowdMemory, crowdThreads)
	}
	n.hub.footprint(t).within(t, 100, crowdThreads)
	// The last to close may not have had the time to end; a leak is 20,000.
	if n := server.goroutines(t); n > crowdSize/10 {
		t.Errorf("%d goroutines are left", n)
	}
}

// A server that a signal ends closes all 10,000 before.
func TestCrowdInterrupted(t *testing.T) {
	n := newNetwork(t, buildSock(t))
	server := crowdServer(t, n)
	c := newCrowd(t, n, "10.0.0.2/8")
	c.open(t)
	server.await(t, crowdSize, opened)
	if err := server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	c.each(t, "end", func(i int) error {
		if err := c.conns[i].SetDeadline(deadline); err != nil {
			return err
		}
		if _, err := c.conns[i].Read(make([]byte, 1)); err != io.EOF {
			return fmt.Errorf("not the end: %w", err)
		}
		return nil
	})
	c.close(t)
	if !server.until(patience, func() bool { return server.ended }) {
		t.Error("the server does not end")
	}
}

// crowd is the connections of one host.
type crowd struct {
	loop  *loop.Loop
	conns []*loop.Conn
}

func newCrowd(t *testing.T, n *network, address string) *crowd {
	l := loop.New(n.plug(t, address), loop.Options{Options: rawtcp.Options{Host: "crowd", Seed: 1}})
	t.Cleanup(func() { _ = l.Close() }) // it may be closed
	return &crowd{l, make([]*loop.Conn, crowdSize)}
}

// each calls f for all of them, some at a time.
func (c *crowd) each(t *testing.T, what string, f func(i int) error) {
	t.Helper()
	began := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range 128 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(c.conns); i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					t.Errorf("%s, the %dth: %v", what, i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%s: %v", what, time.Since(began))
}

func (c *crowd) open(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c.each(t, "open", func(i int) (err error) {
		c.conns[i], err = c.loop.Dial(ctx, echo)
		return err
	})
}

// exchange has each send something else and get it back.
func (c *crowd) exchange(t *testing.T) {
	deadline := time.Now().Add(patience)
	c.each(t, "exchange", func(i int) error { return exchange(c.conns[i], deadline, i) })
}

// exchange sends a line to an echo server, and gets it back.
func exchange(c *loop.Conn, deadline time.Time, i int) error {
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	text := fmt.Sprintf("this is client %d\n", i)
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("%q has come back as %q", text, got)
	}
	return nil
}

func (c *crowd) allOpen(t *testing.T) {
	c.each(t, "look", func(i int) error {
		return c.conns[i].Do(func(_ time.Duration, k *rawtcp.Socket) error {
			if k.State() != tcb.Established {
				return fmt.Errorf("it is %v", k.State())
			}
			return nil
		})
	})
}

// close closes all of them, and waits until they are.
func (c *crowd) close(t *testing.T) {
	c.each(t, "close", func(i int) error { return c.conns[i].Close() })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	if err := c.loop.Drain(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("drain: %v", time.Since(began))
	if err := c.loop.Close(); err != nil {
		t.Error(err)
	}
}
