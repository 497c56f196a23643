//go:build linux

package onkernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"sock/rawtcp/wire"
)

// netlink is a socket of rtnetlink(7), which sets up the namespace that it was
// made in.
type netlink struct {
	fd  int
	seq uint32
}

func newNetlink() (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &netlink{fd: fd}, nil
}

func (n *netlink) close() { unix.Close(n.fd) }

// message is the body of a request: a struct of the kernel's, and attributes.
type message []byte

// newMessage begins one with a struct of package unix.
func newMessage(head any) message {
	b, err := binary.Append(nil, binary.NativeEndian, head)
	if err != nil {
		panic(err) // it is no struct of a fixed size
	}
	return b
}

// with adds an attribute, which begins at a multiple of 4.
func (m message) with(kind uint16, value []byte) message {
	m = binary.NativeEndian.AppendUint16(m, uint16(unix.SizeofRtAttr+len(value)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = append(m, value...)
	for len(m)%unix.RTA_ALIGNTO != 0 {
		m = append(m, 0)
	}
	return m
}

func (m message) withNumber(kind uint16, n uint32) message {
	return m.with(kind, binary.NativeEndian.AppendUint32(nil, n))
}

// request sends m, and returns the kernel's answer.
func (n *netlink) request(kind, flags uint16, m message) error {
	n.seq++
	head := newMessage(unix.NlMsghdr{
		Len: uint32(unix.SizeofNlMsghdr + len(m)), Type: kind, Seq: n.seq,
		Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK | flags,
	})
	if err := unix.Sendto(n.fd, append(head, m...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	b := make([]byte, 8192)
	got, _, err := unix.Recvfrom(n.fd, b, 0)
	if err != nil {
		return err
	}
	// An acknowledgment is an error with the number 0 (netlink(7)).
	if got < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return unix.EPROTO
	}
	if number := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); number != 0 {
		return unix.Errno(-number)
	}
	return nil
}

// up brings an interface up. An MTU of 0 and a zero MAC are left as they are.
func (n *netlink) up(index, mtu int, mac wire.MAC) error {
	m := newMessage(unix.IfInfomsg{Index: int32(index), Flags: unix.IFF_UP, Change: unix.IFF_UP})
	if mtu != 0 {
		m = m.withNumber(unix.IFLA_MTU, uint32(mtu))
	}
	if mac != (wire.MAC{}) {
		m = m.with(unix.IFLA_ADDRESS, mac[:])
	}
	return n.request(unix.RTM_NEWLINK, 0, m)
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// address gives an interface an address, and with it a route to its network.
func (n *netlink) address(index int, p netip.Prefix, broadcast netip.Addr) error {
	head := unix.IfAddrmsg{Family: family(p.Addr()), Prefixlen: uint8(p.Bits()), Index: uint32(index)}
	if p.Addr().Is6() {
		head.Flags = unix.IFA_F_NODAD // nobody else has it
	}
	m := newMessage(head).with(unix.IFA_LOCAL, p.Addr().AsSlice()).with(unix.IFA_ADDRESS, p.Addr().AsSlice())
	if broadcast.IsValid() {
		m = m.with(unix.IFA_BROADCAST, broadcast.AsSlice())
	}
	return n.request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, m)
}

// route adds one through a gateway.
func (n *netlink) route(to netip.Prefix, gateway netip.Addr) error {
	m := newMessage(unix.RtMsg{
		Family: family(gateway), Dst_len: uint8(to.Bits()), Table: unix.RT_TABLE_MAIN,
		Protocol: unix.RTPROT_STATIC, Scope: unix.RT_SCOPE_UNIVERSE, Type: unix.RTN_UNICAST,
	})
	if to.Bits() > 0 {
		m = m.with(unix.RTA_DST, to.Masked().Addr().AsSlice())
	}
	m = m.with(unix.RTA_GATEWAY, gateway.AsSlice())
	return n.request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE, m)
}

// neighbour puts an address into the ARP cache of an interface for good.
func (n *netlink) neighbour(index int, ip netip.Addr, mac wire.MAC) error {
	m := newMessage(unix.NdMsg{Family: family(ip), Ifindex: int32(index), State: unix.NUD_PERMANENT})
	m = m.with(unix.NDA_DST, ip.AsSlice()).with(unix.NDA_LLADDR, mac[:])
	return n.request(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, m)
}
