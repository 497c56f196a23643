//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestBesideKernel runs processes with our own TCP on the addresses of a network
// namespace, against the kernel's TCP, on the same machine and on another one.
func TestBesideKernel(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "modes/raw/testdata/kernel",
		Cmds:  scriptCommands,
		Setup: setupScript,
	})
}
