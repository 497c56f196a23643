//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestWire runs real processes with our own TCP, over the hub of a wire. It
// takes no privilege and no network.
func TestWire(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "modes/raw/testdata",
		Cmds: scriptCommands,
		Setup: func(env *testscript.Env) error {
			js := jobs{}
			env.Values["jobs"], env.Values["hosts"] = js, map[string]string{}
			env.Defer(js.stop)
			return nil
		},
	})
}
