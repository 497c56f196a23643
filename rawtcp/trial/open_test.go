package trial_test

import (
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// 18.2 and 18.3: how a connection is opened, and what becomes of it if nobody
// answers.

// fig18-1, fig18-3 and fig18-13: open, four seconds of nothing, close. Seven
// segments, with the numbers of the book.
func TestFig18_1(t *testing.T) {
	l := newLab(t, transit)
	svr4 := l.add("svr4", "isn=1415531521", "port-first=1037")
	bsdi := l.add("bsdi", "isn=1823083521")
	l.lister.Absolute = true
	k := l.listen(bsdi, discard)
	c := l.dial(svr4, bsdi, discard)
	s := l.accept(k)
	l.to(4155441 * time.Microsecond)
	l.ok(c.Close(l.now))
	l.run(5 * ms)
	l.wantEOF(s)
	l.ok(s.Close(l.now))
	l.run(100 * ms)
	l.want(
		"0.0 svr4.1037 > bsdi.9: S 1415531521:1415531521(0) win 4096 <mss 1024>",
		"bsdi.9 > svr4.1037: S 1823083521:1823083521(0) ack 1415531522 win 4096 <mss 1024>",
		"svr4.1037 > bsdi.9: . ack 1823083522 win 4096",
		"4.155441 svr4.1037 > bsdi.9: F 1415531522:1415531522(0) ack 1823083522 win 4096",
		"bsdi.9 > svr4.1037: . ack 1415531523 win 4096",
		"bsdi.9 > svr4.1037: F 1823083522:1823083522(0) ack 1415531523 win 4096",
		"svr4.1037 > bsdi.9: . ack 1823083523 win 4096",
	)
	l.rest()
	l.wantStates(svr4, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED")
	l.wantStates(bsdi, "CLOSED LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED")
	l.ok(k.Close(l.now))
	l.wantEmpty(svr4, bsdi)
}

// fig18-5: the same, with numbers relative to the first.
func TestFig18_5(t *testing.T) {
	l := newLab(t, transit)
	svr4, bsdi := l.add("svr4", "isn=1415531521", "port-first=1037"), l.add("bsdi", "isn=1823083521")
	k := l.listen(bsdi, discard)
	c := l.dial(svr4, bsdi, discard)
	s := l.accept(k)
	l.ok(c.Close(l.now))
	l.run(5 * ms)
	l.ok(s.Close(l.now))
	l.run(100 * ms)
	l.want(
		"svr4.1037 > bsdi.9: S 1415531521:1415531521(0) win 4096 <mss 1024>",
		"bsdi.9 > svr4.1037: S 1823083521:1823083521(0) ack 1415531522 win 4096 <mss 1024>",
		"svr4.1037 > bsdi.9: . ack 1 win 4096",
		"svr4.1037 > bsdi.9: F 1:1(0) ack 1 win 4096",
		"bsdi.9 > svr4.1037: . ack 2 win 4096",
		"bsdi.9 > svr4.1037: F 1:1(0) ack 2 win 4096",
		"svr4.1037 > bsdi.9: . ack 2 win 4096",
	)
}

// fig18-2, the Kamikaze segment: SYN, URG, PSH, FIN and a byte. Linux drops it;
// Berkeley takes the SYN, and what came with it once the connection is open.
func TestFig18_2(t *testing.T) {
	for _, c := range []struct {
		system string
		taken  bool
	}{{"bsd", true}, {"rfc9293", true}, {"linux", false}} {
		t.Run(c.system, func(t *testing.T) {
			l := newLab(t, transit)
			bsdi := l.addAs("bsdi", c.system, "isn=1", "isn-keyed=no", "isn-tick=0", "timestamps=no", "rcvbuf=4096")
			sun := l.add("sun", "isn=5000")
			l.listen(bsdi, discard)
			l.inject(sun.at(2000), bsdi.at(discard), wire.SYN|wire.URG|wire.PSH|wire.FIN, 100, 0, "x")
			l.run(10 * ms)
			if !c.taken {
				l.want("sun.2000 > bsdi.9: SFP 100:101(1) win 4096 urg 0")
				l.wantRows(bsdi, "*.9 *.* LISTEN")
				return
			}
			if n := len(l.seen); n < 2 || l.segs[1].Flags != wire.SYN|wire.ACK {
				t.Fatalf("no answer:\n%s", l.listing())
			}
			// sun knows nothing of it, and resets it.
			l.wantRows(bsdi, "*.9 *.* LISTEN")
			if s := l.segs[len(l.segs)-1]; s.Flags != wire.RST {
				t.Errorf("sun says %v", s.Flags)
			}
		})
	}
}

// The same segment for an open connection: 5961 has it challenged, RFC 793 has
// it reset the connection.
func TestKamikazeEstablished(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.add("sun"), l.addAs("bsdi", prof)
		c, s := l.connection(sun, bsdi, discard)
		in := s.Info()
		l.inject(c.Local(), s.Local(), wire.SYN|wire.URG|wire.PSH|wire.FIN, in.RcvNxt, 0, "x")
		l.run(time.Second)
		answer := l.segs[len(l.segs)-1]
		if prof == "bsd" {
			l.wantState(s, tcb.Closed)
			l.wantErr(s.Err(), tcb.ErrReset)
			return
		}
		l.wantState(s, tcb.Established)
		if answer.Flags != wire.ACK || answer.Seq != in.SndNxt || answer.Ack != in.RcvNxt {
			t.Errorf("the answer is %+v", answer)
		}
	})
}

