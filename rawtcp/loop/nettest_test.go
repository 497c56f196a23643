package loop_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// What package net promises of a net.Conn holds, over packets of any size and
// every kind of TCP.
func TestConn(t *testing.T) {
	for _, m := range []loop.MemoryOptions{{}, {MTU: 65535, Offload: true}, {MTU: 296}} {
		nettest.TestConn(t, maker(t, m, loop.Options{}))
	}
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) { nettest.TestConn(t, maker(t, loop.MemoryOptions{}, of(t, name))) })
	}
}

// maker returns what makes a pair of hosts with a connection between them.
func maker(t *testing.T, m loop.MemoryOptions, o loop.Options) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		p := newPair(t, m, o, o)
		c, s := p.connect(t)
		return c, s, func() {
			p.close()
			for _, g := range leftover() {
				t.Errorf("left behind: %s", g)
			}
		}, nil
	}
}
