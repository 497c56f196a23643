package rawtcp_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// world is hosts on one link, and a clock.
type world struct {
	t     *testing.T
	net   *link.Network
	wire  *link.Link
	hosts []*host
	now   time.Duration
	lines []string // what a tcpdump on the link prints, with BookTimes
	log   []trace.Event
}

// host is a machine with our TCP.
type host struct {
	*rawtcp.Stack
	w    *world
	node *link.Node
	addr netip.Addr
	six  netip.Addr
	opts rawtcp.Options
}

func newWorld(t *testing.T, o link.LinkOptions) *world {
	w := &world{t: t}
	lister := trace.NewOldLister(trace.Listing{Names: trace.Names{Host: w.nameOf}, Times: trace.BookTimes})
	w.net = link.NewNetwork(1, trace.Func(func(e trace.Event) {
		if line, ok := lister.Line(e); ok {
			w.lines = append(w.lines, line)
		}
	}))
	w.wire = w.net.Link("wire", o)
	return w
}

func (w *world) nameOf(a netip.Addr) string {
	for _, h := range w.hosts {
		if h.addr == a || h.six == a {
			return h.node.Name()
		}
	}
	return ""
}

// host adds a host with a profile, which is changed by settings such as
// "msl=2s".
func (w *world) host(name, prof string, settings ...string) *host {
	w.t.Helper()
	p, err := profile.Get(prof)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range settings {
		if err := profile.Set(p, s); err != nil {
			w.t.Fatal(err)
		}
	}
	n := byte(len(w.hosts) + 1)
	h := &host{
		w: w, node: w.net.Node(name, link.NodeOptions{}),
		addr: netip.AddrFrom4([4]byte{10, 0, 0, n}),
		six:  netip.MustParseAddr(fmt.Sprintf("fd00::%d", n)),
		opts: rawtcp.Options{Host: name, Profile: p, Seed: uint64(n)},
	}
	h.opts.Sink = trace.Func(func(e trace.Event) { w.log = append(w.log, e) })
	h.node.Attach(w.wire, "le0", netip.PrefixFrom(h.addr, 24), netip.PrefixFrom(h.six, 64))
	h.boot()
	w.hosts = append(w.hosts, h)
	return h
}

func (h *host) boot() {
	h.opts.Boot = h.w.now
	h.Stack = rawtcp.New(h.node, h.opts)
	h.node.Handle(h.Stack)
}

// step moves the clock to what happens next, unless that is after end.
func (w *world) step(end time.Duration) bool {
	if w.net.Step(w.now) {
		return true
	}
	next, ok := w.net.NextDeadline()
	for _, h := range w.hosts {
		if d, is := h.NextDeadline(); is && (!ok || d < next) {
			next, ok = d, true
		}
	}
	if !ok || next > end {
		return false
	}
	w.now = max(w.now, next)
	for _, h := range w.hosts {
		if d, is := h.NextDeadline(); is && d <= w.now {
			h.Advance(w.now)
		}
	}
	return true
}

// run lets d pass.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := w.now + d
	for n := 0; w.step(end); n++ {
		if n > 10_000_000 {
			w.t.Fatal("it never ends")
		}
	}
	w.now = end
}

// until runs until ok holds, or fails.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for !ok() {
		if !w.step(1000 * time.Hour) {
			w.t.Fatalf("nothing more will happen, and %s has not come to pass\n%s", what, w.trace())
		}
	}
}

func (w *world) trace() string { return strings.Join(w.lines, "\n") }

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil && !errors.Is(err, rawtcp.ErrWouldBlock) {
		w.t.Fatal(err)
	}
}

func (h *host) listen(port uint16, backlog int) *rawtcp.Socket {
	h.w.t.Helper()
	k := h.Socket(rawtcp.IPv4)
	h.w.ok(k.Bind(h.w.now, netip.AddrPortFrom(netip.Addr{}, port)))
	h.w.ok(k.Listen(h.w.now, backlog))
	return k
}

func (h *host) dial(to *host, port uint16) *rawtcp.Socket {
	h.w.t.Helper()
	k := h.Socket(rawtcp.IPv4)
	h.w.ok(k.Connect(h.w.now, netip.AddrPortFrom(to.addr, port)))
	return k
}

// pair returns both ends of a connection.
func (w *world) pair(client, server *host) (c, s *rawtcp.Socket) {
	w.t.Helper()
	l := server.listen(7, 5)
	c = client.dial(server, 7)
	w.until("the handshake", func() bool { return c.State() == tcb.Established && l.CanRead() })
	s, err := l.Accept(w.now)
	w.ok(err)
	w.ok(l.Close(w.now))
	return c, s
}

// readAll reads what is there, and says whether the end has come.
func (w *world) readAll(k *rawtcp.Socket) (string, error) {
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := k.Read(w.now, buf)
		all = append(all, buf[:n]...)
		if err != nil {
			if errors.Is(err, rawtcp.ErrWouldBlock) || errors.Is(err, io.EOF) && len(all) > 0 {
				err = nil
			}
			return string(all), err
		}
	}
}
