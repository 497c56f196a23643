//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// raise sends the signal to this process. POSIX: "at least one signal [...]
// shall be delivered to the sending thread before kill() returns", as no
// thread of a Go program blocks it.
func raise(sig unix.Signal) { unix.Kill(os.Getpid(), sig) }
