package lab

import (
	"slices"
	"strconv"
	"strings"
)

// packet is a line of tcpdump taken apart. What a script expects and what was
// seen are both read into it, so that they can be compared field by field.
type packet []field

// field is one part of the line: "ack 1823083522" has the name ack.
type field struct {
	name fieldName
	text string
}

type fieldName string

const (
	fieldFrom     fieldName = "from"
	fieldTo       fieldName = "to"
	fieldFlags    fieldName = "flags"
	fieldNumbers  fieldName = "numbers"
	fieldAck      fieldName = "ack"
	fieldWin      fieldName = "win"
	fieldUrg      fieldName = "urg"
	fieldOptions  fieldName = "options"
	fieldFragment fieldName = "fragment"
	fieldDF       fieldName = "DF"
	fieldTOS      fieldName = "tos"
	fieldTTL      fieldName = "ttl"
	fieldText     fieldName = "text"
	fieldRest     fieldName = "rest" // a * at the end of what is expected
)

// mayBeLeftOut reports whether a line that does not mention the field lets it
// be anything. All others say what the packet is.
func (n fieldName) mayBeLeftOut() bool {
	switch n {
	case fieldWin, fieldOptions, fieldDF, fieldTOS, fieldTTL:
		return true
	}
	return false
}

// parsePacket takes a line apart.
func parsePacket(line string) packet {
	hosts, rest, ok := strings.Cut(line, ": ")
	from, to, arrow := strings.Cut(hosts, " > ")
	if !ok || !arrow {
		// A fragment that is not the first ends in "bsdi > svr4: (frag ...)", and
		// that is found above; what is left is ARP, and what nobody can read.
		return packet{{fieldText, squeeze(line)}}
	}
	p := packet{{fieldFrom, strings.TrimSpace(from)}, {fieldTo, strings.TrimSpace(to)}}
	words := bracketed(rest)
	if len(words) > 0 && (isFlags(words[0]) || words[0] == anything && isSegment(words[1:])) {
		return append(append(p, field{fieldFlags, words[0]}), parseSegment(words[1:])...)
	}
	return append(p, parseRest(words)...)
}

// isFlags reports whether a word is the flags of a segment (Fig 18-2).
func isFlags(word string) bool {
	return word == "." || word != "" && strings.Trim(word, "SFPR") == ""
}

// isSegment reports whether words are what follows the flags.
func isSegment(words []string) bool {
	return len(words) > 0 && (isNumbers(words[0]) || words[0] == string(fieldAck) || words[0] == string(fieldWin))
}

// isNumbers reports whether a word is like "1:14(13)".
func isNumbers(word string) bool { return strings.HasSuffix(word, ")") && strings.Contains(word, ":") }

func parseSegment(words []string) (p packet) {
	for len(words) > 0 {
		word := words[0]
		name := fieldName(word)
		switch {
		case (name == fieldAck || name == fieldWin || name == fieldUrg) && len(words) > 1:
			p = append(p, field{name, words[1]})
			words = words[1:]
		case len(p) == 0 && (isNumbers(word) || word == anything && len(words) > 1):
			p = append(p, field{fieldNumbers, word})
		default:
			return append(p, parseRest(words)...)
		}
		words = words[1:]
	}
	return p
}

// parseRest sorts out what IP has to tell behind what is in the packet.
func parseRest(words []string) (p packet) {
	var text []string
	for i, word := range words {
		switch {
		case strings.HasPrefix(word, "<"):
			p = append(p, field{fieldOptions, strings.Trim(word, "<>")})
		case word == "(DF)":
			p = append(p, field{fieldDF, word})
		case strings.HasPrefix(word, "(frag "):
			p = append(p, field{fieldFragment, strings.Trim(word, "()")})
		case strings.HasPrefix(word, "[tos"):
			p = append(p, field{fieldTOS, word})
		case strings.HasPrefix(word, "[ttl"):
			p = append(p, field{fieldTTL, word})
		case word == anything && i == len(words)-1:
			p = append(p, field{fieldRest, word})
		default:
			text = append(text, word)
		}
	}
	if len(text) > 0 {
		p = append(p, field{fieldText, strings.Join(text, " ")})
	}
	return p
}

