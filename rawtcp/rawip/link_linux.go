package rawip

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sock/rawtcp"
	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
)

// Link is a link on the addresses and routes of this machine.
//
// What it receives has the headers that were on the wire; those of IPv6 without
// extension headers, and put together from what the kernel tells of them.
//
// It is no loop.Batcher: of packets that nobody cuts, each takes much longer to send
// than to make, and to wake another goroutine for a batch of them costs more than it
// saves.
type Link struct {
	*batch.Buffers
	families []*family
	network  *network
	hand     func(packets [][]byte)
	running  sync.WaitGroup
	shut     sync.Once
}

var (
	_ loop.Link    = (*Link)(nil)
	_ rawtcp.Ports = (*Link)(nil)
)

// family is what one version of IP needs.
type family struct {
	is4       bool
	ports     ports
	send      *sender
	tcp, icmp *receiver
}

// Open returns a link, which the caller must Close. The error is ErrPrivilege if
// the process may not have raw sockets.
func Open() (l *Link, err error) {
	l = &Link{Buffers: batch.NewBuffers(longest)}
	defer func() {
		if err != nil {
			_ = l.Close()
			l = nil
		}
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			err = ErrPrivilege
		}
	}()
	if l.network, err = newNetwork(); err != nil {
		return l, err
	}
	for _, is4 := range []bool{true, false} {
		f := &family{is4: is4}
		l.families = append(l.families, f)
		err := f.open(l)
		if errors.Is(err, unix.EAFNOSUPPORT) && !is4 {
			l.families = l.families[:1] // this kernel has no IPv6
		} else if err != nil {
			return l, err
		}
	}
	return l, nil
}

// open opens the sockets. Those of a family that fails are closed with the Link.
func (f *family) open(l *Link) (err error) {
	f.ports.by = map[uint16][]holder{}
	tooBig := func(packet []byte) { l.tooBig(f.is4, packet) }
	if f.send, err = newSender(f.is4, l.Buffers, tooBig); err != nil {
		return err
	}
	if f.tcp, err = newReceiver(f.is4, unix.IPPROTO_TCP, nothing()); err != nil {
		return err
	}
	icmp := unix.IPPROTO_ICMPV6
	if f.is4 {
		icmp = unix.IPPROTO_ICMP
	}
	f.icmp, err = newReceiver(f.is4, icmp, complaints(f.is4))
	return err
}

// family returns that of IPv4 or of IPv6, or nil.
func (l *Link) family(is4 bool) *family {
	for _, f := range l.families {
		if f.is4 == is4 {
			return f
		}
	}
	return nil
}

// Start begins to receive.
func (l *Link) Start(receive func(packets [][]byte)) {
	l.hand = receive
	l.running.Go(l.network.watch)
	for _, f := range l.families {
		l.running.Go(func() { f.tcp.run(func(packets [][]byte) { l.segments(f, packets) }) })
		l.running.Go(func() { f.icmp.run(l.complaints) })
	}
}

// segments hands over those that are for a port that is held. A filter has done
// so already, but not for addresses, and not for what came before it was set.
func (l *Link) segments(f *family, packets [][]byte) {
	ours := packets[:0]
	for _, p := range packets {
		is4, ok := headed(p)
		if ok && f.ports.has(destination(is4, p), destinationPort(is4, p)) {
			ours = append(ours, p)
		}
	}
	if len(ours) > 0 {
		l.hand(ours)
	}
}

// complaints hands over ICMP errors. The kernel may have learned from them what
// the path is like.
func (l *Link) complaints(packets [][]byte) {
	l.network.forgetPaths()
	if len(packets) > 0 {
		l.hand(packets)
	}
}

// MTU returns the length of the longest packet that any path takes.
func (l *Link) MTU() int { return longest }

// Checksums returns that those of packets to be sent must be complete; on those
// that are received a device may have work left.
func (l *Link) Checksums() link.Checksums { return link.Checksums{Offloaded: true} }

// Send sends a packet with the next Flush. One that does not come from a port
// that is held is refused: the kernel's TCP may have that, and its connections
// must not be spoiled.
func (l *Link) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	is4, ok := headed(packet)
	f := l.family(is4)
	switch {
	case !ok || f == nil:
		return link.ErrMalformed
	case len(packet) > longest || is4 && len(packet) > longest4:
		return link.ErrTooBig
	case !f.ports.covered(source(is4, packet), sourcePort(is4, packet)):
		l.Return(packet)
		return rawtcp.ErrNotHere
	}
	f.send.add(is4, packet)
	return nil
}

// Flush sends what waits.
func (l *Link) Flush() {
	for _, f := range l.families {
		f.send.Flush()
	}
}

// Path returns the way to dst, as the kernel goes it now.
func (l *Link) Path(dst netip.Addr) (link.Path, error) { return l.network.path(dst) }

// Has reports whether a is an address of this machine.
func (l *Link) Has(a netip.Addr) bool { return l.network.has(a) }

// IsBroadcast reports whether a is all hosts of a network of this machine.
func (l *Link) IsBroadcast(a netip.Addr) bool { return l.network.isBroadcast(a) }

// Addresses returns those of this machine, those of its loopback interface last.
func (l *Link) Addresses() []netip.Prefix {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	own := l.network.attached()
	return own.Addresses
}

// tooBig tells of a packet that the interface has not taken because it is too
// long for it now: what a router would have told. For a path that is narrower
// than its interface the kernel does so itself.
func (l *Link) tooBig(is4 bool, packet []byte) {
	l.network.forgetPaths()
	length, quote := len(packet), slices.Clone(packet[:min(len(packet), quoted)])
	l.running.Go(func() { // not with the lock of who sends
		p, err := l.Path(destination(is4, quote))
		if err != nil {
			return
		}
		if i, err := net.InterfaceByName(p.Interface); err == nil && i.MTU < length {
			l.hand([][]byte{unreachable(is4, quote, p.MTU)})
		}
	})
}

// quoted is how many bytes of a packet an ICMP error quotes here: all headers.
const quoted = 128

// Close gives all ports back, and ends the link.
func (l *Link) Close() error {
	var errs []error
	l.shut.Do(func() {
		for _, f := range l.families {
			for port := range f.ports.by {
				for _, h := range f.ports.remove(port) {
					errs = append(errs, h.conn.Close())
				}
			}
			if f.send != nil {
				errs = append(errs, f.send.conn.Close())
			}
			for _, r := range []*receiver{f.tcp, f.icmp} {
				if r != nil {
					errs = append(errs, r.conn.Close())
				}
			}
		}
		if l.network != nil {
			errs = append(errs, l.network.changes.Close())
		}
	})
	l.running.Wait()
	return errors.Join(errs...)
}
