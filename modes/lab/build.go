package lab

import (
	"fmt"
	"net/netip"
	"slices"

	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/wire"
)

// builder makes the machines of a lab.
type builder struct {
	lab      *Lab
	system   string
	world    *sim.World
	profiles map[string]*profile.Profile // by host
	hosts    map[string]*sim.Host
	ports    map[port]*link.Port
}

func newBuilder(l *Lab, system string, w *sim.World) *builder {
	return &builder{
		lab: l, system: system, world: w,
		profiles: map[string]*profile.Profile{}, hosts: map[string]*sim.Host{}, ports: map[port]*link.Port{},
	}
}

// port names a host's place on a link.
type port struct{ host, link string }

// build makes links and hosts, and sets what the script sets.
func (b *builder) build(steps []step) error {
	for _, l := range b.lab.links {
		b.world.Net.Link(l.name, l.LinkOptions)
	}
	for _, h := range b.lab.hosts {
		name := h.system
		if b.system != Book {
			name = b.system
		}
		p, err := profile.Get(name)
		if err != nil {
			return mistake(h.no, "%s", err)
		}
		b.profiles[h.name] = p
	}
	// The systems are set before the hosts boot, the services started after.
	for _, first := range []bool{true, false} {
		for _, s := range steps {
			v, ok := s.do.(setup)
			if _, isSetting := v.(setting); !ok || isSetting != first {
				continue
			}
			if err := v.prepare(b); err != nil {
				return mistake(s.no, "%s", err)
			}
		}
		if !first {
			continue
		}
		for i := range b.lab.hosts {
			if err := b.host(&b.lab.hosts[i]); err != nil {
				return err
			}
		}
	}
	if !b.lab.emptyARP {
		b.introduce()
	}
	return nil
}

func (s setting) prepare(b *builder) error {
	for _, h := range b.lab.hosts {
		if s.host != anything && s.host != h.name {
			continue
		}
		if err := profile.Set(b.profiles[h.name], s.value); err != nil {
			return err
		}
	}
	return nil
}

func (s serving) prepare(b *builder) error {
	_, err := b.hosts[s.host].Serve(s.service)
	return err
}

func (b *builder) host(h *hostLine) error {
	p := b.profiles[h.name]
	host := b.world.Host(h.name, sim.HostOptions{
		Profile: p, Boot: -h.up, Router: h.router, Busy: h.busy,
		Node:  nodeOptions(p.Name),
		Names: sim.Names{Hosts: b.lab.alsoNames()},
		Files: b.lab.contents(),
	})
	b.hosts[h.name] = host
	for i, line := range h.interfaces {
		if at := b.ports[port{h.name, line.link}]; at != nil {
			at.AddAddress(line.prefix)
			continue
		}
		name := line.name
		if name == "" {
			name = interfaceName(p.Name, b.lab.link(line.link).PointToPoint, i)
		}
		l := b.world.Net.FindLink(line.link)
		at := host.Node.Attach(l, name, line.prefix)
		if line.mac != (wire.MAC{}) {
			at.SetMAC(line.mac)
		}
		b.ports[port{h.name, line.link}] = at
	}
	for _, v := range h.via {
		routes, err := b.route(h, v)
		if err != nil {
			return mistake(h.no, "%s", err)
		}
		for _, r := range routes {
			host.Node.AddRoute(r)
		}
	}
	return nil
}

// route returns the routes through a gateway, which is a host on a link of h,
// or an address.
func (b *builder) route(h *hostLine, v viaLine) (routes []link.Route, err error) {
	gateways := b.gateways(h, v.gateway)
	if len(gateways) == 0 {
		return nil, fmt.Errorf("%s is on no link of %s", v.gateway, h.name)
	}
	for _, g := range gateways {
		to := v.to
		switch {
		case to.IsValid() && to.Addr().Is4() != g.Is4():
			continue
		case !to.IsValid() && g.Is4():
			to = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		case !to.IsValid():
			to = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		routes = append(routes, link.Route{To: to, Gateway: g})
	}
	return routes, nil
}

func (b *builder) gateways(h *hostLine, name string) (all []netip.Addr) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}
	}
	g := b.lab.host(name)
	if g == nil {
		return nil
	}
	for _, theirs := range g.interfaces {
		if slices.ContainsFunc(h.interfaces, func(ours interfaceLine) bool { return ours.link == theirs.link }) {
			all = append(all, theirs.prefix.Addr())
		}
	}
	return all
}

// alsoNames returns the other names of all hosts.
func (l *Lab) alsoNames() map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for _, h := range l.hosts {
		for _, name := range h.also {
			all[name] = h.interfaces[0].prefix.Addr()
		}
	}
	return all
}

func (l *Lab) contents() map[string][]byte {
	all := map[string][]byte{}
	for name, text := range l.files {
		all[name] = []byte(text)
	}
	return all
}

// introduce lets all hosts know the Ethernet addresses of their neighbours,
// as they do after they have talked to each other for a while.
func (b *builder) introduce() {
	for _, h := range b.lab.hosts {
		for _, i := range h.interfaces {
			theirs := b.ports[port{h.name, i.link}]
			for _, other := range b.lab.hosts {
				ours := b.ports[port{other.name, i.link}]
				if ours != nil && ours != theirs && !b.lab.link(i.link).PointToPoint {
					ours.SetARP(0, i.prefix.Addr(), theirs.MAC())
				}
			}
		}
	}
}

// interfaceName is how the system of a host calls its interfaces.
func interfaceName(system string, pointToPoint bool, i int) string {
	name := map[string]string{"bsd": "we", "sunos": "le", "solaris": "le", "svr4": "emd"}[system]
	switch {
	case pointToPoint:
		name = "sl"
	case name == "":
		name = "eth"
	}
	return fmt.Sprintf("%s%d", name, i)
}

// nodeOptions are how the IP and the ARP of a system go about what no profile
// of TCP tells.
func nodeOptions(system string) link.NodeOptions {
	switch system {
	case "bsd", "sunos", "svr4", "solaris":
		return link.NodeOptions{
			ARP: link.ARPOptions{Pending: 1, Requests: -1, Interval: -1}, Quenches: true, Quote: 8,
		}
	case "linux":
		return link.NodeOptions{ARP: link.ARPOptions{Pending: 101}} // unres_qlen
	}
	return link.NodeOptions{}
}
