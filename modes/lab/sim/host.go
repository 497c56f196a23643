package sim

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/udp"
	"sock/rawtcp/wire"
)

// HostOptions are the properties of a host. The zero value, with an interface,
// is a host of today.
type HostOptions struct {
	// Profile is the system; nil is the default one of package profile.
	Profile *profile.Profile
	// TTL is the time to live of what the host sends; 0 is that of Profile.
	TTL uint8
	// Boot is when the host was booted, which may be before the instant 0. It
	// decides the initial sequence numbers and the phase of slow clocks.
	Boot time.Duration
	// Router makes the host forward packets.
	Router     bool
	Interfaces []Interface
	Routes     []link.Route
	// Node has what else IP and ARP can be told.
	Node link.NodeOptions
	// Busy is how long a read or a write of a socket keeps the process that
	// makes it: how slow the machine is.
	Busy time.Duration
	Names
	// Files are those that sock --file can open.
	Files map[string][]byte
}

// Interface is what attaches a host to a link.
type Interface struct {
	Link *link.Link
	Name string // "le0"
	// Addresses are those of the host, each with the prefix length of the
	// network.
	Addresses []netip.Prefix
	MAC       wire.MAC // zero: the network gives it one
}

// Host is a simulated machine.
type Host struct {
	// Node is its place on the network, with its ARP caches and routes.
	Node *link.Node
	// Ports are its interfaces, in the order of HostOptions.
	Ports []*link.Port
	// TCP is nil after a Crash, and another one after each Reboot.
	TCP *rawtcp.Stack
	// UDP is likewise.
	UDP *udp.Stack

	w        *World
	name     string
	index    uint64
	o        HostOptions
	profile  *profile.Profile
	procs    []*Process // those that live
	services []string   // what is started at each boot
	boots    uint64
}

// Host adds a host to the World, and starts it.
func (w *World) Host(name string, o HostOptions) *Host {
	p := o.Profile
	if p == nil {
		p, _ = profile.Get("")
	}
	if o.TTL != 0 {
		p = p.Clone()
		p.TTL = o.TTL
	}
	o.Node.Forwards = o.Node.Forwards || o.Router
	h := &Host{w: w, name: name, index: uint64(len(w.hosts)), o: o, profile: p}
	h.Node = w.Net.Node(name, o.Node)
	for _, i := range o.Interfaces {
		port := h.Node.Attach(i.Link, i.Name, i.Addresses...)
		if i.MAC != (wire.MAC{}) {
			port.SetMAC(i.MAC)
		}
		h.Ports = append(h.Ports, port)
	}
	for _, r := range o.Routes {
		h.Node.AddRoute(r)
	}
	w.hosts = append(w.hosts, h)
	h.boot(o.Boot)
	return h
}

// FillARP puts into the ARP cache of each host all that its neighbours have,
// for good: until the host crashes.
func (w *World) FillARP() {
	for _, h := range w.hosts {
		for _, p := range h.Ports {
			for _, other := range w.hosts {
				other.tellARP(w.now, p)
			}
		}
	}
}

// tellARP tells p of the interfaces of h that are on the same link.
func (h *Host) tellARP(now time.Duration, p *link.Port) {
	for i, mine := range h.Ports {
		if mine == p || mine.Link() != p.Link() {
			continue
		}
		for _, a := range h.o.Interfaces[i].Addresses {
			p.SetARP(now, a.Addr(), mine.MAC())
		}
	}
}

// boot makes what a host has in memory.
func (h *Host) boot(at time.Duration) {
	// Each host, and each life of it, has a chance of its own.
	seed := h.w.seed ^ (h.index+1)<<32 ^ h.boots<<48
	h.boots++
	h.TCP = rawtcp.New(h.Node, rawtcp.Options{
		Host: h.name, Profile: h.profile, Seed: seed, Boot: at, Sink: h.w.sink,
	})
	h.UDP = udp.New(h.Node, udp.Options{Host: h.name, Profile: h.profile, Seed: seed, Sink: h.w.sink})
	h.Node.Handle(handler{h})
	for _, name := range h.services {
		h.inetd(name)
	}
}

// Name returns the name of h.
func (h *Host) Name() string { return h.name }

// Profile returns the system of h. It must not be changed.
func (h *Host) Profile() *profile.Profile { return h.profile }

// Processes returns those that run on h, oldest first.
func (h *Host) Processes() []*Process { return slices.Clone(h.procs) }

// Crash stops h at once: it sends nothing any more, and forgets all that it
// had in memory. What ran on it is gone.
func (h *Host) Crash() {
	h.Node.Crash(h.w.now)
	for _, p := range slices.Clone(h.procs) {
		p.crash()
	}
	h.TCP, h.UDP = nil, nil
}

// Reboot starts h again, after a Crash or with one. Its services run again,
// and nothing else.
func (h *Host) Reboot() {
	if h.Node.Up() {
		h.Crash()
	}
	h.Node.Reboot(h.w.now)
	h.boot(h.w.now)
}

// nextDeadline returns when advance has something to do.
func (h *Host) nextDeadline() (time.Duration, bool) {
	if h.TCP == nil {
		return 0, false
	}
	return h.TCP.NextDeadline()
}

func (h *Host) advance() { h.TCP.Advance(h.w.now) }

// handler takes the packets that arrive to whom they are for.
type handler struct{ *Host }

// Receive hands UDP, and the errors about it, to UDP, and all else to TCP.
func (h handler) Receive(now time.Duration, packet []byte) {
	if !h.UDP.Receive(now, packet) {
		h.TCP.Receive(now, packet)
	}
}
