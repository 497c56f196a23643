package lab

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// What a script expects is written as the book prints it, and three signs say
// what is not to be compared: * is anything, 5..6 is anything from 5 to 6, and
// ... is any number of lines.

const anything = "*"

// glob reports whether text is pattern, in which each * stands for any text.
func glob(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, anything)
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	if !ok {
		return false
	}
	for {
		piece, more, star := strings.Cut(rest, anything)
		if !star {
			return strings.HasSuffix(text, piece)
		}
		i := strings.Index(text, piece)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(piece):], more
	}
}

// fitsNumber reports whether the number in got is what want says: a number, a
// range of numbers, open at an end or not, or anything. What is no number is
// compared as text.
func fitsNumber(want, got string) bool {
	low, high, isRange := strings.Cut(want, "..")
	if !isRange {
		return glob(want, got)
	}
	n, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false
	}
	return bound(low, math.Inf(-1)) <= n && n <= bound(high, math.Inf(1))
}

// bound reads one end of a range. Whoever parses a script has made sure that it
// is a number, or nothing.
func bound(s string, open float64) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return open
	}
	return n
}

// moment is a time as a script expects it. A time is as exact as it is
// written: 5.8 is anything that would be printed so with one digit.
type moment struct {
	text      string
	low, high time.Duration
	exact     time.Duration // how exact; 0 for a range
	any       bool
}

const forever = time.Duration(math.MaxInt64)

// parseMoment reads "5.8148", "5.5..6", "75..", "300ms", "1.2s" or "*".
func parseMoment(text string) (moment, error) {
	m := moment{text: text}
	if text == anything {
		m.any, m.high = true, forever
		return m, nil
	}
	low, high, isRange := strings.Cut(text, "..")
	if !isRange {
		at, unit, err := parseExact(text)
		m.low, m.high, m.exact = at, at, unit
		return m, err
	}
	m.high = forever
	var err error
	if high != "" {
		if m.high, _, err = parseExact(high); err != nil {
			return m, err
		}
		// "5.5..6s" is from 5.5 s.
		if unit := strings.TrimLeft(high, "0123456789."); strings.TrimLeft(low, "0123456789.") == "" && low != "" {
			low += unit
		}
	}
	if low != "" {
		if m.low, _, err = parseExact(low); err != nil {
			return m, err
		}
	}
	if m.low > m.high {
		return m, fmt.Errorf("%s ends before it begins", text)
	}
	return m, nil
}

// parseExact reads a time, in seconds unless it has a unit, and how exact it is
// written.
func parseExact(text string) (at, exact time.Duration, err error) {
	at, err = parseTime(text)
	if err != nil {
		return 0, 0, err
	}
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	scale, err := unitOf(text[len(number):])
	exact = scale
	if _, digits, ok := strings.Cut(number, "."); ok {
		for range digits {
			exact /= 10
		}
	}
	return at, max(exact, 1), err
}

// fits reports whether at is the moment, or no further from it than slack.
func (m moment) fits(at, slack time.Duration) bool {
	if m.any {
		return true
	}
	if m.exact > 0 && at.Round(m.exact) == m.low.Round(m.exact) {
		return true
	}
	return m.low-slack <= at && (m.high == forever || at <= m.high+slack)
}

// parseTime reads a time of not less than 0: a bare number is in seconds.
func parseTime(text string) (time.Duration, error) {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	scale, err := unitOf(text[len(number):])
	if err != nil {
		return 0, fmt.Errorf("%q is no time: %w", text, err)
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0) {
		return 0, fmt.Errorf("%q is no time: write 4.1, 4.1s, 300ms, 12min or 2h", text)
	}
	ns := math.Round(n * float64(scale))
	if !(ns < float64(forever/2)) {
		return 0, fmt.Errorf("%q is too long a time", text)
	}
	return time.Duration(ns), nil
}

func unitOf(unit string) (time.Duration, error) {
	switch unit {
	case "", "s":
		return time.Second, nil
	case "ms":
		return time.Millisecond, nil
	case "us":
		return time.Microsecond, nil
	case "m", "min":
		return time.Minute, nil
	case "h":
		return time.Hour, nil
	}
	return 0, fmt.Errorf("there is no unit %q; there are s, ms, us, min and h", unit)
}
