package trace

import (
	"fmt"
	"strings"
	"time"
)

// The columns of a time-line in text: the time, the states of the first host,
// its line, the packets, the line of the last host, its states.
const (
	timeWidth   = 13
	gutterWidth = 13 // of the states; more if a longer one stands there
)

// row is one line of text.
type row struct {
	at     time.Duration
	arrow  *arrow
	part   arrowPart
	number int // of an arrow that takes two rows
	side   map[int]string
	fold   time.Duration // a silence, and nothing else
	note   string        // across all lines
}

type arrowPart uint8

const (
	wholeArrow arrowPart = iota
	departure            // up to where it is crossed
	arrival              // from there on
)

// text draws all that was collected.
func (l *ladder) text() []byte {
	if len(l.lanes) == 0 {
		return nil
	}
	c := canvas{ladder: l}
	rows := l.rows()
	left, right := l.gutters(rows)
	inner := max(l.Width-timeWidth-left-right, 20*len(l.lanes))
	for i := range l.lanes {
		at := timeWidth + left
		if n := len(l.lanes) - 1; n > 0 {
			at += i * (inner - 1) / n
		}
		c.lanes = append(c.lanes, at)
	}
	for i, name := range l.lanes {
		c.center(c.lanes[i], name)
	}
	c.flush()
	for _, r := range rows {
		c.row(r)
	}
	return []byte(c.out.String())
}

// gutters returns how wide the columns of the states are.
func (l *ladder) gutters(rows []row) (left, right int) {
	left, right = gutterWidth, gutterWidth
	last := len(l.lanes) - 1
	for _, r := range rows {
		if text, ok := r.side[0]; ok {
			left = max(left, len(text)+1)
		}
		if text, ok := r.side[last]; ok && last > 0 {
			right = max(right, len(text)+2)
		}
		if r.arrow != nil && r.arrow.from == r.arrow.to {
			right = max(right, len(r.arrow.labels[0])+2)
		}
	}
	return left, right
}

// rows puts the marks into rows: what belongs to a packet stands beside it, if
// there is room.
func (l *ladder) rows() []row {
	var rows []row
	crossed, begun := map[*arrow]int{}, map[*arrow]bool{}
	last := func() *row {
		if len(rows) == 0 {
			return &row{at: -1, fold: -1}
		}
		return &rows[len(rows)-1]
	}
	var end time.Duration
	add := func(r row) {
		if len(rows) > 0 && r.at-end >= l.Fold {
			rows = append(rows, row{at: end, fold: r.at - end})
		}
		if r.side == nil {
			r.side = map[int]string{}
		}
		rows = append(rows, r)
		end = max(end, r.at)
	}
	for i, m := range l.marks {
		switch m.kind {
		case markSend:
			begun[m.arrow] = true
			r := row{at: m.at, arrow: m.arrow}
			if prev := last(); prev.arrow == nil && prev.fold == 0 && prev.note == "" && prev.at == m.at && onlySide(prev.side, m.lane) && l.outer(m.lane) {
				r.side = prev.side
				rows = rows[:len(rows)-1]
			}
			if m.arrow.done && !l.nextIs(i, m.arrow) {
				r.part, r.number = departure, len(crossed)+1
				crossed[m.arrow] = r.number
			}
			add(r)
			if m.arrow.done && r.part == wholeArrow {
				end = max(end, m.arrow.arrived)
			}
		case markArrive:
			n := crossed[m.arrow]
			if n > 0 || !begun[m.arrow] {
				add(row{at: m.at, arrow: m.arrow, part: arrival, number: n})
			}
		case markState, markTimer, markNote:
			text := l.connection(m) + m.text
			if m.kind == markTimer {
				text = "(" + text + ")"
			}
			if m.kind == markNote || m.lane == nowhere {
				if m.lane != nowhere {
					text = at(l.lanes[m.lane], text)
				}
				add(row{at: m.at, note: "* " + text + " *"})
				continue
			}
			if prev := last(); len(rows) > 0 && l.outer(m.lane) && prev.beside(m) {
				prev.side[m.lane] = text
				continue
			}
			add(row{at: m.at, side: map[int]string{m.lane: text}})
		}
	}
	return rows
}

// outer reports whether a line has room for words beside it. Those of the lines
// between would cover a packet, so they have a row of their own.
func (l *ladder) outer(lane int) bool { return lane == 0 || lane == len(l.lanes)-1 }

func onlySide(side map[int]string, lane int) bool {
	_, ok := side[lane]
	return ok && len(side) == 1
}

// nextIs reports whether the packet a, sent by mark i, arrives before anything
// else happens to packets.
func (l *ladder) nextIs(i int, a *arrow) bool {
	for _, m := range l.marks[i+1:] {
		switch m.kind {
		case markArrive:
			return m.arrow == a
		case markSend:
			return false
		}
	}
	return false
}

