package lab

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sock/rawtcp/trace"
)

// The columns of a time-line: the time, what the terminals show, and what
// tcpdump prints.
const (
	timeColumn   = 12
	numberColumn = 14 // of a packet: its number, and the time since the last
	pageWidth    = 132
	narrow       = 110 // a page below has the packets under the terminals
	leastWidth   = 60
)

// timeline prints the entries of an outcome, one after the other.
type timeline struct {
	w       io.Writer
	explain bool                     // after each packet, why it was sent
	alter   func(text string) string // of a packet; may be nil
	dump    dump
	lister  *trace.Lister
	last    time.Duration // when the last packet was
	number  int           // of packets
	at      time.Duration // of the last line
	lines   int           // that were printed
	width   int           // of the page
	column  int           // of the terminals: how wide it is; 0 on a narrow page
}

// newTimeline returns one for a page of so many columns.
func newTimeline(w io.Writer, o *Outcome, width int) *timeline {
	t := &timeline{w: w, dump: o.view(), width: width}
	if width >= narrow {
		t.column = o.terminalColumn(width - timeColumn - 66)
	}
	t.lister = trace.NewOldLister(trace.Listing{Names: o.Names, Absolute: t.dump.absolute, See: t.dump.sees()})
	return t
}

// view is the tcpdump that the lab's first expectation is about, so that what
// is shown can be compared with the script; without one, all packets.
func (o *Outcome) view() dump {
	for _, s := range o.steps {
		if d, ok := s.do.(dump); ok {
			return d.withoutARP()
		}
	}
	return dump{}
}

// terminalColumn returns how wide the column of the terminals is to be, most
// at most. It can be told from the script, before anything happens.
func (o *Outcome) terminalColumn(most int) int {
	width := 44 // what is printed, and not foreseen, has room too
	for _, s := range o.steps {
		switch v := s.do.(type) {
		case command:
			width = max(width, len(v.term+" "+v.prompt+" "+v.text)+2)
		case typing:
			width = max(width, len(v.term+" < "+v.text)+2)
		case printed:
			width = max(width, len(v.term+" > "+v.text)+2)
		}
	}
	return min(width, most)
}

// entry prints one entry, if there is something to be seen of it.
func (t *timeline) entry(o *Outcome, e Entry) {
	switch e.Kind {
	case Commanded:
		t.line(e.At, e.Terminal+" "+e.Text, "")
	case Typed:
		t.line(e.At, e.Terminal+" < "+e.Text, "")
	case Printed:
		t.line(e.At, e.Terminal+" > "+e.Text, "")
	case Happened:
		t.line(e.At, "* "+e.Text, "")
	case Told:
		t.event(o, &o.Events[e.Event])
	}
}

func (t *timeline) event(o *Outcome, e *trace.Event) {
	text, ok := t.lister.Line(*e)
	if e.Kind == trace.Dropped {
		t.dropped(o, e)
		return
	}
	if !ok || !t.dump.filter.takes(o.Names, e) {
		return
	}
	t.packet(e, text)
	if why := e.Rule.String(); t.explain && why != "" {
		t.line(e.At, "", strings.Repeat(" ", numberColumn)+"because: "+why)
	}
}

// packet prints a packet with its number and the time since the last, as the
// book does.
func (t *timeline) packet(e *trace.Event, text string) {
	if t.alter != nil {
		text = t.alter(text)
	}
	delta := ""
	if t.number++; t.number > 1 {
		delta = "(" + tenths(e.At-t.last) + ")"
	}
	t.last = e.At
	t.line(e.At, "", fmt.Sprintf("%2d %-*s%s", t.number, numberColumn-3, delta, text))
}

// dropped tells why a packet went no further.
func (t *timeline) dropped(o *Outcome, e *trace.Event) {
	if e.Reason == nil || len(e.Packet) == 0 || !t.dump.filter.takes(o.Names, e) {
		return
	}
	where := "lost"
	if e.Host != "" && e.Link == "" {
		where = "dropped by " + e.Host
	}
	t.line(e.At, "", strings.Repeat(" ", numberColumn)+"- "+where+": "+e.Reason.String())
}

// line prints a line, or as many as it takes, with the time if that is
// another one than before.
func (t *timeline) line(at time.Duration, terminal, packet string) {
	left := wrap(terminal, t.left(), "    ")
	right := wrap(packet, t.width-timeColumn-t.column, strings.Repeat(" ", numberColumn+4))
	first := t.lines == 0
	for i := range max(len(left), len(right)) {
		stamp := ""
		if i == 0 && (first || at != t.at) {
			stamp = seconds(at)
		}
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		s := fmt.Sprintf("%*s  %-*s%s", timeColumn-2, stamp, t.column, l, r)
		fmt.Fprintln(t.w, strings.TrimRight(s, " "))
		t.lines++
	}
	t.at = at
}

// left returns how wide a text of a terminal may be.
func (t *timeline) left() int {
	if t.column == 0 {
		return t.width - timeColumn
	}
	return t.column - 2
}

// wrap breaks a text into lines of at most width characters, between words
// where that can be; all but the first are indented.
func wrap(text string, width int, indent string) (lines []string) {
	if text == "" {
		return nil
	}
	for len(text) > width {
		least := len(text) - len(strings.TrimLeft(text, " "))
		cut := strings.LastIndexByte(text[:width+1], ' ')
		if cut <= least {
			cut = width
		}
		lines = append(lines, strings.TrimRight(text[:cut], " "))
		text = indent + strings.TrimLeft(text[cut:], " ")
	}
	return append(lines, text)
}
