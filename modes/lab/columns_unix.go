//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lab

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// columns returns how wide the terminal is that w writes to, or 0 if it is
// none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
