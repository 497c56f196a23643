package lab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sock/rawtcp/trace"
)

// Options are how a lab is run.
type Options struct {
	System string // "" and Book: each host has its own; else the profile of all
	Seed   uint64 // 0 is that of the lab
	// Kernel runs the lab with the kernel's sockets, in real time; then System
	// is "linux".
	Kernel *Kernel
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
	if o.Kernel != nil {
		var err error
		if o.Kernel.takes, err = Takes(l); err != nil {
			return nil, err
		}
		o.System = Linux
	}
	if o.Seed == 0 {
		o.Seed = l.Seed
	}
	r := &runner{
		watch: o.Watch, origins: origins{}, terminals: map[string]*terminal{},
		Outcome: &Outcome{
			Lab: l, System: o.System, Seed: o.Seed, OnKernel: o.Kernel != nil, ends: map[string][]ending{},
		},
	}
	err := r.run(o.Kernel)
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
	stage
	watch     func(*Outcome, Entry) error
	terminals map[string]*terminal
	order     []*terminal
	origins   origins
	over      bool
	err       error
}

func (r *runner) run(k *Kernel) (err error) {
	if r.steps, err = r.Lab.steps(r.System); err != nil {
		return err
	}
	if k == nil {
		r.stage = newSimulated(r.Lab, r.System, r.Seed, trace.Func(r.event))
	} else if r.stage, err = newOnKernel(r.Lab, k, r.Seed, trace.Func(r.event)); err != nil {
		return err
	}
	defer r.Close()
	r.Names = r.names()
	if err := r.build(r.steps); err != nil {
		return err
	}
	for _, h := range r.Lab.hosts {
		r.Hosts = append(r.Hosts, h.name)
	}
	last := time.Duration(0)
	steps := r.steps
	if k != nil {
		steps = faultsFirst(steps)
	}
	for _, s := range steps {
		if a, ok := s.do.(action); ok {
			last = s.from
			r.At(s.from, r.readyFor(a), func() { r.act(s, a) })
		}
	}
	switch {
	case k != nil:
		r.restAt(k, k.takes+slackLeast)
	case r.Lab.Until > 0:
		r.At(r.Lab.Until, nil, func() { r.over = true })
	}
	return r.live(last + patience)
}

// live lets things happen until the lab is over.
func (r *runner) live(limit time.Duration) error {
	for !r.over && r.err == nil {
		more, err := r.Step()
		if err != nil {
			return err
		}
		r.poll()
		if !more {
			break
		}
		r.End = r.Now()
		if r.Lab.Until == 0 && r.End > limit {
			return mistake(1, "this goes on for ever: say when it is over, as in %q", "until 10min")
		}
	}
	for _, t := range r.order {
		t.flush(r)
	}
	r.over = true
	return r.err
}

// readyFor returns what a must wait for: a command, for the end of the one before
// it at the same terminal.
func (r *runner) readyFor(a action) func() bool {
	c, ok := a.(command)
	if !ok {
		return nil
	}
	return func() bool {
		t := r.terminals[c.term]
		return t == nil || t.proc == nil
	}
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
	r.add(Entry{At: r.Now(), Kind: kind, Terminal: terminal, Text: text})
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
	rule := f.at(r.Now(), true)
	links := f.cables(r.Lab)
	if len(links) == 0 {
		return r.rule(rule)
	}
	for _, link := range links {
		if err := r.rule(rule + " on " + link); err != nil {
			return err
		}
	}
	return nil
}

func (a power) act(r *runner) error {
	if !a.on {
		r.note(Happened, a.host, "crash "+a.host)
		r.crash(a.host)
		return nil
	}
	r.note(Happened, a.host, "reboot "+a.host)
	return r.reboot(a.host)
}

func (c change) act(r *runner) error {
	r.note(Happened, c.link, "change "+c.link+" "+strings.Join(c.words, " "))
	o := r.Lab.link(c.link).LinkOptions
	if err := linkOptions(&o, c.words); err != nil {
		return err
	}
	r.change(c.link, o.Conditions)
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
		return fmt.Errorf("nothing runs at %s that %q could be typed to: its command is not given yet, or has ended", t.term, t.text)
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
