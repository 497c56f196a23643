package sim

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
)

func TestUDPEcho(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "svr4")
	l.serve("svr4", "echo")
	p := l.start("bsdi", "sock -v -u svr4 echo")
	l.typed(p, time.Second, "hello there")
	l.run(time.Hour)
	l.wantScreen(p, `
connected on 140.252.13.35.1024 to 140.252.13.34.7
hello there
`)
	l.wantExit(p, 0)
	l.wantPackets(`
1.000 bsdi.1024 > svr4.echo: udp 12
1.001 svr4.echo > bsdi.1024: udp 12
`)
}

// Fig 11-7: 1472 bytes fit an Ethernet, 1473 take two fragments.
func TestUDPFragments(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "svr4")
	l.serve("svr4", "discard")
	for _, n := range []string{"1471", "1472", "1473", "1474"} {
		p := l.start("bsdi", "sock -u -i -n1 -w"+n+" svr4 discard")
		l.run(l.Now() + time.Second)
		l.wantExit(p, 0)
	}
	l.wantPackets(`
0.000 bsdi.1024 > svr4.discard: udp 1471
0.001 bsdi.1025 > svr4.discard: udp 1472
0.002 bsdi.1026 > svr4.discard: udp 1473 (frag 3:1480@0+)
0.002 bsdi > svr4: (frag 3:1@1480)
0.003 bsdi.1027 > svr4.discard: udp 1474 (frag 4:1480@0+)
0.003 bsdi > svr4: (frag 4:2@1480)
`)
	l.wantLines("dropped", l.drops, "")
}

// Section 11.9 of a host of today: no fragment is lost for want of an Ethernet
// address if few enough wait, and a host of 1994 keeps only the last.
func TestUDPWaitsForARP(t *testing.T) {
	for _, c := range []struct {
		arp  link.ARPOptions
		want string
	}{
		{link.ARPOptions{Pending: 1, Requests: -1, Interval: -1}, `
0.000 arp who-has b tell a
0.000 arp who-has b tell a
0.000 arp reply b is-at 2:0:0:0:0:2
0.000 arp reply b is-at 2:0:0:0:0:2
0.000 a > b: (frag 1:548@1480)
`},
		{link.ARPOptions{}, `
0.000 arp who-has b tell a
0.000 arp reply b is-at 2:0:0:0:0:2
0.000 a.1024 > b.discard: udp 2020 (frag 1:1480@0+)
0.000 a > b: (frag 1:548@1480)
`},
	} {
		l := newLab(t)
		l.pair(HostOptions{Node: link.NodeOptions{ARP: c.arp}}, HostOptions{})
		l.serve("b", "discard")
		l.start("a", "sock -u -i -b1024 -n1 -w2020 b discard")
		l.run(time.Second)
		l.wantPackets(c.want)
	}
}

// A connected socket learns that nobody has the port; one that is not
// connected does not.
func TestPortUnreachable(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "svr4")
	p := l.start("bsdi", "sock -u svr4 7777")
	l.typed(p, time.Second, "anybody there?")
	q := l.start("bsdi", "sock -u -o svr4 7777")
	l.typed(q, 3*time.Second, "hello", "hello")
	w := l.start("bsdi", "sock -u -i -n2 -w5 -p1 svr4 7777")
	l.run(time.Minute)
	l.wantScreen(p, "read error: Connection refused\n")
	l.wantScreen(q, "")
	l.wantExit(q, 0)
	l.wantScreen(w, "write returned -1, expected 5: Connection refused\n")
	l.wantPackets(`
0.000 bsdi.1026 > svr4.7777: udp 5
0.001 svr4 > bsdi: icmp: svr4 udp port 7777 unreachable
1.000 bsdi.1024 > svr4.7777: udp 15
1.001 svr4 > bsdi: icmp: svr4 udp port 7777 unreachable
3.000 bsdi.1025 > svr4.7777: udp 6
3.001 svr4 > bsdi: icmp: svr4 udp port 7777 unreachable
4.000 bsdi.1025 > svr4.7777: udp 6
4.001 svr4 > bsdi: icmp: svr4 udp port 7777 unreachable
`)
}

