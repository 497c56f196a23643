package loop_test

import (
	"net"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// What package net promises of a net.Conn holds, over packets of any size, on a
// link that is not quite right, and with every kind of TCP; and nothing is left
// behind.
func TestConn(t *testing.T) {
	t.Cleanup(func() { wantNobody(t) })
	run := func(name string, m loop.MemoryOptions, o func() loop.Options) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				p := newPair(t, m, o(), o())
				c, s := p.connect(t)
				return c, s, p.close, nil
			})
		})
	}
	perfect := func() loop.Options { return loop.Options{} }
	run("1500", loop.MemoryOptions{}, perfect)
	run("65535", loop.MemoryOptions{MTU: 65535, Offload: true}, perfect)
	run("296", loop.MemoryOptions{MTU: 296}, perfect)
	run("faults", loop.MemoryOptions{}, func() loop.Options {
		return loop.Options{Faults: link.NewPipe(link.Conditions{
			Delay: 100 * time.Microsecond, Jitter: 100 * time.Microsecond, Duplication: 0.02, Reordering: 0.02,
			ReorderBy: 300 * time.Microsecond,
		}, 1)}
	})
	for _, name := range profile.Names() {
		run(name, loop.MemoryOptions{}, func() loop.Options { return of(t, name) })
	}
}
