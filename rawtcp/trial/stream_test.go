package trial_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// What the documents say of the header and of the stream: hdr and rel.

// hdr-1: the SYN and a data segment, byte by byte, as they are on the wire.
func TestHdr1(t *testing.T) {
	l := newLab(t, transit)
	var packets [][]byte
	l.watch = append(l.watch, func(e trace.Event) {
		if e.Kind == trace.Sent {
			packets = append(packets, slices.Clone(e.Packet))
		}
	})
	bsdi := l.add("bsdi", "isn=1000", "wscale=yes", "timestamps=yes", "mss-round=0")
	svr4 := l.add("svr4", "isn=5000")
	k := l.listen(svr4, discard)
	l.to(146647 * 500 * ms)
	c := l.dial(bsdi, svr4, discard)
	l.accept(k)
	l.write(c, "abc")
	l.run(time.Second)
	syn := packets[0][20:]
	ticks := uint32(146647)
	isn := 1000 + 64000*ticks // modulo 2^32
	want := []byte{
		0x04, 0x00, 0x00, 0x09, // ports 1024 and 9
		byte(isn >> 24), byte(isn >> 16), byte(isn >> 8), byte(isn),
		0, 0, 0, 0, // no acknowledgment
		0xa0, 0x02, 0x10, 0x00, // 10 words, SYN, window 4096
		syn[16], syn[17], 0, 0, // the checksum is looked at below; no urgent pointer
		2, 4, 0x05, 0xb4, // MSS 1460
		1, 3, 3, 0, // NOP, window scale 0
		1, 1, 8, 10, 0, 2, 0x3c, 0xd7, 0, 0, 0, 0, // timestamp 146647 0
	}
	if !slices.Equal(syn, want) {
		t.Errorf("the SYN is\n% x, not\n% x", syn, want)
	}
	data := packets[3][20:]
	if data[12]>>4 != 5 || len(data) != 20+3 || string(data[20:]) != "abc" || data[13] != byte(wire.ACK|wire.PSH) {
		t.Errorf("the data segment is % x", data)
	}
	if at, ack := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:]); at != isn+1 || ack != binary.BigEndian.Uint32(packets[1][24:])+1 {
		t.Errorf("seq %d ack %d", at, ack)
	}
	for _, p := range packets {
		if sum := plainSum(bsdi.addr(rawtcp.IPv4), svr4.addr(rawtcp.IPv4), p[20:]); sum != 0xffff {
			t.Errorf("the checksum of % x is wrong", p)
		}
	}
}

// numbered opens a connection whose ends have given initial numbers.
func numbered(t *testing.T, prof string, a, b seq.Value) (l *lab, c, s *rawtcp.Socket) {
	t.Helper()
	l = newLab(t, transit)
	set := func(n seq.Value) []string {
		return []string{fmt.Sprint("isn=", n), "isn-keyed=no", "isn-tick=0", "timestamps=no"}
	}
	c, s = l.connection(l.addAs("bsdi", prof, set(a)...), l.addAs("svr4", prof, set(b)...), discard)
	l.lister.Absolute = true
	return l, c, s
}

// hdr-2: 100 bytes from 301 are followed by 401; 200 bytes from 501 are
// acknowledged by 701.
func TestHdr2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 300, 500)
		l.write(c, strings.Repeat("a", 100))
		l.write(s, strings.Repeat("b", 200))
		l.run(time.Second)
		a, b := c.Info(), s.Info()
		if a.SndNxt != 401 || a.SndUna != 401 || a.RcvNxt != 701 || b.SndNxt != 701 || b.SndUna != 701 || b.RcvNxt != 401 {
			t.Errorf("%+v\n%+v", a, b)
		}
		first := slices.IndexFunc(l.segs, func(s wire.Segment) bool { return len(s.Payload) == 100 })
		second := slices.IndexFunc(l.segs, func(s wire.Segment) bool { return len(s.Payload) == 200 })
		if l.segs[first].Seq != 301 || l.segs[second].Seq != 501 {
			t.Errorf("numbers %d and %d", l.segs[first].Seq, l.segs[second].Seq)
		}
		if n := len(l.segs); l.segs[n-1].Ack != 701 && l.segs[n-2].Ack != 701 {
			t.Errorf("nothing has ack 701:\n%s", l.listing())
		}
	})
}

