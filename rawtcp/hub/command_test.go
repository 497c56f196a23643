package hub

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// What is wrong with a line is said in a sentence, and changes nothing.
func TestWrongCommands(t *testing.T) {
	b := newBench(t, Options{})
	b.plug("10.0.0.1")
	b.told = nil
	for line, want := range map[string]string{
		"mend":                     "the wire is not cut",
		"mend 10.0.0.1":            "10.0.0.1 is not cut",
		"mend 10.0.0.9":            "10.0.0.9 (nobody has 10.0.0.9 now) is not cut",
		"thaw":                     "it is not frozen",
		"freeze 10.0.0.1":          `freeze stands alone: leave out "10.0.0.1"`,
		"quit now":                 `quit stands alone: leave out "now"`,
		"cut bsdi":                 `"bsdi" is no address; without an address it is the whole wire`,
		"cut fe80::1%eth0":         `"fe80::1%eth0" is no address; without an address it is the whole wire`,
		"cut 0.0.0.0":              "0.0.0.0 cannot be the address of a host; without an address it is the whole wire",
		"cut 10.0.0.255":           "10.0.0.255 is the address of all hosts, not of one; without an address it is the whole wire",
		"cut 10.0.0.1 10.0.0.2":    "one address at a time, or none for the whole wire; and some other time is: cut 10.0.0.1 at 5 s",
		"cut 10.0.0.1 at":          `"cut 10.0.0.1 at": a time is missing; write it like "cut 10.0.0.1 at 5 s"`,
		"cut 10.0.0.1 at 4 s":      `"cut 10.0.0.1 at 4 s": the hub began 5.0 s ago, and that is over; list tells its time`,
		"hold every SYN until 1 s": `"hold every SYN until 1 s": the hub began 5.0 s ago, and that is over; list tells its time`,
		"cut bsdi at 9 s":          `"cut bsdi at 9 s": "bsdi" is no address, and a wire knows no names`,
		"drop every SYN from bsdi": `"drop every SYN from bsdi": "bsdi" is no address, and a wire knows no names`,
		"delay":                    `delay "": a time is needed, up to 24h0m0s: 40ms, 1.5s`,
		"delay 1s jitter":          `jitter "": a time is needed, up to 24h0m0s: 40ms, 1.5s`,
		"delay -1s":                `delay "-1s": a time is needed, up to 24h0m0s: 40ms, 1.5s`,
		"delay NaN":                `delay "NaN": a time is needed, up to 24h0m0s: 40ms, 1.5s`,
		"jitter soon":              `jitter "soon": a time is needed, up to 24h0m0s: 40ms, 1.5s`,
		"delay 1s loss 2":          `loss "2": a probability is needed, from 0 to 1, or from 0% to 100%`,
		"loss NaN":                 `loss "NaN": a probability is needed, from 0 to 1, or from 0% to 100%`,
		"corrupt 1% loss":          `loss "": a probability is needed, from 0 to 1, or from 0% to 100%`,
		"rate fast":                `rate "fast": bits per second are needed: 9600, 64k, 10M, 1G`,
		"queue -1":                 `queue "-1": a number of packets is needed, up to 1000000`,
		"loss 0 speed 7":           `"speed" is no condition of a wire: each is a word and a value, delay 40ms loss 1%`,
		"delay 40 ms":              `"ms" is no condition of a wire: each is a word and a value, delay 40ms loss 1%`,
		"drop all":                 `"drop all": a kind of packet is missing; write it like "drop the 2nd pure ACK from 10.0.0.1"`,
		"corrupt the 1st elephant": `"corrupt the 1st elephant": "elephant" is not a kind of packet; write it like "corrupt the 2nd data segment byte 40"`,
		"fold":                     `there is no command "fold": help tells those there are`,
		"mtu":                      "an address and a number of bytes are needed: mtu 10.0.0.2 576",
		"mtu 10.0.0.1 67":          `"67" is no MTU here, which is from 68 to 1500`,
		"mtu 10.0.0.1 1501":        `"1501" is no MTU here, which is from 68 to 1500`,
		"mtu wire 576":             `"wire" is no address`,
		"forget":                   "forget which rule? Its number, its words, or all: rules tells them",
		"forget all":               "there are no rules",
		"forget 1":                 "there are no rules",
		"forget drop the 1st SYN":  "there are no rules",
	} {
		if _, err := b.command(5*time.Second, line); err == nil || err.Error() != want {
			t.Errorf("%s: %v, not %s", line, err, want)
		}
	}
	b.wantTold()
	if (b.state != link.Conditions{}) || len(b.pipe.Rules()) > 0 {
		t.Errorf("changed: %+v %q", b.state, b.listRules(0))
	}
}

