package ether

import (
	"time"

	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// The queueing discipline of the interface is not passed by (PACKET_QDISC_BYPASS):
// a tcpdump on this machine would see nothing of what this host sends, nor would
// another host on the same interface, and what finds the device busy would be
// lost.

// MaxSegmented returns the length of the longest packet there is.
func (l *Link) MaxSegmented() int { return virtio.MaxPacket }

// Send sends a packet with the next Flush, or when its next host is known.
func (l *Link) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > l.port.mtu {
		l.Return(packet)
		return link.ErrTooBig
	}
	return l.send(packet, nil, 0)
}

// SendSegmented is Send for a packet that the interface cuts into segments.
func (l *Link) SendSegmented(_ time.Duration, header, data []byte, size int, _ trace.Rule) error {
	length := len(header) + len(data)
	if length > virtio.MaxPacket || size <= 0 {
		l.Return(header)
		return link.ErrTooBig
	}
	if len(data) <= size && length <= l.port.mtu {
		size = 0 // there is nothing to cut
	}
	return l.send(header, data, size)
}

func (l *Link) send(packet, data []byte, size int) error {
	_, dst := wire.Addresses(packet)
	if !dst.IsValid() {
		l.Return(packet)
		return link.ErrMalformed
	}
	next := l.next(dst)
	if !next.IsValid() {
		l.Return(packet)
		return link.ErrNoRoute
	}
	l.mu.Lock()
	mac, known := l.neighbors.lookup(next)
	if !known {
		// The data may not be there any more when it is sent.
		l.neighbors.hold(l.now(), next, held{append(packet, data...), size})
		l.follow()
	}
	l.mu.Unlock()
	if known {
		putHead(l.Head()[:], mac, l.mac, packet, len(packet)+len(data), size)
		l.Add(headLen, packet, data)
	}
	return nil
}

// write sends a batch. While the interface has no room it waits: it always gets on,
// whatever the hosts behind it do. What it does not take is lost: it is down, or its
// queue is full.
func (l *Link) write(fd uintptr, b *batch.Batch) bool {
	return b.SendMessages(fd, func([]byte, unix.Errno) { l.lost.Add(1) })
}
