package tcb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

// The windows here are those of Linux 6.18 between two network namespaces, with
// tcp_rmem as the profile has it.

// The window of a SYN is a whole number of segments: of those of a SYN+ACK it is
// known whether they have timestamps.
func TestMemoryWindowOfSYN(t *testing.T) {
	for _, c := range []struct {
		mtu, buffer  int
		syn, synAck  int
		scale, third int
	}{
		{576, 0, 65392, 65500, 10, 64},
		{1500, 0, 64240, 65160, 10, 63},
		{9000, 0, 62720, 62636, 10, 62},
		{1500, 10000, 8760, 8688, 0, 8760},
		{1500, 4096, 2920, 2896, 0, 2920},
		{1500, 100000, 65535, 65535, 1, 49640},
	} {
		mss := fmt.Sprintf("mss %d", c.mtu-40)
		a := newFixture(t, like("linux"), mtu(c.mtu))
		p := newFixture(t, like("linux"), mtu(c.mtu))
		if c.buffer > 0 {
			a.c.SetRecvBuffer(0, c.buffer)
			p.c.SetRecvBuffer(0, c.buffer)
		}
		a.ok(a.c.OpenActive(a.now, a.iss))
		s, _ := a.out()
		if int(s.Window) != c.syn || int(s.Options.WindowScale) != c.scale {
			t.Errorf("MTU %d, SO_RCVBUF %d: the SYN tells %d, scale %d", c.mtu, c.buffer, s.Window, s.Options.WindowScale)
		}
		a.in("S. 0:0(0) ack 1 <" + mss + ",wscale 10,sackOK,TS 1:0>")
		a.want(fmt.Sprintf(". 1:1(0) ack 1 win %d", c.third))

		p.ok(p.c.OpenPassive(p.now, p.iss))
		p.in("S 0:0(0) <" + mss + ",wscale 10,sackOK,TS 1:0>")
		p.want(fmt.Sprintf("S. 0:0(0) ack 1 win %d", c.synAck))
	}
}

// stalled returns what a server tells whose user does not read, of count segments
// of size bytes: the windows, one after the other.
func stalled(t *testing.T, size, count, buffer int) (*fixture, string) {
	f := newFixture(t, like("linux"), mtu(1500), set("timestamps=no", "ack-delay=0"))
	if buffer > 0 {
		f.c.SetRecvBuffer(0, buffer)
	}
	f.ok(f.c.OpenPassive(f.now, f.iss))
	f.in("S 0:0(0) <mss 1460,wscale 10,sackOK>")
	f.want("S. 0:0(0) ack 1")
	var all []string
	for i := range count {
		f.in(fmt.Sprintf("P. %d:%d(%d) ack 1", 1+i*size, 1+(i+1)*size, size))
		s, ok := f.out()
		if !ok {
			t.Fatalf("segment %d is not acknowledged", i)
		}
		all = append(all, fmt.Sprint(s.Window))
	}
	return f, strings.Join(all, " ")
}

// The part of the memory that is data is half at first, and more with each larger
// segment; the window grows by two of them for each that comes, and shrinks, once
// it is all there is, by that part of what comes.
func TestMemoryWindowStalled(t *testing.T) {
	for _, c := range []struct {
		size, buffer int
		want         string
	}{
		{1024, 0, "66 69 69 68 68 67 67 66 66 65 64 64 63 63 62 62 61 60 60 59 59 58 57 57"},
		{1460, 0, "66 69 72 75 77 76 75 74 73 72 71 71 70 69 68 67 66 65 64 63 62 61 60 59"},
		{1024, 8192, "7300 7300 6276 6276 5252 5120 4096 3072 3072 2048 2048 1024 1024 0"},
		{500, 4096, "2920 2920 2920 2680 2180 2180 1680 1680 1180 1180 680 680 180"},
		{1460, 100000, "51100 52560 54020 55480 56940 58400 59860 59689 59224 58759 58294 57829 57365"},
	} {
		if _, got := stalled(t, c.size, strings.Count(c.want, " ")+1, c.buffer); got != c.want {
			t.Errorf("%d bytes at a time, SO_RCVBUF %d:\n%s, want\n%s", c.size, c.buffer, got, c.want)
		}
	}
}

// A closed window opens when the user reads, with a segment of its own.
func TestMemoryWindowOpens(t *testing.T) {
	f, _ := stalled(t, 1024, 14, 8192)
	f.read(500)
	f.wantNothing() // there is no room for a segment yet
	f.read(524)
	f.want(". 1:1(0) ack 14337 win 1024")
	f.wantRule(tcb.RuleWindowUpdate)
}

// bulk has a peer send a window a round trip to a user who reads it at once, or
// half of it, and returns how large the buffer becomes.
func bulk(t *testing.T, slow bool, prepare func(*fixture)) int {
	const rtt = 20 * time.Millisecond
	f := newFixture(t, like("linux"), mtu(1500), set("timestamps=no", "ack-delay=0"))
	prepare(f)
	f.ok(f.c.OpenPassive(f.now, f.iss))
	f.in("S 0:0(0) <mss 1460,wscale 10,sackOK>")
	f.want("S. 0:0(0) ack 1")
	f.advance(rtt)
	f.in(". 1:1(0) ack 1")
	s := f.parse(". 1:1461(1460) ack 1")
	for range 20 {
		f.advance(rtt)
		for n := f.c.Info().RcvWnd / 1460; n > 0; n-- {
			f.c.Input(f.now, &s)
			f.drain()
			s.Seq = s.Seq.Add(1460)
		}
		n := f.c.Readable()
		if slow {
			n = min(n, 5000)
		}
		if _, err := f.c.Read(f.now, make([]byte, n)); n > 0 && err != nil {
			t.Fatal(err)
		}
		f.drain()
	}
	return f.c.Info().RecvBuffer
}

// The buffer grows for a user who keeps up, and as far as the profile lets it.
func TestMemoryGrows(t *testing.T) {
	for _, c := range []struct {
		name    string
		slow    bool
		prepare func(*fixture)
		want    int
	}{
		{"keeps up", false, func(*fixture) {}, 16777216},
		{"reads little", true, func(*fixture) {}, 65536},
		{"not more than 200000", false, func(f *fixture) { f.cfg.RecvMax = 200000 }, 200000},
		{"SO_RCVBUF", false, func(f *fixture) { f.c.SetRecvBuffer(0, 100000) }, 100000},
		{"never", false, func(f *fixture) { f.cfg.RecvMax = 0 }, 65536},
	} {
		if got := bulk(t, c.slow, c.prepare); got != c.want {
			t.Errorf("%s: the buffer has come to %d bytes, want %d", c.name, got, c.want)
		}
	}
}

// "The window field in a segment where the SYN bit is set (i.e., a <SYN> or
// <SYN,ACK>) MUST NOT be scaled." (RFC 7323, 2.2). That of a SYN+ACK which has
// crossed ours is none.
func TestCrossingWindowIsNotScaled(t *testing.T) {
	f := at(t, tcb.SynSent, set("wscale=yes"))
	f.in("S 0:0(0) win 2000 <mss 1000,wscale 7>")
	f.want("S. 0:0(0) ack 1")
	f.in("S. 0:0(0) ack 1 win 2000 <mss 1000,wscale 7>")
	if got := f.c.Info().SndWnd; got != 2000 {
		t.Errorf("the window of the peer is %d", got)
	}
}
