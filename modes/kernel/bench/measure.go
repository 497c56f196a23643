//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long one transfer may take before it counts as hung.
const patience = time.Minute

// measure runs one transfer and returns its wall time: from the start of the
// source to the end of both programs, whichever programs they are.
func measure(ctx context.Context, c contestant, t transfer, pinned bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s hangs", c.name))
	defer cancel()
	var err error
	if t.port, err = freePort(); err != nil {
		return 0, err
	}
	before, err := loopbackBytes()
	if err != nil {
		return 0, err
	}
	sink, err := start(ctx, c.sink(t), pinned, 1)
	if err != nil {
		return 0, err
	}
	defer sink.stop()
	if err := sink.awaitListen(ctx, t.port); err != nil {
		return 0, err
	}
	begin := time.Now()
	source, err := start(ctx, c.source(t), pinned, 0)
	if err != nil {
		return 0, err
	}
	defer source.stop()
	for _, e := range []*end{source, sink} {
		<-e.done
		if err := context.Cause(ctx); err != nil {
			return 0, err // and what was killed for it says nothing more
		} else if e.err != nil {
			return 0, e.err
		}
	}
	took := time.Since(begin)
	after, err := loopbackBytes()
	if err != nil {
		return 0, err
	}
	if moved := after - before; moved < t.bytes()-c.unread {
		return 0, fmt.Errorf("%s moved %d bytes instead of %d", c.name, moved, t.bytes())
	}
	return took, nil
}

// end is one end of a transfer, running.
type end struct {
	stop context.CancelFunc // kills it, if it still runs
	done chan struct{}      // closed when it has ended
	err  error              // how it ended, valid after done
}

// start starts a program that dies with the context, or with the benchmark.
func start(ctx context.Context, argv []string, pinned bool, cpu int) (*end, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if pinned {
		unpin, err := pin(cpu) // the program inherits it
		if err != nil {
			cancel()
			return nil, err
		}
		defer unpin()
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	e := &end{done: make(chan struct{})}
	e.stop = func() {
		cancel()
		<-e.done
	}
	go func() {
		defer close(e.done)
		if err := cmd.Wait(); err != nil {
			e.err = fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
		}
	}()
	return e, nil
}

// pin binds this thread to a processor, until undone.
func pin(cpu int) (undo func(), err error) {
	var was, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return nil, fmt.Errorf("sched_setaffinity: %w", err)
	}
	return func() { unix.SchedSetaffinity(0, &was) }, nil
}

// awaitListen waits until somebody listens on the port. A trial connection
// would be the one client that most sinks serve, so /proc is asked.
func (e *end) awaitListen(ctx context.Context, port int) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	const listen = "0A" // TCP_LISTEN
	for {
		table, err := os.ReadFile("/proc/thread-self/net/tcp")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line) // sl local_address rem_address st ...
			if strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == listen {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.done:
			return fmt.Errorf("ended before it listened: %w", e.err)
		}
	}
}

// freePort finds a port on which nobody listens.
func freePort() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("getsockname: %w", err)
	}
	return sa.(*unix.SockaddrInet4).Port, nil
}

// loopbackBytes is how much the loopback interface has carried. It tells from
// the outside, for any program, that all was sent.
func loopbackBytes() (int, error) {
	table, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); f[0] == "lo:" {
			return strconv.Atoi(f[1])
		}
	}
	return 0, errors.New("/proc/net/dev has no lo")
}
