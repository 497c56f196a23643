package lab

import (
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Lab is an experiment: a script that has been read.
type Lab struct {
	Name    string   // of the file, without .lab
	Title   string   // in a line
	Section string   // of the book: "18.7.2"
	Figure  string   // of the book: "18-15"
	Also    []string // other names: of what else it shows
	About   []string
	Source  string // the script

	Seed  uint64
	Until time.Duration // when to stop; 0 is when nothing is left to happen
	Clock time.Time     // what the clocks show in the beginning

	links      []linkLine
	hosts      []hostLine
	files      map[string]string
	emptyARP   bool
	statements []statement
}

// Book is the system that a lab is written for: each host has its own. A part
// of a script may be "for book".
const Book = "book"

// statement is a line of a script that does or expects something.
type statement struct {
	no   int
	only []string // the systems it is for; nil is all
	do   any      // a setup, a clock, an action or an expectation
}

// setup is a statement about a host, before the clock starts.
type setup interface{ prepare(b *builder) error }

// clock is a statement that moves the time of those that follow.
type clock struct {
	at       time.Duration
	relative bool // to the last one
}

// action is a statement that makes something happen.
type action interface{ act(r *runner) error }

// expectation is a statement about what is to be seen. It returns what was
// seen in its place, nil if all is well.
type expectation interface {
	check(o *Outcome, w window) *Failure
}

// window is the part of the time-line in which a statement stands.
type window struct{ from, to time.Duration }

// step is a statement with its place in time.
type step struct {
	statement
	window
}

// steps returns the statements that are for a system, in their order.
func (l *Lab) steps(system string) (steps []step, err error) {
	now := time.Duration(0)
	first := 0 // of those that have no end yet
	commands := map[string]int{}
	for _, s := range l.statements {
		if s.only != nil && !slices.Contains(s.only, system) {
			continue
		}
		switch v := s.do.(type) {
		case command:
			commands[v.term]++
		case exits:
			v.nth = commands[v.term]
			s.do = v
		}
		c, ok := s.do.(clock)
		if !ok {
			steps = append(steps, step{s, window{now, forever}})
			continue
		}
		at := c.at
		if c.relative {
			at += now
		}
		if at < now {
			return nil, mistake(s.no, "it is %v already: time goes forward, and \"after 2s\" is 2 seconds later", now)
		}
		for i := first; i < len(steps); i++ {
			steps[i].to = at
		}
		now, first = at, len(steps)
	}
	return steps, nil
}

// Systems returns the systems that the script has something to say about,
// beside the book's.
func (l *Lab) Systems() (names []string) {
	for _, s := range l.statements {
		for _, name := range s.only {
			if name != Book && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// linkLine is "link ether delay 0.3ms".
type linkLine struct {
	no   int
	name string
	link.LinkOptions
}

// hostLine is "host sun sunos 140.252.13.33/27 on ether, 140.252.1.29/24 on
// slip via netb".
type hostLine struct {
	no         int
	name       string
	system     string // the profile
	interfaces []interfaceLine
	via        []viaLine
	router     bool
	up         time.Duration // how long it is up when the lab begins
	busy       time.Duration // what a read or a write takes
	also       []string      // other names
}

type interfaceLine struct {
	prefix netip.Prefix
	link   string
	name   string   // "" for the usual one
	mac    wire.MAC // zero: one that is given out
}

// viaLine is a route: "via bsdi", "to 192.82.148.0/24 via bsdi".
type viaLine struct {
	to      netip.Prefix // not valid: everything
	gateway string       // a name or an address
}

func (l *Lab) host(name string) *hostLine {
	for i := range l.hosts {
		if l.hosts[i].name == name {
			return &l.hosts[i]
		}
	}
	return nil
}

func (l *Lab) link(name string) *linkLine {
	for i := range l.links {
		if l.links[i].name == name {
			return &l.links[i]
		}
	}
	return nil
}
