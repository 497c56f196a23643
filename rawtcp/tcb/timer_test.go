package tcb_test

import (
	"testing"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
)

// bsdPair is a BSD machine that has exchanged one line, as in the book, so that
// it has measured the round-trip time.
func atBSD(t *testing.T, opts ...option) *fixture {
	f := at(t, tcb.Established, append([]option{like("bsd"), mtu(1500)}, opts...)...)
	f.send(13)
	f.want("P. 1:14(13) ack 1")
	f.in(". 1:1(0) ack 14")
	return f
}

func seconds(list ...float64) []time.Duration {
	var all []time.Duration
	for _, s := range list {
		all = append(all, time.Duration(s*float64(time.Second)))
	}
	return all
}

// Fig 21-1: the gaps are 1, 3, 6, 12, 24, 48 and 64 s; the first one is 1.5 s
// less what was gone of the tick, 1.0136 s in the book. Twelve retransmissions,
// then a RST.
func TestRetransmissionBSD(t *testing.T) {
	f := atBSD(t)
	f.now += 486400 * time.Microsecond
	f.send(8)
	f.want("P. 14:22(8) ack 1")
	for i, want := range seconds(1.0136, 3, 6, 12, 24, 48, 64, 64, 64, 64, 64, 64) {
		if got := f.advanceToTimer(); got != want {
			t.Errorf("retransmission %d after %v, want %v", i+1, got, want)
		}
		f.want("P. 14:22(8) ack 1")
		f.wantRule(tcb.RuleTimeout)
	}
	if got := f.advanceToTimer(); got != 64*time.Second {
		t.Errorf("the end after %v", got)
	}
	f.want("R. 22:22(0) ack 1")
	f.wantRule(tcb.RuleGiveUp)
	f.wantState(tcb.Closed)
	f.wantErr(tcb.ErrTimeout)
	if f.now < 9*time.Minute || f.now > 9*time.Minute+10*time.Second {
		t.Errorf("it took %v", f.now)
	}
}

// "(5.5) The host MUST set RTO <- RTO * 2": 1, 2, 4 ... 60 s, without a RST.
func TestRetransmission(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(8)
	f.want("P. 1:9(8) ack 1")
	for i, want := range seconds(1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60) {
		if got := f.advanceToTimer(); got != want {
			t.Errorf("retransmission %d after %v, want %v", i+1, got, want)
		}
		f.want("P. 1:9(8) ack 1")
	}
	f.advanceToTimer()
	f.wantNothing()
	f.wantErr(tcb.ErrTimeout)
}

// Linux begins at 200 ms and more, and doubles up to 120 s, 15 times.
func TestRetransmissionLinux(t *testing.T) {
	f := at(t, tcb.Established, like("linux"), set("timestamps=no", "sack=no", "wscale=no"))
	f.send(8)
	f.want("P. 1:9(8) ack 1")
	for i, want := range seconds(.2, .4, .8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 120, 120, 120, 120, 120) {
		if got := f.advanceToTimer(); got < want || got > want+time.Millisecond {
			t.Errorf("retransmission %d after %v, want %v", i+1, got, want)
		}
		f.want("P. 1:9(8) ack 1")
	}
	f.advanceToTimer()
	f.wantErr(tcb.ErrTimeout)
	if f.now < 900*time.Second || f.now > 930*time.Second {
		t.Errorf("it took %v", f.now)
	}
}

// Fig 21-13: what was written while the cable was out joins the
// retransmission.
func TestRepacketization(t *testing.T) {
	f := atBSD(t)
	f.send(14)
	f.want("P. 14:28(14) ack 1")
	f.send(6)
	f.wantNothing()
	f.advanceToTimer()
	f.want("P. 14:34(20) ack 1")
	f.in(". 1:1(0) ack 34")
}

// Fig 22-1: 5, 5, 6, 12, 24, 48, 60, 60 ... s, for ever. The last measurement
// there spans a tick.
func TestPersistBSD(t *testing.T) {
	f := atBSD(t)
	f.now += 400 * time.Millisecond
	f.send(10)
	f.want("P. 14:24(10) ack 1")
	f.advance(200 * time.Millisecond)
	f.in(". 1:1(0) ack 24 win 0")
	f.now += 400 * time.Millisecond // to a tick
	f.send(100)
	f.wantNothing()
	for i, want := range seconds(5, 5, 6, 12, 24, 48, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60) {
		if got := f.advanceToTimer(); got != want {
			t.Errorf("probe %d after %v, want %v", i+1, got, want)
		}
		f.want(". 24:25(1) ack 1")
		f.wantRule(tcb.RuleProbe)
		f.in(". 1:1(0) ack 24 win 0")
	}
	f.in(". 1:1(0) ack 24 win 4096")
	f.want("P. 24:124(100) ack 1")
}

