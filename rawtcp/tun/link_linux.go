package tun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// Link is the link of a host that is behind a TUN device: at the other end is the
// kernel of this machine, and what it routes. Neither end computes checksums or
// cuts segments without need: see virtio.
type Link struct {
	link.Attached
	*batch.Buffers
	*batch.Queue
	mtu     int
	file    *os.File
	raw     syscall.RawConn
	running sync.WaitGroup
	lost    atomic.Uint64

	down context.Context
	fail context.CancelCauseFunc // has down say why; the first one counts
}

var (
	_ loop.Batcher   = (*Link)(nil)
	_ link.Segmenter = (*Link)(nil)
)

// newMTU is that of a device that is made, in bytes.
const newMTU = 1500

// Attach returns a link behind a TUN device. If it makes the device, the kernel
// gets the first free address of each of the host's networks.
//
// It needs CAP_NET_ADMIN, or a device that belongs to the user; without, the
// error says what can be done.
func Attach(o Options) (*Link, error) {
	there, err := net.InterfaceByName(o.Device)
	if err != nil {
		return create(o)
	}
	l, err := newLink(o.Device, o.Addresses, there.MTU)
	if err != nil {
		return nil, err
	}
	if l.Addresses, err = o.on(there); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// create returns a link behind a new device.
func create(o Options) (*Link, error) {
	var kernel []netip.Prefix
	for _, a := range o.Addresses {
		k, err := kernelSide(a)
		if err != nil {
			return nil, err
		}
		kernel = append(kernel, k)
	}
	l, err := newLink(o.Device, o.Addresses, newMTU)
	if err != nil {
		return nil, err
	}
	if err := SetUp(l.Name, newMTU, kernel); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func newLink(name string, own []netip.Prefix, mtu int) (*Link, error) {
	fd, device, err := open(name, unix.IFF_NO_PI|unix.IFF_VNET_HDR)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), tunFile)
	err = unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, virtio.Len)
	if err == nil {
		const offloads = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads)
	}
	var raw syscall.RawConn
	if err == nil {
		raw, err = f.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", device, err), f.Close())
	}
	l := &Link{mtu: mtu, file: f, raw: raw, Buffers: batch.NewBuffers(mtu)}
	l.Queue = batch.NewQueue(l.Buffers, raw, l.write)
	l.down, l.fail = context.WithCancelCause(context.Background())
	l.Attached = link.Attached{Interface: l, Name: device, Addresses: own}
	return l, nil
}

// Forwards reports whether the kernel passes on what is not for itself, as far as
// that is known.
func (l *Link) Forwards(dst netip.Addr) bool {
	version := "ipv4"
	if dst.Is6() {
		version = "ipv6"
	}
	b, err := os.ReadFile("/proc/sys/net/" + version + "/conf/" + l.Name + "/forwarding")
	return err != nil || string(b) != "0\n"
}

// MTU returns that of the device.
func (l *Link) MTU() int { return l.mtu }

// Checksums returns that nobody computes them: nothing is damaged on the way.
func (l *Link) Checksums() link.Checksums {
	return link.Checksums{Send: wire.ChecksumPseudo, Offloaded: true}
}

// MaxSegmented returns the length of the longest packet there is.
func (l *Link) MaxSegmented() int { return virtio.MaxPacket }

// Send sends a packet with the next Flush.
func (l *Link) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > l.mtu {
		l.Return(packet)
		return link.ErrTooBig
	}
	return l.send(packet, nil, 0)
}

// SendSegmented is Send for a packet that the kernel takes as many segments.
func (l *Link) SendSegmented(_ time.Duration, header, data []byte, size int, _ trace.Rule) error {
	length := len(header) + len(data)
	if length > virtio.MaxPacket || size <= 0 {
		l.Return(header)
		return link.ErrTooBig
	}
	if len(data) <= size && length <= l.mtu {
		size = 0 // there is nothing to cut
	}
	return l.send(header, data, size)
}

func (l *Link) send(packet, data []byte, size int) error {
	v := virtio.Outgoing(packet, len(packet)+len(data), 0, size)
	v.Put(l.Head()[:])
	l.Add(virtio.Len, packet, data)
	return nil
}

// write sends a batch. What the kernel does not take is lost: it has no room, or the
// device is down.
func (l *Link) write(fd uintptr, b *batch.Batch) bool {
	for i := range b.Len() {
		m := b.Message(i)
		_, _, errno := unix.Syscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(m.Iov)), uintptr(m.Iovlen))
		if errno != 0 {
			l.lost.Add(1)
		}
	}
	return true
}

// Lost returns how many packets the kernel did not take.
func (l *Link) Lost() uint64 { return l.lost.Load() }

// Start begins to receive.
func (l *Link) Start(receive func(packets [][]byte)) {
	l.running.Go(func() { l.fail(l.run(receive)) })
}

// run hands over what the kernel sends, until the device is closed or gone.
func (l *Link) run(receive func(packets [][]byte)) error {
	var buffers [batch.Len][]byte
	for i := range buffers {
		buffers[i] = make([]byte, virtio.Len+virtio.MaxPacket)
	}
	packets := make([][]byte, 0, batch.Len)
	for {
		var why error
		packets = packets[:0]
		err := l.raw.Read(func(fd uintptr) bool {
			for i := range buffers {
				var n int
				if n, why = unix.Read(int(fd), buffers[i]); why != nil {
					break
				}
				if p := unpack(buffers[i][:n]); p != nil {
					packets = append(packets, p)
				}
			}
			return len(packets) > 0 || why != unix.EAGAIN
		})
		if len(packets) > 0 {
			receive(packets)
		}
		if err == nil && why != unix.EAGAIN && why != unix.EINTR {
			err = why
		}
		if err != nil {
			if errors.Is(err, unix.EBADFD) {
				return fmt.Errorf("the device %s is gone", l.Name)
			}
			return fmt.Errorf("the device %s: %w", l.Name, err)
		}
	}
}

// unpack returns the packet that has been read, or nil if there is none.
func unpack(b []byte) []byte {
	if len(b) < virtio.Len {
		return nil
	}
	var v virtio.Header
	v.Get(b)
	packet := b[virtio.Len:]
	v.Incoming(packet)
	return packet
}

// Done returns a channel that is closed when the device is gone, or Close was
// called. Err says which.
func (l *Link) Done() <-chan struct{} { return l.down.Done() }

// Err returns nil until Done is closed, then net.ErrClosed after Close.
func (l *Link) Err() error { return context.Cause(l.down) }

// Close ends the link, and the device if Attach has made it.
func (l *Link) Close() error {
	l.fail(net.ErrClosed)
	err := l.file.Close()
	l.running.Wait()
	return err
}
