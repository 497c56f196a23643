// Package trial_test puts whole hosts to the test, as a user and a tcpdump see
// them: two of them over every sort of bad link (the matrix), and the
// experiments of TCP/IP Illustrated, chapter 18, packet by packet.
package trial_test

import (
	"fmt"
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
)

// world is hosts and links, and the one clock there is.
type world struct {
	net   *link.Network
	hosts []*host
	now   time.Duration
	watch []func(trace.Event) // told of all that happens
	fault error               // of a host whose deadlines go wrong
}

// host is a machine with our TCP.
type host struct {
	*rawtcp.Stack
	w    *world
	node *link.Node
	opts rawtcp.Options
}

func newWorld(seed uint64) *world {
	w := &world{}
	w.net = link.NewNetwork(seed, trace.Func(w.event))
	return w
}

func (w *world) event(e trace.Event) {
	for _, f := range w.watch {
		f(e)
	}
}

// host adds a host with a profile, which is changed by settings such as
// "msl=2s".
func (w *world) host(name, prof string, seed uint64, settings ...string) (*host, error) {
	p, err := profile.Get(prof)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		if err := profile.Set(p, s); err != nil {
			return nil, fmt.Errorf("host %s: %w", name, err)
		}
	}
	h := &host{
		w: w, node: w.net.Node(name, link.NodeOptions{}),
		opts: rawtcp.Options{Host: name, Profile: p, Seed: seed, Sink: trace.Func(w.event)},
	}
	h.boot()
	w.hosts = append(w.hosts, h)
	return h, nil
}

// boot gives the host a TCP that knows of nothing.
func (h *host) boot() {
	h.opts.Boot = h.w.now
	h.Stack = rawtcp.New(h.node, h.opts)
	h.node.Handle(h.Stack)
}

// addr returns the first IPv4 or IPv6 address of the host.
func (h *host) addr(f rawtcp.Family) netip.Addr {
	for _, p := range h.node.Addresses() {
		if p.Addr().Is4() == (f == rawtcp.IPv4) {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// next returns when something will happen, and false if nothing ever will.
func (w *world) next() (time.Duration, bool) {
	next, ok := w.net.NextDeadline()
	for _, h := range w.hosts {
		if d, is := h.NextDeadline(); is && (!ok || d < next) {
			next, ok = d, true
		}
	}
	return next, ok
}

// step moves the clock to what happens next, unless that is after end.
func (w *world) step(end time.Duration) bool {
	if w.net.Step(w.now) {
		return true
	}
	next, ok := w.next()
	if !ok || next > end {
		return false
	}
	w.now = max(w.now, next)
	for _, h := range w.hosts {
		if d, is := h.NextDeadline(); is && d <= w.now {
			h.Advance(w.now)
			if d, is := h.NextDeadline(); is && d <= w.now {
				w.fault = fmt.Errorf("%v: Advance leaves %s with a deadline at %v", w.now, h.opts.Host, d)
			}
		}
	}
	return true
}
