package sim

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sock/modes/lab/programs"
	"sock/rawtcp/link"
)

// Fig 18-1: telnet to the discard server, open for 4.1 s.
func TestTelnetDiscard(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	l.serve("bsdi", "discard")
	p := l.start("svr4", "telnet bsdi discard")
	l.At(4100*time.Millisecond, func() { p.Type("\x1dquit\n") })
	l.run(time.Hour)
	l.wantScreen(p, `
Trying 140.252.13.35...
Connected to bsdi.
Escape character is '^]'.
telnet> Connection closed.
`)
	l.wantExit(p, 0)
	l.wantPackets(`
0.000 svr4.1024 > bsdi.discard: S 1:1(0) <mss 1024>
0.001 bsdi.discard > svr4.1024: S 1:1(0) ack 2 <mss 1024>
0.002 svr4.1024 > bsdi.discard: . ack 1
4.100 svr4.1024 > bsdi.discard: F 1:1(0) ack 1
4.101 bsdi.discard > svr4.1024: . ack 2
4.101 bsdi.discard > svr4.1024: F 1:1(0) ack 2
4.102 svr4.1024 > bsdi.discard: . ack 2
`)
}

// Fig 18-14.
func TestRefused(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	p := l.start("bsdi", "telnet -S 0x10 svr4 20000")
	q := l.start("bsdi", "sock svr4 20000")
	l.run(time.Hour)
	l.wantScreen(p, `
Trying 140.252.13.34...
telnet: Unable to connect to remote host: Connection refused
`)
	l.wantScreen(q, "active open error: Connection refused\n")
	l.wantExit(p, 1)
	l.wantExit(q, 1)
	l.wantPackets(`
0.000 bsdi.1024 > svr4.20000: S 1:1(0) <mss 1024> [tos 0x10]
0.000 bsdi.1025 > svr4.20000: S 64001:64001(0) <mss 1024>
0.001 svr4.20000 > bsdi.1024: R 0:0(0) ack 2
0.001 svr4.20000 > bsdi.1025: R 0:0(0) ack 64002
`)
}

// Fig 18-15: -L0 aborts the connection.
func TestAbort(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	s := l.start("svr4", "sock -s 8888")
	p := l.start("bsdi", "sock -L0 svr4 8888")
	l.At(4*time.Second, func() { p.Type("hello, world\n") })
	l.At(9*time.Second, p.EOF)
	l.run(time.Hour)
	l.wantScreen(s, `
hello, world
read error: Connection reset by peer
`)
	l.wantExit(s, 1)
	l.wantExit(p, 0)
	l.wantPackets(`
0.000 bsdi.1024 > svr4.8888: S 1:1(0) <mss 1024>
0.001 svr4.8888 > bsdi.1024: S 1:1(0) ack 2 <mss 1024>
0.002 bsdi.1024 > svr4.8888: . ack 1
4.000 bsdi.1024 > svr4.8888: P 1:14(13) ack 1
4.200 svr4.8888 > bsdi.1024: . ack 14
9.000 bsdi.1024 > svr4.8888: R 14:14(0) ack 1
`)
}

// Fig 18-16: the server's host crashes and comes up again, and knows nothing
// of the connection. Its services run again, its processes do not.
func TestReboot(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	svr4 := l.host("svr4")
	l.serve("svr4", "discard")
	s := l.start("svr4", "sock -s 8888")
	p := l.start("bsdi", "telnet svr4 discard")
	l.At(5*time.Second, func() { p.Type("hi there\n") })
	l.At(10*time.Second, func() {
		l.packets = nil
		svr4.Crash()
	})
	l.At(20*time.Second, func() {
		if rows := svr4.Netstat(); len(rows) > 0 {
			t.Errorf("netstat of a host that is down: %v", rows)
		}
		if _, err := l.Start("svr4", []string{"date"}); err == nil {
			t.Error("a host that is down started a program")
		}
		svr4.Reboot()
	})
	l.At(190*time.Second, func() { p.Type("another line\n") })
	l.run(time.Hour)
	l.wantScreen(p, `
Trying 140.252.13.34...
Connected to svr4.
Escape character is '^]'.
Connection closed by foreign host.
`)
	l.wantExit(s, exitKilled)
	l.wantPackets(`
190.000 bsdi.1024 > svr4.discard: P 11:25(14) ack 1
190.001 arp who-has bsdi tell svr4
190.002 arp reply bsdi is-at 2:0:0:0:0:2
190.003 svr4.discard > bsdi.1024: R 2:2(0)
`)
	if procs := svr4.Processes(); len(procs) != 1 || procs[0].Name() != "inetd discard" {
		t.Errorf("after the reboot there run %v", procs)
	}
}

// Section 18.5: the command gets an end of file, and still answers.
func TestHalfClose(t *testing.T) {
	l := newLab(t)
	l.book("sun", "bsdi")
	l.serve("bsdi", "shell")
	p := l.start("sun", "rsh bsdi sort")
	p.Redirect([]byte("pear\napple\nfig"))
	q := l.start("sun", "rsh bsdi who")
	l.typed(q, time.Second)
	l.run(time.Minute)
	l.wantScreen(p, "apple\nfig\npear\n")
	l.wantExit(p, 0)
	l.wantScreen(q, "who: not found\n")
	l.wantExit(q, 1)
}

