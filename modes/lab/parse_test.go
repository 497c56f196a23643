package lab

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const twoHosts = "link ether\nhost a bsd 10.0.0.1/8 on ether\nhost b bsd 10.0.0.2/8 on ether\n"

// TestMistakes: a script that cannot be read is refused with the line, and a
// sentence about what is wrong.
func TestMistakes(t *testing.T) {
	for _, test := range []struct{ script, want string }{
		{"", "x.lab:1: there is no host"},
		{"a % sock", "x.lab:1: there is no host"},
		{"host a bsd 10.0.0.1/8 on ether", `x.lab:1: there is no link "ether"`},
		{"host a", "x.lab:1: a host has a name, a system"},
		{"host a vms 10.0.0.1/8 on ether", `x.lab:1: there is no system "vms": there are rfc9293,`},
		{"host a bsd", "x.lab:1: host a has no address"},
		{"host a bsd 10.0.0.1/8", `x.lab:1: "10.0.0.1/8" is nothing that a host has`},
		{"host a bsd 10.0.0.1 on ether", "x.lab:1: \"10.0.0.1\" is no address with the length"},
		{"host a.b bsd 10.0.0.1/8 on ether", "x.lab:1: the name of a host"},
		{"link", "x.lab:1: a link has a name"},
		{"link ether mtu", "x.lab:1: mtu has no value"},
		{"link ether mtu 20", "x.lab:1: an MTU is from"},
		{"link ether mtu x", `x.lab:1: an MTU is from 68 to 65535 bytes, and not "x"`},
		{"link ether rate fast", "x.lab:1: a rate is a number of bits"},
		{"link ether queue x", "x.lab:1: a queue is a number of packets"},
		{"link ether loss often", "x.lab:1: loss is a probability"},
		{"link ether loss 2", "x.lab:1: loss is a probability"},
		{"link ether speed 2", "x.lab:1: a link has mtu, delay"},
		{"link ether delay 5 furlongs", `x.lab:1: a link has mtu, delay, jitter, rate, queue, loss, duplication, reordering, corruption and point-to-point, but no "furlongs"`},
		{"link ether delay 5furlongs", `x.lab:1: "5furlongs" is no time`},
		{twoHosts + "link ether", `x.lab:4: there is a link "ether" already`},
		{twoHosts + "host a bsd 10.0.0.1/8 on ether", `x.lab:4: there is a host "a" already`},
		{twoHosts + "host c bsd 10.0.0.1/8 on ether", "x.lab:4: 10.0.0.1 is the address of host a already"},
		{twoHosts + "  a % sock b 7", `x.lab:4: this line is indented, but "host" has no lines of its own`},
		{twoHosts + "for bsd:\n    a runs\n  b runs", "x.lab:6: this line is indented"},
		{twoHosts + "frobnicate a", `x.lab:4: what is "frobnicate a"?`},
		{twoHosts + "c % sock b 7", `x.lab:4: there is no host "c"`},
		{twoHosts + "a %", "x.lab:4: there is no command"},
		{twoHosts + "a % sock 'b 7", "x.lab:4: a quote is not closed"},
		{twoHosts + "a % sock b 7 < data", `x.lab:4: there is no file "data"`},
		{twoHosts + "file data", "x.lab:4: a file has a name"},
		{twoHosts + "c < hello", `x.lab:4: there is no host "c"`},
		{twoHosts + "5 a < hello", "x.lab:4: a time can stand before what is printed"},
		{twoHosts + "5..4 a > hello", "x.lab:4: 5..4 ends before it begins"},
		{twoHosts + "a exits badly", `x.lab:4: "badly" is no exit status`},
		{twoHosts + "set a", "x.lab:4: write it like"},
		{twoHosts + "set a mls=2", `x.lab:4: there is no setting "mls": is it "msl"`},
		{twoHosts + "set c msl=2", `x.lab:4: there is no host "c"`},
		{twoHosts + "arp", "x.lab:4: in the beginning"},
		{twoHosts + "seed x", "x.lab:4: a seed is a number"},
		{twoHosts + "clock noon", `x.lab:4: "noon" is no date with a time: write it like`},
		{twoHosts + "until never", `x.lab:4: "never" is no time`},
		{twoHosts + "about: a thing", `x.lab:4: the text stands under "about:"`},
		{twoHosts + "at noon", `x.lab:4: "noon" is no time`},
		{twoHosts + "at 5\nat 4", "x.lab:5: it is 5s already"},
		{twoHosts + "at 5 frobnicate", `x.lab:4: what is "frobnicate"?`},
		{twoHosts + "drop it", `x.lab:4: "drop it": "the" with a number`},
		{twoHosts + "drop the 2nd SYN from c", `x.lab:4: there is no host "c"`},
		{twoHosts + "hold the 2nd SYN to c for 2s", `x.lab:4: there is no host "c"`},
		{twoHosts + "drop the 2nd SYN on slip", `x.lab:4: there is no link "slip"`},
		{twoHosts + "cut c", `x.lab:4: there is no host "c"`},
		{twoHosts + "mend on slip", `x.lab:4: there is no link "slip"`},
		{twoHosts + "link slip\ndrop the 2nd SYN", "x.lab:5: which link? There are ether and slip"},
		{twoHosts + "link slip\ncut", "x.lab:5: which link?"},
		{twoHosts + "cut a at noon", `x.lab:4: "cut a at noon": "noon" is no time`},
		{twoHosts + "crash c", `x.lab:4: there is no host "c"`},
		{twoHosts + "change ether", "x.lab:4: write it like"},
		{twoHosts + "change ether mtu 1000", "x.lab:4: that cannot change"},
		{twoHosts + "change slip delay 1", `x.lab:4: there is no link "slip"`},
		{twoHosts + "for vms:\n  a % sock b 7", `x.lab:4: there is no system "vms"`},
		{twoHosts + "for:\n  a % sock b 7", `x.lab:4: "for" which system?`},
		{twoHosts + "for bsd:\n  for linux:\n    a runs", `x.lab:5: a "for" stands within another`},
		{twoHosts + "for bsd:\n  at 3\nfor linux:\n  at 5\nat 4", "x.lab:8: it is 5s already"},
		{"link ether\nhost a bsd 10.0.0.1/24 on ether mac 1:2:3", `x.lab:2: "1:2:3" is no Ethernet address`},
		{twoHosts + "tcpdump -x", "x.lab:4: tcpdump does not know"},
		{twoHosts + "tcpdump to a", "x.lab:4: tcpdump takes"},
		{twoHosts + "tcpdump on slip", `x.lab:4: there is no link "slip"`},
		{twoHosts + "tcpdump at c", `x.lab:4: there is no host "c"`},
		{twoHosts + "tcpdump port x", `x.lab:4: "x" is no port`},
		{twoHosts + "tcpdump\n  hello, world", "x.lab:5: this is no line of tcpdump"},
		{twoHosts + "tcpdump\n  1 a.1 > b.2 S 1:1(0)", "x.lab:5: a colon is missing"},
		{twoHosts + "tcpdump\n  1 5.x a.1 > b.2: S *", `x.lab:5: "5.x" is no time`},
		{twoHosts + "link slip\ntcpdump\n  1 5 a.1 > b.2: S *", "x.lab:5: there are more links than one"},
		{twoHosts + "states a", "x.lab:4: write it like"},
		{twoHosts + "states a:", "x.lab:4: no state is named"},
		{twoHosts + "states a: ESTABLISHT", `x.lab:4: there is no state "ESTABLISHT"`},
		{twoHosts + "states a: TIME_WAIT(x)", `x.lab:4: "x" is no time`},
		{twoHosts + "states c: CLOSED", `x.lab:4: there is no host "c"`},
		{twoHosts + "count a.1 > b.2: S *", "x.lab:4: write it like"},
		{twoHosts + "never a sleeps well", `x.lab:4: "a sleeps well" is neither`},
		{twoHosts + "never c prints *", `x.lab:4: there is no host "c"`},
		{twoHosts + "never a fires rexmit", `x.lab:4: there is no timer "rexmit": there are rexmt, persist,`},
		{twoHosts + "never a drops *cheksum*", `x.lab:4: no packet is dropped for the reason "*cheksum*": a trace has the reasons, such as "bad checksum"`},
		{twoHosts + "count 1 a drops reason-*", `x.lab:4: no packet is dropped for the reason "reason-*"`},
		{twoHosts + "count 1 a drops unknown reason", `x.lab:4: no packet is dropped for the reason "unknown reason"`},
		{twoHosts + "never a in BED", `x.lab:4: there is no state "BED"`},
		{twoHosts + "inject a.1 > b.2", "x.lab:4: "},
		{twoHosts + "inject a.1 > c.2: S 1:1(0)", `x.lab:4: there is no host "c"`},
		{twoHosts + "inject a > b.2: S 1:1(0)", `x.lab:4: "a" is not like`},
		{twoHosts + "inject a.1 > b.2: P 1:6(4) ack 1", "x.lab:4: 1:6(4) and 4 bytes"},
		{twoHosts + `inject a.1 > b.2: P 1:6(5) ack 1 "abc"`, "x.lab:4: 1:6(5) and 3 bytes"},
		{twoHosts + "inject a.1 > b.2: S 1:1(0) win 70000", `x.lab:4: "70000" is no number`},
		{twoHosts + "inject a.1 > b.2: S 1:1(0) <wscale 1>", "x.lab:4: of options mss, timestamp and cc"},
		{twoHosts + "inject a.1 > b.2: S 1:1(0) <mss>", `x.lab:4: "mss" has no value`},
		{twoHosts + "inject a.1 > 10.0.0.9.2: S 1:1(0)", "x.lab:4: no host has the address"},
		{twoHosts + "inject on slip a.1 > b.2: S 1:1(0)", `x.lab:4: there is no link "slip"`},
	} {
		l, err := Parse("x", test.script)
		if err == nil {
			t.Errorf("%q is read as %+v, want %s", test.script, l.statements, test.want)
			continue
		}
		if !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %s, want %s", test.script, err, test.want)
		}
	}
}

