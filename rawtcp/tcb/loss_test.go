package tcb_test

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// busy is a machine that has sent n segments of 1000 bytes without an ACK, in
// a window of just so many.
func busy(t *testing.T, n int, opts ...option) *fixture {
	t.Helper()
	f := newFixture(t, append([]option{set(fmt.Sprintf("initial-window=%d", n))}, opts...)...)
	f.peer = 60000
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	f.want(". 1:1(0) ack 1")
	f.c.SetSendBuffer(100000)
	f.send(50000)
	for i := range n {
		f.want(segment(i))
	}
	f.wantNothing()
	return f
}

// segment is the i-th one of 1000 bytes.
func segment(i int) string { return fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i) }

// acks has an ACK of the first n segments arrive.
func (f *fixture) acks(n int) {
	f.Helper()
	f.in(fmt.Sprintf(". 1:1(0) ack %d", 1+1000*n))
}

func (f *fixture) wantCwnd(segments float64) {
	f.Helper()
	if got := float64(f.c.Info().Cwnd) / 1000; got != segments {
		f.Errorf("cwnd is %v segments, want %v", got, segments)
	}
}

// "If SMSS > 2190 bytes: IW = 2 * SMSS [...]; 3 * SMSS [...]; if SMSS <= 1095
// bytes: IW = 4 * SMSS" (RFC 5681, 3.1)
func TestInitialWindow(t *testing.T) {
	for _, c := range []struct{ mtu, want int }{{1040, 4}, {1500, 3}, {2240, 2}} {
		f := newFixture(t, mtu(c.mtu))
		f.ok(f.c.OpenActive(f.now, iss))
		f.drain()
		f.in("S. 0:0(0) ack 1 <mss 9000>")
		f.drain()
		if in := f.c.Info(); in.Cwnd != c.want*in.SegmentSize {
			t.Errorf("MTU %d: cwnd %d", c.mtu, in.Cwnd)
		}
	}
}

// 4.3BSD does not begin slowly on its own network, but does after a silence,
// and to other networks.
func TestLocalBurst(t *testing.T) {
	for _, local := range []bool{true, false} {
		f := newFixture(t, set("local-burst=yes", "congestion=tahoe", "initial-window=1"),
			func(_ *fixture, p *tcb.Params) { p.Local = local })
		f.ok(f.c.OpenActive(f.now, iss))
		f.drain()
		f.in("S. 0:0(0) ack 1 <mss 1000>")
		f.drain()
		f.send(4000)
		if !local {
			f.want(segment(0))
			continue
		}
		f.want(segment(0), segment(1), segment(2), "P. 3001:4001(1000) ack 1")
		f.acks(4)
		f.advance(time.Minute)
		f.send(2000)
		f.want(segment(4))
		f.wantCwnd(1)
	}
}

// 4.3BSD counts a silence from what it has last heard: a window that opens
// after a minute is filled at once. Others begin slowly.
func TestIdleHears(t *testing.T) {
	for _, hears := range []string{"yes", "no"} {
		f := busy(t, 1, set("idle-hears="+hears, "persist-min=60s"))
		f.acks(1)
		f.want(segment(1), segment(2))
		f.in(". 1:1(0) ack 3001 win 0")
		f.advance(30 * time.Second)
		f.in(". 1:1(0) ack 3001 win 2000")
		if hears == "yes" {
			f.want(segment(3), segment(4))
		} else {
			f.want(segment(3))
		}
	}
}

// "During slow start, a TCP increments cwnd by at most SMSS bytes for each ACK
// received that cumulatively acknowledges new data."
func TestSlowStart(t *testing.T) {
	f := busy(t, 2)
	f.acks(1)
	f.wantCwnd(3)
	f.want(segment(2), segment(3))
	f.acks(3)
	f.wantCwnd(4) // two segments, one ACK
	f.want(segment(4), segment(5), segment(6))
}

