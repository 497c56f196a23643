package sim

import (
	"testing"
	"time"
)

// TestBusy: a machine that takes its time for each read and write.
func TestBusy(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{Busy: 3 * time.Millisecond}, HostOptions{Busy: 500 * time.Millisecond})
	l.serve("b", "discard")
	p := l.start("a", "sock -u -i -n3 -w100 b 9")
	l.run(time.Minute)
	l.wantExit(p, 0)
	// ARP is answered before the second datagram is written.
	l.wantPackets(`
0.000 arp who-has b tell a
0.000 arp reply b is-at 2:0:0:0:0:2
0.000 a.65030 > b.discard: udp 100
0.003 a.65030 > b.discard: udp 100
0.006 a.65030 > b.discard: udp 100
`)
	if _, at, _ := p.Done(); at != 9*time.Millisecond {
		t.Errorf("three writes took %v", at)
	}
	start := l.Now()
	sink := l.start("b", "sock -i -s -r100 7777")
	source := l.start("a", "sock -i -n3 -w100 b 7777")
	l.run(2 * time.Minute)
	l.wantExit(source, 0)
	if _, at, _ := sink.Done(); at < start+1500*time.Millisecond {
		t.Errorf("three reads took %v", at-start)
	}
}

// TestBusyKilled: a signal ends a process that is busy.
func TestBusyKilled(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{Busy: time.Minute}, HostOptions{})
	l.serve("b", "discard")
	p := l.start("a", "sock -u -i -n3 b 9")
	l.run(time.Second)
	if err := p.Signal("INT"); err != nil {
		t.Fatal(err)
	}
	l.run(time.Hour)
	l.wantExit(p, 130)
}
