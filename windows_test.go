//go:build linux

package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestWindows gives the same command line to the kernel's TCP and to our own, which
// is to do as Linux does, with the same kernel as peer, and compares the windows that
// tcpdump sees.
//
// The scripts have one more command, whose last arguments are those of alike:
//
//	samewindows LEAST PEER SOCK
//
// Not every segment need be acknowledged by itself, but LEAST of them are, both
// times.
func TestWindows(t *testing.T) {
	runScripts(t, "modes/raw/testdata/windows", setupComparison, commands{"samewindows": cmdSameWindows})
}

func cmdSameWindows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: samewindows LEAST PEER SOCK")
	}
	least, err := strconv.Atoi(args[0])
	ts.Check(err)
	peer, sock := strings.Fields(args[1]), strings.Fields(args[2])
	kernel := windowsOf(ts, &comparison{peer: peer, sock: sock})
	raw := windowsOf(ts, &comparison{peer: peer, sock: slices.Concat([]string{"--raw", "--profile", "linux"}, sock)})
	same := 0
	for ack, window := range kernel {
		if other, ok := raw[ack]; ok && other != window {
			ts.Fatalf("at %q the kernel tells %s, and we %s", ack, window, other)
		} else if ok {
			same++
		}
	}
	if same < least {
		ts.Fatalf("the kernel tells %v, and we %v", kernel, raw)
	}
}

// told is a segment of this host.
var told = regexp.MustCompile(`(?m) IP6? (?:10\.0\.0\.1|fd00::1)\.\d+ > .*Flags \[([^]]*)\],.*? (?:ack (\d+), )?win (\d+)`)

// windowsOf returns the first window that this host has told with each ACK, and
// that of its SYN.
func windowsOf(ts *testscript.TestScript, c *comparison) map[string]string {
	cmdStart(ts, false, []string{"-null", "dump", "tcpdump", "--immediate-mode", "-l", "-n", "-i", "eth0", "tcp"})
	cmdAwait(ts, false, []string{"dump", "^listening"})
	c.run(ts)
	cmdAwait(ts, false, []string{"dump", ` (10\.0\.0\.1|fd00::1)\.\d+ > .*Flags \[FP?\.\]`})
	cmdSignal(ts, false, []string{"dump", "INT"})
	cmdFinish(ts, false, []string{"dump"})
	windows := map[string]string{}
	for _, m := range told.FindAllStringSubmatch(ts.ReadFile("dump.stdout"), -1) {
		ack := m[2]
		if strings.HasPrefix(m[1], "S") {
			ack = "SYN"
		}
		if windows[ack] == "" {
			windows[ack] = m[3]
		}
	}
	return windows
}
