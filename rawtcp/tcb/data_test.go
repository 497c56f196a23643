package tcb_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// "a TCP SHOULD implement a delayed ACK, [...] the delay MUST be less than 0.5
// seconds, and in a stream of full-sized segments there SHOULD be an ACK for at
// least every second segment" (RFC 1122, 4.2.3.2).
func TestDelayedACK(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:11(10) ack 1")
	f.wantNothing()
	f.wantTimer(tcb.TimerDelack, 100*time.Millisecond)
	f.advanceToTimer()
	f.want(". 1:1(0) ack 11")
	f.wantRule(tcb.RuleDelayedACK)

	f.in(". 11:1011(1000) ack 1")
	f.wantNothing()
	f.in(". 1011:2011(1000) ack 1")
	f.want(". 1:1(0) ack 2011")
	f.wantRule(tcb.RuleEverySecond)

	// It rides on data.
	f.in("P. 2011:2021(10) ack 1")
	f.send(5)
	f.want("P. 1:6(5) ack 2021")
	if _, ok := f.c.Deadline(tcb.TimerDelack); ok {
		t.Error("the timer is still set")
	}
}

// On the 200 ms clock an ACK goes out at the next tick, whenever the data came.
func TestDelayedACKBSD(t *testing.T) {
	for _, ms := range []time.Duration{0, 1, 50, 199, 200, 310} {
		f := at(t, tcb.Established, like("bsd"))
		f.now = ms * time.Millisecond
		f.in("P. 1:11(10) ack 1")
		f.wantTimer(tcb.TimerDelack, (200-ms%200)*time.Millisecond)
		f.advanceToTimer()
		f.want(". 1:1(0) ack 11")
	}
}

// "MUST process them all before sending any ACK segments (MUST-59)".
func TestAggregatedACKs(t *testing.T) {
	f := at(t, tcb.Established)
	for i := range 6 {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
	}
	f.want(". 1:1(0) ack 6001 win 2000")
}

// rel-2: what comes out of order is put in order, and told of at once.
func TestReordering(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 11:21(10) ack 1")
	f.want(". 1:1(0) ack 1")
	f.wantRule(tcb.RuleOutOfOrder)
	f.in(". 31:41(10) ack 1")
	f.want(". 1:1(0) ack 1")
	f.in(". 1:11(10) ack 1")
	f.want(". 1:1(0) ack 21")
	f.wantRule(tcb.RuleHoleFilled)
	f.in(". 15:35(20) ack 1") // overlaps both
	f.want(". 1:1(0) ack 41")
	f.readAll(40)
}

// rel-3: what comes twice is thrown away, and acknowledged again.
func TestDuplicates(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:11(10) ack 1")
	f.inWant(tcb.OldDuplicate, "P. 1:11(10) ack 1")
	f.want(". 1:1(0) ack 11")
	f.wantRule(tcb.RuleUnacceptable)
	// "If a segment's contents straddle the boundary between old and new, only
	// the new parts are processed."
	f.in("P. 6:16(10) ack 1")
	f.readAll(15)
	f.drain()
}

// readAll reads n bytes and checks them.
func (f *fixture) readAll(n int) {
	f.Helper()
	p := make([]byte, n+1)
	got, err := f.c.Read(f.now, p)
	if err != nil || got != n {
		f.Fatalf("Read = %d, %v; want %d", got, err, n)
	}
	want := pattern(1 + n)[1:]
	if !bytes.Equal(p[:n], want) {
		f.Fatalf("%v, want %v", p[:n], want)
	}
}

// "Segments with higher beginning sequence numbers SHOULD be held", but not
// without end.
func TestTooManyHoles(t *testing.T) {
	f := at(t, tcb.Established)
	why := tcb.OK
	n := 0
	for i := 2; why == tcb.OK && i < 3000; i += 2 {
		why = f.in(fmt.Sprintf(". %d:%d(1) ack 1", i, i+1))
		f.want(". 1:1(0) ack 1")
		n++
	}
	if why != tcb.ReassemblyFull || n > 100 {
		t.Errorf("%v after %d", why, n)
	}
}

// Nagle: "If there is unacknowledged data (i.e., SND.NXT > SND.UNA), then the
// sending TCP endpoint buffers all user data (regardless of the PSH bit) until
// the outstanding data has been acknowledged or until the TCP endpoint can send
// a full-sized segment (Eff.snd.MSS bytes)." (RFC 9293, 3.7.4)
func TestNagle(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.send(1)
	f.want("P. 1:2(1) ack 1")
	f.wantRule(tcb.RulePush)
	for range 5 {
		f.send(100)
		f.wantNothing()
	}
	f.send(600)
	f.want(". 2:1002(1000) ack 1")
	f.wantRule(tcb.RuleFullSegment)
	f.wantNothing()
	f.in(". 1:1(0) ack 1002")
	f.want("P. 1002:1102(100) ack 1")
}

// "A TCP implementation SHOULD implement the Nagle algorithm [...]. However,
// there MUST be a way for an application to disable [it]".
func TestNoDelay(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.c.SetNoDelay(true)
	for i := range 5 {
		f.send(1)
		f.want(fmt.Sprintf("P. %d:%d(1) ack 1", i+1, i+2))
	}
}

