package lab

import (
	"slices"
	"testing"
	"time"
)

// TestPacketDiffers: which fields of what was seen are not as they are wanted.
func TestPacketDiffers(t *testing.T) {
	const syn = "svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) win 4096 <mss 1024> [tos 0x10]"
	const data = "bsdi.1099 > svr4.8888: P 1:14(13) ack 1 win 4096"
	for _, test := range []struct {
		want, got string
		differs   []fieldName
	}{
		{syn, syn, nil},
		{data, data, nil},
		{"svr4.1037 > bsdi.9: S 1415531521:1415531521(0)", syn, nil},
		{"svr4.* > *: S *:*(0) win 4000.. <mss 512..1460>", syn, nil},
		{"svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) <>", syn, []fieldName{fieldOptions}},
		{"svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) <mss 1460>", syn, []fieldName{fieldOptions}},
		{"svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) win 8192 [tos 0x8]", syn, []fieldName{fieldWin, fieldTOS}},
		{"svr4.1037 > bsdi.discard: S *", syn, nil},
		{"svr4.1037 > bsdi.discard: S", syn, []fieldName{fieldNumbers}},
		{"sun.1037 > bsdi.echo: F *", syn, []fieldName{fieldFrom, fieldTo, fieldFlags}},
		{"bsdi.1099 > svr4.8888: * 1:14(13) ack 1", data, nil},
		{"bsdi.1099 > svr4.8888: * ack 1", data, []fieldName{fieldNumbers}},
		{"bsdi.1099 > svr4.8888: P * ack *", data, nil},
		{"bsdi.1099 > svr4.8888: P * win 4096 *", data, nil},
		{"bsdi.1099 > svr4.8888: P * ack 2", data, []fieldName{fieldAck}},
		{"bsdi.1099 > svr4.8888: *", data, nil},
		{"bsdi.1099 > svr4.8888: P 1:14(13)", data, []fieldName{fieldAck}},
		{"bsdi.1099 > svr4.8888: P 1:15(14) ack 2", data, []fieldName{fieldNumbers, fieldAck}},
		{"bsdi.1099 > svr4.8888: P 1:14(13) ack 1 urg 5", data, []fieldName{fieldUrg}},
		{"bsdi.1099 > svr4.8888: PF 1:14(13) ack 1", "bsdi.1099 > svr4.8888: FP 1:14(13) ack 1", nil},
		{data, "bsdi.1099 > svr4.8888: P 1:14(13) ack 1 win 4096 urg 5", []fieldName{fieldUrg}},
		{
			"a.1 > b.2: S 1:1(0) <mss 1460, *>",
			"a.1 > b.2: S 1:1(0) win 5 <mss 1460,nop,wscale 0,nop,nop,timestamp 146647 0>", nil,
		},
		{"a.1 > b.2: S 1:1(0) <mss 512,*,timestamp * 0>", "a.1 > b.2: S 1:1(0) <mss 512,nop,timestamp 9 0>", nil},
		{"arp who-has svr4 tell bsdi", "arp who-has svr4 tell bsdi", nil},
		{"arp reply svr4 is-at *", "arp reply svr4 is-at 2:0:0:0:0:2", nil},
		{"arp who-has sun *", "arp who-has svr4 tell bsdi", []fieldName{fieldText}},
		{"bsdi.1108 > svr4.discard: udp 1024", "bsdi.1108 > svr4.discard: udp 1024", nil},
		{"bsdi.1108 > svr4.discard: udp 0", "bsdi.1108 > svr4.discard: udp 1024", []fieldName{fieldText}},
		{
			"bsdi.1112 > svr4.discard: udp 1473 (frag *:1480@0+)",
			"bsdi.1112 > svr4.discard: udp 1473 (frag 26304:1480@0+)", nil,
		},
		{"bsdi > svr4: (frag 26304:1@1480)", "bsdi > svr4: (frag 26304:2@1480)", []fieldName{fieldFragment}},
		{
			"svr4 > bsdi: icmp: svr4 udp port 8888 unreachable",
			"svr4 > bsdi: icmp: svr4 udp port 8888 unreachable (DF)", nil,
		},
		{"svr4 > bsdi: icmp: *", "svr4 > bsdi: icmp: svr4 udp port 8888 unreachable (DF)", nil},
		{"svr4 > bsdi: icmp: *", "svr4 > bsdi: udp 7", []fieldName{fieldText}},
	} {
		if got := parsePacket(test.want).differs(parsePacket(test.got)); !slices.Equal(got, test.differs) {
			t.Errorf("%s\n%s\ndiffer in %v, want %v", test.want, test.got, got, test.differs)
		}
	}
}

func TestMoment(t *testing.T) {
	for _, test := range []struct {
		text  string
		slack time.Duration
		fits  []string
		not   []string
	}{
		{"5.8148", 0, []string{"5.8148s", "5.814797s", "5.81484s"}, []string{"5.8149s", "5.81474s"}},
		{"0.0", 0, []string{"0s", "49ms"}, []string{"50ms", "51ms"}},
		{"300ms", 0, []string{"300ms", "300.4ms"}, []string{"301ms"}},
		{"5.5..6", 0, []string{"5.5s", "6s", "5.7s"}, []string{"5.49s", "6.01s"}},
		{"1..2min", 0, []string{"60s", "120s"}, []string{"59s", "121s"}},
		{"75..", 0, []string{"75s", "100h"}, []string{"74.9s"}},
		{"..75", 0, []string{"0s", "75s"}, []string{"75.1s"}},
		{"*", 0, []string{"0s", "75s"}, nil},
		{"4.83", 20 * time.Millisecond, []string{"4.81s", "4.85s"}, []string{"4.8s", "4.86s"}},
		{"75..", time.Second, []string{"74s", "1000h"}, []string{"73s"}},
	} {
		m, err := parseMoment(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		for i, list := range [][]string{test.fits, test.not} {
			for _, s := range list {
				if at, _ := time.ParseDuration(s); m.fits(at, test.slack) != (i == 0) {
					t.Errorf("%s with slack %v fits %s: %t", test.text, test.slack, s, i != 0)
				}
			}
		}
	}
	for _, text := range []string{"", "x", "5..4", "-1", "5 parsecs", "5..x", "1e30", "NaN"} {
		if _, err := parseMoment(text); err == nil {
			t.Errorf("%q is taken for a time", text)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"a*c", "abc", true},
		{"a*c", "abcd", false},
		{"*b*", "abc", true},
		{"a*bc*bc", "abc", false},
		{"a*bc*bc", "abcbc", true},
		{"a*a", "a", false},
	} {
		if got := glob(test.pattern, test.text); got != test.want {
			t.Errorf("glob(%q, %q) = %t", test.pattern, test.text, got)
		}
	}
}
