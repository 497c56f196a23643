package trial_test

import (
	"io"
	"sort"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// 18.5 and 18.6: half-close, and who closes when.

// flagsOf returns the flags of segments, "FIN|ACK ACK".
func flagsOf(segs []wire.Segment) string {
	var all []string
	for _, s := range segs {
		all = append(all, s.Flags.String())
	}
	return strings.Join(all, " ")
}

// fig18-4, why4-1 and exercise 18.10: four segments close a connection, because
// the ACK of the FIN comes from TCP and the other FIN from the application.
// Linux waits with the ACK for 40 ms: if the application is faster, three do.
func TestFig18_4(t *testing.T) {
	const four, three = "FIN|ACK ACK FIN|ACK ACK", "FIN|ACK FIN|ACK ACK"
	for _, c := range []struct {
		system string
		pause  time.Duration // of the server, as by sock -Q
		want   string
	}{
		{"bsd", 0, four},
		{"rfc9293", 0, four},
		{"linux", 0, three},
		{"bsd", time.Second, four},
		{"rfc9293", time.Second, four},
		{"linux", time.Second, four},
	} {
		l := newLab(t, transit)
		client, server := l.connection(l.addAs("svr4", c.system), l.addAs("bsdi", c.system), discard)
		n := len(l.segs)
		l.ok(client.Close(l.now))
		// The application is told of the FIN before TCP answers it.
		l.run(transit)
		l.wantEOF(server)
		l.run(c.pause)
		l.ok(server.Close(l.now))
		l.run(time.Second)
		if got := flagsOf(l.segs[n:]); got != c.want {
			t.Errorf("%s after %v: %s:\n%s", c.system, c.pause, got, l.listing())
		}
	}
}

// fig18-10 and fig18-11: "rsh bsdi sort < datafile". The client sends its data
// and a FIN, and the server answers in the half-closed connection.
func TestFig18_10(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		c, s := l.connection(sun, bsdi, 514)
		sorting, sorted := l.reader(s), l.reader(c)
		sorting.then = func() {
			l.wantState(c, tcb.FinWait1)
			l.wantState(s, tcb.CloseWait)
			lines := strings.SplitAfter(sorting.text, "\n")
			sort.Strings(lines)
			l.write(s, strings.Join(lines, ""))
			l.ok(s.Close(l.now))
		}
		l.write(c, "pear\napple\n")
		l.write(c, "fig\n")
		n := len(l.segs)
		l.ok(c.Shutdown(l.now))
		l.rest()
		l.wantText(sorted, "apple\nfig\npear\n", io.EOF)
		l.ok(c.Close(l.now))
		late := 0 // bytes from the server after the FIN of the client
		for i, x := range l.segs[n:] {
			if l.froms[n+i].Port() == 514 {
				late += len(x.Payload)
			}
		}
		if late != len("apple\nfig\npear\n") {
			t.Errorf("%d bytes have come after the FIN:\n%s", late, l.listing())
		}
		l.wantStates(sun, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED")
		l.wantEmpty(sun, bsdi)
	})
}

// Without half-close, the data of the server finds nobody: RST (exercise 18.17).
func TestFig18_10Full(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		c, s := l.connection(sun, bsdi, 514)
		l.write(c, "pear\n")
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.write(s, "pear\n")
		l.run(time.Second)
		if last := l.segs[len(l.segs)-1]; !last.Flags.Has(wire.RST) {
			t.Errorf("no RST:\n%s", l.listing())
		}
		l.wantRead(s, "pear\n", tcb.ErrReset)
		l.ok(s.Close(l.now))
		l.wantEmpty(sun, bsdi)
	})
}

// Exercise 18.17: who closes with data unread resets the connection today. The
// systems of the book send a FIN, and a RST when more data comes.
func TestEx18_17(t *testing.T) {
	for _, c := range []struct{ system, want string }{
		{"rfc9293", "RST|ACK"},
		{"linux", "RST|ACK"},
		{"bsd", "FIN|ACK ACK PSH|ACK RST"},
	} {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", c.system), l.addAs("bsdi", c.system)
		client, server := l.connection(sun, bsdi, 514)
		l.write(client, "never read")
		l.run(time.Second)
		n := len(l.segs)
		l.ok(server.Close(l.now))
		l.run(time.Second)
		if c.system == "bsd" {
			l.wantEOF(client)
			l.write(client, "more")
			l.run(time.Second)
		}
		if got := flagsOf(l.segs[n:]); got != c.want {
			t.Errorf("%s: %s, not %s:\n%s", c.system, got, c.want, l.listing())
		}
		l.wantErr(client.Err(), tcb.ErrReset)
	}
}

