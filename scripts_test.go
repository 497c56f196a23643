//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func runScripts(t *testing.T, folder string, setup func(*testscript.Env) error) {
	testscript.Run(t, testscript.Params{Dir: folder, Cmds: scriptCommands, Setup: setup})
}

// TestScripts runs the program on the kernel's TCP.
func TestScripts(t *testing.T) { runScripts(t, "modes/kernel/testdata", setupScript) }

// TestWire runs real processes with our own TCP, over the hub of a wire. It
// takes no privilege and no network.
func TestWire(t *testing.T) { runScripts(t, "modes/raw/testdata", setupJobs) }

// TestBesideKernel runs processes with our own TCP on the addresses of a network
// namespace, against the kernel's TCP, on the same machine and on another one.
func TestBesideKernel(t *testing.T) { runScripts(t, "modes/raw/testdata/kernel", setupScript) }

// TestEther runs hosts with addresses of their own on Ethernets and behind TUN
// devices, in network namespaces, against the kernel's TCP and each other.
func TestEther(t *testing.T) { runScripts(t, "modes/raw/testdata/ether", setupScript) }