// A process that is killed has its sockets closed: the peer gets a FIN.
func TestKilledProcessCloses(t *testing.T) {
	for _, signal := range []string{"INT", "KILL"} {
		l := newLab(t)
		l.book("sun", "bsdi")
		s := l.start("sun", "sock -s 6666")
		p := l.start("bsdi", "sock -v sun 6666")
		l.At(time.Second, func() {
			if err := s.Signal(signal); err != nil {
				t.Error(err)
			}
		})
		l.run(30 * time.Second)
		l.wantScreen(p, `
connected on 140.252.13.35.1024 to 140.252.13.33.6666
TCP_MAXSEG = 1024
connection closed by peer
`)
		rows := l.host("sun").Netstat()
		if len(rows) != 1 || rows[0].State != "TIME_WAIT" {
			t.Errorf("%s: on sun %v", signal, rows)
		}
		again := l.start("sun", "sock -s 6666")
		l.run(31 * time.Second)
		l.wantScreen(again, "can't bind local address: Address already in use\n")
	}
}

func TestConcurrentServer(t *testing.T) {
	l := newLab(t)
	l.book("sun", "bsdi")
	s := l.start("sun", "sock -v -s -F --echo 7777")
	p := l.start("bsdi", "sock sun 7777")
	q := l.start("bsdi", "sock sun 7777")
	l.typed(p, time.Second, "from p")
	l.typed(q, time.Second, "from q")
	l.At(1500*time.Millisecond, func() {
		var rows []string
		for _, r := range l.host("sun").Netstat() {
			rows = append(rows, r.String())
		}
		l.wantLines("netstat", rows, `
tcp        0      0  140.252.13.33.7777     140.252.13.35.1025     ESTABLISHED
tcp        0      0  140.252.13.33.7777     140.252.13.35.1024     ESTABLISHED
tcp        0      0  *.7777                 *.*                    LISTEN
`)
	})
	l.run(time.Minute)
	l.wantScreen(p, "from p\n")
	l.wantScreen(q, "from q\n")
	l.wantExit(p, 0)
	if _, _, done := s.Done(); done {
		t.Error("the server has ended")
	}
}

func TestDaytimeAndChargen(t *testing.T) {
	l := newLab(t)
	l.book("sun", "bsdi")
	l.serve("bsdi", "daytime")
	l.serve("bsdi", "chargen")
	p := l.start("sun", "sock -c bsdi daytime")
	u := l.start("sun", "sock -c -u bsdi daytime")
	l.typed(u, time.Second, "x")
	q := l.start("sun", "telnet bsdi chargen")
	l.At(2*time.Second, func() { q.Type("\x1dquit\n") })
	l.run(time.Minute)
	l.wantScreen(p, "Fri Jan  1 00:00:00 1993\n")
	l.wantScreen(u, "Fri Jan  1 00:00:01 1993\n")
	lines := strings.Split(screen(q), "\n")
	if len(lines) < 100 || len(lines[5]) != 72 || lines[5][1] != lines[6][0] {
		t.Errorf("chargen gave %d lines, such as\n%s\n%s", len(lines), lines[5], lines[6])
	}
}

// What a read or a connect gives when it has waited long enough.
func TestTimeouts(t *testing.T) {
	l := newLab(t)
	l.book("sun", "bsdi")
	l.serve("bsdi", "discard")
	for _, c := range []struct {
		line, want string
		at         time.Duration
	}{
		{"sock -x3 bsdi discard", "read error: Resource temporarily unavailable\n", 3002 * time.Millisecond},
		{"sock --connect-timeout 2 140.252.13.60 discard", "active open error: Connection timed out\n", 2 * time.Second},
		{"sock -u -x2 bsdi discard", "read error: Resource temporarily unavailable\n", 2 * time.Second},
	} {
		start := l.Now()
		p := l.start("sun", c.line)
		l.run(start + time.Hour)
		l.wantScreen(p, c.want)
		if _, at, _ := p.Done(); at-start != c.at {
			t.Errorf("%s ended after %v, want %v", c.line, at-start, c.at)
		}
	}
}

// A connect that has waited long enough gives what ICMP has told meanwhile.
func TestTimeoutOfUnreachable(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{Router: true})
	l.host("a").Node.AddRoute(link.Route{To: netip.MustParsePrefix("10.9.0.0/16"), Gateway: netip.MustParseAddr("10.0.0.2")})
	p := l.start("a", "sock --connect-timeout 2 10.9.0.9 discard")
	l.run(time.Minute)
	l.wantScreen(p, "active open error: Network is unreachable\n")
	if _, at, _ := p.Done(); at != 2*time.Second {
		t.Errorf("it ended after %v", at)
	}
}

