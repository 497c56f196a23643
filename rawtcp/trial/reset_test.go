package trial_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// 18.7: resets, and connections of which one end does not know that the other
// is gone.

// fig18-14: connection refused. "R 0:0(0) ack ISN+1".
func TestFig18_14(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi := l.add("bsdi", "isn=297416193", "port-first=1087")
		svr4 := l.addAs("svr4", prof)
		l.lister.Absolute = true
		c := bsdi.Socket(rawtcp.IPv4)
		l.ok(c.Set(l.now, rawtcp.TOS, 0x10))
		l.ok(c.Connect(l.now, svr4.at(20000)))
		l.run(time.Second)
		l.wantErr(c.Err(), tcb.ErrRefused)
		l.want(
			"0.0 bsdi.1087 > svr4.20000: S 297416193:297416193(0) win 4096 <mss 1024> [tos 0x10]",
			"svr4.20000 > bsdi.1087: R 0:0(0) ack 297416194 win 0",
		)
		l.wantEmpty(svr4)
	})
}

// What RST answers what: without an ACK, seq 0 and an ack of all that came; with
// an ACK, seq is that.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		flags     wire.Flags
		seq, ack  seq.Value
		text      string
		listening bool
		want      string // "" for nothing
	}{
		{wire.SYN, 5, 0, "", false, "sun.9 > bsdi.2000: R 0:0(0) ack 6 win 0"},
		{wire.PSH, 5, 0, "abc", false, "sun.9 > bsdi.2000: R 0:0(0) ack 8 win 0"},
		{wire.FIN, 5, 0, "", false, "sun.9 > bsdi.2000: R 0:0(0) ack 6 win 0"},
		{wire.SYN | wire.FIN, 5, 0, "abc", false, "sun.9 > bsdi.2000: R 0:0(0) ack 10 win 0"},
		{wire.ACK, 5, 77, "", false, "sun.9 > bsdi.2000: R 77:77(0) win 0"},
		{wire.RST, 5, 0, "", false, ""},
		{wire.RST | wire.ACK, 5, 77, "", false, ""},
		{wire.ACK, 5, 77, "", true, "sun.9 > bsdi.2000: R 77:77(0) win 0"},
		{wire.SYN | wire.ACK, 5, 77, "", true, "sun.9 > bsdi.2000: R 77:77(0) win 0"},
		{wire.RST, 5, 0, "", true, ""},
	} {
		l := newLab(t, transit)
		bsdi, sun := l.add("bsdi"), l.add("sun")
		l.lister.Absolute = true
		bsdi.node.Handle(nil)
		if c.listening {
			l.listen(sun, discard)
		}
		l.inject(bsdi.at(2000), sun.at(discard), c.flags, c.seq, c.ack, c.text)
		l.skip()
		l.run(time.Second)
		if c.want == "" {
			l.want()
		} else {
			l.want(c.want)
		}
	}
}

// fig18-15: SO_LINGER with a time of 0 aborts the connection.
func TestFig18_15(t *testing.T) {
	for _, system := range []string{"svr4", "linux"} {
		synAck, ack := "win 4096 <mss 1024>", "+0.17 svr4.8888 > bsdi.1099: . ack 14 win 4096"
		if system == "linux" {
			synAck, ack = "win 2920 <mss 1460>", "+0.00 svr4.8888 > bsdi.1099: . ack 14 win 2920"
		}
		l := newLab(t, transit)
		bsdi := l.add("bsdi", "isn=671112193", "port-first=1099", "ack-phase=100ms")
		svr4 := l.addAs("svr4", system, "isn=3224959489", "isn-keyed=no", "isn-tick=0", "timestamps=no", "rcvbuf=4096")
		k := l.listen(svr4, 8888)
		c := l.dial(bsdi, svr4, 8888)
		l.ok(c.Set(l.now, rawtcp.Linger, 0))
		s := l.accept(k)
		r := l.reader(s)
		l.to(4830 * ms)
		l.write(c, "hello, world\n")
		l.to(9530 * ms)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.wantText(r, "hello, world\n", tcb.ErrReset)
		l.want(
			"0.0 bsdi.1099 > svr4.8888: S 671112193:671112193(0) win 4096 <mss 1024>",
			"svr4.8888 > bsdi.1099: S 3224959489:3224959489(0) ack 671112194 "+synAck,
			"bsdi.1099 > svr4.8888: . ack 1 win 4096",
			"4.83 bsdi.1099 > svr4.8888: P 1:14(13) ack 1 win 4096",
			ack,
			"9.53 bsdi.1099 > svr4.8888: R 14:14(0) ack 1 win 4096",
		)
		l.wantEmpty(bsdi)
	}
}

