package trial_test

import (
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// 18.6.1: the 2MSL wait, and what it is good for.

// waiting returns a connection between client and server of which the server
// has closed first, and so is in TIME_WAIT; both users have closed.
func waiting(t *testing.T, client, server string, settings ...string) (l *lab, c, s *host, from, to ends) {
	t.Helper()
	l = newLab(t, transit)
	c, s = l.addAs("bsdi", client, settings...), l.addAs("sun", server, settings...)
	j, k := l.connection(c, s, 6666)
	from, to = ends{j.Local(), j.Info()}, ends{k.Local(), k.Info()}
	l.ok(k.Close(l.now))
	l.run(time.Second)
	l.ok(j.Close(l.now))
	l.run(time.Second)
	l.skip()
	l.wantRows(s, dotted(to.at)+" "+dotted(from.at)+" TIME_WAIT")
	l.wantEmpty(c)
	return l, c, s, from, to
}

// ends is a socket that is no more, and what its numbers were.
type ends struct {
	at netip.AddrPort
	in tcb.Info
}

// 2msl-1: the server that has closed first cannot be started again for 2MSL.
func Test2msl1(t *testing.T) {
	for system, wait := range map[string]time.Duration{
		"sunos": 60, "bsd": 60, "svr4": 60, "solaris": 240, "linux": 60, "rfc9293": 240,
	} {
		l, _, sun, _, _ := waiting(t, "bsd", system)
		start := l.now
		for {
			k := sun.Socket(rawtcp.IPv4)
			err := k.Bind(l.now, anyAddr(6666))
			if err == nil {
				break
			}
			l.wantErr(err, rawtcp.ErrInUse)
			l.ok(k.Close(l.now))
			l.run(500 * ms)
		}
		// It has been in TIME_WAIT for a second.
		if took := (l.now - start + time.Second).Truncate(time.Second); took != wait*time.Second {
			t.Errorf("%s: it took %v", system, took)
		}
	}
}

// 2msl-2: the client that has closed first cannot have its old port again.
func Test2msl2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		k := l.listen(bsdi, 7)
		c := l.dialFrom(sun, 1162, bsdi, 7)
		s := l.accept(k)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.ok(s.Close(l.now))
		l.run(time.Second)
		again := sun.Socket(rawtcp.IPv4)
		l.wantErr(again.Bind(l.now, anyAddr(1162)), rawtcp.ErrInUse)
		l.run(5 * time.Minute)
		l.ok(again.Bind(l.now, anyAddr(1162)))
	})
}

// 2msl-3: with SO_REUSEADDR the port can be had, but not the same pair of
// sockets. Linux wants SO_REUSEADDR on both, and lets the connect through.
func Test2msl3(t *testing.T) {
	for _, c := range []struct {
		system          string
		first           []rawtcp.Option // of the server
		options         []rawtcp.Option // of who binds the port again
		bind, connected error
	}{
		{"sunos", nil, nil, rawtcp.ErrInUse, nil},
		{"sunos", nil, []rawtcp.Option{rawtcp.ReuseAddr}, nil, rawtcp.ErrInUse},
		{"rfc9293", nil, []rawtcp.Option{rawtcp.ReuseAddr}, nil, rawtcp.ErrInUse},
		{"linux", nil, nil, rawtcp.ErrInUse, nil},
		{"linux", nil, []rawtcp.Option{rawtcp.ReuseAddr}, rawtcp.ErrInUse, nil},
		{"linux", []rawtcp.Option{rawtcp.ReuseAddr}, []rawtcp.Option{rawtcp.ReuseAddr}, nil, rawtcp.ErrWouldBlock},
	} {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", c.system), l.addAs("bsdi", c.system)
		k := l.listen(sun, 6666, c.first...)
		j := l.dialFrom(bsdi, 1098, sun, 6666)
		s := l.accept(k)
		l.ok(k.Close(l.now))
		l.ok(s.Close(l.now))
		l.run(time.Second)
		l.ok(j.Close(l.now))
		l.run(time.Second)
		again := sun.Socket(rawtcp.IPv4)
		for _, o := range c.options {
			l.ok(again.Set(l.now, o, 1))
		}
		err := again.Bind(l.now, anyAddr(6666))
		if !errors.Is(err, c.bind) {
			t.Errorf("%s %v: bind: %v, not %v", c.system, c.options, err, c.bind)
		}
		if err != nil {
			continue
		}
		if err := again.Connect(l.now, bsdi.at(1098)); !errors.Is(err, c.connected) {
			t.Errorf("%s %v: connect: %v, not %v", c.system, c.options, err, c.connected)
			continue
		}
		if c.connected == rawtcp.ErrWouldBlock { // the SYN meets a RST
			l.run(time.Second)
			l.wantErr(again.Err(), tcb.ErrRefused)
		}
	}
}

