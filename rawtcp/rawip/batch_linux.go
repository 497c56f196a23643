package rawip

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many packets one system call sends or receives at most.
const batch = 32

// message is struct mmsghdr: see recvmmsg(2).
type message struct {
	unix.Msghdr
	n uint32 // length of what has been received
}

// point has m be a packet in p, from or to name.
func (m *message) point(v *unix.Iovec, p []byte, name *unix.RawSockaddrAny, length uint32) {
	v.Base = &p[0]
	v.SetLen(len(p))
	m.Iov = v
	m.SetIovlen(1)
	m.Name, m.Namelen = (*byte)(unsafe.Pointer(name)), length
}

// sendmmsg returns how many of the messages the kernel has taken; if none, errno
// is what it has against the first.
func sendmmsg(fd uintptr, ms []message) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// recvmmsg returns how many messages have come.
func recvmmsg(fd uintptr, ms []message) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}