// Fig 11-19: a server that sleeps has its receive buffer overflow, and nobody
// is told. A broadcast and a unicast tell apart by -E.
func TestReceiveBufferOverflows(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "sun", "svr4")
	s := l.start("bsdi", "sock -s -u -v -E -R256 -r256 -P30 --book-messages 6666")
	p := l.start("sun", "sock -u -v -B 140.252.13.63 6666")
	q := l.start("svr4", "sock -u -v bsdi 6666")
	l.typed(p, time.Second, "1111111111")
	l.typed(q, 2*time.Second, "4444444444444", "555555555555555", "66666666")
	l.run(time.Minute)
	l.wantScreen(s, `
SO_RCVBUF = 256
IP_RECVDSTADDR set
from 140.252.13.33, to 140.252.13.63: 1111111111
from 140.252.13.34, to 140.252.13.35: 4444444444444
`)
	l.wantLines("dropped", l.drops, `
1.000 sun: no process has that port
1.001 svr4: no process has that port
3.001 bsdi: the receive buffer is full
4.001 bsdi: the receive buffer is full
`)
}

func TestTruncation(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "sun")
	s := l.start("bsdi", "sock -s -u -v -r4 -Z --book-messages 6666")
	p := l.start("sun", "sock -u bsdi 6666")
	l.typed(p, time.Second, "abc", "abcdef")
	l.run(time.Minute)
	l.wantScreen(s, `
received 4 bytes (MSG_PEEK)
from 140.252.13.33: abc
received 4 bytes (MSG_PEEK)
from 140.252.13.33: (datagram truncated)
abcd`)
}

// A server answers the one it heard from last; -f serves one alone.
func TestUDPServer(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "sun", "svr4")
	s := l.start("sun", "sock -u -s 5555")
	only := l.start("sun", "sock -u -s -f 140.252.13.35.4444 5556")
	p := l.start("bsdi", "sock -u sun 5555")
	q := l.start("svr4", "sock -u sun 5555")
	l.At(time.Second, func() { p.Type("from bsdi\n") })
	l.At(2*time.Second, func() { q.Type("from svr4\n") })
	l.At(3*time.Second, func() { s.Type("answer\n") })
	right := l.start("bsdi", "sock -u -b4444 sun 5556")
	wrong := l.start("bsdi", "sock -u -b4445 sun 5556")
	l.typed(right, 4*time.Second, "right")
	l.At(5*time.Second, func() { wrong.Type("wrong\n") })
	l.At(6*time.Second, func() {
		var rows []string
		for _, r := range l.host("sun").Netstat() {
			rows = append(rows, r.String())
		}
		l.wantLines("netstat", rows, `
udp        0      0  140.252.13.33.5556     140.252.13.35.4444
udp        0      0  *.5555                 *.*
`)
	})
	l.run(time.Minute)
	l.wantScreen(s, "from bsdi\nfrom svr4\n")
	l.wantScreen(p, "")
	l.wantScreen(q, "answer\n")
	l.wantScreen(only, "right\n")
	l.wantScreen(wrong, "read error: Connection refused\n")
}

// Section 11.12: who may have a port that somebody has already. On Berkeley
// -A of the newcomer is enough, but not for the same address.
func TestUDPBind(t *testing.T) {
	const inUse = "can't bind local address: Address already in use\n"
	for _, c := range []struct {
		system, first, second string
		want                  string
	}{
		{"bsd", "9999", "9999", inUse},
		{"bsd", "-A 9999", "-A 9999", inUse},
		{"bsd", "-T 9999", "-T 9999", ""},
		{"bsd", "-A 224.1.1.1 9999", "-A 224.1.1.1 9999", ""},
		{"bsd", "10.0.0.1 9999", "9999", inUse},
		{"bsd", "10.0.0.1 9999", "-A 9999", ""},
		{"bsd", "10.0.0.1 9999", "-A 10.0.0.255 9999", ""},
		{"bsd", "10.0.0.1 9999", "127.0.0.1 9999", ""},
		{"bsd", "10.0.0.1 9999", "9998", ""},
		{"bsd", "10.0.0.1 9999", "10.0.0.2 9999", "can't bind local address: Cannot assign requested address\n"},
		{"linux", "9999", "-A 9999", inUse},
		{"linux", "-A 9999", "-A 9999", ""},
		{"linux", "10.0.0.1 9999", "-A 9999", inUse},
		{"linux", "-T 9999", "-T 9999", ""},
	} {
		l := newLab(t)
		p, err := profile.Get(c.system)
		if err != nil {
			t.Fatal(err)
		}
		l.pair(HostOptions{Profile: p}, HostOptions{})
		l.start("a", "sock -u -s "+c.first)
		l.run(time.Second)
		second := l.start("a", "sock -u -s "+c.second)
		l.run(time.Second)
		if got := screen(second); got != c.want {
			t.Errorf("%s: %s, then %s: %q, want %q", c.system, c.first, c.second, got, c.want)
		}
	}
}

