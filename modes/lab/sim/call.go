package sim

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"time"

	"sock/modes"
)

// A task is the machine that a run of sock lives on.
var _ modes.Host = (*task)(nil)

// after returns the end of a time-out of so many microseconds; of 0, never.
func (w *World) after(microseconds int) time.Duration {
	if microseconds == 0 {
		return never
	}
	return w.now + time.Duration(microseconds)*time.Microsecond
}

// await lets the running task wait until ready, and reports false if the time
// has come before.
func (w *World) await(until time.Duration, ready func() bool) bool {
	for !ready() {
		if w.running == nil || w.now >= until {
			return false
		}
		w.running.wait(until, ready)
	}
	return true
}

// Stdin reads standard input.
func (t *task) Stdin(b []byte) (int, error) {
	w := t.proc.w
	w.enter()
	w.await(never, t.proc.term.canRead)
	return t.proc.term.read(b)
}

// StdinIsTerminal reports whether standard input has not been redirected.
func (t *task) StdinIsTerminal() bool { return !t.proc.term.file }

// Stdout takes the data.
func (t *task) Stdout() io.Writer { return output{t.proc, false} }

// Stderr takes everything else.
func (t *task) Stderr() io.Writer { return output{t.proc, true} }

// StderrIsTerminal reports that no line may be drawn over: what a process
// writes is to be read in a listing.
func (t *task) StderrIsTerminal() bool { return false }

// Cbreak makes the terminal deliver each key as it is typed.
func (t *task) Cbreak() (restore func(), err error) {
	t.proc.term.cbreak = true
	return func() { t.proc.term.cbreak = false }, nil
}

// EndLinesAt makes a key end a line, beside the newline.
func (t *task) EndLinesAt(key byte) { t.proc.term.eol = key }

// Open opens one of the files that the host was given.
func (t *task) Open(name string) (io.ReadCloser, error) {
	t.proc.w.enter()
	data, ok := t.proc.h.o.Files[name]
	if !ok {
		return nil, eNOENT
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// LookupHost looks in the host's names, and takes the name of any host of the
// World for its first address.
func (t *task) LookupHost(name string, f modes.Family) (netip.Addr, error) {
	t.proc.w.enter()
	return t.proc.h.lookupHost(name, f)
}

// LookupService looks in the host's services, and in those of RFC 1700.
func (t *task) LookupService(name string, kind modes.Type) (uint16, error) {
	t.proc.w.enter()
	return t.proc.h.lookupService(name, kind)
}

// Socket makes a socket.
func (t *task) Socket(f modes.Family, kind modes.Type) (modes.Socket, error) {
	t.proc.w.enter()
	if kind == modes.Datagram {
		return t.proc.h.newDatagrams(t.proc, f), nil
	}
	return t.proc.h.newStream(t.proc, f), nil
}

// Explain says nothing: the systems of the book did not either.
func (t *task) Explain(modes.Failure) string { return "" }

// Wait wraps poll(2).
func (t *task) Wait(in []modes.Interest, d time.Duration) error {
	w := t.proc.w
	w.enter()
	ready := func() bool {
		found := false
		for i := range in {
			t.poll(&in[i])
			found = found || in[i].CanRead || in[i].CanWrite
		}
		return found
	}
	until := never
	if d >= 0 {
		until = w.now + d
	}
	w.await(until, ready)
	return nil
}

func (t *task) poll(in *modes.Interest) {
	if in.Socket == nil {
		in.CanRead, in.CanWrite = in.Read && t.proc.term.canRead(), in.Write
		return
	}
	d := in.Socket.(descriptor)
	in.CanRead, in.CanWrite = in.Read && d.canRead(), in.Write && d.canWrite()
}

// Now is what the clock on the wall shows.
func (t *task) Now() time.Time {
	t.proc.w.enter()
	return t.proc.w.Epoch.Add(t.proc.w.now)
}

// Sleep waits for the clock.
func (t *task) Sleep(d time.Duration) {
	w := t.proc.w
	w.enter()
	if d > 0 {
		w.await(w.now+d, func() bool { return false })
	}
}

// Serve runs serve as another task of the process.
func (t *task) Serve(serve func(modes.Host)) {
	t.proc.w.enter()
	t.proc.newTask(func(t *task) { serve(t) })
}

// Observe calls tick every d, and interrupted if a signal ends the process.
func (t *task) Observe(d time.Duration, tick, interrupted func()) (stop func()) {
	p := t.proc
	o := &observer{interrupted}
	p.last = append(p.last, o)
	watched := func() bool { return slices.Contains(p.last, o) }
	if tick != nil {
		p.newTask(func(t *task) {
			for t.Sleep(d); watched(); t.Sleep(d) {
				tick()
			}
		})
	}
	return func() {
		p.last = slices.DeleteFunc(p.last, func(other *observer) bool { return other == o })
	}
}

// sigio prints what the handler of SIGIO does.
func (p *Process) sigio() { _, _ = output{p, true}.Write([]byte("SIGIO\n")) } // never fails
