package trace

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/wire"
)

// Measures of the picture, in pixels.
const (
	svgTime    = 96  // right edge of the times
	svgMargin  = 150 // for the states at the right, and for those at the left
	svgGap     = 430 // between the lines of two hosts
	svgTop     = 74  // where time begins
	svgBottom  = 28
	svgFold    = 46 // height of a silence
	svgPerChar = 6.3
	svgStrip   = 9 // width of the strip that shows how long a state lasts
)

// picture is the SVG as it grows. What lies behind is drawn first.
type picture struct {
	*ladder
	back, front, top bytes.Buffer // top has the labels, which no line may cover
	y                []float64    // of each mark
	foldAt           []fold
	end              float64
	room             map[*arrow]float64 // of those that others cross: what part of it is free for the label
}

// fold is a silence between two heights.
type fold struct {
	y    float64
	time time.Duration
}

// svg draws all that was collected.
func (l *ladder) svg() []byte {
	if len(l.lanes) == 0 {
		return nil
	}
	p := &picture{ladder: l, room: map[*arrow]float64{}}
	p.place()
	width, height := p.x(len(l.lanes)-1)+svgMargin, p.end+svgBottom
	p.hosts()
	p.strips()
	p.folds()
	p.draw()

	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" `+
		`font-family="'DejaVu Sans', Verdana, Helvetica, sans-serif" font-size="11">`+"\n", width, height, width, height)
	out.WriteString(svgStyle)
	fmt.Fprintf(&out, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", width, height)
	if l.Title != "" {
		fmt.Fprintf(&out, `<text class="title" x="%.1f" y="24">%s</text>`+"\n", (p.x(0)+p.x(len(l.lanes)-1))/2, escape(l.Title))
	}
	out.Write(p.back.Bytes())
	out.Write(p.front.Bytes())
	out.Write(p.top.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

const svgStyle = `<style>
.title{font-size:15px;font-weight:bold;text-anchor:middle;fill:#222}
.host{font-size:14px;font-weight:bold;text-anchor:middle;fill:#222}
.time{font-size:10px;text-anchor:end;fill:#777}
.life{stroke:#444;stroke-width:1.3}
.label,.note{text-anchor:middle;fill:#222;stroke:#fff;stroke-width:4;paint-order:stroke;stroke-linejoin:round}
.note,.silence{font-style:italic;fill:#777}
.silence{text-anchor:middle}
.state{font-weight:bold;fill:#333}
.timer{font-style:italic;fill:#8a5a00}
.lost{fill:#c0392b}
.right{text-anchor:start}
.left{text-anchor:end}
line.packet{stroke-width:1.5}
</style>
`

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer never fails
	return b.String()
}

// x returns where the line of a host is.
func (p *picture) x(lane int) float64 { return svgTime + svgMargin + svgGap*float64(lane) }

// middle is where words stand that are of no host: between the first two.
func (p *picture) middle() float64 { return (p.x(0) + p.x(min(1, len(p.lanes)-1))) / 2 }

// place gives each mark its height. Time goes down, but not in proportion: a
// millisecond must be seen beside a minute. A silence has one height however
// long it is.
func (p *picture) place() {
	y := float64(svgTop)
	var now time.Duration
	last := map[int]float64{} // by line: of its last words
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
		if m.kind == markSend {
			// The label of one packet must not lie on that of the next.
			if before, ok := last[nowhere-1-m.lane]; ok {
				y = max(y, before+22)
			}
			last[nowhere-1-m.lane] = y
		}
		at := y
		if m.kind == markState || m.kind == markTimer || m.kind == markNote {
			if before, ok := last[m.lane]; ok {
				at = max(at, before+14)
			}
			last[m.lane] = at
			y = max(y, at)
		}
		p.y = append(p.y, at)
	}
	p.end = y + 24
}

func (p *picture) hosts() {
	for i, name := range p.lanes {
		fmt.Fprintf(&p.front, `<text class="host" x="%.1f" y="%d">%s</text>`+"\n", p.x(i), svgTop-24, escape(name))
		fmt.Fprintf(&p.back, `<line class="life" x1="%.1f" y1="%d" x2="%.1f" y2="%.1f"/>`+"\n",
			p.x(i), svgTop-14, p.x(i), p.end)
	}
}

// strips show at each line how long a state lasts, if the line has one
// connection only.
func (p *picture) strips() {
	for lane := range p.lanes {
		if len(p.conns[lane]) > 1 {
			continue
		}
		state, since := "", 0.0
		for i, m := range p.marks {
			if m.kind != markState || m.lane != lane {
				continue
			}
			p.strip(lane, state, since, p.y[i])
			state, since = m.text, p.y[i]
		}
		p.strip(lane, state, since, p.end)
	}
}

