package main

import (
	"fmt"
	"testing"
)

func BenchmarkThroughput(b *testing.B) {
	for _, mtu := range []int{1500, 65535} {
		b.Run(fmt.Sprintf("mtu%d/engine", mtu), func(b *testing.B) {
			b.SetBytes(chunk)
			f, err := engineThroughput(mtu, false, int64(b.N)*chunk)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(f.allocs)/float64(f.segments), "allocs/segment")
		})
		for _, kind := range gvisorLinks() {
			b.Run(fmt.Sprintf("mtu%d/gvisor-%s", mtu, kind), func(b *testing.B) {
				b.SetBytes(chunk)
				if _, err := gvisorThroughput(kind, mtu, false, int64(b.N)*chunk); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func BenchmarkConnections(b *testing.B) {
	// More than there are ports for would wait for the end of TIME_WAIT.
	const most = 50_000
	for name, run := range map[string]func(int) error{
		"engine": func(n int) error { _, err := engineConnections(n); return err },
		"gvisor": func(n int) error { _, err := gvisorConnections(n, 1); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for n := b.N; n > 0; n -= most {
				if err := run(min(n, most)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestMemory looks at the bars that do not depend on how fast the machine is.
func TestMemory(t *testing.T) {
	rows, err := measureMemory(work{size: 64 << 20, idle: 1000, waiting: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if !r.met() {
			t.Error("missed: ", r)
		}
	}
}
