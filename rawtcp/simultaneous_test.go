package rawtcp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// states returns the states that a connection of a host has gone through.
func (w *world) states(host string) string {
	var all []string
	for _, e := range w.log {
		if e.Kind == trace.State && e.Host == host && e.Remote.Port() != 0 {
			if all == nil {
				all = append(all, e.From)
			}
			all = append(all, e.To)
		}
	}
	return strings.Join(all, " ")
}

// meet has two hosts open a connection to each other at the same moment.
func (w *world) meet(a, b *host) (x, y *rawtcp.Socket) {
	w.t.Helper()
	x, y = a.Socket(rawtcp.IPv4), b.Socket(rawtcp.IPv4)
	w.ok(x.Bind(w.now, at(netip.Addr{}, 8888)))
	w.ok(y.Bind(w.now, at(netip.Addr{}, 7777)))
	w.ok(x.Connect(w.now, at(b.addr, 7777)))
	w.ok(y.Connect(w.now, at(a.addr, 8888)))
	w.until("the simultaneous open", func() bool {
		return x.State() == tcb.Established && y.State() == tcb.Established
	})
	return x, y
}

// TestSimultaneousOpen is Fig 18-17: one connection, of which nobody is client
// or server; both ends go the same way, and then close at the same moment too
// (Fig 18-19), so both end in TIME_WAIT.
func TestSimultaneousOpen(t *testing.T) {
	for _, one := range profile.Names() {
		for _, other := range profile.Names() {
			w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 100 * time.Millisecond}})
			a, b := w.host("a", one), w.host("b", other)
			x, y := w.meet(a, b)
			if n := len(a.Netstat(w.now)) + len(b.Netstat(w.now)); n != 2 {
				t.Errorf("%s and %s: %d connections", one, other, n)
			}
			_, err := x.Write(w.now, []byte("hello, world"))
			w.ok(err)
			_, err = y.Write(w.now, []byte("and hi there"))
			w.ok(err)
			w.run(5 * time.Second)
			if got, _ := w.readAll(y); got != "hello, world" {
				t.Errorf("%s and %s: %q", one, other, got)
			}
			if got, _ := w.readAll(x); got != "and hi there" {
				t.Errorf("%s and %s: %q", one, other, got)
			}
			w.ok(x.Close(w.now))
			w.ok(y.Close(w.now))
			w.run(10 * time.Minute)
			want := "CLOSED SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED"
			for _, h := range []string{"a", "b"} {
				if got := w.states(h); got != want {
					t.Errorf("%s and %s: %s: %s\n%s", one, other, h, got, w.trace())
				}
			}
			for _, h := range w.hosts {
				if rows := h.Netstat(w.now); len(rows) != 0 {
					t.Errorf("%s and %s: %+v", one, other, rows)
				}
			}
		}
	}
}

// The segments of a simultaneous open and close are four each, as in the
// figures.
func TestSimultaneousSegments(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 100 * time.Millisecond}})
	a, b := w.host("a", "bsd"), w.host("b", "bsd")
	x, y := w.meet(a, b)
	w.run(time.Second)
	w.ok(x.Close(w.now))
	w.ok(y.Close(w.now))
	w.run(time.Second)
	var flags []string
	for _, line := range w.lines {
		if from, rest, ok := strings.Cut(line, " > "); ok {
			from = from[strings.LastIndexByte(from, ' ')+1:]
			_, rest, _ = strings.Cut(rest, ": ")
			word, rest, _ := strings.Cut(rest, " ")
			if strings.Contains(rest, "ack") {
				word += " ack"
			}
			flags = append(flags, from[:1]+" "+word)
		}
	}
	want := []string{"a S", "b S", "a S ack", "b S ack", "a F ack", "b F ack", "a . ack", "b . ack"}
	for _, half := range [][2][]string{{flags[:min(4, len(flags))], want[:4]}, {flags[min(4, len(flags)):], want[4:]}} {
		slices.Sort(half[0])
		slices.Sort(half[1])
		if !slices.Equal(half[0], half[1]) {
			t.Errorf("%v, not %v\n%s", half[0], half[1], w.trace())
		}
	}
}

// A socket that connects to itself opens simultaneously, with itself.
func TestSelfConnect(t *testing.T) {
	for _, name := range profile.Names() {
		w := newWorld(t, link.LinkOptions{})
		a := w.host("a", name)
		k := a.Socket(rawtcp.IPv4)
		w.ok(k.Bind(w.now, at(a.addr, 7777)))
		w.ok(k.Connect(w.now, at(a.addr, 7777)))
		w.run(time.Second)
		if k.State() != tcb.Established || k.Local() != k.Remote() {
			t.Errorf("%s: %v\n%s", name, k.State(), w.trace())
			continue
		}
		_, err := k.Write(w.now, []byte("myself"))
		w.ok(err)
		w.run(time.Second)
		if got, _ := w.readAll(k); got != "myself" {
			t.Errorf("%s: %q", name, got)
		}
		w.ok(k.Close(w.now))
		w.run(10 * time.Minute)
		if rows := a.Netstat(w.now); len(rows) != 0 {
			t.Errorf("%s: %+v", name, rows)
		}
	}
}

// Two connections that cross, with servers on both sides, are two.
func TestCrossing(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 100 * time.Millisecond}})
	a, b := w.host("a", "bsd"), w.host("b", "bsd")
	la, lb := a.listen(23, 5), b.listen(23, 5)
	x, y := a.dial(b, 23), b.dial(a, 23)
	w.run(time.Second)
	if !la.CanRead() || !lb.CanRead() || x.State() != tcb.Established || y.State() != tcb.Established {
		t.Error(x.State(), y.State())
	}
}

// TestNormalStates is Fig 18-13: the states of a connection that is opened,
// used and closed one after the other.
func TestNormalStates(t *testing.T) {
	w := newWorld(t, link.LinkOptions{})
	a, b := w.host("a", "bsd"), w.host("b", "bsd")
	c, s := w.pair(a, b)
	w.ok(c.Close(w.now))
	w.run(time.Second)
	w.ok(s.Close(w.now))
	w.run(2 * time.Minute)
	if got, want := w.states("a"), "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED"; got != want {
		t.Errorf("a: %s", got)
	}
	if got, want := w.states("b"), "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"; got != want {
		t.Errorf("b: %s", got)
	}
}