// 2msl-4: a new connection from the other side, with the same pair of sockets,
// gets through TIME_WAIT. Its ISN lies beyond the old numbers.
func Test2msl4(t *testing.T) {
	for system, beyond := range map[string]seq.Size{"bsd": 128000, "sunos": 128000, "linux": 65537, "rfc9293": 0} {
		t.Run(system, func(t *testing.T) {
			l := newLab(t, transit)
			sun, bsdi := l.addAs("sun", system), l.addAs("bsdi", system)
			k := l.listen(sun, 6666, rawtcp.ReuseAddr)
			c := l.dialFrom(bsdi, 1098, sun, 6666)
			s := l.accept(k)
			l.ok(s.Close(l.now))
			l.run(time.Second)
			last := l.last(sun)
			l.ok(c.Close(l.now))
			l.run(time.Second)
			l.wantRows(sun, "140.252.13.33.6666 140.252.13.35.1098 TIME_WAIT", "*.6666 *.* LISTEN")
			l.states = map[string][]string{}
			c = l.dialFrom(bsdi, 1098, sun, 6666, rawtcp.ReuseAddr)
			s = l.accept(k)
			l.wantState(c, tcb.Established)
			l.wantStates(sun, "TIME_WAIT CLOSED LISTEN SYN_RCVD ESTABLISHED")
			iss := s.Info().ISS
			if !last.Less(iss) || beyond > 0 && iss != last.Add(beyond) {
				t.Errorf("the ISN %d is %d beyond the last number %d", iss, iss-last, last)
			}
		})
	}
}

// last returns the number after the last one that a host has sent.
func (l *lab) last(h *host) (last seq.Value) {
	for i, s := range l.segs {
		if l.froms[i].Addr() == h.addr(rawtcp.IPv4) {
			last = s.Seq.Add(s.Len())
		}
	}
	return last
}

// A SYN with an older number gets nothing but an ACK.
func Test2msl4Old(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, _, sun, from, to := waiting(t, prof, prof)
		n := len(l.segs)
		l.inject(from.at, to.at, wire.SYN, from.in.SndNxt-1, 0, "")
		l.run(time.Millisecond)
		if got := flagsOf(l.segs[n+1:]); len(l.segs) < n+2 || l.segs[n+1].Flags != wire.ACK || l.segs[n+1].Ack != from.in.SndNxt+1 {
			t.Errorf("%s:\n%s", got, l.listing())
		}
		if len(sun.Netstat(l.now)) != 1 {
			t.Error("TIME_WAIT is over")
		}
	})
}

// 2msl-5: who may have a port that somebody has already.
func Test2msl5(t *testing.T) {
	const here, there = "140.252.13.33", "140.252.1.29"
	reuse, port := []rawtcp.Option{rawtcp.ReuseAddr}, []rawtcp.Option{rawtcp.ReusePort}
	for _, c := range []struct {
		what          string
		first, second string // addresses, "" for any
		a, b          []rawtcp.Option
		bsd, linux    error
	}{
		{"another on any, a.port with -A", "", here, nil, reuse, nil, rawtcp.ErrInUse},
		{"another on a.port, any with -A", here, "", nil, reuse, nil, rawtcp.ErrInUse},
		{"both with -A", "", here, reuse, reuse, nil, rawtcp.ErrInUse},
		{"without -A", "", here, nil, nil, rawtcp.ErrInUse, rawtcp.ErrInUse},
		{"a.port and b.port", here, there, nil, nil, nil, nil},
		{"SO_REUSEPORT on both", "", here, port, port, nil, nil},
		{"the same twice with -A", here, here, reuse, reuse, rawtcp.ErrInUse, rawtcp.ErrInUse},
	} {
		for system, want := range map[string]error{"bsd": c.bsd, "linux": c.linux} {
			l := newLab(t, transit)
			sun := l.addAs("sun", system)
			l.attach(sun, l.cable, there+"/24")
			listen := func(addr string, options []rawtcp.Option) error {
				k := sun.Socket(rawtcp.IPv4)
				for _, o := range options {
					l.ok(k.Set(l.now, o, 1))
				}
				a := anyAddr(8888)
				if addr != "" {
					a = addrPort(addr + ":8888")
				}
				return errors.Join(k.Bind(l.now, a), k.Listen(l.now, 5))
			}
			l.ok(listen(c.first, c.a))
			if err := listen(c.second, c.b); want == nil && err != nil || !errors.Is(err, want) {
				t.Errorf("%s: %s: %v, not %v", system, c.what, err, want)
			}
		}
	}
}