func TestNoPush(t *testing.T) {
	f := at(t, tcb.Established)
	f.c.SetNoPush(true)
	f.send(10)
	f.wantNothing()
	f.send(1000)
	f.want(". 1:1001(1000) ack 1")
	f.wantNothing()
	f.in(". 1:1(0) ack 1001")
	f.wantNothing()
	f.c.SetNoPush(false)
	f.want("P. 1001:1011(10) ack 1")
}

// Silly window avoidance of the sender (RFC 9293, 3.8.6.2.1): a small piece of
// a large queue waits until half the largest window can be filled, or for the
// override timer.
func TestSenderSWS(t *testing.T) {
	f := at(t, tcb.Established)
	f.in(". 1:1(0) ack 1 win 300")
	f.send(2000)
	f.wantNothing()
	f.wantTimer(tcb.TimerPersist, 200*time.Millisecond)
	f.advanceToTimer()
	f.want(". 1:301(300) ack 1")
	f.wantRule(tcb.RuleOverride)
	f.wantNothing()
	f.in(". 1:1(0) ack 301 win 8000")
	f.want(". 301:1301(1000) ack 1")
	f.drain()

	// A peer whose window never was larger than 500 gets 250.
	f = newFixture(t)
	f.peer = 500
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <mss 1000>")
	f.want(". 1:1(0) ack 1")
	f.in(". 1:1(0) ack 1 win 249")
	f.send(2000)
	f.wantNothing()
	f.in(". 1:1(0) ack 1 win 250")
	f.want(". 1:251(250) ack 1")
	f.wantRule(tcb.RuleHalfWindow)
}

// Silly window avoidance of the receiver: "keep RCV.NXT+RCV.WND fixed until:
// RCV.BUFF - RCV.USER - RCV.WND >= min( Fr * RCV.BUFF, Eff.snd.MSS )" (RFC 9293,
// 3.8.6.2.2), Fig 22-3.
func TestReceiverSWS(t *testing.T) {
	f := at(t, tcb.Established, set("rcvbuf=4000"))
	for i := range 4 {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
	}
	f.want(". 1:1(0) ack 4001 win 0")
	f.read(999)
	f.wantNothing()
	f.read(1) // one segment of room, and there was none
	f.want(". 1:1(0) ack 4001 win 1000")
	f.wantRule(tcb.RuleWindowUpdate)
	f.read(999)
	f.wantNothing()
	f.read(1001)
	f.want(". 1:1(0) ack 4001 win 3000")
}

// rel-4, Fig 20-3: the sender fills the window and stops.
func TestFlowControl(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.in(". 1:1(0) ack 1 win 2500")
	f.send(5000)
	f.want(". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1")
	f.wantNothing() // 500 are no full segment, and less than half of 8000
	f.in(". 1:1(0) ack 2001 win 0")
	f.wantNothing()
	f.in(". 1:1(0) ack 2001 win 2500")
	f.want(". 2001:3001(1000) ack 1", ". 3001:4001(1000) ack 1")
	f.drain()
}

// "SND.WL1 records the sequence number of the last segment used to update
// SND.WND [...]. The check here prevents using old segments to update the
// window."
func TestOldWindow(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:11(10) ack 1 win 5000")
	f.in("P. 11:21(10) ack 1 win 4000")
	f.drain()
	f.in(". 1:11(10) ack 1 win 9999")
	f.drain()
	if got := f.c.Info().SndWnd; got != 4000 {
		t.Errorf("the window is %d", got)
	}
	f.in(". 15:25(10) ack 1 win 3000") // trimmed to 21:25
	f.drain()
	if got := f.c.Info().SndWnd; got != 3000 {
		t.Errorf("the window is %d", got)
	}
	f.in("P. 35:45(10) ack 1 win 6000") // beyond a hole
	f.drain()
	f.in(". 25:25(0) ack 1 win 0")
	if got := f.c.Info().SndWnd; got != 6000 {
		t.Errorf("the window is %d", got)
	}
}

// "The total of RCV.NXT and RCV.WND should not be reduced": a buffer that
// shrinks takes no window back.
func TestWindowIsNotTakenBack(t *testing.T) {
	f := at(t, tcb.Established)
	f.c.SetRecvBuffer(f.now, 1000)
	f.in(". 1:1001(1000) ack 1")
	f.in(". 1001:2001(1000) ack 1")
	f.want(". 1:1(0) ack 2001 win 6000")
	for i := 2; i < 8; i++ {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
	}
	f.want(". 1:1(0) ack 8001 win 0")
	f.readAll(8000)
	f.want(". 1:1(0) ack 8001 win 1000")
}