// A linger time that is not 0: close waits for the last ACK, or until the time
// is over.
func TestLinger(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi, svr4 := l.addAs("bsdi", prof), l.addAs("svr4", prof)
		c, s := l.connection(bsdi, svr4, discard)
		l.ok(c.Set(l.now, rawtcp.Linger, 10))
		l.write(c, "the last words")
		l.wantErr(c.Close(l.now), rawtcp.ErrWouldBlock)
		l.run(time.Second)
		l.ok(c.Close(l.now)) // all of it has been acknowledged
		l.wantRead(s, "the last words", io.EOF)

		c, _ = l.connection(bsdi, svr4, discard+1)
		l.ok(c.Set(l.now, rawtcp.Linger, 10))
		l.write(c, "never heard")
		svr4.node.Crash(l.now)
		start := l.now
		l.wantErr(c.Close(l.now), rawtcp.ErrWouldBlock)
		l.to(start + 9*time.Second)
		l.wantErr(c.Close(l.now), rawtcp.ErrWouldBlock)
		l.to(start + 10*time.Second)
		if err := c.Close(l.now); err != nil {
			t.Errorf("after 10 s: %v", err)
		}
	})
}

// fig18-16 and exercise 18.11: svr4 is cut off, rebooted and joined again. The
// next line meets a RST whose number is that of the ACK.
func TestFig18_16(t *testing.T) {
	for prof, window := range map[string]string{"bsd": "4096", "linux": "2920"} {
		t.Run(prof, func(t *testing.T) {
			l := makeLab(t)
			ether := l.net.Link("ether", link.LinkOptions{})
			bsdi := l.addAs("bsdi", prof, "isn=1591752193", "port-first=1102", "port-random=no", "isn-keyed=no", "isn-tick=0", "timestamps=no", "rcvbuf=4096")
			svr4 := l.add("svr4", "isn=26368001", "isn-tick=0", "ack-phase=150ms")
			j := l.attach(bsdi, ether, "140.252.13.35/27")
			k := l.attach(svr4, ether, "140.252.13.34/27")
			j.SetMAC(wire.MAC{0, 0, 0xc0, 0x6f, 0x2d, 0x40})
			k.SetMAC(wire.MAC{0, 0, 0xc0, 0xc2, 0x9b, 0x26})
			server := l.listen(svr4, discard)
			c := l.dial(bsdi, svr4, discard)
			r := l.reader(l.accept(server))
			l.to(5170 * ms)
			l.write(c, "hi there\r\n")
			l.run(time.Second)
			l.wantText(r, "hi there\r\n", nil)
			l.skip()
			// svr4 is cut off, rebooted and joined again.
			l.rule("cut svr4 at 10 s")
			l.rule("mend svr4 at 190 s")
			l.to(100 * time.Second)
			svr4.node.Reboot(l.now)
			svr4.boot()
			l.to(194910 * ms)
			l.wantState(c, tcb.Established) // half-open-b
			l.wantEmpty(svr4)
			l.write(c, "another line\r\n")
			l.run(time.Second)
			l.want(
				"194.91 bsdi.1102 > svr4.9: P 11:25(14) ack 1 win "+window,
				"arp who-has bsdi tell svr4",
				"arp reply bsdi is-at 0:0:c0:6f:2d:40",
				"svr4.9 > bsdi.1102: R 26368002:26368002(0) win 0",
			)
			_, err := l.read(c)
			l.wantErr(err, tcb.ErrReset)
		})
	}
}

// half-open-b: if nothing is ever sent, nobody ever knows.
func TestHalfOpenB(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi, svr4 := l.addAs("bsdi", prof), l.addAs("svr4", prof)
		c, _ := l.connection(bsdi, svr4, discard)
		svr4.node.Crash(l.now)
		l.to(100 * 24 * time.Hour)
		l.wantState(c, tcb.Established)
		l.want()
	})
}

