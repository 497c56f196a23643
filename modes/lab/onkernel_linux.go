package lab

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/modes/lab/onkernel"
	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// onKernel is a stage on the kernel of this machine.
type onKernel struct {
	*onkernel.World
	lab   *Lab
	exe   string // this program
	ports map[string]*portCounter
}

func newOnKernel(l *Lab, k *Kernel, seed uint64, sink trace.Sink) (stage, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &onKernel{lab: l, exe: exe, ports: map[string]*portCounter{}}
	s.World = onkernel.New(seed, trace.Func(func(e trace.Event) {
		sink.Event(e)
		s.countPorts(&e)
	}))
	s.Interrupt = k.Interrupt
	return s, nil
}

// build makes what the script has on top.
func (s *onKernel) build(steps []step) error {
	for _, h := range s.lab.hosts {
		s.Name(h.name, h.interfaces[0].prefix.Addr())
		for _, i := range h.interfaces[1:] {
			if i.prefix.Addr().Is6() != h.interfaces[0].prefix.Addr().Is6() {
				s.Name(h.name, i.prefix.Addr())
			}
		}
		for _, name := range h.also {
			s.Name(name, h.interfaces[0].prefix.Addr())
		}
	}
	for _, l := range s.lab.links {
		s.Link(l.name, l.LinkOptions)
	}
	for i := range s.lab.hosts {
		h := &s.lab.hosts[i]
		if err := s.host(h, steps); err != nil {
			return err
		}
	}
	if s.lab.emptyARP {
		return nil
	}
	return s.Introduce()
}

// host makes a host.
func (s *onKernel) host(h *hostLine, steps []step) error {
	o := onkernel.HostOptions{Router: h.router, Sysctl: map[string]string{}}
	for _, line := range h.interfaces {
		l := s.FindLink(line.link)
		k := slices.IndexFunc(o.Interfaces, func(i onkernel.Interface) bool { return i.Link == l })
		if k >= 0 {
			o.Interfaces[k].Addresses = append(o.Interfaces[k].Addresses, line.prefix)
			continue
		}
		name := line.name
		if name == "" {
			name = interfaceName(Linux, s.lab.link(line.link).PointToPoint, len(o.Interfaces))
		}
		o.Interfaces = append(o.Interfaces, onkernel.Interface{
			Link: l, Name: name, MAC: line.mac, Addresses: []netip.Prefix{line.prefix},
		})
	}
	b := builder{lab: s.lab}
	for _, v := range h.via {
		routes, err := b.route(h, v)
		if err != nil {
			return mistake(h.no, "%s", err)
		}
		o.Routes = append(o.Routes, routes...)
	}
	for _, st := range steps {
		switch v := st.do.(type) {
		case setting:
			if v.host != anything && v.host != h.name {
				continue
			}
			if strings.HasPrefix(v.value, "msl=") {
				return mistake(st.no, "the kernel has an MSL of 30 s, and %s cannot be had", v.value)
			}
			s.set(h.name, v.value, o.Sysctl)
		case serving:
			if v.host == h.name {
				o.Services = append(o.Services, s.program([]string{"inetd", v.service}))
			}
		}
	}
	_, err := s.Host(h.name, o)
	return err
}

func (s *onKernel) names() trace.Names {
	return trace.Names{Host: s.HostOf, Service: sim.ServiceName}
}

// Step waits for the next thing to happen. There is always something that may.
func (s *onKernel) Step() (bool, error) { return true, s.World.Step() }

func (s *onKernel) resting() bool { return s.Resting() }

// program is the command line of one of package programs.
func (s *onKernel) program(words []string) onkernel.Command {
	offset := s.lab.Clock.Sub(time.Now().Add(-s.Now()))
	return onkernel.Command{Path: s.exe, Args: append([]string{"sock", "--lab", "program", offset.String()}, words...)}
}

func (s *onKernel) start(host string, words []string, stdin *string) (process, error) {
	var c onkernel.Command
	switch words[0] {
	case "sock":
		c = onkernel.Command{Path: s.exe, Args: words}
	case "telnet", "rsh", "date":
		c = s.program(words)
	default:
		return nil, fmt.Errorf("there is no program %q", words[0])
	}
	if p := s.ports[host]; p != nil {
		for !p.isAround() && s.isTaken(host, p.next) {
			s.nextPort(host)
		}
	}
	if stdin != nil {
		c.Stdin = []byte(*stdin)
	}
	p, err := s.World.Start(host, c)
	if err != nil {
		return nil, err
	}
	return kernelProcess{p}, nil
}

type kernelProcess struct{ *onkernel.Process }

func (p kernelProcess) written(but int) (all []piece) {
	for _, o := range p.Output()[but:] {
		all = append(all, piece{o.At, o.Text})
	}
	return all
}

func (s *onKernel) crash(host string)        { s.FindHost(host).Crash() }
func (s *onKernel) reboot(host string) error { return s.FindHost(host).Reboot() }
func (s *onKernel) isUp(host string) bool    { return s.FindHost(host).Up() }
func (s *onKernel) rule(text string) error   { return s.Rule(text) }

func (s *onKernel) change(link string, c link.Conditions) { s.FindLink(link).Set(c) }

