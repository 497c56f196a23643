//go:build linux

package onkernel

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// World is hosts and links, and the clock of the wall. All that happens is
// done by Step, one thing after the other.
type World struct {
	// Interrupt ends Step with ErrInterrupted when it is closed.
	Interrupt <-chan struct{}

	sink     trace.Sink
	seed     uint64
	start    time.Time     // when Step was called first
	real     time.Duration // since then; links and tables go by it
	now      time.Duration // the same, less standing
	standing time.Duration // how long the clock has stood still
	inbox    chan func()   // what others than Step have seen
	closed   chan struct{}
	script   []event       // to come, in the order of their times
	starting []*Process    // for which the script waits
	reading  *Process      // that has not yet answered what was typed
	look     time.Duration // when the tables of the sockets are looked at again
	links    []*Link
	hosts    []*Host
	known    []name
	lastID   uint64
	passing  map[string]uint64 // packets that routers have taken, and their IDs
}

// event is something that was scripted.
type event struct {
	at    time.Duration
	ready func() bool
	do    func()
}

// name is a line of /etc/hosts.
type name struct {
	name string
	addr netip.Addr
}

// How often the tables of the sockets are looked at, and how often while the
// script waits for a program.
const (
	lookEvery     = 100 * time.Millisecond
	lookSoonEvery = 5 * time.Millisecond
	// startTime is how long a program may take until it has a socket. The
	// script waits for it so long, and no longer.
	startTime = 3 * time.Second
	// readTime is how long a program may take to answer what was typed: the
	// answer is to stand before the next line. One that waits for something else
	// does not answer.
	readTime = time.Second / 2
)

// New returns a World without hosts. Chance, of what is lost on a link for one,
// goes by seed. What happens is told to sink.
func New(seed uint64, sink trace.Sink) *World {
	return &World{
		seed: seed, sink: sink, inbox: make(chan func(), 1024), closed: make(chan struct{}),
		passing: map[string]uint64{},
	}
}

// Now returns the time since Step was called first, but for that in which
// programs were started. A script is written as if that took none.
func (w *World) Now() time.Duration { return w.now }

// At lets do happen at an instant, but not before a program that was started
// has a socket or has ended, and what was typed has been read; nor before ready,
// which may be nil, reports true, or some seconds have passed in which it did not.
func (w *World) At(at time.Duration, ready func() bool, do func()) {
	i, _ := slices.BinarySearchFunc(w.script, at, func(e event, at time.Duration) int {
		if e.at <= at {
			return -1
		}
		return 1
	})
	w.script = slices.Insert(w.script, i, event{at, ready, do})
}

// Name adds a name of an address to those that programs know, and the trace.
// It must come before the hosts.
func (w *World) Name(n string, a netip.Addr) { w.known = append(w.known, name{n, a}) }

// hostsFile is what programs find as /etc/hosts.
func (w *World) hostsFile() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost\n")
	for _, n := range w.known {
		fmt.Fprintf(&b, "%s %s\n", n.addr, n.name)
	}
	return b.String()
}

// HostOf returns the name of the host that has an address, or "".
func (w *World) HostOf(a netip.Addr) string {
	for _, h := range w.hosts {
		if h.has(a) {
			return h.name
		}
	}
	return ""
}

// Step lets one thing happen, and waits for it if need be.
func (w *World) Step() error {
	if w.start.IsZero() {
		w.start = time.Now()
		if err := w.awaitServices(); err != nil {
			return err
		}
		w.start, w.real, w.now, w.standing, w.look = time.Now(), 0, 0, 0, 0
	}
	return w.step()
}

