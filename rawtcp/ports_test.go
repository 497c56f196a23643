package rawtcp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/wire"
)

// others is another TCP on the same addresses.
type others struct {
	theirs []uint16
	log    []string // what has been asked of it
	fail   error    // what Take answers for a port that is free, if not nil
}

func (o *others) Take(local netip.AddrPort, reuse bool) error {
	if slices.Contains(o.theirs, local.Port()) {
		return rawtcp.ErrInUse
	}
	text := "take " + local.String()
	if reuse {
		text += " reuse"
	}
	o.log = append(o.log, text)
	return o.fail
}

func (o *others) Release(port uint16) { o.log = append(o.log, fmt.Sprint("release ", port)) }

// want checks what has been asked since the last time.
func (o *others) want(t *testing.T, when string, want ...string) {
	t.Helper()
	if !slices.Equal(o.log, want) {
		t.Errorf("%s: %q, want %q", when, o.log, want)
	}
	o.log = nil
}

// beside returns a Stack that has to share its ports.
func beside(t *testing.T, theirs ...uint16) (*lone, *others) {
	t.Helper()
	l := newLone(t, "", "port-first=50000", "port-last=50002", "port-random=no", "msl=1s")
	o := &others{theirs: theirs}
	l.Stack = rawtcp.New(l, rawtcp.Options{Host: "here", Profile: l.prof, Seed: 1, Ports: o})
	return l, o
}

// A port is taken with the first socket on it, and given back with the last that
// is left of any, TIME_WAIT included.
func TestPortsTaken(t *testing.T) {
	l, o := beside(t)
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Set(l.now, rawtcp.ReuseAddr, 1))
	l.ok(k.Bind(l.now, at(netip.IPv4Unspecified(), 80)))
	l.ok(k.Listen(l.now, 5))
	o.want(t, "after bind", "take 0.0.0.0:80 reuse")
	p := l.peer(at(there, 2000), at(here, 80))
	p.open()
	a, err := k.Accept(l.now)
	l.ok(err)
	l.ok(k.Close(l.now))
	o.want(t, "a connection is left")
	l.ok(a.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	o.want(t, "TIME_WAIT is left")
	l.pass(2 * time.Second)
	o.want(t, "after TIME_WAIT", "release 80")
}

// An ephemeral port that somebody else has is passed over, and one that was asked
// for is in use.
func TestPortsOfOthers(t *testing.T) {
	l, o := beside(t, 80, 50000, 50001)
	k := l.Socket(rawtcp.IPv4)
	if err := k.Bind(l.now, at(here, 80)); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("bind says %v", err)
	}
	l.ok(k.Connect(l.now, at(there, 7)))
	if got := k.Local(); got != at(here, 50002) {
		t.Errorf("from %v", got)
	}
	o.want(t, "after connect", "take 10.0.0.2:50002")
	// There is no other left.
	if err := l.Socket(rawtcp.IPv4).Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("connect says %v", err)
	}
	p := l.peer(at(there, 7), k.Local())
	p.take(wire.SYN)
	p.send(wire.RST|wire.ACK, "")
	o.want(t, "after it was refused", "release 50002")
	if err := k.Err(); err == nil {
		t.Error("it was not refused")
	}
	// The socket has its port, and asks for it again.
	l.ok(k.Connect(l.now, at(there, 7)))
	o.want(t, "after connect", "take 10.0.0.2:50002")
	l.ok(k.Abort(l.now))
	o.want(t, "after abort", "release 50002")

	o.fail = errors.New("too many open files")
	if err := l.Socket(rawtcp.IPv4).Bind(l.now, at(here, 0)); !errors.Is(err, o.fail) {
		t.Errorf("bind says %v", err)
	}
	o.want(t, "after it failed", "take 10.0.0.2:50002")
}

// A connection that takes the place of one in TIME_WAIT never lets its port go.
func TestPortsReused(t *testing.T) {
	l, o := beside(t)
	l.prof.ConnectTimeWait, l.prof.TCP.Timestamps, l.prof.RandomPort = true, true, true
	l.prof.LastPort = l.prof.FirstPort // the only one
	dial := func() *rawtcp.Socket {
		k := l.Socket(rawtcp.IPv4)
		l.ok(k.Connect(l.now, at(there, 7)))
		return k
	}
	k := dial()
	p := l.peer(at(there, 7), k.Local())
	p.syn, p.ts = wire.Options{HasTimestamps: true}, 100
	p.take(wire.SYN)
	p.send(wire.SYN|wire.ACK, "")
	p.take(wire.ACK)
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	o.want(t, "in TIME_WAIT", "take 10.0.0.2:50000")
	l.pass(1100 * time.Millisecond)
	k = dial()
	o.want(t, "again", "take 10.0.0.2:50000")
	l.ok(k.Abort(l.now))
	o.want(t, "after abort", "release 50000")
}
