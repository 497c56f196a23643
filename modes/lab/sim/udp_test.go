package sim

import (
	"testing"
	"time"
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