// "As long as the receiving TCP peer continues to send acknowledgments in
// response to the probe segments, the sending TCP peer MUST allow the connection
// to stay open (MUST-37)." The byte of a probe may be taken.
func TestPersist(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 1:1(0) ack 1 win 0")
	f.send(100)
	f.wantNothing()
	for range 10000 {
		f.advanceToTimer()
		f.want(". 1:2(1) ack 1")
		f.in(". 1:1(0) ack 1 win 0")
	}
	f.wantState(tcb.Established)
	if f.now < 24*time.Hour {
		t.Errorf("only %v", f.now)
	}
	f.in(". 1:1(0) ack 2 win 0")
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 2:3(1) ack 1")
	f.in(". 1:1(0) ack 2 win 50")
	f.want(". 2:52(50) ack 1")
	f.in(". 1:1(0) ack 52 win 0")
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 52:53(1) ack 1")
	f.in(". 1:1(0) ack 53 win 1000")
	f.want("P. 53:101(48) ack 1")
	f.wantTimer(tcb.TimerRexmt, time.Second)
}

// A window that has opened may be closed again before anything is sent: by an ACK
// that the network has put behind the one that opened it. Then what a probe has sent
// is outstanding, and the probes go on.
func TestPersistAgain(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 1:1(0) ack 1 win 0")
	f.send(100)
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:2(1) ack 1")
	open, closed := f.parse(". 1:1(0) ack 1 win 50"), f.parse(". 1:1(0) ack 1 win 0")
	f.c.Input(f.now, &open)
	f.c.Input(f.now, &closed)
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:2(1) ack 1")
	f.wantRule(tcb.RuleProbe)
}

// A forged segment may close the window; but if it has a number beyond the FIN of
// the peer, the peer can open it again, though none of its own will be so high.
func TestPersistForged(t *testing.T) {
	f := at(t, tcb.CloseWait)
	f.in(". 100:110(10) ack 1 win 0")
	f.drain()
	f.send(100)
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:2(1) ack 2")
	f.in(". 2:2(0) ack 1 win 1000")
	f.want("P. 1:101(100) ack 2")
}

// But a peer that never answers is taken for dead, as it is when data is not
// acknowledged.
func TestPersistDead(t *testing.T) {
	f := at(t, tcb.Established, set("retries=5"))
	f.in(". 1:1(0) ack 1 win 0")
	f.send(100)
	f.wantNothing()
	for range 4 {
		f.advanceToTimer()
		f.want(". 1:2(1) ack 1")
	}
	f.in(". 1:1(0) ack 1 win 0")
	for range 5 {
		f.advanceToTimer()
		f.want(". 1:2(1) ack 1")
	}
	f.advanceToTimer()
	f.wantErr(tcb.ErrTimeout)
}

// A Linux probe carries nothing, and a number that has been acknowledged.
func TestPersistLinux(t *testing.T) {
	f := at(t, tcb.Established, like("linux"), set("timestamps=no", "sack=no", "wscale=no"))
	f.in(". 1:1(0) ack 1 win 0")
	f.send(100)
	f.wantNothing()
	for i, want := range seconds(.2, .4, .8, 1.6, 3.2, 6.4, 12.8) {
		if got := f.advanceToTimer(); got < want || got > want+time.Millisecond {
			t.Errorf("probe %d after %v, want %v", i+1, got, want)
		}
		f.want(". 0:0(0) ack 1")
		f.in(". 1:1(0) ack 1 win 0")
	}
	f.in(". 1:1(0) ack 1 win 1000")
	f.want("P. 1:101(100) ack 1")
}

// RFC 9293, appendix A.2: both ends probe at once, and both probes are taken.
// Each end acknowledges at the edge of the window that it knows, which is old for
// the other one.
func TestProbesCross(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 1:1(0) ack 1 win 0")
	f.send(10)
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:2(1) ack 1")
	f.in(". 1:2(1) ack 1 win 0") // theirs
	f.advanceToTimer()
	f.want(". 1:1(0) ack 2")
	f.inWant(tcb.OldDuplicate, ". 1:1(0) ack 2 win 8000")
	f.want("P. 2:11(9) ack 2")
}

// A FIN that does not fit the window probes it, if nothing else is left.
func TestPersistFIN(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 1:1(0) ack 1 win 0")
	f.ok(f.c.Close(f.now))
	f.wantNothing()
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 1")
	f.in(". 1:1(0) ack 2 win 0")
	f.wantState(tcb.FinWait2)
}

