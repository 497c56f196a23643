package hub

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/link"
)

// ErrQuit is what Command returns for "quit": whoever reads the lines is to end
// the Hub.
var ErrQuit = errors.New("quit")

const help = `list                     who is on the wire, its conditions, rules and losses
rules                    the rules at work, with their numbers
forget N                 take rule N out of work, or all; also its words
cut [ADDRESS]            cut the cable of a host, or the whole wire
mend [ADDRESS]           mend it
cut [ADDRESS] at TIME    cut it at that time since the hub began; also mend
freeze                   what is under way stays, and what is sent, until
thaw                     it goes on, in order
mtu ADDRESS BYTES        a router before a host, with a link of a smaller MTU
delay TIME               from end to end: 40ms, 1.5s
jitter TIME              at most so much more
loss P                   a probability: 0.01, 1%; also dup, reorder, corrupt
rate BITS                per second: 9600, 10M; 0 is without limit
queue PACKETS            that may wait because of the rate
drop WHICH               a rule: drop the 2nd pure ACK from 10.0.0.1
hold WHICH TIME          hold the first data segment 500 ms
duplicate WHICH          duplicate every 3rd segment port 80
corrupt WHICH            corrupt the 1st SYN to 10.0.0.2
quit                     end the hub, and the network with it
help                     this`

// command does what a line says, and returns what there is to answer: what "list"
// would tell of it from then on, if that is one line.
func (c *cable) command(now time.Duration, line string) (answer string, err error) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return "", nil
	}
	verb, rest := strings.ToLower(words[0]), words[1:]
	if len(rest) > 0 && slices.Contains([]string{"help", "?", "list", "rules", "freeze", "thaw", "quit"}, verb) {
		return "", fmt.Errorf("%s stands alone: leave out %q", verb, strings.Join(rest, " "))
	}
	switch verb {
	case "help", "?":
		return help, nil
	case "list":
		return c.list(now), nil
	case "rules":
		return c.listRules(now), nil
	case "forget":
		return c.forget(rest)
	case "cut", "mend":
		if slices.ContainsFunc(rest, func(w string) bool { return strings.EqualFold(w, "at") }) {
			return c.rule(now, line)
		}
		return c.change(now, verb == "cut", rest)
	case "freeze", "thaw":
		return c.freeze(now, verb == "freeze")
	case "mtu":
		return c.setMTU(rest)
	case "drop", "hold", "duplicate":
		return c.rule(now, line)
	case "corrupt":
		if len(rest) > 0 && !strings.ContainsAny(rest[0][:1], ".0123456789") {
			return c.rule(now, line) // and not the condition of that name
		}
	case "quit":
		return "", ErrQuit
	}
	if link.IsCondition(verb) {
		return c.condition(words)
	}
	return "", fmt.Errorf("there is no command %.50q: help tells those there are", words[0])
}

// change cuts or mends a cable now: that of an address, or the whole wire.
func (c *cable) change(now time.Duration, cut bool, whose []string) (answer string, err error) {
	end := link.Everybody
	switch len(whose) {
	case 0:
	case 1:
		if end, err = c.endNamed(whose[0]); err != nil {
			return "", fmt.Errorf("%w; without an address it is the whole wire", err)
		}
	default:
		return "", errors.New("one address at a time, or none for the whole wire; and some other time is: cut 10.0.0.1 at 5 s")
	}
	what := c.cableName(end)
	switch others := c.cutEnds(); {
	case c.isCut(end) == cut && cut:
		return "", fmt.Errorf("%s is cut already", what)
	case c.isCut(end) != cut:
	case c.cut:
		return "", fmt.Errorf("%s is not cut, but the whole wire is: mend alone mends that", what)
	case end == link.Everybody && len(others) > 0:
		return "", fmt.Errorf("the wire is not cut, but %v is: mend %[1]v", c.ends[others[0]].address)
	default:
		return "", fmt.Errorf("%s is not cut", what)
	}
	if end != link.Everybody {
		c.ends[end].pinned = true
	}
	if cut {
		c.pipe.Cut(now, end)
		answer = "cut: " + what
	} else {
		c.pipe.Mend(now, end)
		answer = "mended: " + what
	}
	c.advance(now)
	return answer, nil
}

