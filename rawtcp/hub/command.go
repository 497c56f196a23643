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

const help = `list                     who is on the wire, its conditions and its rules
rules                    those that are at work, with their numbers
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
help                     this`

// command does what a line says, and returns what there is to answer.
func (c *cable) command(now time.Duration, line string) (answer string, err error) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return "", nil
	}
	switch verb := strings.ToLower(words[0]); {
	case verb == "help" || verb == "?":
		return help, nil
	case verb == "list":
		return c.list(now), nil
	case verb == "rules" && len(words) == 1:
		return c.listRules(), nil
	case verb == "forget":
		return "", c.forget(words[1:])
	case (verb == "cut" || verb == "mend") && len(words) <= 2:
		return "", c.change(now, verb == "cut", words[1:])
	case (verb == "freeze" || verb == "thaw") && len(words) == 1:
		return "", c.freeze(now, verb == "freeze")
	case verb == "mtu":
		return "", c.setMTU(words[1:])
	case verb == "corrupt" && len(words) > 2:
		return "", c.rule(line) // and not a condition of that name
	case link.IsCondition(verb):
		return "", c.condition(words)
	case slices.Contains([]string{"drop", "hold", "duplicate", "corrupt", "cut", "mend"}, verb):
		return "", c.rule(line)
	}
	return "", fmt.Errorf("there is no command %q: help tells those there are", words[0])
}

// change cuts or mends a cable now: that of an address, or the whole wire.
func (c *cable) change(now time.Duration, cut bool, whose []string) error {
	end := link.Everybody
	if len(whose) > 0 {
		a, err := netip.ParseAddr(whose[0])
		if err != nil {
			return fmt.Errorf("%q is no address", whose[0])
		}
		if end, err = c.endOf(a.Unmap()); err != nil {
			return err
		}
		c.ends[end].pinned = true
	}
	switch {
	case c.isCut(end) == cut && cut:
		return errors.New("it is cut already")
	case c.isCut(end) == cut:
		return errors.New("it is not cut")
	case cut:
		c.pipe.Cut(now, end)
	default:
		c.pipe.Mend(now, end)
	}
	c.advance(now)
	return nil
}

// freeze stops what is under way, or lets it go.
func (c *cable) freeze(now time.Duration, stop bool) error {
	switch is := c.pipe.IsFrozen(); {
	case is && stop:
		return errors.New("it is frozen already")
	case is == stop:
		return errors.New("it is not frozen")
	case stop:
		c.pipe.Freeze()
		c.note(now, "", "wire frozen")
	default:
		c.pipe.Thaw(now)
		c.note(now, "", "wire thawed")
	}
	c.advance(now)
	return nil
}

// condition sets conditions: "delay 40ms loss 1%".
func (c *cable) condition(words []string) error {
	state := c.state
	for ; len(words) > 1; words = words[2:] {
		if err := state.Set(strings.ToLower(words[0]), words[1]); err != nil {
			return err
		}
	}
	if len(words) > 0 {
		return fmt.Errorf("%s of what?", words[0])
	}
	c.state = state
	c.pipe.Set(state)
	return nil
}

// rule puts a rule to work.
func (c *cable) rule(text string) error {
	r, err := link.ParseRule(text)
	if err != nil {
		return err
	}
	if len(c.pipe.Rules()) >= maxRules {
		return fmt.Errorf("there are %d rules, and no room for more", maxRules)
	}
	return c.pipe.Add(r)
}

// forget takes a rule out of work, which its number or its words name, or all.
func (c *cable) forget(which []string) error {
	all := c.pipe.Rules()
	text := strings.Join(which, " ")
	if strings.EqualFold(text, "all") {
		for i := range all {
			c.pipe.Forget(len(all) - 1 - i)
		}
		return nil
	}
	i, err := strconv.Atoi(text)
	if i--; err != nil {
		i = slices.IndexFunc(all, func(r link.Working) bool { return strings.EqualFold(r.String(), text) })
	}
	switch {
	case text == "":
		return errors.New("forget which rule? Its number, its words, or all: rules tells them")
	case i < 0 || i >= len(all):
		return fmt.Errorf("there is no rule %s: rules tells those that are at work", text)
	}
	c.pipe.Forget(i)
	return nil
}

// listRules returns the rules, and how many packets of their kind have come.
func (c *cable) listRules() string {
	all := c.pipe.Rules()
	if len(all) == 0 {
		return "there are no rules"
	}
	var lines []string
	for i, r := range all {
		text := fmt.Sprintf("%d: %v", i+1, r)
		if r.Seen > 0 {
			text += fmt.Sprintf(" (of that kind have come: %d)", r.Seen)
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// maxRules is how many rules there may be: each packet asks them all.
const maxRules = 1000

// list returns who is there, and what the wire is like.
func (c *cable) list(now time.Duration) string {
	var b strings.Builder
	s := c.pipe.Stats()
	fmt.Fprintf(&b, "wire: MTU %d, %s\n", c.mtu, c.state)
	fmt.Fprintf(&b, "packets: %d in, %d out, %d under way, %d dropped, %d duplicated, %d corrupted, %d for nobody",
		s.In, s.Delivered, s.Pending, s.Dropped+c.full, s.Duplicated, s.Corrupted, c.nobody)
	for _, r := range c.pipe.Rules() {
		b.WriteString("\nrule: " + r.String())
	}
	if c.pipe.IsFrozen() {
		b.WriteString("\nfrozen")
	}
	if c.cut {
		b.WriteString("\ncut: all of it")
	}
	for _, i := range c.cutEnds() {
		fmt.Fprintf(&b, "\ncut: %v", c.ends[i].address)
	}
	for _, e := range c.ends {
		if e.mtu > 0 {
			fmt.Fprintf(&b, "\nmtu %d: %v", e.mtu, e.address)
		}
	}
	for _, p := range c.ports {
		fmt.Fprintf(&b, "\n%s: %s, for %v, %d sent, %d received", addresses(p.addresses), p.who,
			(now - p.since).Round(time.Second), p.sent, p.got)
		if p.lost > 0 {
			fmt.Fprintf(&b, ", %d lost", p.lost)
		}
	}
	c.listAbsent(&b, now)
	return b.String()
}

func addresses(all []netip.Prefix) string {
	var words []string
	for _, a := range all {
		words = append(words, a.String())
	}
	return strings.Join(words, " ")
}

// cutEnds returns the ends whose own cable is cut, in the order of addresses.
func (c *cable) cutEnds() (all []int) {
	for i, e := range c.ends {
		if i != nowhere && e.cut {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(i, j int) int { return c.ends[i].address.Compare(c.ends[j].address) })
	return all
}

// isCut reports whether this very cable is cut, or for Everybody the wire.
func (c *cable) isCut(end int) bool {
	if end == link.Everybody {
		return c.cut
	}
	return c.ends[end].cut
}