// "During congestion avoidance, cwnd is incremented by roughly 1 full-sized
// segment per round-trip time (RTT)."
func TestCongestionAvoidance(t *testing.T) {
	f := busy(t, 8)
	f.advanceToTimer()
	f.want(segment(0))
	f.wantCwnd(1) // "cwnd MUST be set to no more than the loss window"
	if got := f.c.Info().Ssthresh; got != 4000 {
		t.Errorf("ssthresh %d, want half the flight", got)
	}
	f.acks(8)
	f.want(segment(8), segment(9))
	f.acks(10)
	f.drain()
	f.acks(13)
	f.drain()
	f.wantCwnd(4)
	for i := range 4 {
		f.acks(14 + i)
		f.drain()
	}
	f.wantCwnd(5)
	for i := range 5 {
		f.acks(18 + i)
		f.drain()
	}
	f.wantCwnd(6)
}

// A window that is not used does not grow.
func TestUnusedWindow(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	for i := range 50 {
		f.send(10)
		f.drain()
		f.inAck(11 + 10*i)
	}
	f.wantCwnd(10)
}

// "a TCP SHOULD set cwnd to no more than RW before beginning transmission if
// the TCP has not sent data in an interval exceeding the retransmission
// timeout" (RFC 5681, 4.1)
func TestRestartAfterIdle(t *testing.T) {
	f := busy(t, 4)
	for f.c.Info().SendQueued > 0 {
		f.in(fmt.Sprintf(". 1:1(0) ack %d", int32(f.c.Info().SndNxt-f.iss)))
		f.drain()
	}
	if got := f.c.Info().Cwnd; got < 10000 {
		t.Fatalf("cwnd %d", got)
	}
	f.advance(10 * time.Second)
	f.send(20000)
	for i := range 4 {
		f.want(segment(50 + i))
	}
	f.wantNothing()
}

// "The fast retransmit algorithm uses the arrival of 3 duplicate ACKs [...] as
// an indication that a segment has been lost. After receiving 3 duplicate ACKs,
// TCP performs a retransmission of what appears to be the missing segment,
// without waiting for the retransmission timer to expire." (RFC 5681, 3.2)
func TestFastRetransmit(t *testing.T) {
	f := busy(t, 8, set("limited-transmit=no"))
	f.acks(0)
	f.acks(0)
	f.wantNothing()
	f.acks(0)
	f.want(segment(0))
	f.wantRule(tcb.RuleFastRetransmit)
	f.wantCwnd(4 + 3) // ssthresh plus three
	f.wantNothing()
	// "For each additional duplicate ACK received (after the third), cwnd MUST
	// be incremented by SMSS."
	f.acks(0)
	f.wantCwnd(8)
	f.wantNothing()
	f.acks(0)
	f.want(segment(8))
	// "When the next ACK arrives that acknowledges previously unacknowledged
	// data, a TCP MUST set cwnd to ssthresh", or less, if less is in flight.
	f.acks(8)
	f.wantCwnd(2)
	f.want(segment(9))
}

// RFC 3042: the first two duplicate ACKs have new data sent.
func TestLimitedTransmit(t *testing.T) {
	f := busy(t, 4)
	f.acks(0)
	f.want(segment(4))
	f.wantRule(tcb.RuleLimitedTransmit)
	f.wantNothing()
	f.acks(0)
	f.want(segment(5))
	f.wantNothing()
	f.acks(0)
	f.want(segment(0))
	f.wantNothing()
	f.wantCwnd(2 + 3) // what limited transmit sent counts for nothing
}

// What is no duplicate ACK: data, another window, nothing outstanding.
func TestNoDuplicateACK(t *testing.T) {
	f := busy(t, 4)
	for i := range 5 {
		f.in(fmt.Sprintf("P. %d:%d(10) ack 1", 1+10*i, 11+10*i))
	}
	for i := range 5 {
		f.in(fmt.Sprintf(". 51:51(0) ack 1 win %d", 50000+i))
	}
	f.advanceToTimer()
	f.want(". 4001:4001(0) ack 51")
	f.wantNothing()
	f = at(t, tcb.Established)
	for range 5 {
		f.in(". 1:1(0) ack 1")
	}
	f.wantNothing()
}

