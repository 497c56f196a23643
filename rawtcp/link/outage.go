package link

import (
	"slices"
	"time"
)

// outage is the cutting of a cable, or its mending.
type outage struct {
	at  time.Duration
	end int // or Everybody: the whole link
	cut bool
	// rule is that which says so, or nil.
	rule *rule
}

// Cut cuts the cable of one end, or the whole link for Everybody, at a time
// to come. What is under way then is lost.
func (p *Pipe) Cut(at time.Duration, end int) { p.plan(outage{at, end, true, nil}) }

// Mend undoes a Cut of the same end.
func (p *Pipe) Mend(at time.Duration, end int) { p.plan(outage{at, end, false, nil}) }

func (p *Pipe) plan(o outage) {
	i := len(p.outages)
	for i > 0 && p.outages[i-1].at > o.at {
		i--
	}
	p.outages = slices.Insert(p.outages, i, o)
}

// IsCut reports whether nothing gets to an end, or for Everybody to any.
func (p *Pipe) IsCut(end int) bool {
	return len(p.cuts) > 0 && (slices.Contains(p.cuts, end) || slices.Contains(p.cuts, Everybody))
}

// advance cuts and mends what was to be by now.
func (p *Pipe) advance(now time.Duration) {
	for len(p.outages) > 0 && p.outages[0].at <= now {
		o := p.outages[0]
		p.outages = p.outages[1:]
		p.rules = slices.DeleteFunc(p.rules, func(r *rule) bool { return r == o.rule })
		i := slices.Index(p.cuts, o.end)
		if (i >= 0) == o.cut {
			continue
		}
		if o.cut {
			p.cuts = append(p.cuts, o.end)
		} else {
			p.cuts = slices.Delete(p.cuts, i, i+1)
		}
		if p.Changed != nil {
			p.Changed(o.at, o.end, o.cut)
		}
	}
}
