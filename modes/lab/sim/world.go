package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// World is machines on a network, and the one clock that they all live by.
type World struct {
	// Net has the links and the hosts; cables are cut and packets lost by its
	// rules.
	Net *link.Network
	// Epoch is what a clock on the wall shows at the instant 0.
	Epoch time.Time

	seed    uint64
	sink    trace.Sink
	now     time.Duration
	hosts   []*Host
	tasks   []*task // those that live, in the order they were started
	running *task   // who has the baton; nil is the World itself
	script  []event // to come, in the order of their times
	steps   int     // since the clock last moved
	err     error   // what is to end Run
}

// event is something that was scripted.
type event struct {
	at time.Duration
	do func()
}

// never is the time of what no time brings about.
const never = time.Duration(math.MaxInt64)

// What goes on beyond this will never come to rest.
const (
	maxCalls = 1_000_000 // that a process makes without waiting
	maxSteps = 5_000_000 // at one instant
	// A datagram counts as so many calls: nothing holds up who sends them, and
	// each takes memory until the clock moves.
	datagramCalls = 50
)

// New returns a World without machines, at the instant 0. Chance goes by seed.
// What happens is told to sink, unless that is nil.
func New(seed uint64, sink trace.Sink) *World {
	return &World{
		Net:   link.NewNetwork(seed, sink),
		Epoch: time.Date(1993, time.January, 1, 0, 0, 0, 0, time.UTC),
		seed:  seed,
		sink:  sink,
	}
}

// Now returns the instant that it is.
func (w *World) Now() time.Duration { return w.now }

// At lets do happen at an instant; at once, if that has passed. Of two for the
// same instant the one that was given first happens first.
func (w *World) At(at time.Duration, do func()) {
	at = max(at, w.now)
	i, _ := slices.BinarySearchFunc(w.script, at, func(e event, at time.Duration) int {
		if e.at <= at {
			return -1
		}
		return 1
	})
	w.script = slices.Insert(w.script, i, event{at, do})
}

// Run lets everything happen that is due up to an instant, and then it is that
// instant; or until nothing is left to do, and then it is the instant of what
// happened last. The error tells of a process, or of a network, that never
// comes to rest.
func (w *World) Run(until time.Duration) error {
	for {
		if more, err := w.step(until); err != nil || !more {
			return err
		}
	}
}

// Step lets one thing happen: a process runs until it waits, a packet arrives,
// a timer runs out. It reports false if nothing is left to do.
func (w *World) Step() (bool, error) { return w.step(never - 1) }

func (w *World) step(until time.Duration) (more bool, err error) {
	if t := w.ready(); t != nil {
		w.run(t)
		return true, w.takeErr()
	}
	at, do := w.next()
	switch {
	case do == nil:
		return false, nil
	case at > until:
		w.now = max(w.now, until)
		return false, nil
	case at > w.now:
		w.now, w.steps = at, 0
	}
	if w.steps++; w.steps > maxSteps {
		w.steps = 0
		return false, fmt.Errorf("at %v there is no end to what happens", w.now)
	}
	do()
	return true, w.takeErr()
}

func (w *World) takeErr() error {
	err := w.err
	w.err = nil
	return err
}

// next finds what is due first, and the first of that in the order that the
// package promises. do is nil if nothing is.
func (w *World) next() (at time.Duration, do func()) {
	at = never
	sooner := func(t time.Duration, some bool) bool {
		if !some || t >= at {
			return false
		}
		at = t
		return true
	}
	if len(w.script) > 0 && sooner(w.script[0].at, true) {
		do = w.play
	}
	if t, some := w.Net.NextDeadline(); sooner(t, some) {
		do = func() { w.Net.Step(w.now) }
	}
	for _, h := range w.hosts {
		if t, some := h.nextDeadline(); sooner(t, some) {
			do = h.advance
		}
	}
	for _, t := range w.tasks {
		if !t.proc.stopped && sooner(t.until, true) {
			do = func() { w.run(t) }
		}
	}
	return max(at, w.now), do
}

func (w *World) play() {
	e := w.script[0]
	w.script = slices.Delete(w.script, 0, 1)
	e.do()
}

// Close ends all processes that still run. The World is of no use afterwards.
func (w *World) Close() {
	for _, h := range w.hosts {
		for _, p := range slices.Clone(h.procs) {
			p.end(exitKilled)
		}
	}
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

// Start starts a program on a host, with a terminal that nobody types on yet.
// args[0] is its name: "sock", "telnet", "rsh" or "date".
func (w *World) Start(host string, args []string) (*Process, error) {
	h := w.FindHost(host)
	switch {
	case h == nil:
		return nil, fmt.Errorf("there is no host %q", host)
	case !h.Node.Up():
		return nil, fmt.Errorf("host %s is down", h.name)
	case len(args) == 0:
		return nil, errors.New("there is nothing to start")
	}
	main := program(args[0])
	if main == nil {
		return nil, fmt.Errorf("there is no program %q: there are sock, telnet, rsh, date, netstat and arp", args[0])
	}
	return h.start(args, main), nil
}
