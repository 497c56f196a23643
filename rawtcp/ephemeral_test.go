package rawtcp_test

import (
	"errors"
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// The Berkeley systems count: 1024 is the first port, 5000 the last, then they
// begin again with what is free.
func TestEphemeralInOrder(t *testing.T) {
	l := newLone(t, "bsd")
	l.silent = true
	held := l.listen(at(here, 1026), 1)
	var ks []*rawtcp.Socket
	for want := 1024; want <= 5000; want++ {
		if want == 1026 {
			continue
		}
		k := l.dial(7)
		if got := int(k.Local().Port()); got != want {
			t.Fatalf("port %d, not %d", got, want)
		}
		ks = append(ks, k)
	}
	k := l.Socket(rawtcp.IPv4)
	if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("no port is left, and connect says %v", err)
	}
	if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("4.4BSD does not share them, but connect says %v", err)
	}
	if err := k.Bind(l.now, at(here, 0)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("nor can bind, which says %v", err)
	}
	if err := k.Listen(l.now, 1); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("nor can listen, which says %v", err)
	}
	l.ok(ks[1000].Close(l.now))
	l.ok(k.Connect(l.now, at(there, 7)))
	if k.Local().Port() != ks[1000].Local().Port() {
		t.Errorf("port %d was free, and %d is taken", ks[1000].Local().Port(), k.Local().Port())
	}
	l.ok(held.Close(l.now))
	if k := l.dial(7); k.Local().Port() != 1026 {
		t.Errorf("port 1026 was free, and %d is taken", k.Local().Port())
	}
}

// Linux and the default profile take ports at random, each once, and then share
// them among connections that go to different sockets.
func TestEphemeralRandom(t *testing.T) {
	for _, name := range []string{"", "linux"} {
		l := newLone(t, name, "port-first=50000", "port-last=50099")
		l.silent = true
		l.listen(at(here, 50050), 1)
		seen := map[uint16]bool{}
		rising := 0
		last := uint16(0)
		for range 99 {
			k := l.dial(7)
			p := k.Local().Port()
			if p < 50000 || p > 50099 || p == 50050 || seen[p] {
				t.Fatalf("%s: port %d", name, p)
			}
			seen[p] = true
			if p > last {
				rising++
			}
			last = p
		}
		if rising > 75 {
			t.Errorf("%s: %d of 99 ports are larger than the one before", name, rising)
		}
		k := l.Socket(rawtcp.IPv4)
		if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrNotHere) {
			t.Errorf("%s: no port is left, and connect says %v", name, err)
		}
		for range 99 {
			l.ok(k.Connect(l.now, at(there, 8)))
			if !seen[k.Local().Port()] {
				t.Errorf("%s: port %d", name, k.Local().Port())
			}
			k = l.Socket(rawtcp.IPv4)
		}
		if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrNotHere) {
			t.Errorf("%s: no port is left for 8 either, and connect says %v", name, err)
		}
		if err := k.Bind(l.now, at(here, 0)); !errors.Is(err, rawtcp.ErrNotHere) {
			t.Errorf("%s: bind shares a port: %v", name, err)
		}
	}
}

// A port in TIME_WAIT is not free, until that is over.
func TestEphemeralTimeWait(t *testing.T) {
	l := newLone(t, "bsd", "port-last=1024")
	k, p := l.connected(7)
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	k = l.Socket(rawtcp.IPv4)
	if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("in TIME_WAIT: %v", err)
	}
	l.pass(l.prof.TCP.MSL * 2)
	if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrWouldBlock) {
		t.Errorf("after 2MSL: %v", err)
	}
}

// One port is enough, and a range without any gives an error.
func TestEphemeralRange(t *testing.T) {
	for _, name := range []string{"bsd", "linux"} {
		l := newLone(t, name, "port-first=65535", "port-last=65535")
		if k := l.dial(7); k.Local().Port() != 65535 {
			t.Errorf("%s: %v", name, k.Local())
		}
		l = newLone(t, name, "port-first=2000", "port-last=1999")
		if err := l.Socket(rawtcp.IPv4).Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrNotHere) {
			t.Errorf("%s, no port: %v", name, err)
		}
		l = newLone(t, name, "port-first=2000", "port-last=1000")
		if err := l.Socket(rawtcp.IPv4).Connect(l.now, at(there, 7)); !errors.Is(err, rawtcp.ErrNotHere) {
			t.Errorf("%s, less than none: %v", name, err)
		}
	}
}

// A socket that is bound to an address but to no port gets one that nobody has.
func TestBindPicksPort(t *testing.T) {
	l := newLone(t, "bsd")
	for want := uint16(1024); want < 1030; want++ {
		k := l.Socket(rawtcp.IPv4)
		l.ok(k.Bind(l.now, at(also, 0)))
		if k.Local() != at(also, want) {
			t.Errorf("%v", k.Local())
		}
		l.ok(k.Listen(l.now, 1))
		if k.State() != tcb.Listen {
			t.Error(k.State())
		}
	}
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Bind(l.now, at(also, 0)))
	l.ok(k.Connect(l.now, at(there, 7)))
	if s := l.one(); s.src != at(also, 1030) {
		t.Errorf("bound to %v, and sent from %v", k.Local(), s.src)
	}
}
