package link

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ParseRule reads a rule. Case does not matter, but in names of hosts.
//
//	drop WHICH
//	hold WHICH [for] TIME         so much later than it would have come
//	hold WHICH until TIME         at that time, and not before
//	duplicate WHICH [after TIME]  the second one comes so much later
//	corrupt WHICH [byte N]        one bit: of the last byte, or of byte N of the packet
//	cut [HOST] at TIME            the whole link, or the cable of one host
//	mend [HOST] at TIME
//
// WHICH is
//
//	the 2nd KIND [WHERE]          also "the 2nd and 4th", "the first", "the first 3"
//	every KIND [WHERE]            also "every 2nd"
//
// counted in the order they are put on the link, retransmissions too. KIND is
// one of
//
//	packet                        IP of any sort
//	segment                       TCP of any sort
//	SYN, SYN+ACK, FIN, RST, URG   the first without an ACK, the others with or without
//	ACK or pure ACK               with nothing else in it: no data, SYN, FIN or RST
//	data, data segment            TCP with data
//	datagram, UDP; ICMP; fragment
//	ARP, ARP request, ARP reply
//
// and WHERE is any of "from HOST", "to HOST" and "port N". TIME is a number
// with a unit, s, ms, us, min or h: "40 s", "1.5s", "500 ms".
func ParseRule(text string) (Rule, error) {
	p := parser{words: strings.Fields(text)}
	r := Rule{text: strings.Join(p.words, " "), byteN: -1, every: 1}
	err := p.rule(&r)
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q cannot follow", strings.Join(p.words, " "))
	}
	if err != nil {
		return Rule{}, fmt.Errorf("%q: %w; write it like %q", text, err, r.action.example())
	}
	return r, nil
}

// example returns a rule that does so.
func (a action) example() string {
	switch a {
	case actHold:
		return "hold the 1st SYN 500 ms"
	case actHoldUntil:
		return "hold the 1st SYN until 5 s"
	case actDuplicate:
		return "duplicate the 1st SYN after 500 ms"
	case actCorrupt:
		return "corrupt the 2nd data segment byte 40"
	case actCut:
		return "cut 10.0.0.1 at 5 s"
	case actMend:
		return "mend 10.0.0.1 at 5 s"
	}
	return "drop the 2nd pure ACK from 10.0.0.1"
}

// parser has the words that were not yet read.
type parser struct{ words []string }

// peek returns the next word in lower case, or "".
func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return strings.ToLower(p.words[0])
}

// missing says what the next word, which is no such thing, should be.
func (p *parser) missing(what string) error {
	if len(p.words) == 0 {
		return fmt.Errorf("%s is missing", what)
	}
	return fmt.Errorf("%q is not %s", p.words[0], what)
}

// next takes the next word as it is written, or "".
func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// take takes the next word if it is w.
func (p *parser) take(w string) bool {
	if p.peek() != w {
		return false
	}
	p.next()
	return true
}

func (p *parser) rule(r *Rule) error {
	switch word := strings.ToLower(p.next()); word {
	case "cut", "mend":
		r.action = actCut
		if word == "mend" {
			r.action = actMend
		}
		return p.outage(r)
	case "drop":
		r.action = actDrop
	case "hold":
		r.action = actHold
	case "duplicate":
		r.action = actDuplicate
	case "corrupt":
		r.action = actCorrupt
	default:
		return fmt.Errorf("a rule begins with drop, hold, duplicate, corrupt, cut or mend, not %q", word)
	}
	if err := p.which(r); err != nil {
		return err
	}
	return p.how(r)
}

// outage is [HOST] at TIME.
func (p *parser) outage(r *Rule) (err error) {
	if p.peek() != "at" {
		r.host = p.host()
	}
	if !p.take("at") {
		return errors.New(`"at" and a time are missing`)
	}
	r.at, err = p.time()
	return err
}

