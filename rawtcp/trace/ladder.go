package trace

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// LadderOptions are how a time-line is drawn.
type LadderOptions struct {
	Names
	// Hosts are those that get a line, from left to right. nil is all that
	// tell something, in the order they do. What a host without a line does is
	// not shown: a packet goes through it.
	Hosts []string
	// AtHost is the host that tells everything, if only one does. Hosts is not used
	// then. The host sees each packet once: as it leaves, or as it arrives. So its
	// packets are level arrows at that time, and nothing is said of when they were
	// at the other end. The other line is the peer's. Several peers share it, it is
	// called the network, and the packets say whose they are: with more lines an
	// arrow would cross some that it has nothing to do with.
	AtHost   string
	Absolute bool // sequence numbers as they are
	Timers   bool // timers as they are set and stopped too, not only as they fire
	// Fold is the shortest silence that is folded; 0 is 1 s.
	Fold  time.Duration
	Width int    // of the text, in columns; 0 is 100
	Title string // above the SVG
}

// ladder collects what there is to draw.
type ladder struct {
	output
	LadderOptions
	lister Lister
	render func(*ladder) []byte
	lanes  []string
	marks  []mark
	more   int                      // events that are not drawn, since there are so many
	arrows map[uint64][]*arrow      // by the ID of their packet
	owner  map[netip.Addr]int       // which lane an address is of, as far as seen
	window map[windowOf]uint16      // the last one announced
	conns  map[int]map[connKey]bool // of each lane
}

type windowOf struct{ from, to netip.AddrPort }

// ladderLimit is how many marks are drawn. Some 200 pages are as much as anybody
// reads; and they take some 5 MB, which is all that a time-line costs in memory,
// however long its host runs.
const ladderLimit = 10_000

type connKey struct{ local, remote netip.AddrPort }

// mark is something to be drawn at one point of a line.
type mark struct {
	at    time.Duration
	lane  int // or nowhere
	kind  markKind
	text  string // of a state, a timer or a note
	arrow *arrow
	conn  connKey
}

type markKind uint8

const (
	markSend markKind = iota + 1
	markArrive
	markState
	markTimer
	markNote
)

const nowhere = -1

// arrow is a packet on its way.
type arrow struct {
	from, to      int      // lanes; from may be nowhere, for a packet made by hand
	labels        []string // the longest first
	flags         wire.Flags
	sent, arrived time.Duration
	done          bool   // it has arrived
	lost          string // why it never will
	again         bool   // a duplicate of one that has arrived
	peer          string // the other host of one that AtHost sends or receives
}

// NewLadder returns a Sink that draws a time-line as text, as Fig 18-3 and
// 18-13 do, and writes it to w when it is closed: the hosts from left to right,
// time from top to bottom, the states at the sides.
func NewLadder(w io.Writer, o LadderOptions) Sink { return newLadder(w, o, (*ladder).text) }

// NewLadderSVG returns a Sink that draws a time-line as a picture, and writes
// it to w as SVG when it is closed.
func NewLadderSVG(w io.Writer, o LadderOptions) Sink { return newLadder(w, o, (*ladder).svg) }

func newLadder(w io.Writer, o LadderOptions, render func(*ladder) []byte) Sink {
	if o.Fold == 0 {
		o.Fold = time.Second
	}
	if o.Width == 0 {
		o.Width = 100
	}
	if o.AtHost != "" {
		o.Hosts = []string{o.AtHost}
	}
	return &ladder{
		output: output{w: w}, LadderOptions: o, render: render, lanes: slices.Clone(o.Hosts),
		lister: Lister{Listing: Listing{Names: o.Names, Absolute: o.Absolute}},
		arrows: map[uint64][]*arrow{}, owner: map[netip.Addr]int{}, window: map[windowOf]uint16{},
		conns: map[int]map[connKey]bool{},
	}
}

func (l *ladder) Close() error {
	if l.err == nil {
		l.namePeers()
		l.confess()
		l.write(l.render(l))
	}
	return l.close()
}

