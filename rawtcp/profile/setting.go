package profile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/wire"
)

// Setting is one value of a profile.
type Setting struct {
	Name string // "msl"
	Form string // "time", "count", "bytes", "number", "yes|no", or the words
	Help string // what it is, in a line

	get func(*Profile) string
	set func(*Profile, string) error
}

// Get returns the value, in the form that Set takes.
func (s *Setting) Get(p *Profile) string { return s.get(p) }

// Set sets one value of p by name: "msl=2s". The error is one sentence.
func Set(p *Profile, nameValue string) error {
	name, value, ok := strings.Cut(nameValue, "=")
	if !ok {
		return fmt.Errorf("%q is no setting: write name=value, as in msl=2s", nameValue)
	}
	s := lookup(name)
	if s == nil {
		if like := nearest(name); like != "" {
			return fmt.Errorf("there is no setting %q: is it %q that you mean?", name, like)
		}
		return fmt.Errorf("there is no setting %q", name)
	}
	if err := s.set(p, value); err != nil {
		return fmt.Errorf("%s=%s: %w", name, value, err)
	}
	return nil
}

// Settings returns all of them, in the order of the manual page.
func Settings() []Setting { return settings() }

func lookup(name string) *Setting {
	for _, s := range settings() {
		if s.Name == name {
			return &s
		}
	}
	return nil
}

// nearest returns the name that differs least from name, if that is little.
func nearest(name string) string {
	best, least := "", 3
	for _, s := range settings() {
		if d := distance(name, s.Name); d < least {
			best, least = s.Name, d
		}
	}
	return best
}

// distance is that of Levenshtein: how many letters are put in, taken out, or
// changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// ParseTime reads a time: a bare number is in seconds, as in the book.
func ParseTime(s string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if f < 0 || f > math.MaxInt32 || math.IsNaN(f) {
			return 0, fmt.Errorf("a time is between 0 and %d seconds", math.MaxInt32)
		}
		return time.Duration(math.Round(f * float64(time.Second))), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("a time is a number of seconds, or has a unit, as in 2s or 500ms")
	}
	if d < 0 {
		return 0, fmt.Errorf("a time may not be negative")
	}
	return d, nil
}

func duration(name, help string, at func(*Profile) *time.Duration) Setting {
	return Setting{
		Name: name, Form: "time", Help: help,
		get: func(p *Profile) string { return at(p).String() },
		set: func(p *Profile, s string) (err error) {
			d, err := ParseTime(s)
			if err == nil {
				*at(p) = d
			}
			return err
		},
	}
}

// interval is a duration that cannot be 0: something would happen again and
// again without any time passing.
func interval(name, help string, at func(*Profile) *time.Duration) Setting {
	s := duration(name, help, at)
	set := s.set
	s.set = func(p *Profile, text string) error {
		if d, err := ParseTime(text); err == nil && d == 0 {
			return fmt.Errorf("a timeout is more than 0")
		}
		return set(p, text)
	}
	return s
}

func durations(name, help string, at func(*Profile) *[]time.Duration) Setting {
	return Setting{
		Name: name, Form: "time,...", Help: help,
		get: func(p *Profile) string {
			var all []string
			for _, d := range *at(p) {
				all = append(all, d.String())
			}
			return strings.Join(all, ",")
		},
		set: func(p *Profile, s string) error {
			var all []time.Duration
			for part := range strings.SplitSeq(s, ",") {
				if s == "" {
					break
				}
				d, err := ParseTime(part)
				if err != nil {
					return err
				}
				if d == 0 {
					return fmt.Errorf("a timeout is more than 0")
				}
				all = append(all, d)
			}
			*at(p) = all
			return nil
		},
	}
}

// integer is a number of a range.
func integer[T ~int | ~uint8 | ~uint16 | ~uint32](name, form, help string, low, high int64, at func(*Profile) *T) Setting {
	return Setting{
		Name: name, Form: form, Help: help,
		get: func(p *Profile) string { return fmt.Sprint(*at(p)) },
		set: func(p *Profile, s string) error {
			n, err := strconv.ParseInt(s, 0, 64)
			if err != nil || n < low || n > high {
				return fmt.Errorf("it is a number from %d to %d", low, high)
			}
			*at(p) = T(n)
			return nil
		},
	}
}

func boolean(name, help string, at func(*Profile) *bool) Setting {
	return Setting{
		Name: name, Form: "yes|no", Help: help,
		get: func(p *Profile) string {
			if *at(p) {
				return "yes"
			}
			return "no"
		},
		set: func(p *Profile, s string) error {
			switch strings.ToLower(s) {
			case "yes", "true", "on", "1":
				*at(p) = true
			case "no", "false", "off", "0":
				*at(p) = false
			default:
				return fmt.Errorf("it is yes or no")
			}
			return nil
		},
	}
}

// words is one of some words; the value is their number.
func words[T ~uint8](name, help string, at func(*Profile) *T, list ...string) Setting {
	return Setting{
		Name: name, Form: strings.Join(list, "|"), Help: help,
		get: func(p *Profile) string { return list[*at(p)] },
		set: func(p *Profile, s string) error {
			for i, w := range list {
				if w == s {
					*at(p) = T(i)
					return nil
				}
			}
			return fmt.Errorf("it is one of %s", strings.Join(list, ", "))
		},
	}
}

func layout(name, help string, at func(*Profile) *wire.Layout) Setting {
	return Setting{
		Name: name, Form: "options", Help: help,
		get: func(p *Profile) string { return at(p).String() },
		set: func(p *Profile, s string) error {
			switch s {
			case "modern":
				*at(p) = wire.LayoutModern
				return nil
			case "bsd":
				*at(p) = wire.LayoutBSD
				return nil
			}
			l, ok := wire.ParseLayout(s)
			if !ok {
				return fmt.Errorf("it is modern, bsd, or groups of mss, wscale, sackOK, sack, TS and nop, as in %q", "mss sackOK,TS nop,wscale")
			}
			*at(p) = l
			return nil
		},
	}
}