// isn-rule: 1 at boot, 64000 every half second, 64000 for every connection.
func TestISNRule(t *testing.T) {
	l := newLab(t, transit)
	bsdi, svr4 := l.add("bsdi"), l.add("svr4")
	l.lister.Absolute = true
	for _, second := range []time.Duration{0, 10, 20} {
		l.to(second * time.Second)
		l.dial(bsdi, svr4, 20000)
	}
	l.run(time.Second)
	var isn []uint32
	for _, s := range l.segs {
		if s.Flags == wire.SYN {
			isn = append(isn, uint32(s.Seq))
		}
	}
	if len(isn) != 3 || isn[0] != 1 || isn[1]-isn[0] != 64000*(20+1) || isn[2]-isn[1] != 64000*(20+1) {
		t.Errorf("the numbers are %d", isn)
	}
}

// Nobody can tell the number of the next connection of a system of today.
func TestISNKeyed(t *testing.T) {
	for _, prof := range []string{"rfc9293", "linux"} {
		l := newLab(t, transit)
		bsdi, svr4 := l.addAs("bsdi", prof), l.add("svr4")
		for range 20 {
			l.dial(bsdi, svr4, 20000)
		}
		l.run(time.Second)
		var last uint32
		for i, s := range l.segs {
			if s.Flags != wire.SYN {
				continue
			}
			if d := uint32(s.Seq) - last; i > 0 && (d%64000 == 0 || d < 1<<20) {
				t.Errorf("%s: one is %d beyond the last", prof, d)
			}
			last = uint32(s.Seq)
		}
	}
}

// Exercise 18.1: the number tells how often the counter has gone round. After
// five times, 47 hours, it is 43521 modulo 64000.
func TestEx18_1(t *testing.T) {
	l := newLab(t, transit)
	bsdi, svr4 := l.add("bsdi"), l.add("svr4")
	const round = 1 << 32 / 64000 // ticks, and a little more
	for n, want := range []uint32{1, 8705, 17409, 26113, 34817, 43521} {
		l.to(time.Duration(n*(round+1)) * 500 * ms)
		l.dial(bsdi, svr4, 20000)
		syn := l.segs[len(l.segs)-1]
		if got := uint32(syn.Seq) % 64000; syn.Flags != wire.SYN || got != want {
			t.Errorf("after %d rounds: %d modulo 64000 is %d, not %d", n, syn.Seq, got, want)
		}
		l.run(time.Second)
	}
	if 1415531521%64000 != 43521 {
		t.Error("svr4 in Fig 18-1 had gone round five times too")
	}
}

// fig18-6: three SYNs, and the end after 75 s. The first number is that of a
// host that was booted 38 minutes ago.
func TestFig18_6(t *testing.T) {
	l := newLab(t, transit)
	bsdi, svr4 := l.add("bsdi"), l.add("svr4")
	l.lister.Absolute = true
	svr4.node.Crash(0)
	// 4547 ticks, and 185.203 ms: the first timeout is so much short of 6 s.
	start := 4547*500*ms + 185203*time.Microsecond
	l.to(start)
	c := bsdi.Socket(rawtcp.IPv4)
	l.ok(c.Set(l.now, rawtcp.TOS, 0x10)) // as telnet does
	l.ok(c.Connect(l.now, svr4.at(discard)))
	for !c.CanRead() && l.step(longWait) {
	}
	l.wantErr(c.Err(), tcb.ErrTimeout)
	if took := l.now - start; took != 75*time.Second-185203*time.Microsecond {
		t.Errorf("it took %v", took)
	}
	l.want(
		"bsdi.1024 > svr4.9: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]",
		"+5.814797 bsdi.1024 > svr4.9: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]",
		"+24.000000 bsdi.1024 > svr4.9: S 291008001:291008001(0) win 4096 <mss 1024> [tos 0x10]",
	)
	l.wantStates(bsdi, "CLOSED SYN_SENT CLOSED")
	l.wantEmpty(bsdi)
}