// A larger buffer is told of with the next ACK, or at once if more than half of
// the window is used up.
func TestWindowGrows(t *testing.T) {
	f := at(t, tcb.Established)
	f.c.SetRecvBuffer(f.now, 20000)
	f.wantNothing()
	f.in("P. 1:11(10) ack 1")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 11 win 19990")

	f = at(t, tcb.Established)
	for i := range 5 {
		f.in(fmt.Sprintf(". %d:%d(1000) ack 1", 1+1000*i, 1001+1000*i))
		f.drain()
	}
	f.c.SetRecvBuffer(f.now, 20000)
	f.want(". 1:1(0) ack 5001 win 15000")
	f.wantRule(tcb.RuleWindowUpdate)
}

// rel-5: a stream has no records.
func TestStream(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:11(10) ack 1")
	f.in("P. 11:31(20) ack 1")
	f.in("P. 31:81(50) ack 1")
	for range 4 {
		f.read(20)
	}
	f.in("F. 81:81(0) ack 1")
	f.drain()
	if _, err := f.c.Read(f.now, make([]byte, 20)); err != io.EOF {
		t.Error(err)
	}
}

// hdr-3: numbers wrap. The fixture's do anyway; here they do within a segment.
func TestWrap(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(50)
	f.want("P. 1:51(50) ack 1")
	f.in("P. 1:51(50) ack 51")
	f.readAll(50)
	f.drain()
}

// Send takes what there is room for.
func TestSendBuffer(t *testing.T) {
	f := at(t, tcb.Established)
	f.c.SetSendBuffer(1500)
	if n, err := f.c.Send(f.now, make([]byte, 2000)); n != 1500 || err != nil {
		t.Error(n, err)
	}
	if n, err := f.c.Send(f.now, make([]byte, 1)); n != 0 || err != tcb.ErrWouldBlock {
		t.Error(n, err)
	}
	if n := f.c.Writable(); n != 0 {
		t.Error(n)
	}
	f.drain()
	f.in(". 1:1(0) ack 1001")
	if n := f.c.Writable(); n != 1000 {
		t.Error(n)
	}
	f.drain()
}

// "the sender MUST be prepared to probe"; a receiver with a window of 0 hears
// ACKs, URGs and RSTs nevertheless.
func TestZeroWindowHears(t *testing.T) {
	f := at(t, tcb.Established, set("rcvbuf=10"))
	f.in(". 1:11(10) ack 1")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 11 win 0")
	f.send(5)
	f.want("P. 1:6(5) ack 11")
	f.inWant(tcb.OutsideWindow, ". 11:12(1) ack 6")
	f.want(". 6:6(0) ack 11 win 0")
	if got := f.c.Info().SendQueued; got != 0 {
		t.Errorf("%d bytes are unacknowledged", got)
	}
	f.in("R 11:11(0)")
	f.wantErr(tcb.ErrReset)
}

// A Berkeley system sends an ACK when the reader has made room for two
// segments, or else when its clock ticks, however many segments have come.
func TestWindowCounts(t *testing.T) {
	f := at(t, tcb.Established, like("bsd"), set("rcvbuf=4000"))
	f.in("P. 1:1001(1000) ack 1")
	f.in("P. 1001:2001(1000) ack 1")
	f.in("P. 2001:3001(1000) ack 1")
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:1(0) ack 3001 win 1000")
	f.read(1000)
	f.wantNothing()
	f.read(1000)
	f.want(". 1:1(0) ack 3001 win 3000")
}

// Fig 22-3: the byte of a probe is taken, though the window is closed, when there
// is room for it; and the window stays closed until that room is worth telling.
func TestProbeTaken(t *testing.T) {
	f := at(t, tcb.Established, like("bsd"), set("rcvbuf=4000"))
	for _, s := range []string{"1:1001", "1001:2001", "2001:3001", "3001:4001"} {
		f.in("P. " + s + "(1000) ack 1")
	}
	f.advanceToTimer()
	f.want(". 1:1(0) ack 4001 win 0")
	f.inWant(tcb.OutsideWindow, ". 4001:4002(1) ack 1")
	f.want(". 1:1(0) ack 4001 win 0")
	f.read(256)
	f.inWant(tcb.OK, ". 4001:4002(1) ack 1")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 4002 win 0")
	f.read(756)
	f.in(". 4002:4003(1) ack 1")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 4003 win 1010")
}

// Fig 22-1: nine segments, in a window of four, which the head of the stream
// takes, and no reader.
func TestStreamHead(t *testing.T) {
	f := at(t, tcb.Established, like("svr4"), set("rcvbuf=4000", "stream-head=5000"))
	f.in("P. 1:1001(1000) ack 1")
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:1(0) ack 1001 win 4000")
	f.in(". 1001:2001(1000) ack 1")
	f.in(". 2001:3001(1000) ack 1")
	f.want(". 1:1(0) ack 3001 win 4000")
	f.in(". 3001:4001(1000) ack 1")
	f.in("P. 4001:5001(1000) ack 1")
	f.want(". 1:1(0) ack 5001 win 4000")
	for _, s := range []string{"5001:6001", "6001:7001", "7001:8001", "8001:9001"} {
		f.in("P. " + s + "(1000) ack 1")
	}
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:1(0) ack 9001 win 0")
	f.read(1000)
	f.wantNothing()
	f.read(1000)
	f.want(". 1:1(0) ack 9001 win 2000")
}