// Exercise 18.5: the daytime server closes first, so the client may use its
// port again at once, and the server takes the new incarnation.
func TestEx18_5(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		sun, bsdi := l.addAs("sun", prof), l.addAs("bsdi", prof)
		k := l.listen(bsdi, 13)
		for _, date := range []string{"Wed Jul  7 07:54:51 1993\n", "Wed Jul  7 07:55:01 1993\n"} {
			c := l.dialFrom(sun, 1163, bsdi, 13)
			s := l.accept(k)
			l.write(s, date)
			l.ok(s.Close(l.now))
			r := l.reader(c)
			r.then = func() { l.ok(c.Close(l.now)) }
			l.run(10 * time.Second)
			l.wantText(r, date, io.EOF)
		}
	})
}

// 2msl-why-1: the last ACK is lost, twice. The FIN comes again, TIME_WAIT
// answers again, and lasts 2MSL from then on.
func Test2mslWhy1(t *testing.T) {
	for system, msl := range map[string]time.Duration{"bsd": 30, "rfc9293": 120, "linux": 30} {
		t.Run(system, func(t *testing.T) {
			l := newLab(t, transit)
			bsdi, sun := l.addAs("bsdi", system), l.addAs("sun", system)
			c, s := l.connection(bsdi, sun, discard)
			l.ok(c.Close(l.now))
			l.run(time.Second)
			// What bsdi sends from now on is ACKs of the FIN.
			l.rule("drop the 1st and 2nd pure ACK from bsdi")
			l.skip()
			n := len(l.segs)
			l.ok(s.Close(l.now))
			l.run(20 * time.Second)
			if got := flagsOf(l.segs[n:]); got != "FIN|ACK ACK FIN|ACK ACK FIN|ACK ACK" {
				t.Fatalf("%s:\n%s", got, l.listing())
			}
			l.wantEmpty(sun)
			left := bsdi.Netstat(l.now)[0].Left
			last := l.seen[len(l.seen)-1].at
			if d := (last + 2*msl*time.Second - l.now - left).Abs(); d > 500*ms {
				t.Errorf("the last FIN came at %v; now it is %v, and %v are left", last, l.now, left)
			}
			l.rest()
			l.wantEmpty(bsdi)
		})
	}
}

// 2msl-why-2: without TIME_WAIT the FIN that comes again meets a RST. And with
// it, any one of the four segments of a close may be lost.
func Test2mslWhy2(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		bsdi, sun := l.addAs("bsdi", prof, "msl=0"), l.addAs("sun", prof)
		c, s := l.connection(bsdi, sun, discard)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.rule("drop the 1st pure ACK from bsdi")
		n := len(l.segs)
		l.ok(s.Shutdown(l.now))
		l.run(10 * time.Second)
		if got := flagsOf(l.segs[n:]); got != "FIN|ACK ACK FIN|ACK RST" {
			t.Errorf("%s:\n%s", got, l.listing())
		}
		l.wantState(s, tcb.Closed)
		for _, lost := range []string{
			"the 1st FIN from bsdi", "the 1st pure ACK from sun", "the 1st FIN from sun", "the 1st pure ACK from bsdi",
		} {
			l := newLab(t, transit)
			bsdi, sun := l.addAs("bsdi", prof), l.addAs("sun", prof)
			c, s := l.connection(bsdi, sun, discard)
			l.rule("drop " + lost)
			l.ok(c.Close(l.now))
			r := l.reader(s)
			l.run(30 * time.Second)
			l.wantText(r, "", io.EOF)
			l.ok(s.Close(l.now))
			l.rest()
			if err := errors.Join(s.Err(), c.Err()); err != nil {
				t.Errorf("%s is lost: %v", lost, err)
			}
			l.wantEmpty(bsdi, sun)
		}
	})
}