func TestConditions(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("delay 1.5 jitter 0s")
	one.say("10.0.0.2", "a")
	b.do("  DELAY 500ms")
	b.do("# delay 2s")
	b.do("")
	two.say("10.0.0.1", "b")
	b.until(time.Minute)
	one.want("500ms 10.0.0.2 > 10.0.0.1 b")
	two.want("1.5s 10.0.0.1 > 10.0.0.2 a")
	b.do("loss 100%")
	one.say("10.0.0.2", "c")
	b.do("loss 0 dup 1 rate 8k queue 7")
	one.say("10.0.0.2", strings.Repeat("d", 80)) // 100 bytes: 0.1 s
	b.until(2 * time.Minute)
	d := "1m0.6s 10.0.0.1 > 10.0.0.2 " + strings.Repeat("d", 80)
	two.want(d, d)
	want := link.Conditions{Delay: 500 * time.Millisecond, Duplication: 1, Rate: 8000, Queue: 7}
	if b.state != want {
		t.Errorf("%+v, not %+v", b.state, want)
	}
	b.do("reorder 0.5 corrupt 1% rate 1.5M")
	if got := b.state.String(); got != "delay 500ms, dup 1, reorder 0.5, corrupt 0.01, rate 1500000, queue 7" {
		t.Error(got)
	}
}

// Nothing comes from a frozen wire. When it thaws, what is late comes at once, and
// the rest in its time, all in order.
func TestFreeze(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.told = nil
	one.say("10.0.0.2", "under way")
	b.do("freeze")
	if _, err := b.command(b.at, "freeze"); err == nil || err.Error() != "it is frozen already" {
		t.Error(err)
	}
	one.say("10.0.0.2", "and this")
	b.until(5 * time.Second)
	two.say("10.0.0.1", "back")
	b.until(9500 * time.Millisecond)
	one.say("10.0.0.2", "just now")
	b.until(10 * time.Second)
	one.want()
	two.want()
	if d, ok := b.nextDeadline(); ok {
		t.Errorf("a frozen wire has something to do at %v", d)
	}
	b.do("list")
	b.do("thaw")
	one.want("10s 10.0.0.2 > 10.0.0.1 back")
	two.want("10s 10.0.0.1 > 10.0.0.2 under way", "10s 10.0.0.1 > 10.0.0.2 and this")
	b.until(time.Minute)
	two.want("10.5s 10.0.0.1 > 10.0.0.2 just now")
	b.wantTold("wire frozen", "wire thawed")
}

// A cable is cut though the wire is frozen, and what was under way is lost.
func TestFreezeAndCut(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("freeze")
	b.do("cut at 1 s")
	one.say("10.0.0.2", "lost")
	if d, ok := b.nextDeadline(); !ok || d != time.Second {
		t.Errorf("something is to do at %v, %v", d, ok)
	}
	b.until(2 * time.Second)
	b.do("thaw")
	two.want()
	if got, want := b.drops(), []string{"cable cut"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q", got)
	}
}

// What is forgotten is done no more, nor some day.
func TestForget(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("drop every SYN")
	b.do("drop every ACK")
	b.do("cut 10.0.0.2 at 1 s")
	b.do("drop every RST")
	b.do("cut at 5 s")
	b.do("mend at 2 s")
	one.segment("10.0.0.2", wire.SYN, "")
	one.segment("10.0.0.2", wire.SYN, "")
	want := func(want string) {
		t.Helper()
		if got, err := b.command(b.at, "rules"); err != nil || got != want {
			t.Errorf("%s\nnot\n%s", got, want)
		}
	}
	want(`1: drop every SYN (of that kind have come: 2, dropped: 2)
2: drop every ACK
3: cut 10.0.0.2 at 1 s (in 1.0 s)
4: drop every RST
5: cut at 5 s (in 5.0 s)
6: mend at 2 s (in 2.0 s)`)
	for line, want := range map[string]string{
		"forget 7":                "there is no rule 7: rules tells those that are at work",
		"forget 0":                "there is no rule 0: rules tells those that are at work",
		"forget drop the 1st RST": "there is no rule drop the 1st RST: rules tells those that are at work",
	} {
		if _, err := b.command(b.at, line); err == nil || err.Error() != want {
			t.Errorf("%s: %v, not %s", line, err, want)
		}
	}
	b.answers("forget 3", "forgotten: cut 10.0.0.2 at 1 s")
	b.answers("forget DROP every  ack", "forgotten: drop every ACK")
	b.until(3 * time.Second) // the mend is over
	want(`1: drop every SYN (of that kind have come: 2, dropped: 2)
2: drop every RST
3: cut at 5 s (in 2.0 s)`)
	b.answers("forget rule 2", "forgotten: drop every RST")
	one.segment("10.0.0.2", wire.ACK, "")
	if len(two.got) != 1 {
		t.Errorf("%d segments have come", len(two.got))
	}
	b.answers("forget ALL", "forgotten: all of them (2)")
	want("there are no rules")
	b.until(10 * time.Second)
	one.segment("10.0.0.2", wire.SYN, "")
	if len(two.got) != 2 {
		t.Errorf("%d segments have come", len(two.got))
	}
	b.wantTold("10.0.0.1 has joined: a test", "10.0.0.2 has joined: a test")
}

