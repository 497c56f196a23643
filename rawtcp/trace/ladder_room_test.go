package trace

import (
	"encoding/xml"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// backlog is a server that is called twice, has no room for the second caller,
// and sends an ACK and a FIN at once (Fig 18-1 and 18-24): long words in both
// margins, long labels, two arrows from one point and two to one point.
func backlog() []Event {
	const x, y seq.Value = 1617152000, 4164096001
	syn, ack, fin := wire.SYN, wire.ACK, wire.FIN
	var s scene
	sun := func(port uint16, seg wire.Segment) uint64 {
		seg.SrcPort, seg.DstPort = port, 9
		return s.send("sun", tcp("sun", "bsdi", seg))
	}
	bsdi := func(seg wire.Segment) uint64 {
		seg.SrcPort, seg.DstPort = 9, 1090
		return s.send("bsdi", tcp("bsdi", "sun", seg))
	}
	state := func(host, from, to string, local, remote uint16) {
		e := Event{Kind: State, Host: host, From: from, To: to}
		e.Local, e.Remote = endpoint("sun", local), endpoint("bsdi", remote)
		if host == "bsdi" {
			e.Local, e.Remote = endpoint("bsdi", local), endpoint("sun", remote)
		}
		s.add(e)
	}
	state("bsdi", "CLOSED", "LISTEN", 9, 0)
	state("sun", "CLOSED", "SYN_SENT", 1090, 9)
	id := sun(1090, withMSS(segment(0, 0, syn, x, 0, ""), 1460))
	s.to(0.0023)
	s.receive("bsdi", id)
	state("bsdi", "LISTEN", "SYN_RCVD", 9, 1090)
	id = bsdi(withMSS(segment(0, 0, syn|ack, y, x+1, ""), 1024))
	s.to(0.0046)
	s.receive("sun", id)
	state("sun", "SYN_SENT", "ESTABLISHED", 1090, 9)
	id = sun(1090, segment(0, 0, ack, x+1, y+1, ""))
	s.to(0.0069)
	s.receive("bsdi", id)
	state("bsdi", "SYN_RCVD", "ESTABLISHED", 9, 1090)
	s.to(9)
	state("sun", "CLOSED", "SYN_SENT", 1091, 9)
	id = sun(1091, withMSS(segment(0, 0, syn, 2*x, 0, ""), 1460))
	s.to(9.0023)
	s.receive("bsdi", id)
	s.add(Event{Kind: Dropped, Host: "bsdi", Reason: reason("the listen queue is full")})
	s.to(20)
	state("sun", "ESTABLISHED", "FIN_WAIT_1", 1090, 9)
	id = sun(1090, segment(0, 0, fin|ack, x+1, y+1, ""))
	s.to(20.0023)
	s.receive("bsdi", id)
	first := bsdi(segment(0, 0, ack, y+1, x+2, ""))
	second := bsdi(segment(0, 0, fin|ack, y+1, x+2, ""))
	s.to(20.0046)
	s.receive("sun", first)
	state("sun", "FIN_WAIT_1", "FIN_WAIT_2", 1090, 9)
	s.receive("sun", second)
	state("sun", "FIN_WAIT_2", "TIME_WAIT", 1090, 9)
	id = sun(1090, segment(0, 0, ack, x+2, y+2, ""))
	s.to(20.0069)
	s.receive("bsdi", id)
	return s.events
}

// between is a host that has others on both sides.
func between() []Event {
	var s scene
	s.state("sun", "CLOSED", "SYN_SENT", "")
	id := s.send("sun", tcp("sun", "solaris", withMSS(segment(1, 2, wire.SYN, 1617152000, 0, ""), 1460)))
	s.to(0.001)
	s.receive("solaris", id)
	id = s.send("solaris", tcp("solaris", "sun", segment(2, 1, wire.RST|wire.ACK, 0, 1617152001, "")))
	s.to(0.002)
	s.receive("sun", id)
	s.state("sun", "SYN_SENT", "CLOSED", "")
	return s.events
}

func endpoint(host string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(bookAddr(host), port)
}

// reason is a reason to drop a packet.
type reason string

func (r reason) String() string { return string(r) }

// drawing is what there is in a picture.
type drawing struct {
	width  float64
	arrows []line
	labels []writing // over the arrows
	words  []writing // beside the lines
}

type line struct{ x1, y1, x2, y2 float64 }

// writing is a text, and the line on which its letters stand in half height.
type writing struct {
	line
	text string
}

func readDrawing(t *testing.T, svg string) drawing {
	t.Helper()
	var root struct {
		Width float64 `xml:"width,attr"`
		Lines []struct {
			Class string  `xml:"class,attr"`
			X1    float64 `xml:"x1,attr"`
			Y1    float64 `xml:"y1,attr"`
			X2    float64 `xml:"x2,attr"`
			Y2    float64 `xml:"y2,attr"`
		} `xml:"line"`
		Texts []struct {
			Class     string  `xml:"class,attr"`
			X         float64 `xml:"x,attr"`
			Y         float64 `xml:"y,attr"`
			Transform string  `xml:"transform,attr"`
			Text      string  `xml:",chardata"`
		} `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(svg), &root); err != nil {
		t.Fatalf("no XML: %v", err)
	}
	d := drawing{width: root.Width}
	for _, l := range root.Lines {
		if l.Class == "packet" {
			d.arrows = append(d.arrows, line{l.X1, l.Y1, l.X2, l.Y2})
		}
	}
	const middle = 4 // of a letter, over the foot of it
	for _, w := range root.Texts {
		width := letters(w.Text)
		var x, y, angle float64
		if _, err := fmt.Sscanf(w.Transform, "translate(%f %f) rotate(%f)", &x, &y, &angle); err == nil {
			sin, cos := math.Sincos(angle * math.Pi / 180)
			x, y = x-(w.Y-middle)*sin, y+(w.Y-middle)*cos
			l := line{x - width/2*cos, y - width/2*sin, x + width/2*cos, y + width/2*sin}
			d.labels = append(d.labels, writing{l, w.Text})
			continue
		}
		if strings.HasPrefix(w.Class, "state") {
			width *= 1.1
		}
		switch side := strings.Fields(w.Class); side[len(side)-1] {
		case "left":
			d.words = append(d.words, writing{line{w.X - width, w.Y - middle, w.X, w.Y - middle}, w.Text})
		case "right":
			d.words = append(d.words, writing{line{w.X, w.Y - middle, w.X + width, w.Y - middle}, w.Text})
		}
	}
	return d
}

// letters is how wide a text is in DejaVu Sans, of 11 pixels: the mean of its
// letters, by what they are.
func letters(s string) float64 {
	n := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune(" .:,()|ijl-", r):
			n += 0.33
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			n += 0.64
		default:
			n += 0.56
		}
	}
	return n * 11
}

// apart is how far two lines are from each other, from pixel to pixel.
func apart(a, b line) float64 {
	least := math.Inf(1)
	for i := range 201 {
		f := float64(i) / 200
		x, y := a.x1+(a.x2-a.x1)*f, a.y1+(a.y2-a.y1)*f
		dx, dy := b.x2-b.x1, b.y2-b.y1
		g := ((x-b.x1)*dx + (y-b.y1)*dy) / (dx*dx + dy*dy)
		g = max(0, min(1, g))
		least = min(least, math.Hypot(x-b.x1-dx*g, y-b.y1-dy*g))
	}
	return least
}

// Nothing that is written is cut by the edge of the picture, or lies on an arrow
// or on another text.
func TestPictureHasRoom(t *testing.T) {
	const half = 4 // of the height of a letter
	for name, c := range ladders() {
		c.o.Names = bookNames()
		var b strings.Builder
		play(t, NewLadderSVG(&b, c.o), c.events)
		d := readDrawing(t, b.String())
		if len(d.arrows) == 0 || len(d.labels) != len(d.arrows) || len(d.words) == 0 {
			t.Errorf("%s: %d arrows, %d labels, %d words", name, len(d.arrows), len(d.labels), len(d.words))
		}
		for _, w := range d.words {
			if w.x1 < svgTime+4 || w.x2 > d.width-4 {
				t.Errorf("%s: %q reaches from %.0f to %.0f, the picture to %.0f", name, w.text, w.x1, w.x2, d.width)
			}
		}
		all := append(d.labels, d.words...)
		for i, w := range all {
			for _, a := range d.arrows {
				if far := apart(w.line, a); far < half+0.5 {
					t.Errorf("%s: %q is %.1f from an arrow, %v", name, w.text, far, a)
				}
			}
			for _, other := range all[i+1:] {
				if far := apart(w.line, other.line); far < 2*half+1 {
					t.Errorf("%s: %q is %.1f from %q", name, w.text, far, other.text)
				}
			}
		}
	}
}

// What stands beside the lines is there whole in the text, too, and covers no
// label.
func TestLadderHasRoom(t *testing.T) {
	for _, c := range []struct {
		o      LadderOptions
		events []Event
		wants  []string
	}{
		{
			LadderOptions{Absolute: true, Hosts: []string{"sun", "bsdi"}},
			backlog(),
			[]string{" .1090 ESTABLISHED |", " .1091 SYN_SENT |", "| .1090 ESTABLISHED\n", " .1090 FIN_WAIT_1 |"},
		},
		{
			LadderOptions{Hosts: []string{"sun"}},
			backlog(),
			[]string{" .1090 ESTABLISHED |", "| SYN 1617152000:1617152000(0) <mss 1460>\n"},
		},
		{
			LadderOptions{Hosts: []string{"bsdi", "sun", "solaris"}},
			between(),
			[]string{"[SYN_SENT]", "- SYN 1617152000 -", "- RST 0 ack 1617152001 -"},
		},
	} {
		got := drawn(t, c.o, c.events)
		for _, want := range c.wants {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %q:\n%s", want, got)
			}
		}
		for line := range strings.Lines(got) {
			if len(line) > 101 {
				t.Errorf("a line of %d columns: %s", len(line), line)
			}
		}
	}
}

// The widths are those of DejaVu Sans, or up to a tenth more.
func TestTextWidth(t *testing.T) {
	for text, em := range map[string]float64{
		"SYN 1823083521:1823083521(0) ack 1415531522 <mss 1024>": 32.40,
		"PSH 91904002:91904015(13) ack 1058199042":               23.62,
		"dropped: the listen queue is full":                      15.94,
		"arp who-has bsdi tell svr4":                             12.91,
	} {
		if got := textWidth(text) / svgFont; got < em || got > 1.1*em {
			t.Errorf("%q is %.2f em wide, want %.2f", text, got, em)
		}
	}
}
