package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// gvisor is the program of gVisor's end, in a process of its own: it sends or
// takes so many bytes, by calls of the given size.
type gvisor struct {
	device string
	addr   netip.Prefix
	peer   netip.AddrPort // to connect to, or only a port to listen at
	large  bool           // segments of up to 64 KiB, which the device cuts and joins
	size   int
	bytes  int64
}

const nic = 1

// source connects, sends, and closes.
func (g gvisor) source() error {
	s, err := g.stack()
	if err != nil {
		return err
	}
	c, err := gonet.DialTCP(s, tcpip.FullAddress{Addr: tcpip.AddrFrom4(g.peer.Addr().As4()), Port: g.peer.Port()}, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	buf := make([]byte, g.size)
	for rest := g.bytes; rest > 0; rest -= int64(g.size) {
		if _, err := c.Write(buf); err != nil {
			return err
		}
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	_, err = c.Read(buf) // until the other end closes
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// sink accepts one connection, reads all and closes.
func (g gvisor) sink() error {
	s, err := g.stack()
	if err != nil {
		return err
	}
	l, err := gonet.ListenTCP(s, tcpip.FullAddress{Port: g.peer.Port()}, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	c, err := l.Accept()
	if err != nil {
		return err
	}
	buf := make([]byte, g.size)
	var got int64
	for {
		n, err := c.Read(buf)
		got += int64(n)
		switch {
		case errors.Is(err, io.EOF) && got != g.bytes:
			return fmt.Errorf("%d of %d bytes have arrived", got, g.bytes)
		case errors.Is(err, io.EOF):
			err = c.Close()
			s.Close()
			s.Wait()
			return err
		case err != nil:
			return err
		}
	}
}

// stack returns gVisor's TCP on an AF_PACKET socket, as runsc sets it up, with
// buffers as large as it takes.
func (g gvisor) stack() (*stack.Stack, error) {
	is, err := net.InterfaceByName(g.device)
	if err != nil {
		return nil, err
	}
	fd, err := packetSocket(is.Index, g.large)
	if err != nil {
		return nil, err
	}
	o := fdbased.Options{
		FDs: []int{fd}, MTU: uint32(is.MTU), EthernetHeader: true,
		Address:            tcpip.LinkAddress(is.HardwareAddr),
		PacketDispatchMode: fdbased.RecvMMsg,
		RXChecksumOffload:  true, // over a veth nothing is damaged, and nothing computed
		InterfaceIndex:     is.Index,
	}
	if g.large {
		o.GSOMaxSize = 65536
	}
	e, err := fdbased.New(&o)
	if err != nil {
		return nil, err
	}
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	const buffer = 4 << 20
	sack := tcpip.TCPSACKEnabled(true)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: buffer, Max: buffer}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: buffer, Max: buffer}
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &send, &receive, &moderate} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return nil, errors.New(err.String())
		}
	}
	if err := s.CreateNIC(nic, e); err != nil {
		return nil, errors.New(err.String())
	}
	at := tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFrom4(g.addr.Addr().As4()), PrefixLen: g.addr.Bits()},
	}
	if err := s.AddProtocolAddress(nic, at, stack.AddressProperties{}); err != nil {
		return nil, errors.New(err.String())
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	return s, nil
}

// packetSocket returns an AF_PACKET socket on an interface.
func packetSocket(index int, large bool) (int, error) {
	all := uint16(unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8) // in the order of the network
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all))
	if err != nil {
		return 0, fmt.Errorf("AF_PACKET: %w", err)
	}
	if large {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
			return 0, fmt.Errorf("PACKET_VNET_HDR: %w", err)
		}
	}
	for _, which := range []int{unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, which, 4<<20); err != nil {
			return 0, fmt.Errorf("the buffers of AF_PACKET: %w", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		return 0, fmt.Errorf("bind AF_PACKET: %w", err)
	}
	return fd, nil
}