// 2msl-why-3: an old segment of the connection before. With TIME_WAIT it is
// answered by an ACK and dropped; without, it is taken for new data.
func Test2mslWhy3(t *testing.T) {
	l, _, sun, from, to := waiting(t, "bsd", "bsd")
	n := len(l.segs)
	l.inject(from.at, to.at, wire.ACK|wire.PSH, from.in.SndNxt-3, to.in.SndNxt, "old")
	l.run(ms)
	if got := flagsOf(l.segs[n+1:]); l.segs[n+1].Flags != wire.ACK {
		t.Errorf("%s:\n%s", got, l.listing())
	}
	if len(sun.Netstat(l.now)) != 1 {
		t.Error("TIME_WAIT is over")
	}
}

// The same without TIME_WAIT, with numbers that begin anew: the new connection
// takes the old segment for its own. 2MSL would have kept it from being opened.
func Test2mslWhy3Without(t *testing.T) {
	for _, msl := range []string{"msl=0", "msl=30"} {
		l := newLab(t, transit)
		bsdi, sun := l.add("bsdi", msl, "isn-tick=0", "isn-connection=0"), l.add("sun", msl)
		k := l.listen(sun, 21)
		l.rule("duplicate the 1st data segment from bsdi after 10 s")
		c := l.dialFrom(bsdi, 1500, sun, 21)
		s := l.accept(k)
		l.write(c, "old data")
		l.run(time.Second)
		l.wantRead(s, "old data", nil)
		l.ok(c.Close(l.now))
		l.run(time.Second)
		l.ok(s.Close(l.now))
		l.run(time.Second)
		c = bsdi.Socket(rawtcp.IPv4)
		if err := c.Bind(l.now, anyAddr(1500)); msl != "msl=0" {
			l.wantErr(err, rawtcp.ErrInUse)
			continue
		}
		l.ok(c.Connect(l.now, sun.at(21)))
		s = l.accept(k)
		l.run(20 * time.Second)
		l.wantRead(s, "old data", nil)
	}
}

// 2msl-why-4: one MSL for what is under way, one for the answer to it. Both are
// a second short of it, and nothing is left when the pair may be used again.
func Test2mslWhy4(t *testing.T) {
	l, bsdi, sun, from, to := waiting(t, "bsd", "bsd", "rfc1337=yes")
	// A duplicate of the last FIN has been on its way for 29 s; now it arrives.
	start := l.now
	l.rule("hold the 1st pure ACK from sun for 29 s")
	l.to(start + 28*time.Second)
	l.inject(from.at, to.at, wire.ACK, from.in.SndNxt-1, to.in.SndNxt, "x")
	l.to(start + 58*time.Second)
	if l.cable.Stats().Pending != 0 {
		t.Errorf("something is still under way:\n%s", l.listing())
	}
	l.wantRows(sun, dotted(to.at)+" "+dotted(from.at)+" TIME_WAIT")
	l.rest()
	l.wantEmpty(bsdi, sun)
}

// Exercise 18.15: a duplicate of the FIN is acknowledged again, and 2MSL begins
// anew.
func TestEx18_15(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, _, sun, from, to := waiting(t, prof, prof, "timestamps=no")
		before := sun.Netstat(l.now)[0].Left
		l.run(20 * time.Second)
		n := len(l.segs)
		l.inject(from.at, to.at, wire.FIN|wire.ACK, from.in.SndNxt, to.in.SndNxt+1, "")
		l.run(0)
		answer := l.segs[n+1]
		if answer.Flags != wire.ACK || answer.Ack != from.in.SndNxt+1 || answer.Seq != to.in.SndNxt+1 {
			t.Errorf("the answer is %+v", answer)
		}
		if left := sun.Netstat(l.now)[0].Left; left <= before {
			t.Errorf("%v are left, and before it were %v", left, before)
		}
	})
}

// Exercise 18.16: a RST ends TIME_WAIT, unless RFC 1337 is followed.
func TestEx18_16(t *testing.T) {
	for _, system := range []string{"bsd", "rfc9293", "linux"} {
		for _, ignore := range []string{"no", "yes"} {
			l, _, sun, from, to := waiting(t, system, system, "rfc1337="+ignore)
			l.inject(from.at, to.at, wire.RST, from.in.SndNxt+1, 0, "")
			l.run(ms)
			if n := len(sun.Netstat(l.now)); (n == 0) != (ignore == "no") {
				t.Errorf("%s, rfc1337=%s: %d rows are left", system, ignore, n)
			}
		}
	}
}

