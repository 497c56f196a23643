package sim

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// task is what runs of a process: a coroutine. The first one of a process is
// its main program, the others serve the clients that it accepted.
type task struct {
	proc   *Process
	resume func() (struct{}, bool)
	cancel func()
	yield  func(struct{}) bool

	// What it waits for: ready, if that is not nil, or the time.
	ready func() bool
	until time.Duration

	dying bool // it unwinds, and must not wait any more
	calls int  // made since it last waited
}

// killed unwinds a task that is not to go on.
type killed struct{}

// newTask makes a task that is ready to run.
func (p *Process) newTask(run func(t *task)) *task {
	t := &task{proc: p, ready: func() bool { return true }, until: never}
	t.resume, t.cancel = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer func() {
			if e := recover(); e != nil && e != any(killed{}) {
				panic(e)
			}
		}()
		run(t)
	})
	p.tasks = append(p.tasks, t)
	p.w.tasks = append(p.w.tasks, t)
	return t
}

// ready returns the first task that can go on now, or nil.
func (w *World) ready() *task {
	for _, t := range w.tasks {
		if t.ready != nil && !t.proc.stopped && t.ready() {
			return t
		}
	}
	return nil
}

// run hands t the baton, and gets it back when t waits or has ended.
func (w *World) run(t *task) {
	t.ready, t.until, t.calls = nil, never, 0
	w.running = t
	_, alive := t.resume()
	w.running = nil
	if !alive {
		t.gone()
	}
}

// wait gives the baton back until ready, which may be nil, reports true, or
// until the time has come.
func (t *task) wait(until time.Duration, ready func() bool) {
	if t.dying {
		panic(killed{})
	}
	t.until, t.ready = until, ready
	if !t.yield(struct{}{}) {
		t.dying = true
		panic(killed{})
	}
}

// enter is the beginning of each call that a process makes of its system.
func (w *World) enter() { w.spend(1) }

// spend counts calls, and ends a process that makes too many.
func (w *World) spend(calls int) {
	t := w.running
	if t == nil || t.dying {
		return
	}
	if t.calls += calls; t.calls > maxCalls {
		t.dying = true
		w.err = fmt.Errorf("%s on %s never waits, whatever it does at %v", t.proc.name, t.proc.h.name, w.now)
		panic(killed{})
	}
}

// kill ends t where it waits. It must not be the one that runs.
func (t *task) kill() {
	running := t.proc.w.running
	t.dying = true
	t.proc.w.running = t // its deferred calls are its own
	t.cancel()
	t.proc.w.running = running
	t.gone()
}

// gone takes t out of all lists. With the main program the process ends.
func (t *task) gone() {
	w, p := t.proc.w, t.proc
	is := func(other *task) bool { return other == t }
	w.tasks = slices.DeleteFunc(w.tasks, is)
	p.tasks = slices.DeleteFunc(p.tasks, is)
	if t == p.main {
		p.end(p.exit)
	}
}
