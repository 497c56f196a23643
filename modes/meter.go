package modes

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts what a source or a sink moves, and tells of it: once a second
// on a terminal, and at the end for --stats and --json. A source is timed until
// its last write returns, which is when the system has the data, not the peer.
// Its counters are atomic because the host may ask for them while a write blocks.
type meter struct {
	*run
	s            Socket
	verb         string
	bytes, calls atomic.Int64
	start        time.Time
	drawn        atomic.Bool // a progress line stands on the terminal
	once         sync.Once   // the result is told once: at the end or at a signal
	stop         func()
}

func (r *run) meter(s Socket, verb string) *meter {
	m := &meter{run: r, s: s, verb: verb, start: r.Now()}
	tick := m.draw
	if !r.StderrIsTerminal() || r.o.Verbose > 0 || r.o.JSON {
		tick = nil
	}
	m.stop = r.Observe(time.Second, tick, func() { m.once.Do(m.tell) })
	return m
}

func (m *meter) add(n int) {
	m.bytes.Add(int64(n))
	m.calls.Add(1)
}

// draw draws the progress line over the one before.
func (m *meter) draw() {
	m.drawn.Store(true)
	fmt.Fprintf(m.Stderr(), "\r%s\x1b[K", m.line())
}

// finish ends the counting and tells the result.
func (m *meter) finish() {
	m.stop()
	m.once.Do(m.tell)
}

func (m *meter) tell() {
	if m.o.JSON {
		m.tellJSON()
		return
	}
	if m.drawn.Load() {
		fmt.Fprintf(m.Stderr(), "\r%s\x1b[K\n", m.line())
	} else if m.o.Stats {
		m.printf("%s", m.line())
	}
}

func (m *meter) line() string {
	n, d := m.bytes.Load(), m.Now().Sub(m.start)
	return fmt.Sprintf("%s %d bytes in %.3f s, %s/s", m.verb, n, d.Seconds(), scale(rate(n, d)))
}

func (m *meter) tellJSON() {
	n, d := m.bytes.Load(), m.Now().Sub(m.start)
	result := struct {
		Role    string         `json:"role"`
		Local   string         `json:"local,omitempty"`
		Peer    string         `json:"peer,omitempty"`
		Bytes   int64          `json:"bytes"`
		Calls   int64          `json:"calls"`
		Seconds float64        `json:"seconds"`
		Rate    float64        `json:"bytes_per_second"`
		TCPInfo map[string]any `json:"tcp_info,omitempty"`
	}{Role: "source", Bytes: n, Calls: m.calls.Load(), Seconds: d.Seconds(), Rate: rate(n, d)}
	if m.o.Server {
		result.Role = "sink"
	}
	if a, err := m.s.Local(); err == nil {
		result.Local = endpoint(a)
	}
	if a, err := m.s.Peer(); err == nil {
		result.Peer = endpoint(a)
	}
	if m.o.TCPInfo {
		result.TCPInfo = map[string]any{}
		info, _ := m.s.Info()
		for _, f := range info {
			if d, ok := f.Value.(time.Duration); ok {
				f.Value = d.Seconds()
			}
			result.TCPInfo[f.Name] = f.Value
		}
	}
	line, _ := json.Marshal(result) // strings and numbers: cannot fail
	m.stdout(append(line, '\n'))
}

func rate(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// scale writes a number of bytes with a decimal prefix: 1.25 GB.
func scale(n float64) string {
	for _, prefix := range []string{"", "k", "M", "G"} {
		if n < 1000 {
			return fmt.Sprintf("%.4g %sB", n, prefix)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.4g TB", n)
}