// beside reports whether m can stand in the row r, which is the last one.
func (r *row) beside(m mark) bool {
	if r.fold != 0 || r.note != "" || r.side[m.lane] != "" {
		return false
	}
	switch a := r.arrow; {
	case a == nil:
		return false
	case a.done && r.part != departure && a.to == m.lane:
		return a.arrived == m.at
	case r.part != arrival && a.from == m.lane:
		return a.sent == m.at
	}
	return false
}

// canvas is the text as it grows, and the line that is being drawn.
type canvas struct {
	*ladder
	lanes []int // columns
	line  []byte
	out   strings.Builder
}

func (c *canvas) row(r row) {
	switch {
	case r.fold != 0:
		c.each(':')
		c.center(c.middle(), fmt.Sprintf(" %s s pass ", shortSeconds(r.fold)))
		c.flush()
		return
	case r.note != "":
		c.each('|')
		c.put(0, clock(r.at))
		c.put(max(timeWidth+1, c.middle()-len(r.note)/2-1), " "+r.note+" ")
		c.flush()
		return
	}
	c.each('|')
	c.put(0, clock(r.at))
	if r.arrow != nil {
		c.arrow(r)
	}
	for lane, text := range r.side {
		switch {
		case lane == 0:
			c.put(c.lanes[0]-1-len(text), text)
		case lane == len(c.lanes)-1:
			c.put(c.lanes[lane]+2, text)
		default:
			c.put(c.lanes[lane]-len(text)/2-1, "["+text+"]")
		}
	}
	c.flush()
}

// arrow draws the arrow of r, or its part.
func (c *canvas) arrow(r row) {
	a := r.arrow
	from, to := a.from, a.to
	if from == nowhere { // made by hand: it comes from nobody's line
		from = max(0, to-1)
		if to == 0 {
			from = min(1, len(c.lanes)-1)
		}
	}
	left, right := c.lanes[min(from, to)]+1, c.lanes[max(from, to)]-1
	if left > right {
		c.put(left+1, a.labels[0])
		return
	}
	rightward := from < to
	mark := ""
	if r.number > 0 {
		mark = fmt.Sprintf("(%d)", r.number)
	}
	start, end := span(r, rightward, left, right)
	label := a.labels
	switch {
	case a.lost != "":
		mark = "x " + a.lost
		room := min(len(mark), (right-left)/3)
		if rightward {
			end -= room
		} else {
			start += room
		}
	case a.again:
		label = []string{"again"}
	case r.part == arrival && r.number > 0:
		label = []string{""}
	}
	for i := start; i <= end; i++ {
		c.set(i, '-')
	}
	room := end - start - 4
	if r.part == departure {
		room -= len(mark)
	}
	if text := fit(label, room); text != "" {
		c.center((start+end)/2, " "+text+" ")
	}
	c.ends(r, rightward, start, end, mark)
	if a.from == nowhere {
		if rightward {
			c.set(start, '*')
		} else {
			c.set(end, '*')
		}
	}
}

// span returns where the dashes of an arrow are: three quarters of the way, if
// it takes two rows.
func span(r row, rightward bool, left, right int) (start, end int) {
	quarter := (right - left) / 4
	switch {
	case r.number == 0:
		return left, right
	case rightward == (r.part == departure):
		return left, right - quarter
	}
	return left + quarter, right
}

// ends draws the two ends of an arrow: its head, the number where it is
// crossed, or the x where it is lost.
func (c *canvas) ends(r row, rightward bool, start, end int, mark string) {
	a := r.arrow
	head := a.lost == "" && r.part != departure
	switch {
	case rightward && head:
		c.set(end, '>')
	case head:
		c.set(start, '<')
	}
	switch {
	case a.lost != "" && rightward:
		c.put(end+1, mark)
	case a.lost != "":
		c.put(start-len(mark), a.lost+" x")
	case r.part == departure && rightward:
		c.put(end-len(mark)+1, mark)
	case r.part == departure, r.part == arrival && rightward:
		c.put(start, mark)
	case r.part == arrival:
		c.put(end-len(mark)+1, mark)
	}
}

// middle is where words stand that are of no host: between the first two.
func (c *canvas) middle() int { return (c.lanes[0] + c.lanes[min(1, len(c.lanes)-1)]) / 2 }

// each draws all lines.
func (c *canvas) each(b byte) {
	for _, at := range c.lanes {
		c.set(at, b)
	}
}

func (c *canvas) set(at int, b byte) {
	for len(c.line) <= at {
		c.line = append(c.line, ' ')
	}
	if at >= 0 {
		c.line[at] = b
	}
}

func (c *canvas) put(at int, text string) {
	for i := range len(text) {
		c.set(at+i, text[i])
	}
}

func (c *canvas) center(at int, text string) { c.put(at-len(text)/2, text) }

func (c *canvas) flush() {
	c.out.WriteString(strings.TrimRight(string(c.line), " ") + "\n")
	c.line = c.line[:0]
}

// clock is a time at the left of a time-line.
func clock(d time.Duration) string { return decimal(d, 5, 6) }

// shortSeconds is d in seconds, to four digits behind the point at most.
func shortSeconds(d time.Duration) string {
	return strings.TrimRight(strings.TrimRight(decimal(d, 1, 4), "0"), ".")
}
