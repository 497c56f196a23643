package trial_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	more   = flag.Int("more", 0, "run the matrix so many more times, with other seeds")
)

// cell is one sort of bad link, and the size of the buffers at both ends of
// it.
type cell struct {
	loss      float64
	delay     time.Duration
	reorder   float64
	duplicate float64
	corrupt   float64
	buffer    int
}

// cells returns the matrix, without the profiles.
func cells() []cell {
	var all []cell
	for _, loss := range []float64{0, .02, .2} {
		for _, delay := range []time.Duration{0, 5 * time.Millisecond, 400 * time.Millisecond} {
			for _, reorder := range []float64{0, .25} {
				for _, duplicate := range []float64{0, .1} {
					for _, corrupt := range []float64{0, .05} {
						for _, buffer := range []int{150, 4096, 100_000} {
							all = append(all, cell{loss, delay, reorder, duplicate, corrupt, buffer})
						}
					}
				}
			}
		}
	}
	return all
}

// conditions are those of the link. What is late is so by more than a round
// trip, and a long delay is never the same.
func (c cell) conditions() link.Conditions {
	return link.Conditions{
		Delay: c.delay, Jitter: c.delay / 4,
		Loss: c.loss, Duplication: c.duplicate, Reordering: c.reorder, Corruption: c.corrupt,
		ReorderBy: 5*time.Millisecond + 3*c.delay,
	}
}

// most is how much an end sends at most.
func (c cell) most() int { return min(10*c.buffer, 30_000) }

const cellHead = "loss%  delay reord%  dup%  bad% buffer"

func (c cell) String() string {
	return fmt.Sprintf("%5g %6v %6g %5g %5g %6d",
		100*c.loss, c.delay, 100*c.reorder, 100*c.duplicate, 100*c.corrupt, c.buffer)
}

const reportHead = "  runs     bytes     time/s  segments    again  timeout   probes      bad"

func (r report) String() string {
	return fmt.Sprintf("%6d %9d %10.1f %9d %8d %8d %8d %8d",
		r.runs, r.bytes, r.time.Seconds(), r.segments, r.again, r.timeouts, r.probes, r.bad)
}

// matrix is what has come of all runs.
type matrix struct {
	sync.Mutex
	cells  map[cell]report
	pairs  map[[2]string]report
	arrows map[arrow]int
	failed bool // one run that has failed is enough to read
}

// TestMatrix runs connections with data in both directions, each profile with
// each, over every sort of bad link: every byte arrives, every segment is as
// it must be, and nothing is left in the end. The reports are kept: a change
// in any of them is a change in how the machine behaves, and should be wanted.
//
// -short does every seventh row; -more looks for what no seed has shown yet.
func TestMatrix(t *testing.T) {
	m := &matrix{cells: map[cell]report{}, pairs: map[[2]string]report{}, arrows: map[arrow]int{}}
	t.Run("cells", func(t *testing.T) {
		for n, c := range cells() {
			if testing.Short() && n%7 != 0 {
				continue
			}
			t.Run(strings.Join(strings.Fields(c.String()), ","), func(t *testing.T) {
				t.Parallel()
				m.row(t, n, c)
			})
		}
	})
	if t.Failed() {
		return
	}
	golden(t, "matrix.txt", m.lines())
}

// row runs all pairs of profiles over one link.
func (m *matrix) row(t *testing.T, n int, c cell) {
	if m.over(false) {
		t.Skip("another row has failed")
	}
	names := profile.Names()
	for i, a := range names {
		for j, b := range names {
			pair := [2]string{a, b}
			for k := range 1 + *more {
				seed := uint64(k*1_000_000 + n*1000 + i*10 + j)
				r, err := newRun(c, pair, seed)
				if err == nil {
					err = r.run()
				}
				if err != nil {
					m.over(true)
					t.Fatalf("%s and %s, seed %d: %v\n%s", a, b, seed, err, lastLines(c, pair, seed))
				}
				if k == 0 {
					m.add(c, pair, r)
				}
			}
		}
	}
}

// over reports whether a run has failed, or notes it.
func (m *matrix) over(now bool) bool {
	m.Lock()
	defer m.Unlock()
	m.failed = m.failed || now
	return m.failed
}

func (m *matrix) add(c cell, pair [2]string, r *run) {
	m.Lock()
	defer m.Unlock()
	sum := m.cells[c]
	sum.add(r.report)
	m.cells[c] = sum
	sum = m.pairs[pair]
	sum.add(r.report)
	m.pairs[pair] = sum
	for a, n := range r.inspector.arrows {
		m.arrows[a] += n
	}
}

// lines returns the matrix as it is printed: by link, by profile, and which
// arrows of the state diagram were taken.
func (m *matrix) lines() []string {
	var all report
	lines := []string{cellHead + reportHead}
	for _, c := range cells() {
		if r, ok := m.cells[c]; ok {
			lines = append(lines, c.String()+r.String())
			all.add(r)
		}
	}
	if testing.Short() {
		return lines
	}
	lines = append(lines, fmt.Sprintf("%-*s%s", len(cellHead), "all", all), "")
	lines = append(lines, fmt.Sprintf("%-*s%s", len(cellHead), "client   server", reportHead))
	for _, a := range profile.Names() {
		for _, b := range profile.Names() {
			name := fmt.Sprintf("%-8s %s", a, b)
			lines = append(lines, fmt.Sprintf("%-*s%s", len(cellHead), name, m.pairs[[2]string{a, b}]))
		}
	}
	lines = append(lines, "")
	for from := range tcb.State(tcb.NumStates) {
		for to := range tcb.State(tcb.NumStates) {
			if n := m.arrows[arrow{from, to}]; n > 0 {
				lines = append(lines, fmt.Sprintf("%-12s -> %-12s %8d", from, to, n))
			}
		}
	}
	return lines
}

// golden compares lines with a file in testdata, or writes it with -update.
// With -short the lines may be some of those in the file.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if testing.Short() {
			t.Fatal("-update wants all of it, not -short")
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	var other []string
	for _, line := range lines {
		if !slices.Contains(want, line) {
			other = append(other, line)
		}
	}
	if n := len(other); n > 0 {
		t.Errorf("%d lines are not in %s, which -update writes anew:\n%s", n, file, strings.Join(other[:min(n, 10)], "\n"))
	}
	if !testing.Short() && len(want) != len(lines) {
		t.Errorf("%s has %d lines, not %d", file, len(want), len(lines))
	}
}
