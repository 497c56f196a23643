//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestEther runs hosts with addresses of their own on Ethernets and behind TUN
// devices, in network namespaces, against the kernel's TCP and each other.
func TestEther(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "modes/raw/testdata/ether",
		Cmds:  scriptCommands,
		Setup: setupScript,
	})
}