// RFC 6582: "Partial acknowledgments: [...] retransmit the first unacknowledged
// segment." Segments 0, 2 and 5 of eight are lost.
func TestNewReno(t *testing.T) {
	f := busy(t, 8, set("limited-transmit=no"))
	for range 3 {
		f.acks(0)
	}
	f.want(segment(0))
	f.acks(0)
	f.acks(0)
	f.want(segment(8))
	f.acks(2)
	f.want(segment(2))
	f.wantRule(tcb.RulePartialACK)
	f.want(segment(9)) // the window: 9, less 2 acknowledged, and 1 back
	f.wantNothing()
	f.acks(5)
	f.want(segment(5))
	f.wantRule(tcb.RulePartialACK)
	f.want(segment(10))
	f.wantNothing()
	f.acks(8)
	f.wantState(tcb.Established)
	if f.c.Info().Recovering {
		t.Error("all that was lost has been acknowledged")
	}
	f.drain()
}

// Reno leaves recovery at the first partial ACK, and needs a timeout.
func TestReno(t *testing.T) {
	f := busy(t, 8, set("limited-transmit=no", "congestion=reno"))
	for range 5 {
		f.acks(0)
	}
	f.want(segment(0))
	f.drain()
	f.acks(2)
	if f.c.Info().Recovering {
		t.Error("Reno has one loss in a recovery")
	}
	f.drain()
}

// Tahoe starts slowly after three duplicate ACKs.
func TestTahoe(t *testing.T) {
	f := busy(t, 8, set("limited-transmit=no", "congestion=tahoe"))
	for range 3 {
		f.acks(0)
	}
	f.want(segment(0))
	f.wantRule(tcb.RuleFastRetransmit)
	f.wantNothing()
	f.wantCwnd(1)
	f.acks(2)
	f.want(segment(2), segment(3))
	f.wantNothing()
}

// Before 1988 there was only the window of the receiver.
func TestNoCongestionControl(t *testing.T) {
	f := newFixture(t, set("congestion=none"))
	f.peer = 60000
	f.ok(f.c.OpenActive(f.now, iss))
	f.drain()
	f.in("S. 0:0(0) ack 1 <mss 1000>")
	f.drain()
	f.c.SetSendBuffer(100000)
	f.send(59000)
	for i := range 59 {
		s, _ := f.out()
		if len(s.Payload) != 1000 {
			t.Fatalf("segment %d has %d bytes", i, len(s.Payload))
		}
	}
	for range 10 {
		f.acks(0)
	}
	f.wantNothing()
	f.advanceToTimer()
	f.want(segment(0))
	f.drain()
}

// "If the cumulative acknowledgment field [does not cover] more than recover",
// duplicate ACKs after a timeout are those of segments that were sent twice
// (RFC 6582, 3.2, step 2).
func TestNoFastRetransmitAfterTimeout(t *testing.T) {
	f := busy(t, 4)
	f.advanceToTimer()
	f.want(segment(0))
	f.acks(1)
	f.want(segment(1), segment(2))
	for range 5 {
		f.acks(1)
	}
	f.wantNothing()
	if f.c.Info().Recovering {
		t.Error("in recovery")
	}
}

// "ssthresh [...] is held constant" when a segment is lost again (RFC 5681,
// 3.1).
func TestSecondTimeout(t *testing.T) {
	f := busy(t, 8, set("black-hole=0"))
	for range 4 {
		f.advanceToTimer()
		f.want(segment(0))
		f.wantNothing()
		if got := f.c.Info().Ssthresh; got != 4000 {
			t.Errorf("ssthresh %d", got)
		}
	}
}

// sacks has a duplicate ACK arrive, with blocks of segments from, up to.
func (f *fixture) sacks(acked int, blocks ...int) {
	f.Helper()
	text := ""
	for i := 0; i+1 < len(blocks); i += 2 {
		text += fmt.Sprintf(",sack %d:%d", 1+1000*blocks[i], 1+1000*blocks[i+1])
	}
	f.in(fmt.Sprintf(". 1:1(0) ack %d <%s>", 1+1000*acked, text[1:]))
}

