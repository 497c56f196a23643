package tcb_test

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// stamped is a machine in ESTABLISHED that does timestamps; those of the peer
// begin at 100.
func stamped(t *testing.T, opts ...option) *fixture {
	t.Helper()
	f := newFixture(t, append([]option{set("timestamps=yes")}, opts...)...)
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) <mss 1000,TS 0:0>")
	f.in("S. 0:0(0) ack 1 <mss 1000,TS 100:0>")
	f.want(". 1:1(0) ack 1 <TS 0:100>")
	return f
}

// RFC 7323, section 3.2: "the TSopt MUST be sent in every non-<RST> segment for
// the duration of the connection", and "If a non-<RST> segment is received
// without a TSopt, a TCP SHOULD silently drop the segment."
func TestTimestamps(t *testing.T) {
	f := stamped(t)
	f.now = 1234 * time.Millisecond
	f.send(10)
	f.want("P. 1:11(10) ack 1 <TS 1234:100>")
	f.inWant(tcb.NoTimestamp, ". 1:1(0) ack 11")
	f.wantNothing()
	f.in("R 1:1(0)")
	f.wantErr(tcb.ErrReset)
}

// PAWS: "R1) If there is a Timestamps option in the arriving segment, SEG.TSval
// < TS.Recent [...] treat the arriving segment as not acceptable: Send an
// acknowledgment in reply [...] and drop the segment."
func TestPAWS(t *testing.T) {
	f := stamped(t)
	f.inWant(tcb.OldTimestamp, "P. 1:11(10) ack 1 <TS 99:0>")
	f.want(". 1:1(0) ack 1 <TS 0:100>")
	f.wantRule(tcb.RulePAWS)
	f.in("P. 1:11(10) ack 1 <TS 100:0>")
	f.readAll(10)
	// After 24 days TS.Recent means nothing (section 5.5).
	f.advance(25 * 24 * time.Hour)
	f.drain()
	f.inWant(tcb.OK, "P. 11:21(10) ack 1 <TS 50:0>")
	f.drain()
	f.advance(time.Second)
	f.want(". 1:1(0) ack 21 <TS 2160001000:50>")
}

// "R3) If an arriving segment satisfies: SEG.TSval >= TS.Recent and SEG.SEQ <=
// Last.ACK.sent, then record its timestamp in TS.Recent": of segments that are
// acknowledged together the first one is echoed, and one beyond a hole is not.
func TestTimestampEcho(t *testing.T) {
	f := stamped(t)
	f.in("P. 1:11(10) ack 1 <TS 101:0>")
	f.in("P. 11:21(10) ack 1 <TS 102:0>")
	f.advanceToTimer()
	f.want(". 1:1(0) ack 21 <TS 100:101>")
	f.in("P. 31:41(10) ack 1 <TS 104:0>")
	f.want(". 1:1(0) ack 21 <TS 100:101>")
	f.in("P. 21:31(10) ack 1 <TS 103:0>")
	f.want(". 1:1(0) ack 41 <TS 100:103>")
}

// The clock of 4.4BSD counts half seconds.
func TestTimestampClock(t *testing.T) {
	f := newFixture(t, like("bsd"), set("timestamps=yes", "wscale=yes"), func(_ *fixture, p *tcb.Params) { p.TSOffset = 146000 })
	f.now = 323600 * time.Millisecond
	f.ok(f.c.OpenActive(f.now, iss))
	f.want("S 0:0(0) <mss 1000,wscale 0,TS 146647:0>")
}

