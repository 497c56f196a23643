package trial_test

import (
	"io"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// 18.8 and 18.9: both ends open at once, both ends close at once.

// across returns two hosts far apart that have both begun to connect, from 8888
// to 7777 and the other way round.
func across(t *testing.T, prof string) (l *lab, a, b *host, j, k *rawtcp.Socket) {
	t.Helper()
	l = newLab(t, 107*ms)
	a = l.addAs("bsdi", prof, "isn=91904001", "isn-keyed=no", "isn-tick=0", "timestamps=no")
	b = l.addAs("vangogh", prof, "isn=1058199041", "isn-keyed=no", "isn-tick=0", "timestamps=no", "rcvbuf=8192")
	l.gateway(a, b)
	l.lister.See = trace.AtHost("bsdi") // that is where the tcpdump runs
	j, k = l.bound(a, anyAddr(8888)), l.bound(b, anyAddr(7777))
	l.ok(j.Connect(l.now, b.at(7777)))
	l.ok(k.Connect(l.now, a.at(8888)))
	return l, a, b, j, k
}

// fig18-17 and fig18-18: one connection, opened by four segments, with data both
// ways and a normal close.
func TestFig18_18(t *testing.T) {
	l, a, b, j, k := across(t, "bsd")
	l.run(time.Second)
	l.want(
		"0.0 bsdi.8888 > vangogh.7777: S 91904001:91904001(0) win 4096 <mss 512>",
		"0.107 vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) win 8192 <mss 512>",
		"0.107 bsdi.8888 > vangogh.7777: S 91904001:91904001(0) ack 1058199042 win 4096 <mss 512>",
		"0.214 vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) ack 91904002 win 8192 <mss 512>",
	)
	for _, h := range []*host{a, b} {
		l.wantStates(h, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED")
	}
	if got, _ := j.Get(rawtcp.MaxSeg); got != 512 {
		t.Errorf("TCP_MAXSEG is %d", got)
	}
	there, here := l.reader(k), l.reader(j)
	here.then = func() { l.ok(j.Close(l.now)) } // "connection closed by peer"
	l.to(5630 * ms)
	l.write(j, "hello, world\n")
	l.to(9640 * ms)
	l.wantText(there, "hello, world\n", nil)
	l.write(k, "and hi there\n")
	l.to(13060 * ms)
	l.ok(k.Close(l.now))
	l.run(time.Second)
	l.wantText(here, "and hi there\n", io.EOF)
	l.want(
		"5.63 bsdi.8888 > vangogh.7777: P 1:14(13) ack 1 win 4096",
		"vangogh.7777 > bsdi.8888: . ack 14 win 8192",
		"vangogh.7777 > bsdi.8888: P 1:14(13) ack 14 win 8192",
		"bsdi.8888 > vangogh.7777: . ack 14 win 4096",
		"vangogh.7777 > bsdi.8888: F 14:14(0) ack 14 win 8192",
		"bsdi.8888 > vangogh.7777: . ack 15 win 4096",
		"bsdi.8888 > vangogh.7777: F 14:14(0) ack 15 win 4096",
		"vangogh.7777 > bsdi.8888: . ack 15 win 8192",
	)
	l.rest()
	l.wantEmpty(a, b)
}

// The same with other systems: Linux sends one ACK more each way, by which it
// tells that the SYN has come twice.
func TestFig18_18Others(t *testing.T) {
	for prof, want := range map[string][]string{
		"rfc9293": {
			"bsdi.8888 > vangogh.7777: S 91904001:91904001(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 5>",
			"vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) win 8192 <mss 1460,nop,nop,sackOK,nop,wscale 0>",
			"bsdi.8888 > vangogh.7777: S 91904001:91904001(0) ack 1058199042 win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 5>",
			"vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) ack 91904002 win 8192 <mss 1460,nop,nop,sackOK,nop,wscale 0>",
		},
		"linux": {
			"bsdi.8888 > vangogh.7777: S 91904001:91904001(0) win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 10>",
			"vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) win 7300 <mss 1460,nop,nop,sackOK,nop,wscale 7>",
			"bsdi.8888 > vangogh.7777: S 91904001:91904001(0) ack 1058199042 win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 10>",
			"vangogh.7777 > bsdi.8888: S 1058199041:1058199041(0) ack 91904002 win 7300 <mss 1460,nop,nop,sackOK,nop,wscale 7>",
			"bsdi.8888 > vangogh.7777: . ack 1 win 63 <nop,nop,sack 1 {0:1}>",
			"vangogh.7777 > bsdi.8888: . ack 1 win 58 <nop,nop,sack 1 {0:1}>",
		},
	} {
		l, _, _, j, k := across(t, prof)
		l.run(time.Second)
		l.want(want...)
		l.wantState(j, tcb.Established)
		l.wantState(k, tcb.Established)
	}
}

// The bug of many old Berkeley systems: SYN+ACKs for ever.
func TestSimultaneousLoop(t *testing.T) {
	l, a, b, j, k := across(t, "bsd")
	for _, x := range []*rawtcp.Socket{j, k} {
		x.Configure(0, func(c *tcb.Config) { c.SimultaneousLoop = true })
	}
	l.run(10 * time.Second)
	if len(l.segs) < 50 {
		t.Errorf("only %d segments:\n%s", len(l.segs), l.listing())
	}
	l.wantState(j, tcb.SynRcvd)
	l.rest() // the limit of 75 s ends it
	for _, x := range []*rawtcp.Socket{j, k} {
		l.wantErr(x.Err(), tcb.ErrTimeout)
		l.ok(x.Close(l.now))
	}
	l.wantEmpty(a, b)
}

// simopen-b: if one of them listens, it is an ordinary open.
func TestSimopenB(t *testing.T) {
	l := newLab(t, 107*ms)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	k := l.listen(sun, 7777)
	c := l.dialFrom(bsdi, 8888, sun, 7777)
	l.run(time.Second)
	l.accept(k)
	l.wantState(c, tcb.Established)
	l.wantStates(bsdi, "CLOSED SYN_SENT ESTABLISHED")
	if len(l.segs) != 3 {
		t.Errorf("%d segments:\n%s", len(l.segs), l.listing())
	}
}

// Two clients whose SYNs cross, each for a server on the other host, make two
// connections.
func TestTwoCrossingConnections(t *testing.T) {
	l := newLab(t, 107*ms)
	bsdi, sun := l.add("bsdi"), l.add("sun")
	l.listen(bsdi, 23)
	l.listen(sun, 23)
	j, k := l.dial(bsdi, sun, 23), l.dial(sun, bsdi, 23)
	l.run(time.Second)
	l.wantState(j, tcb.Established)
	l.wantState(k, tcb.Established)
	if n := len(sun.Netstat(l.now)); n != 3 {
		t.Errorf("%d rows", n)
	}
}

// simopen-c: a socket that connects to itself, and talks to itself.
func TestSimopenC(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l := newLab(t, transit)
		a := l.addAs("bsdi", prof)
		k := l.bound(a, anyAddr(7777))
		l.ok(k.Connect(l.now, addrPort("127.0.0.1:7777")))
		l.run(time.Second)
		l.wantState(k, tcb.Established)
		l.write(k, "talking to myself")
		l.run(time.Second)
		l.wantRead(k, "talking to myself", nil)
		l.ok(k.Shutdown(l.now))
		l.run(10 * time.Second)
		l.wantEOF(k)
		l.ok(k.Close(l.now))
		l.rest()
		l.wantEmpty(a)
		l.wantStates(a, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED")
	})
}

// fig18-19: both close within the time a segment takes. Four segments, both ends
// in CLOSING, both in TIME_WAIT.
func TestFig18_19(t *testing.T) {
	systems(t, func(t *testing.T, prof string) {
		l, a, b, j, k := across(t, prof)
		l.run(time.Second)
		l.skip()
		n := len(l.segs)
		l.wantStates(a, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED")
		l.wantStates(b, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED")
		l.ok(j.Close(l.now))
		l.run(50 * ms)
		l.ok(k.Close(l.now))
		l.wantRows(a, "140.252.13.35.8888 128.32.130.2.7777 FIN_WAIT_1")
		l.run(107 * ms)
		l.wantRows(a, "140.252.13.35.8888 128.32.130.2.7777 CLOSING")
		l.run(time.Second)
		l.wantRows(a, "140.252.13.35.8888 128.32.130.2.7777 TIME_WAIT")
		l.wantRows(b, "128.32.130.2.7777 140.252.13.35.8888 TIME_WAIT")
		var flags []string
		for _, s := range l.segs[n:] {
			flags = append(flags, s.Flags.String())
		}
		if !slices.Equal(flags, []string{"FIN|ACK", "FIN|ACK", "ACK", "ACK"}) {
			t.Errorf("%v:\n%s", flags, l.listing())
		}
		l.rest()
		for _, h := range []*host{a, b} {
			l.wantStates(h, "ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED")
		}
		l.wantEmpty(a, b)
	})
}
