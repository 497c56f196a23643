package batch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Len is how many packets there are in a Batch at most.
const Len = 32

// Head is room for what a link says of a packet: the headers before it, or an
// address.
type Head [unix.SizeofSockaddrInet6 + 4]byte

// message is struct mmsghdr: see recvmmsg(2).
type message struct {
	unix.Msghdr
	n uint32 // length of what has been received
}

// Batch is packets that are sent or received by one system call.
type Batch struct {
	Heads   [Len]Head
	Packets [Len][]byte

	n        int // how many there are
	bytes    int // in them
	messages [Len]message
	vectors  [Len][3]unix.Iovec

	done        int        // by SendMessages
	why         unix.Errno // of Receive
	write, read func(fd uintptr) bool
}

// NewReceiver returns a Batch that is filled by Receive.
func NewReceiver() *Batch {
	b := &Batch{}
	b.read = b.tryReceive
	return b
}

// Put sets what message i is made of: head, if any, a packet, and data behind it.
func (b *Batch) Put(i int, head, packet, data []byte) {
	b.Packets[i] = packet
	v := &b.vectors[i]
	for k, part := range [...][]byte{head, packet, data} {
		v[k].Base = unsafe.SliceData(part)
		v[k].SetLen(len(part))
	}
	m := &b.messages[i]
	m.Iov = &v[0]
	m.SetIovlen(len(v))
}

// Message returns the header of message i: see recvmsg(2).
func (b *Batch) Message(i int) *unix.Msghdr { return &b.messages[i].Msghdr }

// Received returns how long message i is.
func (b *Batch) Received(i int) int { return int(b.messages[i].n) }

// Len returns how many messages there are.
func (b *Batch) Len() int { return b.n }

// SendMessages sends all messages, and returns false when it has to wait for room:
// the next call goes on. It tells refused of those that the kernel does not take.
func (b *Batch) SendMessages(fd uintptr, refused func(packet []byte, why unix.Errno)) bool {
	for b.done < b.n {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd,
			uintptr(unsafe.Pointer(&b.messages[b.done])), uintptr(b.n-b.done), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			b.done += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			refused(b.Packets[b.done], errno)
			b.done++
		}
	}
	return true
}

// Receive waits for messages. The error is that the socket was closed, or an errno
// of which the socket tells.
func (b *Batch) Receive(c syscall.RawConn) error {
	b.n = 0
	err := c.Read(b.read)
	if err == nil && b.why != 0 {
		err = b.why
	}
	return err
}

// tryReceive reports whether anything has come.
func (b *Batch) tryReceive(fd uintptr) bool {
	var n uintptr
	n, _, b.why = unix.Syscall6(unix.SYS_RECVMMSG, fd,
		uintptr(unsafe.Pointer(&b.messages[0])), Len, unix.MSG_DONTWAIT, 0, 0)
	if b.why == 0 {
		b.n = int(n)
	}
	return b.why != unix.EAGAIN
}
