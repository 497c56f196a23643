package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/wire"
)

// link reads "ether mtu 1500 delay 0.3ms".
func (p *parser) link(no int, rest string) error {
	words := strings.Fields(rest)
	if len(words) == 0 {
		return errors.New("a link has a name")
	}
	l := linkLine{no: no, name: words[0]}
	if p.lab.link(l.name) != nil {
		return fmt.Errorf("there is a link %q already", l.name)
	}
	if err := linkOptions(&l.LinkOptions, words[1:]); err != nil {
		return err
	}
	p.lab.links = append(p.lab.links, l)
	return nil
}

func linkOptions(o *link.LinkOptions, words []string) error {
	for len(words) > 0 {
		name := words[0]
		if name == "point-to-point" {
			o.PointToPoint = true
			words = words[1:]
			continue
		}
		if len(words) < 2 && slices.Contains(linkProperties(), name) {
			return fmt.Errorf("%s has no value: write it like %q", name, "link ether mtu 1500 delay 10ms loss 0.01")
		}
		if len(words) < 2 {
			words = append(words, "")
		}
		if err := linkOption(o, name, words[1]); err != nil {
			return err
		}
		words = words[2:]
	}
	return nil
}

func linkProperties() []string {
	return []string{"mtu", "delay", "jitter", "rate", "queue", "loss", "duplication", "reordering", "corruption"}
}

func linkOption(o *link.LinkOptions, name, value string) (err error) {
	c := &o.Conditions
	chance := func(to *float64) {
		*to, err = strconv.ParseFloat(value, 64)
		if err != nil || !(*to >= 0 && *to <= 1) {
			err = fmt.Errorf("%s is a probability, from 0 to 1, and not %q", name, value)
		}
	}
	switch name {
	case "mtu":
		o.MTU, err = strconv.Atoi(value)
		if err != nil || o.MTU < 68 || o.MTU > 65535 {
			err = fmt.Errorf("an MTU is from 68 to 65535 bytes, and not %q", value)
		}
	case "delay":
		c.Delay, err = parseTime(value)
	case "jitter":
		c.Jitter, err = parseTime(value)
	case "rate":
		if c.Rate, err = strconv.ParseInt(value, 10, 64); err != nil {
			err = fmt.Errorf("a rate is a number of bits per second, such as 9600, and not %q", value)
		}
	case "queue":
		if c.Queue, err = strconv.Atoi(value); err != nil {
			err = fmt.Errorf("a queue is a number of packets, and not %q", value)
		}
	case "loss":
		chance(&c.Loss)
	case "duplication":
		chance(&c.Duplication)
	case "reordering":
		chance(&c.Reordering)
	case "corruption":
		chance(&c.Corruption)
	default:
		return fmt.Errorf("a link has %s and point-to-point, but no %q", strings.Join(linkProperties(), ", "), name)
	}
	return err
}

// host reads "sun sunos 140.252.13.33/27 on ether, 140.252.1.29/24 on slip
// via netb".
func (p *parser) host(no int, rest string) error {
	words := strings.Fields(strings.ReplaceAll(rest, ",", " "))
	if len(words) < 2 {
		return errors.New("a host has a name, a system, and addresses on links")
	}
	h := hostLine{no: no, name: words[0], system: words[1]}
	if p.lab.host(h.name) != nil {
		return fmt.Errorf("there is a host %q already", h.name)
	}
	if strings.ContainsAny(h.name, ".:") || isMoment(h.name) {
		return errors.New("the name of a host begins with a letter and has no . or : in it")
	}
	if !slices.Contains(profile.Names(), h.system) {
		return fmt.Errorf("there is no system %q: there are %s", h.system, strings.Join(profile.Names(), ", "))
	}
	if err := h.properties(words[2:]); err != nil {
		return err
	}
	if len(h.interfaces) == 0 {
		return fmt.Errorf("host %s has no address: write one like %q", h.name, "140.252.13.34/27 on ether")
	}
	for _, i := range h.interfaces {
		if other := p.lab.owner(i.prefix.Addr()); other != "" {
			return fmt.Errorf("%s is the address of host %s already", i.prefix.Addr(), other)
		}
	}
	p.lab.hosts = append(p.lab.hosts, h)
	return nil
}

