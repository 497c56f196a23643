package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// terminalText is all that a terminal is to show.
type terminalText struct {
	terminal string
	lines    []textLine
}

type textLine struct {
	printed
	window
}

// check compares line by line. A line is to be there at its time, or else in
// the part of the time-line where it stands in the script.
func (t terminalText) check(o *Outcome, _ window) *Failure {
	got := o.printed(t.terminal)
	isGap := func(i int) bool { return t.lines[i].text == "..." }
	pairs := align(len(t.lines), len(got), isGap, func(i, j int) []string {
		return t.lines[i].differs(o, got[j])
	})
	if alike(pairs, isGap) {
		return nil
	}
	return &Failure{
		What: "what " + t.terminal + " shows",
		Rows: rows(pairs,
			func(i int) string { return t.lines[i].String() },
			func(j int) string { return seconds(got[j].At) + "  " + got[j].Text }, isGap),
	}
}

func (l textLine) differs(o *Outcome, e Entry) (names []string) {
	if !fitsText(l.text, e.Text) {
		names = append(names, "text")
	}
	if !l.when.any && !o.fits(l.when, e.At, 0) || l.when.any && !o.within(l.window, e.At) {
		names = append(names, "time")
	}
	return names
}

func (l textLine) String() string {
	when := l.when.text
	if l.when.any {
		when = seconds(l.from) + ".."
		if l.to != forever {
			when += seconds(l.to)
		}
	}
	return when + "  " + l.text
}

// fitsText compares two lines; how wide the space between words is does not
// matter.
func fitsText(want, got string) bool { return glob(squeeze(want), squeeze(got)) }

func (e exits) check(o *Outcome, _ window) *Failure {
	var end ending
	ok := e.nth <= len(o.ends[e.term]) && e.nth > 0
	if ok {
		end = o.ends[e.term][e.nth-1]
	}
	want := "exits " + e.status
	if e.status == "" {
		want = "runs"
	}
	got, differs := "runs", []string(nil)
	switch {
	case !ok:
		got, differs = "no command was given", []string{"missing"}
	case end.done:
		got = fmt.Sprintf("exits %d at %s", end.status, seconds(end.at))
		if e.status == "" || e.status != anything && e.status != strconv.Itoa(end.status) {
			differs = append(differs, "status")
		}
		if !o.fits(e.when, end.at, 0) {
			want += " at " + e.when.text
			differs = append(differs, "time")
		}
	case e.status != "":
		differs = append(differs, "it has not ended")
	}
	if differs == nil {
		return nil
	}
	return &Failure{What: "the end of the command of " + e.term, Rows: []Row{{want, got, differs}}}
}

// life is the states of one connection at one host.
type life struct {
	local, remote string
	states        []string
	since         []time.Duration
	end           time.Duration // of the lab
}

// lives returns those of a host, in the order of their beginning.
func (o *Outcome) lives(host string) (all []*life) {
	for i := range o.Events {
		e := &o.Events[i]
		if e.Kind != trace.State || e.Host != host {
			continue
		}
		local, remote := endOf(o.Names, e.Local), endOf(o.Names, e.Remote)
		k := slices.IndexFunc(all, func(l *life) bool {
			last := len(l.states) - 1
			return l.local == local && l.remote == remote && l.states[last] == e.From && e.From != closed
		})
		if k < 0 {
			all = append(all, &life{
				local: local, remote: remote, states: []string{e.From}, since: []time.Duration{0}, end: o.End,
			})
			k = len(all) - 1
		}
		all[k].states = append(all[k].states, e.To)
		all[k].since = append(all[k].since, e.At)
	}
	return all
}

// closed is the state in which nothing is left of a connection.
const closed = "CLOSED"

// endOf prints one end of a connection as a listing does.
func endOf(n trace.Names, a netip.AddrPort) string {
	host, port := anything, anything
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		host = a.Addr().String()
		if n.Host != nil && n.Host(a.Addr()) != "" {
			host = n.Host(a.Addr())
		}
	}
	if a.Port() != 0 {
		port = strconv.Itoa(int(a.Port()))
		if n.Service != nil && n.Service(wire.ProtoTCP, a.Port()) != "" {
			port = n.Service(wire.ProtoTCP, a.Port())
		}
	}
	return host + "." + port
}