// RFC 6093: "the urgent pointer [...] points to the sequence number of the octet
// following the urgent data". Fig 20-14: 4097 bytes, the last of them urgent.
func TestUrgentOut(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10"))
	f.in(". 1:1(0) ack 1 win 4096")
	f.c.SetNoDelay(true)
	f.send(4096)
	f.drain()
	if n, err := f.c.SendUrgent(f.now, []byte{'!'}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	// The window is full, but the peer is told.
	f.want("U. 4097:4097(0) ack 1 urg 1")
	f.wantRule(tcb.RuleUrgent)
	f.wantNothing()
	f.send(1024)
	f.wantNothing()
	f.in(". 1:1(0) ack 4097 win 0")
	f.wantNothing()
	f.advanceToTimer()
	f.want("U. 4097:4098(1) ack 1 urg 1") // the probe
	f.in(". 1:1(0) ack 4098 win 2048")
	f.want(". 4098:5098(1000) ack 1") // URG no more
	f.drain()
}

// Fig 20-14: each write behind the urgent byte, and each new window, tells of
// it again; no probe does.
func TestUrgentRepeats(t *testing.T) {
	f := at(t, tcb.Established, set("initial-window=10", "bug-urgent=yes"))
	f.in(". 1:1(0) ack 1 win 4000")
	f.c.SetNoDelay(true)
	f.send(4000)
	f.drain()
	if n, err := f.c.SendUrgent(f.now, []byte{'!'}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	f.want("U. 4001:4001(0) ack 1 urg 1")
	f.send(1000)
	f.want("U. 4001:4001(0) ack 1 urg 1")
	f.in(". 1:1(0) ack 4001 win 0")
	f.want("U. 4001:4001(0) ack 1 urg 1")
	f.wantNothing()
	f.wantNoTimer()
	f.in(". 1:1(0) ack 4001 win 2000")
	f.want("U. 4001:5001(1000) ack 1 urg 1", "P. 5001:5002(1) ack 1")
	f.send(1)
	f.want("P. 5002:5003(1) ack 1")
}

// The pointer of RFC 1122 is that of the last urgent byte.
func TestUrgentLast(t *testing.T) {
	f := at(t, tcb.Established, set("urgent-last=yes"))
	_, err := f.c.SendUrgent(f.now, []byte("abc"))
	f.ok(err)
	f.want("PU. 1:4(3) ack 1 urg 2")
	f.in("PU. 1:4(3) ack 4 urg 2")
	if before, ok := f.c.Urgent(); before != 2 || !ok {
		t.Errorf("%d bytes before the mark", before)
	}
	f.drain()
}

// Urgent data is signaled once, its byte is taken out of the stream, and Read
// stops at the mark.
func TestUrgentIn(t *testing.T) {
	f := at(t, tcb.Established)
	if _, err := f.c.ReadUrgent(false); err != tcb.ErrNoUrgent {
		t.Error(err)
	}
	f.in("PU. 1:4(3) ack 1 urg 6") // bytes 1 to 3; the urgent one is the sixth
	if before, ok := f.c.Urgent(); before != 5 || !ok {
		t.Errorf("%d bytes before the mark", before)
	}
	if _, err := f.c.ReadUrgent(false); err != tcb.ErrWouldBlock {
		t.Error(err)
	}
	f.in("PU. 4:11(7) ack 1 urg 3")
	n := 0
	for _, e := range f.events {
		if e.Kind == tcb.UrgentArrived {
			n++
		}
	}
	if n != 1 {
		t.Errorf("signaled %d times", n)
	}
	b, err := f.c.ReadUrgent(true)
	if err != nil || b != 6 {
		t.Errorf("ReadUrgent = %d, %v", b, err)
	}
	p := make([]byte, 100)
	if n, err := f.c.Read(f.now, p); n != 5 || err != nil || p[4] != 5 {
		t.Errorf("Read = %d, %v: %v", n, err, p[:n])
	}
	if !f.c.AtMark() {
		t.Error("not at the mark")
	}
	if n, err := f.c.Read(f.now, p); n != 4 || err != nil || p[0] != 7 {
		t.Errorf("Read = %d, %v: %v", n, err, p[:n])
	}
	if f.c.AtMark() {
		t.Error("still at the mark")
	}
	if b, err := f.c.ReadUrgent(false); err != nil || b != 6 {
		t.Errorf("ReadUrgent = %d, %v", b, err)
	}
	if _, err := f.c.ReadUrgent(false); err != tcb.ErrNoUrgent {
		t.Error(err)
	}
	f.drain()
}

// "If the user has already been signaled (or is still in the "urgent mode") for
// this continuous sequence of urgent data, do not signal the user again" (RFC
// 9293, 3.10.7.4). The mark moves on.
func TestUrgentMoves(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("PU. 1:4(3) ack 1 urg 6")
	f.in("PU. 4:11(7) ack 1 urg 6")
	n := 0
	for _, e := range f.events {
		if e.Kind == tcb.UrgentArrived {
			n++
		}
	}
	if n != 1 {
		t.Errorf("signaled %d times", n)
	}
	if b, err := f.c.ReadUrgent(false); err != nil || b != 9 {
		t.Errorf("ReadUrgent = %d, %v", b, err)
	}
	f.read(8)
	f.drain()
}

// SO_OOBINLINE leaves it in the stream; the mark is there all the same.
func TestUrgentInline(t *testing.T) {
	f := at(t, tcb.Established)
	f.c.SetInline(true)
	f.in("PU. 1:11(10) ack 1 urg 6")
	if _, err := f.c.ReadUrgent(false); err != tcb.ErrNoUrgent {
		t.Error(err)
	}
	f.read(5)
	if !f.c.AtMark() {
		t.Error("not at the mark")
	}
	f.read(5)
	f.drain()
}

// The pointer may come after its byte, in order or beyond a hole.
func TestUrgentLate(t *testing.T) {
	f := at(t, tcb.Established)
	f.in("P. 1:11(10) ack 1")
	f.in("U. 11:11(0) ack 1 urg 0")
	late(f)

	f = at(t, tcb.Established)
	f.in("P. 6:11(5) ack 1")
	f.drain()
	f.in("U. 1:1(0) ack 1 urg 10")
	f.in("P. 1:6(5) ack 1")
	late(f)
}

// late finds that the tenth byte is the urgent one.
func late(f *fixture) {
	f.Helper()
	if b, err := f.c.ReadUrgent(false); err != nil || b != 10 {
		f.Errorf("ReadUrgent = %d, %v", b, err)
	}
	f.read(9)
	if n := f.c.Readable(); n != 0 {
		f.Errorf("%d bytes can be read after the mark", n)
	}
	f.drain()
}

// "Since these Unreachable messages indicate soft error conditions, a TCP
// implementation MUST NOT abort the connection (MUST-56), and it SHOULD make the
// information available to the application (SHLD-25)." At the end the user is
// told of it (fig 21-12).
func TestSoftError(t *testing.T) {
	f := at(t, tcb.Established, set("retries=3"))
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	for range 3 {
		if !f.c.ICMPError(f.now, iss+1, false, errNetwork) {
			t.Error("it is about what is in flight")
		}
		f.advanceToTimer()
		f.want("P. 1:11(10) ack 1")
	}
	if err := f.c.SoftErr(); err != errNetwork {
		t.Error(err)
	}
	if err := f.c.SoftErr(); err != nil {
		t.Error("told twice:", err)
	}
	f.c.ICMPError(f.now, iss+1, true, errNetwork) // a hard one is soft too, here
	f.wantState(tcb.Established)
	f.advanceToTimer()
	f.wantErr(errNetwork)
}

// "TCP [...] SHOULD check that the TCP sequence number contained in the payload
// of the ICMP error message is within the range SND.UNA =< SEG.SEQ < SND.NXT."
func TestForgedICMP(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	if f.c.ICMPError(f.now, iss, true, errNetwork) || f.c.ICMPError(f.now, iss+11, true, errNetwork) {
		t.Error("it is not about what is in flight")
	}
	if f.c.PacketTooBig(f.now, iss+11, 600) {
		t.Error("it is not about what is in flight")
	}
}

// Before RFC 5927 an error about a keepalive probe was heard, whose number is one
// below what is outstanding.
func TestICMPAboutProbe(t *testing.T) {
	for _, loose := range []bool{true, false} {
		f := at(t, tcb.Established)
		f.cfg.LooseICMP = loose
		if f.c.ICMPError(f.now, iss, false, errNetwork) != loose {
			t.Errorf("loose %t, and it is not so", loose)
		}
	}
}

func TestICMPWhileOpening(t *testing.T) {
	f := at(t, tcb.SynSent)
	f.c.ICMPError(f.now, iss, true, errNetwork)
	f.wantState(tcb.Closed)
	f.wantErr(errNetwork)
	f = at(t, tcb.SynSent)
	f.c.ICMPError(f.now, iss, false, errNetwork)
	f.wantState(tcb.SynSent)
	f = at(t, tcb.SynSent, set("soft-refuses=yes"))
	f.c.ICMPError(f.now, iss, false, errNetwork)
	f.wantErr(errNetwork)
}

// RFC 1191: what did not fit is sent again in smaller segments, and the
// congestion window stays.
func TestPacketTooBig(t *testing.T) {
	f := busy(t, 4)
	if !f.c.PacketTooBig(f.now, iss+1, 540) {
		t.Error("not taken")
	}
	f.want(". 1:501(500) ack 1")
	f.wantRule(tcb.RuleSmallerPath)
	f.want(". 501:1001(500) ack 1")
	f.wantCwnd(4)
	f.drain()
	if f.c.PacketTooBig(f.now, iss+1, 1500) {
		t.Error("it is no news")
	}
	if f.c.PacketTooBig(f.now, iss+1, 68); f.c.Info().SegmentSize < 64 {
		t.Error("smaller than is believed")
	}
	f.drain()

	f = busy(t, 4, set("pmtu=no"))
	if f.c.PacketTooBig(f.now, iss+1, 540) {
		t.Error("taken")
	}
}

// RFC 4821: nobody may tell that packets are too big.
func TestBlackHole(t *testing.T) {
	f := newFixture(t, mtu(1500))
	f.ok(f.c.OpenActive(f.now, iss))
	f.drain()
	f.in("S. 0:0(0) ack 1 <mss 1460>")
	f.drain()
	f.send(1460)
	var got []int
	for range 7 {
		s, _ := f.out()
		got = append(got, len(s.Payload))
		f.drain()
		f.advanceToTimer()
	}
	if want := []int{1460, 1460, 1460, 1452, 1452, 1452, 1240}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	f.drain()
}

// RFC 5961, section 7: challenge ACKs are limited in number.
func TestChallengeLimit(t *testing.T) {
	f := at(t, tcb.Established)
	for range 10 {
		f.inWant(tcb.BadReset, "R 100:100(0)")
		f.want(". 1:1(0) ack 1")
		f.wantRule(tcb.RuleChallenge)
	}
	f.in("R 100:100(0)")
	f.in("S 100:100(0)")
	f.in(". 1:1(0) ack 99")
	f.wantNothing()
	f.advance(5 * time.Second)
	f.in("R 100:100(0)")
	f.want(". 1:1(0) ack 1")
}

// RFC 793 without RFC 5961: a RST in the window counts.
func TestResetRFC793(t *testing.T) {
	f := at(t, tcb.Established, set("rfc5961=no"))
	f.inWant(tcb.OutsideWindow, "R 8001:8001(0)")
	f.wantState(tcb.Established)
	f.in("R 8000:8000(0)")
	f.wantErr(tcb.ErrReset)
}

// 18.7: the RST for a segment that nobody wants.
func TestRefuse(t *testing.T) {
	f := at(t, tcb.Closed)
	for _, c := range []struct{ in, want string }{
		{"S 0:0(0)", "R. 0:0(0) ack 1"},
		{"P 5:8(3)", "R. 0:0(0) ack 8"},
		{"F 5:5(0)", "R. 0:0(0) ack 6"},
		{". 5:5(0) ack 77", "R 77:77(0)"},
		{"R 5:5(0)", ""},
		{"R. 5:5(0) ack 7", ""},
	} {
		s := f.parse(c.in)
		var out wire.Segment
		ok := tcb.Refuse(&s, &out) != tcb.NoRule
		if ok != (c.want != "") || ok && f.format(&out, "") != c.want {
			t.Errorf("%s: %s, want %s", c.in, f.format(&out, ""), c.want)
		}
		if ok && (out.SrcPort != localPort || out.DstPort != remotePort) {
			t.Errorf("%s: from %d to %d", c.in, out.SrcPort, out.DstPort)
		}
		f.inWant(tcb.NotOpen, c.in)
		if ok {
			f.want(c.want)
		}
		f.wantNothing()
	}
}

// Stevens, 18.2.3: 1 at boot, 64000 more every half second, and 64000 more for
// each connection.
func TestISN(t *testing.T) {
	rule := tcb.ISNRule{Boot: 1, PerTick: 64000, PerConnection: 64000, Clock: tcb.Clock{Tick: 500 * time.Millisecond}}
	s := tcb.NewISNSource(rule, 0, [16]byte{})
	// Fig 18-6: the first connection, about 38 minutes after boot.
	if got := s.Next(4547*500*time.Millisecond+1, nil); got != 291008001 {
		t.Errorf("%d", got)
	}
	s = tcb.NewISNSource(rule, 0, [16]byte{})
	last := s.Next(0, nil)
	for i := range time.Duration(3) {
		next := s.Next((i+1)*10*time.Second, nil)
		if next-last != 64000*21 {
			t.Errorf("%d more after 10 s", next-last)
		}
		last = next
	}
	// Exercise 18.1: after five wraps it is 43521, modulo 64000.
	s = tcb.NewISNSource(rule, 0, [16]byte{})
	if got := s.Next(47*time.Hour, nil); uint32(got)%64000 != 43521 {
		t.Errorf("%d", uint32(got)%64000)
	}
}

// RFC 6528: each pair of sockets has numbers of its own, that go up with the
// clock; without the secret nobody can tell them.
func TestKeyedISN(t *testing.T) {
	rule := tcb.ISNRule{PerTick: 1, Keyed: true, Clock: tcb.Clock{Tick: 4 * time.Microsecond}}
	a := tcb.NewISNSource(rule, 0, [16]byte{1})
	b := tcb.NewISNSource(rule, 0, [16]byte{2})
	x, y := a.Next(0, []byte("one")), a.Next(0, []byte("two"))
	if x == y || x == b.Next(0, []byte("one")) {
		t.Error("the same number twice")
	}
	if got := a.Next(time.Second, []byte("one")); got-x != 250000 {
		t.Errorf("%d more after a second", got-x)
	}
}

// Every rule says what it does and where it stands, and every reason has a
// name, and no two the same.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for r := tcb.Rule(1); r < tcb.NumRules; r++ {
		s := r.String()
		if s == "" || r.Section() == "" || seen[s] {
			t.Errorf("rule %d: %q, %q", r, s, r.Section())
		}
		seen[s] = true
	}
	for r := tcb.Reason(0); r < tcb.NumReasons; r++ {
		s := r.String()
		if s == "" || seen[s] || s == fmt.Sprintf("reason-%d", r) {
			t.Errorf("reason %d: %q", r, s)
		}
		seen[s] = true
	}
	for i := range tcb.Timer(tcb.NumTimers) {
		if s := i.String(); s == fmt.Sprintf("timer-%d", i) || seen[s] {
			t.Errorf("timer %d: %q", i, s)
		}
	}
	for s := range tcb.State(tcb.NumStates) {
		if s.String() == fmt.Sprintf("state-%d", s) {
			t.Errorf("state %d", s)
		}
	}
}