func (h *hostLine) properties(words []string) (err error) {
	for len(words) > 0 {
		word := words[0]
		value := ""
		if len(words) > 1 {
			value = words[1]
		}
		n := 2
		switch {
		case word == "router":
			h.router, n = true, 1
		case word == "via" && value != "":
			h.via = append(h.via, viaLine{gateway: value})
		case word == "to" && len(words) > 3 && words[2] == "via":
			v := viaLine{gateway: words[3]}
			v.to, err = parsePrefix(value)
			h.via = append(h.via, v)
			n = 4
		case word == "also" && value != "":
			h.also = append(h.also, value)
		case word == "as" && value != "" && len(h.interfaces) > 0:
			h.interfaces[len(h.interfaces)-1].name = value
		case word == "mac" && value != "" && len(h.interfaces) > 0:
			h.interfaces[len(h.interfaces)-1].mac, err = parseMAC(value)
		case word == "up" && value != "":
			h.up, err = parseTime(value)
		case word == "busy" && value != "":
			h.busy, err = parseTime(value)
		case value == "on" && len(words) > 2:
			var i interfaceLine
			i.prefix, err = parsePrefix(word)
			i.link = words[2]
			h.interfaces = append(h.interfaces, i)
			n = 3
		default:
			return fmt.Errorf("%q is nothing that a host has: it has ADDRESS/LENGTH on LINK, as NAME, mac ADDRESS, via ROUTER, to ADDRESS/LENGTH via ROUTER, router, up TIME, busy TIME, also NAME", word)
		}
		if err != nil {
			return err
		}
		words = words[n:]
	}
	return nil
}

// owner returns the host that has an address, or "".
func (l *Lab) owner(a netip.Addr) string {
	for _, h := range l.hosts {
		if slices.ContainsFunc(h.interfaces, func(i interfaceLine) bool { return i.prefix.Addr() == a }) {
			return h.name
		}
	}
	return ""
}

func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		err = fmt.Errorf("%q is no address with the length of its network: write it like %q", s, "140.252.13.34/27")
	}
	return p, err
}

// parseMAC reads "0:0:c0:6f:2d:40".
func parseMAC(s string) (m wire.MAC, err error) {
	if _, err := fmt.Sscanf(s, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]); err != nil {
		return m, fmt.Errorf("%q is no Ethernet address: write it like %q", s, "0:0:c0:6f:2d:40")
	}
	return m, nil
}

// set reads "svr4 isn=1415531521 msl=2s". Every host may be set as "*".
func (p *parser) set(no int, rest string) error {
	words := strings.Fields(rest)
	if len(words) < 2 {
		return fmt.Errorf("write it like %q", "set svr4 isn=1415531521")
	}
	for _, w := range words[1:] {
		scratch, err := profile.Get("")
		if err == nil {
			err = profile.Set(scratch, w)
		}
		if err != nil {
			return err
		}
		p.add(no, setting{words[0], w})
	}
	return nil
}

// arp reads "known" and "empty".
func (p *parser) arp(rest string) error {
	switch rest {
	case "empty":
		p.lab.emptyARP = true
	case "known":
		p.lab.emptyARP = false
	default:
		return fmt.Errorf("in the beginning the ARP caches are %q or %q", "known", "empty")
	}
	return nil
}

// setting is one value of the profile of a host, or of all as "*".
type setting struct{ host, value string }

func (s setting) validate(l *Lab) error {
	if s.host == anything {
		return nil
	}
	return l.mustHost(s.host)
}

// serving is "bsdi serves discard".
type serving struct{ host, service string }

func (s serving) validate(l *Lab) error { return l.mustHost(s.host) }

// isMoment reports whether a word can only be a time.
func isMoment(word string) bool {
	return word != "" && (word[0] >= '0' && word[0] <= '9' || strings.HasPrefix(word, ".."))
}
