package lab

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// dump is what tcpdump is to print:
//
//	tcpdump -S on ether within 5ms
//	    1  0.0                bsdi.1099 > svr4.8888: S 671112193:671112193(0)
//	                              win 4096 <mss 1024>
//	    2  0.0024 (0.0024)    svr4.8888 > bsdi.1099: S *
//	    ...
//
// The number of a packet, its time and the time since the one before may be
// left out. Lines that are no packet continue the one above.
type dump struct {
	heading  string
	absolute bool // -S
	ethernet bool // -e
	sums     bool // -v
	link     string
	host     string // a tcpdump that runs on it
	filter   filter
	slack    time.Duration
	lines    []dumpLine
}

type dumpLine struct {
	no          int
	gap         bool // ... stands for any number of packets
	when, delta moment
	text        string
	packet      packet
}

// filter is which packets a tcpdump shows.
type filter struct {
	proto string // "tcp", "udp", "icmp" or "arp"; "" is all
	host  string
	port  uint16
}

func (p *parser) tcpdump(no int, rest string, body []line) (err error) {
	d := dump{heading: strings.TrimSuffix(squeeze("tcpdump "+rest), ":")}
	words := strings.Fields(strings.TrimSuffix(rest, ":"))
	for len(words) > 0 && err == nil {
		n, value := 2, ""
		if len(words) > 1 {
			value = words[1]
		}
		switch word := words[0]; {
		case word == "-S":
			d.absolute, n = true, 1
		case word == "-e":
			d.ethernet, n = true, 1
		case word == "-v":
			d.sums, n = true, 1
		case slices.Contains([]string{"tcp", "udp", "icmp", "arp"}, word):
			d.filter.proto, n = word, 1
		case value == "":
			return fmt.Errorf("tcpdump does not know %q here", word)
		case word == "on":
			d.link = value
		case word == "at":
			d.host = value
		case word == "host":
			d.filter.host = value
		case word == "port":
			d.filter.port, err = parsePort(value)
		case word == "within":
			d.slack, err = parseTime(value)
		default:
			return fmt.Errorf("tcpdump takes -S, -e, -v, on LINK, at HOST, tcp, udp, icmp, arp, host HOST, port N and within TIME, but not %q", word)
		}
		words = words[min(n, len(words)):]
	}
	if err != nil {
		return err
	}
	for _, l := range body {
		if err := d.add(l); err != nil {
			return mistake(l.no, "%s", err)
		}
	}
	for i := range d.lines {
		d.lines[i].packet = parsePacket(d.lines[i].text)
	}
	p.add(no, d)
	return nil
}

func parsePort(s string) (uint16, error) {
	if n := servicePort(s); n != 0 {
		return n, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no port", s)
	}
	return uint16(n), nil
}

// add reads one line of what is pasted.
func (d *dump) add(l line) error {
	text := strings.TrimSpace(l.text)
	switch {
	case text == "":
		return nil
	case text == "...":
		d.lines = append(d.lines, dumpLine{no: l.no, gap: true})
		return nil
	}
	w := dumpLine{no: l.no, when: moment{any: true}, delta: moment{any: true}}
	rest, err := w.times(text)
	if err != nil {
		return err
	}
	if !strings.Contains(rest, " > ") && !strings.Contains(rest, "arp ") {
		if len(d.lines) == 0 || d.lines[len(d.lines)-1].gap {
			return fmt.Errorf("this is no line of tcpdump: one is like %q", "bsdi.1099 > svr4.8888: P 1:6(5) ack 1 win 4096")
		}
		d.lines[len(d.lines)-1].text += " " + text
		return nil
	}
	if strings.Contains(rest, " > ") && !strings.Contains(rest+" ", ": ") {
		return fmt.Errorf("a colon is missing behind the ends: a line of tcpdump is like %q", "bsdi.1099 > svr4.8888: P 1:6(5) ack 1 win 4096")
	}
	w.text = rest
	d.lines = append(d.lines, w)
	return nil
}

// times takes the number and the times off a line.
func (w *dumpLine) times(text string) (rest string, err error) {
	first, rest, _ := strings.Cut(text, " ")
	if _, err := strconv.Atoi(first); err == nil {
		text = strings.TrimSpace(rest)
		first, rest, _ = strings.Cut(text, " ")
	}
	rest = strings.TrimSpace(rest)
	if isArrow := strings.HasPrefix(rest, "> "); !isArrow && (isMoment(first) || first == anything) {
		if w.when, err = parseMoment(first); err != nil {
			return "", err
		}
		text = rest
	}
	if inside, after, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(text, "(") {
		if delta := strings.TrimSpace(inside[1:]); isMoment(delta) || delta == anything {
			if w.delta, err = parseMoment(delta); err != nil {
				return "", err
			}
			text = strings.TrimSpace(after)
		}
	}
	return text, nil
}

