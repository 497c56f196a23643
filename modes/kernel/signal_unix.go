//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// signals is what happens when a signal ends or stops the process.
type signals struct {
	term *terminal
	c    chan os.Signal

	mu   sync.Mutex
	next int
	last map[int]func() // Observe's interrupted functions
}

// deadly are the signals that end the process by default and that a person or
// a script sends.
func deadly() []os.Signal {
	return []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT}
}

// start takes the signals over, but not those that the process was told to
// ignore: under nohup, or in the background of a script.
func (g *signals) start() {
	g.last = map[int]func(){}
	g.c = make(chan os.Signal, 8)
	if signal.Ignored(unix.SIGINT) {
		// POSIX has a shell ignore SIGQUIT where it ignores SIGINT. Go's
		// runtime has undone that.
		signal.Ignore(unix.SIGQUIT)
	}
	for _, sig := range append(deadly(), unix.SIGTSTP, unix.SIGCONT) {
		if !signal.Ignored(sig) {
			signal.Notify(g.c, sig)
		}
	}
	go func() {
		for sig := range g.c {
			switch sig {
			case unix.SIGTSTP:
				g.suspend()
			case unix.SIGCONT:
				g.term.resume()
			default:
				g.die(sig.(unix.Signal))
			}
		}
	}()
}

// add registers a last act, which may be nil.
func (g *signals) add(f func()) (remove func()) {
	if f == nil {
		return func() {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	id := g.next
	g.next++
	g.last[id] = f
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.last, id)
	}
}

// die sets the terminal back, does the last acts, and dies of the signal, so
// that whoever waits for the process sees what it died of. The newest is done
// first, as it may need what an older one ends. The lock is kept:
// what would remove its last act now waits for the end.
func (g *signals) die(sig unix.Signal) {
	g.term.reset()
	signal.Reset(deadly()...) // a second signal need not wait for the last acts
	g.mu.Lock()
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(g.last))) {
		g.last[id]()
	}
	if sig != unix.SIGQUIT {
		raise(sig)
	}
	// Go's runtime answers SIGQUIT with the stacks of all goroutines. Exit
	// with what the shell would have made of it.
	os.Exit(128 + int(sig))
}

// suspend stops the process as SIGTSTP would, with the terminal set back for
// the shell in the meantime. Go cannot give SIGTSTP its default action again,
// so it is SIGSTOP that stops.
func (g *signals) suspend() {
	if session, err := unix.Getsid(0); err != nil || session == unix.Getpgrp() {
		// No shell has made a job of this process: nobody would continue it.
		// POSIX has SIGTSTP ignored in such an orphaned process group.
		return
	}
	g.term.suspend()
	raise(unix.SIGSTOP) // the next line runs after SIGCONT
	g.term.resume()
}
