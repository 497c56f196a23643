//go:build linux

// Bench compares the throughput of sock's source and sink over loopback with
// a plain C pair, iperf3, nc and socat, all measured alike from the outside.
// Its status is 1 if a bar is missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings is the command line.
type settings struct {
	sizes      string
	only       string
	rounds     int
	time       time.Duration
	pinned     bool
	congestion string
}

// The programs must be started from the thread that is in the namespace, and
// are killed when it ends.
func init() { runtime.LockOSThread() }

func main() {
	var s settings
	flag.StringVar(&s.sizes, "sizes", "1024,65536,1048576", "`bytes` of each write and read")
	flag.StringVar(&s.only, "only", "", "`names` of the pairs to run beside sock and C, if not all")
	flag.IntVar(&s.rounds, "rounds", 5, "`runs` of each pair at each size")
	flag.DurationVar(&s.time, "time", time.Second, "how `long` a run should take")
	flag.BoolVar(&s.pinned, "pin", false, "bind sources to the first processor, sinks to the second")
	flag.StringVar(&s.congestion, "congestion", "reno", "congestion control `algorithm` of the benchmark's own network")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	reached, err := run(ctx, s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !reached {
		os.Exit(1)
	}
}

// run tells whether every bar was reached.
func run(ctx context.Context, s settings) (reached bool, err error) {
	var sizes []int
	for f := range strings.SplitSeq(s.sizes, ",") {
		size, err := strconv.Atoi(f)
		if err != nil || size < 1 {
			return false, fmt.Errorf("-sizes: %q is not a size", f)
		}
		sizes = append(sizes, size)
	}
	if s.rounds < 1 || s.time <= 0 {
		return false, fmt.Errorf("-rounds and -time must be positive")
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	all, err := prepare(ctx, dir, s)
	if err != nil {
		return false, err
	}
	describe(os.Stdout, all, s)
	reached = true
	for _, size := range sizes {
		figures, err := compete(ctx, all, size, s)
		if err != nil {
			return false, err
		}
		reached = report(os.Stdout, figures) && reached
	}
	return reached, nil
}
