//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
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
	n := newNetwork(t, buildSock(t))
	kill(t, n, "10.0.0.2", func() string { return "10.0.0.1" }, func(server *process) {
		server.kill(t)
		_ = n.plug(t, "10.0.0.1").Close() // its address is free
	})
	left, err := os.ReadDir(filepath.Dir(n.place))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name() != filepath.Base(n.place) {
		t.Errorf("these files are left: %v", left)
	}
}

// Over UDP nobody sees that a host has died, and the hub keeps its address for it
// until it has been silent for a while; so the next one takes another.
func TestKillUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{sock: buildSock(t), place: "udp:" + conn.LocalAddr().String()}
	_ = conn.Close() // the port is the hub's now
	n.startHub(t)
	servers := 0
	kill(t, n, "auto", func() string {
		servers++
		return fmt.Sprintf("10.1.0.%d/8", servers)
	}, func(server *process) { server.kill(t) })
	again, err := net.ListenPacket("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

// kill is TestKill on a wire. The clients have the address guest, and address is asked
// for that of each server, which killServer kills.
func kill(t *testing.T, n *network, guest string, address func() string, killServer func(*process)) {
	const (
		times  = 100
		atOnce = 10 * time.Second // far more than it takes, on a busy machine too
	)
	chance := rand.New(rand.NewPCG(5, 0))
	at := "" // where the server is
	launchServer := func() *process {
		at = address()
		return n.launch(t, []string{"listening"}, "-i", "-s", "-F", "--addr", at, "7")
	}
	startServer := func() *process {
		s := launchServer()
		s.await(t, 1, "listening")
		return s
	}
	// It writes until it is killed, or for some milliseconds.
	startClient := func(writes string) *process {
		host, _, _ := strings.Cut(at, "/")
		return n.launch(t, []string{"wrote"}, "-i", "-w", "1400", "-n", writes, "--addr", guest, host, "7")
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
			killServer(server)
			client.kill(t)
			server = startServer()
		case 3:
			victims["server that starts"]++
			server.kill(t)
			client.kill(t)
			launchServer().kill(t)
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
