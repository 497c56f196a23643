package trace

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"time"

	"sock/rawtcp/wire"
)

// Measures of the picture, in pixels.
const (
	svgFont       = 11
	svgTime       = 96 // right edge of the times
	svgTop        = 74 // where time begins
	svgBottom     = 28
	svgFold       = 46  // height of a silence
	svgStrip      = 9   // width of the strip that shows how long a state lasts
	svgMargin     = 80  // least width beside the lines
	svgGap        = 430 // least width between the lines of two hosts
	svgBeside     = 12  // from a line to the words beside it
	svgEdge       = 20  // from there to what comes next
	svgClock      = 13  // width of the clock before a timer
	svgLongLabel  = 450 // longer ones are made shorter
	svgAround     = 110 // of an arrow, where its label is not
	svgApart      = 22  // from one arrow to the next that starts or ends at the same line
	svgSteeper    = 8   // by how much an arrow gets steeper whose label has no room
	svgSteepest   = 48
	svgTitleScale = 1.6 // width of the title, by that of a label
	svgBoldScale  = 1.12
	svgRounds     = 60 // of finding room for all labels
)

// picture is the SVG as it grows. What lies behind is drawn first.
type picture struct {
	*ladder
	back, front, top bytes.Buffer // top has the words, which no line may cover
	left, right, gap float64      // widths: of the margins, and from host to host
	y                []float64    // of each mark
	leftward         []bool       // of each mark: its words stand at the left
	foldAt           []fold
	shafts           []*shaft
	end              float64
	stretch          map[*arrow]float64 // how much steeper an arrow is for its label
	form             map[*arrow]int     // which of its labels an arrow has
}

// fold is a silence between two heights.
type fold struct {
	y    float64
	time time.Duration
}

func (f fold) text() string { return shortSeconds(f.time) + " s pass" }

// svg draws all that was collected.
func (l *ladder) svg() []byte {
	if len(l.lanes) == 0 {
		return nil
	}
	p := &picture{ladder: l}
	p.measure()
	p.arrange()
	width, height := p.x(len(l.lanes)-1)+p.right, p.end+svgBottom
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
.label,.note,.silence,.state,.timer,.lost{stroke:#fff;stroke-width:4;paint-order:stroke;stroke-linejoin:round}
.label,.note{text-anchor:middle;fill:#222}
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
func (p *picture) x(lane int) float64 { return svgTime + p.left + p.gap*float64(lane) }

// middle is where words stand that are of no host: between the first two.
func (p *picture) middle() float64 {
	if len(p.lanes) == 1 {
		return p.x(0) + p.right/2
	}
	return (p.x(0) + p.x(1)) / 2
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
		fmt.Fprintf(&p.top, `<text class="silence" x="%.1f" y="%.1f">%s</text>`+"\n", p.middle(), f.y+4, f.text())
	}
}

// draw draws the arrows, and the marks beside the lines.
func (p *picture) draw() {
	for _, s := range p.shafts {
		p.packet(s)
	}
	stamped := -1.0
	for i, m := range p.marks {
		if m.kind == markArrive && m.arrow.peer == "" {
			continue // its arrow has the time that it was sent
		}
		y := p.y[i]
		if y > stamped+9 {
			fmt.Fprintf(&p.front, `<text class="time" x="%d" y="%.1f">%s</text>`+"\n",
				svgTime, y+4, strings.TrimSpace(clock(m.at)))
			stamped = y
		}
		if m.arrow == nil {
			p.words(m, y, p.leftward[i])
		}
	}
}

// words writes a state or a timer beside its line, or a note.
func (p *picture) words(m mark, y float64, leftward bool) {
	text := p.connection(m) + m.text
	class := map[markKind]string{markState: "state", markTimer: "timer", markNote: "note"}[m.kind]
	if m.lane == nowhere {
		fmt.Fprintf(&p.top, `<text class="note" x="%.1f" y="%.1f">%s</text>`+"\n",
			p.middle(), y+4, escape(text))
		return
	}
	x, side := p.x(m.lane)+svgBeside, "right"
	if leftward {
		x, side = p.x(m.lane)-svgBeside, "left"
	}
	if m.kind == markTimer {
		p.clockFace(x, y, side)
		x += map[string]float64{"left": -svgClock, "right": svgClock}[side]
	}
	if m.kind == markNote {
		side += `" style="text-anchor:` + map[string]string{"left": "end", "right": "start"}[side]
	}
	fmt.Fprintf(&p.top, `<text class="%s %s" x="%.1f" y="%.1f">%s</text>`+"\n", class, side, x, y+4, escape(text))
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
func (p *picture) packet(s *shaft) {
	if s.from == s.to {
		fmt.Fprintf(&p.top, `<text class="label" style="text-anchor:start" x="%.1f" y="%.1f">%s</text>`+"\n",
			s.x1+svgBeside, s.y1+4, escape(s.labels[0]))
		return
	}
	color, dash := packetColor(s.flags), ""
	if s.again {
		dash = ` stroke-dasharray="2 3"`
	}
	if s.lost != "" {
		color, dash = "#c0392b", ` stroke-dasharray="7 4"`
	}
	fmt.Fprintf(&p.front, `<line class="packet" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"%s/>`+"\n",
		s.x1, s.y1, s.x2, s.y2, color, dash)
	if s.lost != "" {
		p.lost(s)
	} else {
		angle := math.Atan2(s.y2-s.y1, s.x2-s.x1)
		fmt.Fprintf(&p.front, `<path transform="translate(%.1f %.1f) rotate(%.2f)" d="M0 0l-10 -4l2.5 4l-2.5 4z" fill="%s"/>`+"\n",
			s.x2, s.y2, angle*180/math.Pi, color)
	}
	if s.from == nowhere {
		fmt.Fprintf(&p.front, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", s.x1, s.y1, color)
	}
	x, y, cos, sin := s.frame()
	fmt.Fprintf(&p.top, `<text class="label" transform="translate(%.1f %.1f) rotate(%.2f)" y="-5">%s</text>`+"\n",
		x+s.at*cos, y+s.at*sin, math.Asin(sin)*180/math.Pi, escape(s.text))
}

// lost draws the x that ends an arrow, and why.
func (p *picture) lost(s *shaft) {
	fmt.Fprintf(&p.front, `<path d="M%.1f %.1fm-5 -5l10 10m0 -10l-10 10" stroke="#c0392b" stroke-width="2"/>`+"\n", s.x2, s.y2)
	side := "right"
	if s.x2 < s.x1 {
		side = "left"
	}
	fmt.Fprintf(&p.top, `<text class="lost %s" x="%.1f" y="%.1f">%s</text>`+"\n",
		side, s.x2+s.sign()*svgBeside, s.y2+4, escape(s.lost))
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