// Exercise 18.14: how many connections TIME_WAIT allows. With 64,512 ports and a
// 2MSL of 240 s it is 268 a second; here with a tenth of both.
func TestEx18_14(t *testing.T) {
	const ports, wait = 6451, 24
	l := newLab(t, 0)
	bsdi, sun := l.add("bsdi", "msl=12", "port-first=59085", "port-last=65535"), l.add("sun")
	k := l.listen(sun, discard)
	open := func() error {
		l.segs, l.seen = nil, nil
		c := bsdi.Socket(rawtcp.IPv4)
		if err := c.Connect(l.now, sun.at(discard)); !errors.Is(err, rawtcp.ErrWouldBlock) {
			return err
		}
		s := l.accept(k)
		l.ok(c.Close(l.now))
		l.run(0)
		l.ok(s.Close(l.now))
		l.run(0)
		return nil
	}
	opened := 0
	for open() == nil {
		opened++
	}
	if opened != ports || opened/wait != 268 {
		t.Errorf("%d connections, %d a second", opened, opened/wait)
	}
	l.wantErr(open(), rawtcp.ErrNotHere)
	l.run(wait * time.Second)
	l.ok(open())
}

// twr-1: many short connections leave TIME_WAIT with whoever closes first.
func TestTwr1(t *testing.T) {
	for _, serverFirst := range []bool{true, false} {
		l := newLab(t, transit)
		bsdi, sun := l.add("bsdi"), l.add("sun")
		rows := manyConnections(l, bsdi, sun, serverFirst, nil)
		want := 0
		if serverFirst {
			want = 1000
		}
		if rows != want {
			t.Errorf("the server closes first, %t: it has %d rows", serverFirst, rows)
		}
	}
}

// twr-2: with SO_LINGER and a time of 0 nothing is left, but the clients see a
// reset.
func TestTwr2(t *testing.T) {
	l := newLab(t, transit)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	resets := 0
	rows := manyConnections(l, bsdi, sun, true, func(c, s *rawtcp.Socket) {
		l.ok(s.Set(l.now, rawtcp.Linger, 0))
		r := l.reader(c)
		r.then = func() {
			if errors.Is(r.end, tcb.ErrReset) {
				resets++
			}
		}
	})
	if rows != 0 || resets != 1000 {
		t.Errorf("%d rows are left, %d clients have been reset", rows, resets)
	}
	l.wantEmpty(bsdi)
}

// manyConnections opens and closes a thousand connections, and returns how many
// rows the server has in the end, besides the one that listens.
func manyConnections(l *lab, client, server *host, serverFirst bool, prepare func(c, s *rawtcp.Socket)) int {
	k := l.listen(server, discard)
	for range 1000 {
		c := l.dial(client, server, discard)
		s := l.accept(k)
		if prepare != nil {
			prepare(c, s)
		}
		first, second := c, s
		if serverFirst {
			first, second = s, c
		}
		l.ok(first.Close(l.now))
		l.run(3 * transit)
		l.ok(second.Close(l.now))
		l.run(3 * transit)
		l.reads, l.segs, l.seen = nil, nil, nil
	}
	return len(server.Netstat(l.now)) - 1
}

// quiet-1: a host that comes back from a crash within MSL may use a pair of
// sockets of which something is still under way. Quiet time is there for that.
func TestQuiet1(t *testing.T) {
	for _, quiet := range []string{"quiet-time=0", "quiet-time=30"} {
		l := newLab(t, transit)
		bsdi, sun := l.add("bsdi", quiet, "isn-tick=0", "port-first=1500"), l.add("sun")
		k := l.listen(sun, 21)
		l.to(40 * time.Second) // the quiet time after the first boot
		l.rule("duplicate the 1st data segment from bsdi after 10 s")
		c := l.dial(bsdi, sun, 21)
		s := l.accept(k)
		l.write(c, "old data")
		l.run(100 * ms)
		l.wantRead(s, "old data", nil)
		crash := l.now
		bsdi.node.Crash(l.now)
		l.ok(s.Abort(l.now)) // sun has found out somehow
		bsdi.node.Reboot(l.now)
		bsdi.boot()
		c = l.dial(bsdi, sun, 21)
		if quiet == "quiet-time=0" {
			s = l.accept(k)
			l.run(20 * time.Second)
			l.wantRead(s, "old data", nil) // nobody has written that
			continue
		}
		l.to(crash + 29*time.Second)
		if rows := sun.Netstat(l.now); len(rows) != 1 {
			t.Errorf("%+v", rows)
		}
		s = l.accept(k)
		if since := l.now - crash; since < 30*time.Second {
			t.Errorf("it is connected after %v", since)
		}
		l.run(20 * time.Second)
		l.wantRead(s, "", nil)
		l.wantState(c, tcb.Established)
	}
}
