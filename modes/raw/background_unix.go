//go:build unix

package raw

import (
	"os/signal"
	"syscall"
)

// background lets a process in the background of a terminal read standard input
// without being stopped: the read fails, with EIO. And it lets one whose output
// nobody reads any more remove what it has made before it ends: the write fails,
// with EPIPE.
func background() { signal.Ignore(syscall.SIGTTIN, syscall.SIGPIPE) }
