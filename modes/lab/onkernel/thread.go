//go:build linux

package onkernel

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// thread is a thread of the operating system that has a namespace of its own.
// What is to happen there is done by it.
type thread struct{ jobs chan func() }

func newThread() *thread {
	t := &thread{jobs: make(chan func())}
	go t.live()
	return t
}

// live never unlocks the thread, which so ends with it.
func (t *thread) live() {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread cannot end, and /proc/self is about it: let another
		// one do the work.
		done := make(chan struct{})
		go func() {
			defer close(done)
			t.live()
		}()
		<-done
		runtime.UnlockOSThread()
		return
	}
	for job := range t.jobs {
		job()
	}
}

// do lets the thread do f, and waits for it.
func (t *thread) do(f func() error) error {
	result := make(chan error)
	t.jobs <- func() { result <- f() }
	return <-result
}

// end ends the thread. What it had a namespace for is gone with the last
// program there.
func (t *thread) end() { close(t.jobs) }