// Exercise 18.9: 256 bytes and a FIN. Solaris waits with the third segment of
// the handshake, so that the data takes it along, and one ACK is for data and
// FIN: seven segments in all.
func TestEx18_9(t *testing.T) {
	l := newLab(t, transit)
	solaris := l.add("solaris", "isn=40140288", "port-first=32990", "mss-nonlocal=0")
	bsdi := l.add("bsdi", "isn=4208081409", "mss-nonlocal=0")
	l.gateway(solaris, bsdi)
	k := l.listen(bsdi, discard)
	c := l.dial(solaris, bsdi, discard)
	for c.State() != tcb.Established {
		l.step(longWait)
	}
	l.write(c, strings.Repeat("x", 256))
	l.ok(c.Close(l.now))
	s := l.accept(k)
	r := l.reader(s)
	r.then = func() { l.ok(s.Close(l.now)) }
	l.run(time.Second)
	l.want(
		"0.0 solaris.32990 > bsdi.9: S 40140288:40140288(0) win 8760 <mss 1460>",
		"bsdi.9 > solaris.32990: S 4208081409:4208081409(0) ack 40140289 win 4096 <mss 1024>",
		"solaris.32990 > bsdi.9: P 1:257(256) ack 1 win 8760",
		"solaris.32990 > bsdi.9: F 257:257(0) ack 1 win 8760",
		"bsdi.9 > solaris.32990: . ack 258 win 3840",
		"bsdi.9 > solaris.32990: F 1:1(0) ack 258 win 4096",
		"solaris.32990 > bsdi.9: . ack 2 win 8760",
	)
}

// Exercise 18.13: a query by TCP takes nine segments, not two datagrams.
func TestEx18_13(t *testing.T) {
	l := newLab(t, transit)
	sun, bsdi := l.add("sun"), l.add("bsdi")
	k := l.listen(bsdi, 53)
	c := l.dial(sun, bsdi, 53)
	l.run(3 * transit)
	l.write(c, "query")
	s := l.accept(k)
	answer := l.reader(c)
	answer.then = func() { l.ok(c.Close(l.now)) }
	l.run(2 * transit)
	l.wantRead(s, "query", nil)
	l.write(s, "reply")
	l.ok(s.Close(l.now))
	l.run(time.Second)
	l.wantText(answer, "reply", io.EOF)
	if n := len(l.segs); n != 9 && n != 10 {
		t.Errorf("%d segments:\n%s", n, l.listing())
	}
}

// close-1: u, v and w. CLOSE_WAIT lasts until the application closes, and what
// it sends meanwhile arrives.
func TestClose1(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi", "isn=1"), l.add("sun", "isn=100000")
	c, s := l.connection(bsdi, sun, discard)
	start := l.now
	l.ok(c.Shutdown(l.now)) // FIN with u = 1
	l.run(time.Second)
	l.wantState(c, tcb.FinWait2)
	l.wantState(s, tcb.CloseWait)
	l.write(s, "late") // v = 1
	l.run(time.Second)
	l.wantRead(c, "late", nil)
	l.to(start + 5*time.Second)
	l.wantState(s, tcb.CloseWait)
	l.ok(s.Close(l.now)) // w = v + 4
	l.run(time.Second)
	l.want(
		"bsdi.1024 > sun.9: F 1:1(0) ack 1 win 4096",
		"sun.9 > bsdi.1024: . ack 2 win 4096",
		"sun.9 > bsdi.1024: P 1:5(4) ack 2 win 4096",
		"bsdi.1024 > sun.9: . ack 5 win 4092",
		"sun.9 > bsdi.1024: F 5:5(0) ack 2 win 4096",
		"bsdi.1024 > sun.9: . ack 6 win 4096",
	)
}

