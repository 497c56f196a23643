// Package raw is the host whose TCP and UDP are our own, in real time. Sockets are
// those of stacks that a loop.Loop drives on some link; all else, such as standard
// input and output, files, names and the clock, is another Host's: the kernel's,
// as a rule.
package raw

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sock/modes"
	"sock/rawtcp"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
)

// Host is this process with a TCP of its own.
type Host struct {
	modes.Host
	loop    *loop.Loop
	link    loop.Link      // below it
	own     []netip.Prefix // its addresses
	shared  bool           // they are the kernel's too
	sink    trace.Sink
	arrived waiter          // something has come from the link
	ticked  waiter          // a timer was due
	down    <-chan struct{} // is closed when the link goes away; may be nil
	why     func() error    // it has
	told    atomic.Bool     // somebody has heard of that
	input   input
	keeper  keeper // of TIME_WAIT, when the process has gone; or nil
	forget  func() // undoes Observe

	// What follows is guarded by the lock of the Loop.
	open    map[descriptor]struct{}
	narrate func(text string) // or nil
	ending  bool              // End has been called
	dying   bool              // of a signal: no call returns any more
}

// New makes a Host of which h has all but the sockets. Its TCP is on l, where it
// has the addresses own. End must be called before the process ends.
//
// A Sink among the options is closed at the end.
func New(h modes.Host, l loop.Link, own []netip.Prefix, o loop.Options) *Host {
	r := &Host{Host: h, link: l, own: own, sink: o.Sink, arrived: newWaiter(), ticked: newWaiter(), open: map[descriptor]struct{}{}}
	_, r.shared = l.(loop.Shared)
	if d, ok := l.(mortal); ok {
		r.down, r.why = d.Done(), d.Err
	}
	if k, ok := l.(keeper); ok {
		r.keeper, o.Estate = k, k.Estate()
	}
	o.Arrived, o.Ticked = r.arrived.wake, r.ticked.wake
	r.loop = loop.New(l, o)
	r.forget = h.Observe(0, nil, r.interrupted)
	return r
}

// do calls f with the lock held.
func (h *Host) do(f func(now time.Duration, tcp *rawtcp.Stack)) {
	var dying bool
	h.loop.Do(func(now time.Duration, tcp *rawtcp.Stack) {
		if dying = h.dying; !dying {
			f(now, tcp)
		}
	})
	if dying {
		select {} // the signal is about to end the process
	}
}

// Socket makes a socket.
func (h *Host) Socket(f modes.Family, t modes.Type) (s modes.Socket, err error) {
	family := rawtcp.IPv4
	if f == modes.IPv6 {
		family = rawtcp.IPv6
	}
	h.do(func(_ time.Duration, tcp *rawtcp.Stack) {
		datagrams := h.loop.UDP()
		switch {
		case t == modes.Stream:
			s = h.newStream(tcp.Socket(family))
		case datagrams == nil: // that of the kernel is there
			err = syscall.EPROTONOSUPPORT
		default:
			s = h.newDatagrams(datagrams.Socket(family))
		}
	})
	return s, err
}

// Serve runs serve for one client while the caller goes on. A client that waits
// is a goroutine and takes no thread, so there may be any number.
func (h *Host) Serve(serve func(modes.Host)) { go serve(h) }

// Stdin reads standard input: one client after the other, so that those who wait
// for it take one thread, not one each.
func (h *Host) Stdin(p []byte) (int, error) {
	h.input.reading.Lock()
	defer h.input.reading.Unlock()
	return h.Host.Stdin(p)
}

// input is standard input.
type input struct {
	reading sync.Mutex
	mu      sync.Mutex
	coming  chan struct{} // is closed when there may be something to read; nil: nobody has asked
}