// RFC 6675: only what is missing is sent again. Segments 0, 3 and 4 of ten are
// lost.
func TestSACKRecovery(t *testing.T) {
	f := busy(t, 10, set("sack=yes"))
	f.sacks(0, 1, 2)
	f.want(segment(10)) // limited transmit
	f.sacks(0, 1, 3)
	f.want(segment(11))
	f.sacks(0, 5, 6, 1, 3)
	f.want(segment(0))
	f.wantRule(tcb.RuleFastRetransmit)
	f.wantCwnd(5)
	f.wantNothing()
	f.sacks(0, 5, 8, 1, 3) // now 3 and 4 are lost too
	f.wantNothing()        // the pipe is 5: 0 again, 8 to 11
	f.sacks(0, 5, 9, 1, 3)
	f.want(segment(3))
	f.wantRule(tcb.RuleSACKHole)
	f.sacks(0, 5, 10, 1, 3)
	f.want(segment(4))
	f.wantNothing()
	f.sacks(3, 5, 10)
	f.want(segment(12))
	f.wantNothing()
	f.acks(12)
	if f.c.Info().Recovering {
		t.Error("all has been acknowledged")
	}
	f.wantCwnd(2)
	f.drain()
}

// "After a retransmit timeout the data sender SHOULD turn off all of the SACKed
// bits, since the timeout might indicate that the data receiver has reneged" (RFC
// 2018, section 8): all is sent again.
func TestSACKReneging(t *testing.T) {
	f := busy(t, 3, set("sack=yes", "limited-transmit=no"))
	f.sacks(0, 2, 3)
	f.advanceToTimer()
	f.want(segment(0))
	f.acks(1)
	f.want(segment(1), segment(2))
	f.drain()
}

// "more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than
// SeqNum have been SACKed": one ACK can tell of a loss.
func TestSACKLossByBytes(t *testing.T) {
	f := busy(t, 10, set("sack=yes"))
	f.sacks(0, 1, 5)
	f.want(segment(0))
	f.wantRule(tcb.RuleFastRetransmit)
	f.drain()
}

// "there exists outstanding unSACKed data, we provide the opportunity for a
// single "rescue" retransmission": the last segment of the flight is lost.
func TestSACKRescue(t *testing.T) {
	f := newFixture(t, set("sack=yes", "initial-window=8"))
	f.peer = 60000
	f.ok(f.c.OpenActive(f.now, iss))
	f.drain()
	f.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	f.drain()
	f.send(8000)
	f.drain()
	f.sacks(0, 1, 4)
	f.want(segment(0))
	f.sacks(0, 1, 7)
	f.want("P. 7001:8001(1000) ack 1")
	f.wantRule(tcb.RuleRescue)
	f.wantNothing()
	f.sacks(7, 7, 8)
	f.wantNothing()
}

// "a TCP sender [...] SHOULD turn off all of the SACKed bits" at a timeout (RFC
// 2018, section 8); what is told again is not sent again.
func TestSACKTimeout(t *testing.T) {
	f := busy(t, 4, set("sack=yes"))
	f.sacks(0, 2, 3)
	f.drain()
	f.advanceToTimer()
	f.want(segment(0))
	f.sacks(1, 2, 3)
	f.want(segment(1))
	f.want(segment(3))
	f.wantNothing()
}

// A block that lies outside what is outstanding is nonsense, or D-SACK.
func TestSACKNonsense(t *testing.T) {
	f := busy(t, 4, set("sack=yes"))
	for _, in := range []string{
		"sack 5001:6001", "sack -5000:1", "sack 3001:2001", "sack 2001:2001", "sack 3001:90000", "sack -10:2001",
	} {
		f.in(". 1:1(0) ack 1 <" + in + ">")
		f.c.Info()
		if err := f.c.Check(); err != nil {
			t.Error(in, err)
		}
	}
	f.drain()
}

