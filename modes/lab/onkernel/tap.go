//go:build linux

package onkernel

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// openTap makes an interface in the namespace of the calling thread. What the
// kernel sends on it can be read from the file, a frame (or with pointToPoint a
// packet) at a time, and what is written there it receives. The interface is
// gone when the file is closed.
//
// Nothing is left to a device that is not there: without TUNSETOFFLOAD the
// kernel computes each checksum, and sends no more than the MTU at a time.
func openTap(name string, pointToPoint bool) (*os.File, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", tunDevice, err, remedy(err))
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		mode := uint16(unix.IFF_TAP)
		if pointToPoint {
			mode = unix.IFF_TUN
		}
		ifr.SetUint16(mode | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil {
		// Only now: Go's poller takes none that has no interface yet.
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), tunDevice), nil
}

// remedy says what to do about a device that cannot be opened.
func remedy(err error) string {
	switch err {
	case unix.ENOENT, unix.ENXIO, unix.ENODEV:
		return " (modprobe tun; in a container: --device " + tunDevice + ")"
	case unix.EACCES, unix.EPERM:
		return " (run as root, or let root do: chmod 666 " + tunDevice + ")"
	}
	return ""
}
