package trial_test

import (
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// ka-1: the peer has crashed. The first probe comes after two hours, the others
// 75 s apart, and when the last one has had no answer, the connection is over.
func TestKa1(t *testing.T) {
	for system, probes := range map[string]int{"bsd": 10, "linux": 9, "rfc9293": 9} {
		t.Run(system, func(t *testing.T) {
			l := newLab(t, transit)
			bsdi, svr4 := l.addAs("bsdi", system), l.addAs("svr4", system)
			c, s := l.connection(bsdi, svr4, 7)
			l.ok(c.Set(l.now, rawtcp.KeepAlive, 1))
			l.to(time.Hour)
			l.write(c, "hello, world\n") // silence begins here
			l.run(time.Second)
			l.wantRead(s, "hello, world\n", nil)
			start := l.now - time.Second
			svr4.node.Crash(l.now)
			l.skip()
			n := len(l.segs)
			una := c.Info().SndUna
			l.rest()
			l.wantErr(c.Err(), tcb.ErrTimeout)
			want := probes
			if system != "rfc9293" {
				want++ // they tell the peer, if there is one, by a RST
			}
			if len(l.seen) != want {
				t.Fatalf("%d segments:\n%s", len(l.seen), l.listing())
			}
			for i := range probes {
				at := start + 2*time.Hour + time.Duration(i)*75*time.Second
				if d := (l.seen[i].at - at).Abs(); d > 500*ms {
					t.Errorf("probe %d is at %v, not %v", i+1, l.seen[i].at, at)
				}
				if p := l.segs[n+i]; p.Flags != wire.ACK || p.Seq != una-1 || len(p.Payload) != 0 {
					t.Errorf("probe %d is %+v", i+1, p)
				}
			}
			l.ok(c.Close(l.now))
			l.wantEmpty(bsdi)
		})
	}
}

// ka-2 and fig23-1: the peer is alive and answers: one probe every two hours.
// Then the cable is cut, and all that is seen is ARP, 75 s apart.
func TestKa2(t *testing.T) {
	l := makeLab(t)
	ether := l.net.Link("ether", link.LinkOptions{})
	bsdi, svr4 := l.add("bsdi", "isn=1000"), l.add("svr4")
	for _, h := range []*host{bsdi, svr4} {
		h.node.ARP = link.ARPOptions{Requests: -1, Pending: 1}
	}
	l.attach(bsdi, ether, "140.252.13.35/27").SetMAC(wire.MAC{0, 0, 0xc0, 0x6f, 0x2d, 0x40})
	l.attach(svr4, ether, "140.252.13.34/27").SetMAC(wire.MAC{0, 0, 0xc0, 0xc2, 0x9b, 0x26})
	c, s := l.connection(bsdi, svr4, 7)
	l.ok(c.Set(l.now, rawtcp.KeepAlive, 1))
	echo := l.reader(s)
	l.write(c, "hello, world\n")
	l.run(time.Second)
	l.write(s, echo.text)
	l.run(time.Second)
	l.wantRead(c, "hello, world\n", nil)
	l.skip()
	start := l.now
	l.rule("cut svr4 at 5 h")
	for !c.CanRead() && l.step(longWait) {
	}
	l.wantErr(c.Err(), tcb.ErrTimeout)
	if took := l.now - start; took < 6*time.Hour+12*time.Minute || took > 6*time.Hour+13*time.Minute {
		t.Errorf("it is over after %v", took)
	}
	want := []string{
		// svr4 learns the address of bsdi when it is asked for its own.
		"arp who-has svr4 tell bsdi",
		"arp reply svr4 is-at 0:0:c0:c2:9b:26",
		"bsdi.1024 > svr4.7: . ack 14 win 4096",
		"svr4.7 > bsdi.1024: . ack 14 win 4096",
		"+7200.0 arp who-has svr4 tell bsdi",
		"arp reply svr4 is-at 0:0:c0:c2:9b:26",
		"bsdi.1024 > svr4.7: . ack 14 win 4096",
		"svr4.7 > bsdi.1024: . ack 14 win 4096",
		"+7200.0 arp who-has svr4 tell bsdi",
	}
	for range 10 { // nine more probes, and the RST at the end
		want = append(want, "+75.0 arp who-has svr4 tell bsdi")
	}
	l.want(want...)
}

// 23.2-b: the peer has rebooted: the probe meets a RST.
func TestKa2Reboot(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi, svr4 := l.addAs("bsdi", prof), l.addAs("svr4", prof)
		c, _ := l.connection(bsdi, svr4, 7)
		l.ok(c.Set(l.now, rawtcp.KeepAlive, 1))
		svr4.node.Reboot(l.now)
		svr4.boot()
		l.run(time.Hour)
		l.wantState(c, tcb.Established)
		n := len(l.segs)
		l.run(61 * time.Minute)
		l.wantErr(c.Err(), tcb.ErrReset)
		if got := flagsOf(l.segs[n:]); got != "ACK RST" {
			t.Errorf("%s:\n%s", got, l.listing())
		}
	})
}