// Rules count packets from when they are given, whoever sends them.
func TestRules(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("drop the 2nd pure ACK from 10.0.0.1")
	b.do("hold the first SYN for 3 s")
	b.do("corrupt the 1st data segment to 10.0.0.1")
	for range 3 {
		one.segment("10.0.0.2", wire.ACK, "")
		two.segment("10.0.0.1", wire.ACK, "")
	}
	if len(one.got) != 3 || len(two.got) != 2 {
		t.Errorf("%d and %d ACKs have come", len(one.got), len(two.got))
	}
	one.got, two.got = nil, nil
	one.segment("10.0.0.2", wire.SYN, "")
	b.until(2 * time.Second)
	two.want()
	b.until(3 * time.Second)
	if len(two.got) != 1 {
		t.Errorf("held: %q", two.got)
	}
	one.got = nil
	two.segment("10.0.0.1", wire.ACK, "data")
	if len(one.got) != 1 || strings.HasSuffix(one.got[0], "data") || !strings.HasSuffix(one.got[0], "dat`") {
		t.Errorf("not corrupted: %q", one.got)
	}
	for range maxRules - 3 {
		b.do("drop the 1000th RST")
	}
	if _, err := b.command(0, "drop the 1000th RST"); err == nil {
		t.Errorf("there is no end of rules")
	}
}

// A cut cable loses what is under way, and stays cut for who comes next.
func TestCut(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two, three := b.plug("10.0.0.1"), b.plug("10.0.0.2"), b.plug("10.0.0.3")
	b.told = nil
	one.say("10.0.0.2", "under way")
	three.say("10.0.0.1", "elsewhere")
	b.do("cut 10.0.0.2")
	b.wantTold("cable cut: 10.0.0.2")
	one.say("10.0.0.255", "to all")
	two.say("10.0.0.1", "from behind it")
	b.leave(b.at, two.port, nil)
	two = b.plug("10.0.0.2")
	b.until(time.Second)
	one.want("1s 10.0.0.3 > 10.0.0.1 elsewhere")
	two.want()
	three.want("1s 10.0.0.1 > 10.0.0.255 to all")
	if _, err := b.command(b.at, "cut 10.0.0.2"); err == nil || err.Error() != "10.0.0.2 is cut already" {
		t.Error(err)
	}
	b.told = nil
	b.do("mend 10.0.0.2")
	b.do("cut")
	b.do("mend at 4 s")
	b.do("cut 10.0.0.3 at 5 s")
	one.say("10.0.0.2", "cut for all")
	b.until(4 * time.Second)
	one.say("10.0.0.2", "mended")
	b.until(10 * time.Second)
	two.want("5s 10.0.0.1 > 10.0.0.2 mended")
	b.wantTold("cable mended: 10.0.0.2", "cable cut: the wire", "cable mended: the wire", "cable cut: 10.0.0.3")
	if got, want := b.drops(), []string{"cable cut", "cable cut", "cable cut", "cable cut"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q", got)
	}
}

// A cable that is to be cut some day is nobody else's by then.
func TestCutOfWhoIsNotThere(t *testing.T) {
	b := newBench(t, Options{})
	b.do("cut 10.0.0.9")
	b.do("cut 10.0.0.8 at 9 s")
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.until(10 * time.Second)
	one.say("10.0.0.2", "hello")
	two.want("10s 10.0.0.1 > 10.0.0.2 hello")
	for _, cut := range []string{"10.0.0.8", "10.0.0.9"} {
		i := b.plug(cut)
		one.say(cut, "hello")
		i.want()
	}
}

