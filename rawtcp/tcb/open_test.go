package tcb_test

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// "<SEQ=ISS><CTL=SYN>", and of the options only those that are on (Fig 18-20;
// RFC 9293, 3.7.1: "TCP implementations SHOULD send an MSS Option in every SYN
// segment").
func TestSYNOptions(t *testing.T) {
	for _, c := range []struct{ settings, want string }{
		{"", "S 0:0(0) win 8000 <mss 1000>"},
		{"wscale=yes", "S 0:0(0) win 8000 <mss 1000,wscale 0>"},
		{"rcvbuf=128000", "S 0:0(0) win 65535 <mss 1000>"},
		{"sack=yes timestamps=yes", "S 0:0(0) win 8000 <mss 1000,sackOK,TS 0:0>"},
	} {
		f := newFixture(t, set(fields(c.settings)...))
		f.ok(f.c.OpenActive(f.now, iss))
		f.want(c.want)
	}
}

// Fig 24-6: a buffer of 128000 bytes needs a shift of 1, and "the window field
// in a segment where the SYN bit is set MUST NOT be scaled" (RFC 7323, 2.2).
func TestWindowScale(t *testing.T) {
	f := newFixture(t, set("wscale=yes", "rcvbuf=128000"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) win 65535 <mss 1000,wscale 1>")
	f.in("S. 0:0(0) ack 1 win 4096 <mss 1000,wscale 3>")
	f.want(". 1:1(0) ack 1 win 64000 <>")
	if in := f.c.Info(); in.SndWnd != 4096 {
		t.Errorf("the window of the SYN was scaled to %d", in.SndWnd)
	}
	f.in(". 1:1(0) ack 1 win 4096")
	if in := f.c.Info(); in.SndWnd != 4096<<3 {
		t.Errorf("the window is %d", in.SndWnd)
	}
}

// "If a Window Scale option is received with a shift.cnt value larger than 14,
// the TCP SHOULD log the error but MUST use 14" (RFC 7323, 2.3).
func TestWindowScaleTooLarge(t *testing.T) {
	f := at(t, tcb.SynSent, set("wscale=yes"))
	f.in("S. 0:0(0) ack 1 <mss 1000,wscale 15>")
	f.want(". 1:1(0) ack 1")
	f.in(". 1:1(0) ack 1 win 2")
	if in := f.c.Info(); in.SndWnd != 2<<14 {
		t.Errorf("the window is %d", in.SndWnd)
	}
}

// "Both sides MUST send Window Scale options in their <SYN> segments to enable
// window scaling in either direction" (RFC 7323, 2.2).
func TestWindowScaleRefused(t *testing.T) {
	f := newFixture(t, set("wscale=yes", "rcvbuf=128000"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) win 65535 <mss 1000,wscale 1>")
	f.in("S. 0:0(0) ack 1 win 4096 <mss 1000>")
	f.want(". 1:1(0) ack 1 win 65535")
}

// A SYN+ACK has only what the SYN had.
func TestSYNACKOptions(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"S 0:0(0)", "S. 0:0(0) ack 1 <mss 1000>"},
		{"S 0:0(0) <mss 500,wscale 2>", "S. 0:0(0) ack 1 <mss 1000,wscale 0>"},
		{"S 0:0(0) <mss 500,sackOK>", "S. 0:0(0) ack 1 <mss 1000,sackOK>"},
		{"S 0:0(0) <TS 7:0>", "S. 0:0(0) ack 1 <mss 1000,TS 0:7>"},
	} {
		f := at(t, tcb.Listen, set("wscale=yes", "sack=yes", "timestamps=yes"))
		f.in(c.in)
		f.want(c.want)
	}
}

