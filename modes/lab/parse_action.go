package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/link"
)

// terminal reads what is done and seen at one:
//
//	bsdi % sock -v svr4 8888      a command
//	bsdi < hello, world           a line that is typed
//	bsdi > hello, world           a line that is printed
//	bsdi exits 0
//	bsdi serves discard, echo
//
// The last three may have a time before them.
func (p *parser) terminal(no int, s string) error {
	first, rest, _ := strings.Cut(s, " ")
	when, timed := moment{any: true}, isMoment(first)
	if timed {
		var err error
		if when, err = parseMoment(first); err != nil {
			return err
		}
		first, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	}
	sign, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if timed && sign != ">" && sign != "exits" {
		return errors.New(`a time can stand before what is printed and before "exits"; for what is done, write "at" before it`)
	}
	switch sign {
	case "%", "$", "#":
		return p.command(no, first, sign, rest)
	case "<":
		p.add(no, typing{first, rest})
	case ">":
		p.add(no, printed{first, when, strings.TrimSpace(rest)})
	case "serves":
		for _, name := range strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' }) {
			p.add(no, serving{first, name})
		}
	case "exits":
		status := strings.TrimSpace(rest)
		if status != anything {
			if _, err := strconv.Atoi(status); err != nil {
				return fmt.Errorf("%q is no exit status: write it like %q or %q", status, "bsdi exits 0", "bsdi exits *")
			}
		}
		p.add(no, exits{term: first, when: when, status: status})
	case "runs":
		p.add(no, exits{term: first, when: when})
	default:
		return fmt.Errorf("what is %q? A line about a terminal is like %q, %q, %q or %q",
			s, "bsdi % sock svr4 echo", "bsdi < typed", "bsdi > printed", "bsdi exits 0")
	}
	return nil
}

// hostOf returns the host of a terminal: "sun" of "sun" and of "sun:2".
func hostOf(terminal string) string {
	host, _, _ := strings.Cut(terminal, ":")
	return host
}

// command is a command line at a terminal: commands, one after the other.
type command struct {
	term, prompt string
	text         string
	commands     []oneCommand
}

type oneCommand struct {
	words    []string
	redirect string // the file after "<"
}

func (p *parser) command(no int, term, prompt, text string) error {
	c := command{term: term, prompt: prompt, text: strings.TrimSpace(text)}
	for part := range strings.SplitSeq(c.text, " ; ") {
		words, err := shellWords(part)
		if err != nil {
			return err
		}
		var one oneCommand
		for i := 0; i < len(words); i++ {
			if words[i] == "<" && i+1 < len(words) {
				one.redirect = words[i+1]
				i++
				continue
			}
			one.words = append(one.words, words[i])
		}
		if len(one.words) == 0 {
			return errors.New("there is no command")
		}
		c.commands = append(c.commands, one)
	}
	p.add(no, c)
	return nil
}

func (c command) validate(l *Lab) error {
	for _, one := range c.commands {
		if _, ok := l.files[one.redirect]; !ok && one.redirect != "" {
			return fmt.Errorf("there is no file %q: write its lines under %q", one.redirect, "file "+one.redirect)
		}
	}
	return l.mustHost(hostOf(c.term))
}

// shellWords splits a command line as a shell does, with quotes of both sorts.
func shellWords(s string) (words []string, err error) {
	re := regexp.MustCompile(`^(?:[^\s'"]+|'[^']*'|"[^"]*")+`)
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		w := re.FindString(s)
		if w == "" {
			return nil, errors.New("a quote is not closed")
		}
		s = s[len(w):]
		words = append(words, unquote(w))
	}
	return words, nil
}

