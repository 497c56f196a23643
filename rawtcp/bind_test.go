package rawtcp_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

const (
	addr  = rawtcp.ReuseAddr
	port  = rawtcp.ReusePort
	both  = rawtcp.Option(254) // for the table
	unset = rawtcp.Option(255)
)

// first is what has the port 80 before another socket asks for it.
type first uint8

const (
	boundFirst first = iota
	listenFirst
	childFirst   // a connection of a server that has been closed
	heldFirst    // the same, and the server's child is still open
	clientFirst  // a client that has asked for the port
	waitingFirst // a connection in TIME_WAIT, and no socket
	userWaiting  // a connection in TIME_WAIT whose user has not closed it
	askedWaiting // the same, and it is the user who is bound to the port
)

// TestBind is the table of SO_REUSEADDR and SO_REUSEPORT. In the columns are
// the systems: 4.4BSD, as in_pcbbind is; Linux, as it was measured; and the
// default profile, which is Linux but for TIME_WAIT, where RFC 9293 leaves the
// choice and the book's rule serves servers better.
func TestBind(t *testing.T) {
	wild := netip.IPv4Unspecified()
	set := func(k *rawtcp.Socket, l *lone, o rawtcp.Option) {
		switch o {
		case addr, port:
			l.ok(k.Set(l.now, o, 1))
		case both:
			l.ok(k.Set(l.now, addr, 1))
			l.ok(k.Set(l.now, port, 1))
		}
	}
	for _, c := range []struct {
		what            string
		first           first
		a               netip.Addr
		has             rawtcp.Option
		b               netip.Addr
		asks            rawtcp.Option
		bsd, linux, rfc bool // whether the second may bind
	}{
		{"bound, none", boundFirst, wild, unset, wild, unset, false, false, false},
		{"bound, second asks", boundFirst, wild, unset, wild, addr, false, false, false},
		{"bound, both ask", boundFirst, wild, addr, wild, addr, false, true, true},
		{"bound, both share", boundFirst, wild, port, wild, port, true, true, true},
		{"bound, first shares", boundFirst, wild, port, wild, unset, false, false, false},
		{"bound, second shares", boundFirst, wild, unset, wild, port, false, false, false},
		{"bound here, then also", boundFirst, here, unset, also, unset, true, true, true},
		{"bound here, then here", boundFirst, here, unset, here, addr, false, false, false},
		{"bound here, then any", boundFirst, here, unset, wild, unset, false, false, false},
		{"bound here, then any -A", boundFirst, here, unset, wild, addr, true, false, false},
		{"bound any, then here -A", boundFirst, wild, unset, here, addr, true, false, false},
		{"bound any -A, then here -A", boundFirst, wild, addr, here, addr, true, true, true},
		{"bound any, then here sharing", boundFirst, wild, unset, here, port, true, false, false},

		{"listens, none", listenFirst, wild, unset, wild, unset, false, false, false},
		{"listens -A, then -A", listenFirst, wild, addr, wild, addr, false, false, false},
		{"listens any -A, then here -A", listenFirst, wild, addr, here, addr, true, false, false},
		{"listens here -A, then any -A", listenFirst, here, addr, wild, addr, true, false, false},
		{"listens here, then also", listenFirst, here, unset, also, unset, true, true, true},
		{"listens any, here, both share", listenFirst, wild, port, here, port, true, true, true},
		{"listens, both do both", listenFirst, wild, both, wild, both, true, true, true},

		{"a child, none", childFirst, wild, unset, wild, unset, false, false, false},
		{"a child, second asks", childFirst, wild, unset, wild, addr, true, false, false},
		{"a child, first asked", childFirst, wild, addr, wild, unset, false, false, false},
		{"a child, both ask", childFirst, wild, addr, wild, addr, true, true, true},
		{"a child, second shares", childFirst, wild, unset, wild, port, true, false, false},
		{"a child, at another address", childFirst, wild, unset, also, unset, true, true, true},
		{"a held child, second asks", heldFirst, wild, unset, wild, addr, true, false, false},
		{"a held child, both ask", heldFirst, wild, addr, wild, addr, true, true, true},
		{"a client, none", clientFirst, wild, unset, wild, unset, false, false, false},
		{"a client, second asks", clientFirst, wild, unset, here, addr, true, false, false},
		{"a client, both ask", clientFirst, wild, addr, here, addr, true, true, true},

		{"TIME_WAIT, none", waitingFirst, wild, unset, wild, unset, false, false, false},
		{"TIME_WAIT, second asks", waitingFirst, wild, unset, wild, addr, true, false, true},
		{"TIME_WAIT, first asked", waitingFirst, wild, addr, wild, unset, false, false, false},
		{"TIME_WAIT, both ask", waitingFirst, wild, addr, wild, addr, true, true, true},
		{"TIME_WAIT, second shares", waitingFirst, wild, unset, wild, port, true, false, false},
		{"TIME_WAIT, both share", waitingFirst, wild, port, wild, port, true, true, true},
		{"TIME_WAIT, at another address", waitingFirst, wild, unset, also, unset, true, true, true},
		{"TIME_WAIT of a user, none", userWaiting, wild, unset, wild, unset, false, false, false},
		{"TIME_WAIT of a user, second asks", userWaiting, wild, unset, wild, addr, true, false, true},
		{"TIME_WAIT of a client, none", askedWaiting, wild, unset, wild, unset, false, false, false},
		{"TIME_WAIT of a client, second asks", askedWaiting, wild, unset, wild, addr, true, false, true},
		{"TIME_WAIT of a client, both ask", askedWaiting, wild, addr, wild, addr, true, true, true},
		{"TIME_WAIT of a user, both ask", userWaiting, wild, addr, wild, addr, true, true, true},
	} {
		for name, want := range map[string]bool{
			"bsd": c.bsd, "sunos": c.bsd, "svr4": c.bsd, "solaris": c.bsd, "linux": c.linux, "": c.rfc,
		} {
			l := newLone(t, name)
			k := l.Socket(rawtcp.IPv4)
			set(k, l, c.has)
			l.ok(k.Bind(l.now, at(c.a, 80)))
			l.take80(k, c.first)
			k = l.Socket(rawtcp.IPv4)
			set(k, l, c.asks)
			err := k.Bind(l.now, at(c.b, 80))
			if want && err != nil || !want && !errors.Is(err, rawtcp.ErrInUse) {
				t.Errorf("%s, %s: %v, want %v", c.what, l.prof.Name, err, want)
			}
			// Nothing of that concerns the other family.
			if err := l.Socket(rawtcp.IPv6).Bind(l.now, at(here6, 80)); err != nil {
				t.Errorf("%s, %s: IPv6: %v", c.what, l.prof.Name, err)
			}
		}
	}
}

