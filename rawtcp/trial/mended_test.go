package trial_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// What the matrix has found, each in the fewest packets that show it.

// Both ends have filled the window, and the first segment of each is lost. Every
// ACK has the number of the right edge then. It is heard, and not answered: by
// RFC 9293, table 6, they would answer each other for ever.
func TestBothWindowsFilled(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		a, b := l.addAs("bsdi", prof, "rcvbuf=1000"), l.addAs("sun", prof, "rcvbuf=1000")
		c, s := l.connection(a, b, discard)
		l.rule("drop the 1st data segment from bsdi")
		l.rule("drop the 1st data segment from sun")
		text := strings.Repeat("x", 1000)
		for _, k := range []*rawtcp.Socket{c, s} {
			k.Configure(l.now, func(c *tcb.Config) { c.Congestion = tcb.NoCongestionControl })
			l.ok(k.Set(l.now, rawtcp.NoDelay, 1))
			l.write(k, text[:500])
			l.write(k, text[500:])
		}
		l.run(20 * time.Second)
		l.wantRead(c, text, nil)
		l.wantRead(s, text, nil)
		if n := len(l.seen); n > 20 {
			t.Errorf("%d segments:\n%.2000s", n, l.listing())
		}
	})
}

// A retransmission that fills a hole has an old number, and the newest ACK and
// window there are. The window counts from that ACK on, so it must be taken
// along with it.
func TestWindowOfRetransmission(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi := l.addAs("bsdi", prof, "timestamps=no", "wscale=no", "sndbuf=8192")
		l.attach(l.nobody(), l.cable, "140.252.13.34/27")
		peer := addrPort("140.252.13.34:9")
		k := l.bound(bsdi, anyAddr(2000))
		l.ok(k.Connect(l.now, peer))
		l.run(ms)
		iss := l.segs[0].Seq
		send := func(flags wire.Flags, at, ack seq.Value, window uint16, text string) {
			l.injectWindow(peer, k.Local(), flags, at, ack, window, text)
			l.run(10 * ms)
		}
		send(wire.SYN|wire.ACK, 100, iss+1, 4096, "")
		l.write(k, strings.Repeat("x", 500))
		l.run(ms)
		send(wire.ACK, 111, iss+1, 4096, "second text") // behind a hole
		send(wire.ACK, 101, iss+501, 100, "first text") // has room for 100
		l.write(k, strings.Repeat("y", 4000))
		l.run(5 * time.Second)
		l.wantRead(k, "first textsecond text", nil)
		if last := l.last(bsdi); iss.Add(601).Less(last) {
			t.Errorf("%d bytes beyond the window:\n%s", last-iss-601, l.listing())
		}
	})
}

// A window probe that carries the FIN is the last there is to send: no probe
// follows it.
func TestProbeWithFIN(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		a, b := l.addAs("bsdi", prof, "sndbuf=8192"), l.addAs("sun", prof, "rcvbuf=2048", "wscale=no")
		c, s := l.connection(a, b, discard)
		text := strings.Repeat("x", s.Info().RcvWnd)
		l.write(c, text)
		l.run(time.Second)
		l.ok(c.Shutdown(l.now))
		l.run(10 * time.Minute)
		l.wantState(c, tcb.FinWait2)
		fins := 0
		for _, x := range l.segs {
			if x.Flags.Has(wire.FIN) {
				fins++
			}
		}
		if fins != 1 {
			t.Errorf("%d FINs:\n%s", fins, l.listing())
		}
		l.wantRead(s, text, io.EOF)
	})
}
