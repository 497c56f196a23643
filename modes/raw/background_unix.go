//go:build unix

package raw

import (
	"os/signal"
	"syscall"
)

// background lets a process in the background of a terminal read standard input
// without being stopped: the read fails, with EIO.
func background() { signal.Ignore(syscall.SIGTTIN) }
