package link

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/trace"
)

// A Faulty and a Tap before an Interface that is another host's link.
func TestFaultyAndTap(t *testing.T) {
	l := newLab(t)
	p2p := l.Link("link", LinkOptions{PointToPoint: true})
	a, b := l.Node("a", NodeOptions{}), l.host("b", NodeOptions{})
	a.Attach(p2p, "p0", prefix("10.0.0.1/24"))
	b.Attach(p2p, "p0", prefix("10.0.0.2/24"))

	var told []string
	sink := trace.Func(func(e trace.Event) { told = append(told, seconds(e.At)+" "+e.Host+" "+e.Kind.String()) })
	pipe := NewPipe(Conditions{}, 1)
	faulty := NewFaulty(a, pipe)
	tap := NewTap(faulty, "a", "p0", sink)
	a.Handle(faulty)
	faulty.Handle(tap)
	tap.Handle(recorder{l, "a"})
	for _, text := range []string{"hold the 1st packet from 10.0.0.1 5 s", "hold the 1st packet to 10.0.0.1 7 s"} {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := pipe.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := tap.Send(0, segmentFrom(0, 0, 1, "there"), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Send(0, segmentFrom(1, 0, 2, "and back"), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	l.run(0) // b's packet is in the pipe now
	for _, at := range []time.Duration{5 * time.Second, 7 * time.Second} {
		if next, ok := faulty.NextDeadline(); !ok || next != at {
			t.Fatalf("next deadline %v, %t, want %v", next, ok, at)
		}
		if err := faulty.Advance(at); err != nil {
			t.Fatal(err)
		}
		l.run(at)
	}
	l.wantGot("a", `7.000 IP b.9 > a.1037: Flags [none], seq 2:10, win 0, length 8`)
	l.wantGot("b", `5.000 IP a.1037 > b.9: Flags [none], seq 1:6, win 0, length 5`)
	if diff := cmp.Diff([]string{"0.000 a sent", "7.000 a received"}, told); diff != "" {
		t.Error(diff)
	}
	if err := tap.Send(0, make([]byte, 2000), trace.Rule{}); !errors.Is(err, ErrTooBig) {
		t.Errorf("over the MTU: %v", err)
	}
	a.Crash(l.now)
	if err := tap.Send(l.now, segmentFrom(0, 0, 1, ""), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := faulty.Advance(l.now); !errors.Is(err, ErrDown) {
		t.Errorf("through a host that is down: %v", err)
	}
}
