//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

//go:embed testdata/pair.c
var pairSource []byte

// congestionFile is of the namespace of the thread that opens it.
const congestionFile = "/proc/sys/net/ipv4/tcp_congestion_control"

// prepare builds sock and the C pair in dir, enters a network of its own if
// it may, and returns who competes.
func prepare(ctx context.Context, dir string, s settings) ([]contestant, error) {
	sock, pair := filepath.Join(dir, "sock"), filepath.Join(dir, "pair")
	if err := os.WriteFile(pair+".c", pairSource, 0o666); err != nil {
		return nil, err
	}
	for _, argv := range [][]string{
		{"go", "build", "-o", sock, "sock"},
		{"cc", "-O2", "-o", pair, pair + ".c"},
	} {
		if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
		}
	}
	if err := ownNetwork(s.congestion); err != nil {
		fmt.Printf("on the loopback of everybody: %v\n", err)
	}
	all := contestants(sock, pair)
	wanted := strings.Split(s.only, ",")
	return slices.DeleteFunc(all, func(c contestant) bool {
		if s.only != "" && c.needs != "" && !slices.Contains(wanted, c.name) {
			return true
		}
		if _, err := exec.LookPath(c.needs); c.needs != "" && err != nil {
			fmt.Printf("%s is MISSING from this comparison: apt-get install %s\n", c.name, c.apt)
			return true
		}
		return false
	}), nil
}

// ownNetwork moves this thread, and so the programs that it starts, to a new
// network namespace with the loopback interface up. Where BBR is the default
// its pacing, not the programs, would set the speed, and vary it: what does not
// pace is what shows them.
func ownNetwork(congestion string) error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("no namespace: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("lo up: %w", err)
	}
	return os.WriteFile(congestionFile, []byte(congestion), 0)
}
