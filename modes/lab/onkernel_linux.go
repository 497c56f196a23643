package lab

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"sock/modes/lab/onkernel"
	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
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
				words := []string{"inetd", v.service}
				if h.hasIPv6() {
					words = append(words, "6")
				}
				o.Services = append(o.Services, s.program(words))
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

// hasIPv6 reports whether a host has an address of that version.
func (h *hostLine) hasIPv6() bool {
	return slices.ContainsFunc(h.interfaces, func(i interfaceLine) bool { return i.prefix.Addr().Is6() })
}
