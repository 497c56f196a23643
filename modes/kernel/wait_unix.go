//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// Wait wraps poll(2). An error or the end of a connection makes what was
// wanted possible: the read or write will not block, and will tell.
//
// Standard input that is a file is always readable, as poll(2) has it.
func (h *Host) Wait(in []modes.Interest, d time.Duration) error {
	var few [4]unix.PollFd
	fds := few[:0]
	for i := range in {
		in[i].CanRead, in[i].CanWrite = false, false
		fds = append(fds, pollFd(&in[i]))
	}
	deadline := time.Time{}
	if d >= 0 {
		deadline = time.Now().Add(d)
	}
	if err := pollUntil(fds, deadline); err != nil {
		return err
	}
	const trouble = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	for i := range in {
		got := fds[i].Revents
		in[i].CanRead = in[i].Read && got&(unix.POLLIN|trouble) != 0
		in[i].CanWrite = in[i].Write && got&(unix.POLLOUT|trouble) != 0
	}
	return nil
}

func pollFd(in *modes.Interest) unix.PollFd {
	fd := unix.PollFd{Fd: 0}
	if in.Socket != nil {
		fd.Fd = int32(in.Socket.(*socket).fd)
	}
	if in.Read {
		fd.Events |= unix.POLLIN
	}
	if in.Write {
		fd.Events |= unix.POLLOUT
	}
	if fd.Events == 0 {
		// poll would tell of errors unasked, at once and for ever. "If this
		// field is negative, then the corresponding events field is ignored".
		fd.Fd = -1
	}
	return fd
}

// pollUntil polls until the deadline, for ever if it is zero. After a signal
// it goes on for the time that is left.
func pollUntil(fds []unix.PollFd, deadline time.Time) error {
	for {
		rest := time.Duration(-1)
		if !deadline.IsZero() {
			rest = max(0, time.Until(deadline))
		}
		n, err := poll(fds, rest)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n > 0 || rest == 0:
			return nil
		}
		// The clock that poll sleeps by may end a hair before the deadline:
		// look again.
	}
}

// pollOne waits for one descriptor, and reports whether it became ready.
func pollOne(fd int, events int16, deadline time.Time) (ready bool, err error) {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
	err = pollUntil(fds[:], deadline)
	return fds[0].Revents != 0, err
}
