//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

// Package kernel is the host that sock usually runs on: this machine, with its
// kernel's sockets. One method stands for one system call.
//
// Descriptors block, and Go's poller knows nothing of them: a read of the sink
// is one read(2) into the caller's buffer.
package kernel

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// Host is this process and the machine that it runs on.
type Host struct {
	signals signals
	term    terminal
	sigio   sync.Once // the handler of SIGIO stands

	slots   chan struct{} // one for each client that Serve may serve at once
	serving atomic.Int32
	freed   chan struct{} // a descriptor has come free
}

// New makes the process a host. It takes over the signals that end the
// process, so that the terminal is never left in cbreak mode.
func New() (modes.Host, error) {
	h := &Host{
		slots: make(chan struct{}, capacity()),
		freed: make(chan struct{}, 1),
	}
	h.signals.term = &h.term
	h.signals.start()
	return h, nil
}

// Stdin reads standard input. A closed one is at its end.
func (h *Host) Stdin(p []byte) (int, error) {
	for {
		n, err := unix.Read(0, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			// Descriptors are shared: whoever has this terminal or pipe too
			// can have made it non-blocking.
			pollOne(0, unix.POLLIN, time.Time{})
		case err == unix.EBADF || err == nil && n == 0 && len(p) > 0:
			return 0, io.EOF
		case err != nil:
			return 0, err
		default:
			return n, nil
		}
	}
}

// StdinIsTerminal reports whether a person may be typing.
func (h *Host) StdinIsTerminal() bool { return isTerminal(0) }

// StderrIsTerminal reports whether a line may be drawn over.
func (h *Host) StderrIsTerminal() bool { return isTerminal(2) }

// Stdout takes the data.
func (h *Host) Stdout() io.Writer { return output{h, os.Stdout, 1} }

// Stderr takes everything else.
func (h *Host) Stderr() io.Writer { return output{h, os.Stderr, 2} }

// output writes on standard output or standard error, without a buffer.
type output struct {
	h  *Host
	f  *os.File
	fd int
}

// Write writes all of p.
func (w output) Write(p []byte) (int, error) {
	total := 0
	for {
		n, err := unix.Write(w.fd, p[total:])
		total += max(n, 0)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			pollOne(w.fd, unix.POLLOUT, time.Time{})
		case err == unix.EPIPE:
			// Whoever read our output is gone. Die of SIGPIPE, as cat does:
			// Go's own write to descriptor 1 or 2 does that.
			w.h.term.reset()
			w.f.Write(p[total:])
			return total, err
		case err != nil:
			return total, err
		case total == len(p):
			return total, nil
		}
	}
}

// Open opens a file for reading.
func (h *Host) Open(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	return file{f}, nil
}

// file gives the system's own errors.
type file struct{ *os.File }

func (f file) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	return n, bare(err)
}

// Explain says why a call failed and what to do about it.
func (h *Host) Explain(f modes.Failure) string { return explain(f) }

// Now is the time of the clock.
func (h *Host) Now() time.Time { return time.Now() }

// Sleep sleeps all of d, whatever signals come.
func (h *Host) Sleep(d time.Duration) { time.Sleep(d) }

// Observe calls tick every d, unless it is nil, and interrupted if a signal
// ends the process. Once stop has returned neither is called any more.
func (h *Host) Observe(d time.Duration, tick, interrupted func()) (stop func()) {
	remove := h.signals.add(interrupted)
	done := make(chan struct{})
	var ticking sync.WaitGroup
	if tick != nil {
		ticking.Go(func() {
			t := time.NewTicker(d)
			defer t.Stop()
			for {
				select {
				case <-t.C:
					tick()
				case <-done:
					return
				}
			}
		})
	}
	return func() {
		remove()
		close(done)
		ticking.Wait()
	}
}
