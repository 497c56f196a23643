package trace

import (
	"math"
	"time"
)

// measure makes the margins as wide as what stands in them, and the way from
// one host to the next as long as the labels.
func (p *picture) measure() {
	last := len(p.lanes) - 1
	p.left, p.right, p.gap = svgMargin, svgMargin, svgGap
	for _, m := range p.marks {
		switch {
		case m.arrow != nil:
			if w := textWidth(m.arrow.labels[0]); w <= svgLongLabel {
				p.gap = max(p.gap, w+svgAround)
			}
			if m.arrow.from == m.arrow.to {
				p.right = max(p.right, svgBeside+textWidth(m.arrow.labels[0])+svgEdge)
			}
		case m.lane == 0:
			p.left = max(p.left, svgBeside+p.wordsWidth(m)+svgEdge)
		case m.lane == last:
			p.right = max(p.right, svgBeside+p.wordsWidth(m)+svgEdge)
		}
	}
	// The title stands over the middle of the hosts.
	beyond := textWidth(p.Title)*svgTitleScale/2 - p.gap*float64(last)/2 + svgEdge
	p.left, p.right = max(p.left, beyond-svgTime), max(p.right, beyond)
}

// wordsWidth is how wide what stands beside a line is.
func (p *picture) wordsWidth(m mark) float64 {
	w := textWidth(p.connection(m) + m.text)
	switch m.kind {
	case markState:
		w *= svgBoldScale
	case markTimer:
		w += svgClock
	}
	return w
}

// textWidth is how wide a text of the size of a label is, in pixels: rather too
// much than too little, as nobody knows the font that it will be drawn in.
func textWidth(s string) float64 {
	em := 0.0
	for _, r := range s {
		switch r {
		case ' ', '!', '\'', '(', ')', '*', ',', '-', '.', '/', ':', ';', '[', ']', '|', 'I', 'f', 'i', 'j', 'l', 'r', 't':
			em += 0.39
		case '#', '%', '&', '+', '<', '=', '>', '@', '~', 'M', 'W', 'm', 'w':
			em += 0.87
		default:
			em += 0.63
			if r >= 'A' && r <= 'Z' {
				em += 0.07
			}
		}
	}
	return em * svgFont
}

// arrange finds a place for everything. Where a label finds none, its arrow gets
// steeper, and if that does not help, the label shorter.
func (p *picture) arrange() {
	p.stretch, p.form = map[*arrow]float64{}, map[*arrow]int{}
	for round := range svgRounds {
		p.place()
		p.aimShafts()
		p.chooseSides()
		if p.label(round == svgRounds-1) {
			return
		}
	}
}

// place gives each mark its height. Time goes down, but not in proportion: a
// millisecond must be seen beside a minute. A silence has one height however
// long it is.
func (p *picture) place() {
	p.y, p.foldAt = p.y[:0], p.foldAt[:0]
	y := float64(svgTop)
	var now time.Duration
	words, sends, arrivals := heights{}, heights{}, heights{}
	for i, m := range p.marks {
		dt := m.at - now
		switch {
		case i == 0:
		case dt >= p.Fold:
			p.foldAt = append(p.foldAt, fold{y + 12 + svgFold/2, dt})
			y += svgFold + 24
		case dt > 0:
			y += 14 + 4.5*math.Log10(1+float64(dt)/float64(time.Microsecond))
		case m.kind == markSend && p.marks[i-1].kind == markSend:
			y += 18 // sent at once, one after the other
		case p.marks[i-1].kind == markNote:
			y += 24
		}
		now = max(now, m.at)
		at := y
		switch {
		case m.arrow != nil && m.arrow.peer != "": // level, so that none crosses another
			y = sends.below(column{}, y, svgApart)
			at = y
		case m.kind == markSend:
			y = sends.below(column{m.lane, m.lane}, y, svgApart)
			at = y
		case m.kind == markArrive:
			y = arrivals.below(column{m.arrow.from, m.lane}, y+p.stretch[m.arrow], svgApart)
			at = y
		default:
			at = words.below(column{m.lane, m.lane}, y, 14)
			y = max(y, at)
		}
		p.y = append(p.y, at)
	}
	p.end = y + 24
}

// column is where things stand one below the other: at one line, or between two.
type column struct{ from, to int }

// heights are those of the last things in some columns.
type heights map[column]float64

// below returns y, or what is needed more to be that far below what is there.
func (h heights) below(c column, y, far float64) float64 {
	if last, ok := h[c]; ok {
		y = max(y, last+far)
	}
	h[c] = y
	return y
}

// aimShafts finds where the arrows begin and end.
func (p *picture) aimShafts() {
	arrived, sent := map[*arrow]float64{}, map[*arrow]bool{}
	for i, m := range p.marks {
		switch m.kind {
		case markSend:
			sent[m.arrow] = true
		case markArrive:
			arrived[m.arrow] = p.y[i]
		}
	}
	p.shafts = p.shafts[:0]
	for i, m := range p.marks {
		y := p.y[i]
		switch {
		case m.arrow != nil && m.arrow.peer != "":
			p.shafts = append(p.shafts, p.shaft(m.arrow, y, y))
		case m.kind == markSend:
			to, ok := arrived[m.arrow]
			if !ok {
				to = y + 14 + p.stretch[m.arrow]
				p.end = max(p.end, to+24)
			}
			p.shafts = append(p.shafts, p.shaft(m.arrow, y, to))
		case m.kind == markArrive && !sent[m.arrow]: // again, or to one of many
			p.shafts = append(p.shafts, p.shaft(m.arrow, y-14, y))
		}
	}
}

// chooseSides finds on which side of their line words stand: outside the first
// and the last, and beside the others where no arrow is.
func (p *picture) chooseSides() {
	var arrows []stroke
	for _, s := range p.shafts {
		arrows = append(arrows, s.stroke)
	}
	p.leftward = p.leftward[:0]
	for i, m := range p.marks {
		left := m.lane == 0
		if m.arrow == nil && m.lane > 0 && m.lane < len(p.lanes)-1 {
			x, y, w := p.x(m.lane), p.y[i], p.wordsWidth(m)
			left = crossed(box(x+svgBeside, y, w), arrows) && !crossed(box(x-svgBeside-w, y, w), arrows)
		}
		p.leftward = append(p.leftward, left)
	}
}

// shaft returns the arrow from one height to another.
func (p *picture) shaft(a *arrow, from, to float64) *shaft {
	x2 := p.x(max(a.to, 0))
	x1 := x2 + p.gap/2
	if a.to > 0 || a.from == nowhere && a.to == len(p.lanes)-1 {
		x1 = x2 - p.gap/2
	}
	if a.from != nowhere {
		x1 = p.x(a.from)
	}
	s := &shaft{arrow: a, stroke: stroke{x1, from, x2, to}}
	if x1 == x2 { // to itself
		return s
	}
	s.x1 += s.sign() * svgStrip / 2
	s.x2 -= s.sign() * svgStrip / 2
	if a.lost != "" {
		// Why stands behind the end, before the line of the host.
		far := math.Abs(s.x2 - s.x1)
		part := max(0.4, min(0.78, 1-(svgBeside+textWidth(a.lost)+svgStrip)/far))
		s.x2, s.y2 = s.x1+(s.x2-s.x1)*part, from+(to-from)*part
	}
	return s
}
