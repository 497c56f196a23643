// Command bench compares the engine with gVisor's netstack, in memory and in
// one run, and says whether the engine is where it should be.
//
// Each is driven as it is made for: the engine from one goroutine by hand,
// gVisor by goroutines that wait for each other. They take turns, and the best
// round of each counts: what else the machine does makes things only slower.
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"
)

// work is how much is measured.
type work struct {
	rounds      int
	size        int64 // bytes of a transfer
	connections int   // opened and closed
	idle        int
	waiting     int // in TIME_WAIT
}

func main() {
	w := work{size: 96 << 20, connections: 10_000, idle: 10_000, waiting: 1_000_000}
	flag.IntVar(&w.rounds, "rounds", 12, "how often each is measured, of which the best counts")
	flag.IntVar(&w.waiting, "waiting", w.waiting, "connections in TIME_WAIT")
	flag.Parse()
	if err := run(w); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(w work) error {
	rows, err := measure(w)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tours\tgVisor\tratio\tbar\t")
	missed := 0
	for _, r := range rows {
		fmt.Fprintln(t, r)
		if !r.met() {
			missed++
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d bars missed", missed)
	}
	return nil
}

// row is a line of the table. What is not there is zero.
type row struct {
	what         string
	unit         string
	ours, gvisor float64
	with         string  // what gVisor was best with
	bar          float64 // of the ratio, or of ours if gVisor has nothing to say
	most         bool    // bar is the most there may be, not the least
}

func (r row) value() float64 {
	if r.gvisor == 0 {
		return r.ours
	}
	return r.ours / r.gvisor
}

func (r row) met() bool {
	switch {
	case r.bar == 0:
		return true
	case r.most:
		return r.value() <= r.bar
	}
	return r.value() >= r.bar
}

func (r row) String() string {
	gvisor, ratio, bar := "", "", ""
	if r.gvisor > 0 {
		gvisor = fmt.Sprintf("%s %s", digits(r.gvisor), r.unit)
		if r.with != "" {
			gvisor += " (" + r.with + ")"
		}
		ratio = fmt.Sprintf("%.2f", r.value())
	}
	if r.bar > 0 {
		bar = fmt.Sprintf("at least %v", r.bar)
		if r.most {
			bar = fmt.Sprintf("at most %v", r.bar)
		}
		if r.gvisor == 0 {
			bar += " " + r.unit
		}
		if !r.met() {
			bar += ", missed"
		}
	}
	return fmt.Sprintf("%s\t%s %s\t%s\t%s\t%s\t", r.what, digits(r.ours), r.unit, gvisor, ratio, bar)
}

func digits(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// measure makes all rows.
func measure(w work) ([]row, error) {
	rows, err := measureThroughput(w)
	if err != nil {
		return nil, err
	}
	conns, err := measureConnections(w)
	if err != nil {
		return nil, err
	}
	memory, err := measureMemory(w)
	return append(append(rows, conns), memory...), err
}

func measureThroughput(w work) ([]row, error) {
	rows := []row{
		{what: "throughput, MTU 1500", bar: 3},
		{what: "throughput, MTU 1500, no checksums"},
		{what: "throughput, MTU 65535"},
		{what: "throughput, MTU 65535, no checksums"},
	}
	for i := range rows {
		r := &rows[i]
		r.unit = "MB/s"
		mtu, offload := []int{1500, 65535}[i/2], i%2 == 1
		for range w.rounds {
			f, err := engineThroughput(mtu, offload, w.size)
			if err != nil {
				return nil, err
			}
			r.ours = max(r.ours, rate(w.size, f.took)/1e6)
			for _, kind := range gvisorLinks() {
				took, err := gvisorThroughput(kind, mtu, offload, w.size)
				if err != nil {
					return nil, fmt.Errorf("gVisor: %w", err)
				}
				if v := rate(w.size, took) / 1e6; v > r.gvisor {
					r.gvisor, r.with = v, string(kind)
				}
			}
		}
	}
	return rows, nil
}

func measureConnections(w work) (row, error) {
	r := row{what: "connections, open and close", unit: "/s", bar: 8}
	for range w.rounds {
		took, err := engineConnections(w.connections)
		if err != nil {
			return row{}, err
		}
		r.ours = max(r.ours, rate(int64(w.connections), took))
		for _, users := range []int{1, 8} {
			took, err := gvisorConnections(w.connections, users)
			if err != nil {
				return row{}, fmt.Errorf("gVisor: %w", err)
			}
			if v := rate(int64(w.connections), took); v > r.gvisor {
				r.gvisor, r.with = v, fmt.Sprint(users, " at a time")
			}
		}
	}
	return r, nil
}

// measureMemory makes the rows that do not depend on how fast the machine is.
func measureMemory(w work) ([]row, error) {
	segment := row{what: "allocations for a segment", bar: 0.001, most: true}
	f, err := engineThroughput(1500, false, w.size)
	if err != nil {
		return nil, err
	}
	segment.ours = float64(f.allocs) / float64(f.segments)
	idle := row{what: "memory of an idle end", unit: "B", bar: 0.5, most: true}
	if idle.ours, err = engineIdle(w.idle); err != nil {
		return nil, err
	}
	if idle.gvisor, err = gvisorIdle(w.idle); err != nil {
		return nil, fmt.Errorf("gVisor: %w", err)
	}
	wait := row{what: fmt.Sprintf("memory of each of %d in TIME_WAIT", w.waiting), unit: "B", bar: 200, most: true}
	wait.ours, err = engineTimeWait(w.waiting)
	return []row{segment, idle, wait}, err
}

func rate(n int64, took time.Duration) float64 { return float64(n) / took.Seconds() }