// Stevens, 18.4: which MSS is announced.
func TestMSSAnnounced(t *testing.T) {
	for _, c := range []struct {
		profile    string
		mtu, local int
		want       int
	}{
		{"rfc9293", 1500, 1, 1460},
		{"rfc9293", 1500, 0, 1460},
		{"rfc9293", 65535, 1, 65495},
		{"bsd", 1500, 1, 1024}, // a multiple of 512, Ethernet
		{"bsd", 1492, 1, 1024},
		{"bsd", 296, 1, 256}, // SLIP, Fig 18-8
		{"bsd", 1500, 0, 512},
		{"sunos", 1500, 1, 1460},
		{"sunos", 1492, 1, 1452}, // IEEE 802.3
		{"sunos", 1500, 0, 536},
		{"solaris", 1500, 1, 1460},
		{"linux", 1500, 0, 1460},
	} {
		f := newFixture(t, like(c.profile), mtu(c.mtu), func(_ *fixture, p *tcb.Params) { p.Local = c.local == 1 },
			set("timestamps=no", "sack=no", "wscale=no"))
		f.ok(f.c.OpenActive(f.now, iss))
		f.want(fmt.Sprintf("S 0:0(0) <mss %d>", c.want))
	}
}

// "If an MSS Option is not received at connection setup, TCP implementations
// MUST assume a default send MSS of 536 (576 - 40) for IPv4 or 1220 (1280 - 60)
// for IPv6 (MUST-15)." "The maximum size of a segment that a TCP endpoint
// really sends [...] MUST be the smaller of the send MSS [...] and the largest
// transmission size permitted by the IP layer" (RFC 9293, 3.7.1).
func TestMSSUsed(t *testing.T) {
	for _, c := range []struct {
		in         string
		mtu, ip    int
		timestamps string
		want       int
	}{
		{"", 1500, 20, "no", 536},
		{"", 1500, 40, "no", 1220},
		{"<mss 300>", 1500, 20, "no", 300},
		{"<mss 1460>", 296, 20, "no", 256},
		{"<mss 1460,TS 1:0>", 1500, 20, "yes", 1448},
		{"<mss 0>", 1500, 20, "no", 64}, // as little as is believed
	} {
		f := newFixture(t, set("timestamps="+c.timestamps, "initial-window=10"), mtu(c.mtu), func(_ *fixture, p *tcb.Params) { p.IPHeader = c.ip })
		f.ok(f.c.OpenActive(f.now, iss))
		f.want("S 0:0(0)")
		f.in("S. 0:0(0) ack 1 " + c.in)
		f.want(". 1:1(0) ack 1")
		f.send(3000)
		f.want(fmt.Sprintf(". 1:%d(%d) ack 1", 1+c.want, c.want))
		f.drain()
	}
}

// TCP_MAXSEG bounds both what is announced and what is sent.
func TestMaxSeg(t *testing.T) {
	f := newFixture(t)
	f.c.SetMaxSeg(100)
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) <mss 100>")
	f.in("S. 0:0(0) ack 1 <mss 1000>")
	f.want(". 1:1(0) ack 1")
	f.send(150)
	f.want(". 1:101(100) ack 1")
	f.drain()
}

// Fig 18-17: four segments, and one connection (RFC 9293, figure 8).
func TestSimultaneousOpen(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.in("S 0:0(0) <mss 512>")
	f.want("S. 0:0(0) ack 1 <mss 1000>")
	f.wantRule(tcb.RuleSimultaneous)
	f.wantState(tcb.SynRcvd)
	f.inWant(tcb.OK, "S. 0:0(0) ack 1 <mss 512>")
	f.wantNothing()
	f.wantState(tcb.Established)
}