// awaitServices lets time pass, from which the script's is not counted, until
// the services of the hosts have their sockets.
func (w *World) awaitServices() error {
	for _, h := range w.hosts {
		w.starting = append(w.starting, h.running...)
	}
	for len(w.starting) > 0 {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) step() error {
	for {
		w.tick()
		at, do := w.next()
		select {
		case seen := <-w.inbox: // what has been seen comes before what is to be done
			seen()
			return nil
		default:
		}
		if at <= w.real {
			do()
			return nil
		}
		select {
		case seen := <-w.inbox:
			w.tick()
			seen()
			return nil
		case <-w.Interrupt:
			return ErrInterrupted
		case <-time.After(at - w.real):
		}
	}
}

// tick reads the clock.
func (w *World) tick() {
	passed := time.Since(w.start) - w.real
	w.real += passed
	if len(w.starting) > 0 {
		w.standing += passed
	}
	w.now = w.real - w.standing
}

// next finds what is due first, by the clock that never stands still.
func (w *World) next() (at time.Duration, do func()) {
	at, do = w.look, w.lookAround
	for _, l := range w.links {
		if t, some := l.NextDeadline(); some && t < at {
			at, do = t, l.out
		}
	}
	if len(w.script) > 0 && len(w.starting) == 0 && w.reading == nil {
		e := &w.script[0]
		t := e.at + w.standing
		if t <= w.real && e.ready != nil && !e.ready() && w.real < t+startTime {
			t = w.real + lookSoonEvery
		}
		if t < at {
			at, do = t, w.play
		}
	}
	return at, do
}

func (w *World) play() {
	e := w.script[0]
	w.script = slices.Delete(w.script, 0, 1)
	e.do()
}

// see has Step do what somebody else has seen. It reports false if the World
// is no more.
func (w *World) see(what func()) bool {
	select {
	case w.inbox <- what:
		return true
	case <-w.closed:
		return false
	}
}

// lookAround looks at what nobody tells.
func (w *World) lookAround() {
	w.look = w.real + lookEvery
	if w.isCalm() {
		w.starting = slices.DeleteFunc(w.starting, (*Process).isStarted)
	}
	if w.reading != nil && w.reading.hasRead() {
		w.reading = nil
	}
	if len(w.starting) > 0 || w.reading != nil {
		w.look = w.real + lookSoonEvery
	}
	for _, h := range w.hosts {
		if h.up && w.real >= h.looked+lookEvery {
			h.looked = w.real
			h.onlooker.compare(w.now, h.sockets("tcp"))
		}
	}
}

// isCalm reports whether nothing is about to arrive anywhere. What a program
// does first, to open a connection for one, is over then on a link without much
// delay.
func (w *World) isCalm() bool {
	for _, l := range w.links {
		if at, some := l.NextDeadline(); some && at < w.real+2*lookSoonEvery {
			return false
		}
	}
	return true
}

// Resting reports whether no connection is under way to another state: to wait
// longer would show nothing.
func (w *World) Resting() bool {
	for _, h := range w.hosts {
		if h.up && !h.onlooker.resting() {
			return false
		}
	}
	return true
}

func (w *World) tell(e trace.Event) {
	e.At = w.now
	w.sink.Event(e)
}

// FindHost returns the host of a name, or nil.
func (w *World) FindHost(name string) *Host {
	for _, h := range w.hosts {
		if strings.EqualFold(h.name, name) {
			return h
		}
	}
	return nil
}

// FindLink returns the link of a name, or nil.
func (w *World) FindLink(name string) *Link {
	for _, l := range w.links {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

// Rule puts a rule of link.ParseRule to work. "on LINK" at its end says where;
// it can be left out if there is only one link.
func (w *World) Rule(text string) error {
	words := strings.Fields(text)
	var l *Link
	if len(w.links) == 1 {
		l = w.links[0]
	}
	if k := len(words); k > 2 && strings.EqualFold(words[k-2], "on") {
		if l = w.FindLink(words[k-1]); l == nil {
			return fmt.Errorf("%q: there is no link %q", text, words[k-1])
		}
		text = strings.Join(words[:k-2], " ")
	}
	if l == nil {
		return fmt.Errorf(`%q: which link? say "on" and its name`, text)
	}
	r, err := link.ParseRule(text)
	if err != nil {
		return err
	}
	return l.Add(r)
}

// Introduce lets all hosts know the Ethernet addresses of their neighbours.
func (w *World) Introduce() error {
	for _, h := range w.hosts {
		err := h.thread.do(func() error {
			n, err := newNetlink()
			if err != nil {
				return err
			}
			defer n.close()
			for _, p := range h.ports {
				if err := p.meet(n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("host %s: %w", h.name, err)
		}
	}
	return nil
}

// Close ends all that runs, and waits until it has. Nothing is left of the
// World.
func (w *World) Close() {
	close(w.closed)
	for _, h := range w.hosts {
		h.halt()
	}
	for _, h := range w.hosts {
		h.processes.Wait()
	}
}

// pass gives a packet that a router sends on the ID that it came with: the
// same for all that becomes of it.
func (w *World) pass(packet []byte) (id uint64, forwarded bool) {
	key := inTransit(packet)
	id, forwarded = w.passing[key]
	delete(w.passing, key)
	return id, forwarded
}

// inTransit is what no router changes of a packet.
func inTransit(packet []byte) string {
	b := slices.Clone(packet)
	switch wire.Version(b) {
	case 4:
		b[8], b[10], b[11] = 0, 0, 0 // time to live, header checksum
	case 6:
		b[7] = 0 // hop limit
	}
	return string(b)
}

func (w *World) newID() uint64 {
	w.lastID++
	return w.lastID
}