// endNamed returns the end of the pipe where an address is, or would be. It may be
// written as list has it, with the length of the prefix.
func (c *cable) endNamed(text string) (int, error) {
	bare, _, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(bare)
	switch {
	case err != nil || a.Zone() != "":
		return 0, fmt.Errorf("%.50q is no address", text)
	case c.isBroadcast(a):
		return 0, fmt.Errorf("%v is the address of all hosts, not of one", a)
	}
	return c.endOf(a.Unmap())
}

// freeze stops what is under way, or lets it go.
func (c *cable) freeze(now time.Duration, stop bool) (answer string, err error) {
	switch is := c.pipe.IsFrozen(); {
	case is && stop:
		return "", errors.New("it is frozen already")
	case is == stop:
		return "", errors.New("it is not frozen")
	case stop:
		c.pipe.Freeze()
		c.note(now, "", "wire frozen")
		answer = "frozen"
	default:
		answer = fmt.Sprintf("thawed: %d under way", c.pipe.Stats().Pending)
		c.pipe.Thaw(now)
		c.note(now, "", "wire thawed")
	}
	c.advance(now)
	return answer, nil
}

// condition sets conditions: "delay 40ms loss 1%".
func (c *cable) condition(words []string) (answer string, err error) {
	state := c.state
	for pair := range slices.Chunk(words, 2) {
		value := "" // which is wrong for all of them
		if len(pair) == 2 {
			value = pair[1]
		}
		if !link.IsCondition(strings.ToLower(pair[0])) {
			return "", fmt.Errorf("%.50q is no condition of a wire: each is a word and a value, delay 40ms loss 1%%", pair[0])
		}
		if err := state.Set(strings.ToLower(pair[0]), value); err != nil {
			return "", err
		}
	}
	c.state = state
	c.pipe.Set(state)
	return c.wireLine(), nil
}

// rule puts a rule to work.
func (c *cable) rule(now time.Duration, text string) (answer string, err error) {
	r, err := link.ParseRule(text)
	if err != nil {
		return "", err
	}
	var hosts []netip.Addr
	for _, name := range r.Hosts() {
		a, err := netip.ParseAddr(name)
		if err != nil {
			return "", fmt.Errorf("%q: %q is no address, and a wire knows no names", r, name)
		}
		hosts = append(hosts, a)
	}
	if at, ok := r.At(); ok && at < now {
		return "", fmt.Errorf("%q: the hub began %.1f s ago, and that is over; list tells its time", r, now.Seconds())
	}
	if len(c.pipe.Rules()) >= maxRules {
		return "", fmt.Errorf("there are %d rules, and no room for more", maxRules)
	}
	if err := c.pipe.Add(r); err != nil {
		return "", err
	}
	all := c.pipe.Rules()
	return "rule " + c.ruleLine(now, all, len(all)-1) + c.unowned(hosts...), nil
}

// forget takes a rule out of work, which its number or its words name, or all.
func (c *cable) forget(which []string) (answer string, err error) {
	all := c.pipe.Rules()
	if len(which) == 2 && strings.EqualFold(which[0], "rule") {
		which = which[1:] // as list has it
	}
	text := strings.Join(which, " ")
	i, err := strconv.Atoi(text)
	if i--; err != nil {
		i = slices.IndexFunc(all, func(r link.Working) bool { return strings.EqualFold(r.String(), text) })
	}
	switch {
	case text == "":
		return "", errors.New("forget which rule? Its number, its words, or all: rules tells them")
	case len(all) == 0:
		return "", errors.New("there are no rules")
	case strings.EqualFold(text, "all"):
		for range all {
			c.pipe.Forget(0)
		}
		return fmt.Sprintf("forgotten: all of them (%d)", len(all)), nil
	case i < 0 || i >= len(all):
		return "", fmt.Errorf("there is no rule %s: rules tells those that are at work", text)
	}
	c.pipe.Forget(i)
	return "forgotten: " + all[i].String(), nil
}

// maxRules is how many rules there may be: each packet asks them all.
const maxRules = 1000