func TestList(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Loss: 0.25}})
	b.do("loss 0")
	b.do("drop  the 9th   SYN")
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2", "fd00::2")
	one.say("10.0.0.2", "hello")
	two.full = true
	one.say("10.0.0.2", "hello")
	b.do("cut 10.0.0.2")
	b.do("cut")
	b.at = time.Minute
	b.answers("list", `time: 60.0 s since the hub began
wire: MTU 1500, perfect
packets: 2 in, 2 out, 0 under way, 0 duplicated, 0 corrupted
dropped: 1 (receiver does not read)
rule 1: drop the 9th SYN
cut: the wire
cut: 10.0.0.2
10.0.0.1/24: a test, for 1m0s, 2 sent, 0 received
10.0.0.2/24 fd00::2/64: a test, for 1m0s, 0 sent, 1 received, 1 lost`)
	if got, err := b.command(b.at, "help"); err != nil || !strings.Contains(got, "cut [ADDRESS]") {
		t.Errorf("%q: %v", got, err)
	}
}

// Each command answers with what list has from then on, or with what it has undone;
// and it says if nobody is there whom it is about.
func TestAnswers(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one := b.plug("10.0.0.1", "fd00::1")
	for _, c := range [][2]string{
		{"", ""},
		{"# nothing", ""},
		{"cut", "cut: the wire"},
		{"mend", "mended: the wire"},
		{"cut 10.0.0.1/24", "cut: 10.0.0.1"},
		{"mend fd00::1", "mended: 10.0.0.1"}, // one cable
		{"cut 10.0.0.9", "cut: 10.0.0.9 (nobody has 10.0.0.9 now)"},
		{"mtu 10.0.0.1 576", "mtu 576: 10.0.0.1"},
		{"mtu 10.0.0.1 1500", "mtu 1500: 10.0.0.1"},
		{"MTU fd00::9 1400", "mtu 1400: fd00::9 (nobody has fd00::9 now)"},
		{"Delay 40 loss 1%", "wire: MTU 1500, delay 40s, loss 0.01"},
		{"corrupt 1% loss 0 delay 1s", "wire: MTU 1500, delay 1s, corrupt 0.01"},
		{"corrupt 0", "wire: MTU 1500, delay 1s"},
		{"corrupt the 1st SYN", "rule 1: corrupt the 1st SYN"},
		{"drop  every ACK from FD00:0::1 to 224.0.0.1", "rule 2: drop every ACK from FD00:0::1 to 224.0.0.1"},
		{"drop every SYN from 10.0.0.8 to 10.0.0.9", "rule 3: drop every SYN from 10.0.0.8 to 10.0.0.9 (nobody has 10.0.0.8 or 10.0.0.9 now)"},
		{"mend 10.0.0.9 at 1 min", "rule 4: mend 10.0.0.9 at 1 min (in 60.0 s) (nobody has 10.0.0.9 now)"},
		{"freeze", "frozen"},
	} {
		b.answers(c[0], c[1])
	}
	one.segment("fd00::9", wire.ACK, "")
	one.segment("10.0.0.1", wire.SYN, "")
	b.answers("list", `time: 0.0 s since the hub began
wire: MTU 1500, delay 1s
packets: 2 in, 0 out, 2 under way, 0 duplicated, 1 corrupted
dropped: none
rule 1: corrupt the 1st SYN (of that kind have come: 1, corrupted: 1)
rule 2: drop every ACK from FD00:0::1 to 224.0.0.1
rule 3: drop every SYN from 10.0.0.8 to 10.0.0.9
rule 4: mend 10.0.0.9 at 1 min (in 60.0 s)
frozen
cut: 10.0.0.9 (nobody has 10.0.0.9 now)
mtu 1400: fd00::9 (nobody has fd00::9 now)
10.0.0.1/24 fd00::1/64: a test, for 0s, 2 sent, 0 received`)
	b.answers("thaw", "thawed: 2 under way")
	for line, want := range map[string]string{
		"mend":         "the wire is not cut, but 10.0.0.9 is: mend 10.0.0.9",
		"cut 10.0.0.9": "10.0.0.9 (nobody has 10.0.0.9 now) is cut already",
	} {
		if _, err := b.command(b.at, line); err == nil || err.Error() != want {
			t.Errorf("%s: %v, not %s", line, err, want)
		}
	}
	b.do("cut")
	const want = "10.0.0.1 is not cut, but the whole wire is: mend alone mends that"
	if _, err := b.command(b.at, "mend 10.0.0.1"); err == nil || err.Error() != want {
		t.Errorf("%v, not %s", err, want)
	}
}

// A host may be named in a rule in any form of its address.
func TestRuleOfIPv6(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("fd00::1"), b.plug("fd00::2")
	b.do("drop every packet to FD00:0:0::2")
	one.say("fd00::2", "hello")
	two.want()
}
