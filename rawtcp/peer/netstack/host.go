// Package netstack is a host whose TCP is gVisor's, driven by hand in virtual
// time, as a rawtcp.Stack is: one calls Receive with what arrives, and Advance
// when NextDeadline says so.
package netstack

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

const (
	nic = 1
	// queue is how many packets one call may send: more than fit into any
	// window there is here.
	queue = 1 << 13
)

// Host is gVisor's TCP and IP.
type Host struct {
	stack *stack.Stack
	out   *channel.Endpoint
	clock *clock
	ip    link.Interface
}

// New returns a host with the given addresses that sends through ip. Whoever
// has ip is to call Receive with what arrives. All that gVisor leaves to chance
// goes by seed.
func New(ip link.Interface, seed int64, addresses ...netip.Prefix) (*Host, error) {
	h := &Host{
		out:   channel.New(queue, uint32(ip.MTU()), ""),
		clock: &clock{},
		ip:    ip,
	}
	h.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
		Clock:              h.clock,
		RandSource:         newChance(seed),
		SecureRNG:          newChance(seed + 1),
	})
	if err := h.stack.CreateNIC(nic, h.out); err != nil {
		return nil, fmt.Errorf("interface: %s", err)
	}
	for _, a := range addresses {
		p := tcpip.ProtocolAddress{Protocol: family(a.Addr()), AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: tcpip.AddrFromSlice(a.Addr().AsSlice()), PrefixLen: a.Bits(),
		}}
		if err := h.stack.AddProtocolAddress(nic, p, stack.AddressProperties{}); err != nil {
			return nil, fmt.Errorf("address %s: %s", a, err)
		}
	}
	h.stack.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	return h, nil
}

// Close ends the goroutines of h.
func (h *Host) Close() {
	h.stack.Close()
	h.stack.Wait()
	h.out.Close()
}

// Receive takes a packet that has arrived.
func (h *Host) Receive(now time.Duration, packet []byte) {
	h.clock.set(now)
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(bytes.Clone(packet))})
	protocol := header.IPv4ProtocolNumber
	if wire.Version(packet) == 6 {
		protocol = header.IPv6ProtocolNumber
	}
	h.out.InjectInbound(protocol, p)
	p.DecRef()
	h.settle()
}

// Endpoints returns how many sockets and connections there are, with those
// that nobody has any more.
func (h *Host) Endpoints() int {
	return len(h.stack.RegisteredEndpoints()) + len(h.stack.CleanupEndpoints())
}

// NextDeadline returns when Advance is due, and false if no timer runs.
func (h *Host) NextDeadline() (time.Duration, bool) { return h.clock.nextDeadline() }

// Advance runs the timers that are due by now.
func (h *Host) Advance(now time.Duration) {
	h.clock.set(now)
	for t := h.clock.pop(); t != nil; t = h.clock.pop() {
		t.f()
		h.settle()
	}
}

// settle waits until gVisor's goroutines have done all there is to do, and puts
// the packets they have made on their way. To pause them means to wait until
// nothing is left in their queues.
func (h *Host) settle() {
	h.stack.Pause()
	h.stack.Resume()
	for p := h.out.Read(); p != nil; p = h.out.Read() {
		b := h.ip.Buffer()
		for _, s := range p.AsSlices() {
			b = append(b, s...)
		}
		p.DecRef()
		// One that the network does not take is lost, as any other.
		_ = h.ip.Send(h.clock.read(), b, trace.Rule{})
	}
}

func family(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}