// bracketed splits a text into words; what begins with <, ( or [ is one word up
// to the bracket that closes it.
func bracketed(text string) (words []string) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		end := " "
		if i := strings.IndexByte("<([", text[0]); i >= 0 {
			end = ">)]"[i : i+1]
		}
		i := strings.Index(text, end) + 1
		if i == 0 {
			i = len(text)
		}
		words = append(words, strings.TrimSpace(text[:i]))
		text = text[i:]
	}
	return words
}

func (p packet) get(name fieldName) (string, bool) {
	for _, f := range p {
		if f.name == name {
			return f.text, true
		}
	}
	return "", false
}

// differs returns the names of the fields of got that are not as p wants them.
func (p packet) differs(got packet) (names []fieldName) {
	_, open := p.get(fieldRest)
	for _, f := range p {
		if f.name == fieldRest {
			continue
		}
		if open && f.name == fieldText {
			f.text += " " + anything // "icmp: *"
		}
		text, ok := got.get(f.name)
		if !ok && f.text == "" { // <> wants no options
			continue
		}
		if !ok || !f.fits(text) {
			names = append(names, f.name)
		}
	}
	if open {
		return names
	}
	for _, f := range got {
		if _, ok := p.get(f.name); !ok && !f.name.mayBeLeftOut() {
			names = append(names, f.name)
		}
	}
	return names
}

// fits compares the text of a field, of which f is what is wanted.
func (f field) fits(got string) bool {
	switch f.name {
	case fieldFrom, fieldTo:
		return fitsEnd(f.text, got)
	case fieldNumbers:
		return f.text == anything || fitsAll(splitNumbers(f.text), splitNumbers(got))
	case fieldAck, fieldWin, fieldUrg:
		return fitsNumber(f.text, got)
	case fieldOptions:
		return fitsOptions(f.text, got)
	case fieldFlags:
		return f.text == anything || sorted(f.text) == sorted(got)
	}
	return fitsWords(f.text, got)
}

// fitsEnd compares an end of a connection: "svr4.1037", "svr4.discard", "*".
// A service may go by its name or by its number.
func fitsEnd(want, got string) bool {
	if glob(want, got) {
		return true
	}
	i, j := strings.LastIndexByte(want, '.'), strings.LastIndexByte(got, '.')
	if i < 0 || j < 0 || !glob(want[:i], got[:j]) {
		return false
	}
	return fitsNumber(portNumber(want[i+1:]), portNumber(got[j+1:]))
}

func portNumber(s string) string {
	if n := servicePort(s); n != 0 {
		return strconv.Itoa(int(n))
	}
	return s
}

// splitNumbers splits "1:14(13)" into its three numbers.
func splitNumbers(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '(' || r == ')' })
}

func fitsAll(want, got []string) bool { return slices.EqualFunc(want, got, fitsNumber) }

// fitsOptions compares lists of options. A * in place of the last one stands
// for any more.
func fitsOptions(want, got string) bool {
	wants, gots := splitOptions(want), splitOptions(got)
	if n := len(wants) - 1; n >= 0 && squeeze(wants[n]) == anything {
		if len(gots) < n {
			return false
		}
		wants, gots = wants[:n], gots[:n]
	}
	return slices.EqualFunc(wants, gots, fitsWords)
}

func splitOptions(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// fitsWords compares texts word by word. A word may be a range, and have
// a * in it; alone, as the last one, a * stands for all the rest.
func fitsWords(want, got string) bool {
	wants, gots := strings.Fields(want), strings.Fields(got)
	if n := len(wants) - 1; n >= 0 && wants[n] == anything && len(gots) >= n {
		wants, gots = wants[:n], gots[:n]
	}
	return fitsAll(wants, gots)
}

// squeeze returns s with single blanks.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}
