package hub

import (
	"net"
	"net/netip"
)

// bulk is a UDP socket that carries many datagrams with one call, where the
// system can. They lie one behind the other, and all have the same length but the
// last, which may be shorter.
type bulk interface {
	// receive reads datagrams of size bytes each. b has room for longestUDP.
	receive(b []byte) (n, size int, from netip.AddrPort, err error)
	// send sends those in b. What cannot be sent is lost, as any datagram.
	send(b []byte, size int, to netip.AddrPort)
}

// longestUDP is how much one call carries.
const longestUDP = 1 << 16

// newBulk returns the bulk of conn. From then on, conn must not be read.
func newBulk(conn packetConn) bulk {
	if s := newSegmented(conn); s != nil {
		return s
	}
	return oneByOne{conn}
}

// oneByOne is a bulk where each call carries one datagram.
type oneByOne struct{ conn packetConn }

func (o oneByOne) receive(b []byte) (n, size int, from netip.AddrPort, err error) {
	n, from, err = o.conn.ReadFromUDPAddrPort(b)
	return n, n, from, err
}

func (o oneByOne) send(b []byte, size int, to netip.AddrPort) {
	for len(b) > 0 {
		n := min(size, len(b))
		_, _ = o.conn.WriteToUDPAddrPort(b[:n], to)
		b = b[n:]
	}
}

// toPeer is a connected socket as a packetConn.
type toPeer struct{ net.Conn }

// ReadFromUDPAddrPort reads a datagram of the peer, whose address is known.
func (t toPeer) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, err := t.Read(b)
	return n, netip.AddrPort{}, err
}

// WriteToUDPAddrPort sends b to the peer.
func (t toPeer) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return t.Write(b) }

// The most that one call sends: the longest payload of UDP over IPv4, and
// UDP_MAX_SEGMENTS of Linux before 6.9.
const (
	maxRun      = 65507
	maxSegments = 64
)

// eachRun calls f with the messages of a batch, and the token before each: as
// many as can be sent with one call.
func eachRun(batch []byte, f func(run []byte, size int)) {
	length := func(b []byte) int {
		if len(b) == 0 {
			return 0
		}
		_, body, _, _, _ := next(b[tokenLen:], maxMTU)
		return tokenLen + headerLen + len(body)
	}
	for len(batch) > 0 {
		size := length(batch)
		n := size
		for count := 1; count < maxSegments; count++ {
			more := length(batch[n:])
			if more == 0 || more > size || n+more > maxRun {
				break
			}
			n += more
			if more < size {
				break
			}
		}
		f(batch[:n:n], size)
		batch = batch[n:]
	}
}
