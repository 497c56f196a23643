//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// Serve runs serve for one client while the caller goes on. A served client
// waits in system calls of its own, each on a thread, so their number is
// bounded: when the process is full, Serve waits for a client to finish.
func (h *Host) Serve(serve func(modes.Host)) {
	h.slots <- struct{}{}
	h.serving.Add(1)
	go func() {
		defer func() {
			h.serving.Add(-1)
			h.release()
			<-h.slots
		}()
		serve(h)
	}()
}

// maxClients stays below the 10000 threads at which Go's runtime gives up.
const maxClients = 8000

// capacity is how many threads can be spent on clients. The runtime ends the
// process when the system refuses a thread, so a limit is not tried out: half
// of RLIMIT_NPROC, which counts all that the user runs, is left to others.
func capacity() int {
	n := uint64(maxClients)
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &r) == nil {
		n = min(n, uint64(r.Cur)/2)
	}
	n = min(n, threadsAllowed()/2)
	return int(max(n, 1))
}

// release tells an Accept that waits for one that a descriptor is free.
func (h *Host) release() {
	select {
	case h.freed <- struct{}{}:
	default:
	}
}

// awaitDescriptor waits for a descriptor to come free after accept found none,
// and reports whether that is worth while: whether clients are being served.
func (h *Host) awaitDescriptor() bool {
	if h.serving.Load() == 0 {
		// The last client may have gone since accept was made. It tells that
		// its descriptor is free before it is counted out.
		select {
		case <-h.freed:
			return true
		default:
			return false
		}
	}
	select {
	case <-h.freed:
	case <-time.After(time.Second): // another process may have freed one (ENFILE)
	}
	return true
}
