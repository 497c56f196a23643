package link

import (
	"strings"
	"testing"
	"time"
)

func TestParseRule(t *testing.T) {
	for _, c := range []struct {
		text string
		want Rule
	}{
		{"drop the 2nd pure ACK from A", Rule{action: actDrop, kind: pureACK, these: []int{2}, from: "A", every: 1, byteN: -1}},
		{"Drop every SYN to svr4", Rule{action: actDrop, kind: synOnly, to: "svr4", every: 1, byteN: -1}},
		{"drop the first 3 data segments", Rule{action: actDrop, kind: anyData, these: []int{1, 2, 3}, every: 1, byteN: -1}},
		{"drop the 2nd and 4th fin", Rule{action: actDrop, kind: anyFIN, these: []int{2, 4}, every: 1, byteN: -1}},
		{"drop every 3rd packet port 9", Rule{action: actDrop, kind: anyPacket, port: 9, every: 3, byteN: -1}},
		{"drop all ARP requests", Rule{action: actDrop, kind: arpRequest, every: 1, byteN: -1}},
		{"hold the 3rd segment 40 s", Rule{action: actHold, kind: anySegment, these: []int{3}, after: 40 * time.Second, every: 1, byteN: -1}},
		{"hold the third segment for 1.5min", Rule{action: actHold, kind: anySegment, these: []int{3}, after: 90 * time.Second, every: 1, byteN: -1}},
		{"hold the first RST until 190s", Rule{action: actHoldUntil, kind: anyRST, these: []int{1}, at: 190 * time.Second, every: 1, byteN: -1}},
		{"duplicate the 1st SYN+ACK from B to A after 500ms", Rule{
			action: actDuplicate, kind: synACK, these: []int{1}, from: "B", to: "A",
			after: 500 * time.Millisecond, every: 1, byteN: -1,
		}},
		{"corrupt the 2nd datagram byte 40", Rule{action: actCorrupt, kind: anyUDP, these: []int{2}, every: 1, byteN: 40}},
		{"cut at 10 s", Rule{action: actCut, at: 10 * time.Second, every: 1, byteN: -1}},
		{"mend svr4 at 2 h", Rule{action: actMend, host: "svr4", at: 2 * time.Hour, every: 1, byteN: -1}},
	} {
		got, err := ParseRule(c.text)
		if err != nil {
			t.Error(err)
			continue
		}
		c.want.text = c.text
		if !same(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.text, got, c.want)
		}
	}
}

func same(a, b Rule) bool {
	if len(a.these) != len(b.these) {
		return false
	}
	for i := range a.these {
		if a.these[i] != b.these[i] {
			return false
		}
	}
	a.these, b.these = nil, nil
	return a.text == b.text && a.action == b.action && a.kind == b.kind && a.from == b.from && a.to == b.to &&
		a.port == b.port && a.every == b.every && a.host == b.host && a.at == b.at && a.after == b.after && a.byteN == b.byteN
}

func TestParseRuleRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "a rule begins with"},
		{"loose the 1st SYN", "a rule begins with"},
		{"drop SYN", `"the" with a number, or "every", is missing; write it like "drop the 2nd pure ACK from 10.0.0.1"`},
		{"drop the SYN", `"SYN" is not a number like 1st`},
		{"drop the 0th SYN", `"0th" is not a number`},
		{"drop the 1st banana", `"banana" is not a kind of packet`},
		{"drop the 1st", `a kind of packet is missing`},
		{"drop the 1st SYN from", `a host is missing`},
		{"drop the 1st SYN port x", `"port" takes a number`},
		{"drop the 1st SYN 40 s", `"40 s" cannot follow`},
		{"drop the first 5000 SYNs", `from 1 to 1000`},
		{"drop the 2nd ACK form alice", `"form alice" cannot follow; write it like "drop the 2nd pure ACK from 10.0.0.1"`},
		{"drop the", "a number like 1st or second is missing"},
		{"hold the first SYN", `a time is missing; write it like "hold the 1st SYN 500 ms"`},
		{"hold the first SYN until noon", `"noon" is no time; write it like "hold the 1st SYN until 5 s"`},
		{"mend 10.0.0.1", `"at" and a time are missing; write it like "mend 10.0.0.1 at 5 s"`},
		{"duplicate the 1st SYN by 2", `"by 2" cannot follow; write it like "duplicate the 1st SYN after 500 ms"`},
		{"hold the 1st SYN 40", `the unit of "40" is missing`},
		{"hold the 1st SYN 1e300 h", `too long`},
		{"hold the 1st SYN -1 s", `is no time`},
		{"corrupt the 1st SYN byte -4", `"byte" takes a number`},
		{"cut 10 s", `"at" and a time are missing`},
		{"cut at noon", `"noon" is no time`},
	} {
		if _, err := ParseRule(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{
		"drop the 2nd pure ACK from A", "hold the first 3 segments for 40 s", "cut at 10 s", "corrupt every 2nd UDP byte 4",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || !same(r, again) {
			t.Errorf("%q reads back as %+v, %v", r, again, err)
		}
	})
}