// lasted returns how long the i-th state lasted, and false if it still does.
func (l *life) lasted(i int) (time.Duration, bool) {
	if i+1 == len(l.since) {
		return l.end - l.since[i], false
	}
	return l.since[i+1] - l.since[i], true
}

func (l *life) String() string { return l.local + " " + l.remote + ": " + strings.Join(l.states, " ") }

// check looks for one connection that passes the states and no others, apart
// from those before the first that is named.
func (s passage) check(o *Outcome, _ window) *Failure {
	f := &Failure{What: "states of " + strings.TrimSpace(s.local+" "+s.remote)}
	for _, l := range o.lives(endHost(s.local)) {
		if !s.isOf(l) {
			continue
		}
		row := Row{Want: s.String(), Got: l.String(), Differs: s.differs(o, l)}
		if row.Differs == nil {
			return nil
		}
		f.Rows = append(f.Rows, row)
	}
	if f.Rows == nil {
		f.Rows = []Row{{s.String(), "no such connection", []string{"missing"}}}
	}
	return f
}

func (s passage) isOf(l *life) bool {
	is := func(want, got string) bool {
		return want == "" || !strings.Contains(want, ".") && strings.HasPrefix(got, want+".") || fitsEnd(want, got)
	}
	return (is(s.local, l.local) || strings.HasPrefix(l.local, "*.") && is(s.local, endHost(s.local)+l.local[1:])) && is(s.remote, l.remote)
}

func (s passage) differs(o *Outcome, l *life) []string {
	first := slices.Index(l.states, s.states[0].name)
	if s.states[0].name == "..." {
		first = 0
	}
	if first < 0 {
		return []string{"states"}
	}
	isGap := func(i int) bool { return s.states[i].name == "..." }
	pairs := align(len(s.states), len(l.states)-first, isGap, func(i, j int) (differs []string) {
		if s.states[i].name != l.states[first+j] {
			return []string{"states"}
		}
		if lasted, over := l.lasted(first + j); !s.states[i].lasts.any && (!over || !o.fits(s.states[i].lasts, lasted, 0)) {
			return []string{fmt.Sprintf("%s lasts %s", s.states[i].name, seconds(lasted))}
		}
		return nil
	})
	if alike(pairs, isGap) {
		return nil
	}
	for _, p := range pairs {
		if len(p.differs) > 0 {
			return p.differs
		}
	}
	return []string{"states"}
}

func (s passage) String() string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(s.local+" "+s.remote) + ":")
	for _, st := range s.states {
		b.WriteString(" " + st.name)
		if !st.lasts.any {
			b.WriteString("(" + st.lasts.text + ")")
		}
	}
	return b.String()
}

func (w occurrence) check(o *Outcome, _ window) *Failure {
	seen := w.seen(o)
	if fitsNumber(w.number, strconv.Itoa(len(seen))) {
		return nil
	}
	f := &Failure{What: "how often: " + w.text, Rows: []Row{{
		Want: w.number, Got: strconv.Itoa(len(seen)), Differs: []string{"number"},
	}}}
	if w.number == "0" {
		f.What, f.Rows = "never: "+w.text, nil
	}
	for _, s := range seen {
		f.Rows = append(f.Rows, Row{Got: s, Differs: []string{"seen"}})
	}
	return f
}

// seen returns all that is as w says.
func (w occurrence) seen(o *Outcome) (all []string) {
	if w.verb == "prints" {
		for _, e := range o.printed(w.host) {
			if fitsText(w.what, e.Text) {
				all = append(all, seconds(e.At)+"  "+e.Text)
			}
		}
		return all
	}
	if w.verb == "" {
		want := o.wanted(w.packet, false)
		for _, s := range o.listing(dump{}) {
			if len(want.differs(s.packet)) == 0 {
				all = append(all, seconds(o.Events[s.event].At)+"  "+s.text)
			}
		}
		return all
	}
	for i := range o.Events {
		e := &o.Events[i]
		what, ok := "", false
		switch {
		case e.Host != w.host:
		case w.verb == "in" && e.Kind == trace.State:
			what, ok = e.To, true
		case w.verb == "fires" && e.Kind == trace.TimerFired:
			what, ok = e.Name, true
		case w.verb == "drops" && e.Kind == trace.Dropped && e.Reason != nil:
			what, ok = e.Reason.String(), true
		}
		if ok && fitsText(w.what, what) {
			all = append(all, seconds(e.At)+"  "+e.Summary())
		}
	}
	return all
}