// "If the window shrinks to zero, the TCP implementation MUST probe it in the
// standard way (MUST-35)." "SHOULD NOT time out the connection if data beyond
// the right window edge is not acknowledged (SHLD-17)".
func TestShrunkWindow(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(1000)
	f.want("P. 1:1001(1000) ack 1")
	f.in(". 1:1(0) ack 1 win 0")
	for range 100 {
		f.advanceToTimer()
		f.want(". 1:2(1) ack 1")
		f.in(". 1:1(0) ack 1 win 0")
	}
	f.wantState(tcb.Established)
	f.in(". 1:1(0) ack 1 win 400")
	f.want(". 1:401(400) ack 1")
	f.in(". 1:1(0) ack 401 win 1000")
	f.want("P. 401:1001(600) ack 1")
}

// When both windows are closed, an ACK must be acceptable to the peer: its
// number is no further than the window.
func TestBothWindowsClosed(t *testing.T) {
	f := at(t, tcb.Established, set("rcvbuf=10"))
	f.in(". 1:11(10) ack 1 win 0")
	f.send(10)
	f.advanceToTimer() // the delayed ACK
	f.want(". 1:1(0) ack 11 win 0")
	f.wantNothing()
	f.advanceToTimer() // the probe
	f.want(". 1:2(1) ack 11 win 0")
	f.read(10)
	f.want(". 1:1(0) ack 11 win 10")
	f.wantRule(tcb.RuleWindowUpdate)
}

// Fig 23-1: a probe after two hours, from then on 75 s apart, ten of them.
func TestKeepaliveBSD(t *testing.T) {
	f := atBSD(t)
	f.c.SetKeepAlive(f.now, true)
	for i := range time.Duration(2) {
		f.wantTimer(tcb.TimerKeep, (i+1)*2*time.Hour-f.now)
		f.advanceToTimer()
		f.want(". 13:13(0) ack 1")
		f.wantRule(tcb.RuleKeepalive)
		f.in(". 1:1(0) ack 14")
		// The answer has been heard: two hours from then.
		f.advanceToTimer()
		f.wantNothing()
	}
	f.wantTimer(tcb.TimerKeep, 6*time.Hour-f.now)
	f.advanceToTimer()
	f.want(". 13:13(0) ack 1")
	for range 9 {
		if got := f.advanceToTimer(); got != 75*time.Second {
			t.Errorf("the next probe after %v", got)
		}
		f.want(". 13:13(0) ack 1")
	}
	f.advanceToTimer()
	f.wantErr(tcb.ErrTimeout)
	f.want("R. 14:14(0) ack 1")
}

// "Keep-alive packets MUST only be sent when [...] no data or acknowledgment
// packets have been received for the connection within an interval (MUST-26)."
func TestKeepaliveIsPutOff(t *testing.T) {
	f := at(t, tcb.Established, set("keep-idle=10", "keep-byte=yes"))
	f.c.SetKeepAlive(f.now, true)
	for range 20 {
		f.advance(7 * time.Second)
		f.in(". 1:1(0) ack 1")
		f.wantNothing()
	}
	f.advance(10 * time.Second)
	f.want(". 0:1(1) ack 1")
	f.in("R 1:1(0)") // the peer has been rebooted (23.2-b)
	f.wantErr(tcb.ErrReset)
}

func TestKeepaliveOff(t *testing.T) {
	f := at(t, tcb.Established)
	f.wantNoTimer()
	f.c.SetKeepAlive(f.now, true)
	f.wantTimer(tcb.TimerKeep, 2*time.Hour)
	f.c.SetKeepAlive(f.now, false)
	f.wantNoTimer()
	f.c.SetKeepAlive(f.now, true)
	p, _ := profile.Get("")
	p.TCP.KeepIdle = time.Minute
	f.c.Configure(f.now, &p.TCP)
	f.wantTimer(tcb.TimerKeep, time.Minute)
}

// The user timeout counts from the first segment that has no ACK.
func TestUserTimeout(t *testing.T) {
	f := at(t, tcb.Established, set("user-timeout=5"))
	f.advance(time.Hour)
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	start := f.now
	for f.c.State() == tcb.Established {
		f.advanceToTimer()
		f.drain()
	}
	f.wantErr(tcb.ErrTimeout)
	if f.now-start != 5*time.Second {
		t.Errorf("after %v", f.now-start)
	}
}

// "(5.1) Every time a packet containing data is sent [...], if the timer is not
// running, start it". "(5.2) When all outstanding data has been acknowledged,
// turn off the retransmission timer." "(5.3) When an ACK is received that
// acknowledges new data, restart the retransmission timer".
func TestRetransmissionTimer(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.send(3000)
	f.want(". 1:1001(1000) ack 1")
	f.now += 100 * time.Millisecond
	f.want(". 1001:2001(1000) ack 1", "P. 2001:3001(1000) ack 1")
	f.wantTimer(tcb.TimerRexmt, 900*time.Millisecond)
	f.now += 100 * time.Millisecond
	f.in(". 1:1(0) ack 1001")
	f.wantTimer(tcb.TimerRexmt, time.Second)
	f.in(". 1:1(0) ack 3001")
	f.wantNoTimer()
}

