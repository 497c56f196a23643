package lab

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/profile"
)

// Parse reads a script. The name is that of the file, without its .lab; an
// error is a *Mistake.
func Parse(name, text string) (*Lab, error) {
	p := &parser{lab: &Lab{
		Name: name, Source: text, Seed: 1, files: map[string]string{},
		Clock: time.Date(1993, time.July, 7, 8, 0, 0, 0, time.UTC),
	}}
	err := p.script(splitLines(text))
	if err == nil {
		err = p.lab.validate()
	}
	var m *Mistake
	if errors.As(err, &m) {
		m.File = name + ".lab"
	}
	if err != nil {
		return nil, err
	}
	return p.lab, nil
}

// parser reads the paragraphs of a script, each by its first word.
type parser struct {
	lab  *Lab
	only []string // the systems of the part that is being read
}

func (p *parser) script(lines []line) error {
	all, err := paragraphs(lines)
	if err != nil {
		return err
	}
	for _, g := range all {
		if err := p.paragraph(g); err != nil {
			var m *Mistake
			if errors.As(err, &m) {
				return err
			}
			return mistake(g.no, "%s", err)
		}
	}
	return nil
}

// paragraph reads one of them. An error without a line is about its first.
func (p *parser) paragraph(g paragraph) error {
	s := strings.TrimSpace(g.text)
	keyword, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	keyword = strings.TrimSuffix(keyword, ":")
	switch keyword {
	case "about":
		if rest != "" {
			return errors.New("the text stands under \"about:\", and is indented")
		}
		p.lab.About = prose(g.body)
		return nil
	case "file":
		return p.file(rest, g.body)
	case "for":
		return p.forSystems(rest, g.body)
	case "tcpdump":
		return p.tcpdump(g.no, rest, g.body)
	}
	if len(g.body) > 0 {
		return mistake(g.body[0].no, "this line is indented, but %q has no lines of its own", keyword)
	}
	if read := p.header(keyword); read != nil {
		return read(rest)
	}
	return p.do(g.no, s, keyword, rest)
}

// header returns what reads a line about the lab as a whole.
func (p *parser) header(keyword string) func(rest string) error {
	l := p.lab
	set := func(s *string) func(string) error {
		return func(rest string) error { *s = rest; return nil }
	}
	switch keyword {
	case "title":
		return set(&l.Title)
	case "section":
		return set(&l.Section)
	case "figure", "figures":
		return set(&l.Figure)
	case "also":
		return func(rest string) error { l.Also = append(l.Also, strings.Fields(rest)...); return nil }
	case "seed":
		return func(rest string) (err error) {
			if l.Seed, err = strconv.ParseUint(rest, 10, 64); err != nil {
				err = fmt.Errorf("a seed is a number, not %q", rest)
			}
			return err
		}
	case "until":
		return func(rest string) (err error) {
			l.Until, err = parseTime(rest)
			return err
		}
	case "clock":
		return func(rest string) (err error) {
			if l.Clock, err = time.Parse(time.DateTime, rest); err != nil {
				err = fmt.Errorf("%q is no date with a time: write it like %q", rest, time.DateTime)
			}
			return err
		}
	}
	return nil
}

// do reads a statement.
func (p *parser) do(no int, s, keyword, rest string) error {
	switch keyword {
	case "link":
		return p.link(no, rest)
	case "host":
		return p.host(no, rest)
	case "set":
		return p.set(no, rest)
	case "arp":
		return p.arp(rest)
	case "at", "after":
		return p.clock(no, keyword, rest)
	case "cut", "mend", "drop", "hold", "duplicate", "corrupt":
		return p.fault(no, s)
	case "crash", "reboot":
		p.add(no, power{rest, keyword == "reboot"})
		return nil
	case "change":
		return p.change(no, rest)
	case "inject":
		return p.inject(no, rest)
	case "states":
		return p.states(no, rest)
	case "never":
		return p.count(no, "0", rest)
	case "count":
		number, rest, _ := strings.Cut(rest, " ")
		return p.count(no, number, rest)
	}
	return p.terminal(no, s)
}

func (p *parser) add(no int, do any) {
	p.lab.statements = append(p.lab.statements, statement{no, p.only, do})
}

// forSystems reads the part of a script that is for some systems only.
func (p *parser) forSystems(rest string, body []line) error {
	if p.only != nil {
		return errors.New(`a "for" stands within another`)
	}
	p.only = strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" ,:", r) })
	for _, name := range p.only {
		if name != Book && !slices.Contains(profile.Names(), name) {
			return errors.New("there is no system " + strconv.Quote(name) + ": there are " + strings.Join(append([]string{Book}, profile.Names()...), ", "))
		}
	}
	if len(p.only) == 0 {
		return errors.New(`"for" which system?`)
	}
	err := p.script(body)
	p.only = nil
	return err
}

func (p *parser) file(name string, body []line) error {
	name = strings.TrimSuffix(name, ":")
	if name == "" || len(body) == 0 {
		return errors.New("a file has a name, and lines that are indented")
	}
	p.lab.files[name] = verbatim(body)
	return nil
}

// clock reads "at 4.1s" and "after 2s", alone or before a statement.
func (p *parser) clock(no int, keyword, rest string) error {
	text, rest, _ := strings.Cut(rest, " ")
	at, err := parseTime(strings.TrimSuffix(text, ":"))
	if err != nil {
		return err
	}
	p.add(no, clock{at, keyword == "after"})
	if rest = strings.TrimSpace(rest); rest == "" {
		return nil
	}
	return p.paragraph(paragraph{line: line{no, rest}})
}

// validate looks for what can only be seen when the whole script is known.
func (l *Lab) validate() error {
	if len(l.hosts) == 0 {
		return mistake(1, "there is no host: write a line like %q", "host svr4 svr4 140.252.13.34/27 on ether")
	}
	for _, h := range l.hosts {
		for _, i := range h.interfaces {
			if l.link(i.link) == nil {
				return mistake(h.no, "there is no link %q", i.link)
			}
		}
	}
	for _, s := range l.statements {
		v, ok := s.do.(interface{ validate(l *Lab) error })
		if !ok {
			continue
		}
		if err := v.validate(l); err != nil {
			return mistake(s.no, "%s", err)
		}
	}
	for _, system := range append(l.Systems(), Book) {
		if _, err := l.steps(system); err != nil {
			return err
		}
	}
	return nil
}

// mustHost is for validate.
func (l *Lab) mustHost(name string) error {
	if l.host(name) == nil {
		return errors.New("there is no host " + strconv.Quote(name))
	}
	return nil
}