// take80 has the port 80, to which k is bound, taken in one of the ways.
func (l *lone) take80(k *rawtcp.Socket, by first) {
	l.t.Helper()
	switch by {
	case boundFirst:
		return
	case clientFirst:
		l.ok(k.Connect(l.now, at(there, 7)))
		return
	case askedWaiting:
		l.ok(k.Connect(l.now, at(there, 7)))
		p := l.peer(at(there, 7), k.Local())
		p.syn.HasTimestamps = l.prof.TCP.Timestamps
		p.take(wire.SYN)
		p.send(wire.SYN|wire.ACK, "")
		l.pass(time.Second)
		p.take(wire.ACK)
		l.ok(k.Shutdown(l.now))
		p.take(wire.FIN | wire.ACK)
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
		return
	}
	l.ok(k.Listen(l.now, 5))
	if by == listenFirst {
		return
	}
	a, p := l.accepts(k, 2000)
	l.ok(k.Close(l.now))
	switch by {
	case heldFirst:
		return
	case childFirst:
		l.ok(a.Close(l.now))
		return
	case waitingFirst:
		l.ok(a.Close(l.now))
	case userWaiting:
		l.ok(a.Shutdown(l.now))
	}
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	if rows := l.Netstat(l.now); len(rows) != 1 || rows[0].State != tcb.TimeWait {
		l.t.Fatalf("%+v", rows)
	}
}

