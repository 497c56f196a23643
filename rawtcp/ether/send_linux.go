package ether

import (
	"net/netip"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// The queueing discipline of the interface is not passed by (PACKET_QDISC_BYPASS):
// a tcpdump on this machine would see nothing of what this host sends, nor would
// another host on the same interface, and what finds the device busy would be
// lost.

// Buffer returns a buffer for Send or SendSegmented.
func (l *Link) Buffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, l.port.mtu)
}

// MaxSegmented returns the length of the longest packet there is.
func (l *Link) MaxSegmented() int { return virtio.MaxPacket }

// Send sends a packet with the next Flush, or when its next host is known.
func (l *Link) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > l.port.mtu {
		l.put(packet)
		return link.ErrTooBig
	}
	return l.send(packet, nil, 0)
}

// SendSegmented is Send for a packet that the interface cuts into segments.
func (l *Link) SendSegmented(_ time.Duration, header, data []byte, size int, _ trace.Rule) error {
	length := len(header) + len(data)
	if length > virtio.MaxPacket || size <= 0 {
		l.put(header)
		return link.ErrTooBig
	}
	if len(data) <= size && length <= l.port.mtu {
		size = 0 // there is nothing to cut
	}
	return l.send(header, data, size)
}

func (l *Link) send(packet, data []byte, size int) error {
	_, dst, ok := ends(packet)
	if !ok {
		l.put(packet)
		return link.ErrMalformed
	}
	next := l.next(dst)
	if !next.IsValid() {
		l.put(packet)
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
	if known && l.filling.add(mac, l.mac, packet, data, size) {
		l.Flush()
	}
	return nil
}

// Flush sends what waits.
func (l *Link) Flush() {
	if l.filling.n > 0 {
		l.write1(l.filling)
		l.recycle(l.filling)
	}
}

// Waiting returns how many bytes of packets wait for Flush.
func (l *Link) Waiting() int { return l.filling.bytes }

// Swap makes what waits the batch that Write sends. The last Write has returned.
func (l *Link) Swap() {
	l.recycle(l.writing)
	l.filling, l.writing = l.writing, l.filling
}

// Write sends the batch of the last Swap. It may be called while others send.
func (l *Link) Write() { l.write1(l.writing) }

// write1 sends one batch.
func (l *Link) write1(b *batch) {
	if lost := b.send(l.raw); lost > 0 {
		l.lost.Add(uint64(lost))
	}
}

// recycle takes back the buffers of a batch that has been sent.
func (l *Link) recycle(b *batch) {
	for _, p := range b.packets[:b.n] {
		l.put(p)
	}
	b.n, b.bytes = 0, 0
}

// put keeps a buffer for Buffer.
func (l *Link) put(b []byte) {
	if cap(b) >= l.port.mtu && len(l.free) < 2*batchLen {
		l.free = append(l.free, b)
	}
}

// ends returns where an IP packet comes from and goes to.
func ends(packet []byte) (src, dst netip.Addr, ok bool) {
	switch {
	case wire.Version(packet) == 4 && len(packet) >= 20:
		return netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20])), true
	case wire.Version(packet) == 6 && len(packet) >= 40:
		return netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40])), true
	}
	return src, dst, false
}
