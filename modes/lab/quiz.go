package lab

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"sock/rawtcp/trace"
)

// A quiz is the time-line of a lab with one field of most packets left out.
// The reader fills it in, and is told whether it is right, and why.

const blank = "____"

// question is a line with a blank.
type question struct {
	name   fieldName
	line   string
	answer string
}

// blanked leaves out one of the fields of a packet that follow from what was
// before: the flags, the numbers, the acknowledgment. ok is false if there is
// none.
func blanked(text string, chance *rand.Rand) (q question, ok bool) {
	p := parsePacket(text)
	if _, isSegment := p.get(fieldFlags); !isSegment {
		return q, false
	}
	var can []field
	for _, f := range p {
		switch f.name {
		case fieldFlags, fieldAck, fieldNumbers:
			can = append(can, f)
		}
	}
	f := can[chance.IntN(len(can))]
	q = question{name: f.name, answer: f.text}
	head, tail, _ := strings.Cut(text, ": ")
	words := strings.Fields(tail)
	for i, w := range words {
		switch {
		case f.name == fieldFlags && i == 0,
			f.name == fieldNumbers && w == f.text && i == 1,
			f.name == fieldAck && i > 0 && words[i-1] == "ack":
			words[i] = blank
		}
	}
	q.line = head + ": " + strings.Join(words, " ")
	return q, true
}

// ask goes through the time-line, and asks.
func (c *session) ask(o *Outcome) error {
	o.Lab.introduction(c.stdout)
	fmt.Fprintf(c.stdout, "Fill in the %s. Flags are the letters S, F, P and R, or . for none of them.\nAn empty answer shows what it is.\n\n", blank)
	chance := rand.New(rand.NewPCG(o.Seed, 1))
	t := newTimeline(c.stdout, o, c.width)
	asked, right := 0, 0
	over := false
	for _, e := range o.Line {
		var q question
		var event *trace.Event
		if e.Kind == Told {
			event = &o.Events[e.Event]
			t.alter = func(text string) string {
				// The first SYN of all follows from nothing.
				var ok bool
				if t.number == 0 || over {
					return text
				}
				if q, ok = blanked(text, chance); !ok {
					return text
				}
				return q.line
			}
		}
		t.entry(o, e)
		if q.answer == "" {
			continue
		}
		asked++
		fmt.Fprintf(c.stdout, "%*s%s? ", timeColumn, "", q.name)
		answer, err := c.stdin.ReadString('\n')
		if err != nil && strings.TrimSpace(answer) == "" {
			asked--
			over = true
		}
		if q.marks(answer) {
			right++
			fmt.Fprintf(c.stdout, "%*sright\n", timeColumn, "")
			continue
		}
		fmt.Fprintf(c.stdout, "%*sit is %s", timeColumn, "", q.answer)
		if why := event.Rule.String(); why != "" {
			fmt.Fprintf(c.stdout, " because: %s", why)
		}
		fmt.Fprintln(c.stdout)
	}
	fmt.Fprintf(c.stdout, "\n%d of %d right\n", right, asked)
	return nil
}

// marks reports whether an answer is right: the flags may come in any order.
func (q *question) marks(answer string) bool {
	answer = strings.Join(strings.Fields(answer), "")
	return answer != "" && field{q.name, q.answer}.fits(answer)
}