// Two sockets of Linux that ask for SO_REUSEADDR may both be bound, but only
// one of them may listen.
func TestSecondToListen(t *testing.T) {
	l := newLone(t, "linux")
	var ks [2]*rawtcp.Socket
	for i := range ks {
		ks[i] = l.Socket(rawtcp.IPv4)
		l.ok(ks[i].Set(l.now, addr, 1))
		l.ok(ks[i].Bind(l.now, at(here, 80)))
	}
	l.ok(ks[0].Listen(l.now, 1))
	if err := ks[1].Listen(l.now, 1); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("the second listens: %v", err)
	}
	l.ok(ks[0].Close(l.now))
	if err := ks[1].Listen(l.now, 1); err != nil {
		t.Errorf("the first is closed: %v", err)
	}
}

// What 4.4BSD has let be bound may listen, in any order.
func TestListenInAnyOrder(t *testing.T) {
	l := newLone(t, "bsd")
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Bind(l.now, at(netip.IPv4Unspecified(), 80)))
	l.listen(at(here, 80), 5, rawtcp.ReuseAddr)
	if err := k.Listen(l.now, 5); err != nil {
		t.Error(err)
	}
}

// Sockets that wait for different clients can share a port, if the later one
// asks for SO_REUSEADDR.
func TestBindRestricted(t *testing.T) {
	for _, name := range []string{"", "linux", "bsd"} {
		l := newLone(t, name)
		l.listen(at(here, 80), 1)
		k := l.Socket(rawtcp.IPv4)
		k.Restrict(at(there, 0))
		if err := k.Bind(l.now, at(here, 80)); !errors.Is(err, rawtcp.ErrInUse) {
			t.Errorf("%s, without -A: %v", name, err)
		}
		l.ok(k.Set(l.now, addr, 1))
		if err := k.Bind(l.now, at(here, 80)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		k = l.Socket(rawtcp.IPv4)
		k.Restrict(at(there, 0))
		l.ok(k.Set(l.now, addr, 1))
		if err := k.Bind(l.now, at(here, 80)); (name == "bsd") != errors.Is(err, rawtcp.ErrInUse) {
			t.Errorf("%s, the same client: %v", name, err)
		}
	}
}

// That does not help against a connection, whoever it is of.
func TestBindRestrictedConnection(t *testing.T) {
	l := newLone(t, "linux")
	listener := l.listen(at(here, 80), 1)
	_, _ = l.accepts(listener, 2000)
	l.ok(listener.Close(l.now))
	k := l.Socket(rawtcp.IPv4)
	k.Restrict(at(there, 0))
	l.ok(k.Set(l.now, addr, 1))
	if err := k.Bind(l.now, at(here, 80)); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("a connection without -A has the port: %v", err)
	}
}