// close waits for the acknowledgment if the socket lingers.
func TestLinger(t *testing.T) {
	l := newLab(t)
	l.book("sun", "bsdi")
	l.serve("bsdi", "discard")
	for _, rule := range []string{"cut at 2 s", "mend at 3 s"} {
		if err := l.Net.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	p := l.start("sun", "sock -L60 bsdi discard")
	l.At(2500*time.Millisecond, p.EOF)
	killed := l.start("sun", "sock -L60 bsdi discard")
	l.At(2500*time.Millisecond, killed.EOF)
	l.At(2600*time.Millisecond, func() {
		if err := killed.Signal("KILL"); err != nil {
			t.Error(err)
		}
	})
	l.run(time.Hour)
	l.wantExit(p, 0)
	if _, at, _ := p.Done(); at < 3*time.Second || at > 10*time.Second {
		t.Errorf("close returned at %v", at)
	}
	if rows := l.host("sun").Netstat(); len(rows) > 0 {
		t.Errorf("left on sun: %v", rows)
	}
}

func TestSourceAndSink(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	sink := l.start("bsdi", "sock -i -s --stats 7777")
	source := l.start("svr4", "sock -v -i -n8 -U4 svr4 7777")
	real := l.start("svr4", "sock -i -n8 --tcp-info bsdi 7777")
	l.run(time.Hour)
	l.wantExit(sink, 0)
	l.wantExit(source, 1)
	l.wantExit(real, 0)
	if !strings.HasPrefix(screen(sink), "received 8192 bytes in ") {
		t.Errorf("the sink says %q", screen(sink))
	}
	if !strings.Contains(screen(real), "TCP_INFO: state = ESTABLISHED\nTCP_INFO: options = none\n") {
		t.Errorf("--tcp-info says\n%s", screen(real))
	}
}

func TestOptions(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	l.host("svr4").o.Files = map[string][]byte{"data": []byte("in a file\n")}
	s := l.start("bsdi", "sock -I -s 7777")
	p := l.start("svr4", "sock -v -D -Y -N -K -R6000 -S5000 -X400 -J17 -H8 --congestion reno -i --file data bsdi 7777")
	missing := l.start("svr4", "sock -i --file nothing bsdi 7777")
	wrong := l.start("svr4", "sock --congestion bbr bsdi 7777")
	l.run(time.Hour)
	l.wantScreen(p, `
connected on 140.252.13.34.1024 to 140.252.13.35.7777
SO_RCVBUF = 6000
SO_SNDBUF = 5000
SO_DEBUG set
SO_DONTROUTE set
IP_TOS set to 8
IP_TTL set to 17
SO_KEEPALIVE set
TCP_NODELAY set
TCP_CONGESTION = reno
TCP_MAXSEG = 400
wrote 10 bytes
`)
	l.wantScreen(missing, "can't open nothing: No such file or directory\n")
	l.wantScreen(wrong, "TCP_CONGESTION setsockopt error: No such file or directory\n")
	l.wantScreen(s, "SIGIO\nSIGIO\nin a file\nSIGIO\n")
}

func TestErrorsOfCalls(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	for _, c := range []struct{ line, want string }{
		{"sock 10.1.1.1 7", "active open error: Network is unreachable\n"},
		{"sock nobody 7", "invalid hostname: nobody: No IPv4 address for nobody\n"},
		{"sock -6 bsdi 7", "invalid hostname: bsdi: No IPv6 address for bsdi\n"},
		{"sock bsdi nothing", "unknown service: nothing/tcp: No such TCP service\n"},
		{"sock -l 1.2.3.4.0 bsdi 7", "can't bind local address: Cannot assign requested address\n"},
		{"sock 140.252.13.63 7", "active open error: Permission denied\n"},
		{"sock -g svr4 bsdi 7", "setsockopt error for IP_OPTIONS: Operation not supported\n"},
		{"sock -u -N bsdi 7", "drop -u, or drop -N\n"},
		{"telnet", programs.TelnetUsage},
		{"telnet -S x bsdi", programs.TelnetUsage},
		{"telnet nobody", "nobody: unknown host\n"},
		{"telnet bsdi nothing", "tcp/nothing: unknown service\n"},
		{"rsh bsdi", "usage: rsh host command\n"},
		{"rsh bsdi sort", "bsdi: Connection refused\n"},
	} {
		p := l.start("svr4", c.line)
		l.run(l.Now() + time.Hour)
		if got := screen(p); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.line, got, c.want)
		}
		l.wantExit(p, 1)
	}
	for _, c := range []struct{ host, line string }{{"nobody", "date"}, {"bsdi", "ls"}, {"bsdi", ""}} {
		if _, err := l.Start(c.host, strings.Fields(c.line)); err == nil {
			t.Errorf("%q started on %q", c.line, c.host)
		}
	}
	if _, err := l.host("bsdi").Serve("gopher"); err == nil {
		t.Error("a service that there is not was served")
	}
}

// A source may make many calls before its buffer is full.
func TestManySmallWrites(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	sink := l.start("b", "sock -i -s 7777")
	source := l.start("a", "sock -i -w1 -n300000 b 7777")
	l.run(time.Hour)
	l.wantExit(source, 0)
	l.wantExit(sink, 0)
}
