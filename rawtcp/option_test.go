package rawtcp_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// value is an option with a value it may have, and some that it may not.
type value struct {
	name rawtcp.Option
	text string
	of   int // from the profile
	ok   int
	bad  []int
}

func values() []value {
	const us = 1_000_000
	return []value{
		{rawtcp.ReuseAddr, "ReuseAddr", 0, 1, nil},
		{rawtcp.ReusePort, "ReusePort", 0, 1, nil},
		{rawtcp.KeepAlive, "KeepAlive", 0, 1, nil},
		{rawtcp.Inline, "Inline", 0, 1, nil},
		{rawtcp.DontRoute, "DontRoute", 0, 1, nil},
		{rawtcp.Debug, "Debug", 0, 1, nil},
		{rawtcp.NoDelay, "NoDelay", 0, 1, nil},
		{rawtcp.NoPush, "NoPush", 0, 1, nil},
		{rawtcp.Linger, "Linger", -1, 7, []int{-2, math.MaxInt}},
		{rawtcp.SendBuf, "SendBuf", 1 << 20, 1234, []int{0, -1}},
		{rawtcp.RecvBuf, "RecvBuf", 1 << 20, 4321, []int{0, -1}},
		{rawtcp.MaxSeg, "MaxSeg", 536, 777, []int{0, -1, 65536}},
		{rawtcp.TTL, "TTL", 64, 3, []int{0, -1, 256}},
		{rawtcp.TOS, "TOS", 0, 16, []int{-1, 256}},
		{rawtcp.KeepIdle, "KeepIdle", 7200 * us, 5 * us, []int{0, -1, math.MaxInt}},
		{rawtcp.KeepInterval, "KeepInterval", 75 * us, 6 * us, []int{0, -1, math.MaxInt}},
		{rawtcp.KeepCount, "KeepCount", 9, 4, []int{0, -1, 256}},
		{rawtcp.UserTimeout, "UserTimeout", 0, 8 * us, []int{-1, math.MaxInt}},
	}
}

// TestOptions: what is set is got, from the beginning to the end, and nothing
// else changes.
func TestOptions(t *testing.T) {
	for _, s := range []situation{isNew, isListening, isSynSent, isEstablished, isTimeWait, isReset} {
		for _, v := range values() {
			l, k, _ := in(t, s, "")
			for _, bad := range v.bad {
				if err := k.Set(l.now, v.name, bad); !errors.Is(err, rawtcp.ErrInvalid) {
					t.Errorf("%s=%d in %v: %v", v.text, bad, s, err)
				}
			}
			if err := k.Set(l.now, v.name, v.ok); err != nil {
				t.Errorf("%s=%d in %v: %v", v.text, v.ok, s, err)
			}
			for _, u := range values() {
				want := u.of
				if u.name == v.name {
					want = u.ok
				}
				if u.name == rawtcp.MaxSeg && s != isNew && s != isListening {
					continue // of the connection, see TestMaxSeg
				}
				if got, err := k.Get(u.name); got != want || err != nil {
					t.Errorf("%s=%d in %v: %s is %d, %v; not %d", v.text, v.ok, s, u.text, got, err, want)
				}
			}
			l.quiet(v.text)
		}
	}
	l := newLone(t, "")
	k := l.Socket(rawtcp.IPv4)
	if err := k.Set(l.now, 99, 1); !errors.Is(err, rawtcp.ErrInvalid) {
		t.Error(err)
	}
	if _, err := k.Get(99); !errors.Is(err, rawtcp.ErrInvalid) {
		t.Error(err)
	}
}

// A flag is off again with 0.
func TestFlagOff(t *testing.T) {
	l := newLone(t, "")
	k := l.Socket(rawtcp.IPv4)
	for _, v := range []int{1, 0, -1, 0} {
		l.ok(k.Set(l.now, rawtcp.NoDelay, v))
		if got, _ := k.Get(rawtcp.NoDelay); (got == 1) != (v != 0) {
			t.Errorf("set to %d, it is %d", v, got)
		}
	}
}