// half-open-c: clients that crash, one after the other, leave their server with
// connections that nobody uses.
func TestHalfOpenC(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi", "port-first=1030"), l.add("sun")
	k := l.listen(sun, 23)
	for i := range 20 {
		// A client boots, connects and is switched off.
		bsdi.opts.Profile.FirstPort = 1030 + uint16(i)
		bsdi.node.Reboot(l.now)
		bsdi.boot()
		l.dial(bsdi, sun, 23)
		l.accept(k)
		bsdi.node.Crash(l.now)
		l.run(time.Hour)
	}
	open := 0
	for _, r := range sun.Netstat(l.now) {
		if r.State == tcb.Established {
			open++
		}
	}
	if open != 20 {
		t.Errorf("%d connections are ESTABLISHED", open)
	}
}

// Exercise 18.3: half-open is not half-closed.
func TestEx18_3(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	c, s := l.connection(bsdi, sun, discard)
	l.ok(c.Shutdown(l.now))
	l.run(time.Second)
	l.wantState(c, tcb.FinWait2)
	l.wantState(s, tcb.CloseWait)
	l.write(s, "to the half-closed end")
	l.run(time.Second)
	l.wantRead(c, "to the half-closed end", nil)

	_, s = l.connection(bsdi, sun, discard+1)
	bsdi.node.Reboot(l.now)
	bsdi.boot()
	l.wantState(s, tcb.Established)
	l.wantEmpty(bsdi)
	l.write(s, "to the half-open end")
	l.run(time.Second)
	l.wantState(s, tcb.Closed)
	l.wantErr(s.Err(), tcb.ErrReset)
}

// fig18-12, 5: a RST takes SYN_RCVD back to LISTEN, and the next client is
// served.
func TestState5(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		k := l.listen(sun, discard)
		nobody := addrPort("140.252.13.60:1030")
		l.inject(nobody, sun.at(discard), wire.SYN, 5000, 0, "")
		l.run(ms)
		l.wantRows(sun, "140.252.13.33.9 140.252.13.60.1030 SYN_RCVD", "*.9 *.* LISTEN")
		l.inject(nobody, sun.at(discard), wire.RST, 5001, 0, "")
		l.run(ms)
		l.wantRows(sun, "*.9 *.* LISTEN")
		l.wantStates(sun, "CLOSED LISTEN SYN_RCVD LISTEN")
		c := l.dial(bsdi, sun, discard)
		l.accept(k)
		l.wantState(c, tcb.Established)
	})
}

// fig18-12, 10: the user closes in SYN_RCVD. It takes a simultaneous open to see
// that from outside.
func TestState10(t *testing.T) {
	l, a, _, j, _ := across(t, "bsd")
	l.run(150 * ms)
	l.wantState(j, tcb.SynRcvd)
	l.ok(j.Close(l.now))
	l.run(time.Second)
	l.wantStates(a, "CLOSED SYN_SENT SYN_RCVD FIN_WAIT_1 FIN_WAIT_2")
}

// fig18-12, 9: the user closes in SYN_SENT, and nothing is sent.
func TestState9(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi, svr4 := l.addAs("bsdi", prof), l.addAs("svr4", prof)
		svr4.node.Crash(0)
		c := l.dial(bsdi, svr4, discard)
		l.run(100 * ms)
		l.ok(c.Close(l.now))
		l.wantEmpty(bsdi)
		l.rest()
		if len(l.segs) != 1 {
			t.Errorf("%d segments:\n%s", len(l.segs), l.listing())
		}
	})
}

// rel-7: TCP connects two hosts, not many. Nor is a SYN to all of them answered.
func TestRel7(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	for _, addr := range []string{"255.255.255.255", "140.252.13.63", "224.0.0.1"} {
		k := bsdi.Socket(rawtcp.IPv4)
		if err := k.Connect(l.now, addrPort(addr+":7777")); !errors.Is(err, rawtcp.ErrBroadcast) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	l.want()
	l.listen(sun, 7777)
	s := wire.Segment{SrcPort: 2000, DstPort: 7777, Seq: 1, Flags: wire.SYN}
	from, to := bsdi.addr(rawtcp.IPv4), addrPort("140.252.13.63:0").Addr()
	h := wire.IPv4{TTL: 1, Protocol: wire.ProtoTCP, Src: from, Dst: to}
	sun.Receive(l.now, s.AppendTo(h.AppendHeader(nil, s.WireLen()), from, to, wire.ChecksumFull))
	l.run(time.Second)
	l.want()
}