// close-2: who closes second is done at once, who closes first 2MSL later.
func TestClose2(t *testing.T) {
	for system, wait := range map[string]time.Duration{"bsd": 60, "solaris": 240, "linux": 60, "rfc9293": 240} {
		l := newLab(t, transit)
		bsdi, sun := l.addAs("bsdi", system), l.addAs("sun", system)
		c, s := l.connection(bsdi, sun, discard)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.ok(s.Close(l.now))
		l.run(3 * transit)
		l.wantEmpty(sun)
		row := bsdi.Netstat(l.now)[0]
		if row.State != tcb.TimeWait || row.Timer != "2msl" {
			t.Fatalf("%+v", row)
		}
		// 2msl-val: the ticks may take half a second off.
		if row.Left > wait*time.Second || row.Left < wait*time.Second-time.Second {
			t.Errorf("%s: TIME_WAIT for another %v, not %d s", system, row.Left, wait)
		}
		l.run(wait*time.Second - time.Second)
		if len(bsdi.Netstat(l.now)) != 1 {
			t.Errorf("%s: it is over too soon", system)
		}
		l.run(time.Second)
		l.wantEmpty(bsdi)
	}
}

// close-3: either end may close first: that of a daytime server does.
func TestClose3(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	c, s := l.connection(sun, bsdi, 13)
	l.write(s, "Wed Jul  7 07:54:51 1993\r\n")
	l.ok(s.Close(l.now))
	r := l.reader(c)
	r.then = func() { l.ok(c.Close(l.now)) }
	l.rest()
	l.wantText(r, "Wed Jul  7 07:54:51 1993\r\n", io.EOF)
	l.wantStates(sun, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED")
	l.wantStates(bsdi, "CLOSED LISTEN SYN_RCVD ESTABLISHED LISTEN CLOSED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED")
}

// fw2-1, cw-1 and exercise 18.6: the server never closes. After a full close
// the client gives up in FIN_WAIT_2, and answers the late FIN by a RST; after a
// half-close it waits for ever.
func TestFw2_1(t *testing.T) {
	for system, limit := range map[string]time.Duration{"bsd": 675 * time.Second, "linux": time.Minute} {
		t.Run(system, func(t *testing.T) {
			l := newLab(t, transit)
			bsdi, sun := l.addAs("bsdi", system), l.addAs("sun", system)
			c, s := l.connection(bsdi, sun, discard)
			start := l.now
			l.ok(c.Close(l.now))
			l.to(start + limit - time.Second)
			if rows := bsdi.Netstat(l.now); len(rows) != 1 || rows[0].State != tcb.FinWait2 {
				t.Fatalf("%+v", rows)
			}
			l.to(start + limit + time.Second)
			l.wantEmpty(bsdi)
			l.to(1000 * time.Hour)
			l.wantState(s, tcb.CloseWait)
			l.skip()
			n, ack := len(l.segs), s.Info().RcvNxt
			l.ok(s.Close(l.now))
			l.run(time.Second)
			if got := flagsOf(l.segs[n:]); got != "FIN|ACK RST" || l.segs[n+1].Seq != ack {
				t.Errorf("the late FIN is answered by\n%s", l.listing())
			}
			l.wantEmpty(bsdi, sun)
		})
	}
}

// The same with a half-close.
func TestFw2_1Half(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		c, s := l.connection(l.addAs("bsdi", prof), l.addAs("sun", prof), discard)
		l.ok(c.Shutdown(l.now))
		l.to(1000 * time.Hour)
		l.wantState(c, tcb.FinWait2)
		l.wantState(s, tcb.CloseWait)
		l.write(s, "still there")
		l.run(time.Second)
		l.wantRead(c, "still there", nil)
	})
}

// st-table: netstat shows each of the ten states, at one end or the other.
func TestStTable(t *testing.T) {
	seen := map[tcb.State]bool{}
	l := newLab(t, 107*ms)
	a, b := l.add("bsdi"), l.add("sun")
	look := func(d time.Duration) {
		for end := l.now + d; l.now < end; l.run(20 * ms) {
			for _, h := range l.hosts {
				for _, r := range h.Netstat(l.now) {
					seen[r.State] = true
				}
			}
		}
	}
	// An ordinary open and close.
	k := l.listen(b, discard)
	c := l.dial(a, b, discard)
	look(time.Second)
	s := l.accept(k)
	l.ok(c.Close(l.now))
	look(time.Second)
	l.ok(s.Close(l.now))
	look(time.Second)
	// A simultaneous close.
	c = l.dial(a, b, discard)
	look(time.Second)
	s = l.accept(k)
	for _, x := range []*rawtcp.Socket{c, s} {
		l.ok(x.Close(l.now))
	}
	look(time.Second)
	for s := tcb.Listen; s < tcb.NumStates; s++ {
		if !seen[s] {
			t.Errorf("%v was never seen", s)
		}
	}
}