// TestWindows: a statement stands between the times before and behind it, and
// a part for other systems does not count.
func TestWindows(t *testing.T) {
	l, err := Parse("x", twoHosts+`
a > 0
at 5 a > 1
for linux:
    after 2s
    a > 2
after 500ms
a > 3
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ system, want string }{
		{Book, "0:0s-5s 1:5s-5.5s 3:5.5s-end "},
		{"linux", "0:0s-5s 1:5s-7s 2:7s-7.5s 3:7.5s-end "},
	} {
		steps, err := l.steps(test.system)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, s := range steps {
			to := s.to.String()
			if s.to == forever {
				to = "end"
			}
			got += fmt.Sprintf("%s:%v-%s ", s.do.(printed).text, s.from, to)
		}
		if got != test.want {
			t.Errorf("as %s: %s, want %s", test.system, got, test.want)
		}
	}
}

func TestHeader(t *testing.T) {
	l, err := Parse("x", `
# a comment
title A title
section 18.2
figures 18-1, 18-2
seed 7
until 2min
clock 1993-07-07 16:24:11
about:
    One paragraph,
    of two lines.

    # not this one
    Another.
`+twoHosts)
	if err != nil {
		t.Fatal(err)
	}
	if l.Title != "A title" || l.Section != "18.2" || l.Figure != "18-1, 18-2" || l.Seed != 7 ||
		l.Until != 2*time.Minute || l.Clock.Minute() != 24 ||
		!slices.Equal(l.About, []string{"One paragraph, of two lines.", "Another."}) {
		t.Errorf("read as %+v", l)
	}
}

// TestKeys: what is typed, and what a key does instead.
func TestKeys(t *testing.T) {
	for _, test := range []struct{ text, typed, key string }{
		{"hello", "hello\n", ""},
		{"", "\n", ""},
		{"no new line\\c", "no new line", ""},
		{"^D", "", "^D"},
		{"ls^D", "ls", "^D"},
		{"^C", "", "^C"},
		{`^\`, "", `^\`},
		{"^]", "\x1d", ""},
		{"^A", "\x01", ""},
		{"a^b", "a^b\n", ""},
	} {
		if typed, key := (typing{text: test.text}).keys(); typed != test.typed || key != test.key {
			t.Errorf("%q: typed %q, key %q", test.text, typed, key)
		}
	}
}

func TestShellWords(t *testing.T) {
	got, err := shellWords(`sock  -v "a b" 'c "d"' e'f'g ""`)
	if want := []string{"sock", "-v", "a b", `c "d"`, "efg", ""}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestCableTimes: a cable is cut when the script says so, or at a time that is
// named.
func TestCableTimes(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"cut svr4", "cut svr4 at 1500000 us"},
		{"cut", "cut at 1500000 us"},
		{"mend svr4 on ether", "mend svr4 at 1500000 us on ether"},
		{"cut at 5 s on ether", "cut at 5 s on ether"},
		{"drop the 2nd ACK from svr4", "drop the 2nd ACK from svr4"},
	} {
		if got := (fault{test.text}).at(1500*time.Millisecond, true); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
	}
}

// TestCables: the cable of a host is that of its link, and a router has two.
func TestCables(t *testing.T) {
	l, err := Parse("x", twoHosts+"link slip\nhost r bsd 10.0.0.3/8 on ether, 11.0.0.3/8 on slip, 11.0.0.4/8 on slip")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		want []string
	}{
		{"cut a", []string{"ether"}},
		{"mend r", []string{"ether", "slip"}},
		{"cut r on slip", nil},
		{"cut on ether", nil},
		{"drop the 1st SYN from r on slip", nil},
	} {
		if got := (fault{test.text}).cables(l); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.text, got, test.want)
		}
	}
}

// TestAlign: lists are laid side by side as a reader would.
func TestAlign(t *testing.T) {
	for _, test := range []struct{ want, got, result string }{
		{"a b c", "a b c", "aa bb cc"},
		{"a b c", "a c", "aa b- cc"},
		{"a c", "a b c", "aa -b cc"},
		{"a x c", "a b c", "aa xb cc"},
		{"a . c", "a b d c", "aa .b .d .- cc"},
		{"a .", "a", "aa .-"},
		{".", "a b", ".a .b .-"},
		{"", "a", "-a"},
		{"a", "", "a-"},
		{"", "", ""},
	} {
		want, got := strings.Fields(test.want), strings.Fields(test.got)
		isGap := func(i int) bool { return want[i] == "." }
		pairs := align(len(want), len(got), isGap, func(i, j int) []string {
			if want[i] != got[j] {
				return []string{"letter"}
			}
			return nil
		})
		var result []string
		for _, p := range pairs {
			w, g := "-", "-"
			if p.want >= 0 {
				w = want[p.want]
			}
			if p.got >= 0 {
				g = got[p.got]
			}
			result = append(result, w+g)
		}
		if s := strings.Join(result, " "); s != test.result {
			t.Errorf("%q and %q: %s, want %s", test.want, test.got, s, test.result)
		}
		ok := !strings.ContainsAny(strings.NewReplacer(".-", "", "..", "").Replace(test.result), "-") && !strings.Contains(test.result, "xb")
		if alike(pairs, isGap) != ok {
			t.Errorf("%q and %q are alike: %t", test.want, test.got, !ok)
		}
	}
}

// FuzzParse: no script makes the parser panic, and a mistake is always one of
// a line that is there.
func FuzzParse(f *testing.F) {
	all, err := Catalogue()
	if err != nil {
		f.Fatal(err)
	}
	for _, l := range all {
		f.Add(l.Source)
	}
	f.Add(twoHosts + "inject a.1 > b.2: SFPR 1:6(5) ack 1 win 5 urg 6 <mss 5> \"hello\"\n")
	f.Fuzz(func(t *testing.T, script string) {
		_, err := Parse("x", script)
		m, ok := err.(*Mistake)
		if err != nil && (!ok || m.Line < 1 || m.Line > strings.Count(script, "\n")+1 || m.File != "x.lab") {
			t.Errorf("%v is of type %v", err, reflect.TypeOf(err))
		}
	})
}