// RFC 6298, section 2: the estimate.
func TestRTO(t *testing.T) {
	f := at(t, tcb.Established, set("rto-min=1ms", "rto-variance=1ms"))
	ms := time.Millisecond
	srtt, rttvar := time.Duration(1), time.Duration(0) // of the SYN, at once
	at := 1
	for _, r := range []time.Duration{100 * ms, 100 * ms, 300 * ms, 50 * ms, 2000 * ms} {
		f.send(10)
		f.drain()
		// Without the timer, that would run out meanwhile.
		f.now += r
		at += 10
		f.inAck(at)
		rttvar += ((srtt - r).Abs() - rttvar) / 4
		srtt += (r - srtt) / 8
		in := f.c.Info()
		if in.SRTT != srtt || in.RTTVar != rttvar || in.RTO != srtt+4*rttvar {
			t.Errorf("%v: srtt %v, rttvar %v, rto %v; want %v, %v, %v", r, in.SRTT, in.RTTVar, in.RTO, srtt, rttvar, srtt+4*rttvar)
		}
	}
}

// Karn's algorithm: "RTT samples MUST NOT be made using segments that were
// retransmitted", and the RTO stays backed off until there is a sample.
func TestKarn(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	before := f.c.Info()
	f.advanceToTimer()
	f.want("P. 1:11(10) ack 1")
	f.now += 500 * time.Millisecond
	f.in(". 1:1(0) ack 11")
	if in := f.c.Info(); in.SRTT != before.SRTT || in.RTO != 2*before.RTO {
		t.Errorf("srtt %v, rto %v", in.SRTT, in.RTO)
	}
	f.send(10)
	f.want("P. 11:21(10) ack 1")
	f.in(". 1:1(0) ack 21")
	if in := f.c.Info(); in.RTO != before.RTO {
		t.Errorf("rto %v after a sample", in.RTO)
	}
}

// With timestamps a retransmission can be timed (RFC 7323, section 4).
func TestKarnWithTimestamps(t *testing.T) {
	f := newFixture(t, set("timestamps=yes"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <TS 100:0>")
	f.want(". 1:1(0) ack 1")
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	f.advanceToTimer()
	f.want("P. 1:11(10) ack 1 <TS 1000:100>")
	f.now += 800 * time.Millisecond
	f.in(". 1:1(0) ack 11 <TS 101:1000>")
	if in := f.c.Info(); in.SRTT != 100*time.Millisecond { // 800 ms / 8
		t.Errorf("srtt %v", in.SRTT)
	}
}

// "If the timer expires awaiting the ACK of a SYN segment and the TCP
// implementation is using an RTO less than 3 seconds, the RTO MUST be
// re-initialized to 3 seconds when data transmission begins" (RFC 6298, 5.7),
// "the initial window used by a sender after a correctly transmitted SYN MUST be
// one segment" (RFC 5681, 3.1).
func TestLostSYN(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.advanceToTimer()
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <mss 1000>")
	f.want(". 1:1(0) ack 1")
	f.send(3000)
	f.want(". 1:1001(1000) ack 1")
	f.wantNothing()
	f.wantTimer(tcb.TimerRexmt, 3*time.Second)
}

// The timers of 4.4BSD run out at ticks: Clock.
func TestClock(t *testing.T) {
	c := tcb.Clock{Tick: 500, Phase: 100}
	for _, x := range []struct{ now, d, want time.Duration }{
		{0, 500, 100},
		{99, 500, 100},
		{100, 500, 600},
		{101, 500, 600},
		{599, 500, 600},
		{0, 1, 100},
		{0, 0, 100},
		{100, 1200, 1600},
		{250, 1500, 1600},
		{0, 1<<63 - 1, 1<<63 - 1},
	} {
		if got := c.After(x.now, x.d); got != x.want {
			t.Errorf("After(%d, %d) = %d, want %d", x.now, x.d, got, x.want)
		}
	}
	if got := (tcb.Clock{}).After(7, 35); got != 42 {
		t.Error(got)
	}
	if got := c.Ticks(99, 1100); got != 3 {
		t.Error(got)
	}
}

// Linux gives a connection up in silence if data is not acknowledged, but by a RST
// if keepalive probes are not answered.
func TestKeepaliveReset(t *testing.T) {
	f := at(t, tcb.Established, set("keep-idle=10s", "keep-interval=1s", "keep-count=1", "keep-reset=yes"))
	f.c.SetKeepAlive(f.now, true)
	f.advance(10 * time.Second)
	f.want(". 0:0(0) ack 1")
	f.advance(time.Second)
	f.want("R. 1:1(0) ack 1")
	f.wantRule(tcb.RuleGiveUp)
	f.wantErr(tcb.ErrTimeout)
}
