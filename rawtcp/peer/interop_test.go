package peer

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
)

// conditions of a link, by name.
type conditions struct {
	name string
	link link.LinkOptions
	v6   bool
}

func allConditions() []conditions {
	ms := time.Millisecond
	c := func(name string, c link.Conditions) conditions {
		return conditions{name: name, link: link.LinkOptions{Conditions: c}}
	}
	all := []conditions{
		// Not faster: where no time at all goes by, gVisor's RACK takes for
		// lost what is under way.
		c("perfect", link.Conditions{Delay: 100 * time.Microsecond}),
		c("far", link.Conditions{Delay: 40 * ms}),
		c("jitter", link.Conditions{Delay: 20 * ms, Jitter: 15 * ms}),
		c("slow", link.Conditions{Delay: 10 * ms, Rate: 10e6, Queue: 20}),
		c("loss 1%", link.Conditions{Delay: 10 * ms, Loss: 0.01}),
		c("loss 5%", link.Conditions{Delay: 10 * ms, Loss: 0.05}),
		c("duplication", link.Conditions{Delay: 10 * ms, Duplication: 0.1}),
		c("reordering", link.Conditions{Delay: 10 * ms, Reordering: 0.1, ReorderBy: 3 * ms}),
		c("corruption", link.Conditions{Delay: 10 * ms, Corruption: 0.02}),
		c("everything", link.Conditions{
			Delay: 10 * ms, Jitter: 5 * ms, Rate: 50e6,
			Loss: 0.02, Duplication: 0.02, Reordering: 0.02, Corruption: 0.01,
		}),
	}
	for i := range all {
		// A corrupted ARP answer is believed: the frames here have no CRC.
		all[i].link.PointToPoint = all[i].link.Conditions.Corruption > 0
	}
	small := c("small packets", link.Conditions{Delay: 5 * ms, Loss: 0.01})
	small.link.MTU = 576
	large := c("large packets", link.Conditions{Delay: 5 * ms, Loss: 0.01})
	large.link.MTU = 65535
	v6 := c("IPv6", link.Conditions{Delay: 10 * ms, Loss: 0.02, Reordering: 0.02})
	v6.v6 = true
	return append(all, small, large, v6)
}

// eachWay runs f with either implementation as the client.
func eachWay(t *testing.T, f func(t *testing.T, client, server implementation)) {
	for _, way := range [][2]implementation{{engine(), gvisor()}, {gvisor(), engine()}} {
		t.Run(way[0].name+" to "+way[1].name, func(t *testing.T) { f(t, way[0], way[1]) })
	}
}

// TestStreams has both ends send at once, each to its end, over all kinds of
// links. Each byte is compared, and nothing may be left over.
func TestStreams(t *testing.T) {
	for _, c := range allConditions() {
		t.Run(c.name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, client, server implementation) {
				for seed := range uint64(4) {
					streams(t, client, server, c, seed, 400_000)
				}
			})
		})
	}
}

// TestProfiles has the engine be each of the systems that it knows.
func TestProfiles(t *testing.T) {
	far := link.LinkOptions{Conditions: link.Conditions{
		Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.02, Reordering: 0.02,
	}}
	for _, name := range profile.Names() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				streams(t, engineAs(name), gvisor(), conditions{link: far}, seed, 100_000)
				streams(t, gvisor(), engineAs(name), conditions{link: far}, seed, 100_000)
			}
		})
	}
}

// streams has both ends send size bytes.
func streams(t *testing.T, client, server implementation, c conditions, seed uint64, size int) {
	t.Helper()
	l := newLab(t, client, server, c.link, seed)
	a, b := l.open(c.v6)
	up, down := text(2*seed, size), text(2*seed+1, size)
	atServer, atClient := l.read(b), l.read(a)
	l.write(a, up)
	l.write(b, down)
	l.until("both have read all", func() bool {
		return (atServer.ended || atServer.err != nil) && (atClient.ended || atClient.err != nil)
	})
	l.check("server", atServer, up)
	l.check("client", atClient, down)
	l.close(a, b)
	l.finish()
}

// TestHalfClose has the server answer only when the client has said that that
// was all.
func TestHalfClose(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		l := newLab(t, client, server, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond, Loss: 0.01}}, 1)
		a, b := l.open(false)
		up, down := text(1, 100_000), text(2, 100_000)
		atServer, atClient := l.read(b), l.read(a)
		l.write(a, up)
		l.until("the server has read all", func() bool { return atServer.ended || atServer.err != nil })
		l.check("server", atServer, up)
		if atClient.ended {
			t.Fatal("the client has read the end of what was not ended")
		}
		l.wait(time.Second)
		l.write(b, down)
		l.until("the client has read all", func() bool { return atClient.ended || atClient.err != nil })
		l.check("client", atClient, down)
		l.close(a, b)
		l.finish()
	})
}