// how is what follows WHICH, by the action.
func (p *parser) how(r *Rule) (err error) {
	switch {
	case r.action == actHold && p.take("until"):
		r.action = actHoldUntil
		r.at, err = p.time()
	case r.action == actHold:
		p.take("for")
		r.after, err = p.time()
	case r.action == actDuplicate && p.take("after"):
		r.after, err = p.time()
	case r.action == actCorrupt && p.take("byte"):
		r.byteN, err = strconv.Atoi(p.next())
		if err != nil || r.byteN < 0 {
			return errors.New(`"byte" takes a number, counted from 0`)
		}
	}
	return err
}

// which is WHICH.
func (p *parser) which(r *Rule) error {
	switch {
	case p.take("every") || p.take("each"):
		if n, ok := ordinal(p.peek()); ok {
			p.next()
			r.every = n
		}
	case p.take("all"):
	case p.take("the"):
		if err := p.these(r); err != nil {
			return err
		}
	default:
		return errors.New(`"the" with a number, or "every", is missing`)
	}
	if err := p.kind(r); err != nil {
		return err
	}
	return p.where(r)
}

// these is "first 3", "2nd" or "2nd and 4th".
func (p *parser) these(r *Rule) error {
	for {
		n, ok := ordinal(p.peek())
		if !ok {
			return p.missing("a number like 1st or second")
		}
		p.next()
		r.these = append(r.these, n)
		if !p.take("and") {
			break
		}
	}
	if n, err := strconv.Atoi(p.peek()); err == nil && len(r.these) == 1 && r.these[0] == 1 {
		if n < 1 || n > 1000 {
			return fmt.Errorf("the first %d: from 1 to 1000 are possible", n)
		}
		p.next()
		for i := 2; i <= n; i++ {
			r.these = append(r.these, i)
		}
	}
	return nil
}

// kind is the longest run of words that name a kind.
func (p *parser) kind(r *Rule) error {
	all := kinds()
	for n := min(2, len(p.words)); n > 0; n-- {
		phrase := strings.ToLower(strings.Join(p.words[:n], " "))
		k, ok := all[phrase]
		if !ok {
			k, ok = all[strings.TrimSuffix(phrase, "s")]
		}
		if ok {
			r.kind = k
			p.words = p.words[n:]
			return nil
		}
	}
	return p.missing("a kind of packet")
}

func (p *parser) where(r *Rule) error {
	for {
		switch {
		case p.take("from"):
			if r.from = p.host(); r.from == "" {
				return errors.New(`a host is missing after "from"`)
			}
		case p.take("to"):
			if r.to = p.host(); r.to == "" {
				return errors.New(`a host is missing after "to"`)
			}
		case p.take("port"):
			n, err := strconv.ParseUint(p.next(), 10, 16)
			if err != nil || n == 0 {
				return errors.New(`"port" takes a number from 1 to 65535`)
			}
			r.port = uint16(n)
		default:
			return nil
		}
	}
}

// host is a name, or an address, in the form that packets are compared with.
func (p *parser) host() string {
	word := p.next()
	if a, err := netip.ParseAddr(word); err == nil {
		return a.Unmap().String()
	}
	return word
}

// ordinal reads "2nd" or "second".
func ordinal(s string) (int, bool) {
	for i, word := range []string{
		"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
	} {
		if s == word {
			return i + 1, true
		}
	}
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.Atoi(digits)
			return n, err == nil && n > 0
		}
	}
	return 0, false
}

// time is a number and a unit, together or apart.
func (p *parser) time() (time.Duration, error) {
	if len(p.words) == 0 {
		return 0, errors.New("a time is missing")
	}
	word := p.next()
	number := strings.TrimRight(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := strings.ToLower(word[len(number):])
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no time", word)
	}
	if unit == "" {
		unit = strings.ToLower(p.next())
	}
	scale, ok := map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
		"ms": time.Millisecond, "us": time.Microsecond,
		"min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
		"h": time.Hour, "hour": time.Hour, "hours": time.Hour,
	}[unit]
	if !ok {
		return 0, fmt.Errorf("the unit of %q is missing: s, ms, us, min or h", word)
	}
	ns := math.Round(n * float64(scale))
	if !(ns < math.MaxInt64) {
		return 0, fmt.Errorf("%q is too long a time", word)
	}
	return time.Duration(ns), nil
}
