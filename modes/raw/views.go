package raw

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/trace"
)

// views are what a command line has shown of a host or of a wire. They are a
// trace.Sink that never waits: what is slow has a queue before it.
type views struct {
	h      modes.Host
	all    []*view
	sink   trace.Sink // all of them, or nil
	once   sync.Once  // they are closed
	failed atomic.Bool
	// unheard is closed when a standard stream that shows one of them, or an
	// answer, cannot be written: a hub ends then.
	unheard chan struct{}
	lose    func() // closes it
}

func newViews(h modes.Host) *views {
	v := &views{h: h, unheard: make(chan struct{})}
	v.lose = sync.OnceFunc(func() { close(v.unheard) })
	return v
}

// view is one of them.
type view struct {
	sink  trace.Sink   // what the teller tells
	queue *trace.Queue // what sink ends in, or nil if it has all in memory
	out   *output
}

const (
	// waiting is how many bytes may wait to be shown, in each view.
	waiting = 8 << 20
	// shutting is how long the end of a process waits for a view.
	shutting = 5 * time.Second
)

// hostViews opens what --trace and the others show of a host.
func hostViews(h modes.Host, o *opts.Options, host string) (*views, error) {
	v := newViews(h)
	if o.Trace {
		out := &output{name: "--trace", w: h.Stderr(), tell: v.broken}
		v.queued(out, flushed{newTimeline(out), out}, everything)
	}
	return v, v.files(o, time.Now(), host)
}

// hubViews opens what -v and the others show of a wire.
func hubViews(h modes.Host, o *opts.Options, epoch time.Time) (*views, error) {
	v := newViews(h)
	if o.Verbose > 0 {
		out := v.standard("-v", h.Stderr())
		v.queued(out, flushed{newListing(out, epoch), out}, listed)
	}
	return v, v.files(o, epoch, "")
}

// files opens the files, for what that host sees, or the wire if it is "".
func (v *views) files(o *opts.Options, epoch time.Time, host string) error {
	see, name := trace.OnLink(""), "wire"
	if host != "" {
		see, name = trace.AtHost(host), host
	}
	type opening struct {
		name string
		with func(out *output)
	}
	for _, f := range []opening{
		{o.TraceJSON, func(out *output) { v.queued(out, flushed{trace.NewJSON(out), out}, everything) }},
		{o.Pcapng, func(out *output) {
			v.queued(out, newCapture(out, epoch, name, see), func(e *trace.Event) bool {
				return len(e.Packet) == 0 || e.Kind == trace.Dropped || see(e)
			})
		}},
		{o.Ladder, func(out *output) { v.add(&view{sink: ladder(out, host), out: out}) }},
	} {
		if f.name == "" {
			continue
		}
		out, err := v.create(f.name)
		if err != nil {
			_ = v.Close() // there is nothing in them yet
			return err
		}
		f.with(out)
	}
	return nil
}

// stdout reports whether one of them has standard output.
func (v *views) stdout() bool {
	return slices.ContainsFunc(v.all, func(x *view) bool { return x.out.w == v.h.Stdout() })
}

// create opens a file, or standard output for "-".
func (v *views) create(name string) (*output, error) {
	if name == "-" {
		return v.standard("standard output", v.h.Stdout()), nil
	}
	f, err := os.Create(name)
	return &output{name: name, w: f, file: f, tell: v.broken}, err
}

// standard returns an output on a standard stream.
func (v *views) standard(name string, w io.Writer) *output {
	return &output{name: name, w: w, tell: func(text string) {
		v.broken(text)
		v.lose()
	}}
}

// queued adds a view that s writes to out, of the events that keep reports true
// for. s may have a method Flush.
func (v *views) queued(out *output, s trace.Sink, keep func(*trace.Event) bool) {
	out.Flush() // what a file begins with
	q := trace.NewQueue(s, waiting)
	v.add(&view{trace.Filter(q, keep), q, out})
}

func (v *views) add(x *view) {
	v.all = append(v.all, x)
	v.sink = trace.Fan(v.sink, x.sink)
}

func everything(*trace.Event) bool { return true }

// flushed is a sink whose output is flushed when nothing more comes for now.
type flushed struct {
	trace.Sink
	out *output
}

func (f flushed) Flush() { f.out.Flush() }

// ladder draws a picture for a file of that name, or text.
func ladder(out *output, host string) trace.Sink {
	if strings.HasSuffix(out.name, ".svg") {
		return trace.NewLadderSVG(out, trace.LadderOptions{AtHost: host})
	}
	return trace.NewLadder(out, trace.LadderOptions{AtHost: host})
}

// Event tells all of them.
func (v *views) Event(e trace.Event) { v.sink.Event(e) }

// Close ends them all. What goes wrong, and what is missing in them, is told.
func (v *views) Close() error {
	v.once.Do(func() {
		var all sync.WaitGroup
		for _, x := range v.all {
			all.Go(func() { v.close(x) })
		}
		all.Wait()
	})
	return nil
}

// close ends a view. One that nobody reads is not waited for.
func (v *views) close(x *view) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.sink.Close() // the output has told of it
		x.out.Close()
	}()
	if x.queue == nil {
		<-done
		return
	}
	limit := time.NewTimer(shutting)
	defer limit.Stop()
	select {
	case <-done:
		if n := x.queue.Lost(); n > 0 {
			fmt.Fprintf(v.h.Stderr(), "%s: events missing, since there was no time for them: %d\n", x.out.name, n)
		}
	case <-limit.C:
		v.failed.Store(true)
		if x.out.w != v.h.Stderr() { // nor would anybody read that
			v.broken(x.out.name + " is not whole: nobody reads it")
		}
	}
}

// broken says that a view could not be written.
func (v *views) broken(text string) {
	v.failed.Store(true)
	fmt.Fprintln(v.h.Stderr(), text)
}

// status returns what the process ends with that would otherwise with s.
func (v *views) status(s int) int {
	if v.failed.Load() {
		return max(s, 1)
	}
	return s
}

// opened returns the sink of v for who takes nil for none.
func (v *views) opened() trace.Sink {
	if v.sink == nil {
		return nil
	}
	return v
}

// orderly returns a host whose messages come after what --trace has told before
// them.
func (v *views) orderly() modes.Host {
	for _, x := range v.all {
		if x.queue != nil && x.out.name == "--trace" {
			return orderly{v.h, x.queue}
		}
	}
	return v.h
}

type orderly struct {
	modes.Host
	trace *trace.Queue
}

// Stderr is written to when the trace has been.
func (o orderly) Stderr() io.Writer { return after{o.Host.Stderr(), o.trace} }

type after struct {
	w     io.Writer
	trace *trace.Queue
}

func (a after) Write(p []byte) (int, error) {
	a.trace.Sync()
	return a.w.Write(p)
}
