package trace

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// stroke is a straight line that no label may touch.
type stroke struct{ x1, y1, x2, y2 float64 }

// strokes are those of a picture, by their heights: in a long one, too, those near
// an arrow are few.
type strokes map[int][]stroke

// height returns under which key strokes of that height are.
func (strokes) height(y float64) int { return int(y / 1000) }

func (s strokes) add(all ...stroke) {
	for _, o := range all {
		for i := s.height(min(o.y1, o.y2)); i <= s.height(max(o.y1, o.y2)); i++ {
			s[i] = append(s[i], o)
		}
	}
}

// near returns those between two heights, and some others. A long one may come
// more than once.
func (s strokes) near(low, high float64) iter.Seq[stroke] {
	return func(yield func(stroke) bool) {
		for i := s.height(low); i <= s.height(high); i++ {
			for _, o := range s[i] {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// shaft is the line of an arrow, and the label over it.
type shaft struct {
	*arrow
	stroke
	text string
	at   float64 // of the middle of the text, from the left end
}

// The band over a shaft that its label is in: how far above the shaft it begins
// and ends.
const (
	bandTop    = -15
	bandBottom = -2
)

// sign is 1 for an arrow to the right, and -1 for one to the left.
func (s *shaft) sign() float64 { return math.Copysign(1, s.x2-s.x1) }

func (s *shaft) length() float64 { return math.Hypot(s.x2-s.x1, s.y2-s.y1) }

// frame returns the left end of the shaft and its direction to the right.
func (s *shaft) frame() (x, y, cos, sin float64) {
	n := s.length() * s.sign()
	cos, sin = (s.x2-s.x1)/n, (s.y2-s.y1)/n
	if s.x1 < s.x2 {
		return s.x1, s.y1, cos, sin
	}
	return s.x2, s.y2, cos, sin
}

// gap is a part of the band, from the left end.
type gap struct{ from, to float64 }

func (g gap) width() float64  { return g.to - g.from }
func (g gap) middle() float64 { return (g.from + g.to) / 2 }

// taken returns what part of the band a stroke takes.
func (s *shaft) taken(o stroke) (g gap, ok bool) {
	x, y, cos, sin := s.frame()
	// u is along the shaft, v down from it.
	u1, v1 := (o.x1-x)*cos+(o.y1-y)*sin, (o.y1-y)*cos-(o.x1-x)*sin
	u2, v2 := (o.x2-x)*cos+(o.y2-y)*sin, (o.y2-y)*cos-(o.x2-x)*sin
	if v1 > v2 {
		u1, v1, u2, v2 = u2, v2, u1, v1
	}
	if v2 < bandTop || v1 > bandBottom {
		return gap{}, false
	}
	along := func(v float64) float64 {
		if v1 == v2 {
			return u1
		}
		return u1 + (u2-u1)*(v-v1)/(v2-v1)
	}
	from, to := u1, u2
	if v1 < bandTop {
		from = along(bandTop)
	}
	if v2 > bandBottom {
		to = along(bandBottom)
	}
	const clear = 4
	return gap{min(from, to) - clear, max(from, to) + clear}, true
}

// gaps returns what is free of the band.
func (s *shaft) gaps(others strokes) []gap {
	const head, tail = 13, 6
	from, end := tail, s.length()-head
	if s.x2 < s.x1 {
		from, end = head, s.length()-tail
	}
	low, high := min(s.y1, s.y2)+bandTop, max(s.y1, s.y2)
	var all []gap
	for o := range others.near(low, high) {
		if max(o.y1, o.y2) < low || min(o.y1, o.y2) > high {
			continue
		}
		if g, ok := s.taken(o); ok {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b gap) int { return cmp.Compare(a.from, b.from) })
	var free []gap
	begin := float64(from)
	for _, g := range append(all, gap{end, end}) {
		if upTo := min(g.from, end); upTo > begin {
			free = append(free, gap{begin, upTo})
		}
		begin = max(begin, g.to)
	}
	return free
}

// fit puts a text into the band: over the middle of the shaft if that is free,
// else into the middle of the widest gap. It reports whether there is room.
func (s *shaft) fit(free []gap, text string) bool {
	s.text, s.at = text, s.length()/2
	half := textWidth(text) / 2
	var widest gap
	for _, g := range free {
		if g.from <= s.at-half && s.at+half <= g.to {
			return true
		}
		if g.width() > widest.width() {
			widest = g
		}
	}
	if widest.width() > 0 {
		s.at = widest.middle()
	}
	return widest.width() >= 2*half
}

// outline returns the strokes of the label: its upper and its lower edge, and
// the middle.
func (s *shaft) outline() []stroke {
	x, y, cos, sin := s.frame()
	half := textWidth(s.text) / 2
	var all []stroke
	for _, v := range []float64{bandTop + 1, (bandTop + bandBottom) / 2.0, bandBottom - 1} {
		all = append(all, stroke{
			x + (s.at-half)*cos - v*sin, y + (s.at-half)*sin + v*cos,
			x + (s.at+half)*cos - v*sin, y + (s.at+half)*sin + v*cos,
		})
	}
	return all
}

// box returns the strokes of a text that is not turned: like outline.
func box(x, y, width float64) []stroke {
	return []stroke{{x, y - 6, x + width, y - 6}, {x, y, x + width, y}, {x, y + 6, x + width, y + 6}}
}

// crossed reports whether others cross the box of a text.
func crossed(box, others []stroke) bool {
	// Its lower edge is a shaft, the text in the band over it.
	s := shaft{arrow: &arrow{}, stroke: box[2]}
	s.y1, s.y2 = s.y1-bandBottom, s.y2-bandBottom
	return slices.ContainsFunc(others, func(o stroke) bool {
		g, ok := s.taken(o)
		return ok && g.to > 0 && g.from < s.length()
	})
}

// label writes all labels over their arrows. It reports whether there was room
// for them; if there was not, other heights are to be tried with what it has
// changed. The last time it is content with what there is.
func (p *picture) label(last bool) bool {
	strokes, done := p.strokes(), true
	for _, s := range p.shafts {
		if s.from == s.to {
			continue
		}
		labels := s.labels
		if s.again {
			labels = []string{"again"}
		}
		free := s.gaps(strokes)
		for !s.fit(free, labels[p.form[s.arrow]]) {
			wide := textWidth(s.text)+svgEdge > s.length()
			if !last && !wide && p.stretch[s.arrow] < svgSteepest {
				p.stretch[s.arrow] += svgSteeper
				done = false
				break
			}
			if p.form[s.arrow] == len(labels)-1 {
				break
			}
			p.form[s.arrow]++
			if !last && !wide {
				p.stretch[s.arrow] = 0
				done = false
				break
			}
		}
		strokes.add(s.outline()...)
	}
	return done
}

// strokes are all that a label must keep clear of but other labels.
func (p *picture) strokes() strokes {
	all := strokes{}
	for i := range p.lanes {
		all.add(stroke{p.x(i), svgTop, p.x(i), p.end})
	}
	for _, s := range p.shafts {
		all.add(s.stroke)
		if w := textWidth(s.lost); s.lost != "" && s.x1 < s.x2 {
			all.add(box(s.x2, s.y2, svgBeside+w)...)
		} else if s.lost != "" {
			all.add(box(s.x2-svgBeside-w, s.y2, svgBeside+w)...)
		}
	}
	for i, m := range p.marks {
		if m.arrow != nil {
			continue
		}
		w := p.wordsWidth(m)
		x := p.middle() - w/2
		switch {
		case m.lane == nowhere:
		case p.leftward[i]:
			x = p.x(m.lane) - svgBeside - w
		default:
			x = p.x(m.lane) + svgBeside
		}
		all.add(box(x, p.y[i], w)...)
	}
	for _, f := range p.foldAt {
		w := textWidth(f.text())
		all.add(box(p.middle()-w/2, f.y, w)...)
	}
	return all
}