// TestAbort has one end abort in the middle of a stream.
func TestAbort(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		for _, who := range []string{"client", "server"} {
			t.Run(who, func(t *testing.T) {
				l := newLab(t, client, server, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}}, 1)
				a, b := l.open(false)
				if who == "server" {
					a, b = b, a
				}
				r := l.read(b)
				if _, err := a.Write(l.now, text(1, 10_000)); err != nil {
					t.Fatal(err)
				}
				l.until("some has come", func() bool { return r.got.Len() > 0 })
				if err := a.Abort(l.now); err != nil {
					t.Fatal(err)
				}
				l.until("the other end knows", func() bool { return r.err != nil || r.ended })
				if !errors.Is(r.err, tcb.ErrReset) {
					t.Errorf("the other end has read %v, want %v", r.err, tcb.ErrReset)
				}
				l.close(b)
				l.finish()
			})
		}
	})
}

// TestRefused has nobody listen.
func TestRefused(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		eachWay(t, func(t *testing.T, client, server implementation) {
			l := newLab(t, client, server, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}}, 1)
			c, err := l.client.dial(l.now, netip.AddrPortFrom(serverAddress(v6).Addr(), port))
			if err != nil {
				t.Fatal(err)
			}
			l.until("an answer", func() bool { return c.CanWrite() || c.CanRead() })
			if err := c.Err(); !errors.Is(err, tcb.ErrRefused) {
				t.Errorf("connect: %v, want %v", err, tcb.ErrRefused)
			}
			l.close(c)
			l.finish()
		})
	}
}

// TestUnanswered has the cable cut before the SYN.
func TestUnanswered(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		l := newLab(t, client, server, link.LinkOptions{PointToPoint: true}, 1)
		l.link.Cut(0, link.Everybody)
		c, err := l.client.dial(l.now, netip.AddrPortFrom(serverAddress(false).Addr(), port))
		if err != nil {
			t.Fatal(err)
		}
		l.until("it is given up", func() bool { return c.CanWrite() || c.CanRead() })
		if err := c.Err(); !errors.Is(err, tcb.ErrTimeout) {
			t.Errorf("connect: %v, want %v", err, tcb.ErrTimeout)
		}
		l.close(c)
		l.finish()
	})
}

// TestClosedWindow has a reader that does not read for ten minutes: the window
// closes, is probed, and opens again.
func TestClosedWindow(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		for _, loss := range []float64{0, 0.1} {
			t.Run(fmt.Sprint("loss ", loss), func(t *testing.T) {
				l := newLab(t, client, server, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond, Loss: loss}}, 1)
				a, b := l.open(false)
				up := text(1, 6_000_000)
				r := l.read(b)
				r.slow = true
				w := l.write(a, up)
				l.wait(10 * time.Minute)
				if len(w.rest) == 0 || r.got.Len() > 0 {
					t.Fatal("the window never closed")
				}
				r.slow = false
				r2 := l.read(a)
				l.until("all is read", func() bool { return r.ended || r.err != nil })
				l.check("server", r, up)
				l.write(b, nil)
				l.until("the end is read", func() bool { return r2.ended || r2.err != nil })
				l.close(a, b)
				l.finish()
			})
		}
	})
}

// TestSimultaneousClose has both ends close at the same instant.
func TestSimultaneousClose(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		l := newLab(t, client, server, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}}, 1)
		a, b := l.open(false)
		l.wait(time.Second)
		l.close(a, b)
		l.finish()
	})
}

// TestSameAgain runs the same twice and wants the same packets at the same
// times.
func TestSameAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		c := link.Conditions{Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.03, Reordering: 0.03}
		run := func(seed uint64) (int, uint64) {
			l := newLab(t, client, server, link.LinkOptions{Conditions: c}, seed)
			a, b := l.open(false)
			up := text(1, 300_000)
			r := l.read(b)
			l.write(a, up)
			l.until("all is read", func() bool { return r.ended || r.err != nil })
			l.check("server", r, up)
			l.close(a, b)
			l.finish()
			return l.packets, l.sum
		}
		n, sum := run(1)
		if m, again := run(1); m != n || again != sum {
			t.Errorf("%d packets (%x) once, %d packets (%x) the other time", n, sum, m, again)
		}
		if _, other := run(2); other == sum {
			t.Error("the seed makes no difference")
		}
	})
}

// TestOptions looks at what the engine has agreed upon with the other end.
func TestOptions(t *testing.T) {
	eachWay(t, func(t *testing.T, client, server implementation) {
		l := newLab(t, client, server, link.LinkOptions{}, 1)
		a, b := l.open(false)
		for _, c := range []conn{a, b} {
			if k, ok := c.(engineSocket); ok {
				in := k.Info()
				if !in.Timestamps || !in.SACK || !in.Scaling || in.SndShift == 0 || in.RcvShift == 0 {
					t.Errorf("timestamps %t, SACK %t, scaling %t with shifts of %d and %d; want all",
						in.Timestamps, in.SACK, in.Scaling, in.SndShift, in.RcvShift)
				}
				// "the sender MUST reduce the TCP data length to account for any
				// IP or TCP options" (RFC 6691, section 2)
				if in.SegmentSize != 1460-12 {
					t.Errorf("%d bytes in a segment, want 1448", in.SegmentSize)
				}
			}
		}
		l.close(a, b)
		l.finish()
	})
}
