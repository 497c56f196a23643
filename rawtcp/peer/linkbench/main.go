// Linkbench measures the speed of sock --raw over a veth between two network
// namespaces, with the kernel at the other end, against gVisor's TCP and the
// kernel's own in the same place, one after the other. Its status is 1 if a bar is
// missed. It needs root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	// The programs that are started die with the thread that has started them.
	runtime.LockOSThread()
	var g gvisor
	var b bench
	role := flag.String("gvisor", "", "be gVisor's end: `source or sink`")
	flag.BoolVar(&g.large, "large", false, "of gVisor's end: use large segments")
	flag.IntVar(&g.size, "size", 0, "of gVisor's end: `bytes` of each call")
	flag.IntVar(&b.rounds, "rounds", 3, "`runs` of each")
	flag.Int64Var(&b.bytes, "bytes", 1<<30, "`bytes` of each run")
	sizes := flag.String("sizes", "65536,1024", "`bytes` of each write and read")
	flag.Parse()
	if *role != "" {
		g.device, g.addr, g.bytes = device, netip.MustParsePrefix(ourNetwork), b.bytes
		g.peer = netip.AddrPortFrom(netip.MustParseAddr(peerAddr), port)
		if *role == "sink" {
			exit(g.sink())
		}
		exit(g.source())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &b, *sizes)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "linkbench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

var errMissed = errors.New("a bar is missed")

func run(ctx context.Context, b *bench, sizes string) error {
	dir, err := os.MkdirTemp("", "linkbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.sock = filepath.Join(dir, "sock")
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	// The program is of another module than this one: that two folders up.
	if out, err := exec.CommandContext(ctx, "go", "-C", "../..", "build", "-o", b.sock, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	fmt.Print("MB/s: segments, call, way ")
	for _, c := range contestants() {
		fmt.Printf("%*s", 2+len(c), c)
	}
	fmt.Println("   to gVisor       to the kernel")
	missed, bytes := false, b.bytes
	for _, b.large = range []bool{true, false} {
		for text := range strings.SplitSeq(sizes, ",") {
			if b.size, err = strconv.Atoi(text); err != nil || b.size < 1 {
				return fmt.Errorf("-sizes: %q is not a number of bytes", text)
			}
			if b.bytes = bytes; b.size < 4096 {
				b.bytes /= 8 // for those who take as long for that
			}
			met, err := b.compare(ctx)
			if err != nil {
				return err
			}
			missed = missed || !met
		}
	}
	if missed {
		return errMissed
	}
	return nil
}

// compare measures both directions, and prints what has come of it.
func (b *bench) compare(ctx context.Context) (met bool, err error) {
	if b.world, err = newWorld(ctx, b.large); err != nil {
		return false, err
	}
	defer b.world.close()
	what := "one MTU"
	if b.large {
		what = "large"
	}
	met = true
	for _, out := range []bool{true, false} {
		direction := "in"
		if out {
			direction = "out"
		}
		fmt.Printf("%-7s  %8d  %-7s", what, b.size, direction)
		rates := map[contestant]float64{}
		all := map[contestant][]float64{}
		for range b.rounds {
			for _, c := range contestants() {
				rate, err := b.measure(ctx, c, out)
				if err != nil {
					return false, fmt.Errorf("%s: %w", c, err)
				}
				all[c] = append(all[c], rate)
			}
		}
		for _, c := range contestants() {
			rates[c] = median(all[c])
			fmt.Printf("%*.0f", 2+len(c), rates[c])
		}
		met = report(rates[ourEther]/rates[gVisor], b.bar(out)) && met
		bar := 0.0
		if b.large && out {
			bar = 1
		}
		met = report(rates[ourEther]/rates[kernel], bar) && met
		fmt.Println()
	}
	return met, nil
}

// bar is how many times as fast as gVisor we want to be.
func (b *bench) bar(out bool) float64 {
	switch {
	case out:
		return 1.5
	case b.large:
		return 1.2
	}
	return 2
}

// report prints a ratio and what it should be; 0 is no matter.
func report(ratio, bar float64) (met bool) {
	fmt.Printf("  %6.2f", ratio)
	switch {
	case bar == 0:
		return true
	case ratio < bar:
		fmt.Printf(" < %.1f MISSED", bar)
		return false
	}
	fmt.Printf(" (bar %.1f)", bar)
	return true
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
