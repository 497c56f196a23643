package peer

import (
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/peer/netstack"
)

// gvisor is the other implementation.
func gvisor() implementation {
	return implementation{"gvisor", func(t testing.TB, n *link.Node, seed uint64, addresses ...netip.Prefix) host {
		h, err := netstack.New(n, int64(seed), addresses...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Close)
		return gvisorHost{h}
	}}
}

type gvisorHost struct{ *netstack.Host }

func (h gvisorHost) dial(now time.Duration, to netip.AddrPort) (conn, error) {
	k, err := h.Socket(to.Addr())
	if err != nil {
		return nil, err
	}
	return gvisorSocket{k}, started(k.Connect(now, to))
}

func (h gvisorHost) listen(now time.Duration, at netip.AddrPort) (listener, error) {
	k, err := h.Socket(at.Addr())
	if err != nil {
		return nil, err
	}
	return gvisorSocket{k}, k.Listen(now, at, 5)
}

func (h gvisorHost) entries() int { return h.Endpoints() }

type gvisorSocket struct{ *netstack.Socket }

func (k gvisorSocket) accept(now time.Duration) (conn, error) {
	c, err := k.Accept(now)
	if err != nil {
		return nil, err
	}
	return gvisorSocket{c}, nil
}