func TestBindErrors(t *testing.T) {
	l := newLone(t, "")
	k := l.Socket(rawtcp.IPv4)
	for _, c := range []struct {
		a    netip.AddrPort
		want error
	}{
		{at(there, 80), rawtcp.ErrNotHere},
		{at(here6, 80), rawtcp.ErrInvalid},
		{at(netip.Addr{}, 80), nil},
		{at(netip.Addr{}, 81), rawtcp.ErrInvalid},
	} {
		if err := k.Bind(l.now, c.a); !errors.Is(err, c.want) {
			t.Errorf("%v: %v, want %v", c.a, err, c.want)
		}
	}
	if k.Local() != at(netip.IPv4Unspecified(), 80) {
		t.Errorf("bound to %v", k.Local())
	}
	l.ok(k.Close(l.now))
	if err := k.Bind(l.now, at(here, 80)); !errors.Is(err, rawtcp.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	k = l.Socket(rawtcp.IPv4)
	if err := k.Bind(l.now, at(here, 80)); err != nil {
		t.Errorf("the port is not free again: %v", err)
	}
	k = l.dial(7)
	if err := k.Bind(l.now, at(here, 81)); !errors.Is(err, rawtcp.ErrInvalid) {
		t.Errorf("while it connects: %v", err)
	}
}

func TestConnectErrors(t *testing.T) {
	l := newLone(t, "")
	for _, c := range []struct {
		a    netip.AddrPort
		want error
	}{
		{at(there, 0), rawtcp.ErrNotHere},
		{at(there6, 7), rawtcp.ErrInvalid},
		{at(netip.MustParseAddr("10.0.0.255"), 7), rawtcp.ErrBroadcast},
		{at(netip.MustParseAddr("224.0.0.1"), 7), rawtcp.ErrBroadcast},
		{at(netip.MustParseAddr("192.0.2.1"), 7), link.ErrNoRoute},
		{at(netip.IPv4Unspecified(), 7), rawtcp.ErrWouldBlock},
	} {
		k := l.Socket(rawtcp.IPv4)
		if err := k.Connect(l.now, c.a); !errors.Is(err, c.want) {
			t.Errorf("%v: %v, want %v", c.a, err, c.want)
		}
		if c.want == rawtcp.ErrWouldBlock {
			continue
		}
		if k.State() != tcb.Closed || k.Local().Port() != 0 {
			t.Errorf("%v: something has remained: %v %v", c.a, k.State(), k.Local())
		}
	}
	s := l.one()
	if !s.dst.Addr().IsLoopback() {
		t.Errorf("0.0.0.0 is %v, not this host", s.dst)
	}
	k := l.Socket(rawtcp.IPv6)
	if err := k.Connect(l.now, at(netip.IPv6Unspecified(), 7)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("::: %v", err)
	}
	if s := l.one(); s.dst.Addr() != netip.IPv6Loopback() {
		t.Errorf(":: is %v, not this host", s.dst)
	}
	if err := l.Socket(rawtcp.IPv6).Connect(l.now, netip.AddrPortFrom(netip.Addr{}, 7)); !errors.Is(err, link.ErrNoRoute) {
		t.Errorf("to no address: %v", err)
	}

	// An interface without an address has none to send from.
	l.noAddress = true
	if err := l.Socket(rawtcp.IPv4).Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("from no address: %v", err)
	}
	l.noAddress = false

	// SO_DONTROUTE: only hosts on a network of our own.
	k = l.Socket(rawtcp.IPv4)
	l.ok(k.Set(l.now, rawtcp.DontRoute, 1))
	if err := k.Connect(l.now, at(netip.MustParseAddr("172.16.0.1"), 7)); !errors.Is(err, link.ErrNoRoute) {
		t.Errorf("to a router, with SO_DONTROUTE: %v", err)
	}
	if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("on the link, with SO_DONTROUTE: %v", err)
	}

	// The loopback address is for this host only.
	k = l.Socket(rawtcp.IPv4)
	l.ok(k.Bind(l.now, at(netip.MustParseAddr("127.0.0.1"), 4001)))
	if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrInvalid) {
		t.Errorf("from the loopback address: %v", err)
	}
	if err := k.Connect(l.now, at(here, 7)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("from the loopback address to this host: %v", err)
	}

	// The same pair of sockets, a second time.
	k = l.Socket(rawtcp.IPv4)
	l.ok(k.Set(l.now, addr, 1))
	l.ok(k.Bind(l.now, at(here, 4000)))
	l.ok(k.Connect(l.now, at(there, 7)))
	k = l.Socket(rawtcp.IPv4)
	l.ok(k.Set(l.now, addr, 1))
	l.ok(k.Bind(l.now, at(here, 4000)))
	if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("the pair is in use: %v", err)
	}
	if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("another pair: %v", err)
	}
}
