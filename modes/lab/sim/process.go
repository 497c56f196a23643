package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sock/modes"
)

// Process is a program that runs on a host, in the foreground of a terminal
// that no other process has.
type Process struct {
	w     *World
	h     *Host
	name  string
	main  *task
	tasks []*task // those that live, main among them
	open  []descriptor
	term  terminal
	out   []Piece
	last  []*observer

	stopped bool // by a signal
	done    bool
	exit    int
	doneAt  time.Duration
}

// descriptor is a socket that a process has open.
type descriptor interface {
	modes.Socket
	// canRead and canWrite report what would not block.
	canRead() bool
	canWrite() bool
	// exit is close as the system does it for a process that has ended:
	// nobody waits.
	exit()
	// vanish forgets the socket: the host has crashed.
	vanish()
}

// Piece is what a process wrote at one time.
type Piece struct {
	At     time.Duration
	Stderr bool // on standard error, not on standard output
	Text   string
}

// The exit statuses of a shell: 128 and the number of the signal.
const (
	exitHangup = 128 + 1
	exitInt    = 128 + 2
	exitQuit   = 128 + 3
	exitKilled = 128 + 9
	exitTerm   = 128 + 15
)

func (h *Host) start(args []string, main func(t *task, args []string) int) *Process {
	p := &Process{w: h.w, h: h, name: strings.Join(args, " ")}
	p.main = p.newTask(func(t *task) {
		p.exit = exitKilled
		p.exit = main(t, args)
	})
	h.procs = append(h.procs, p)
	return p
}

// Name returns the command line.
func (p *Process) Name() string { return p.name }

// Host returns the host that p runs on.
func (p *Process) Host() *Host { return p.h }

// Type types text on the terminal. Unless the program has asked for single
// keys, it gets it line by line, each when it is complete.
func (p *Process) Type(text string) { p.term.typed = append(p.term.typed, text...) }

// EOF types the end of file, behind what was typed.
func (p *Process) EOF() { p.term.eof = true }

// Redirect makes standard input a file with the contents of data ("< file"),
// in place of the terminal.
func (p *Process) Redirect(data []byte) {
	p.term = terminal{file: true, typed: slices.Clone(data), eof: true}
}

// Output returns what p has written so far.
func (p *Process) Output() []Piece { return p.out }

// Done returns the exit status of p, and when it ended; ok is false while it
// runs. A process that a signal has ended has the status that a shell gives
// it, 128 and the signal's number.
func (p *Process) Done() (exit int, at time.Duration, ok bool) {
	if !p.done {
		return 0, 0, false
	}
	return p.exit, p.doneAt, true
}

// Signal sends p a signal: "INT", "TERM", "HUP" and "QUIT" end it when it has
// said its last words, "KILL" at once, "STOP" or "TSTP" stops it until "CONT".
// Its sockets are closed as the system closes those of any process that ends.
func (p *Process) Signal(name string) error {
	if p.done {
		return fmt.Errorf("%s has ended", p.name)
	}
	switch name {
	case "INT":
		p.die(exitInt)
	case "TERM":
		p.die(exitTerm)
	case "HUP":
		p.die(exitHangup)
	case "QUIT":
		p.die(exitQuit)
	case "KILL":
		p.end(exitKilled)
	case "STOP", "TSTP":
		p.stopped = true
	case "CONT":
		p.stopped = false
	default:
		return fmt.Errorf("there is no signal %q", name)
	}
	return nil
}

func (p *Process) die(status int) {
	for _, o := range slices.Clone(p.last) {
		if o.interrupted != nil {
			o.interrupted()
		}
	}
	p.end(status)
}

// end ends p: what it still runs unwinds without a word, and then the system
// closes what it left open.
func (p *Process) end(status int) {
	if p.done {
		return
	}
	p.done, p.exit, p.doneAt = true, status, p.w.now
	for _, t := range slices.Clone(p.tasks) {
		t.kill()
	}
	for _, d := range slices.Clone(p.open) {
		d.exit()
	}
	p.open, p.last = nil, nil
	p.h.procs = slices.DeleteFunc(p.h.procs, func(other *Process) bool { return other == p })
}

// crash is end where the system ends too: nothing is closed.
func (p *Process) crash() {
	for _, d := range p.open {
		d.vanish()
	}
	p.open = nil
	p.end(exitKilled)
}

// work takes the time that a read or a write takes: before what is read leaves
// the buffer, and after what is written has gone there.
func (p *Process) work() {
	if d := p.h.o.Busy; d > 0 {
		p.w.await(p.w.now+d, func() bool { return false })
	}
}

func (p *Process) opened(d descriptor) { p.open = append(p.open, d) }

func (p *Process) closed(d descriptor) {
	p.open = slices.DeleteFunc(p.open, func(other descriptor) bool { return other == d })
}

// output is standard output or standard error.
type output struct {
	p      *Process
	stderr bool
}

// Write writes b down, unless the process is dead already.
func (o output) Write(b []byte) (int, error) {
	if !o.p.done && len(b) > 0 {
		o.p.out = append(o.p.out, Piece{o.p.w.now, o.stderr, string(b)})
	}
	return len(b), nil
}

// observer is a call of Observe that has not been stopped.
type observer struct {
	interrupted func()
}