// The same for Linux: eleven SYNs, the first five a second apart.
func TestFig18_6Linux(t *testing.T) {
	l := newLab(t, transit)
	bsdi, svr4 := l.addAs("bsdi", "linux"), l.add("svr4")
	svr4.node.Crash(0)
	c := l.dial(bsdi, svr4, discard)
	l.rest()
	l.wantErr(c.Err(), tcb.ErrTimeout)
	want := []time.Duration{0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67}
	if len(l.seen) != len(want) {
		t.Fatalf("%d SYNs:\n%s", len(l.seen), l.listing())
	}
	for i, p := range l.seen {
		if p.at != want[i]*time.Second {
			t.Errorf("SYN %d at %v, not %v s", i+1, p.at, want[i])
		}
	}
	l.wantEmpty(bsdi)
}

// fig18-6b and fig18-7: the first timeout is 12 ticks, of which the first is
// not a whole one: 5.5 to 6 s. The second is exactly 24 s.
func TestFig18_6b(t *testing.T) {
	for phase := time.Duration(0); phase < 500*ms; phase += 40 * ms {
		l := newLab(t, transit)
		bsdi, svr4 := l.add("bsdi"), l.add("svr4")
		svr4.node.Crash(0)
		l.to(10*time.Second + phase)
		l.dial(bsdi, svr4, discard)
		l.run(40 * time.Second)
		if len(l.seen) != 3 {
			t.Fatalf("%d SYNs:\n%s", len(l.seen), l.listing())
		}
		if d := l.seen[1].delta; d != 6*time.Second-phase {
			t.Errorf("connect %v after a tick: the first gap is %v", phase, d)
		}
		if d := l.seen[2].delta; d != 24*time.Second {
			t.Errorf("connect %v after a tick: the second gap is %v", phase, d)
		}
	}
}

// Exercise 18.8, and fig4-5: if the host has never been heard of, there are ARP
// requests instead of the SYNs, at the same times.
func TestEx18_8(t *testing.T) {
	l := makeLab(t)
	ether := l.net.Link("ether", link.LinkOptions{})
	bsdi := l.add("bsdi")
	bsdi.node.ARP = link.ARPOptions{Requests: -1, Pending: 1} // as the systems of the book do
	l.attach(bsdi, ether, "140.252.13.35/27")
	l.addrs[addrPort("140.252.13.34:9").Addr()] = "svr4"
	l.to(300 * ms)
	k := bsdi.Socket(rawtcp.IPv4)
	l.ok(k.Connect(l.now, addrPort("140.252.13.34:9")))
	l.run(2 * time.Minute)
	l.wantErr(k.Err(), tcb.ErrTimeout)
	l.want(
		"arp who-has svr4 tell bsdi",
		"+5.7 arp who-has svr4 tell bsdi",
		"+24.0 arp who-has svr4 tell bsdi",
	)
}

// syns-1: SYN_SENT is over in no time if somebody answers, and lasts long if
// not.
func TestSyns1(t *testing.T) {
	l := newLab(t, transit)
	bsdi, svr4 := l.add("bsdi"), l.add("svr4")
	l.listen(svr4, discard)
	c := l.dial(bsdi, svr4, discard)
	l.wantState(c, tcb.SynSent)
	l.run(2 * transit)
	l.wantState(c, tcb.Established)
	svr4.node.Crash(l.now)
	c = l.dial(bsdi, svr4, discard)
	l.run(74 * time.Second)
	l.wantState(c, tcb.SynSent)
	l.run(time.Second)
	l.wantState(c, tcb.Closed)
}

// hs-1: the three segments of the handshake, with x and y.
func TestHs1(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi", "isn=7000"), l.add("sun", "isn=300000")
	l.lister.Absolute = true
	k := l.listen(sun, discard)
	c := l.dial(bsdi, sun, discard)
	l.wantState(c, tcb.SynSent)
	l.run(transit)
	l.wantRows(sun, "140.252.13.33.9 140.252.13.35.1024 SYN_RCVD", "*.9 *.* LISTEN")
	l.run(transit)
	l.wantState(c, tcb.Established)
	s := l.accept(k)
	l.wantState(s, tcb.Established)
	l.want(
		"bsdi.1024 > sun.9: S 7000:7000(0) win 4096 <mss 1024>",
		"sun.9 > bsdi.1024: S 300000:300000(0) ack 7001 win 4096 <mss 1460>",
		"bsdi.1024 > sun.9: . ack 300001 win 4096",
	)
}

