//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// setAsync makes the socket send this process SIGIO when something happens to
// it (F_SETOWN, then O_ASYNC, which is FIOASYNC by another name), and has each
// SIGIO tell of itself.
func (s *socket) setAsync(v int) error {
	if v != 0 {
		s.h.sigio.Do(s.h.printSIGIO)
		if _, err := unix.FcntlInt(uintptr(s.fd), unix.F_SETOWN, os.Getpid()); err != nil {
			return err
		}
	}
	flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	flags &^= unix.O_ASYNC
	if v != 0 {
		flags |= unix.O_ASYNC
	}
	_, err = unix.FcntlInt(uintptr(s.fd), unix.F_SETFL, flags)
	return err
}

func (s *socket) async() (int, error) {
	flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ASYNC == 0 {
		return 0, err
	}
	return 1, nil
}

func (h *Host) printSIGIO() {
	c := make(chan os.Signal, 16)
	signal.Notify(c, unix.SIGIO)
	go func() {
		for range c {
			io.WriteString(h.Stderr(), "SIGIO\n")
		}
	}()
}