func (d dump) validate(l *Lab) error {
	switch {
	case d.link != "" && l.link(d.link) == nil:
		return fmt.Errorf("there is no link %q", d.link)
	case d.host != "":
		return l.mustHost(d.host)
	case d.link == "" && len(l.links) > 1:
		return errors.New(`there are more links than one: write "tcpdump on LINK"`)
	}
	return nil
}

// printed is a line that a terminal shows; "..." is any number of lines.
type printed struct {
	term string
	when moment
	text string
}

func (w printed) validate(l *Lab) error { return l.mustHost(hostOf(w.term)) }

// exits is the end of the command line that was given last at a terminal. The
// status is "*" for any, and "" if it still runs at the end.
type exits struct {
	term   string
	when   moment
	status string
	nth    int // of the command lines at the terminal, counted from 1
}

func (e exits) validate(l *Lab) error { return l.mustHost(hostOf(e.term)) }

// passage is the states that a connection passes:
//
//	states svr4: SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT(60) CLOSED
//
// The time is how long the state lasts. "..." is any number of states.
type passage struct {
	local, remote string // ends, "svr4", "bsdi.5555"; remote may be ""
	states        []stateLine
}

type stateLine struct {
	name  string
	lasts moment
}

func (p *parser) states(no int, rest string) error {
	ends, list, ok := strings.Cut(rest, ":")
	words := strings.Fields(ends)
	if !ok || len(words) == 0 || len(words) > 2 {
		return fmt.Errorf("write it like %q", "states svr4: SYN_SENT ESTABLISHED")
	}
	s := passage{local: words[0]}
	if len(words) == 2 {
		s.remote = words[1]
	}
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' }) {
		if word == "->" {
			continue
		}
		name, time, timed := strings.Cut(word, "(")
		st := stateLine{name: name, lasts: moment{any: true}}
		if timed {
			m, err := parseMoment(strings.TrimSuffix(time, ")"))
			if err != nil {
				return err
			}
			st.lasts = m
		}
		if !isState(name) {
			return fmt.Errorf("there is no state %q: there are %s", name, strings.Join(stateNames(), ", "))
		}
		s.states = append(s.states, st)
	}
	if len(s.states) == 0 {
		return errors.New("no state is named")
	}
	p.add(no, s)
	return nil
}

func isState(name string) bool { return name == "..." || slices.Contains(stateNames(), name) }

func stateNames() []string {
	return []string{
		"CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
		"FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT",
	}
}

func timerNames() (names []string) {
	for t := range tcb.Timer(tcb.NumTimers) {
		names = append(names, t.String())
	}
	return names
}

func (s passage) validate(l *Lab) error { return l.mustHost(endHost(s.local)) }

// endHost returns the host of an end: "bsdi" of "bsdi.5555".
func endHost(end string) string {
	host, _, _ := strings.Cut(end, ".")
	return host
}

// occurrence is how often something is to be seen; never is 0 times.
//
//	never svr4.* > bsdi.*: R *
//	count 3 bsdi.* > svr4.*: S *
//	never svr4 prints read error*
//	never svr4 in SYN_RCVD
//	count 2 bsdi drops *queue*
//	count 12 bsdi fires rexmt
type occurrence struct {
	number string // or a range
	text   string
	host   string // or terminal
	verb   string // "prints", "in", "drops", "fires"; "" for a packet
	what   string
	packet packet
}

func (p *parser) count(no int, number, rest string) error {
	o := occurrence{number: number, text: squeeze(rest)}
	if first := strings.TrimLeft(number, "0123456789."); first != "" || number == "" {
		return fmt.Errorf("write it like %q", "count 3 bsdi.* > svr4.*: S *")
	}
	words := strings.Fields(rest)
	if len(words) > 2 && slices.Contains([]string{"prints", "in", "drops", "fires"}, words[1]) {
		o.host, o.verb, o.what = words[0], words[1], strings.Join(words[2:], " ")
		if o.verb == "in" && !isState(o.what) {
			return fmt.Errorf("there is no state %q: there are %s", o.what, strings.Join(stateNames(), ", "))
		}
		if names := timerNames(); o.verb == "fires" && !slices.ContainsFunc(names, func(n string) bool { return fitsText(o.what, n) }) {
			return fmt.Errorf("there is no timer %q: there are %s", o.what, strings.Join(names, ", "))
		}
		if o.verb == "drops" && !isReason(o.what) {
			return fmt.Errorf("no packet is dropped for the reason %q: a trace has the reasons, such as %q or, in short, *checksum*", o.what, wire.BadChecksum)
		}
	} else {
		if !strings.Contains(rest, " > ") && !strings.HasPrefix(rest, "arp ") {
			return fmt.Errorf("%q is neither a packet, nor HOST with prints, in, drops or fires", rest)
		}
		o.packet = parsePacket(rest)
	}
	p.add(no, o)
	return nil
}

func (o occurrence) validate(l *Lab) error {
	if o.host == "" {
		return nil
	}
	return l.mustHost(hostOf(o.host))
}
