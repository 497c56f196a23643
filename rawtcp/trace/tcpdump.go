package trace

import (
	"fmt"
	"io"
	"time"
)

// Times says which times stand before a line of a listing.
type Times uint8

const (
	// NoTimes prints none.
	NoTimes Times = iota
	// BookTimes prints the number of the packet, the time since the first,
	// and in parentheses the time since the one before, as the book does:
	// " 2      0.002402 ( 0.0024)  ".
	BookTimes
	// ClockTimes prints the time of day in UTC, as tcpdump does.
	ClockTimes
)

// Listing is how packets are listed.
type Listing struct {
	Names
	Absolute bool // sequence numbers as they are: tcpdump -S
	Ethernet bool // Ethernet addresses too: tcpdump -e; the old form only
	// Checksums prints the checksums of UDP, as the tcpdump of Section 11.3
	// does that the book's author had changed; the old form only.
	Checksums bool
	Times     Times
	Epoch     time.Time // when At is 0; for ClockTimes
	// See says which events are listed; those that are not of a packet never
	// are. nil is OnLink(""): each packet as often as it is put on a link.
	See func(e *Event) bool
}

// Lister makes lines of events. It remembers the connections it has seen, and
// the time of the last packet.
type Lister struct {
	Listing
	form          func(l *Lister, e *Event) string
	conversations conversations
	seen          int
	first, last   time.Duration
}

// NewOldLister returns a Lister for the form that tcpdump had at the time of
// the book: "svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) win 4096
// <mss 1024>".
func NewOldLister(l Listing) *Lister {
	return &Lister{Listing: l, form: (*Lister).old}
}

// NewLister returns a Lister for the form that tcpdump has today: "IP
// 10.0.0.1.1037 > 10.0.0.2.9: Flags [S], seq 1, win 4096, options [mss 1024],
// length 0".
func NewLister(l Listing) *Lister {
	return &Lister{Listing: l, form: (*Lister).today}
}

// Line returns the line of e, without a newline. It reports false if e is not
// listed.
func (l *Lister) Line(e Event) (string, bool) {
	see := l.See
	if see == nil {
		see = OnLink("")
	}
	if len(e.Packet) == 0 || !see(&e) {
		return "", false
	}
	text := l.form(l, &e)
	return l.times(e.At) + text, true
}

func (l *Lister) times(at time.Duration) string {
	if l.seen == 0 {
		l.first, l.last = at, at
	}
	l.seen++
	delta := at - l.last
	l.last = at
	switch l.Times {
	case BookTimes:
		if l.seen == 1 {
			return fmt.Sprintf("%2d %6d.%-6d%10s  ", 1, 0, 0, "")
		}
		return fmt.Sprintf("%2d %s (%s)  ", l.seen, decimal(at-l.first, 6, 6), decimal(delta, 2, 4))
	case ClockTimes:
		return l.Epoch.UTC().Add(at).Format("15:04:05.000000 ")
	}
	return ""
}

// decimal returns d in seconds, rounded, with width characters before the
// point and digits, at most 9, behind it.
func decimal(d time.Duration, width, digits int) string {
	unit := time.Second
	for range digits {
		unit /= 10
	}
	d = d.Round(unit)
	return fmt.Sprintf("%*d.%0*d", width, d/time.Second, digits, d%time.Second/unit)
}

// NewTcpdump returns a Sink that writes the lines of l to w.
func NewTcpdump(w io.Writer, l *Lister) Sink { return &tcpdump{output{w: w}, l} }

type tcpdump struct {
	output
	lister *Lister
}

func (t *tcpdump) Event(e Event) {
	if line, ok := t.lister.Line(e); ok {
		t.write([]byte(line + "\n"))
	}
}

func (t *tcpdump) Close() error { return t.close() }
