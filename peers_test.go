//go:build linux

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestPeers has our own TCP talk with the programs that people use, and has
// tcpdump and tshark look at it.
func TestPeers(t *testing.T) {
	runScripts(t, "modes/raw/testdata/peers", setupScript, commands{"samepackets": cmdSamePackets})
}

var (
	// packetOfTCP is a line of tcpdump's, and of --trace's, from the IP on.
	packetOfTCP = regexp.MustCompile(`^\s*[\d:.]+ (IP6? \S+ > \S+: Flags .*, length \d+)`)
	senderOf    = regexp.MustCompile(`^IP6? (\S+) `)
)

// packetsBySender returns the packets that are told of in a file, in order. Two
// observers may see packets that cross in another order, but not those that one
// host sends.
func packetsBySender(ts *testscript.TestScript, file string) map[string][]string {
	packets := map[string][]string{}
	for line := range strings.Lines(ts.ReadFile(file)) {
		if m := packetOfTCP.FindStringSubmatch(line); m != nil {
			sender := senderOf.FindStringSubmatch(m[1])[1]
			packets[sender] = append(packets[sender], m[1])
		}
	}
	return packets
}

// cmdSamePackets fails unless two files tell of the same packets.
func cmdSamePackets(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samepackets FILE FILE")
	}
	one, other := packetsBySender(ts, args[0]), packetsBySender(ts, args[1])
	if len(one) < 2 || len(other) < 2 {
		ts.Fatalf("packets of %d senders, and of %d", len(one), len(other))
	}
	for sender := range other {
		if _, ok := one[sender]; !ok {
			ts.Fatalf("%s is in one file only", sender)
		}
	}
	for sender, packets := range one {
		if a, b := strings.Join(packets, "\n"), strings.Join(other[sender], "\n"); a != b {
			ts.Fatalf("of %s %s has\n%s\nand %s\n%s", sender, args[0], a, args[1], b)
		}
	}
}
