package opts

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is where the argument of one flag goes.
type value interface {
	Set(arg string) error // errTakes, if it is not what takes tells
	takes() string        // completes the sentence "-n takes ..."
}

var errTakes = errors.New("not what the flag takes")

// A toggle is a flag without an argument.
type toggle struct{ on *bool }

func (v toggle) takes() string { return "no argument" }

func (v toggle) Set(s string) error {
	if s != present {
		return errTakes
	}
	*v.on = true
	return nil
}

// present is what a toggle or a counter is set to when it is just there.
const present = "given"

// A counter counts how often a flag is given.
type counter struct{ n *int }

func (v counter) takes() string { return "no argument" }

func (v counter) Set(s string) error {
	if s != present {
		return errTakes
	}
	*v.n++
	return nil
}

// A number is a whole number from min to max.
type number struct {
	n        *int
	min, max int
}

func (v number) takes() string {
	text := fmt.Sprintf("a whole number from %d to %d", v.min, v.max)
	if v.max == math.MaxInt {
		text = fmt.Sprintf("a whole number, at least %d", v.min)
	}
	return text
}

func (v number) Set(s string) error { return v.set(s, 10) }

func (v number) set(s string, base int) error {
	n, err := strconv.ParseUint(s, base, 63)
	if err != nil || n < uint64(v.min) || n > uint64(v.max) {
		return errTakes
	}
	*v.n = int(n)
	return nil
}

// An octet is a number from 0 to 255, which may be hexadecimal: 0x10.
type octet struct{ n *int }

func (v octet) takes() string { return "a number from 0 to 255 (decimal, or hexadecimal after 0x)" }

func (v octet) Set(s string) error {
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		s, base = hex, 16
	}
	return number{v.n, 0, 255}.set(s, base)
}

// A port is a port number other than 0.
type port struct{ n *uint16 }

func (v port) takes() string { return "a port number from 1 to 65535" }

func (v port) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return errTakes
	}
	*v.n = uint16(n)
	return nil
}

// A span is a time. It keeps the text, because --ms, which changes the unit
// of a bare number, may come later on the line.
type span struct {
	d     *time.Duration
	pause bool // which may also be UntilLine
	text  string
}

// UntilLine is the time of a pause that lasts until a line is typed.
const UntilLine time.Duration = -1

func (v *span) takes() string {
	if v.pause {
		return "a time such as 5, 1.5s, 500ms or 2m, or line"
	}
	return "a time such as 5, 1.5s, 500ms or 2m"
}

func (v *span) Set(s string) error {
	if v.pause && s == "line" {
		*v.d = UntilLine
		return nil
	}
	if _, err := parseSpan(s, "s"); err != nil {
		return err
	}
	v.text = s
	return nil
}

// in converts the text, a bare number being in the unit.
func (v *span) in(unit string) (err error) {
	if v.text != "" {
		*v.d, err = parseSpan(v.text, unit)
	}
	return err
}

// parseSpan parses a time of at least a microsecond, the least that a socket
// option can hold, or 0.
func parseSpan(s, unit string) (time.Duration, error) {
	if strings.Trim(s, "0123456789.") == "" {
		s += unit
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > 0 && d < time.Microsecond || strings.HasPrefix(s, "+") {
		return 0, errTakes
	}
	return d, nil
}

// An endpoint is an address and a port, in the notation of the book: the port
// stands after the last dot.
type endpoint struct {
	a   *netip.AddrPort
	min uint16 // 0 where the system may pick the port
}

func (v endpoint) takes() string {
	if v.min == 0 {
		return "an address, a dot and a port (0 for any), such as 140.252.13.35.1098 or ::1.0"
	}
	return "an address, a dot and a port, such as 140.252.13.35.4444 or ::1.5951"
}

func (v endpoint) Set(s string) error {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 {
		return errTakes
	}
	addr, err := netip.ParseAddr(s[:dot])
	n, perr := strconv.ParseUint(s[dot+1:], 10, 16)
	if err != nil || perr != nil || n < uint64(v.min) {
		return errTakes
	}
	*v.a = netip.AddrPortFrom(addr, uint16(n))
	return nil
}

// A group is a multicast address; the flag may be given again.
type group struct{ list *[]netip.Addr }

func (v group) takes() string { return "a multicast address such as 224.0.1.1 or ff02::1234" }

func (v group) Set(s string) error {
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.IsMulticast() {
		return errTakes
	}
	*v.list = append(*v.list, addr)
	return nil
}

// A hop is a host of a source route; the flag may be given again.
type hop struct{ list *[]string }

func (v hop) takes() string { return "a host name or an IPv4 address" }

func (v hop) Set(s string) error {
	if s == "" {
		return errTakes
	}
	*v.list = append(*v.list, s)
	return nil
}

// A word is any text but none, or one of the choices.
type word struct {
	s       *string
	what    string
	choices []string
}

func (v word) takes() string { return v.what }

func (v word) Set(s string) error {
	if s == "" || v.choices != nil && !slices.Contains(v.choices, s) {
		return errTakes
	}
	*v.s = s
	return nil
}

// wire is where a hub is to be found.
type wire struct{ s *string }

func (v wire) takes() string {
	return "the name of a socket's file, or udp:ADDRESS:PORT, such as udp:127.0.0.1:7000"
}

func (v wire) Set(s string) error {
	if address, ok := strings.CutPrefix(s, "udp:"); ok {
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" || port == "0" {
			return errTakes
		}
	}
	return word{s: v.s}.Set(s)
}

// addresses are those of a host, with the length of their network's prefix, or -1
// if that is not given.
type addresses struct{ all *[]netip.Prefix }

func (v addresses) takes() string {
	return "addresses such as 10.0.0.9, 10.0.0.9/24 or fd00::9/64, with a comma between, or auto"
}

func (v addresses) Set(s string) error {
	*v.all = nil
	if s == "auto" {
		return nil
	}
	for word := range strings.SplitSeq(s, ",") {
		address, _, sized := strings.Cut(word, "/")
		a, err := neighbor(address)
		p := netip.PrefixFrom(a, -1)
		if err == nil && sized {
			p, err = netip.ParsePrefix(word)
		}
		if err != nil {
			return errTakes
		}
		*v.all = append(*v.all, p)
	}
	return nil
}

// gateways are addresses of routers, of each version of IP one at most.
type gateways struct{ all *[]netip.Addr }

func (v gateways) takes() string {
	return "an address such as 10.0.0.1 or fe80::1, of each version of IP one, with a comma between"
}

func (v gateways) Set(s string) error {
	*v.all = nil
	for word := range strings.SplitSeq(s, ",") {
		a, err := neighbor(word)
		if err != nil || slices.ContainsFunc(*v.all, func(o netip.Addr) bool { return o.Is4() == a.Is4() }) {
			return errTakes
		}
		*v.all = append(*v.all, a)
	}
	return nil
}

// neighbor reads an address that a host on a link can have.
func neighbor(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4In6() || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() {
		return a, errTakes
	}
	return a, nil
}

// A list is any texts but none; the flag may be given again.
type list struct {
	all  *[]string
	what string
}

func (v list) takes() string { return v.what }

func (v list) Set(s string) error {
	if s == "" {
		return errTakes
	}
	*v.all = append(*v.all, s)
	return nil
}

// A condition is what a wire does to packets. Which values there are is for the
// hub to know.
type condition struct {
	all        *[]Condition
	name, what string
}

func (v condition) takes() string { return v.what }

func (v condition) Set(s string) error {
	if s == "" {
		return errTakes
	}
	*v.all = append(*v.all, Condition{v.name, s})
	return nil
}