// hdr-3: after 4294967295 comes 0.
func TestHdr3(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 4294967290, 4294967295)
		l.write(c, strings.Repeat("a", 20))
		l.write(s, "b")
		l.run(time.Second)
		l.wantRead(s, strings.Repeat("a", 20), nil)
		l.wantRead(c, "b", nil)
		if in := c.Info(); in.SndNxt != 15 || in.SndUna != 15 || in.RcvNxt != 1 {
			t.Errorf("%+v", in)
		}
		i := slices.IndexFunc(l.segs, func(s wire.Segment) bool { return len(s.Payload) == 20 })
		if at := l.segs[i].Seq; at != 4294967291 {
			t.Errorf("its first byte has the number %d", at)
		}
		for _, k := range []*rawtcp.Socket{c, s} {
			l.ok(k.Close(l.now))
		}
		l.rest()
		l.wantEmpty(l.hosts...)
	})
}

// hdr-4 and hdr-5: SYN and FIN take a number, an ACK does not; and every segment
// after the first SYN has an ACK.
func TestHdr4(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 100, 200)
		l.write(c, "12345")
		l.run(time.Second)
		l.wantRead(s, "12345", nil)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.ok(s.Close(l.now))
		l.run(time.Second)
		// SYN, five bytes and FIN; SYN and FIN.
		if a, b := l.last(l.byName["bsdi"]), l.last(l.byName["svr4"]); a != 107 || b != 202 {
			t.Errorf("the last numbers are %d and %d", a, b)
		}
		for i, s := range l.segs {
			if s.Flags.Has(wire.ACK) != (i > 0) {
				t.Errorf("segment %d has the flags %v", i+1, s.Flags)
			}
		}
	})
}

// hdr-6 and rel-1: a damaged segment is dropped and not acknowledged, one that
// is lost does not arrive; both are sent again.
func TestRel1(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		for _, rule := range []string{"corrupt the 1st data segment from bsdi", "drop the 1st data segment from bsdi"} {
			l, c, s := numbered(t, prof, 100, 200)
			l.rule(rule)
			n := len(l.segs)
			l.write(c, "important")
			l.run(100 * ms)
			if len(l.segs) != n+1 {
				t.Errorf("%s: it is answered:\n%s", rule, l.listing())
			}
			l.run(5 * time.Second)
			l.wantRead(s, "important", nil)
			if again := l.segs[n+1]; string(again.Payload) != "important" || again.Seq != 101 {
				t.Errorf("%s: sent again is %+v", rule, again)
			}
			if bad := l.byName["svr4"].Stats().BadChecksums; (bad == 1) != strings.HasPrefix(rule, "corrupt") {
				t.Errorf("%s: %d bad checksums", rule, bad)
			}
		}
	})
}

// rel-2: of two segments that have changed places the first to come is answered
// by a duplicate ACK, and the data is read in order.
func TestRel2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 100, 200)
		l.ok(c.Set(l.now, rawtcp.NoDelay, 1))
		// The congestion window of Berkeley has room for two after this.
		l.write(c, "zero ")
		l.run(time.Second)
		l.rule("hold the 1st data segment from bsdi for 50 ms")
		n := len(l.segs)
		l.write(c, "one ")
		l.write(c, "two")
		l.run(10 * ms)
		l.wantRead(s, "zero ", nil)
		if dup := l.segs[n+2]; dup.Flags != wire.ACK || dup.Ack != 106 {
			t.Errorf("the answer is %+v:\n%s", dup, l.listing())
		}
		l.run(time.Second)
		l.wantRead(s, "one two", nil)
		if got := flagsOf(l.segs[n:]); got != "PSH|ACK PSH|ACK ACK ACK" || l.segs[n+3].Ack != 113 {
			t.Errorf("%s:\n%s", got, l.listing())
		}
	})
}

// rel-3: a duplicate is acknowledged again, and read once.
func TestRel3(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 100, 200)
		l.rule("duplicate the 1st data segment from bsdi after 500 ms")
		n := len(l.segs)
		l.write(c, "once")
		l.run(2 * time.Second)
		l.wantRead(s, "once", nil)
		if got := flagsOf(l.segs[n:]); got != "PSH|ACK ACK ACK" || l.segs[n+1].Ack != 105 || l.segs[n+2].Ack != 105 {
			t.Errorf("%s:\n%s", got, l.listing())
		}
	})
}

