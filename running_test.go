//go:build linux

package main

import (
	"sync"
	"time"
)

// running is how far a program has come that a test has started.
type running struct {
	mu    sync.Mutex
	more  *sync.Cond // it has said something, or ended
	ended bool
}

func (r *running) init() { r.more = sync.NewCond(&r.mu) }

// until waits for a condition, which it tests with the lock held. It reports
// false if that does not come in time.
func (r *running) until(limit time.Duration, cond func() bool) bool {
	deadline := time.Now().Add(limit)
	timer := time.AfterFunc(limit, r.more.Broadcast)
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !cond() {
		if time.Now().After(deadline) {
			return false
		}
		r.more.Wait()
	}
	return true
}
