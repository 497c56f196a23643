package tun

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sock/rawtcp/virtio"
)

// batchLen is how many packets are sent or received in one turn at most.
const batchLen = 32

// batch is packets to be sent. A TUN device takes one with each system call.
type batch struct {
	n       int // how many there are
	bytes   int // in them
	heads   [batchLen][virtio.Len]byte
	packets [batchLen][]byte
	data    [batchLen][]byte // behind the packet

	vector [3]unix.Iovec
	lost   int                   // by send
	write  func(fd uintptr) bool // writeAll, made once
}

func newBatch() *batch {
	b := &batch{}
	b.write = b.writeAll
	return b
}

// add puts one more packet behind those that wait, and reports whether there is
// no room for another.
func (b *batch) add(packet, data []byte, size int) (full bool) {
	length := len(packet) + len(data)
	v := virtio.Outgoing(packet, length, 0, size)
	v.Put(b.heads[b.n][:])
	b.packets[b.n], b.data[b.n] = packet, data
	b.bytes += length
	b.n++
	return b.n == batchLen
}

// send sends the packets, and returns how many the kernel did not take: it has no
// room for them, or the device is down.
func (b *batch) send(c syscall.RawConn) (lost int) {
	b.lost = 0
	_ = c.Write(b.write) // the error is that the device has been closed
	return b.lost
}

func (b *batch) writeAll(fd uintptr) bool {
	for i := range b.n {
		for k, part := range [...][]byte{b.heads[i][:], b.packets[i], b.data[i]} {
			b.vector[k].Base = unsafe.SliceData(part)
			b.vector[k].SetLen(len(part))
		}
		if _, _, errno := unix.Syscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&b.vector[0])), uintptr(len(b.vector))); errno != 0 {
			b.lost++
		}
	}
	return true
}