func (p *picture) strip(lane int, state string, from, to float64) {
	if state == "" || state == "CLOSED" || to <= from {
		return
	}
	fmt.Fprintf(&p.back, `<rect x="%.1f" y="%.1f" width="%d" height="%.1f" fill="%s" stroke="#444" stroke-width="0.6"/>`+"\n",
		p.x(lane)-svgStrip/2.0, from, svgStrip, to-from, stateColor(state))
}

// stateColor groups the states: waiting, opening, open, closing, over.
func stateColor(state string) string {
	switch state {
	case "LISTEN":
		return "#ececec"
	case "SYN_SENT", "SYN_RCVD":
		return "#ffe6a8"
	case "ESTABLISHED":
		return "#bfe5bf"
	case "TIME_WAIT":
		return "#e0d3ee"
	}
	return "#c3dbf3"
}

// folds tear the lines apart where nothing happens for long.
func (p *picture) folds() {
	for _, f := range p.foldAt {
		for i := range p.lanes {
			x := p.x(i)
			fmt.Fprintf(&p.front, `<rect x="%.1f" y="%.1f" width="24" height="8" fill="#fff"/>`+"\n", x-12, f.y-4)
			for _, y := range []float64{f.y - 4, f.y + 4} {
				fmt.Fprintf(&p.front, `<path d="M%.1f %.1f q5 -7 10 0 t10 0" fill="none" stroke="#444"/>`+"\n", x-10, y)
			}
		}
		fmt.Fprintf(&p.front, `<text class="silence" x="%.1f" y="%.1f">%s s pass</text>`+"\n",
			p.middle(), f.y+4, shortSeconds(f.time))
	}
}

// draw draws the marks.
func (p *picture) draw() {
	arrived := map[*arrow]float64{}
	sent := map[*arrow]float64{}
	for i, m := range p.marks {
		switch m.kind {
		case markSend:
			sent[m.arrow] = p.y[i]
		case markArrive:
			arrived[m.arrow] = p.y[i]
		}
	}
	p.findCrossed(sent, arrived)
	stamped := -1.0
	for i, m := range p.marks {
		y := p.y[i]
		if m.kind != markArrive && y > stamped+9 {
			fmt.Fprintf(&p.front, `<text class="time" x="%d" y="%.1f">%s</text>`+"\n",
				svgTime, y+4, strings.TrimSpace(clock(m.at)))
			stamped = y
		}
		switch m.kind {
		case markSend:
			to, ok := arrived[m.arrow]
			if !ok {
				to = y + 14
			}
			p.packet(m.arrow, y, to)
		case markArrive:
			if m.arrow.again {
				p.packet(m.arrow, y-14, y)
			} else if _, ok := sent[m.arrow]; !ok {
				p.packet(m.arrow, y-14, y) // to one of many
			}
		default:
			p.words(m, y)
		}
	}
}

// findCrossed finds the packets that meet on their way, or are overtaken.
func (p *picture) findCrossed(sent, arrived map[*arrow]float64) {
	var open []*arrow
	for _, m := range p.marks {
		if m.kind != markSend {
			continue
		}
		a := m.arrow
		for _, b := range open {
			if a.from == b.to && a.to == b.from && arrived[b] > sent[a] {
				p.room[a], p.room[b] = 0.45, 0.45
			}
			if a.from == b.from && a.to == b.to && arrived[b] > arrived[a] && arrived[a] > 0 {
				p.room[b] = 0.3
			}
		}
		if arrived[a] > 0 {
			open = append(open, a)
		}
		open = slices.DeleteFunc(open, func(b *arrow) bool { return arrived[b] <= sent[a] })
	}
}

// words writes a state or a timer beside its line, or a note.
func (p *picture) words(m mark, y float64) {
	text := p.connection(m) + m.text
	class := map[markKind]string{markState: "state", markTimer: "timer", markNote: "note"}[m.kind]
	if m.lane == nowhere {
		fmt.Fprintf(&p.front, `<text class="note" x="%.1f" y="%.1f">%s</text>`+"\n",
			p.middle(), y+4, escape(text))
		return
	}
	x, side := p.x(m.lane)+12, "right"
	if m.lane == 0 {
		x, side = p.x(0)-12, "left"
	}
	if m.kind == markTimer {
		p.clockFace(x, y, side)
		x += map[string]float64{"left": -13, "right": 13}[side]
	}
	if m.kind == markNote {
		side += `" style="text-anchor:` + map[string]string{"left": "end", "right": "start"}[side]
	}
	fmt.Fprintf(&p.front, `<text class="%s %s" x="%.1f" y="%.1f">%s</text>`+"\n", class, side, x, y+4, escape(text))
}

