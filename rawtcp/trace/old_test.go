package trace

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/wire"
)

func listed(t *testing.T, l *Lister, events []Event) string {
	t.Helper()
	var b strings.Builder
	play(t, NewTcpdump(&b, l), events)
	return b.String()
}

func wantLines(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAsInFig18_1(t *testing.T) {
	l := NewOldLister(Listing{Names: bookNames(), Absolute: true, Times: BookTimes})
	wantLines(t, listed(t, l, fig18_1()), `
 1      0.0                 svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) win 4096 <mss 1024>
 2      0.002402 ( 0.0024)  bsdi.discard > svr4.1037: S 1823083521:1823083521(0) ack 1415531522 win 4096 <mss 1024>
 3      0.007224 ( 0.0048)  svr4.1037 > bsdi.discard: . ack 1823083522 win 4096
 4      4.155441 ( 4.1482)  svr4.1037 > bsdi.discard: F 1415531522:1415531522(0) ack 1823083522 win 4096
 5      4.156747 ( 0.0013)  bsdi.discard > svr4.1037: . ack 1415531523 win 4096
 6      4.158144 ( 0.0014)  bsdi.discard > svr4.1037: F 1823083522:1823083522(0) ack 1415531523 win 4096
 7      4.180662 ( 0.0225)  svr4.1037 > bsdi.discard: . ack 1823083523 win 4096
`)
}

func TestAsInFig18_5(t *testing.T) {
	l := NewOldLister(Listing{Names: bookNames()})
	wantLines(t, listed(t, l, fig18_1()), `
svr4.1037 > bsdi.discard: S 1415531521:1415531521(0) win 4096 <mss 1024>
bsdi.discard > svr4.1037: S 1823083521:1823083521(0) ack 1415531522 win 4096 <mss 1024>
svr4.1037 > bsdi.discard: . ack 1 win 4096
svr4.1037 > bsdi.discard: F 1:1(0) ack 1 win 4096
bsdi.discard > svr4.1037: . ack 2 win 4096
bsdi.discard > svr4.1037: F 1:1(0) ack 2 win 4096
svr4.1037 > bsdi.discard: . ack 2 win 4096
`)
}

func TestAsInFig18_6(t *testing.T) {
	l := NewOldLister(Listing{Names: bookNames(), Times: BookTimes})
	wantLines(t, listed(t, l, deadHost()), `
 1      0.0                 bsdi.1024 > svr4.discard: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]
 2      5.814797 ( 5.8148)  bsdi.1024 > svr4.discard: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]
 3     29.815436 (24.0006)  bsdi.1024 > svr4.discard: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]
`)
}

// The RST of Fig 18-16 has no ACK, and that of Fig 18-14 answers a SYN: both
// have kept their numbers where all others are relative.
func TestNumbersOfResets(t *testing.T) {
	var s scene
	syn, ack, psh, rst := wire.SYN, wire.ACK, wire.PSH, wire.RST
	s.send("bsdi", tcp("bsdi", "svr4", withMSS(segment(1087, 20000, syn, 297416193, 0, ""), 1024)))
	reset := segment(20000, 1087, rst|ack, 0, 297416194, "")
	reset.Window = 0
	s.send("svr4", tcp("svr4", "bsdi", reset))
	s.send("bsdi", tcp("bsdi", "svr4", segment(1102, 9, syn, 1591752193, 0, "")))
	s.send("svr4", tcp("svr4", "bsdi", segment(9, 1102, syn|ack, 26368001, 1591752194, "")))
	s.send("bsdi", tcp("bsdi", "svr4", segment(1102, 9, psh|ack, 1591752204, 26368002, "another line\r\n")))
	reset = segment(9, 1102, rst, 26368002, 0, "")
	reset.Window = 0
	s.send("svr4", tcp("svr4", "bsdi", reset))
	wantLines(t, listed(t, NewOldLister(Listing{Names: bookNames()}), s.events), `
bsdi.1087 > svr4.20000: S 297416193:297416193(0) win 4096 <mss 1024>
svr4.20000 > bsdi.1087: R 0:0(0) ack 297416194 win 0
bsdi.1102 > svr4.discard: S 1591752193:1591752193(0) win 4096
svr4.discard > bsdi.1102: S 26368001:26368001(0) ack 1591752194 win 4096
bsdi.1102 > svr4.discard: P 11:25(14) ack 1 win 4096
svr4.discard > bsdi.1102: R 26368002:26368002(0) win 0
`)
}

func arp(op wire.ARPOp, from, to string) []byte {
	a := wire.ARP{
		Op: op, SenderIP: bookAddr(from), TargetIP: bookAddr(to),
		SenderMAC: wire.MAC{0, 0, 0xc0, 0xc2, 0x9b, 0x26},
	}
	return a.AppendTo(nil)
}

// other is packets that are not TCP, and TCP with all that it may have.
func other() []Event {
	var s scene
	s.send("bsdi", arp(wire.ARPRequest, "bsdi", "svr4"))
	s.send("svr4", arp(wire.ARPReply, "svr4", "bsdi"))

	u := wire.UDP{SrcPort: 1111, DstPort: 9, Payload: make([]byte, 1473)}
	h := wire.IPv4{
		ID: 26304, TTL: 60, Src: bookAddr("bsdi"), Dst: bookAddr("svr4"), Protocol: wire.ProtoUDP,
		Payload: u.AppendTo(nil, bookAddr("bsdi"), bookAddr("svr4"), wire.ChecksumFull),
	}
	fragments, _ := h.Fragments(1500)
	for _, f := range fragments {
		s.send("bsdi", f.AppendTo(nil))
	}
	u.Payload = u.Payload[:600]
	whole := ip("solaris", "slip", wire.ProtoUDP,
		u.AppendTo(nil, bookAddr("solaris"), bookAddr("slip"), wire.ChecksumFull), func(h *wire.IPv4) { h.DF = true })
	s.send("solaris", whole)

	icmp := func(from, to string, m wire.ICMPv4) {
		s.send(from, ip(from, to, wire.ProtoICMP, m.AppendTo(nil)))
	}
	quote := wire.QuoteIPv4(whole, 8)
	icmp("bsdi", "solaris", wire.ICMPv4{Type: 3, Code: 4, Rest: 296, Body: quote})
	icmp("bsdi", "solaris", wire.ICMPv4{Type: 3, Code: 4, Body: quote})
	icmp("svr4", "solaris", wire.ICMPv4{Type: 3, Code: 3, Body: quote})
	icmp("sun", "solaris", wire.ICMPv4{Type: 3, Code: 1, Body: quote})
	icmp("sun", "solaris", wire.ICMPv4{Type: 3, Code: 0, Body: quote})
	icmp("sun", "solaris", wire.ICMPv4{Type: 4, Body: quote})
	icmp("sun", "solaris", wire.ICMPv4{Type: 11, Body: quote})
	icmp("bsdi", "svr4", wire.ICMPv4{Type: 8, Rest: wire.EchoRest(55, 2), Body: make([]byte, 56)})

	full := segment(8888, 7777, wire.SYN, 91904001, 0, "")
	full.Options = wire.Options{
		HasMSS: true, MSS: 512, HasScale: true, HasTimestamps: true, TSVal: 146647, Layout: wire.LayoutBSD,
	}
	s.send("bsdi", tcp("bsdi", "vangogh", full))
	answer := segment(7777, 8888, wire.SYN|wire.ACK, 5000, 91904002, "")
	answer.Options = wire.Options{HasMSS: true, MSS: 512, SACKPermitted: true, HasTimestamps: true, TSVal: 9, TSEcr: 146647}
	s.send("vangogh", tcp("vangogh", "bsdi", answer))
	urgent := segment(8888, 7777, wire.ACK|wire.URG|wire.PSH|wire.FIN, 91904002, 5001, "hello")
	urgent.Urgent = 3
	s.send("bsdi", tcp("bsdi", "vangogh", urgent, func(h *wire.IPv4) { h.DF, h.TTL = true, 1 }))
	hole := segment(7777, 8888, wire.ACK, 5001, 91904002, "")
	hole.Options = wire.Options{SACKLen: 1, SACK: [4]wire.SACKBlock{{Left: 91904005, Right: 91904009}}}
	s.send("vangogh", tcp("vangogh", "bsdi", hole))
	s.send("bsdi", tcp("bsdi", "vangogh", segment(8889, 7777, 0, 7, 0, "")))
	tt := segment(8890, 7777, wire.SYN|wire.FIN|wire.ECE|wire.CWR, 7, 0, "x")
	tt.Options = wire.Options{Other: []wire.RawOption{{Kind: wire.KindCC, Data: []byte{0, 0, 1, 2}}}}
	s.send("bsdi", tcp("bsdi", "vangogh", tt))
	return s.events
}

func TestOldFormOfOthers(t *testing.T) {
	l := NewOldLister(Listing{Names: bookNames()})
	wantLines(t, listed(t, l, other()), `
arp who-has svr4 tell bsdi
arp reply svr4 is-at 0:0:c0:c2:9b:26
bsdi.1111 > svr4.discard: udp 1473 (frag 26304:1480@0+)
bsdi > svr4: (frag 26304:1@1480)
solaris.1111 > slip.discard: udp 600 (DF)
bsdi > solaris: icmp: slip unreachable - need to frag, mtu = 296
bsdi > solaris: icmp: slip unreachable - need to frag, mtu = 0
svr4 > solaris: icmp: slip udp port discard unreachable
sun > solaris: icmp: host slip unreachable
sun > solaris: icmp: net slip unreachable
sun > solaris: icmp: source quench
sun > solaris: icmp: time exceeded in-transit
bsdi > svr4: icmp: echo request
bsdi.8888 > vangogh.7777: S 91904001:91904001(0) win 4096 <mss 512,nop,wscale 0,nop,nop,timestamp 146647 0>
vangogh.7777 > bsdi.8888: S 5000:5000(0) ack 91904002 win 4096 <mss 512,sackOK,timestamp 9 146647>
bsdi.8888 > vangogh.7777: FP 1:6(5) ack 1 win 4096 urg 3 (DF) [ttl 1]
vangogh.7777 > bsdi.8888: . ack 1 win 4096 <nop,nop,sack 1 {4:8}>
bsdi.8889 > vangogh.7777: . win 4096
bsdi.8890 > vangogh.7777: SF 7:8(1) win 4096 <cc 258,eol>
`)
}

func TestEthernetAddresses(t *testing.T) {
	var s scene
	s.send("bsdi", arp(wire.ARPRequest, "bsdi", "svr4"))
	s.send("bsdi", tcp("bsdi", "svr4", segment(1, 2, wire.ACK, 5, 6, string(make([]byte, 100)))))
	l := NewOldLister(Listing{Names: bookNames(), Ethernet: true})
	wantLines(t, listed(t, l, s.events), `
8:0:20:3:f6:42 0:0:c0:c2:9b:26 arp 60: arp who-has svr4 tell bsdi
8:0:20:3:f6:42 0:0:c0:c2:9b:26 ip 154: bsdi.1 > svr4.2: . 5:105(100) ack 6 win 4096
`)
}

func TestUDPChecksums(t *testing.T) {
	l := NewOldLister(Listing{Names: bookNames(), Checksums: true})
	got := listed(t, l, other())
	for _, want := range []string{
		"bsdi.1111 > svr4.discard: udp 1473 (UDP cksum=*) (frag 26304:1480@0+)",
		"solaris.1111 > slip.discard: udp 600 (UDP cksum=*) (DF)",
	} {
		before, after, _ := strings.Cut(want, "*")
		_, sum, ok := strings.Cut(got, before)
		sum, _, _ = strings.Cut(sum, after)
		if n, err := strconv.ParseUint(sum, 16, 16); !ok || err != nil || n == 0 {
			t.Errorf("there is no line %q in\n%s", want, got)
		}
	}
}

func TestWhatIsSeen(t *testing.T) {
	for _, c := range []struct {
		name string
		see  func(e *Event) bool
		want int
	}{
		{"the wire", nil, 7},
		{"svr4", AtHost("svr4"), 7},
		{"a host that is not there", AtHost("sun"), 0},
		{"another wire", OnLink("slip"), 0},
		{"everything", func(*Event) bool { return true }, 14},
	} {
		l := NewOldLister(Listing{See: c.see})
		if got := strings.Count(listed(t, l, fig18_1()), "\n"); got != c.want {
			t.Errorf("%s: %d lines, want %d", c.name, got, c.want)
		}
	}
}

func TestNoPacketPanics(t *testing.T) {
	for _, packet := range [][]byte{
		{0},
		{0x45},
		{0x60},
		make([]byte, 60), tcp("bsdi", "svr4", segment(1, 2, 0, 0, 0, ""))[:30],
		ip("bsdi", "svr4", wire.ProtoTCP, []byte{1, 2}), ip("bsdi", "svr4", wire.ProtoUDP, []byte{1, 2}),
		ip("bsdi", "svr4", wire.ProtoICMP, []byte{3, 3}), ip("bsdi", "svr4", 99, nil),
		ip("bsdi", "svr4", wire.ProtoICMP, []byte{3, 3, 0, 0, 0, 0, 0, 0}),
	} {
		e := Event{Kind: Sent, Packet: packet, At: time.Second}
		for _, l := range []*Lister{NewOldLister(Listing{}), NewLister(Listing{})} {
			if line, ok := l.Line(e); !ok || line == "" {
				t.Errorf("%x: nothing is printed", packet)
			}
		}
	}
}
