package lab

import (
	"fmt"
	"strings"
)

// line is a line of a script.
type line struct {
	no   int
	text string
}

// indent returns the column in which the text begins. A tab goes to the next
// multiple of 8.
func (l line) indent() int {
	column := 0
	for _, c := range l.text {
		switch c {
		case ' ':
			column++
		case '\t':
			column += 8 - column%8
		default:
			return column
		}
	}
	return column
}

func (l line) isBlank() bool { return strings.TrimSpace(l.text) == "" }

// paragraph is a line with those that are indented under it, blank ones among
// them too.
type paragraph struct {
	line
	body []line
}

// splitLines splits a script into lines, without its comments: a comment has
// its line for itself.
func splitLines(text string) (lines []line) {
	for i, s := range strings.Split(text, "\n") {
		s = strings.TrimRight(s, " \t\r")
		if !strings.HasPrefix(strings.TrimSpace(s), "#") {
			lines = append(lines, line{i + 1, s})
		}
	}
	return lines
}

// paragraphs gathers lines. All that are not part of another's body must begin
// in the same column.
func paragraphs(lines []line) (all []paragraph, err error) {
	for len(lines) > 0 {
		first := lines[0]
		lines = lines[1:]
		if first.isBlank() {
			continue
		}
		if len(all) > 0 && first.indent() != all[0].indent() {
			return nil, mistake(first.no, "this line is indented, but belongs to nothing above it")
		}
		n := 0
		for n < len(lines) && (lines[n].isBlank() || lines[n].indent() > first.indent()) {
			n++
		}
		end := n
		for end > 0 && lines[end-1].isBlank() {
			end--
		}
		all = append(all, paragraph{first, lines[:end]})
		lines = lines[n:]
	}
	return all, nil
}

// prose returns the lines of a body, each paragraph as one line.
func prose(body []line) (text []string) {
	open := false
	for _, l := range body {
		switch {
		case l.isBlank():
			open = false
		case open:
			text[len(text)-1] += " " + strings.TrimSpace(l.text)
		default:
			text = append(text, strings.TrimSpace(l.text))
			open = true
		}
	}
	return text
}

// verbatim returns the text of a body, without what its lines are indented.
func verbatim(body []line) string {
	var b strings.Builder
	for _, l := range body {
		s := l.text
		if len(body) > 0 {
			s = strings.TrimPrefix(s, body[0].text[:len(body[0].text)-len(strings.TrimLeft(body[0].text, " \t"))])
		}
		b.WriteString(s + "\n")
	}
	return b.String()
}

// Mistake is an error in a script.
type Mistake struct {
	File string
	Line int // counted from 1
	Text string
}

// Error returns "fig18-1.lab:12: there is no host sun".
func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text) }

func mistake(line int, format string, a ...any) error {
	return &Mistake{Line: line, Text: fmt.Sprintf(format, a...)}
}
