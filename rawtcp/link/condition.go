package link

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Set sets one of the conditions by its name:
//
//	delay, jitter     a time: "40ms"; without a unit, seconds
//	loss, duplication (dup), reordering (reorder), corruption (corrupt)
//	                  a probability: "0.01" or "1%"
//	rate              bits per second: "9600", "10M"; 0 is without limit
//	queue             packets that may wait because of the rate; 0 is 50
func (c *Conditions) Set(name, value string) (err error) {
	switch name {
	case "delay":
		err = setTime(&c.Delay, value)
	case "jitter":
		err = setTime(&c.Jitter, value)
	case "loss":
		err = setChance(&c.Loss, value)
	case "duplication", "dup":
		err = setChance(&c.Duplication, value)
	case "reordering", "reorder":
		err = setChance(&c.Reordering, value)
	case "corruption", "corrupt":
		err = setChance(&c.Corruption, value)
	case "rate":
		err = setRate(&c.Rate, value)
	case "queue":
		err = setQueue(&c.Queue, value)
	default:
		return fmt.Errorf("%q is no condition of a link", name)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", name, value, err)
	}
	return nil
}

// IsCondition reports whether Set knows name.
func IsCondition(name string) bool {
	switch name {
	case "delay", "jitter", "loss", "duplication", "dup", "reordering", "reorder", "corruption", "corrupt", "rate", "queue":
		return true
	}
	return false
}

// maxTime is more than anybody waits for.
const maxTime = 24 * time.Hour

func setTime(to *time.Duration, text string) error {
	d, err := time.ParseDuration(text)
	if seconds, bare := strconv.ParseFloat(text, 64); bare == nil {
		// The book's command lines have seconds.
		d, err = time.Duration(math.MaxInt64), nil
		if seconds < maxTime.Seconds() {
			d = time.Duration(seconds * float64(time.Second))
		}
	}
	if err != nil || !(d >= 0 && d <= maxTime) {
		return fmt.Errorf("a time is needed, up to %v: 40ms, 1.5s", maxTime)
	}
	*to = d
	return nil
}

func setChance(to *float64, text string) error {
	number, percent := strings.CutSuffix(text, "%")
	p, err := strconv.ParseFloat(number, 64)
	if percent {
		p /= 100
	}
	if err != nil || !(p >= 0 && p <= 1) {
		return errors.New("a probability is needed, from 0 to 1, or from 0% to 100%")
	}
	*to = p
	return nil
}

func setRate(to *int64, text string) error {
	number, scale := text, 1.0
	for suffix, n := range map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9} {
		if n2, ok := strings.CutSuffix(text, suffix); ok {
			number, scale = n2, n
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= scale; err != nil || !(n >= 0 && n <= 1e15) {
		return errors.New("bits per second are needed: 9600, 64k, 10M, 1G")
	}
	*to = int64(n)
	return nil
}

func setQueue(to *int, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1e6 {
		return errors.New("a number of packets is needed, up to 1000000")
	}
	*to = n
	return nil
}

// String returns c in the words that Set takes: "delay 40ms, loss 0.01".
func (c Conditions) String() string {
	var words []string
	add := func(is bool, name string, value any) {
		if is {
			words = append(words, fmt.Sprint(name, " ", value))
		}
	}
	add(c.Delay > 0, "delay", c.Delay)
	add(c.Jitter > 0, "jitter", c.Jitter)
	add(c.Loss > 0, "loss", c.Loss)
	add(c.Duplication > 0, "dup", c.Duplication)
	add(c.Reordering > 0, "reorder", c.Reordering)
	add(c.Corruption > 0, "corrupt", c.Corruption)
	add(c.Rate > 0, "rate", c.Rate)
	add(c.Queue > 0, "queue", c.Queue)
	if len(words) == 0 {
		return "perfect"
	}
	return strings.Join(words, ", ")
}
