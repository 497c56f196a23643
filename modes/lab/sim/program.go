package sim

import (
	"fmt"

	"sock/modes"
	"sock/modes/lab/programs"
	"sock/opts"
)

// program returns the program of a name, or nil. It gets its arguments with
// its name before them, and returns its exit status.
func program(name string) func(t *task, args []string) int {
	switch name {
	case "sock":
		return sock
	case "telnet":
		return func(t *task, args []string) int { return programs.Telnet(t, args) }
	case "rsh":
		return func(t *task, args []string) int { return programs.Rsh(t, args) }
	case "date":
		return func(t *task, _ []string) int { return programs.Date(t) }
	}
	return nil
}

// sock is what package main does, less what a terminal needs.
func sock(t *task, args []string) int {
	o, err := opts.Parse(args[1:])
	switch {
	case err != nil:
		fmt.Fprintln(t.Stderr(), err)
		return 1
	case o.Help:
		opts.Usage(t.Stdout())
		return 0
	}
	return modes.Run(t, o)
}
