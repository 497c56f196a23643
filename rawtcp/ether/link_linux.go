package ether

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// Link is a host's link on an Ethernet. The interface may compute checksums, cut
// long segments and merge short ones: see virtio.
//
// What other programs on the same interface send is received too, so that two
// hosts on it see each other. This machine itself does not: what is sent here
// goes out, and not up.
type Link struct {
	link.Attached
	*batch.Buffers
	*batch.Queue // what sends: the Loop has the lock
	port         port
	mac          wire.MAC
	gateways     []netip.Addr
	conn         *socket.Conn
	raw          syscall.RawConn
	running      sync.WaitGroup
	receiver     atomic.Pointer[func(packets [][]byte)] // nil before Start
	lost         atomic.Uint64

	mu         sync.Mutex // guards what follows
	neighbors  neighbors
	epoch      time.Time
	timer      *time.Timer
	settled    chan error // the addresses are this host's, or not; nil once that is known
	complaints [][]byte   // ICMP errors of this host to itself
	frame      []byte
	idle       chan struct{} // is closed when no packet waits; nil: nobody asks
	closed     bool

	down context.Context
	fail context.CancelCauseFunc // has down say why; the first one counts
}

var (
	_ loop.Batcher   = (*Link)(nil)
	_ link.Segmenter = (*Link)(nil)
	_ loop.Multicast = (*Link)(nil)
)

// Open returns a link on an Ethernet of this machine, once it has seen that
// nobody else has the addresses; that takes 0.6 s. If somebody has, the error is
// an *InUseError.
//
// It needs CAP_NET_RAW; without, the error says what can be done.
func Open(o Options) (*Link, error) {
	all, err := ports()
	if err != nil {
		return nil, err
	}
	p, own, err := choose(all, o)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat("/sys/class/net/" + p.name + "/phy80211")
	l := &Link{
		port: p, mac: ownMAC(&p, err == nil, own[0].Addr()), gateways: o.Gateways,
		Buffers: batch.NewBuffers(p.mtu), epoch: time.Now(), settled: make(chan error, 1),
	}
	l.down, l.fail = context.WithCancelCause(context.Background())
	l.Attached = link.Attached{Interface: l, Name: p.name, Addresses: own}
	l.neighbors = neighbors{
		mac: l.mac, own: own, known: map[netip.Addr]*neighbor{},
		transmit: l.transmit, release: l.release, giveUp: l.giveUp,
	}
	if err := l.open(); err != nil {
		return nil, explain(err, p.name)
	}
	l.running.Go(l.run)
	settled := l.settled
	l.mu.Lock()
	l.timer = time.AfterFunc(time.Hour, l.tick)
	l.neighbors.claim(l.now())
	l.follow()
	l.mu.Unlock()
	select {
	case err = <-settled:
	case <-l.down.Done():
		err = l.Err()
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// room is how much may wait in the socket, in bytes, on either side.
const room = 8 << 20

// open opens the socket. It gets frames only when all is set.
func (l *Link) open() (err error) {
	l.conn, err = socket.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0, "packet", nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = l.conn.Close() // it is for nothing
		}
	}()
	if l.raw, err = l.conn.SyscallConn(); err != nil {
		return err
	}
	l.Queue = batch.NewQueue(l.Buffers, l.raw, l.write)
	if err = l.setFilter(false); err != nil {
		return err
	}
	if err = l.conn.SetsockoptInt(unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return err
	}
	for _, b := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if l.conn.SetsockoptInt(unix.SOL_SOCKET, b[0], room) == nil {
			continue
		}
		// As much as an ordinary user may have.
		if err = l.conn.SetsockoptInt(unix.SOL_SOCKET, b[1], room); err != nil {
			return err
		}
	}
	if err = l.membership(unix.PACKET_ADD_MEMBERSHIP, unix.PACKET_MR_UNICAST, l.mac); err != nil {
		return err
	}
	for _, a := range l.Addresses {
		if a.Addr().Is4() {
			continue
		}
		for _, group := range []netip.Addr{wire.SolicitedNode(a.Addr()), allNodes()} {
			if err = l.membership(unix.PACKET_ADD_MEMBERSHIP, unix.PACKET_MR_MULTICAST, wire.MulticastMAC(group)); err != nil {
				return err
			}
		}
	}
	return l.conn.Bind(&unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: l.port.index})
}

