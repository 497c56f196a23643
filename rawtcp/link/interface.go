package link

import (
	"errors"
	"net/netip"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Interface is what every link offers to the transport layer above it.
type Interface interface {
	// Buffer returns an empty buffer with room for a packet of MTU bytes, to
	// build a packet in for Send.
	Buffer() []byte
	// Send sends the IP packet, which has all its headers, or says why that
	// cannot be. Either way the packet, which may come from Buffer, belongs to
	// the link from then on. why is the rule that made it, for a trace.
	Send(now time.Duration, packet []byte, why trace.Rule) error
	// MTU returns the length in bytes of the longest packet that can be sent.
	MTU() int
	// Checksums returns who computes the checksums of TCP and UDP.
	Checksums() Checksums
}

// IP is what a host offers to its transport layer: an Interface that knows the
// way, and what RFC 1122, section 3.4, has the layer ask for.
type IP interface {
	Interface
	// Path returns the way to dst, with the address to send from and the MTU,
	// or ErrNoRoute.
	Path(dst netip.Addr) (Path, error)
	// Has reports whether a is an address of this host.
	Has(a netip.Addr) bool
	// IsBroadcast reports whether a is all hosts of some network of this host.
	IsBroadcast(a netip.Addr) bool
}

// Handler is who takes the packets that arrive: a transport layer. The packet
// is a whole IP packet without anything behind it, and is only lent: it is the
// Handler's until Receive returns.
type Handler interface {
	Receive(now time.Duration, packet []byte)
}

// Checksums says who computes the checksums of TCP and UDP. With the zero
// value the transport layer does, both ways.
type Checksums struct {
	// Send is what the transport layer is to put into the packets it sends.
	Send wire.ChecksumMode
	// Offloaded is set if a packet that arrives may have a checksum of the
	// pseudo-header only, and is whole all the same: its sender is on this
	// machine, or the device has looked at it.
	Offloaded bool
}

// What Send answers.
var (
	// ErrNoRoute: no route leads to the destination (ENETUNREACH).
	ErrNoRoute = errors.New("network is unreachable")
	// ErrDown: the host or its interface is down (ENETDOWN).
	ErrDown = errors.New("network is down")
	// ErrTooBig: the packet is longer than the MTU and may not be fragmented
	// (EMSGSIZE).
	ErrTooBig = errors.New("message too long")
	// ErrMalformed: this is no IP packet (EINVAL).
	ErrMalformed = errors.New("not an IP packet")
)
