package rawtcp_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// record runs a conversation of several hosts over a bad link, and returns all
// that was told of it, with the bytes of every packet.
func record(t *testing.T, prof string, seed uint64) []byte {
	w := newWorld(t, link.LinkOptions{})
	var b bytes.Buffer
	w.net = link.NewNetwork(seed, trace.Func(func(e trace.Event) { fmt.Fprintf(&b, "%+v\n", e) }))
	w.wire = w.net.Link("wire", link.LinkOptions{Conditions: link.Conditions{
		Delay: 5 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.1, Duplication: 0.05, Reordering: 0.1, Corruption: 0.01,
	}})
	server := w.host("server", prof)
	clients := []*host{w.host("one", "linux"), w.host("two", ""), w.host("three", "bsd")}
	l := server.listen(7, 2)
	var ks []*rawtcp.Socket
	for range 3 {
		for _, h := range clients {
			ks = append(ks, h.dial(server, 7))
		}
	}
	serve := func() {
		for l.CanRead() {
			a, err := l.Accept(w.now)
			w.ok(err)
			_, _ = a.Write(w.now, make([]byte, 3000))
			w.ok(a.Shutdown(w.now))
			ks = append(ks, a)
		}
		for _, k := range ks {
			if k.CanRead() {
				_, _ = k.Read(w.now, make([]byte, 500))
			}
		}
	}
	for end := 30 * time.Second; w.step(end); {
		serve()
	}
	w.now = 30 * time.Second
	for i, k := range ks {
		if i%2 == 0 {
			_ = k.Close(w.now)
		} else {
			_ = k.Abort(w.now)
		}
	}
	w.ok(l.Close(w.now))
	w.run(10 * time.Minute)
	for _, h := range w.hosts {
		fmt.Fprintf(&b, "%+v\n%+v\n", h.Netstat(w.now), h.Stats())
	}
	for _, e := range w.log {
		fmt.Fprintf(&b, "%+v\n", e)
	}
	return b.Bytes()
}

// TestSameBytes: the same calls give the same packets, always; another seed of
// the network gives others.
func TestSameBytes(t *testing.T) {
	for _, name := range profile.Names() {
		first := record(t, name, 1)
		if !bytes.Equal(first, record(t, name, 1)) {
			t.Errorf("%s: the second run is another one", name)
		}
		if bytes.Equal(first, record(t, name, 2)) {
			t.Errorf("%s: chance has no say", name)
		}
		if len(first) < 100_000 {
			t.Errorf("%s: that was little: %d bytes", name, len(first))
		}
	}
}

// The seed of a Stack decides what is left to chance.
func TestSeed(t *testing.T) {
	first := func(seed uint64) string {
		l := newLone(t, "linux")
		l.Stack = rawtcp.New(l, rawtcp.Options{Profile: l.prof, Seed: seed})
		l.dial(7)
		s := l.one()
		return fmt.Sprint(s.src, s.Seq, s.Options.TSVal)
	}
	if one, again, two := first(1), first(1), first(2); one != again || one == two {
		t.Error(one, again, two)
	}
}

// A host that boots on use sends the same first segment whenever that is, as a client
// and as a server, and its clocks go on from there.
func TestBootOnUse(t *testing.T) {
	for _, name := range profile.Names() {
		first := func(idle time.Duration, open func(l *lone)) (*lone, wire.Segment) {
			l := newLone(t, name, "timestamps=yes")
			l.Stack = rawtcp.New(l, rawtcp.Options{Profile: l.prof, Seed: 1, BootOnUse: true})
			l.now = idle
			open(l)
			s := l.one().Segment
			s.Options.Raw = nil // of the packet
			return l, s
		}
		client := func(l *lone) { l.dial(7) }
		server := func(l *lone) {
			p := l.peer(at(there, 2000), l.listen(at(here, 80), 5).Local())
			l.now += l.now // it waits for its client
			p.syn, p.ts = wire.Options{HasTimestamps: true}, 100
			p.send(wire.SYN, "")
		}
		for _, open := range []func(*lone){client, server} {
			l, one := first(time.Millisecond, open)
			if _, late := first(time.Minute+123456*time.Nanosecond, open); !reflect.DeepEqual(one, late) {
				t.Errorf("%s: a minute later it is\n%+v, not\n%+v", name, late, one)
			}
			l.pass(2 * time.Second)
			l.take()
			_, at0 := first(0, func(l *lone) { open(l); l.take(); l.dial(9) })
			l.dial(9)
			if at2 := l.one().Segment; at2.Seq == at0.Seq {
				t.Errorf("%s: the clock stands still at %d", name, at2.Seq)
			}
		}
	}
}

// Nobody can tell by its timestamps how long a modern host has been up: each
// connection begins anywhere. Old ones all have the same clock.
func TestTimestampOffset(t *testing.T) {
	for name, same := range map[string]bool{"linux": false, "": false, "bsd": true} {
		l := newLone(t, name, "timestamps=yes")
		l.dial(7)
		l.dial(8)
		out := l.take()
		if a, b := out[0].Options.TSVal, out[1].Options.TSVal; (a == b) != same {
			t.Errorf("%q: %d and %d", name, a, b)
		}
	}
}

// Without a profile a Stack has the default one.
func TestDefaultProfile(t *testing.T) {
	l := newLone(t, "bsd")
	s := rawtcp.New(l, rawtcp.Options{})
	if s.Profile().Name != "rfc9293" {
		t.Error(s.Profile().Name)
	}
}
