package onkernel

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
	"sock/modes/kernel"
	"sock/modes/lab/programs"
)

// Program runs one of package programs in this process, and returns its exit
// status. args are how far its clock is ahead, its name and its arguments; those
// of inetd are a service, and "6" where there is IPv6 too.
func Program(args []string) int {
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: sock --lab program OFFSET NAME [ARG...]")
		return 1
	}
	offset, err := time.ParseDuration(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	k, err := kernel.New()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	h := machine{k, offset}
	switch name := args[1]; name {
	case "telnet":
		return programs.Telnet(h, args[1:])
	case "rsh":
		return programs.Rsh(h, args[1:])
	case "date":
		return programs.Date(h)
	case "inetd":
		families := []modes.Family{modes.IPv4}
		if len(args) > 3 && args[3] == "6" {
			families = append(families, modes.IPv6)
		}
		return programs.Inetd(h, args[2], families...)
	default:
		fmt.Fprintf(os.Stderr, "there is no program %q\n", name)
		return 1
	}
}

// machine is the kernel's host, with the clock of a lab.
type machine struct {
	modes.Host
	ahead time.Duration
}

// Now is the time of the lab's clock.
func (m machine) Now() time.Time { return m.Host.Now().Add(m.ahead).UTC() }

// Serve hands on the clock, too.
func (m machine) Serve(serve func(modes.Host)) {
	m.Host.Serve(func(h modes.Host) { serve(machine{h, m.ahead}) })
}

// EndLinesAt makes a key end a line at the terminal.
func (m machine) EndLinesAt(key byte) {
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return // it is no terminal
	}
	t.Cc[unix.VEOL] = key
	_ = unix.IoctlSetTermios(0, unix.TCSETS, t)
}
