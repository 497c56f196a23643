package raw

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sock/rawtcp/trace"
)

// timeline prints all that is told of a host, one line each: calls, packets,
// states and timers.
type timeline struct {
	w      io.Writer
	lister *trace.Lister
}

func newTimeline(w io.Writer) trace.Sink {
	return timeline{w, trace.NewLister(trace.Listing{See: everything})}
}

// Event prints e.
func (t timeline) Event(e trace.Event) {
	text, ok := t.lister.Line(e)
	e.Host = "" // it is always the same
	switch rule := e.Rule.String(); {
	case !ok:
		text = e.Summary()
	case e.Kind == trace.Dropped:
		text = e.Summary() + ": " + text
	case e.Kind == trace.Sent && rule != "":
		text += ": " + rule
	}
	fmt.Fprintf(t.w, "%10.6f %s\n", e.At.Seconds(), text)
}

// Close does nothing: every line has been printed.
func (t timeline) Close() error { return nil }

// listing prints the packets that are put on a wire, as tcpdump does, what the
// wire does to them, and who comes and goes.
type listing struct {
	w      io.Writer
	lister *trace.Lister
	id     uint64 // of the packet listed last
	ends   string // of that packet: when it was sent, from whom and to whom
}

func newListing(w io.Writer, epoch time.Time) trace.Sink {
	lister := trace.NewLister(trace.Listing{Times: trace.ClockTimes, Epoch: epoch, See: listed})
	return &listing{w: w, lister: lister}
}

// listed reports whether a listing prints e: that a packet has come it does not
// say.
func listed(e *trace.Event) bool {
	return e.Kind == trace.Sent || e.Kind == trace.Dropped || e.Kind == trace.Note
}

// Event prints e.
func (l *listing) Event(e trace.Event) {
	text, ok := l.lister.Line(e)
	switch {
	case !ok && e.ID != 0 && e.ID == l.id:
		text = l.ends + ": " + e.Text // told right after the packet
	case !ok:
		text = e.Text
	case e.Kind == trace.Sent:
		l.id = e.ID
		l.ends, _, _ = strings.Cut(text, ": ")
	case e.Kind == trace.Dropped:
		ends, rest, _ := strings.Cut(text, ": ") // the packet itself has been listed
		text = ends + ": " + e.Summary()
		if i := strings.Index(rest, "(frag "); i >= 0 {
			text += " " + rest[i:] // but which one of several is lost has not
		}
	}
	fmt.Fprintln(l.w, text)
}

// Close does nothing: every line has been printed.
func (l *listing) Close() error { return nil }