// Fig 11-23: the most specific socket gets a datagram, of equals the newest; a
// broadcast goes to all.
func TestUDPPrecedence(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	all := map[string]*Process{}
	for _, line := range []string{"-A 7777", "-A 10.0.0.1 7777", "-A -f 10.0.0.2.4444 7777", "-A 10.0.0.255 7777", "-A -T 7778", "-A -T 7778"} {
		name := line
		if all[name] != nil {
			name += " again"
		}
		all[name] = l.start("a", "sock -u -s "+line)
	}
	l.run(time.Second)
	send := func(line, text string) {
		p := l.start("b", "sock -u -i -n1 --file "+text+" "+line)
		l.run(l.Now() + time.Second)
		l.wantExit(p, 0)
	}
	l.host("b").o.Files = map[string][]byte{"one": []byte("one\n"), "two": []byte("two\n"), "three": []byte("three\n"), "four": []byte("four\n")}
	send("-b4444 10.0.0.1 7777", "one")
	send("-b4445 10.0.0.1 7777", "two")
	send("-B 10.0.0.255 7777", "three")
	send("10.0.0.1 7778", "four")
	for name, want := range map[string]string{
		"-A 7777":                  "three\n",
		"-A 10.0.0.1 7777":         "two\n",
		"-A -f 10.0.0.2.4444 7777": "one\n",
		"-A 10.0.0.255 7777":       "three\n",
		"-A -T 7778":               "",
		"-A -T 7778 again":         "four\n",
	} {
		l.wantScreen(all[name], want)
	}
}

func TestMulticast(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	in := l.start("b", "sock -u -s -A 224.5.5.5 7777")
	also := l.start("b", "sock -u -s -A -j 224.5.5.5 7777")
	out := l.start("a", "sock -u -s 7777")
	p := l.start("a", "sock -u -v -b1024 -t5 224.5.5.5 7777")
	l.typed(p, time.Second, "hello")
	left := l.start("b", "sock -u -s -j 224.6.6.6 7778")
	l.At(2*time.Second, func() { _ = left.Signal("INT") })
	q := l.start("a", "sock -u -b1025 224.6.6.6 7778")
	l.typed(q, 3*time.Second, "nobody")
	l.run(time.Minute)
	l.wantScreen(in, "hello\n")
	l.wantScreen(also, "hello\n")
	l.wantScreen(out, "")
	if got := screen(p); !strings.Contains(got, "IP_MULTICAST_TTL set to 5\n") {
		t.Errorf("the sender printed %q", got)
	}
	// The old tcpdump shows a time to live only if it is 1, as it is without -t.
	l.wantPackets(`
1.000 a.1024 > 224.5.5.5.7777: udp 6
3.000 a.1025 > 224.6.6.6.7778: udp 7 [ttl 1]
`)
	l.wantLines("dropped", l.drops, "")
}

func TestBroadcastNeedsLeave(t *testing.T) {
	l := newLab(t)
	l.book("bsdi", "svr4")
	p := l.start("bsdi", "sock -u 140.252.13.63 discard")
	q := l.start("bsdi", "sock -u -o -B -2 140.252.13.63 discard")
	l.typed(q, time.Second, "x")
	l.run(time.Minute)
	l.wantScreen(p, "connect() error: Permission denied\n")
	l.wantExit(q, 0)
	l.wantPackets("1.000 bsdi.1025 > 255.255.255.255.discard: udp 2\n")
}

// How long a datagram may be: by rule, by the buffer, by -d, and by a path
// that ICMP tells of.
func TestUDPSizes(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	l.serve("b", "discard")
	const tooLong = "Message too long"
	for _, c := range []struct{ line, want string }{
		{"sock -u -i -n1 -w65507 b discard", ""},
		{"sock -u -i -n1 -w65508 b discard", tooLong},
		{"sock -u -i -n1 -S9216 -w9217 b discard", tooLong},
		{"sock -u -i -n1 -d -w1472 b discard", ""},
		{"sock -u -i -n1 -d -w1473 b discard", tooLong},
		{"sock -u -i -n1 -w65507 127.0.0.1 discard", ""},
		{"sock -6 -u -i -n1 -w3000 b discard", ""},
		{"sock -6 -u -i -n1 -d -w1453 b discard", tooLong},
	} {
		p := l.start("a", c.line)
		l.run(l.Now() + time.Second)
		if got := screen(p); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.line, got)
		}
	}
}

