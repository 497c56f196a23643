package trial_test

import (
	"runtime"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/profile"
)

// Thirty connections that have moved 60 KB each way, one after the other
// between the same two hosts, leave no memory behind: neither the buffers, nor
// anything in the tables.
func TestNothingIsKept(t *testing.T) {
	c := cell{delay: time.Millisecond, loss: .01, reorder: .05, buffer: 100_000}
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) {
			r, err := newRun(c, [2]string{name, name}, 1)
			if err != nil {
				t.Fatal(err)
			}
			again := func(times int) {
				for range times {
					if err := r.run(); err != nil {
						t.Fatal(err)
					}
					if err := r.reopen(60_000); err != nil {
						t.Fatal(err)
					}
				}
			}
			again(5) // tables and the link's buffers grow to their size
			before := heap()
			again(30)
			// Each connection has had four buffers of 64 KB.
			if grown := heap() - before; grown > 100_000 {
				t.Errorf("%d bytes more are in use", grown)
			}
		})
	}
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// reopen begins another connection between the same hosts.
func (r *run) reopen(total int) error {
	for n, u := range r.users {
		r.users[n] = &user{end: n, rnd: u.rnd, total: total, expect: total, buf: u.buf}
	}
	r.watch = nil
	return r.open(rawtcp.IPv4, false, false)
}