// TestInherited: an accepted socket has the options of the one that listened,
// as they were when it was accepted; later changes of one are not the other's.
func TestInherited(t *testing.T) {
	for late := range 3 { // before the SYN, before the ACK, after it
		l := newLone(t, "")
		k := l.listen(at(here, 80), 5)
		set := func() {
			for _, v := range values() {
				l.ok(k.Set(l.now, v.name, v.ok))
			}
		}
		if late == 0 {
			set()
		}
		p := l.peer(at(there, 2000), at(here, 80))
		p.syn = wire.Options{HasMSS: true, MSS: 1460}
		p.send(wire.SYN, "")
		synack := l.one()
		p.ack = synack.Seq + 1
		if late == 0 && (synack.ttl != 3 || synack.tos != 16 || synack.Options.MSS != 777 || synack.Window != 4321) {
			t.Errorf("%+v", synack)
		}
		if late == 1 {
			set()
		}
		p.send(wire.ACK, "")
		if late == 2 {
			set()
		}
		a, err := k.Accept(l.now)
		l.ok(err)
		for _, v := range values() {
			if got, err := a.Get(v.name); got != v.ok || err != nil {
				t.Errorf("%s is %d, %v; not %d", v.text, got, err, v.ok)
			}
		}
		in := a.Info()
		if in.SendBuffer != 1234 || in.RecvBuffer != 4321 {
			t.Errorf("%+v", in)
		}
		if in.Timers[tcb.TimerKeep] != 5*time.Second {
			t.Errorf("keepalive at %v", in.Timers[tcb.TimerKeep])
		}
		l.ok(a.Set(l.now, rawtcp.NoPush, 0))
		_, err = a.Write(l.now, []byte("x"))
		l.ok(err)
		if s := l.take(); len(s) == 0 || s[len(s)-1].ttl != 3 || s[len(s)-1].tos != 16 {
			t.Errorf("%+v", s)
		}
		l.ok(a.Set(l.now, rawtcp.TTL, 9))
		l.ok(a.Set(l.now, rawtcp.KeepIdle, 1))
		l.ok(k.Set(l.now, rawtcp.TOS, 0))
		if ttl, _ := k.Get(rawtcp.TTL); ttl != 3 {
			t.Error("the child has changed its parent")
		}
		if idle, _ := k.Get(rawtcp.KeepIdle); idle != 5_000_000 {
			t.Error("the child has changed its parent")
		}
		if tos, _ := a.Get(rawtcp.TOS); tos != 16 {
			t.Error("the parent has changed its child")
		}
	}
}

// TestMaxSeg: it bounds what is announced and what is sent; once there is a
// connection, it is what is in use.
func TestMaxSeg(t *testing.T) {
	l := newLone(t, "", "timestamps=no")
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Set(l.now, rawtcp.MaxSeg, 600))
	l.ok(k.Connect(l.now, at(there, 7)))
	p := l.peer(at(there, 7), k.Local())
	p.syn = wire.Options{HasMSS: true, MSS: 1460}
	if s := p.take(wire.SYN); s.Options.MSS != 600 {
		t.Errorf("announced %d", s.Options.MSS)
	}
	p.send(wire.SYN|wire.ACK, "")
	p.take(wire.ACK)
	if n, _ := k.Get(rawtcp.MaxSeg); n != 600 {
		t.Errorf("in use is %d", n)
	}
	_, err := k.Write(l.now, make([]byte, 700))
	l.ok(err)
	if s := l.take(); len(s[0].Payload) != 600 {
		t.Errorf("sent %d bytes", len(s[0].Payload))
	}
}

// Options that change what a connection does at once.
func TestOptionsAct(t *testing.T) {
	l, k, p := in(t, isEstablished, "")
	l.ok(k.Set(l.now, rawtcp.NoPush, 1))
	_, err := k.Write(l.now, []byte("held"))
	l.ok(err)
	l.quiet("TCP_NOPUSH")
	l.ok(k.Set(l.now, rawtcp.NoPush, 0))
	if s := p.take(wire.ACK); string(s.Payload) != "held" {
		t.Errorf("%+v", s)
	}
	_, err = k.Write(l.now, []byte("small"))
	l.ok(err)
	l.quiet("Nagle's algorithm")
	l.ok(k.Set(l.now, rawtcp.NoDelay, 1))
	if s := p.take(wire.ACK); string(s.Payload) != "small" {
		t.Errorf("%+v", s)
	}
	p.send(wire.ACK, "")
	l.ok(k.Set(l.now, rawtcp.KeepIdle, 10_000_000))
	l.ok(k.Set(l.now, rawtcp.KeepAlive, 1))
	l.pass(10 * time.Second)
	if s := l.one(); s.Seq != p.ack-1 || l.Stats().KeepaliveProbes != 1 {
		t.Errorf("%+v", s)
	}
	l.ok(k.Set(l.now, rawtcp.KeepAlive, 0))
	l.pass(time.Hour)
	l.quiet("SO_KEEPALIVE is off")
}

// Configure changes any single value, for one socket only.
func TestConfigure(t *testing.T) {
	l, k, p := in(t, isEstablished, "")
	before := l.prof.TCP
	k.Configure(l.now, func(c *tcb.Config) { c.MSL = time.Second })
	l.ok(k.Close(l.now))
	p.take(wire.FIN | wire.ACK)
	p.send(wire.FIN|wire.ACK, "")
	p.take(wire.ACK)
	if r := l.Netstat(l.now)[0]; r.Left != 2*time.Second {
		t.Errorf("%+v", r)
	}
	if l.Profile() != l.prof || l.prof.TCP.MSL != before.MSL {
		t.Error("the profile has changed")
	}
	// Before there is a connection it counts for the next one.
	k = l.Socket(rawtcp.IPv4)
	k.Configure(l.now, func(c *tcb.Config) { c.SACK, c.Timestamps, c.WindowScale = false, false, false })
	l.ok(k.Connect(l.now, at(there, 7)))
	if o := l.one().Options; o.SACKPermitted || o.HasTimestamps || o.HasScale {
		t.Errorf("%+v", o)
	}
}
