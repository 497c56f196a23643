//go:build linux

package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLabsOnKernel: labs on namespaces that they make themselves, with this
// program in them.
func TestLabsOnKernel(t *testing.T) {
	const device = "/dev/net/tun"
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("%v: run the tests as root, or let root do: chmod 666 %s; in a container: --device %s", err, device, device)
	}
	f.Close()
	testscript.Run(t, testscript.Params{
		Dir:  "modes/lab/onkernel/testdata",
		Cmds: scriptCommands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second at the end of each program
			return setupScript(env)
		},
	})
}