func unquote(w string) string {
	var b strings.Builder
	quote := rune(0)
	for _, c := range w {
		switch {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// typing is a line that is typed, or a key.
type typing struct{ term, text string }

func (t typing) validate(l *Lab) error { return l.mustHost(hostOf(t.term)) }

// keys returns what reaches the terminal, and the key that does something
// else than being read: ^D, ^C, ^\ or ^Z.
func (t typing) keys() (text, key string) {
	text = t.text
	for _, k := range []string{"^D", "^C", `^\`, "^Z"} {
		if s, ok := strings.CutSuffix(text, k); ok {
			return s, k
		}
	}
	if len(text) == 2 && text[0] == '^' && text[1] > '@' && text[1] <= '_' {
		return string(text[1] - '@'), ""
	}
	if s, ok := strings.CutSuffix(text, `\c`); ok {
		return s, ""
	}
	return text + "\n", ""
}

// fault is a rule of the network, or a cable that is cut or mended now.
type fault struct{ text string }

func (p *parser) fault(no int, s string) error {
	f := fault{squeeze(s)}
	if _, err := link.ParseRule(f.at(0, false)); err != nil {
		return err
	}
	p.add(no, f)
	return nil
}

// at returns the rule as the network takes it: a cable is cut at the time of
// the statement, unless the rule has a time. onLink keeps "on LINK" at its end.
func (f fault) at(now time.Duration, onLink bool) string {
	words := strings.Fields(f.text)
	var on []string
	if n := len(words); n > 2 && words[n-2] == "on" {
		words, on = words[:n-2], words[n-2:]
	}
	if verb := words[0]; (verb == "cut" || verb == "mend") && !strings.Contains(f.text, " at ") {
		words = append(words[:len(words):len(words)], "at", strconv.FormatInt(now.Microseconds(), 10), "us")
	}
	if onLink {
		words = append(words[:len(words):len(words)], on...)
	}
	return strings.Join(words, " ")
}

// validate looks for the hosts and the link of f: a rule about one that does not
// exist would wait for ever, and nobody would know.
func (f fault) validate(l *Lab) error {
	words := strings.Fields(f.text)
	link := ""
	for i, word := range words[:len(words)-1] {
		name := words[i+1]
		switch {
		case word == "on":
			link = name
			if l.link(link) == nil {
				return fmt.Errorf("there is no link %q", link)
			}
		case word == "from" || word == "to" || f.isCable() && i == 0 && name != "on" && name != "at":
			if err := l.mustBe(name); err != nil {
				return err
			}
		}
	}
	if link == "" && len(l.links) > 1 && len(f.cables(l)) == 0 {
		return fmt.Errorf("which link? There are %s: write %q behind it", strings.Join(l.linkNames(), " and "), "on "+l.links[0].name)
	}
	return nil
}

// mustBe is mustHost for what may be an address too.
func (l *Lab) mustBe(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	return l.mustHost(name)
}

func (l *Lab) linkNames() (names []string) {
	for _, k := range l.links {
		names = append(names, k.name)
	}
	return names
}

func (f fault) isCable() bool {
	return strings.HasPrefix(f.text, "cut") || strings.HasPrefix(f.text, "mend")
}

// cables returns the links of the host whose cable is cut or mended, if f names
// no link.
func (f fault) cables(l *Lab) (links []string) {
	words := strings.Fields(f.text)
	if !f.isCable() || len(words) < 2 || slices.Contains(words, "on") {
		return nil
	}
	if h := l.host(words[1]); h != nil {
		for _, i := range h.interfaces {
			if !slices.Contains(links, i.link) {
				links = append(links, i.link)
			}
		}
	}
	return links
}

// power is a host that crashes or boots again.
type power struct {
	host string
	on   bool
}

func (a power) validate(l *Lab) error { return l.mustHost(a.host) }

// change is "change ether delay 150ms": other conditions from now on.
type change struct {
	link  string
	words []string
}

func (p *parser) change(no int, rest string) error {
	words := strings.Fields(rest)
	if len(words) < 3 {
		return fmt.Errorf("write it like %q", "change ether delay 150ms")
	}
	var scratch link.LinkOptions
	if err := linkOptions(&scratch, words[1:]); err != nil {
		return err
	}
	if scratch.MTU != 0 || scratch.PointToPoint {
		return errors.New("that cannot change while the lab runs")
	}
	p.add(no, change{words[0], words[1:]})
	return nil
}

func (c change) validate(l *Lab) error {
	if l.link(c.link) == nil {
		return fmt.Errorf("there is no link %q", c.link)
	}
	return nil
}
