//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A hub, a server or a client is killed a hundred times, whatever it does at the
// moment. What is started in its place works at once, and nothing is left but the
// file of the hub's socket, which the next hub replaces.
func TestKill(t *testing.T) {
	const (
		times   = 100
		atOnce  = 10 * time.Second // far more than it takes, on a busy machine too
		address = "10.0.0.1"
	)
	chance := rand.New(rand.NewPCG(5, 0))
	n := newNetwork(t, buildSock(t))
	startServer := func() *process {
		s := n.launch(t, []string{"listening"}, "-i", "-s", "-F", "--addr", address, "7")
		s.await(t, 1, "listening")
		return s
	}
	// It writes until it is killed, or for some milliseconds.
	startClient := func(writes string) *process {
		return n.launch(t, []string{"wrote"}, "-i", "-w", "1400", "-n", writes, "--addr", "10.0.0.2", address, "7")
	}
	server := startServer()
	var longest time.Duration
	victims := map[string]int{}
	for range times {
		client := startClient("1000000")
		// Before it has done anything, while it connects, or later.
		if lines := chance.IntN(60) - 20; lines >= 0 {
			client.until(patience, func() bool { return client.lines >= lines || client.ended })
		}
		began := time.Now()
		switch chance.IntN(5) {
		case 0:
			victims["hub"]++
			n.hub.kill(t)
			n.startHub(t)
			// Those who were plugged in have no wire any more.
			server.kill(t)
			client.kill(t)
			server = startServer()
		case 1:
			victims["hub that starts"]++
			n.hub.kill(t)
			launch(t, nil, n.sock, "--hub", "--wire", n.place).kill(t)
			n.startHub(t)
			server.kill(t)
			client.kill(t)
			server = startServer()
		case 2:
			victims["server"]++
			server.kill(t)
			_ = n.plug(t, address).Close() // its address is free
			client.kill(t)
			server = startServer()
		case 3:
			victims["server that starts"]++
			server.kill(t)
			client.kill(t)
			n.launch(t, nil, "-i", "-s", "-F", "--addr", address, "7").kill(t)
			server = startServer()
		default:
			victims["client"]++
			client.kill(t)
		}
		startClient("10").finish(t, atOnce)
		longest = max(longest, time.Since(began))
	}
	t.Logf("killed: %v; the next exchange was over after %v at most", victims, longest)
	server.kill(t)
	n.hub.kill(t)
	left, err := os.ReadDir(filepath.Dir(n.place))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name() != filepath.Base(n.place) {
		t.Errorf("these files are left: %v", left)
	}
	wantNobody(t, n.place)
}

// wantNobody fails the test if a process has this text in its command line.
func wantNobody(t *testing.T, text string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Fatal(err, len(lines))
	}
	for _, name := range lines {
		b, _ := os.ReadFile(name) // it may have ended
		if strings.Contains(string(b), text) {
			t.Errorf("%s: %q is left", name, b)
		}
	}
}
