package kernel

import "golang.org/x/sys/unix"

// newSocket wraps socket(2).
func newSocket(domain, kind int) (int, error) {
	return unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
}

// accept wraps accept4(2).
func accept(fd int) (int, error) {
	n, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	return n, err
}
