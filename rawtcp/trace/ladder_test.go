package trace

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

func drawn(t *testing.T, o LadderOptions, events []Event) string {
	t.Helper()
	o.Names = bookNames()
	var b strings.Builder
	play(t, NewLadder(&b, o), events)
	return b.String()
}

// simultaneous is the open of Fig 18-18: the segments cross.
func simultaneous() []Event {
	const x, y seq.Value = 91904001, 1058199041
	var s scene
	syn := wire.SYN
	bsdi := func(flags wire.Flags, n, ack seq.Value) uint64 {
		return s.send("bsdi", tcp("bsdi", "vangogh", withMSS(segment(8888, 7777, flags, n, ack, ""), 512)))
	}
	vangogh := func(flags wire.Flags, n, ack seq.Value) uint64 {
		return s.send("vangogh", tcp("vangogh", "bsdi", withMSS(segment(7777, 8888, flags, n, ack, ""), 512)))
	}
	s.state("bsdi", "CLOSED", "SYN_SENT", "")
	a := bsdi(syn, x, 0)
	s.to(0.05)
	s.state("vangogh", "CLOSED", "SYN_SENT", "")
	b := vangogh(syn, y, 0)
	s.to(0.15)
	s.receive("vangogh", a)
	s.state("vangogh", "SYN_SENT", "SYN_RCVD", "")
	c := vangogh(syn|wire.ACK, y, x+1)
	s.to(0.2138)
	s.receive("bsdi", b)
	s.state("bsdi", "SYN_SENT", "SYN_RCVD", "")
	d := bsdi(syn|wire.ACK, x, y+1)
	s.to(0.3404)
	s.receive("bsdi", c)
	s.state("bsdi", "SYN_RCVD", "ESTABLISHED", "")
	s.to(0.36)
	s.receive("vangogh", d)
	s.state("vangogh", "SYN_RCVD", "ESTABLISHED", "")
	return s.events
}

// threeHosts is a datagram that is forwarded and answered by an error, a
// duplicate, a packet made by hand, and a broadcast.
func threeHosts() []Event {
	var s scene
	syn := segment(1090, 5555, wire.SYN, 1617152000, 0, "")
	p := tcp("solaris", "bsdi", withMSS(syn, 1460))
	s.state("solaris", "CLOSED", "SYN_SENT", "")
	id := s.send("solaris", p)
	s.to(0.001)
	s.receive("sun", id)
	forwarded := s.events[len(s.events)-1]
	forwarded.Kind, forwarded.Rule = Sent, Rule{Text: "forwarded"}
	s.to(0.0012)
	s.add(forwarded)
	s.to(0.002)
	s.receive("bsdi", id)
	s.state("bsdi", "LISTEN", "SYN_RCVD", "")
	s.to(0.003)
	s.receive("bsdi", id)
	s.to(0.5)
	s.add(Event{Kind: Note, Text: "cable cut: sun on ether"})
	id = s.send("bsdi", tcp("bsdi", "solaris", withMSS(segment(5555, 1090, wire.SYN|wire.ACK, 7, 1617152001, ""), 1024)))
	s.to(0.501)
	s.drop(id, wire.BadLength)
	s.to(3)
	id = s.send("", tcp("solaris", "bsdi", segment(1090, 5555, wire.RST, 1617152001, 0, "")))
	s.receive("bsdi", id)
	s.state("bsdi", "SYN_RCVD", "LISTEN", "RST")
	s.to(3.5)
	s.send("sun", arp(wire.ARPRequest, "sun", "bsdi"))
	return s.events
}

func ladders() map[string]struct {
	o      LadderOptions
	events []Event
} {
	type one = struct {
		o      LadderOptions
		events []Event
	}
	return map[string]one{
		"fig18-13":    {LadderOptions{Absolute: true, Hosts: []string{"svr4", "bsdi"}, Timers: true, Title: "Fig 18-13: states of a connection"}, fig18_1()},
		"fig18-5":     {LadderOptions{Hosts: []string{"svr4", "bsdi"}, Width: 80}, fig18_1()},
		"fig18-6":     {LadderOptions{Hosts: []string{"bsdi", "svr4"}, Title: "Fig 18-6: nobody answers"}, deadHost()},
		"fig18-18":    {LadderOptions{Hosts: []string{"bsdi", "vangogh"}, Title: "Fig 18-18: simultaneous open"}, simultaneous()},
		"fig18-24":    {LadderOptions{Absolute: true, Hosts: []string{"sun", "bsdi"}, Title: "Fig 18-24: the listen queue is full"}, backlog()},
		"between":     {LadderOptions{Hosts: []string{"bsdi", "sun", "solaris"}}, between()},
		"three-hosts": {LadderOptions{Width: 100, Title: "Three hosts"}, threeHosts()},
	}
}

func TestLadder(t *testing.T) {
	for name, c := range ladders() {
		got := drawn(t, c.o, c.events)
		for line := range strings.Lines(got) {
			if len(line) > 101 {
				t.Errorf("%s: a line of %d columns: %s", name, len(line), line)
			}
		}
		golden(t, "ladder-"+name+".txt", got)
	}
}

func TestLadderSVG(t *testing.T) {
	for name, c := range ladders() {
		c.o.Names = bookNames()
		var b strings.Builder
		play(t, NewLadderSVG(&b, c.o), c.events)
		d := xml.NewDecoder(strings.NewReader(b.String()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: no XML: %v", name, err)
			}
		}
		golden(t, "ladder-"+name+".svg", b.String())
	}
}

// A timer between a packet and its arrival, and a broadcast that two hosts
// hear: neither is taken for a duplicate.
func TestLadderIsNotConfused(t *testing.T) {
	var s scene
	id := s.send("bsdi", tcp("bsdi", "svr4", segment(1, 2, wire.ACK, 5, 6, "")))
	s.to(0.001)
	s.add(Event{Kind: TimerFired, Host: "bsdi", Name: "keepalive"})
	s.to(0.002)
	s.receive("svr4", id)
	id = s.send("sun", arp(wire.ARPRequest, "sun", "bsdi"))
	s.to(0.003)
	s.receive("bsdi", id)
	s.receive("svr4", id)
	got := drawn(t, LadderOptions{Hosts: []string{"bsdi", "sun", "svr4"}}, s.events)
	if strings.Contains(got, "again") || strings.Count(got, "<")+strings.Count(got, ">") != 3 {
		t.Errorf("want three arrows, and none of them again:\n%s", got)
	}
}