// lane returns the line of a host, or nowhere.
func (l *ladder) lane(host string) int {
	if i := slices.Index(l.lanes, host); i >= 0 || l.Hosts != nil || host == "" {
		return i
	}
	l.lanes = append(l.lanes, host)
	return len(l.lanes) - 1
}

func (l *ladder) Event(e Event) {
	switch {
	case l.err != nil, e.Kind == Call, !l.Timers && (e.Kind == TimerSet || e.Kind == TimerStopped):
		return
	case len(l.marks) == ladderLimit:
		l.more++
		return
	}
	switch e.Kind {
	case Sent:
		l.sent(&e)
	case Received:
		l.received(&e)
	case Dropped:
		l.dropped(&e)
	case State:
		l.margin(&e, markState, e.To)
	case TimerFired:
		l.margin(&e, markTimer, e.Name)
	case TimerSet:
		l.margin(&e, markTimer, e.Name+" "+shortSeconds(e.For)+" s")
	case TimerStopped:
		l.margin(&e, markTimer, e.Name+" off")
	case Note:
		if !l.remark(&e) {
			l.margin(&e, markNote, e.Text)
		}
	}
}

// remark adds what a link has done to a packet to its label. It reports false
// if e is not about a packet that is drawn.
func (l *ladder) remark(e *Event) bool {
	all := l.arrows[e.ID]
	if e.ID == 0 || len(all) == 0 {
		return false
	}
	a := all[len(all)-1]
	for i := range a.labels {
		a.labels[i] += ", " + e.Text
	}
	return true
}

func (l *ladder) margin(e *Event, kind markKind, text string) {
	lane := l.lane(e.Host)
	if lane == nowhere && (kind != markNote || e.Host != "") {
		return
	}
	m := mark{at: e.At, lane: lane, kind: kind, text: text, conn: connKey{e.Local, e.Remote}}
	if kind == markState {
		if l.conns[lane] == nil {
			l.conns[lane] = map[connKey]bool{}
		}
		l.conns[lane][m.conn] = true
	}
	l.marks = append(l.marks, m)
}

func (l *ladder) sent(e *Event) {
	lane := l.lane(e.Host)
	if lane == nowhere && e.Host != "" {
		return
	}
	a := &arrow{from: lane, to: nowhere, sent: e.At}
	d := l.label(e, lane, a)
	if l.AtHost != "" {
		l.meet(a, d.dst)
	}
	a.to = l.aim(lane, d.dst)
	l.arrows[e.ID] = append(l.arrows[e.ID], a)
	l.marks = append(l.marks, mark{at: e.At, lane: lane, kind: markSend, arrow: a})
}

// aim guesses which line a packet is on its way to, for one that gets lost.
func (l *ladder) aim(from int, dst netip.Addr) int {
	if lane, ok := l.owner[dst]; ok && lane != from {
		return lane
	}
	if l.Host != nil {
		if lane := slices.Index(l.lanes, l.Host(dst)); lane != nowhere && lane != from {
			return lane
		}
	}
	if from == 0 || from == nowhere {
		return min(1, len(l.lanes)-1)
	}
	return from - 1
}

func (l *ladder) received(e *Event) {
	lane := l.lane(e.Host)
	if lane == nowhere {
		return
	}
	var last *arrow
	for _, a := range l.arrows[e.ID] {
		if a.from == lane {
			continue
		}
		last = a
		if !a.done && a.lost == "" {
			break
		}
	}
	if last == nil {
		l.incoming(e, "")
		return
	}
	if last.done || last.lost != "" {
		// It was sent once and arrives twice, or at more hosts than one.
		twin := *last
		twin.again, twin.lost = last.to == lane, ""
		last = &twin
		l.arrows[e.ID] = append(l.arrows[e.ID], last)
	}
	last.to, last.arrived, last.done = lane, e.At, true
	l.marks = append(l.marks, mark{at: e.At, lane: lane, kind: markArrive, arrow: last})
}

