//go:build linux

package main

import (
	"os"
	"testing"
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
	runScripts(t, "modes/lab/onkernel/testdata", setupScript, nil)
}
