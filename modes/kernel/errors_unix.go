//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// bare takes an error of package os down to the system's own.
func bare(err error) error {
	var e unix.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}

// unsupported is the error of what this system does not have.
type unsupported struct{ what string }

func (e unsupported) Error() string { return systemName() + " has no " + e.what }
func (e unsupported) Unwrap() error { return errors.ErrUnsupported }

// systemName is the system's name as its makers write it.
func systemName() string {
	switch runtime.GOOS {
	case "linux":
		return "Linux"
	case "darwin":
		return "macOS"
	case "freebsd":
		return "FreeBSD"
	case "netbsd":
		return "NetBSD"
	case "openbsd":
		return "OpenBSD"
	case "dragonfly":
		return "DragonFly BSD"
	}
	return runtime.GOOS
}