// clockFace is the small clock before the name of a timer.
func (p *picture) clockFace(x, y float64, side string) {
	if side == "left" {
		x -= 5
	} else {
		x += 5
	}
	fmt.Fprintf(&p.front, `<path d="M%.1f %.1fm-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0m4.5 -3v3h2.4" fill="none" stroke="#8a5a00"/>`+"\n", x, y)
}

// packet draws an arrow, its label along it.
func (p *picture) packet(a *arrow, from, to float64) {
	lane := a.from
	x2 := p.x(max(a.to, 0))
	x1 := x2 + svgGap/2
	if a.to > 0 || lane == nowhere && a.to == len(p.lanes)-1 {
		x1 = x2 - svgGap/2
	}
	if lane != nowhere {
		x1 = p.x(lane)
	}
	if x1 == x2 { // to itself
		fmt.Fprintf(&p.front, `<text class="label" x="%.1f" y="%.1f">%s</text>`+"\n", x1+60, from+4, escape(a.labels[0]))
		return
	}
	sign := 1.0
	if x2 < x1 {
		sign = -1
	}
	x1, x2 = x1+sign*svgStrip/2, x2-sign*svgStrip/2
	color, dash := packetColor(a.flags), ""
	if a.again {
		dash = ` stroke-dasharray="2 3"`
	}
	if a.lost != "" {
		x2, to = x1+(x2-x1)*0.78, from+(to-from)*0.78
		color, dash = "#c0392b", ` stroke-dasharray="7 4"`
	}
	fmt.Fprintf(&p.front, `<line class="packet" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"%s/>`+"\n",
		x1, from, x2, to, color, dash)
	angle := math.Atan2(to-from, x2-x1)
	if a.lost != "" {
		p.lost(a, x2, to, sign)
	} else {
		fmt.Fprintf(&p.front, `<path transform="translate(%.1f %.1f) rotate(%.2f)" d="M0 0l-10 -4l2.5 4l-2.5 4z" fill="%s"/>`+"\n",
			x2, to, angle*180/math.Pi, color)
	}
	if a.from == nowhere {
		fmt.Fprintf(&p.front, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x1, from, color)
	}
	p.label(a, x1, from, x2, to)
}

// label writes what the packet is along its arrow: over the middle, or if that
// is crossed, over its beginning.
func (p *picture) label(a *arrow, x1, y1, x2, y2 float64) {
	part, crossed := p.room[a]
	at, style := 0.5, ""
	switch {
	case !crossed:
		part = 1
	case x1 < x2:
		at, style = 0.03, ` style="text-anchor:start"`
	default:
		at, style = 0.03, ` style="text-anchor:end"`
	}
	text, below := "again", 12
	if !a.again {
		text, below = fit(a.labels, int(math.Abs(x2-x1)*part/svgPerChar)), -5
	}
	angle := math.Atan2(y2-y1, x2-x1)
	if x2 < x1 {
		angle = math.Atan2(y1-y2, x1-x2)
	}
	fmt.Fprintf(&p.top, `<text class="label"%s transform="translate(%.1f %.1f) rotate(%.2f)" y="%d">%s</text>`+"\n",
		style, x1+(x2-x1)*at, y1+(y2-y1)*at, angle*180/math.Pi, below, escape(text))
}

// lost draws the x that ends an arrow, and why.
func (p *picture) lost(a *arrow, x, y, sign float64) {
	fmt.Fprintf(&p.front, `<path d="M%.1f %.1fm-5 -5l10 10m0 -10l-10 10" stroke="#c0392b" stroke-width="2"/>`+"\n", x, y)
	side := "right"
	if sign < 0 {
		side = "left"
	}
	fmt.Fprintf(&p.front, `<text class="lost %s" x="%.1f" y="%.1f">%s</text>`+"\n", side, x+sign*9, y+4, escape(a.lost))
}

// packetColor tells at a glance what opens, what closes, and what breaks.
func packetColor(f wire.Flags) string {
	switch {
	case f.Has(wire.RST):
		return "#c0392b"
	case f.Has(wire.SYN):
		return "#b7791f"
	case f.Has(wire.FIN):
		return "#1f5fa8"
	case f.Has(wire.PSH):
		return "#2d7d46"
	}
	return "#333"
}
