//go:build linux || openbsd

package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// poll wraps ppoll(2), which takes its time in nanoseconds.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	if d < 0 {
		return unix.Ppoll(fds, nil, nil)
	}
	ts := unix.NsecToTimespec(int64(d))
	return unix.Ppoll(fds, &ts, nil)
}