// rel-4: a receiver with a buffer of 4096 that does not read. The sender fills
// the window, and no more than that.
func TestRel4(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi := l.addAs("bsdi", prof, "sndbuf=20000")
		sun := l.addAs("sun", prof, "rcvbuf=4096")
		c, s := l.connection(bsdi, sun, discard)
		text := strings.Repeat("0123456789", 1000)
		l.write(c, text)
		l.run(time.Minute)
		// A window that is scaled may have a rest that cannot be told.
		room := 4096
		if prof == "linux" {
			room = s.Info().RecvQueued + s.Info().RcvWnd
			if room < 4096*15/16 || room > 2*4096 {
				t.Errorf("%d bytes have found room", room)
			}
		}
		if in := s.Info(); in.RecvQueued+in.RcvWnd != room || in.RcvWnd>>in.RcvShift != 0 {
			t.Errorf("%d bytes have come, and there is room for %d", in.RecvQueued, in.RcvWnd)
		}
		if in := c.Info(); int(in.SndNxt.Sub(in.ISS)) > 1+room+1 {
			t.Errorf("%d bytes have been sent", in.SndNxt.Sub(in.ISS)-1)
		}
		r := l.reader(s)
		r.read(l.now)
		l.run(2 * time.Minute)
		l.wantText(r, text, nil)
	})
}

// rel-5: the stream has no marks: writes of 10, 20 and 50 bytes are four reads
// of 20.
func TestRel5(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 100, 200)
		for _, n := range []int{10, 20, 50} {
			l.write(c, strings.Repeat("x", n))
		}
		l.ok(c.Shutdown(l.now))
		l.run(5 * time.Second)
		var reads []int
		for {
			n, err := s.Read(l.now, make([]byte, 20))
			if err == io.EOF {
				break
			}
			l.ok(err)
			reads = append(reads, n)
		}
		if !slices.Equal(reads, []int{20, 20, 20, 20}) {
			t.Errorf("reads of %v bytes", reads)
		}
	})
}

// rel-6: the delayed ACK, at a tick of 200 ms for Berkeley. Linux waits for 40 ms,
// but not for the first data.
func TestRel6(t *testing.T) {
	for _, c := range []struct {
		system string
		at     time.Duration // of the segment
		ack    time.Duration
	}{
		{"bsd", 5010 * ms, 5200 * ms},
		{"bsd", 5190 * ms, 5200 * ms},
		{"linux", 5000 * ms, 5000*ms + transit},
		{"rfc9293", 5000 * ms, 5100*ms + transit},
	} {
		l, k, _ := numbered(t, c.system, 100, 200)
		l.to(c.at)
		l.write(k, "x")
		l.run(time.Second)
		if len(l.seen) != 2 || l.seen[1].at != c.ack {
			t.Errorf("%s: sent at %v, and the ACK not at %v:\n%s", c.system, c.at, c.ack, l.listing())
		}
	}
}

// route-loop: the first copy wanders about for 20 s, a retransmission gets
// through; the first one is thrown away when it comes.
func TestRouteLoop(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, c, s := numbered(t, prof, 100, 200)
		l.rule("hold the 1st data segment from bsdi for 20 s")
		l.write(c, "wanderer")
		l.run(10 * time.Second)
		l.wantRead(s, "wanderer", nil)
		l.ok(c.Shutdown(l.now))
		l.run(5 * time.Second)
		l.wantEOF(s)
		l.skip()
		before := len(l.drops)
		l.run(10 * time.Second)
		if got := flagsOf(l.segs[len(l.segs)-len(l.seen):]); got != "ACK" {
			t.Errorf("the answer is %s:\n%s", got, l.listing())
		}
		if len(l.drops) != before+1 || l.drops[before] != tcb.OldDuplicate {
			t.Errorf("it is dropped for %v", l.drops[before:])
		}
		l.wantEOF(s)
		l.wantState(s, tcb.CloseWait)
	})
}
