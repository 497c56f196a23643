//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

const (
	getTermios      = unix.TIOCGETA
	setTermiosDrain = unix.TIOCSETAW
)
