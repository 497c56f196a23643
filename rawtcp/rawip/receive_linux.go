package rawip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
)

// longest is the length of the longest packet: one of IPv6.
const longest = header6 + 65535

// receiver receives packets of one version of IP and one protocol.
type receiver struct {
	conn     *socket.Conn
	raw      syscall.RawConn
	is4      bool
	protocol byte

	*batch.Batch // of each packet, the Head is where it comes from
	controls     [batch.Len][controlSpace]byte
	buffers      [batch.Len][]byte
}

// flowInfo is IPV6_FLOWINFO of linux/in6.h.
const flowInfo = 11

// controlSpace is enough for the control messages of an IPv6 packet: its
// destination, its hop limit, its flow.
const controlSpace = 128

// newReceiver returns a receiver of what the filter lets through.
func newReceiver(is4 bool, protocol int, filter []bpf.Instruction) (*receiver, error) {
	c, err := socket.Socket(domain(is4), unix.SOCK_RAW, protocol, "raw IP", nil)
	if err != nil {
		return nil, err
	}
	r := &receiver{conn: c, is4: is4, protocol: byte(protocol), Batch: batch.NewReceiver()}
	if err = setFilter(c, filter); err == nil {
		err = setBuffer(c, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	}
	if err == nil && !is4 {
		err = r.wantHeader()
	}
	if err == nil {
		r.raw, err = c.SyscallConn()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	for i := range r.buffers {
		r.buffers[i] = make([]byte, longest)
	}
	return r, nil
}

// wantHeader asks for what the header had said. A raw socket of IPv6 gives only
// what is behind it: ipv6(7).
func (r *receiver) wantHeader() error {
	for _, option := range []int{unix.IPV6_RECVPKTINFO, unix.IPV6_RECVHOPLIMIT, flowInfo} {
		if err := r.conn.SetsockoptInt(unix.SOL_IPV6, option, 1); err != nil {
			return fmt.Errorf("setsockopt IPV6 %d: %w", option, err)
		}
	}
	return nil
}

// run hands over what comes, many packets at once, until the socket is closed.
func (r *receiver) run(receive func(packets [][]byte)) {
	packets := make([][]byte, 0, batch.Len)
	for r.receive() {
		packets = packets[:0]
		for i := range r.Len() {
			if p := r.packet(i); p != nil {
				packets = append(packets, p)
			}
		}
		receive(packets)
	}
}

// receive waits for messages, and returns false when the socket is closed.
func (r *receiver) receive() bool {
	for i := range r.buffers {
		m := r.Message(i)
		p := r.buffers[i]
		if !r.is4 {
			p = p[header6:]
			m.Control = &r.controls[i][0]
			m.SetControllen(controlSpace)
			m.Name, m.Namelen = &r.Heads[i][0], unix.SizeofSockaddrInet6
		}
		r.Put(i, nil, p, nil)
	}
	err := r.Receive(r.raw)
	// An errno tells of an ICMP error, which comes as a packet too.
	_, told := errors.AsType[unix.Errno](err)
	return err == nil || told
}

// packet returns the packet of message i, or nil if it is not whole.
func (r *receiver) packet(i int) []byte {
	m := r.Message(i)
	if m.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return nil
	}
	b := r.buffers[i]
	if r.is4 {
		return b[:r.Received(i)]
	}
	n := r.Received(i)
	from := [16]byte(r.Heads[i][8:]) // struct sockaddr_in6
	rebuild(b[:header6], from, r.protocol, n, r.controls[i][:m.Controllen])
	return b[:header6+n]
}

// rebuild writes the IPv6 header that a packet has had, but for extension
// headers.
func rebuild(h []byte, src [16]byte, protocol byte, length int, control []byte) {
	clear(h)
	h[0] = 6 << 4
	binary.BigEndian.PutUint16(h[4:], uint16(length))
	h[6] = protocol
	copy(h[8:24], src[:])
	for len(control) >= unix.SizeofCmsghdr {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if int(c.Len) > len(control) || int(c.Len) < unix.SizeofCmsghdr {
			return
		}
		data := control[unix.CmsgLen(0):c.Len]
		switch {
		case c.Level != unix.SOL_IPV6:
		case c.Type == unix.IPV6_PKTINFO:
			copy(h[24:40], data)
		case c.Type == unix.IPV6_HOPLIMIT:
			h[7] = byte(binary.NativeEndian.Uint32(data))
		case c.Type == flowInfo: // the traffic class and the flow label
			copy(h[0:4], data)
			h[0] |= 6 << 4
		}
		control = control[min(len(control), unix.CmsgSpace(len(data))):]
	}
}
