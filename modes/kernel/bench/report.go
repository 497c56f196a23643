//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// describe prints what is compared, and where.
func describe(w io.Writer, all []contestant, s settings) {
	load, _ := os.ReadFile("/proc/loadavg")
	congestion, _ := os.ReadFile(congestionFile)
	where := "not bound to processors"
	if s.pinned {
		where = "sources bound to the first processor, sinks to the second"
	}
	fmt.Fprintf(w, "Medians of %d alternating runs of about %v; %s.\n", s.rounds, s.time, where)
	fmt.Fprintf(w, "%d processors, load averages %s; congestion control %s. MB is 10^6 bytes.\n\n",
		runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:3], " "), strings.TrimSpace(string(congestion)))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(tw, "%s\t%s\n", c.name, c.way)
	}
	tw.Flush()
}

// rate is in MB/s, 10^6 bytes in a second.
func (f *figures) rate(took time.Duration) float64 {
	return float64(f.bytes()) / took.Seconds() / 1e6
}

func (f *figures) median() float64 {
	took := slices.Sorted(slices.Values(f.took))
	n := len(took)
	return f.rate((took[(n-1)/2] + took[n/2]) / 2)
}

// report prints the table of one size and tells whether every bar was reached.
func report(w io.Writer, fs []*figures) (reached bool) {
	byName := map[string]*figures{}
	for _, f := range fs {
		byName[f.name] = f
	}
	reached = true
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "\n%d bytes\tMB/s\tslowest\tfastest\tstart-up\tratio\tof\tbar\t\t\n", fs[0].size)
	for _, f := range fs {
		fmt.Fprintf(tw, "%s\t%.0f\t%.0f\t%.0f\t%.1f ms\t", f.name, f.median(),
			f.rate(slices.Max(f.took)), f.rate(slices.Min(f.took)), f.startUp.Seconds()*1e3)
		if f.bar == 0 {
			fmt.Fprint(tw, "\t\t\t\t\n")
			continue
		}
		num, den := byName["sock"], f
		if f.against != "" {
			num, den = f, byName[f.against]
		}
		ratio := num.median() / den.median()
		verdict := "ok"
		if ratio < f.bar {
			verdict, reached = "BELOW", false
		}
		fmt.Fprintf(tw, "%.3f\t%s / %s\t%.2f\t%s\t\n", ratio, num.name, den.name, f.bar, verdict)
	}
	tw.Flush()
	return reached
}
