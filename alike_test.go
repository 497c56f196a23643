//go:build linux

package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestAlike gives the same command line to the kernel's TCP and to our own, with
// the same kernel as peer, and compares what both print.
//
// The scripts have one more command:
//
//	alike [-in TEXT] [-until REGEXP] [-status N] [-least T] PEER SOCK
//
// PEER is the command line of a sock on host B, SOCK that of the one that is looked
// at; the one with -s is the server. Each is without host and port. SOCK has TEXT
// as its standard input, which ends when it has printed what matches. It is to end
// with status N, and not before T, both times. What it and its peer print is
// then in the files kernel and raw: "! alike" wants them to differ.
func TestAlike(t *testing.T) {
	runScripts(t, "modes/raw/testdata/alike", setupComparison, commands{"alike": cmdAlike})
}

// setupComparison is setupScript for scripts that compare.
func setupComparison(env *testscript.Env) error {
	port := firstPort
	env.Values["port"] = &port
	return setupScript(env)
}

// firstPort is the first one of the servers. Each has another, since a port in
// TIME_WAIT is of no use.
const firstPort = 8001

// comparison is what a line with alike asks for.
type comparison struct {
	in, until  string
	status     int
	least      time.Duration
	peer, sock []string
}

func cmdAlike(ts *testscript.TestScript, neg bool, args []string) {
	var c comparison
	for len(args) > 2 {
		var err error
		switch args[0] {
		case "-in":
			c.in, err = strconv.Unquote(`"` + args[1] + `"`)
		case "-until":
			c.until = args[1]
		case "-status":
			c.status, err = strconv.Atoi(args[1])
		case "-least":
			c.least, err = time.ParseDuration(args[1])
		default:
			ts.Fatalf("alike: unknown flag %s", args[0])
		}
		ts.Check(err)
		args = args[2:]
	}
	if len(args) != 2 {
		ts.Fatalf("usage: alike [-in TEXT] [-until REGEXP] [-status N] [-least T] PEER SOCK")
	}
	c.peer, c.sock = strings.Fields(args[0]), strings.Fields(args[1])
	kernel := c.run(ts)
	c.sock = append([]string{"--raw"}, c.sock...)
	raw := c.run(ts)
	ts.Check(os.WriteFile(ts.MkAbs("kernel"), []byte(kernel), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs("raw"), []byte(raw), 0o666))
	switch {
	case neg && kernel == raw:
		ts.Fatalf("both print\n%s", kernel)
	case !neg && kernel != raw:
		ts.Fatalf("over the kernel's TCP:\n%s\nover our own:\n%s", kernel, raw)
	}
}

// run does it once, and returns what was printed.
func (c *comparison) run(ts *testscript.TestScript) string {
	next := ts.Value("port").(*int)
	port := strconv.Itoa(*next)
	*next++
	host := func(ipv4, ipv6 string) []string {
		if slices.Contains(c.sock, "-6") {
			return []string{ipv6, port}
		}
		return []string{ipv4, port}
	}
	startPeer := func(operands ...string) {
		argv := slices.Concat([]string{"-null", "-on", "B", "peer", "sock", "-v"}, c.peer, operands)
		cmdStart(ts, false, argv)
	}
	startSock := func(operands ...string) {
		cmdStart(ts, false, slices.Concat([]string{"sock", "sock", "-v"}, c.sock, operands))
	}
	const listening = `^(listening|bound) on `
	began := time.Now()
	if slices.Contains(c.sock, "-s") {
		startSock(port)
		cmdAwait(ts, false, []string{"sock", listening})
		startPeer(host("10.0.0.1", "fd00::1")...)
	} else {
		startPeer(port)
		cmdAwait(ts, false, []string{"peer", listening})
		startSock(host("10.0.0.2", "fd00::2")...)
	}
	sock, peer := jobOf(ts, "sock"), jobOf(ts, "peer")
	// It may have ended, and not read that.
	_, _ = sock.stdin.Write([]byte(c.in))
	if c.until != "" {
		cmdAwait(ts, false, []string{"sock", c.until})
	}
	_ = sock.stdin.Close()
	cmdFinish(ts, false, []string{"sock", strconv.Itoa(c.status)})
	if took := time.Since(began); took < c.least {
		ts.Fatalf("%v took %v, not %v", c.sock, took, c.least)
	}
	if !connected.MatchString(ts.ReadFile("sock.stderr")) {
		ts.Check(peer.cmd.Process.Signal(syscall.SIGTERM)) // nobody will come
	}
	if !peer.until(patience, func() bool { return peer.ended }) {
		ts.Fatalf("the peer of %v does not end; its output: %s%s", c.sock, peer.out.String(), peer.err.String())
	}
	var all strings.Builder
	for _, x := range []struct {
		name string
		j    *job
	}{{"sock", sock}, {"peer", peer}} {
		fmt.Fprintf(&all, "%s\n%s%sstatus %d\n", x.name, normal(x.j.err.String(), port), x.j.out.String(), x.j.status)
	}
	return all.String()
}

var (
	connected = regexp.MustCompile(`(?m)^connect(ed|ion) on `)
	thisHost  = regexp.MustCompile(`(?m)^this host is .*\n`)
	ephemeral = regexp.MustCompile(`([0-9a-f:.]+[0-9a-f])\.\d{5}\b`)
	received  = regexp.MustCompile(`(?m)^received (\d+) bytes?( \(MSG_PEEK\))?$`)
)

// normal returns output without what is another each time: ports, and how many
// reads it takes for what there is to read.
func normal(output, port string) string {
	output = thisHost.ReplaceAllString(output, "")
	output = strings.ReplaceAll(output, "."+port, ".port")
	output = ephemeral.ReplaceAllString(output, "$1.ephemeral")
	var all strings.Builder
	sum, peeked := 0, ""
	for line := range strings.Lines(output) {
		m := received.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m == nil && sum > 0:
			fmt.Fprintf(&all, "received %d bytes%s\n", sum, peeked)
			sum, peeked = 0, ""
		case m != nil && m[2] != "":
			peeked = m[2]
		case m != nil:
			n, _ := strconv.Atoi(m[1])
			sum += n
		}
		if m == nil {
			all.WriteString(line)
		}
	}
	return all.String()
}