// Section 11.8: a host that forbids fragments learns from routers, old and new,
// what comes through.
func TestUDPPathMTU(t *testing.T) {
	for _, c := range []struct {
		old  bool
		want string
	}{
		{true, `
0.000 a.1024 > b.discard: udp 1000 (DF)
0.000 r > a: icmp: b unreachable - need to frag, mtu = 0
5.000 a.1024 > b.discard: udp 1000 (frag 2:552@0+)
5.000 a > b: (frag 2:456@552)
5.000 a.1024 > b.discard: udp 1000 (frag 2:272@0+)
5.000 a > b: (frag 2:272@272+)
5.000 a > b: (frag 2:8@544+)
5.000 a > b: (frag 2:272@552+)
5.000 a > b: (frag 2:184@824)
`},
		{false, `
0.000 a.1024 > b.discard: udp 1000 (DF)
0.000 r > a: icmp: b unreachable - need to frag, mtu = 296
5.000 a.1024 > b.discard: udp 1000 (frag 2:272@0+)
5.000 a > b: (frag 2:272@272+)
5.000 a > b: (frag 2:272@544+)
5.000 a > b: (frag 2:192@816)
5.000 a.1024 > b.discard: udp 1000 (frag 2:272@0+)
5.000 a > b: (frag 2:272@272+)
5.000 a > b: (frag 2:272@544+)
5.000 a > b: (frag 2:192@816)
`},
	} {
		l := newLab(t)
		near := l.Net.Link("near", link.LinkOptions{PointToPoint: true})
		far := l.Net.Link("far", link.LinkOptions{PointToPoint: true, MTU: 296})
		at := func(on *link.Link, address string) Interface {
			return Interface{Link: on, Name: on.LinkName(), Addresses: []netip.Prefix{netip.MustParsePrefix(address)}}
		}
		byDefault := func(gateway string) []link.Route {
			return []link.Route{{To: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr(gateway)}}
		}
		p, err := profile.Get("")
		if err != nil {
			t.Fatal(err)
		}
		p.UDPPathMTU = true
		l.Host("a", HostOptions{
			Profile: p, Interfaces: []Interface{at(near, "10.0.1.1/24")}, Routes: byDefault("10.0.1.2"),
		})
		l.Host("r", HostOptions{
			Router: true, Node: link.NodeOptions{HidesMTU: c.old},
			Interfaces: []Interface{at(near, "10.0.1.2/24"), at(far, "10.0.2.2/24")},
		})
		l.Host("b", HostOptions{Interfaces: []Interface{at(far, "10.0.2.1/24")}, Routes: byDefault("10.0.2.2")})
		l.serve("b", "discard")
		sock := l.start("a", "sock -u -i -b1024 -n2 -p5 -w1000 b discard")
		l.run(time.Minute)
		l.wantExit(sock, 0)
		l.wantPackets(c.want)
	}
}

// What ICMP says of the way is told to a connected socket.
func TestUDPUnreachable(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{Router: true})
	l.host("a").Node.AddRoute(link.Route{To: netip.MustParsePrefix("10.9.0.0/16"), Gateway: netip.MustParseAddr("10.0.0.2")})
	for _, c := range []struct{ line, want string }{
		{"sock -u 10.0.0.9 discard", "read error: No route to host\n"},
		{"sock -u 10.9.0.9 discard", "read error: Network is unreachable\n"},
		{"sock -u -6 2001:db8::2 7777", "read error: Connection refused\n"},
	} {
		p := l.start("a", c.line)
		p.Type("anybody there?\n")
		l.run(l.Now() + time.Minute)
		l.wantScreen(p, c.want)
	}
}

func TestUDPChecksum(t *testing.T) {
	l := newLab(t)
	sunos, err := profile.Get("sunos")
	if err != nil {
		t.Fatal(err)
	}
	l.pair(HostOptions{Profile: sunos}, HostOptions{})
	l.FillARP()
	if err := l.Net.Rule("corrupt every 2nd datagram"); err != nil {
		t.Fatal(err)
	}
	without := l.start("b", "sock -u -s 7777")
	with := l.start("a", "sock -u -s 7777")
	p := l.start("a", "sock -u b 7777")
	l.typed(p, time.Second, "one", "two")
	q := l.start("b", "sock -u a 7777")
	l.typed(q, 10*time.Second, "one", "two")
	l.run(time.Minute)
	l.wantScreen(without, "one\ntwo\v") // the last bit but three of "\n" was inverted
	l.wantScreen(with, "one\n")
	l.wantLines("dropped", l.drops, "11.000 a: bad UDP checksum\n")
}