// hs-2: a SYN has no data, and takes a number all the same.
func TestHs2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		a, b := l.addAs("bsdi", prof), l.addAs("sun", prof)
		c, s := l.connection(a, b, discard)
		for _, x := range l.segs {
			if x.Flags.Has(wire.SYN) && len(x.Payload) > 0 {
				t.Error("a SYN has data")
			}
		}
		for _, k := range []*rawtcp.Socket{c, s} {
			if in := k.Info(); in.SndNxt != in.ISS.Add(1) || in.RcvNxt != in.IRS.Add(1) {
				t.Errorf("%+v", in)
			}
		}
	})
}

// hs-3: who connects before the server listens is refused.
func TestHs3(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	c := l.dial(bsdi, sun, 7777)
	l.run(time.Second)
	l.wantErr(c.Err(), tcb.ErrRefused)
	k := l.listen(sun, 7777)
	c = l.dial(bsdi, sun, 7777)
	l.accept(k)
	l.wantState(c, tcb.Established)
}

// why3-1: an old SYN opens nothing: its owner, who is gone, resets the answer.
func TestWhy3_1(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi := l.addAs("bsdi", prof)
		sun := l.addAs("sun", prof, "isn=300000", "isn-keyed=no", "isn-tick=0")
		k := l.listen(sun, discard)
		l.inject(bsdi.at(1030), sun.at(discard), wire.SYN, 5000, 0, "")
		l.run(time.Second)
		if len(l.segs) != 3 {
			t.Fatalf("%d segments:\n%s", len(l.segs), l.listing())
		}
		if s := l.segs[1]; s.Flags != wire.SYN|wire.ACK || s.Seq != 300000 || s.Ack != 5001 {
			t.Errorf("the answer is %+v", s)
		}
		if s := l.segs[2]; s.Flags != wire.RST || s.Seq != 5001 {
			t.Errorf("it is reset by %+v", s)
		}
		l.wantRows(sun, "*.9 *.* LISTEN")
		l.wantEmpty(bsdi)
		if k.CanRead() {
			t.Error("there is something to accept")
		}
		l.wantStates(sun, "CLOSED LISTEN SYN_RCVD LISTEN")
	})
}

// why3-2: a duplicate of the first SYN comes when all is over. Nothing is
// opened: TIME_WAIT answers with an ACK, and without it the handshake fails, for
// the client answers with a RST.
func TestWhy3_2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		for _, c := range []struct {
			serverFirst bool
			after       time.Duration
			answers     []wire.Flags
		}{
			{true, time.Second, []wire.Flags{wire.ACK, wire.RST}},
			{true, 5 * time.Minute, []wire.Flags{wire.SYN | wire.ACK, wire.RST}},
			{false, 5 * time.Minute, []wire.Flags{wire.SYN | wire.ACK, wire.RST}},
			// Here it is the client that is in TIME_WAIT.
			{false, time.Second, []wire.Flags{wire.SYN | wire.ACK, wire.ACK, wire.RST}},
		} {
			l := newLab(t, transit)
			bsdi, sun := l.addAs("bsdi", prof), l.addAs("sun", prof)
			k := l.listen(sun, discard)
			from := l.dial(bsdi, sun, discard)
			to := l.accept(k)
			src, dst, isn := from.Local(), to.Local(), l.segs[0].Seq
			l.write(from, "hello")
			l.run(time.Second)
			l.wantRead(to, "hello", nil)
			if c.serverFirst {
				from, to = to, from
			}
			l.ok(from.Close(l.now))
			l.run(time.Second)
			l.ok(to.Close(l.now))
			l.run(c.after)
			l.skip()
			n := len(l.segs)
			l.inject(src, dst, wire.SYN, isn, 0, "")
			l.run(10 * ms)
			var answers []wire.Flags
			for _, s := range l.segs[n+1:] {
				answers = append(answers, s.Flags)
			}
			if !slices.Equal(answers, c.answers) {
				t.Errorf("%+v:\n%s", c, l.listing())
			}
			l.rest()
			l.wantRows(sun, "*.9 *.* LISTEN")
			l.wantEmpty(bsdi)
			if k.CanRead() {
				t.Error("there is something to accept")
			}
		}
	})
}

// Exercise 18.4: a server that nobody has called leaves nothing behind, and
// sends nothing.
func TestEx18_4(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun := l.addAs("sun", prof)
		k := l.listen(sun, 6666)
		l.ok(k.Close(l.now))
		l.listen(sun, 6666)
		l.run(time.Minute)
		l.want()
		l.wantRows(sun, "*.6666 *.* LISTEN")
	})
}