// What the machine tells of itself: state changes, timers and drops.
func TestEvents(t *testing.T) {
	f := at(t, tcb.Established)
	f.send(10)
	f.want("P. 1:11(10) ack 1")
	f.advanceToTimer()
	f.want("P. 1:11(10) ack 1")
	f.in("R 99999:99999(0)")
	f.in(". 1:1(0) ack 11")
	f.in("R 1:1(0)")
	var got []string
	for _, e := range f.events {
		switch e.Kind {
		case tcb.StateChanged:
			got = append(got, fmt.Sprintf("%v -> %v", e.From, e.To))
		case tcb.TimerSet:
			got = append(got, fmt.Sprintf("set %v %v", e.Timer, e.Deadline))
		case tcb.TimerStopped:
			got = append(got, fmt.Sprintf("stop %v", e.Timer))
		case tcb.TimerFired:
			got = append(got, fmt.Sprintf("fire %v at %v", e.Timer, e.At))
		case tcb.Dropped:
			got = append(got, "drop: "+e.Reason.String())
		case tcb.Retransmit:
			got = append(got, "again: "+e.Rule.String())
		}
	}
	want := []string{
		"set rexmt 1s", "fire rexmt at 1s", "again: the retransmission timer has run out", "set rexmt 3s",
		"drop: outside the window", "stop rexmt", "ESTABLISHED -> CLOSED",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
