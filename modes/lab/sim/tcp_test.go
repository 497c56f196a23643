package sim

import (
	"testing"
	"time"
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
