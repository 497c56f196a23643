//go:build linux

package onkernel

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openPTY opens a terminal: what is written to master is typed, and is read
// from slave line by line. It echoes nothing, and adds no CR to what is
// printed.
func openPTY() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err := master.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	number := 0
	// File.Fd would take it from Go's poller, and then Close would wait for Read.
	controlErr := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(controlErr, err); err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = quiet(int(slave.Fd()))
	}
	if err != nil {
		if slave != nil {
			slave.Close()
		}
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, slave, nil
}

func quiet(fd int) error {
	m, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	m.Lflag &^= unix.ECHO
	m.Oflag &^= unix.OPOST
	return unix.IoctlSetTermios(fd, unix.TCSETS, m)
}

// isCanonical reports whether what is typed is read line by line.
func isCanonical(master *os.File) bool {
	raw, err := master.SyscallConn()
	if err != nil {
		return true
	}
	canonical := true
	_ = raw.Control(func(fd uintptr) { // one that is closed is as good as any
		if m, err := unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			canonical = m.Lflag&unix.ICANON != 0
		}
	})
	return canonical
}