// setFilter has frames come that are for this host, to groups or not.
func (l *Link) setFilter(groups bool) error {
	program, err := bpf.Assemble(untagged(filter(l.mac, l.Addresses, groups)))
	if err != nil {
		return err
	}
	return l.conn.SetBPF(program)
}

// membership has the interface take frames to an Ethernet address, or no longer:
// packet(7).
func (l *Link) membership(change int, kind uint16, mac wire.MAC) error {
	m := unix.PacketMreq{Ifindex: int32(l.port.index), Type: kind, Alen: uint16(len(mac))}
	copy(m.Address[:], mac[:])
	return l.conn.SetsockoptPacketMreq(unix.SOL_PACKET, change, &m)
}

// Join has what is sent to a multicast group come too. That routers do not know of
// it (there is no IGMP) matters only if it is sent on another network.
func (l *Link) Join(group netip.Addr) {
	// Should the interface have no room for it, what comes all the same is taken.
	_ = l.membership(unix.PACKET_ADD_MEMBERSHIP, unix.PACKET_MR_MULTICAST, wire.MulticastMAC(group))
	_ = l.setFilter(true)
}

// Leave undoes Join.
func (l *Link) Leave(group netip.Addr) {
	_ = l.membership(unix.PACKET_DROP_MEMBERSHIP, unix.PACKET_MR_MULTICAST, wire.MulticastMAC(group))
}

func networkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// explain says what can be done about err.
func explain(err error, name string) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("an address of its own on %s needs CAP_NET_RAW: run sock with sudo, "+
			"or allow it once with sudo setcap cap_net_raw+ep on the program; a wire (--wire) needs nothing", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// MAC returns the Ethernet address of the host.
func (l *Link) MAC() wire.MAC { return l.mac }

// MTU returns that of the interface.
func (l *Link) MTU() int { return l.port.mtu }

// Checksums returns that the interface computes them, both ways.
func (l *Link) Checksums() link.Checksums {
	return link.Checksums{Send: wire.ChecksumPseudo, Offloaded: true}
}

// Path returns the way to dst.
func (l *Link) Path(dst netip.Addr) (link.Path, error) {
	p, err := l.Attached.Path(dst)
	if err != nil || p.OnLink || p.Broadcast || p.Multicast || l.next(dst).IsValid() {
		return p, err
	}
	return p, fmt.Errorf("%w: %v is on no network of this host, and there is no --gateway", link.ErrNoRoute, dst)
}

// next returns who gets on the link what is for dst: itself, or a gateway, or
// the zero Addr if there is none.
func (l *Link) next(dst netip.Addr) netip.Addr {
	if dst.IsMulticast() || l.neighbors.onLink(dst) || l.IsBroadcast(dst) {
		return dst
	}
	for _, g := range l.gateways {
		if g.Is4() == dst.Is4() {
			return g
		}
	}
	return netip.Addr{}
}

// Unanswered returns who on the link is to take what is for dst, which Path has
// found, and whether it does not answer, or has not yet.
func (l *Link) Unanswered(dst netip.Addr) (next netip.Addr, is bool) {
	next = l.next(dst)
	l.mu.Lock()
	defer l.mu.Unlock()
	return next, l.neighbors.unanswered(next)
}

// Lost returns how many packets the interface did not take.
func (l *Link) Lost() uint64 { return l.lost.Load() }

// now is the time of neighbors.
func (l *Link) now() time.Duration { return time.Since(l.epoch) }

// follow does what follows from a step of neighbors, with mu held.
func (l *Link) follow() {
	if l.settled != nil {
		if ok, err := l.neighbors.claimed(); ok || err != nil {
			l.settled <- err
			l.settled = nil
		}
	}
	if l.idle != nil && l.neighbors.holds() == 0 {
		close(l.idle)
		l.idle = nil
	}
	if at, ok := l.neighbors.nextDeadline(); ok && !l.closed {
		l.timer.Reset(at - l.now())
	}
}

// tick does what is due.
func (l *Link) tick() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.running.Add(1)
	defer l.running.Done()
	l.neighbors.advance(l.now())
	l.follow()
	complaints := l.complaints
	l.complaints = nil
	l.mu.Unlock()
	l.hand(complaints)
}

