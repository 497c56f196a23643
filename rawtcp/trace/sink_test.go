package trace

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sock/rawtcp/wire"
)

// full is a disk that has room for n bytes.
type full struct {
	n, writes int
}

func (f *full) Write(b []byte) (int, error) {
	f.writes++
	if len(b) > f.n {
		n := f.n
		f.n = 0
		return n, syscall.ENOSPC
	}
	f.n -= len(b)
	return len(b), nil
}

func allSinks(w io.Writer) map[string]Sink {
	return map[string]Sink{
		"tcpdump": NewTcpdump(w, NewLister(Listing{})), "old": NewTcpdump(w, NewOldLister(Listing{})),
		"states": NewStates(w, Names{}), "json": NewJSON(w),
		"pcapng": NewPcapng(w, Capture{LinkType: LinkTypeRaw}),
		"ladder": NewLadder(w, LadderOptions{}), "svg": NewLadderSVG(w, LadderOptions{}),
	}
}

// A sink whose disk is full says so once, at the end, and does not try again.
func TestFullDisk(t *testing.T) {
	for name := range allSinks(io.Discard) {
		disk := &full{n: 150}
		s := allSinks(disk)[name]
		disk.n, disk.writes = 150, 0
		for range 3 {
			for _, e := range fig18_1() {
				s.Event(e)
			}
		}
		err := s.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: Close: %v, want ENOSPC", name, err)
		}
		if disk.n != 0 {
			t.Errorf("%s: wrote on after the disk was full", name)
		}
		writes := disk.writes
		s.Event(fig18_1()[3])
		if disk.writes != writes {
			t.Errorf("%s: writes after Close", name)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: the second Close: %v", name, err)
		}
	}
}

// limited is a file that fills up at size bytes, in the middle of a write.
type limited struct {
	*os.File
	size, written int
}

func (f *limited) Write(b []byte) (int, error) {
	room := min(len(b), f.size-f.written)
	n, err := f.File.Write(b[:room])
	f.written += n
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return n, err
}

// Wherever the disk fills up, the capture ends with a whole block.
func TestNoHalfBlocks(t *testing.T) {
	whole := captured(t, Capture{LinkType: LinkTypeEthernet}, fig18_1())
	all, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]bool{0: true}
	for at := 0; at < len(all); {
		at += int(all[at+4]) | int(all[at+5])<<8
		ends[at] = true
	}
	for size := 1; size < len(all); size += 7 {
		f, err := os.Create(filepath.Join(t.TempDir(), "trace"))
		if err != nil {
			t.Fatal(err)
		}
		s := NewPcapng(&limited{File: f, size: size}, Capture{LinkType: LinkTypeEthernet})
		for _, e := range fig18_1() {
			s.Event(e)
		}
		if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("size %d: %v", size, err)
		}
		got, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !ends[len(got)] || string(got) != string(all[:len(got)]) {
			t.Errorf("size %d: left %d bytes, which end within a block", size, len(got))
		}
		f.Close()
	}
}

func TestFan(t *testing.T) {
	var a, b int
	s := Fan(nil, Func(func(Event) { a++ }), Filter(Func(func(Event) { b++ }), AtHost("svr4")),
		NewStates(&full{}, Names{}))
	for _, e := range fig18_1() {
		s.Event(e)
	}
	if a != len(fig18_1()) || b != 7 {
		t.Errorf("%d and %d events, want %d and 7", a, b, len(fig18_1()))
	}
	if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close: %v", err)
	}
	if Fan(nil, nil) != nil {
		t.Error("a fan of nothing is something")
	}
}

func TestStates(t *testing.T) {
	var b strings.Builder
	play(t, NewStates(&b, bookNames()), fig18_1())
	golden(t, "states-fig18-1.txt", b.String())
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	events := append(fig18_1(), other()...)
	events = append(events, deadHost()[2])
	events = append(events, other6()...)
	play(t, NewJSON(&b), events)
	if n := strings.Count(b.String(), "\n"); n != len(events) {
		t.Errorf("%d lines for %d events", n, len(events))
	}
	for line := range strings.Lines(b.String()) {
		var any map[string]any
		if err := json.Unmarshal([]byte(line), &any); err != nil || any["event"] == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	golden(t, "events.json", b.String())
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Kind: Call, Host: "svr4", Name: "connect", Text: "bsdi.discard", Result: "would block"}, "svr4: connect(bsdi.discard) = would block"},
		{Event{Kind: State, Host: "svr4", From: "CLOSED", To: "SYN_SENT", Text: "active open"}, "svr4: CLOSED -> SYN_SENT (active open)"},
		{Event{Kind: TimerSet, Host: "svr4", Name: "2MSL", For: time.Minute}, "svr4: timer 2MSL set: 60 s"},
		{Event{Kind: TimerFired, Name: "2MSL"}, "timer 2MSL fired"},
		{Event{Kind: TimerStopped, Name: "2MSL"}, "timer 2MSL stopped"},
		{Event{Kind: Sent, Rule: Rule{"delayed ACK", "RFC 9293, section 3.8.6.3"}}, "sent: delayed ACK (RFC 9293, section 3.8.6.3)"},
		{Event{Kind: Dropped, Reason: wire.BadChecksum}, "dropped: bad checksum"},
		{Event{Kind: Note, Text: "cable cut"}, "cable cut"},
		{Event{Kind: Note, Host: "10.0.0.1", Text: "10.0.0.1 has left"}, "10.0.0.1 has left"},
		{Event{Kind: Note, Host: "10.0.0.1", Text: "10.0.0.11 has left"}, "10.0.0.1: 10.0.0.11 has left"},
	} {
		if got := c.e.Summary(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
