package rawtcp_test

import (
	"net/netip"
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// TestPrecedence is Fig 18-22: a client gets to the server that says most about
// the two ends, whichever listened first.
func TestPrecedence(t *testing.T) {
	wild := netip.IPv4Unspecified()
	servers := []struct {
		name  string
		local netip.Addr
		only  netip.AddrPort
	}{
		{"*.80 *.*", wild, netip.AddrPort{}},
		{"here.80 *.*", here, netip.AddrPort{}},
		{"*.80 *.5", wild, at(netip.Addr{}, 5)},
		{"here.80 *.5", here, at(wild, 5)},
		{"*.80 there.*", wild, at(there, 0)},
		{"here.80 there.*", here, at(there, 0)},
		{"*.80 there.5", wild, at(there, 5)},
		{"here.80 there.5", here, at(there, 5)},
	}
	stranger := netip.MustParseAddr("10.0.0.9")
	clients := []struct {
		from, to netip.AddrPort
		order    []string // of those that will do, the best one first
	}{
		{at(there, 5), at(here, 80), []string{
			"here.80 there.5", "*.80 there.5", "here.80 there.*", "*.80 there.*", "here.80 *.5", "*.80 *.5", "here.80 *.*", "*.80 *.*",
		}},
		{at(there, 6), at(here, 80), []string{"here.80 there.*", "*.80 there.*", "here.80 *.*", "*.80 *.*"}},
		{at(stranger, 5), at(here, 80), []string{"here.80 *.5", "*.80 *.5", "here.80 *.*", "*.80 *.*"}},
		{at(stranger, 6), at(here, 80), []string{"here.80 *.*", "*.80 *.*"}},
		{at(there, 5), at(also, 80), []string{"*.80 there.5", "*.80 there.*", "*.80 *.5", "*.80 *.*"}},
		{at(there, 6), at(also, 80), []string{"*.80 there.*", "*.80 *.*"}},
		{at(stranger, 6), at(also, 80), []string{"*.80 *.*"}},
	}
	for _, backwards := range []bool{false, true} {
		l := newLone(t, "bsd", "backlog-max=100")
		listening := map[string]*rawtcp.Socket{}
		for i := range servers {
			s := servers[i]
			if backwards {
				s = servers[len(servers)-1-i]
			}
			k := l.Socket(rawtcp.IPv4)
			l.ok(k.Set(l.now, rawtcp.ReuseAddr, 1))
			k.Restrict(s.only)
			l.ok(k.Bind(l.now, at(s.local, 80)))
			l.ok(k.Listen(l.now, 100))
			listening[s.name] = k
		}
		// The best one is closed each time, so that the next best is seen.
		for _, c := range clients {
			var closed []string
			for _, want := range c.order {
				if listening[want] == nil {
					continue
				}
				p := l.peer(c.from, c.to)
				p.open()
				a, err := listening[want].Accept(l.now)
				if err != nil {
					t.Fatalf("%v to %v is not for %s (closed are %v): %v", c.from, c.to, want, closed, err)
				}
				if a.Local() != c.to || a.Remote() != c.from {
					t.Errorf("%s: accepted %v %v", want, a.Local(), a.Remote())
				}
				l.ok(a.Abort(l.now))
				l.take()
				if want != c.order[len(c.order)-1] {
					l.ok(listening[want].Close(l.now))
					listening[want] = nil
					closed = append(closed, want)
				}
			}
			// Those that were closed listen again.
			for _, s := range servers {
				if listening[s.name] == nil {
					k := l.Socket(rawtcp.IPv4)
					l.ok(k.Set(l.now, rawtcp.ReuseAddr, 1))
					k.Restrict(s.only)
					l.ok(k.Bind(l.now, at(s.local, 80)))
					l.ok(k.Listen(l.now, 100))
					listening[s.name] = k
				}
			}
		}
	}
}

// Of servers that say the same, the one that was bound first has all clients,
// and the next one when that is closed.
func TestPrecedenceOfEquals(t *testing.T) {
	l := newLone(t, "")
	var ks []*rawtcp.Socket
	for range 3 {
		ks = append(ks, l.listen(at(here, 80), 5, rawtcp.ReusePort))
	}
	for i, k := range ks {
		for n := range 3 {
			l.peer(at(there, uint16(2000+10*i+n)), at(here, 80)).open()
			if _, err := k.Accept(l.now); err != nil {
				t.Errorf("client %d of server %d: %v", n, i, err)
			}
		}
		l.ok(k.Close(l.now))
	}
}

// A client that a server does not want is refused, as if nobody listened; the
// server never hears of it. So is one that comes to another address than the
// server's (Fig 18-21).
func TestRestrictionRefuses(t *testing.T) {
	for _, c := range []struct {
		what     string
		local    netip.Addr
		only     netip.AddrPort
		from, to netip.AddrPort
		ok       bool
	}{
		{"another local address", here, netip.AddrPort{}, at(there, 5), at(also, 80), false},
		{"another host", here, at(there, 0), at(also, 5), at(here, 80), false},
		{"another port", here, at(there, 5), at(there, 6), at(here, 80), false},
		{"it", here, at(there, 5), at(there, 5), at(here, 80), true},
		{"anybody, by an address that is unspecified", here, at(netip.IPv4Unspecified(), 0), at(there, 5), at(here, 80), true},
		{"any host", here, at(netip.IPv4Unspecified(), 5), at(there, 5), at(here, 80), true},
		{"any host, another port", here, at(netip.IPv4Unspecified(), 5), at(there, 6), at(here, 80), false},
	} {
		l := newLone(t, "")
		k := l.Socket(rawtcp.IPv4)
		k.Restrict(c.only)
		l.ok(k.Bind(l.now, at(c.local, 80)))
		l.ok(k.Listen(l.now, 5))
		p := l.peer(c.from, c.to)
		p.send(wire.SYN, "")
		if c.ok {
			p.take(wire.SYN | wire.ACK)
			continue
		}
		if s := p.take(wire.RST | wire.ACK); s.Seq != 0 || s.Ack != 1001 {
			t.Errorf("%s: %+v", c.what, s)
		}
		if len(l.Netstat(l.now)) != 1 || k.State() != tcb.Listen {
			t.Errorf("%s: %+v", c.what, l.Netstat(l.now))
		}
	}
}

// A connection goes before any listener: segments are told apart by all four
// numbers (18.11.1).
func TestFourNumbers(t *testing.T) {
	l := newLone(t, "bsd")
	k := l.listen(at(netip.Addr{}, 80), 5)
	var ks []*rawtcp.Socket
	var ps []*peer
	for _, from := range []netip.AddrPort{at(there, 1029), at(there, 1030), at(also, 1029)} {
		for _, to := range []netip.Addr{here, also} {
			p := l.peer(from, at(to, 80))
			p.open()
			a, err := k.Accept(l.now)
			l.ok(err)
			ks, ps = append(ks, a), append(ps, p)
		}
	}
	for i, p := range ps {
		p.send(wire.ACK|wire.PSH, string(rune('a'+i)))
	}
	for i, a := range ks {
		var b [8]byte
		if n, err := a.Read(l.now, b[:]); n != 1 || err != nil || b[0] != byte('a'+i) {
			t.Errorf("%d: %q %v", i, b[:n], err)
		}
	}
}
