package hub

import (
	"net"
	"strings"
)

// stranger is said of who cannot be named.
const stranger = "another process"

// Listen lets plugs reach the Hub at place, which is the name of a file, for a
// Unix-domain socket, or "udp:ADDRESS:PORT". It may be called more than once.
//
// A socket's file that a hub has left behind is replaced. If its hub still is
// there, that is an error which names the process.
func (h *Hub) Listen(place string) error {
	if address, ok := strings.CutPrefix(place, "udp:"); ok {
		return h.listenUDP(address)
	}
	l, err := listenFile(place, h.mode)
	if err != nil {
		return err
	}
	if !h.start(l, func() { h.accept(l) }) {
		_ = l.Close() // it is for nothing
		return net.ErrClosed
	}
	return nil
}
