//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLinks runs each of its scripts on each link on which our own TCP and the
// kernel's can meet, with both versions of IP.
//
// Those in the folder own are for links on which our address is no one of the
// kernel's. The scripts have one more command:
//
//	link    make the link
//
// Then the program ours is sock with our own TCP on it, theirs is sock with the
// kernel's TCP at its other end, and here and there run any program at our end and at
// the other. The addresses of both are $ours and $theirs. A segment with timestamps carries $mss
// bytes, and one without $longmss.
func TestLinks(t *testing.T) {
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			setup := func(env *testscript.Env) error {
				env.Values["meeting"] = m
				return setupScript(env)
			}
			runScripts(t, "modes/raw/testdata/links", setup, commands{"link": cmdLink})
			if m.own {
				runScripts(t, "modes/raw/testdata/links/own", setup, commands{"link": cmdLink})
			}
		})
	}
}

// meeting is where the two TCPs meet.
type meeting struct {
	name         string
	flags        string // of our sock
	theirFlags   string // of the kernel's
	ours, theirs string // addresses
	host         bool   // the kernel's TCP is that of another machine
	own          bool   // our address is no one of the kernel's
	mss          int
}

var meetings = []meeting{
	{"loopback,IPv4", "--raw", "", "127.0.0.1", "127.0.0.1", false, false, 65483},
	{"loopback,IPv6", "-6 --raw", "-6", "::1", "::1", false, false, 65463},
	{"veth,IPv4", "--raw", "", "10.0.0.1", "10.0.0.2", true, false, 1448},
	{"veth,IPv6", "-6 --raw", "-6", "fd00::1", "fd00::2", true, false, 1428},
	{"ether,IPv4", "--raw --addr 10.0.0.9", "", "10.0.0.9", "10.0.0.2", true, true, 1448},
	{"ether,IPv6", "-6 --raw --addr fd00::9", "-6", "fd00::9", "fd00::2", true, true, 1428},
	{"tun,IPv4", "--raw --tun tun7 --addr 10.9.0.2/24", "", "10.9.0.2", "10.9.0.1", false, true, 1448},
	{"tun,IPv6", "-6 --raw --tun tun7 --addr fd09::2/64", "-6", "fd09::2", "fd09::1", false, true, 1428},
}

func cmdLink(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: link")
	}
	m := ts.Value("meeting").(meeting)
	there := ""
	if m.host {
		cmdHost(ts, false, []string{"B"})
		there = ts.Getenv("B")
		// A link that has just come up loses packets for up to a second.
		ts.Check(ts.Exec("ping", "-c", "1", "-W", "20", m.theirs))
	}
	m.programs(ts, "", there)
}

// programs makes those that TestLinks tells of. The two hosts are the network
// namespaces of processes; without a number a host is this one.
func (m meeting) programs(ts *testscript.TestScript, here, there string) {
	on := func(host string) string {
		if host == "" {
			return "exec"
		}
		return "exec nsenter --net --target " + host
	}
	programs := ts.MkAbs("bin")
	ts.Check(os.Mkdir(programs, 0o777))
	for name, line := range map[string]string{
		"ours":   on(here) + " sock " + m.flags,
		"theirs": on(there) + " sock " + m.theirFlags,
		"here":   on(here),
		"there":  on(there),
	} {
		script := fmt.Sprintf("#!/bin/sh\n%s \"$@\"\n", line)
		ts.Check(writeProgram(filepath.Join(programs, name), script))
	}
	ts.Setenv("PATH", programs+":"+ts.Getenv("PATH"))
	ts.Setenv("ours", m.ours)
	ts.Setenv("theirs", m.theirs)
	ts.Setenv("mss", fmt.Sprint(m.mss))
	ts.Setenv("longmss", fmt.Sprint(m.mss+12))
}

// writeProgram writes a script. While it is open for writing no process is started:
// that would have it open too, until it calls exec, and then the script could not be
// run yet (golang.org/issue/22315).
func writeProgram(name, script string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(name, []byte(script), 0o777)
}
