package ether

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// Start begins to hand over what arrives.
func (l *Link) Start(receive func(packets [][]byte)) { l.receiver.Store(&receive) }

// run receives until the socket is closed or the interface is gone.
func (l *Link) run() {
	b := batch.NewReceiver()
	for i := range batch.Len {
		b.Put(i, b.Heads[i][:headLen], make([]byte, virtio.MaxPacket), nil)
	}
	packets := make([][]byte, 0, batch.Len)
	for {
		err := b.Receive(l.raw)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENETDOWN):
			// It may come up again, if it is still there.
			if _, err := net.InterfaceByIndex(l.port.index); err != nil {
				l.fail(fmt.Errorf("the interface %s is gone", l.port.name))
				return
			}
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// Something has come that the header of virtio cannot tell: it is
			// lost.
			if _, ok := errors.AsType[unix.Errno](err); !ok {
				l.fail(err)
				return
			}
		}
		packets = packets[:0]
		for i := range b.Len() {
			if p := l.unpack(b.Heads[i][:headLen], b.Packets[i], b.Received(i)-headLen); p != nil {
				packets = append(packets, p)
			}
		}
		l.hand(packets)
	}
}

// unpack returns the IP packet of a frame, of whose packet so many bytes have
// come, or nil if there is none. ARP and neighbor discovery are not for others.
func (l *Link) unpack(h, packet []byte, n int) []byte {
	if n < 0 || n > len(packet) {
		return nil
	}
	packet = packet[:n]
	from := wire.MAC(h[virtio.Len+6:])
	switch wire.EtherType(binary.BigEndian.Uint16(h[virtio.Len+12:])) {
	case wire.EtherARP:
		l.mu.Lock()
		l.neighbors.receiveARP(l.now(), packet)
		l.follow()
		l.mu.Unlock()
		return nil
	case wire.EtherIPv4:
		packet = trim4(packet)
	case wire.EtherIPv6:
		packet = trim6(packet)
		if isNeighbor(packet) {
			l.mu.Lock()
			l.neighbors.receiveNeighbor(l.now(), from, packet)
			l.follow()
			l.mu.Unlock()
			return nil
		}
	default:
		return nil
	}
	var v virtio.Header
	v.Get(h)
	if v.GSO&^virtio.ECN == virtio.UDP {
		return nil // several datagrams under one header
	}
	v.Incoming(packet)
	return packet
}

// trim4 returns the packet without what Ethernet has filled it up with, or nil if
// it is none.
func trim4(b []byte) []byte {
	if wire.Version(b) != 4 || len(b) < 20 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < 20 || n > len(b) {
		return nil
	}
	return b[:n]
}

func trim6(b []byte) []byte {
	if wire.Version(b) != 6 || len(b) < 40 {
		return nil
	}
	n := 40 + int(binary.BigEndian.Uint16(b[4:]))
	if n > len(b) {
		return nil
	}
	return b[:n]
}

// farewell is how long Close waits for an answer to ARP: for the first one, and for
// one that was lost.
const farewell = 2 * time.Second

// finish waits for what was sent to go out: a program that sends one datagram ends
// before it is known to whom.
func (l *Link) finish() {
	l.mu.Lock()
	if l.closed || l.neighbors.holds() == 0 {
		l.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	l.idle = idle
	l.mu.Unlock()
	limit := time.NewTimer(farewell)
	defer limit.Stop()
	select {
	case <-idle:
	case <-l.down.Done():
	case <-limit.C:
	}
}

// Close takes the host off the Ethernet. What was sent goes out before.
func (l *Link) Close() error {
	l.finish()
	l.fail(net.ErrClosed)
	l.mu.Lock()
	l.closed = true
	l.timer.Stop()
	l.mu.Unlock()
	err := l.conn.Close()
	l.running.Wait()
	return err
}
