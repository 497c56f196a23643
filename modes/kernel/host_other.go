//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

// Package kernel is the host that sock usually runs on. This system is not one
// of those it knows.
package kernel

import (
	"errors"
	"runtime"

	"sock/modes"
)

// New fails.
func New() (modes.Host, error) {
	return nil, errors.New("sock does not run on " + runtime.GOOS +
		": it needs the sockets of Linux, macOS, FreeBSD, NetBSD, OpenBSD or DragonFly BSD")
}
