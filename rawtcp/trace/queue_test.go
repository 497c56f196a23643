package trace_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp/trace"
)

// stuck is a Sink that waits, for each event, until it may go on.
type stuck struct {
	next    chan struct{}
	got     []string
	flushed int
}

func (s *stuck) Event(e trace.Event) {
	<-s.next
	s.got = append(s.got, fmt.Sprintf("%v %s%s", e.At, e.Packet, e.Text))
}

func (s *stuck) Flush()       { s.flushed++ }
func (s *stuck) Close() error { return errClosing }

var errClosing = errors.New("closing")

func packet(at time.Duration, text string) trace.Event {
	return trace.Event{At: at, Kind: trace.Sent, Host: "a", Packet: []byte(text)}
}

// What finds no room is lost, and that is told where it is missing.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{next: make(chan struct{})}
		q := trace.NewQueue(s, 4096)
		lent := []byte("first")
		q.Event(trace.Event{Packet: lent})
		copy(lent, "XXXXX") // it was lent until Event returned
		synctest.Wait()     // the sink has it, and is stuck
		for i := range 20 {
			q.Event(packet(time.Duration(i), "p"))
		}
		if n := q.Lost(); n != 13 {
			t.Errorf("%d are lost", n)
		}
		synced := false
		go func() { q.Sync(); synced = true }()
		synctest.Wait()
		if synced {
			t.Error("the sink has nothing yet")
		}
		for range 8 {
			s.next <- struct{}{}
		}
		synctest.Wait()
		if !synced || s.flushed != 2 {
			t.Errorf("%t, flushed %d times", synced, s.flushed)
		}
		q.Event(packet(30, "q"))
		q.Event(packet(31, "r"))
		synctest.Wait()
		q.Event(packet(32, strings.Repeat("long", 1000)))
		closed := make(chan error)
		go func() { closed <- q.Close() }()
		synctest.Wait()
		close(s.next)
		if err := <-closed; err != errClosing {
			t.Error(err)
		}
		q.Event(packet(32, "too late"))
		want := "0s first,0s p,1ns p,2ns p,3ns p,4ns p,5ns p,6ns p,30ns events missing here: 13,30ns q,31ns r,32ns events missing here: 1"
		if got := strings.Join(s.got, ","); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// Nothing is allocated for an event once there is room for as many as wait.
func TestQueueAllocations(t *testing.T) {
	q := trace.NewQueue(trace.Func(func(trace.Event) {}), 1<<20)
	e := packet(0, strings.Repeat("x", 1000))
	put := func() {
		for range 100 {
			q.Event(e)
		}
		q.Sync()
	}
	put()
	put()
	if n := testing.AllocsPerRun(10, put); n > 2 {
		t.Errorf("%v allocations", n)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}
