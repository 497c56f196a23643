package loop_test

import (
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// What package net promises of a net.Conn holds, over packets of any size, on a
// link that is not quite right, and with every kind of TCP.
func TestConn(t *testing.T) {
	for _, m := range []loop.MemoryOptions{{}, {MTU: 65535, Offload: true}, {MTU: 296}} {
		t.Run(strconv.Itoa(m.MTU), func(t *testing.T) {
			nettest.TestConn(t, maker(t, m, func() loop.Options { return loop.Options{} }))
		})
	}
	t.Run("faults", func(t *testing.T) {
		nettest.TestConn(t, maker(t, loop.MemoryOptions{}, func() loop.Options {
			return loop.Options{Faults: link.NewPipe(link.Conditions{
				Delay: 100 * time.Microsecond, Jitter: 100 * time.Microsecond, Duplication: 0.02, Reordering: 0.02,
				ReorderBy: 300 * time.Microsecond,
			}, 1)}
		}))
	})
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, maker(t, loop.MemoryOptions{}, func() loop.Options { return of(t, name) }))
		})
	}
}

// maker returns what makes a pair of hosts with a connection between them.
func maker(t *testing.T, m loop.MemoryOptions, o func() loop.Options) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		p := newPair(t, m, o(), o())
		c, s := p.connect(t)
		return c, s, func() {
			p.close()
			for _, g := range leftover() {
				t.Errorf("left behind: %s", g)
			}
		}, nil
	}
}