// Linux answers the SYN+ACK by an ACK of its own, with a D-SACK block: six
// segments.
func TestSimultaneousOpenLinux(t *testing.T) {
	f := newFixture(t, set("bug-duplicate-ack=yes", "sack=yes"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S 0:0(0) <mss 1000,sackOK>")
	f.want("S. 0:0(0) ack 1")
	f.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	f.want(". 1:1(0) ack 1 <sack 0:1>")
	f.wantState(tcb.Established)
}

// Many of the old Berkeley systems answer SYN+ACK by SYN+ACK, for ever
// (Stevens, 18.8).
func TestSimultaneousOpenLoop(t *testing.T) {
	f := at(t, tcb.SynSent, set("bug-simultaneous=yes"))
	f.in("S 0:0(0)")
	f.want("S. 0:0(0) ack 1")
	for range 10 {
		f.inWant(tcb.SimultaneousBug, "S. 0:0(0) ack 1")
		f.want("S. 0:0(0) ack 1")
	}
	f.wantState(tcb.SynRcvd)
}

// If the SYN+ACK of the peer is lost, an ACK of ours opens the connection too.
func TestSimultaneousOpenACK(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.in("S 0:0(0)")
	f.want("S. 0:0(0) ack 1")
	f.in(". 1:1(0) ack 1")
	f.wantState(tcb.Established)
}

// "If this connection was initiated with an active OPEN (i.e., came from
// SYN-SENT state), then the connection was refused; signal the user
// "connection refused"."
func TestSimultaneousOpenRefused(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.in("S 0:0(0)")
	f.want("S. 0:0(0) ack 1")
	f.in("R 1:1(0)")
	f.wantState(tcb.Closed)
	f.wantErr(tcb.ErrRefused)
}

// A socket that connects to itself opens simultaneously with itself.
func TestSelfConnect(t *testing.T) {
	f := newFixture(t)
	f.ok(f.c.OpenActive(f.now, iss))
	for range 10 {
		s, ok := f.out()
		if !ok {
			break
		}
		s.SrcPort, s.DstPort = s.DstPort, s.SrcPort
		f.c.Input(f.now, &s)
	}
	f.wantState(tcb.Established)
	f.send(10)
	s, _ := f.out()
	f.c.Input(f.now, &s)
	f.read(10)
	f.drain()
}

// "(SYN-RECEIVED) If the RST bit is set, [...] return this connection to LISTEN
// state [...] The user need not be informed." It takes the next SYN.
func TestResetReturnsToListen(t *testing.T) {
	f := at(t, tcb.SynRcvd)
	f.in("R 1:1(0)")
	f.wantState(tcb.Listen)
	f.wantErr(nil)
	f.wantNoTimer()
	f.irs += 5000
	f.in("S 0:0(0)")
	f.want("S. 0:0(0) ack 1")
	f.in(". 1:1(0) ack 1")
	f.wantState(tcb.Established)
}

// An old SYN makes a listener answer, but the answer is reset (why3-1; RFC
// 9293, figure 9).
func TestStaleSYN(t *testing.T) {
	a, b := at(t, tcb.SynSent), at(t, tcb.Listen)
	b.in("S -500:-500(0)")
	s, _ := b.out()
	// The SYN+ACK acknowledges what a has not sent.
	s.Ack = a.iss - 499
	if why := a.c.Input(a.now, &s); why != tcb.AckOfSYN {
		t.Errorf("%v", why)
	}
	a.want("R -499:-499(0)")
	a.wantState(tcb.SynSent)
	b.in("R -499:-499(0)")
	b.wantState(tcb.Listen)
}

// "any other incoming control or data (combined with SYN) will be processed in
// the SYN-RECEIVED state": it is kept, and the SYN alone is acknowledged.
func TestSYNData(t *testing.T) {
	f := at(t, tcb.Listen)
	f.inWant(tcb.OK, "SF 0:5(5)")
	f.want("S. 0:0(0) ack 1")
	if _, err := f.c.Read(f.now, make([]byte, 10)); err != tcb.ErrWouldBlock {
		t.Errorf("data can be read in SYN_RCVD: %v", err)
	}
	f.in(". 7:7(0) ack 1")
	f.wantState(tcb.CloseWait)
	f.want(". 1:1(0) ack 7")
	f.read(5)

	// Without the FIN it is acknowledged all the same, and if the user has
	// closed meanwhile, too.
	f = at(t, tcb.Listen)
	f.in("S 0:5(5)")
	f.want("S. 0:0(0) ack 1")
	f.in(". 6:6(0) ack 1")
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:1(0) ack 6")
	f.read(5)

	// Some of it may come once more with the ACK.
	f = at(t, tcb.Listen)
	f.in("S 0:9(9)")
	f.want("S. 0:0(0) ack 1")
	f.in("FP. 1:6(5) ack 1")
	f.wantState(tcb.Established)
	f.in("F. 1:12(11) ack 1")
	f.wantState(tcb.CloseWait)
	f.want(". 1:1(0) ack 13")
	f.read(11)

	f = at(t, tcb.Listen)
	f.in("S 0:5(5)")
	f.want("S. 0:0(0) ack 1")
	f.ok(f.c.Shutdown(f.now))
	f.want("F. 1:1(0) ack 1")
	f.in(". 6:6(0) ack 2")
	f.wantState(tcb.FinWait2)
	f.advanceToTimer()
	f.want(". 2:2(0) ack 6")
	f.read(5)
}

func TestSYNDataIgnored(t *testing.T) {
	f := at(t, tcb.Listen, set("syn-data=no", "syn-fin=no"))
	f.inWant(tcb.SYNWithFIN, "SF 0:0(0)")
	f.wantState(tcb.Listen)
	f.inWant(tcb.SYNData, "S 0:5(5)")
	f.want("S. 0:0(0) ack 1")
	f.in("P. 1:6(5) ack 1")
	f.read(5)
	f.drain()
}

// Data and a FIN that come with the third segment, and data queued before.
func TestThirdSegmentWithData(t *testing.T) {
	f := at(t, tcb.SynRcvd)
	f.send(10)
	f.wantNothing()
	f.in("FP. 1:11(10) ack 1")
	f.wantState(tcb.CloseWait)
	f.want("P. 1:11(10) ack 12")
	f.read(10)
}

// The options and the data of a SYN+ACK.
func TestSYNACKWithData(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.send(3)
	f.in("S. 0:5(5) ack 1")
	f.want("P. 1:4(3) ack 6")
	f.read(5)
}

// "R2 for a SYN segment MUST be set large enough to provide retransmission of
// the segment for at least 3 minutes" (RFC 9293, 3.8.3); the other schedules
// are those of the book (Fig 18-6, Fig 18-24) and of Linux as it was measured.
func TestSYNSchedule(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name string
		gaps []time.Duration
		end  time.Duration
	}{
		{"rfc9293", []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s}, 180 * s},
		{"linux", []time.Duration{s, s, s, s, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s}, 131 * s},
		{"bsd", []time.Duration{6 * s, 24 * s}, 75 * s},
		{"svr4", []time.Duration{6 * s, 24 * s}, 75 * s},
		{"sunos", []time.Duration{6 * s, 12 * s, 24 * s}, 75 * s},
	} {
		f := newFixture(t, like(c.name), set("timestamps=no", "sack=no", "wscale=no"))
		f.ok(f.c.OpenActive(f.now, iss))
		f.want("S 0:0(0)")
		for _, gap := range c.gaps {
			if got := f.advanceToTimer(); got != gap {
				t.Errorf("%s: a SYN after %v, want %v", c.name, got, gap)
			}
			f.want("S 0:0(0)")
			f.wantRule(tcb.RuleSYNTimeout)
		}
		f.advanceToTimer()
		f.wantState(tcb.Closed)
		f.wantErr(tcb.ErrTimeout)
		if f.now != c.end {
			t.Errorf("%s: the end after %v, want %v", c.name, f.now, c.end)
		}
		f.wantNothing()
	}
}

