package lab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sock/modes/lab/sim"
	"sock/rawtcp/trace"
)

// Options are how a lab is run.
type Options struct {
	System string // "" and Book: each host has its own; else the profile of all
	Seed   uint64 // 0 is that of the lab
	// Watch is told each Entry as it happens. An error ends the run.
	Watch func(o *Outcome, e Entry) error
}

// patience is how long a lab may go on after the last line of its script, if
// it does not say until when.
const patience = 24 * time.Hour

// Run runs a lab, and compares what is seen with what it expects. The same lab
// with the same options always has the same outcome. An error tells that the
// lab could not be run; an expectation that is not met is none.
func Run(l *Lab, o Options) (*Outcome, error) {
	if o.System == "" {
		o.System = Book
	}
	if o.Seed == 0 {
		o.Seed = l.Seed
	}
	r := &runner{
		watch: o.Watch, origins: origins{}, terminals: map[string]*terminal{},
		Outcome: &Outcome{Lab: l, System: o.System, Seed: o.Seed, ends: map[string][]ending{}},
	}
	err := r.run()
	var m *Mistake
	if errors.As(err, &m) {
		m.File = l.Name + ".lab"
	}
	if err != nil {
		return nil, err
	}
	r.verify()
	return r.Outcome, nil
}

// runner is a lab that runs.
type runner struct {
	*Outcome
	*builder
	watch     func(*Outcome, Entry) error
	terminals map[string]*terminal
	order     []*terminal
	origins   origins
	over      bool
	err       error
}

func (r *runner) run() (err error) {
	if r.steps, err = r.Lab.steps(r.System); err != nil {
		return err
	}
	world := sim.New(r.Seed, trace.Func(r.event))
	defer world.Close()
	world.Epoch = r.Lab.Clock
	r.Names = world.TraceNames()
	r.builder = newBuilder(r.Lab, r.System, world)
	if err := r.build(r.steps); err != nil {
		return err
	}
	for _, h := range r.lab.hosts {
		r.Hosts = append(r.Hosts, h.name)
	}
	last := time.Duration(0)
	for _, s := range r.steps {
		if a, ok := s.do.(action); ok {
			last = s.from
			r.world.At(s.from, func() { r.act(s, a) })
		}
	}
	if r.lab.Until > 0 {
		r.world.At(r.lab.Until, func() { r.over = true })
	}
	return r.live(last + patience)
}

// live lets things happen until the lab is over.
func (r *runner) live(limit time.Duration) error {
	for !r.over && r.err == nil {
		more, err := r.world.Step()
		if err != nil {
			return err
		}
		r.poll()
		if !more {
			break
		}
		r.End = r.world.Now()
		if r.lab.Until == 0 && r.End > limit {
			return mistake(1, "this goes on for ever: say when it is over, as in %q", "until 10min")
		}
	}
	for _, t := range r.order {
		t.flush(r)
	}
	r.over = true
	return r.err
}

func (r *runner) act(s step, a action) {
	if r.err != nil {
		return
	}
	if err := a.act(r); err != nil && r.err == nil {
		r.err = mistake(s.no, "%s", err)
	}
	r.poll()
}

// event takes down what the world tells.
func (r *runner) event(e trace.Event) {
	if r.over {
		return // the machines are switched off
	}
	if e.Kind == trace.Sent {
		r.origins.see(&e)
	}
	r.told(e)
	r.watchLast()
}

// note puts an entry on the time-line.
func (r *runner) note(kind EntryKind, terminal, text string) {
	r.add(Entry{At: r.world.Now(), Kind: kind, Terminal: terminal, Text: text})
	r.watchLast()
}

func (r *runner) watchLast() {
	if r.watch == nil || r.err != nil {
		return
	}
	r.err = r.watch(r.Outcome, r.Line[len(r.Line)-1])
}

func (f fault) act(r *runner) error {
	r.note(Happened, "", f.text)
	return r.world.Net.Rule(f.at(r.world.Now(), true))
}

func (a power) act(r *runner) error {
	h := r.hosts[a.host]
	if !a.on {
		r.note(Happened, a.host, "crash "+a.host)
		h.Crash()
		return nil
	}
	r.note(Happened, a.host, "reboot "+a.host)
	h.Reboot()
	return nil
}

func (c change) act(r *runner) error {
	r.note(Happened, c.link, "change "+c.link+" "+strings.Join(c.words, " "))
	o := r.lab.link(c.link).LinkOptions
	if err := linkOptions(&o, c.words); err != nil {
		return err
	}
	r.world.Net.FindLink(c.link).Set(o.Conditions)
	return nil
}

func (c command) act(r *runner) error {
	t := r.terminals[c.term]
	if t == nil {
		t = &terminal{name: c.term}
		r.terminals[c.term] = t
		r.order = append(r.order, t)
	}
	if t.proc != nil || len(t.queue) > 0 {
		return fmt.Errorf("at %s %q still runs: give another terminal a name, as in %q",
			c.term, t.proc.Name(), hostOf(c.term)+":2 % ...")
	}
	r.note(Commanded, c.term, c.prompt+" "+c.text)
	t.queue = c.commands
	r.ends[t.name] = append(r.ends[t.name], ending{})
	return t.next(r)
}

func (t typing) act(r *runner) error {
	term := r.terminals[t.term]
	text, key := t.keys()
	if term == nil || term.proc == nil {
		return fmt.Errorf("nothing runs at %s that %q could be typed to", t.term, t.text)
	}
	term.flush(r)
	r.note(Typed, t.term, t.text)
	if text != "" {
		term.proc.Type(text)
	}
	switch key {
	case "^D":
		term.proc.EOF()
	case "^C":
		return term.proc.Signal("INT")
	case `^\`:
		return term.proc.Signal("QUIT")
	case "^Z":
		return term.proc.Signal("TSTP")
	}
	return nil
}
