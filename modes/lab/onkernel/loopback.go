//go:build linux

package onkernel

import (
	"fmt"
	"net"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"sock/rawtcp/trace"
)

// loopback is the name of the interface of a host to itself, and of its link.
const loopback = "lo"

// openLoopback returns what a tcpdump on lo reads in the namespace of the
// calling thread: each packet, without a header, when it is received. (It is
// seen twice, but sending it is receiving it.)
func openLoopback() (*os.File, error) {
	i, err := net.InterfaceByName(loopback)
	if err != nil {
		return nil, err
	}
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in the order of the network
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index})
	}
	if err != nil {
		return nil, fmt.Errorf("packets of %s: %w", loopback, err)
	}
	return os.NewFile(uintptr(fd), loopback), nil
}

// readLoopback takes what h sends to itself, until the file is closed.
func (h *Host) readLoopback(file *os.File) {
	buf := make([]byte, 1<<17)
	for {
		n, err := file.Read(buf)
		if err != nil {
			return
		}
		packet := slices.Clone(buf[:n])
		if !h.w.see(func() { h.looped(packet) }) {
			return
		}
	}
}

// looped tells of a packet that h has sent and received.
func (h *Host) looped(packet []byte) {
	w := h.w
	e := trace.Event{Host: h.name, Interface: loopback, Link: loopback, ID: w.newID(), Packet: packet}
	e.Kind = trace.Sent
	w.tell(e)
	h.onlooker.sent(w.now, packet)
	e.Kind = trace.Received
	w.tell(e)
	h.onlooker.received(w.now, packet)
}
