package trace

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// seenBy is what one host tells of a scene: as a Tap has it, with an ID of its own
// for each packet, sent or received.
func seenBy(host string, events []Event) (seen []Event) {
	id := uint64(0)
	for _, e := range events {
		if e.Host != host {
			continue
		}
		if e.ID != 0 {
			id++
			e.ID = id
		}
		seen = append(seen, e)
	}
	return seen
}

// faulty is a client that loses data on their way out, and an answer on its way
// in, and refuses a segment that has arrived.
func faulty() []Event {
	const x, y seq.Value = 91904001, 1058199041
	var s scene
	bsdi := func(flags wire.Flags, n, ack seq.Value, data string) {
		s.send("bsdi", tcp("bsdi", "svr4", segment(1037, 9, flags, n, ack, data)))
	}
	svr4 := func(kind Kind, flags wire.Flags, n, ack seq.Value, why Event) {
		s.id++
		why.Kind, why.Host, why.ID = kind, "bsdi", s.id
		why.Packet = tcp("svr4", "bsdi", segment(9, 1037, flags, n, ack, ""))
		s.add(why)
	}
	s.state("bsdi", "CLOSED", "SYN_SENT", "")
	bsdi(wire.SYN, x, 0, "")
	s.to(0.002)
	svr4(Received, wire.SYN|wire.ACK, y, x+1, Event{})
	s.state("bsdi", "SYN_SENT", "ESTABLISHED", "")
	bsdi(wire.ACK, x+1, y+1, "")
	bsdi(wire.PSH|wire.ACK, x+1, y+1, "hello\n")
	s.add(Event{Kind: Dropped, Host: "bsdi", ID: s.id, Reason: reason("dropped by rule")})
	s.to(1)
	s.add(Event{Kind: TimerFired, Host: "bsdi", Name: "rexmt"})
	bsdi(wire.PSH|wire.ACK, x+1, y+1, "hello\n")
	s.to(1.002)
	svr4(Dropped, wire.ACK, y+1, x+7, Event{Reason: reason("lost")})
	s.to(4)
	svr4(Received, wire.ACK, y+1, x+9, Event{})
	s.add(Event{Kind: Dropped, Host: "bsdi", Reason: reason("acknowledges what was not sent")})
	return s.events
}

func later(by time.Duration, events []Event) []Event {
	for i := range events {
		events[i].At += by
	}
	return events
}

// oneHost is what one host sees.
func oneHost() map[string]struct {
	o      LadderOptions
	events []Event
} {
	type one = struct {
		o      LadderOptions
		events []Event
	}
	many := append(faulty(), later(5*time.Second, seenBy("bsdi", threeHosts())[:2])...)
	many = append(many, Event{At: 6 * time.Second, Kind: Dropped, Host: "bsdi", ID: 99, Packet: []byte{0x45}, Reason: reason("not for this host")})
	return map[string]one{
		"client": {LadderOptions{AtHost: "bsdi"}, seenBy("bsdi", simultaneous())},
		"server": {LadderOptions{AtHost: "bsdi"}, seenBy("bsdi", backlog())},
		"faulty": {LadderOptions{AtHost: "bsdi"}, faulty()},
		"many":   {LadderOptions{AtHost: "bsdi"}, many},
	}
}

// A host that sees its own end draws two lines, and all that has come and gone.
func TestLadderOfOneHost(t *testing.T) {
	for name, c := range oneHost() {
		golden(t, "ladder-host-"+name+".txt", drawn(t, c.o, c.events))
		var b strings.Builder
		c.o.Names = bookNames()
		play(t, NewLadderSVG(&b, c.o), c.events)
		golden(t, "ladder-host-"+name+".svg", b.String())
		for _, a := range readDrawing(t, b.String()).arrows {
			if a.y1 != a.y2 {
				t.Errorf("%s: %v tells of two times, and one is known", name, a)
			}
		}
	}
}

// The two ends of an exchange, and who sees both, have the same numbers.
func TestLaddersAgree(t *testing.T) {
	labels := func(o LadderOptions, events []Event) string {
		l := newLadder(nil, o, nil).(*ladder)
		var all []string
		for _, e := range events {
			l.Event(e)
		}
		for _, m := range l.marks {
			if m.kind == markSend || m.kind == markArrive && m.arrow.peer != "" {
				all = append(all, m.arrow.labels[0])
			}
		}
		return strings.Join(all, "\n")
	}
	whole := fig18_1()
	want := labels(LadderOptions{}, whole)
	for _, host := range []string{"svr4", "bsdi"} {
		if got := labels(LadderOptions{AtHost: host}, seenBy(host, whole)); got != want {
			t.Errorf("%s sees\n%s\nwhere there is\n%s", host, got, want)
		}
	}
}

// What is too much to be drawn is counted, and costs nothing.
func TestLadderEnds(t *testing.T) {
	for _, at := range []string{"", "svr4"} {
		var text, picture strings.Builder
		o := LadderOptions{AtHost: at}
		all := Fan(NewLadder(&text, o), NewLadderSVG(&picture, o))
		packet := tcp("svr4", "bsdi", segment(1, 2, wire.ACK, 5, 6, "data"))
		event := func(i int) Event {
			return Event{At: time.Duration(i) * time.Millisecond, Kind: Sent, Host: "svr4", ID: uint64(i), Packet: packet}
		}
		const more = 1000
		for i := range ladderLimit {
			all.Event(event(i + 1))
		}
		if n := testing.AllocsPerRun(more-1, func() { all.Event(event(ladderLimit + 1)) }); n != 0 {
			t.Errorf("an event that is not drawn costs %v allocations", n)
		}
		if err := all.Close(); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%d more events are not drawn", more)
		end := text.String()[strings.LastIndex(strings.TrimSpace(text.String()), "\n"):]
		if !strings.Contains(end, want) {
			t.Errorf("the text ends with %s", end)
		}
		if !strings.Contains(picture.String(), want) {
			t.Errorf("the picture does not say that %s", want)
		}
		if n := strings.Count(text.String(), "(4) ack "); n != ladderLimit {
			t.Errorf("%d packets are drawn", n)
		}
	}
}
