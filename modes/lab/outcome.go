package lab

import (
	"fmt"
	"slices"
	"time"

	"sock/rawtcp/trace"
)

// Outcome is what a run of a lab has shown.
type Outcome struct {
	Lab    *Lab
	System string // Book, or the profile of all hosts
	Seed   uint64
	// OnKernel is set if it was run with the kernel's sockets, in real time.
	OnKernel bool
	Events   []trace.Event // all that happened
	Line     []Entry       // the time-line: terminals, cables, and Events
	Names    trace.Names
	Hosts    []string // from left to right
	End      time.Duration

	Checks   int // expectations
	Unseen   int // expectations of what nobody can see
	Failures []Failure

	steps []step
	ends  map[string][]ending // of the command lines at each terminal
}

// ending is how a command line ended, if it did: as its last command.
type ending struct {
	status int
	at     time.Duration
	done   bool
}

// Entry is one moment of the time-line.
type Entry struct {
	At       time.Duration
	Kind     EntryKind
	Terminal string // or the host, or the link
	Text     string
	Event    int // the index of an Event, if Kind is Told
}

// EntryKind says what an Entry tells of.
type EntryKind uint8

// The kinds.
const (
	Commanded EntryKind = iota // a command line, with its prompt
	Typed                      // a line, or a key such as ^D
	Printed                    // a line
	Happened                   // a cable was cut, a host crashed ...
	Told                       // an Event
)

// add puts an entry at the end of the time-line.
func (o *Outcome) add(e Entry) { o.Line = append(o.Line, e) }

// told takes down an event. Its packet is copied.
func (o *Outcome) told(e trace.Event) {
	e.Packet = append([]byte(nil), e.Packet...)
	o.Events = append(o.Events, e)
	o.add(Entry{At: e.At, Kind: Told, Terminal: e.Host, Event: len(o.Events) - 1})
}

// printed returns the lines that a terminal shows, but for what was typed.
func (o *Outcome) printed(terminal string) (lines []Entry) {
	for _, e := range o.Line {
		if e.Kind == Printed && e.Terminal == terminal {
			lines = append(lines, e)
		}
	}
	return lines
}

// OK reports whether everything was as expected.
func (o *Outcome) OK() bool { return len(o.Failures) == 0 }

// Expected reports whether the lab says anything about the system it was run
// as. If it does not, failures only tell in what that system differs.
func (o *Outcome) Expected() bool {
	if o.System == Book || o.OnKernel {
		return true
	}
	return slices.Contains(o.Lab.Systems(), o.System)
}

// Failure is an expectation that was not met.
type Failure struct {
	Line int // of the script
	What string
	Rows []Row
}

// Row is what was wanted beside what was seen. One of both is "" where the
// other has nothing to stand beside.
type Row struct {
	Want, Got string
	Differs   []string // in what they differ; nil if they do not
}

// verify compares the outcome with what the script expects.
func (o *Outcome) verify() {
	texts := map[string]bool{}
	for _, s := range o.steps {
		var x expectation
		switch v := s.do.(type) {
		case printed:
			// All lines of a terminal are one expectation.
			if texts[v.term] {
				continue
			}
			texts[v.term] = true
			x = o.textOf(v.term)
		case expectation:
			x = v
		default:
			continue
		}
		if !o.isSeen(x) {
			o.Unseen++
			continue
		}
		o.Checks++
		if f := x.check(o, s.window); f != nil {
			f.Line = s.no
			o.Failures = append(o.Failures, *f)
		}
	}
}

// textOf gathers what a terminal is to show.
func (o *Outcome) textOf(terminal string) terminalText {
	t := terminalText{terminal: terminal}
	for _, s := range o.steps {
		if v, ok := s.do.(printed); ok && v.term == terminal {
			t.lines = append(t.lines, textLine{v, s.window})
		}
	}
	return t
}

// seconds prints a time as a listing does: "4.155441".
func seconds(d time.Duration) string {
	us := d.Round(time.Microsecond).Microseconds()
	return fmt.Sprintf("%d.%06d", us/1e6, us%1e6)
}
