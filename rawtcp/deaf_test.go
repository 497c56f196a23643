package rawtcp_test

import (
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// A Stack that tells nobody what it does does the same.
func TestNoSink(t *testing.T) {
	l := newLone(t, "bsd")
	l.Stack = rawtcp.New(l, rawtcp.Options{Profile: l.prof})
	k := l.listen(at(here, 80), 5)
	a, p := l.accepts(k, 2000)
	p.send(wire.ACK|wire.PSH, "hello")
	l.pass(time.Second)
	l.take()
	var b [9]byte
	if n, err := a.Read(l.now, b[:]); n != 5 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	l.Receive(l.now, nil)
	l.ok(a.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	p.seq += 1000
	p.open()
	if a, err := k.Accept(l.now); err != nil || a.State() != tcb.Established {
		t.Error(err)
	}
	if l.Stats().Dropped != 1 || len(l.Netstat(l.now)) != 2 {
		t.Errorf("%+v", l.Stats())
	}
	if err := l.Check(l.now); err != nil {
		t.Error(err)
	}
}

// What there is to know of a socket without a connection.
func TestInfoUnconnected(t *testing.T) {
	l := newLone(t, "")
	k := l.Socket(rawtcp.IPv4)
	if in := k.Info(); in.State != tcb.Closed || in.LocalPort != 0 {
		t.Errorf("%+v", in)
	}
	l.ok(k.Bind(l.now, at(here, 80)))
	l.ok(k.Listen(l.now, 5))
	if in := k.Info(); in.State != tcb.Listen || in.LocalPort != 80 || k.Remote().IsValid() {
		t.Errorf("%+v", in)
	}
}
