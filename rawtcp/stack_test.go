package rawtcp_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
)

// A connection is opened, says something both ways and is closed, under every
// profile, and nothing is left of it in the end.
func TestConversation(t *testing.T) {
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond}})
			a, b := w.host("a", name), w.host("b", name)
			c, s := w.pair(a, b)
			_, err := c.Write(w.now, []byte("question"))
			w.ok(err)
			w.ok(c.Shutdown(w.now))
			w.until("the question", s.CanRead)
			if got, _ := w.readAll(s); got != "question" {
				t.Fatalf("%q has come", got)
			}
			_, err = s.Write(w.now, []byte("answer"))
			w.ok(err)
			w.ok(s.Close(w.now))
			w.until("the answer", c.CanRead)
			if got, _ := w.readAll(c); got != "answer" {
				t.Fatalf("%q has come back", got)
			}
			w.run(time.Second)
			if _, err := w.readAll(c); !errors.Is(err, io.EOF) {
				t.Fatalf("after the end: %v", err)
			}
			if c.State() != tcb.TimeWait {
				t.Fatalf("%v, not TIME_WAIT\n%s", c.State(), w.trace())
			}
			w.ok(c.Close(w.now))
			w.run(10 * time.Minute)
			for _, h := range w.hosts {
				if rows := h.Netstat(w.now); len(rows) > 0 {
					t.Errorf("left: %+v", rows)
				}
				if _, ok := h.NextDeadline(); ok {
					t.Error("a timer is left")
				}
			}
			t.Logf("\n%s", w.trace())
		})
	}
}

// The timestamps of 4.4BSD tell how long it has been up.
func TestTimestampsSinceBoot(t *testing.T) {
	w := newWorld(t, link.LinkOptions{})
	a, b := w.host("a", "bsd", "timestamps=yes"), w.host("b", "bsd", "timestamps=yes")
	w.now = time.Minute
	b.boot()
	w.run(time.Minute)
	w.pair(a, b)
	trace := w.trace()
	for _, want := range []string{"timestamp 240 0", "timestamp 120 240"} {
		if !strings.Contains(trace, want) {
			t.Errorf("there is no %q in\n%s", want, trace)
		}
	}
}
