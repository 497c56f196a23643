package tcb_test

import (
	"io"
	"testing"
	"time"
	"unsafe"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Fig 18-4: FIN, ACK, FIN, ACK, and 2MSL.
func TestNormalClose(t *testing.T) {
	f := at(t, tcb.Established)
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 1")
	f.in(". 1:1(0) ack 2")
	f.wantState(tcb.FinWait2)
	f.in("F. 1:1(0) ack 2")
	f.want(". 2:2(0) ack 2")
	f.wantState(tcb.TimeWait)
	f.wantTimer(tcb.Timer2MSL, 4*time.Minute)
	f.advance(4 * time.Minute)
	f.wantState(tcb.Closed)
	f.wantErr(nil)
	f.wantNoTimer()
}

// Fig 18-19: both close at once, and both end in TIME_WAIT.
func TestSimultaneousClose(t *testing.T) {
	f := at(t, tcb.Established)
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 1")
	f.in("F. 1:1(0) ack 1")
	f.want(". 2:2(0) ack 2")
	f.wantState(tcb.Closing)
	f.in(". 2:2(0) ack 2")
	f.wantState(tcb.TimeWait)
}

// Stevens, 18.5: the half-closed end still receives, for as long as the other
// likes.
func TestHalfClose(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(10)
	f.ok(f.c.Shutdown(f.now))
	f.want("FP. 1:11(10) ack 1")
	f.in(". 1:1(0) ack 12")
	f.wantState(tcb.FinWait2)
	f.wantNoTimer()
	for i := range 3 {
		f.advance(time.Hour)
		f.in([]string{"P. 1:11(10) ack 12", "P. 11:21(10) ack 12", "P. 21:31(10) ack 12"}[i])
		f.advanceToTimer()
		f.want([]string{". 12:12(0) ack 11", ". 12:12(0) ack 21", ". 12:12(0) ack 31"}[i])
		f.read(10)
	}
	f.in("F. 31:31(0) ack 12")
	f.want(". 12:12(0) ack 32")
	f.wantState(tcb.TimeWait)
	if _, err := f.c.Read(f.now, make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}

// CLOSE_WAIT lasts until the user closes; what is sent in it arrives (close-1).
func TestCloseWaitSends(t *testing.T) {
	f := at(t, tcb.CloseWait)
	f.wantNoTimer()
	f.advance(24 * time.Hour)
	f.send(5)
	f.want("P. 1:6(5) ack 2")
	f.in(". 2:2(0) ack 6")
	f.ok(f.c.Close(f.now))
	f.want("F. 6:6(0) ack 2")
	f.in(". 2:2(0) ack 7")
	f.wantState(tcb.Closed)
	f.wantErr(nil)
}

// "Queue this until all preceding SENDs have been segmentized, then form a FIN
// segment and send it." A window that is full holds it up.
func TestFINWaitsForData(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.in(". 1:1(0) ack 1 win 1500")
	f.send(1500)
	f.ok(f.c.Close(f.now))
	f.want(". 1:1001(1000) ack 1", "P. 1001:1501(500) ack 1")
	f.wantNothing()
	f.wantState(tcb.FinWait1)
	f.in(". 1:1(0) ack 1501 win 1500")
	f.want("F. 1501:1501(0) ack 1")
}

// "If no SENDs have been issued and there is no pending data to send, then form
// a FIN segment and send it, and enter FIN-WAIT-1 state; otherwise, queue for
// processing after entering ESTABLISHED state." (RFC 9293, 3.10.4)
func TestCloseInSynRcvd(t *testing.T) {
	f := at(t, tcb.SynRcvd)
	f.send(5)
	f.ok(f.c.Shutdown(f.now))
	f.wantNothing()
	f.wantState(tcb.SynRcvd)
	f.in(". 1:1(0) ack 1")
	f.wantState(tcb.FinWait1)
	f.want("FP. 1:6(5) ack 1")

	// And if the SYN+ACK is lost, it comes again before the FIN.
	f = at(t, tcb.SynRcvd)
	f.ok(f.c.Shutdown(f.now))
	f.want("F. 1:1(0) ack 1")
	f.advanceToTimer()
	f.want("S. 0:0(0) ack 1")
	f.in(". 1:1(0) ack 1")
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 1")
	f.in(". 1:1(0) ack 2")
	f.wantState(tcb.FinWait2)
}

// "If such a host issues a CLOSE call while received data is still pending in
// TCP, or if new data is received after CLOSE is called, its TCP SHOULD send an
// RST to show that data was lost." (RFC 1122, 4.2.2.13)
func TestCloseWithUnreadData(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:6(5) ack 1")
	f.ok(f.c.Close(f.now))
	f.want("R. 1:1(0) ack 6")
	f.wantRule(tcb.RuleCloseUnread)
	f.wantState(tcb.Closed)

	// The Berkeley systems send a FIN.
	f = at(t, tcb.Established, set("close-reset=no"))
	f.in("P. 1:6(5) ack 1")
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 6")
}

func TestDataAfterClose(t *testing.T) {
	for _, s := range []tcb.State{tcb.FinWait1, tcb.FinWait2} {
		f := at(t, s)
		f.ok(f.c.Close(f.now))
		f.inWant(tcb.DataAfterClose, "P. 1:6(5) ack 2")
		f.want("R 2:2(0)")
		f.wantRule(tcb.RuleDataAfterClose)
		f.wantState(tcb.Closed)
	}
}

// Fig 18-15: SO_LINGER with a time of 0.
func TestAbort(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(13)
	f.want("P. 1:14(13) ack 1")
	f.in(". 1:1(0) ack 14")
	f.ok(f.c.Abort(f.now))
	f.want("R. 14:14(0) ack 1")
	f.wantState(tcb.Closed)
	f.wantNoTimer()
}

// The end that is aborted can still read what had arrived; then it is told.
func TestAborted(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:14(13) ack 1")
	f.in("R. 14:14(0) ack 1")
	f.wantState(tcb.Closed)
	f.read(13)
	if _, err := f.c.Read(f.now, make([]byte, 1)); err != tcb.ErrReset {
		t.Error(err)
	}
	if _, err := f.c.Send(f.now, []byte("x")); err != tcb.ErrReset {
		t.Error(err)
	}
}

// Fig 18-16: the other end has crashed and knows nothing of the connection.
func TestHalfOpen(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(14)
	f.want("P. 1:15(14) ack 1")
	// What a host that has been rebooted answers: <SEQ=SEG.ACK><CTL=RST>.
	f.in("R 1:1(0)")
	f.wantErr(tcb.ErrReset)
	f.wantState(tcb.Closed)
}

// Stevens, 18.6: FIN_WAIT_2 after a full close, and not after a half-close.
func TestFinWait2(t *testing.T) {
	for _, c := range []struct {
		profile string
		want    time.Duration
	}{
		{"bsd", 675 * time.Second},
		{"linux", 60 * time.Second},
		{"rfc9293", 0},
	} {
		f := at(t, tcb.FinWait2, like(c.profile), set("timestamps=no", "sack=no", "wscale=no"))
		f.wantNoTimer()
		f.ok(f.c.Close(f.now))
		if c.want == 0 {
			f.wantNoTimer()
			continue
		}
		f.wantTimer(tcb.TimerFinWait2, c.want)
		f.advance(c.want)
		f.wantState(tcb.Closed)
		// Exercise 18.6: a FIN that comes later is answered by a RST.
		f.inWant(tcb.NotOpen, "F. 1:1(0) ack 2")
		f.want("R 2:2(0)")
	}
}

// "The only thing that can arrive in this state is a retransmission of the
// remote FIN. Acknowledge it, and restart the 2 MSL timeout." (exercise 18.15)
func TestTimeWaitRestarts(t *testing.T) {
	f := at(t, tcb.TimeWait)
	f.advance(20 * time.Second)
	f.in("F. 1:1(0) ack 2")
	f.want(". 2:2(0) ack 2")
	f.wantTimer(tcb.Timer2MSL, 4*time.Minute)
	// Old data and old ACKs are answered, and change nothing (2msl-why-3).
	f.advance(20 * time.Second)
	f.inWant(tcb.OldDuplicate, "P. -20:-10(10) ack 1")
	f.want(". 2:2(0) ack 2")
	f.wantTimer(tcb.Timer2MSL, 4*time.Minute-20*time.Second)
}

// RFC 1337: TIME_WAIT assassination (exercise 18.16).
func TestTimeWaitAssassination(t *testing.T) {
	f := at(t, tcb.TimeWait)
	f.in("R 2:2(0)")
	f.wantState(tcb.Closed)
	f = at(t, tcb.TimeWait, set("rfc1337=yes"))
	f.inWant(tcb.Assassin, "R 2:2(0)")
	f.wantState(tcb.TimeWait)
}

// Stevens, 18.6: a SYN whose number is beyond the old ones begins a new
// incarnation; 4.4BSD adds 128000 to the old numbers, Linux 65537.
func TestReuse(t *testing.T) {
	for _, c := range []struct {
		profile string
		beyond  uint32
	}{
		{"bsd", 128000}, {"linux", 65537}, {"rfc9293", 0},
	} {
		f := at(t, tcb.TimeWait, like(c.profile), set("timestamps=no", "sack=no", "wscale=no"))
		f.inWant(tcb.NewIncarnation, "S 5000:5000(0)")
		f.wantState(tcb.TimeWait)
		w := f.c.TimeWaiter()
		got, rule := w.ReuseISS()
		if uint32(got-w.SndNxt()) != c.beyond || rule != (c.beyond != 0) {
			t.Errorf("%s: the ISN is %d beyond the old numbers", c.profile, got-w.SndNxt())
		}
		// A smaller number gets an ACK, and nothing changes.
		f.inWant(tcb.OldDuplicate, "S -5000:-5000(0)")
		f.want(". 2:2(0) ack 2")
		f.wantState(tcb.TimeWait)
	}
	f := at(t, tcb.TimeWait, set("time-wait-reuse=never"))
	f.inWant(tcb.SYNInWindow, "S 5000:5000(0)")
	f.want(". 2:2(0) ack 2")
}

// RFC 6191: with timestamps, a newer one is enough.
func TestReuseByTimestamp(t *testing.T) {
	f := newFixture(t, set("timestamps=yes"))
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <TS 100:0>")
	f.want(". 1:1(0) ack 1 <TS 0:100>")
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 1")
	f.in("F. 1:1(0) ack 2 <TS 200:0>")
	f.want(". 2:2(0) ack 2 <TS 0:200>")
	for _, c := range []struct {
		in   string
		want tcb.Reason
		ack  bool
	}{
		{"S -5000:-5000(0) <TS 201:0>", tcb.NewIncarnation, false},
		{"S -5000:-5000(0) <TS 200:0>", tcb.OldDuplicate, true},
		{"S 5000:5000(0) <TS 200:0>", tcb.NewIncarnation, false},
		{"S 5000:5000(0) <TS 199:0>", tcb.SYNInWindow, true},
		{"S 5000:5000(0)", tcb.NewIncarnation, false},
	} {
		f.inWant(c.want, c.in)
		if c.ack {
			f.want(". 2:2(0) ack 2 <TS 0:200>")
		}
		f.wantNothing()
	}
}

// A TimeWaiter answers as the machine does, and is small.
func TestTimeWaiter(t *testing.T) {
	if n := unsafe.Sizeof(tcb.TimeWaiter{}); n > 64 {
		t.Errorf("a TimeWaiter has %d bytes", n)
	}
	for _, in := range []string{
		"F. 1:1(0) ack 2", "P. 1:5(4) ack 2", "S 1:1(0)", "S 9:9(0)", "R 2:2(0)", "R 3:3(0)",
		". 2:2(0) ack 2", "F 1:1(0)", "P. 9000:9005(5) ack 2", "R 90000:90000(0)",
	} {
		f := at(t, tcb.TimeWait, set("timestamps=no"))
		w := f.c.TimeWaiter()
		f.advance(30 * time.Second)
		s := f.parse(in)
		var out wire.Segment
		why, reply, over := w.Input(f.now, &s, &out)
		if got := f.in(in); got != why {
			t.Errorf("%s: the machine says %v, the TimeWaiter %v", in, got, why)
		}
		machine, ok := f.out()
		if ok != reply || ok && f.format(&machine, " win <") != f.format(&out, " win <") {
			t.Errorf("%s: the machine sends %v, the TimeWaiter %v", in, f.format(&machine, ""), f.format(&out, ""))
		}
		if over != (f.c.State() == tcb.Closed) {
			t.Errorf("%s: the TimeWaiter is over: %v, the machine in %v", in, over, f.c.State())
		}
		if d, ok := f.c.Deadline(tcb.Timer2MSL); ok && d != w.Deadline {
			t.Errorf("%s: the machine ends at %v, the TimeWaiter at %v", in, d, w.Deadline)
		}
	}
}

// Each of the four segments of a close may be lost (2msl-why-2).
func TestLostFIN(t *testing.T) {
	f := at(t, tcb.FinWait1)
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 1")
	f.wantRule(tcb.RuleTimeout)

	f = at(t, tcb.LastAck)
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 2")
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 2")
	f.in(". 2:2(0) ack 2")
	f.wantState(tcb.Closed)

	f = at(t, tcb.Closing)
	f.advanceToTimer()
	f.want("F. 1:1(0) ack 2")
	f.in("F. 1:1(0) ack 1") // the FIN comes again
	f.want(". 2:2(0) ack 2")
	f.wantState(tcb.Closing)
	f.in("F. 1:1(0) ack 2") // and with the ACK of ours
	f.want(". 2:2(0) ack 2")
	f.wantState(tcb.TimeWait)
}

// The ACK of a FIN is sent at once; Linux lets it wait for the user to close
// (Fig 18-3: seven segments; Linux: six).
func TestACKOfFIN(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("F. 1:1(0) ack 1")
	f.want(". 1:1(0) ack 2")
	f.wantRule(tcb.RuleACKOfFIN)

	f = at(t, tcb.Established, set("ack-delay-fin=yes", "ack-delay=40ms"))
	f.in("F. 1:1(0) ack 1")
	f.wantNothing()
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 2")

	f = at(t, tcb.Established, set("ack-delay-fin=yes", "ack-delay=40ms"))
	f.in("F. 1:1(0) ack 1")
	if got := f.advanceToTimer(); got != 40*time.Millisecond {
		t.Error(got)
	}
	f.want(". 1:1(0) ack 2")
}

// A FIN beyond a hole waits for what is missing.
func TestFINBeyondAHole(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("FP. 6:11(5) ack 1")
	f.want(". 1:1(0) ack 1")
	f.wantState(tcb.Established)
	f.in("P. 1:6(5) ack 1")
	f.want(". 1:1(0) ack 12")
	f.wantState(tcb.CloseWait)
	f.read(10)
	if !f.c.AtEOF() {
		t.Error("not at EOF")
	}
}

// A FIN in a window of 0 is taken: it needs no room.
func TestFINInZeroWindow(t *testing.T) {
	f := at(t, tcb.Established, set("rcvbuf=5"))
	f.in("P. 1:6(5) ack 1")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 6 win 0")
	f.in("F. 6:6(0) ack 1")
	f.wantState(tcb.CloseWait)
	f.want(". 1:1(0) ack 7")
}

// What a close that lingers waits for.
func TestDrained(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(5)
	f.ok(f.c.Close(f.now))
	f.want("FP. 1:6(5) ack 1")
	f.in(". 1:1(0) ack 6")
	if f.c.Drained() {
		t.Error("the FIN has not been acknowledged")
	}
	f.in(". 1:1(0) ack 7")
	if !f.c.Drained() {
		t.Error("all has been acknowledged")
	}
}

// Data beyond the FIN is nonsense, whether it comes before the FIN or after.
func TestDataBeyondFIN(t *testing.T) {
	f := at(t, tcb.Established, set("sack=yes"))
	f.in("P. 6:21(15) ack 1")
	f.in("P. 31:41(10) ack 1")
	f.drain()
	f.in("F. 11:11(0) ack 1")
	f.drain()
	f.in("P. 11:16(5) ack 1")
	f.drain()
	f.in("P. 1:6(5) ack 1")
	f.wantState(tcb.CloseWait)
	f.want(". 1:1(0) ack 12")
	f.read(10)
}
