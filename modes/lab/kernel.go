package lab

import (
	"fmt"
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

// atMost is when a lab ends even if something might still happen.
func (k *Kernel) atMost() time.Duration { return k.takes + k.takes/4 + 3*time.Second }

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