// Fig 18-6 and 18-7: the first timeout is 12 ticks, of which the first is not
// whole; the others are exact.
func TestSYNTicks(t *testing.T) {
	for _, phase := range []time.Duration{0, 100, 185, 203, 250, 499} {
		f := newFixture(t, like("bsd"))
		f.now = 1000*time.Second + phase*time.Millisecond
		f.ok(f.c.OpenActive(f.now, iss))
		f.want("S 0:0(0)")
		if got, want := f.advanceToTimer(), 6*time.Second-phase*time.Millisecond; got != want {
			t.Errorf("phase %d ms: the first timeout is %v, want %v", phase, got, want)
		}
		f.want("S 0:0(0)")
		if got := f.advanceToTimer(); got != 24*time.Second {
			t.Errorf("phase %d ms: the second timeout is %v", phase, got)
		}
		f.want("S 0:0(0)")
	}
	// That of the book: 5.8148 s, with a clock whose ticks are 0.1852 s off.
	f := newFixture(t, like("bsd"), set("phase=314.8ms"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	if got := f.advanceToTimer(); got != 5814800*time.Microsecond {
		t.Errorf("%v", got)
	}
	f.want("S 0:0(0)")
}

// SYN+ACK is sent again too, and a repeated SYN answered.
func TestSYNACKAgain(t *testing.T) {
	f := at(t, tcb.SynRcvd)
	f.inWant(tcb.OldDuplicate, "S 0:0(0)")
	f.want(". 1:1(0) ack 1")
	f.wantRule(tcb.RuleDuplicateSYN)
	f.advanceToTimer()
	f.want("S. 0:0(0) ack 1")
	f.advance(3 * time.Minute)
	f.wantState(tcb.Closed)
	f.wantErr(tcb.ErrTimeout)
}

// Linux keeps to other times for a SYN+ACK than for a SYN: tcp_synack_retries is
// 5, and so it gives up after 1+2+4+8+16+32 s.
func TestSYNACKSchedule(t *testing.T) {
	f := newFixture(t, like("linux"), plain())
	f.ok(f.c.OpenPassive(f.now, iss))
	f.in("S 0:0(0)")
	f.want("S. 0:0(0) ack 1")
	for _, wait := range []time.Duration{1, 2, 4, 8, 16} {
		if got := f.advanceToTimer(); got != wait*time.Second {
			t.Errorf("sent again after %v, not %v", got, wait*time.Second)
		}
		f.want("S. 0:0(0) ack 1")
	}
	f.advance(31 * time.Second)
	f.wantState(tcb.SynRcvd)
	f.advance(time.Second)
	f.wantState(tcb.Closed)
}

// Solaris lets the third segment wait for data (exercise 18.9): the ACK of the
// server's SYN rides on it.
func TestDelayedThirdACK(t *testing.T) {
	f := newFixture(t, set("ack-delay-third=yes"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1")
	f.wantNothing()
	f.send(256)
	f.want("P. 1:257(256) ack 1")
	f.drain()
}

// "If the SYN bit is set in these synchronized states, [...] TCP endpoints MUST
// send a "challenge ACK"", or, as RFC 793 had it: "If the SYN is in the window
// it is an error: send a reset".
func TestSYNInWindow(t *testing.T) {
	f := at(t, tcb.Established)
	f.inWant(tcb.SYNInWindow, "S 100:100(0)")
	f.want(". 1:1(0) ack 1")
	f = at(t, tcb.Established, set("rfc5961=no"))
	f.inWant(tcb.SYNInWindow, "S 100:100(0)")
	f.want("R. 0:0(0) ack 101")
	f.wantErr(tcb.ErrReset)
}

// The calls of a connection that is open already, or not at all.
func TestCallsInTheWrongState(t *testing.T) {
	f := at(t, tcb.Established)
	if err := f.c.OpenActive(f.now, iss); err != tcb.ErrExists {
		t.Error(err)
	}
	c := tcb.New(f.cfg, tcb.Params{MTU: 1500, IPHeader: 20})
	if err := c.OpenActive(0, iss); err != tcb.ErrUnspecified {
		t.Error(err)
	}
	if err := c.OpenPassive(0, iss); err != nil {
		t.Error(err)
	}
	if _, err := c.Send(0, []byte("x")); err != tcb.ErrUnspecified {
		t.Error(err)
	}
	// "If the listen was not fully specified [...], then the unspecified
	// fields should be filled in now."
	c.Input(0, &wire.Segment{SrcPort: 99, Seq: irs, Flags: wire.SYN})
	if got := c.Info().RemotePort; got != 99 {
		t.Errorf("the remote port is %d", got)
	}
}
