//go:build linux

package main

import (
	"maps"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

type commands = map[string]func(ts *testscript.TestScript, neg bool, args []string)

// runScripts runs the scripts of a folder, which have more commands than others.
func runScripts(t *testing.T, folder string, setup func(*testscript.Env) error, more commands) {
	all := maps.Clone(scriptCommands)
	maps.Copy(all, more)
	testscript.Run(t, testscript.Params{Dir: folder, Cmds: all, Setup: setup})
}

// TestScripts runs the program on the kernel's TCP.
func TestScripts(t *testing.T) { runScripts(t, "modes/kernel/testdata", setupScript, nil) }

// TestWire runs real processes with our own TCP, over the hub of a wire. It
// takes no privilege and no network.
func TestWire(t *testing.T) { runScripts(t, "modes/raw/testdata", setupJobs, nil) }

// TestBesideKernel runs processes with our own TCP on the addresses of a network
// namespace, against the kernel's TCP, on the same machine and on another one.
func TestBesideKernel(t *testing.T) { runScripts(t, "modes/raw/testdata/kernel", setupScript, nil) }

// TestEther runs hosts with addresses of their own on Ethernets and behind TUN
// devices, in network namespaces, against the kernel's TCP and each other.
func TestEther(t *testing.T) { runScripts(t, "modes/raw/testdata/ether", setupScript, nil) }
