package ether

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

const (
	// batchLen is how many frames one system call sends or receives at most.
	batchLen = 32
	// headLen is what stands before a packet: what the device is to do with
	// it, and the Ethernet header.
	headLen = virtio.Len + wire.EtherLen
)

// head is what stands before a packet.
type head [headLen]byte

// set fills in the head of an IP packet of so many bytes, of which packet has the
// headers. It is to be cut into segments of size bytes of data if that is not 0.
func (h *head) set(to, from wire.MAC, packet []byte, length, size int) {
	v := virtio.Outgoing(packet, length, wire.EtherLen, size)
	v.Put(h[:])
	kind := wire.EtherIPv4
	if wire.Version(packet) == 6 {
		kind = wire.EtherIPv6
	}
	wire.AppendEther(h[:virtio.Len], to, from, kind)
}

// message is struct mmsghdr: see recvmmsg(2).
type message struct {
	unix.Msghdr
	n uint32 // length of what has been received
}

// batch is frames that are sent or received by one system call.
type batch struct {
	n        int // how many there are
	bytes    int // in their packets
	messages [batchLen]message
	vectors  [batchLen][3]unix.Iovec
	heads    [batchLen]head
	packets  [batchLen][]byte

	done, lost  int                   // by send
	why         unix.Errno            // of receive
	write, read func(fd uintptr) bool // trySend and tryReceive, made once
}

func newBatch() *batch {
	b := &batch{}
	b.write, b.read = b.trySend, b.tryReceive
	return b
}

// put sets the packet of frame i, whose head is there, and data behind it.
func (b *batch) put(i int, packet, data []byte) {
	b.packets[i] = packet
	v := &b.vectors[i]
	for k, part := range [...][]byte{b.heads[i][:], packet, data} {
		v[k].Base = unsafe.SliceData(part)
		v[k].SetLen(len(part))
	}
	m := &b.messages[i]
	m.Iov = &v[0]
	m.SetIovlen(len(v))
}

// add puts one more packet behind those that wait, and reports whether there is
// no room for another.
func (b *batch) add(to, from wire.MAC, packet, data []byte, size int) (full bool) {
	length := len(packet) + len(data)
	b.heads[b.n].set(to, from, packet, length, size)
	b.put(b.n, packet, data)
	b.bytes += length
	b.n++
	return b.n == batchLen
}

// send sends the frames, and returns how many were lost. While the interface has
// no room it waits: it always gets on, whatever the hosts behind it do.
func (b *batch) send(c syscall.RawConn) (lost int) {
	b.done, b.lost = 0, 0
	_ = c.Write(b.write) // the error is that the socket has been closed
	return b.lost
}

// trySend reports whether there is nothing left to send.
func (b *batch) trySend(fd uintptr) bool {
	for b.done < b.n {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd,
			uintptr(unsafe.Pointer(&b.messages[b.done])), uintptr(b.n-b.done), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			b.done += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default: // the interface is down, or its queue is full
			b.done++
			b.lost++
		}
	}
	return true
}

// receive waits for frames. The error is that the socket was closed, or what
// happened to the interface.
func (b *batch) receive(c syscall.RawConn) error {
	b.n = 0
	err := c.Read(b.read)
	if err == nil && b.why != 0 {
		err = b.why
	}
	return err
}

// tryReceive reports whether anything has come.
func (b *batch) tryReceive(fd uintptr) bool {
	var n uintptr
	n, _, b.why = unix.Syscall6(unix.SYS_RECVMMSG, fd,
		uintptr(unsafe.Pointer(&b.messages[0])), batchLen, unix.MSG_DONTWAIT, 0, 0)
	if b.why == 0 {
		b.n = int(n)
	}
	return b.why != unix.EAGAIN
}
