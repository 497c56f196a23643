package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Linux is the system that the kernel is: what a lab says of it must be so on
// the kernel too.
const Linux = "linux"

// Kernel is how a lab is run with the kernel's sockets: each host is a network
// namespace, each command a process. See package onkernel.
type Kernel struct {
	// Interrupt ends the lab when it is closed.
	Interrupt <-chan struct{}

	takes time.Duration // how long the lab is, if the kernel does as Linux does in a simulation
}

// Takes returns how long a lab takes on the kernel: as long as it takes in the
// virtual time of a simulated Linux.
func Takes(l *Lab) (time.Duration, error) {
	if l.Until > 0 {
		return l.Until, nil
	}
	o, err := Run(l, Options{System: Linux})
	if err != nil {
		return 0, err
	}
	return o.End, nil
}

// calm is how long nothing has happened where nothing more will.
const calm = time.Second / 2

// restAt ends the lab at a time; or later, if the script does not say until
// when, and something seems to be under way.
func (r *runner) restAt(k *Kernel, at time.Duration) {
	atMost := k.takes + k.takes/slackShares + 10*calm
	r.At(at, nil, func() {
		last := time.Duration(0)
		if n := len(r.Line); n > 0 {
			last = r.Line[n-1].At
		}
		if r.Lab.Until > 0 || r.Now() > atMost || r.resting() && r.Now() >= last+calm {
			r.over = true
			return
		}
		r.restAt(k, r.Now()+calm/5)
	})
}

// The times of a script are those of an idle machine and of links that take no
// more than they should. On the kernel of a machine that does other things too,
// what is no further off is as good.
const (
	slackLeast  = 300 * time.Millisecond
	slackShares = 5 // of the time itself
)

// slack returns how far from a time it may be, beyond what the script grants.
func (o *Outcome) slack(granted, at time.Duration) time.Duration {
	if !o.OnKernel {
		return granted
	}
	return max(granted, slackLeast, at/slackShares)
}

// fits reports whether at is the moment.
func (o *Outcome) fits(m moment, at, slack time.Duration) bool {
	return m.fits(at, o.slack(slack, m.low))
}

// within reports whether at lies in the part of the time-line.
func (o *Outcome) within(w window, at time.Duration) bool {
	late := o.slack(0, w.from)
	return at >= w.from && (w.to == forever || at < w.to+late || w.to+late < w.to)
}

// wanted returns the packet to look for where p is expected. The kernel chooses
// its initial sequence numbers, and so on the kernel they are not compared:
// those of a SYN, and in an absolute listing all.
func (o *Outcome) wanted(p packet, absolute bool) packet {
	flags, _ := p.get(fieldFlags)
	if !o.OnKernel || !absolute && !strings.Contains(flags, "S") {
		return p
	}
	var open packet
	for _, f := range p {
		switch f.name {
		case fieldNumbers:
			if n := splitNumbers(f.text); len(n) == 3 {
				f.text = fmt.Sprintf("*:*(%s)", n[2])
			}
		case fieldAck:
			f.text = anything
		}
		open = append(open, f)
	}
	return open
}

// isSeen reports whether there is a way to see what an expectation is about.
// The kernel tells nobody which timers run out, and what it drops.
func (o *Outcome) isSeen(x expectation) bool {
	c, ok := x.(occurrence)
	return !o.OnKernel || !ok || c.verb != "fires" && c.verb != "drops"
}

// faultsFirst puts what is done to links before all else of the same instant:
// on the kernel the first packet of a program may be under way before the next
// line of the script is read.
func faultsFirst(steps []step) []step {
	rank := func(s step) int {
		switch s.do.(type) {
		case fault, change:
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(steps), func(a, b step) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(rank(a), rank(b)))
	})
}
