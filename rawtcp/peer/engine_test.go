package peer

import (
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
)

// engine is our implementation, as it is if nothing else is said.
func engine() implementation { return engineAs("") }

// engineAs is our implementation, like the system of a profile.
func engineAs(name string) implementation {
	return implementation{"engine", func(t testing.TB, n *link.Node, seed uint64, _ ...netip.Prefix) host {
		p, err := profile.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		return engineHost{rawtcp.New(n, rawtcp.Options{Host: n.Name(), Profile: p, Seed: seed})}
	}}
}

type engineHost struct{ *rawtcp.Stack }

func (h engineHost) socket(a netip.Addr) engineSocket {
	if a.Is4() {
		return engineSocket{h.Socket(rawtcp.IPv4)}
	}
	return engineSocket{h.Socket(rawtcp.IPv6)}
}

func (h engineHost) dial(now time.Duration, to netip.AddrPort) (conn, error) {
	k := h.socket(to.Addr())
	return k, started(k.Connect(now, to))
}

func (h engineHost) listen(now time.Duration, at netip.AddrPort) (listener, error) {
	k := h.socket(at.Addr())
	if err := k.Bind(now, at); err != nil {
		return nil, err
	}
	return k, k.Listen(now, 5)
}

func (h engineHost) entries() int { return len(h.Netstat(0)) }

type engineSocket struct{ *rawtcp.Socket }

func (k engineSocket) accept(now time.Duration) (conn, error) {
	c, err := k.Accept(now)
	if err != nil {
		return nil, err
	}
	return engineSocket{c}, nil
}
