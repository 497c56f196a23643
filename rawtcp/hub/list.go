package hub

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/link"
)

// list returns who is there, and what the wire is like. A line of it is also what
// the command answers that has made it so.
func (c *cable) list(now time.Duration) string {
	s := c.pipe.Stats()
	lines := []string{
		fmt.Sprintf("time: %.1f s since the hub began", now.Seconds()),
		c.wireLine(),
		fmt.Sprintf("packets: %d in, %d out, %d under way, %d duplicated, %d corrupted",
			s.In, s.Delivered, s.Pending, s.Duplicated, s.Corrupted),
		c.lossLine(),
	}
	all := c.pipe.Rules()
	for i := range all {
		lines = append(lines, "rule "+c.ruleLine(now, all, i))
	}
	if c.pipe.IsFrozen() {
		lines = append(lines, "frozen")
	}
	if c.cut {
		lines = append(lines, "cut: "+c.cableName(link.Everybody))
	}
	for _, end := range c.cutEnds() {
		lines = append(lines, "cut: "+c.cableName(end))
	}
	for i, e := range c.ends {
		if e.mtu > 0 {
			lines = append(lines, c.mtuLine(i))
		}
	}
	for _, p := range c.ports {
		line := fmt.Sprintf("%s: %s, for %v, %d sent, %d received", addresses(p.addresses), p.who,
			(now - p.since).Round(time.Second), p.sent, p.got)
		if p.lost > 0 {
			line += fmt.Sprintf(", %d lost", p.lost)
		}
		lines = append(lines, line)
	}
	return strings.Join(append(lines, c.listAbsent(now)...), "\n")
}

// wireLine is what befalls packets by chance, or for their length.
func (c *cable) wireLine() string { return fmt.Sprintf("wire: MTU %d, %s", c.mtu, c.state) }

// lossLine is how many packets have been dropped, and why.
func (c *cable) lossLine() string {
	if len(c.losses) == 0 {
		return "dropped: none"
	}
	var words []string
	for _, why := range slices.Sorted(maps.Keys(c.losses)) {
		words = append(words, fmt.Sprintf("%d (%s)", c.losses[why], why))
	}
	return "dropped: " + strings.Join(words, ", ")
}

// cableName is whose cable it is, or for Everybody the wire.
func (c *cable) cableName(end int) string {
	if end == link.Everybody {
		return "the wire"
	}
	a := c.ends[end].address
	return a.String() + c.unowned(a)
}

// mtuLine is how long a packet to an end may be.
func (c *cable) mtuLine(end int) string {
	return fmt.Sprintf("mtu %d: %s", cmp.Or(c.ends[end].mtu, c.mtu), c.cableName(end))
}

// unowned says which of these addresses nobody has, if there are any: a command
// may be meant for who comes later, or be a slip.
func (c *cable) unowned(all ...netip.Addr) string {
	var words []string
	for _, a := range all {
		if p := c.owners[a]; (p == nil || p.caretaker != nil) && !a.IsMulticast() && !c.isBroadcast(a) {
			words = append(words, a.String())
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " (nobody has " + strings.Join(words, " or ") + " now)"
}

// listRules returns the rules, with their numbers.
func (c *cable) listRules(now time.Duration) string {
	all := c.pipe.Rules()
	if len(all) == 0 {
		return "there are no rules"
	}
	var lines []string
	for i := range all {
		lines = append(lines, c.ruleLine(now, all, i))
	}
	return strings.Join(lines, "\n")
}

// ruleLine is one of the rules, and what has become of it so far.
func (c *cable) ruleLine(now time.Duration, all []link.Working, i int) string {
	r := all[i]
	text := fmt.Sprintf("%d: %v", i+1, r)
	if at, ok := r.At(); ok && at > now {
		text += fmt.Sprintf(" (in %.1f s)", (at - now).Seconds())
	}
	if r.Seen > 0 {
		text += fmt.Sprintf(" (of that kind have come: %d, %s: %d)", r.Seen, r.Done(), r.Struck)
	}
	return text
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