func (l *ladder) dropped(e *Event) {
	why := "lost"
	if e.Reason != nil {
		why = e.Reason.String()
	}
	for _, a := range l.arrows[e.ID] {
		if !a.done && a.lost == "" {
			a.lost = why
			return
		}
	}
	if e.ID != 0 && l.incoming(e, why) {
		return
	}
	if lane := l.lane(e.Host); lane != nowhere {
		l.marks = append(l.marks, mark{at: e.At, lane: lane, kind: markNote, text: "dropped: " + why})
	}
}

// label finds what is written at an arrow, the longest form first. It returns the
// datagram, as far as it is one.
func (l *ladder) label(e *Event, lane int, a *arrow) (d datagram) {
	if e.isARP() {
		a.labels = []string{l.lister.oldARP(e.Packet), "arp"}
		return d
	}
	if why := d.decode(e.Packet); why != wire.OK {
		a.labels = []string{why.String()}
		return d
	}
	if lane != nowhere && e.Rule.Text != "forwarded" {
		l.owner[d.src] = lane
	}
	var s wire.Segment
	if d.proto != wire.ProtoTCP || d.offset != 0 {
		text := strings.TrimPrefix(l.lister.oldUpper(&d), l.host(d.src)+" > "+l.host(d.dst)+":")
		if i := strings.Index(text, ": udp"); i >= 0 {
			text = text[i+1:]
		}
		a.labels = []string{strings.TrimSpace(text + oldTail(&d)), d.proto.String()}
		return d
	}
	if why := s.Decode(d.payload); why != wire.OK && why != wire.OptionLength && why != wire.OptionSize {
		a.labels = []string{why.String()}
		return d
	}
	a.labels, a.flags = l.segment(&d, &s), s.Flags
	return d
}

func (l *ladder) segment(d *datagram, s *wire.Segment) []string {
	first, ack, sack := l.lister.numbers(d, s)
	var words []string
	for _, f := range []wire.Flags{wire.SYN, wire.FIN, wire.RST, wire.PSH, wire.URG} {
		if s.Flags.Has(f) {
			words = append(words, f.String())
		}
	}
	name := strings.Join(words, " ")
	acks, data, start := "", "", ""
	if s.Flags.Has(wire.ACK) {
		acks = fmt.Sprintf("ack %d", ack)
	}
	if n := len(s.Payload); n > 0 || s.Flags.Any(wire.SYN|wire.FIN|wire.RST) {
		data = fmt.Sprintf("%d:%d(%d)", first, first.Add(seq.Size(n)), n)
		start = fmt.Sprint(first)
	}
	key := windowOf{netip.AddrPortFrom(d.src, s.SrcPort), netip.AddrPortFrom(d.dst, s.DstPort)}
	last, known := l.window[key]
	l.window[key] = s.Window
	win := ""
	if known && last != s.Window && !s.Flags.Has(wire.RST) {
		win = fmt.Sprintf("win %d", s.Window)
	}
	opts := oldOptions(&s.Options, sack)
	if opts != "" {
		opts = "<" + opts + ">"
	}
	all := []string{
		join(name, data, acks, win, opts), join(name, data, acks, win), join(name, data, acks),
		join(name, start, acks), join(name, acks), cmp.Or(name, acks, "segment"),
	}
	for i := range all {
		all[i] = cmp.Or(all[i], "no flags")
	}
	return all
}

// join joins the words that are not empty.
func join(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// fit returns the longest of labels that has not more than n characters.
func fit(labels []string, n int) string {
	for _, s := range labels {
		if len(s) <= n {
			return s
		}
	}
	return labels[len(labels)-1][:max(0, min(n, len(labels[len(labels)-1])))]
}

// connection is how the mark's connection is told from others of its line: by
// the port that differs.
func (l *ladder) connection(m mark) string {
	if m.kind != markState || len(l.conns[m.lane]) < 2 {
		return ""
	}
	port, other := m.conn.local.Port(), m.conn.remote.Port()
	for c := range l.conns[m.lane] {
		if c.local.Port() != port {
			return fmt.Sprintf(".%d ", port)
		}
	}
	if other == 0 {
		return ""
	}
	return fmt.Sprintf(".%d ", other)
}
