package lab

import (
	"time"

	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// stage is where a lab happens: on simulated machines in virtual time, or on
// the kernel of this one in real time.
type stage interface {
	// build makes links and hosts, and sets what the script sets.
	build(steps []step) error
	names() trace.Names
	Now() time.Duration
	// At lets do happen at an instant. In real time that waits, with all that
	// comes after it, until ready reports true; it may be nil.
	At(at time.Duration, ready func() bool, do func())
	// Step lets one thing happen. It reports false if nothing is left to do.
	Step() (more bool, err error)
	// resting reports whether to go on after the last line of the script would
	// show nothing.
	resting() bool
	Close()

	// start starts a program. If stdin is not nil it is read in place of the
	// terminal.
	start(host string, words []string, stdin *string) (process, error)
	crash(host string)
	reboot(host string) error
	isUp(host string) bool
	rule(text string) error
	change(link string, c link.Conditions)
	inject(link string, packet []byte, why trace.Rule) error
	netstat(host string) []sim.Row
	arp(host string) []link.ARPEntry
}

// process is a program that runs at a terminal.
type process interface {
	Name() string
	Type(text string)
	EOF()
	Signal(name string) error
	// written returns what it has written, but for the first pieces.
	written(but int) []piece
	Done() (status int, at time.Duration, ok bool)
}

// piece is what a process wrote at one time.
type piece struct {
	at   time.Duration
	text string
}