// hand hands packets over.
func (l *Link) hand(packets [][]byte) {
	if f := l.receiver.Load(); f != nil && len(packets) > 0 {
		(*f)(packets)
	}
}

// transmit sends a packet of ARP or of neighbor discovery.
func (l *Link) transmit(to wire.MAC, kind wire.EtherType, packet []byte) {
	var nothing virtio.Header
	l.frame = append(l.frame[:0], make([]byte, virtio.Len)...)
	nothing.Put(l.frame)
	l.frame = append(wire.AppendEther(l.frame, to, l.mac, kind), packet...)
	l.writeFrame()
}

// headLen is what stands before a packet: what the device is to do with it, and the
// Ethernet header.
const headLen = virtio.Len + wire.EtherLen

// putHead writes the head of an IP packet of so many bytes, of which packet has the
// headers. It is to be cut into segments of size bytes of data if that is not 0.
func putHead(h []byte, to, from wire.MAC, packet []byte, length, size int) {
	v := virtio.Outgoing(packet, length, wire.EtherLen, size)
	v.Put(h)
	kind := wire.EtherIPv4
	if wire.Version(packet) == 6 {
		kind = wire.EtherIPv6
	}
	wire.AppendEther(h[:virtio.Len], to, from, kind)
}

// release sends a packet that has waited for its next host.
func (l *Link) release(to wire.MAC, x held) {
	l.frame = append(l.frame[:0], make([]byte, headLen)...)
	putHead(l.frame, to, l.mac, x.packet, len(x.packet), x.size)
	l.frame = append(l.frame, x.packet...)
	l.writeFrame()
}

// writeFrame sends the frame. If it cannot be, it is lost as on its way.
func (l *Link) writeFrame() {
	_ = l.raw.Write(func(fd uintptr) bool {
		if _, err := unix.Write(int(fd), l.frame); err != nil {
			l.lost.Add(1)
		}
		return true
	})
}

// giveUp tells this host that another one does not answer. It "MUST" be
// reported: RFC 1122, section 2.4, and RFC 4861, section 7.2.2.
func (l *Link) giveUp(x held) {
	src, dst := wire.Addresses(x.packet)
	if !dst.IsValid() {
		return
	}
	if dst.Is4() {
		m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.HostUnreachable, Body: wire.QuoteIPv4(x.packet, 548)}
		ip := wire.IPv4{TTL: 255, Protocol: wire.ProtoICMP, Src: src, Dst: src, Payload: m.AppendTo(nil)}
		l.complaints = append(l.complaints, ip.AppendTo(nil))
		return
	}
	m := wire.ICMPv6{Type: wire.ICMPv6Unreachable, Code: wire.AddressUnreachable, Body: wire.QuoteIPv6(x.packet)}
	ip := wire.IPv6{
		HopLimit: 255, Protocol: wire.ProtoICMPv6, Src: src, Dst: src,
		Payload: m.AppendTo(nil, src, src, wire.ChecksumFull),
	}
	l.complaints = append(l.complaints, ip.AppendTo(nil))
}

// Done returns a channel that is closed when the interface is gone, or Close was
// called. Err says which.
func (l *Link) Done() <-chan struct{} { return l.down.Done() }

// Err returns nil until Done is closed, then net.ErrClosed after Close.
func (l *Link) Err() error { return context.Cause(l.down) }