// RFC 2018, section 4: what the receiver tells: first the block that the last
// segment is in, then those told before. RFC 2883: a duplicate comes first.
func TestSACKBlocks(t *testing.T) {
	f := newFixture(t, set("sack=yes"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) <mss 1000,sackOK>")
	f.in("S. 0:0(0) ack 1 <mss 1000,sackOK>")
	f.want(". 1:1(0) ack 1 <>")
	for _, c := range []struct{ in, want string }{
		{". 11:21(10) ack 1", "<sack 11:21>"},
		{". 31:41(10) ack 1", "<sack 31:41,sack 11:21>"},
		{". 51:61(10) ack 1", "<sack 51:61,sack 31:41,sack 11:21>"},
		{". 21:31(10) ack 1", "<sack 11:41,sack 51:61>"},
		{". 71:81(10) ack 1", "<sack 71:81,sack 11:41,sack 51:61>"},
		{". 91:101(10) ack 1", "<sack 91:101,sack 71:81,sack 11:41,sack 51:61>"},
		{". 111:121(10) ack 1", "<sack 111:121,sack 91:101,sack 71:81,sack 11:41>"},
		{". 71:81(10) ack 1", "<sack 71:81,sack 111:121,sack 91:101,sack 71:81>"},
	} {
		f.in(c.in)
		f.want(". 1:1(0) ack 1 " + c.want)
	}
	f.in(". 1:11(10) ack 1")
	f.want(". 1:1(0) ack 41 <sack 111:121,sack 91:101,sack 71:81,sack 51:61>")
	f.inWant(tcb.OldDuplicate, ". 1:11(10) ack 1")
	f.want(". 1:1(0) ack 41 <sack 1:11,sack 111:121,sack 91:101,sack 71:81>")
	// They ride on data too, that leaves room for them.
	f.c.SetNoDelay(true)
	f.send(1000)
	f.want(". 1:965(964) ack 41 <sack 111:121,sack 91:101,sack 71:81,sack 51:61>")
	f.drain()
}

// RFC 9438: after a loss the window is 0.7 of what it was; it grows back
// quickly at first, slowly about the old size, and then faster and faster.
func TestCubic(t *testing.T) {
	f := busy(t, 40, set("congestion=cubic", "initial-window=40", "sack=yes"))
	f.now += 100 * time.Millisecond
	f.sacks(0, 1, 5)
	if in := f.c.Info(); in.Cwnd != 28000 || in.Ssthresh != 28000 {
		t.Errorf("cwnd %d, ssthresh %d after a loss", in.Cwnd, in.Ssthresh)
	}
	f.drain()
	f.acks(40)
	f.drain()
	f.c.SetSendBuffer(10_000_000)
	f.peer = 65535
	last, n := 40, 0
	var growth []int
	before := f.c.Info().Cwnd
	for range 60 {
		// One round trip: all that is in flight is acknowledged, bit by bit.
		if k, _ := f.c.Send(f.now, make([]byte, 60000)); k > 0 {
			n += k
		}
		f.drain()
		f.now += 100 * time.Millisecond
		flight := int(f.c.Info().SndNxt-f.c.Info().SndUna) / 1000
		for range flight / 2 {
			last += 2
			f.acks(last)
			f.drain()
		}
		growth = append(growth, f.c.Info().Cwnd-before)
		before = f.c.Info().Cwnd
	}
	if before < 40000 {
		t.Errorf("after 6 s cwnd is %d, and was 40000 before the loss; growth %v", before, growth)
	}
	if growth[1] < growth[20] {
		t.Errorf("it does not grow more slowly near the old window: %v", growth)
	}
}

// A timeout takes CUBIC to one segment too.
func TestCubicTimeout(t *testing.T) {
	f := busy(t, 10, set("congestion=cubic"))
	f.advanceToTimer()
	f.want(segment(0))
	f.wantCwnd(1)
	if got := f.c.Info().Ssthresh; got != 7000 {
		t.Errorf("ssthresh %d", got)
	}
}