func (s *onKernel) inject(link string, packet []byte, why trace.Rule) error {
	return s.FindLink(link).Inject(packet, why)
}

// netstat returns the kernel's tables, the newest connection first, as the
// systems of the book had it.
func (s *onKernel) netstat(host string) (all []sim.Row) {
	for _, transport := range []string{"tcp", "udp"} {
		for _, r := range s.FindHost(host).Sockets(transport) {
			row := sim.Row{Proto: transport, RecvQ: r.RecvQ, SendQ: r.SendQ, Local: r.Local, Foreign: r.Remote}
			if r.Local.Addr().Is6() {
				row.Proto += "6"
			}
			if transport == "tcp" {
				row.State = r.State
			}
			if r.Remote.Port() == 0 {
				row.Foreign = netip.AddrPort{}
			}
			all = append(all, row)
		}
	}
	return all
}

func (s *onKernel) arp(host string) []link.ARPEntry { return s.FindHost(host).ARP() }

// set finds what the kernel has for a setting. Most describe other systems, or
// what no kernel lets anybody choose: those are its own.
func (s *onKernel) set(host, setting string, sysctl map[string]string) {
	name, value, _ := strings.Cut(setting, "=")
	switch name {
	case "port-first", "port-last":
		if n, err := strconv.ParseUint(value, 10, 16); err == nil {
			s.counter(host).set(name, uint16(n))
			sysctl[portRange] = s.ports[host].String()
		}
		return
	case "pmtu":
		if isNo(value) {
			sysctl["net/ipv4/ip_no_pmtu_disc"] = "1"
		}
		return
	}
	file := map[string]string{
		"timestamps": "tcp_timestamps", "wscale": "tcp_window_scaling", "sack": "tcp_sack",
		"rfc1337": "tcp_rfc1337", "backlog-reset": "tcp_abort_on_overflow", "syn-cookies": "tcp_syncookies",
		"syn-retries": "tcp_syn_retries", "synack-retries": "tcp_synack_retries", "retries": "tcp_retries2",
		"keep-idle": "tcp_keepalive_time", "keep-interval": "tcp_keepalive_intvl", "keep-count": "tcp_keepalive_probes",
		"fin-wait-2": "tcp_fin_timeout", "ttl": "ip_default_ttl",
	}[name]
	if file == "" {
		return
	}
	switch at, err := parseTime(value); {
	case isNo(value):
		value = "0"
	case err != nil:
		value = "1" // yes, true, on
	default:
		value = strconv.Itoa(int(at / time.Second))
	}
	sysctl["net/ipv4/"+file] = value
}

func isNo(value string) bool {
	return slices.Contains([]string{"no", "false", "off"}, strings.ToLower(value))
}

const portRange = "net/ipv4/ip_local_port_range"

// portCounter gives out the ephemeral ports of a host in their order, as a
// script with port-first expects it: Linux takes them at random from a range,
// which so has only the next one in it.
// Once around, it is the whole range again.
type portCounter struct{ first, next, last uint16 }

// counter returns that of a host, which gets one.
func (s *onKernel) counter(host string) *portCounter {
	if s.ports[host] == nil {
		s.ports[host] = &portCounter{first: 1024, next: 1024, last: 65535}
	}
	return s.ports[host]
}

func (c *portCounter) set(setting string, n uint16) {
	if setting == "port-last" {
		c.last = n
		return
	}
	c.first, c.next = n, n
}

func (c *portCounter) isAround() bool { return c.next > c.last || c.next == 0 }

func (c *portCounter) String() string {
	if c.isAround() {
		return fmt.Sprintf("%d %d", c.first, c.last)
	}
	return fmt.Sprintf("%d %d", c.next, c.next)
}

// countPorts goes on to the next port when one is used.
func (s *onKernel) countPorts(e *trace.Event) {
	c := s.ports[e.Host]
	if c == nil || e.Kind != trace.Sent || c.isAround() {
		return
	}
	if port, ok := sourcePort(e); !ok || port != c.next {
		return
	}
	s.nextPort(e.Host)
}

func (s *onKernel) nextPort(host string) {
	c := s.ports[host]
	c.next++
	// What comes of it when that fails is seen: the next connect does too.
	_ = s.FindHost(host).Set(portRange, c.String())
}

// isTaken reports whether some socket of the host has a port.
func (s *onKernel) isTaken(host string, port uint16) bool {
	h := s.FindHost(host)
	return slices.ContainsFunc(append(h.Sockets("tcp"), h.Sockets("udp")...), func(r onkernel.Row) bool {
		return r.Local.Port() == port
	})
}

func sourcePort(e *trace.Event) (uint16, bool) {
	var payload []byte
	switch e.Version() {
	case 4:
		var h wire.IPv4
		if h.Decode(e.Packet) != wire.OK || h.Offset != 0 {
			return 0, false
		}
		payload = h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(e.Packet) != wire.OK || h.Offset != 0 {
			return 0, false
		}
		payload = h.Payload
	}
	if len(payload) < 2 {
		return 0, false
	}
	return uint16(payload[0])<<8 | uint16(payload[1]), true
}
