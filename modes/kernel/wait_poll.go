//go:build darwin || freebsd || netbsd || dragonfly

package kernel

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// poll wraps poll(2), which takes its time in milliseconds: rounded up, so
// that a short wait does not become none.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	ms := -1
	if d >= 0 {
		ms = int(min((d+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	return unix.Poll(fds, ms)
}
