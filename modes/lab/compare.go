package lab

import (
	"errors"
	"fmt"
)

// compare shows what two labs, or one lab with two systems, have not in
// common.
func (c *session) compare(words []string) error {
	if len(words) == 1 && c.system != "" {
		words = []string{words[0] + "@" + Book, words[0] + "@" + c.system}
	}
	if len(words) != 2 {
		return errors.New("compare which two labs? As in: compare fig18-1 fig18-1@linux")
	}
	var out [2]*Outcome
	for i, word := range words {
		l, system, err := c.lab(word)
		if err != nil {
			return err
		}
		if out[i], err = Run(l, Options{System: system, Seed: c.seed}); err != nil {
			return err
		}
	}
	a, b := out[0], out[1]
	differs := false
	put := func(what string, pairs []pair, left, right func(int) string) {
		if len(pairs) == 0 {
			return
		}
		differs = differs || !alike(pairs, noGap)
		fmt.Fprintln(c.stdout, what)
		sideBySide(c.stdout, c.width, a.name(), b.name(), rows(pairs, left, right, noGap))
		fmt.Fprintln(c.stdout)
	}
	for _, terminal := range both(a.terminals(), b.terminals()) {
		left, right := a.printed(terminal), b.printed(terminal)
		put("What "+terminal+" shows", align(len(left), len(right), noGap, func(i, j int) []string {
			if !fitsText(left[i].Text, right[j].Text) {
				return []string{"text"}
			}
			return nil
		}), entryText(left), entryText(right))
	}
	left, right := a.listing(a.relative()), b.listing(b.relative())
	put("What tcpdump shows", align(len(left), len(right), noGap, func(i, j int) []string {
		return left[i].differs(&right[j])
	}), packetText(left), packetText(right))
	if !differs {
		fmt.Fprintln(c.stdout, "They differ in nothing but times.")
	}
	return nil
}

// relative is the view with relative numbers: the others differ in any case.
func (o *Outcome) relative() dump {
	d := o.view()
	d.absolute = false
	return d
}

func noGap(int) bool { return false }

func entryText(lines []Entry) func(int) string {
	return func(i int) string { return seconds(lines[i].At) + "  " + lines[i].Text }
}

func packetText(lines []seen) func(int) string {
	return func(i int) string { return lines[i].line(i) }
}

// differs returns in what two packets that were seen differ.
func (s *seen) differs(other *seen) (names []string) {
	for _, f := range s.packet {
		if text, ok := other.packet.get(f.name); !ok || text != f.text {
			names = append(names, string(f.name))
		}
	}
	for _, f := range other.packet {
		if _, ok := s.packet.get(f.name); !ok {
			names = append(names, string(f.name))
		}
	}
	return names
}

// terminals returns the terminals on which something was done, in their order.
func (o *Outcome) terminals() (names []string) {
	for _, e := range o.Line {
		if e.Kind == Commanded {
			names = append(names, e.Terminal)
		}
	}
	return both(names, nil)
}

// both returns the names that are in either list, each once.
func both(a, b []string) (all []string) {
	seen := map[string]bool{}
	for _, list := range [][]string{a, b} {
		for _, name := range list {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
			}
		}
	}
	return all
}
