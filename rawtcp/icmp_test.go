package rawtcp_test

import (
	"errors"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// TestICMPError: which error ends a connection that is being opened, and what
// the user is told; one that is open it never ends (RFC 5927, section 5.2), but
// the user can ask.
func TestICMPError(t *testing.T) {
	for _, c := range []struct {
		name string
		kind wire.ICMPv4Type
		code uint8
		ends bool // SYN_SENT
		want error
	}{
		{"", wire.ICMPv4Unreachable, wire.ProtocolUnreachable, true, tcb.ErrRefused},
		{"", wire.ICMPv4Unreachable, wire.PortUnreachable, true, tcb.ErrRefused},
		{"", wire.ICMPv4Unreachable, wire.NetUnreachable, false, rawtcp.ErrNetUnreachable},
		{"", wire.ICMPv4Unreachable, wire.HostUnreachable, false, rawtcp.ErrHostUnreachable},
		{"", wire.ICMPv4Unreachable, wire.HostUnknown, false, rawtcp.ErrHostUnreachable},
		{"", wire.ICMPv4Unreachable, wire.HostProhibited, false, rawtcp.ErrHostUnreachable},
		{"", wire.ICMPv4Unreachable, wire.CommunicationProhibited, false, rawtcp.ErrHostUnreachable},
		{"", wire.ICMPv4Unreachable, wire.SourceRouteFailed, false, rawtcp.ErrNetUnreachable},
		{"", wire.ICMPv4TimeExceeded, wire.ExceededInTransit, false, rawtcp.ErrHostUnreachable},
		{"", wire.ICMPv4ParameterProblem, wire.PointerToError, false, rawtcp.ErrProtoOption},
		{"bsd", wire.ICMPv4Unreachable, wire.PortUnreachable, true, tcb.ErrRefused},
		{"bsd", wire.ICMPv4Unreachable, wire.HostUnreachable, false, rawtcp.ErrHostUnreachable},
		{"linux", wire.ICMPv4Unreachable, wire.HostUnreachable, true, rawtcp.ErrHostUnreachable},
		{"linux", wire.ICMPv4Unreachable, wire.NetUnreachable, true, rawtcp.ErrNetUnreachable},
		{"linux", wire.ICMPv4TimeExceeded, wire.ExceededInTransit, true, rawtcp.ErrHostUnreachable},
	} {
		l := newLone(t, c.name)
		k := l.dial(7)
		told := 0
		k.OnChange(func() { told++ })
		l.icmp(c.kind, c.code, 0, l.one().packet)
		if l.Stats().ICMPErrors != 1 || told != 1 {
			t.Errorf("%+v: %+v, told %d times", c, l.Stats(), told)
		}
		if ended := k.State() == tcb.Closed; ended != c.ends {
			t.Errorf("%+v: %v", c, k.State())
		}
		if c.ends {
			if err := k.Connect(l.now, at(there, 7)); !errors.Is(err, c.want) {
				t.Errorf("%+v: connect: %v", c, err)
			}
			if err := k.Connect(l.now, at(there, 8)); !errors.Is(err, rawtcp.ErrWouldBlock) {
				t.Errorf("%+v: the next connect: %v", c, err)
			}
		} else {
			// Nobody asks, so it is what the user hears in the end.
			l.pass(5 * time.Minute)
			if _, err := k.Read(l.now, make([]byte, 1)); !errors.Is(err, c.want) {
				t.Errorf("%+v: read: %v", c, err)
			}
		}

		l = newLone(t, c.name)
		k, _ = l.connected(7)
		l.ok(k.Set(l.now, rawtcp.NoDelay, 1))
		_, err := k.Write(l.now, []byte("data"))
		l.ok(err)
		l.icmp(c.kind, c.code, 0, l.one().packet)
		if k.State() != tcb.Established {
			t.Errorf("%+v: ESTABLISHED has become %v", c, k.State())
		}
		if err := k.Err(); !errors.Is(err, c.want) {
			t.Errorf("%+v: SO_ERROR is %v", c, err)
		}
		if err := k.Err(); err != nil {
			t.Errorf("%+v: SO_ERROR is %v the second time", c, err)
		}
	}
}

// TestICMP6Error is the same for IPv6.
func TestICMP6Error(t *testing.T) {
	for _, c := range []struct {
		kind wire.ICMPv6Type
		code uint8
		ends bool
		want error
	}{
		{wire.ICMPv6Unreachable, wire.PortUnreachableIPv6, true, tcb.ErrRefused},
		{wire.ICMPv6Unreachable, wire.NoRoute, false, rawtcp.ErrNetUnreachable},
		{wire.ICMPv6Unreachable, wire.AdminProhibited, false, rawtcp.ErrHostUnreachable},
		{wire.ICMPv6Unreachable, wire.AddressUnreachable, false, rawtcp.ErrHostUnreachable},
		{wire.ICMPv6TimeExceeded, wire.ExceededInTransit, false, rawtcp.ErrHostUnreachable},
		{wire.ICMPv6ParameterProblem, wire.UnknownNext, false, rawtcp.ErrProtoOption},
	} {
		l := newLone(t, "")
		k := l.Socket(rawtcp.IPv6)
		l.ok(k.Connect(l.now, at(there6, 7)))
		l.icmp6(c.kind, c.code, 0, l.one().packet)
		if ended := k.State() == tcb.Closed; ended != c.ends {
			t.Errorf("%+v: %v", c, k.State())
		}
		if err := k.Err(); !errors.Is(err, c.want) {
			t.Errorf("%+v: SO_ERROR is %v", c, err)
		}
	}
}

// TestUnanswered: that no neighbor has answered, the host is told by itself. It
// ends a connection that is being opened, whatever the system, and none that is
// open.
func TestUnanswered(t *testing.T) {
	for _, system := range []string{"", "linux", "bsd"} {
		l := newLone(t, system)
		k := l.dial(7)
		l.icmpFrom(here, wire.ICMPv4Unreachable, wire.HostUnreachable, 0, l.one().packet)
		if err := k.Err(); k.State() != tcb.Closed || !errors.Is(err, rawtcp.ErrHostUnreachable) {
			t.Errorf("%s: %v, %v", system, k.State(), err)
		}

		l = newLone(t, system)
		k = l.Socket(rawtcp.IPv6)
		l.ok(k.Connect(l.now, at(there6, 7)))
		l.icmp6From(here6, wire.ICMPv6Unreachable, wire.AddressUnreachable, 0, l.one().packet)
		if err := k.Err(); k.State() != tcb.Closed || !errors.Is(err, rawtcp.ErrHostUnreachable) {
			t.Errorf("%s with IPv6: %v, %v", system, k.State(), err)
		}

		l = newLone(t, system)
		k, _ = l.connected(7)
		l.ok(k.Set(l.now, rawtcp.NoDelay, 1))
		_, err := k.Write(l.now, []byte("data"))
		l.ok(err)
		l.icmpFrom(here, wire.ICMPv4Unreachable, wire.HostUnreachable, 0, l.one().packet)
		if k.State() != tcb.Established {
			t.Errorf("%s: ESTABLISHED has become %v", system, k.State())
		}
	}
}

// TestStrayICMP: an error is heard only if it quotes a segment that is under
// way: "SND.UNA =< SEG.SEQ < SND.NXT" (RFC 5927, section 4.1).
func TestStrayICMP(t *testing.T) {
	refuse := func(l *lone, p []byte) { l.icmp(wire.ICMPv4Unreachable, wire.PortUnreachable, 0, p) }
	seqAt := 24 // of the sequence number in a packet
	for _, c := range []struct {
		what string
		send func(l *lone, syn []byte)
		why  string
	}{
		{"the number before", func(l *lone, p []byte) { p[seqAt+3]--; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"the number after", func(l *lone, p []byte) { p[seqAt+3]++; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"another port", func(l *lone, p []byte) { p[20]++; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"another peer", func(l *lone, p []byte) { p[19]++; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"UDP", func(l *lone, p []byte) { p[9] = 17; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"a later fragment", func(l *lone, p []byte) { p[7] = 1; refuse(l, p) }, rawtcp.StrayICMP.String()},
		{"too little quoted", func(l *lone, p []byte) {
			m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: p[:27]}
			h := wire.IPv4{TTL: 1, Protocol: wire.ProtoICMP, Src: also, Dst: here, Payload: m.AppendTo(nil)}
			l.Receive(l.now, h.AppendTo(nil))
		}, rawtcp.StrayICMP.String()},
		{"half a header quoted", func(l *lone, p []byte) {
			m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: p[:12]}
			h := wire.IPv4{TTL: 1, Protocol: wire.ProtoICMP, Src: also, Dst: here, Payload: m.AppendTo(nil)}
			l.Receive(l.now, h.AppendTo(nil))
		}, wire.Truncated.String()},
		{"source quench", func(l *lone, p []byte) { l.icmp(wire.ICMPv4SourceQuench, 0, 0, p) }, rawtcp.StrayICMP.String()},
		{"a redirect", func(l *lone, p []byte) { l.icmp(wire.ICMPv4Redirect, wire.RedirectHost, 0, p) }, rawtcp.StrayICMP.String()},
		{"an echo", func(l *lone, p []byte) { l.icmp(wire.ICMPv4Echo, 0, 0, p) }, rawtcp.StrayICMP.String()},
		{"a bad checksum", func(l *lone, p []byte) {
			m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: p[:28]}
			b := m.AppendTo(nil)
			b[2]++
			h := wire.IPv4{TTL: 1, Protocol: wire.ProtoICMP, Src: also, Dst: here, Payload: b}
			l.Receive(l.now, h.AppendTo(nil))
		}, wire.BadChecksum.String()},
		{"nothing", func(l *lone, _ []byte) {
			h := wire.IPv4{TTL: 1, Protocol: wire.ProtoICMP, Src: also, Dst: here}
			l.Receive(l.now, h.AppendTo(nil))
		}, wire.Truncated.String()},
		{"too big, a wrong number", func(l *lone, p []byte) {
			p[seqAt]++
			l.icmp(wire.ICMPv4Unreachable, wire.FragmentationNeeded, 600, p)
		}, rawtcp.StrayICMP.String()},
		{"too big, another port", func(l *lone, p []byte) {
			p[22]++
			l.icmp(wire.ICMPv4Unreachable, wire.FragmentationNeeded, 600, p)
		}, rawtcp.StrayICMP.String()},
		{"too big, and it is not", func(l *lone, p []byte) {
			l.icmp(wire.ICMPv4Unreachable, wire.FragmentationNeeded, 1500, p)
		}, rawtcp.StrayICMP.String()},
	} {
		l := newLone(t, "")
		k := l.dial(7)
		c.send(l, l.one().packet)
		if l.dropped() != c.why || k.State() != tcb.SynSent || k.Err() != nil || k.Info().MTU != 1500 {
			t.Errorf("%s: %q %v %d", c.what, l.dropped(), k.State(), k.Info().MTU)
		}
		if l.Stats().ICMPErrors != 0 || l.Stats().Dropped != 1 {
			t.Errorf("%s: %+v", c.what, l.Stats())
		}
		l.quiet(c.what)
	}
}

func TestStrayICMP6(t *testing.T) {
	receive := func(l *lone, m wire.ICMPv6, mode wire.ChecksumMode) {
		h := wire.IPv6{HopLimit: 1, Protocol: wire.ProtoICMPv6, Src: there6, Dst: here6, Payload: m.AppendTo(nil, there6, here6, mode)}
		l.Receive(l.now, h.AppendTo(nil))
	}
	for _, c := range []struct {
		what string
		send func(l *lone, syn []byte)
		why  string
	}{
		{"a bad checksum", func(l *lone, p []byte) {
			receive(l, wire.ICMPv6{Type: wire.ICMPv6Unreachable, Body: p}, wire.ChecksumKeep)
		}, wire.BadChecksum.String()},
		{"half a checksum", func(l *lone, p []byte) {
			receive(l, wire.ICMPv6{Type: wire.ICMPv6Unreachable, Body: p}, wire.ChecksumPseudo)
		}, wire.BadChecksum.String()},
		{"an echo", func(l *lone, _ []byte) {
			receive(l, wire.ICMPv6{Type: wire.ICMPv6Echo}, wire.ChecksumFull)
		}, rawtcp.StrayICMP.String()},
		{"half a header quoted", func(l *lone, p []byte) {
			l.icmp6(wire.ICMPv6Unreachable, wire.PortUnreachableIPv6, 0, p[:20])
		}, wire.Truncated.String()},
		{"the number after", func(l *lone, p []byte) {
			p[47]++
			l.icmp6(wire.ICMPv6Unreachable, wire.PortUnreachableIPv6, 0, p)
		}, rawtcp.StrayICMP.String()},
		{"less than any MTU", func(l *lone, p []byte) {
			l.icmp6(wire.ICMPv6PacketTooBig, 0, 1279, p)
		}, rawtcp.StrayICMP.String()},
	} {
		l := newLone(t, "")
		k := l.Socket(rawtcp.IPv6)
		l.ok(k.Connect(l.now, at(there6, 7)))
		c.send(l, l.one().packet)
		if l.dropped() != c.why || k.State() != tcb.SynSent || k.Err() != nil || k.Info().MTU != 1500 {
			t.Errorf("%s: %q %v %d", c.what, l.dropped(), k.State(), k.Info().MTU)
		}
	}
	l := newLone(t, "")
	h := wire.IPv6{HopLimit: 1, Protocol: wire.ProtoICMPv6, Src: there6, Dst: here6}
	l.Receive(l.now, h.AppendTo(nil))
	if l.dropped() != wire.BadChecksum.String() {
		t.Error(l.dropped())
	}
}

// TestTooBig: what is under way is sent again in packets that fit, of the size
// that the router says, or of the next plateau (RFC 1191, section 7).
func TestTooBig(t *testing.T) {
	for _, c := range []struct{ mtu, want int }{
		{1000, 1000}, {0, 1492}, {576, 576}, {1, 104}, {1499, 1499},
	} {
		l := newLone(t, "", "timestamps=no", "rcvbuf=65535")
		k := l.Socket(rawtcp.IPv4)
		l.ok(k.Connect(l.now, at(there, 7)))
		p := l.peer(at(there, 7), k.Local())
		p.syn = wire.Options{HasMSS: true, MSS: 1460}
		p.take(wire.SYN)
		p.send(wire.SYN|wire.ACK, "")
		p.take(wire.ACK)
		_, err := k.Write(l.now, make([]byte, 1460))
		l.ok(err)
		first := l.one()
		if len(first.packet) != 1500 || !first.df {
			t.Fatalf("%d bytes", len(first.packet))
		}
		l.icmp(wire.ICMPv4Unreachable, wire.FragmentationNeeded, uint32(c.mtu), first.packet)
		out := l.take()
		if len(out) == 0 || out[0].Seq != first.Seq || len(out[0].packet) != c.want {
			t.Errorf("%d: sent %d packets, the first of %d bytes", c.mtu, len(out), len(out[0].packet))
		}
		if k.Info().MTU != c.want || l.Stats().ICMPErrors != 1 || l.Stats().Retransmits == 0 {
			t.Errorf("%d: the MTU is %d, %+v", c.mtu, k.Info().MTU, l.Stats())
		}
	}
	for mtu, want := range map[uint32]int{1280: 1280, 1400: 1400} {
		l := newLone(t, "", "timestamps=no")
		k := l.Socket(rawtcp.IPv6)
		l.ok(k.Connect(l.now, at(there6, 7)))
		p := l.peer(at(there6, 7), k.Local())
		p.syn = wire.Options{HasMSS: true, MSS: 1440}
		p.take(wire.SYN)
		p.send(wire.SYN|wire.ACK, "")
		p.take(wire.ACK)
		_, err := k.Write(l.now, make([]byte, 1440))
		l.ok(err)
		l.icmp6(wire.ICMPv6PacketTooBig, 0, mtu, l.one().packet)
		if out := l.take(); len(out) == 0 || len(out[0].packet) != want {
			t.Errorf("%d: sent %+v", mtu, out)
		}
	}
}

// A system that knows nothing of that lets routers fragment, and does not hear
// them.
func TestTooBigUnknown(t *testing.T) {
	l := newLone(t, "bsd")
	k, p := l.connected(7)
	_, err := k.Write(l.now, make([]byte, 500))
	l.ok(err)
	s := l.one()
	l.icmp(wire.ICMPv4Unreachable, wire.FragmentationNeeded, 296, s.packet)
	l.quiet("too big")
	if s.df || l.dropped() != rawtcp.StrayICMP.String() || k.Info().MTU != 1500 {
		t.Errorf("%v %q %d", s.df, l.dropped(), k.Info().MTU)
	}
	_ = p
}

// The plateaus are those of RFC 1191, table 7-1.
func TestPlateaus(t *testing.T) {
	for _, c := range []struct{ n, want int }{
		{65535, 32000}, {32000, 17914}, {9000, 8166}, {1500, 1492}, {1006, 508}, {297, 296}, {296, 68}, {68, 68},
	} {
		if got := rawtcp.Plateau(c.n); got != c.want {
			t.Errorf("below %d: %d, not %d", c.n, got, c.want)
		}
	}
}

// A connection in TIME_WAIT does not hear errors, nor one that is closed.
func TestICMPTooLate(t *testing.T) {
	l, _, _ := inTimeWait(t, false, "")
	l.icmp(wire.ICMPv4Unreachable, wire.PortUnreachable, 0,
		packet(at(here, 80), at(there, 2000), wire.Segment{Seq: 1}))
	if l.dropped() != rawtcp.StrayICMP.String() {
		t.Error(l.dropped())
	}
	l, k, _ := inTimeWait(t, true, "")
	l.icmp(wire.ICMPv4Unreachable, wire.PortUnreachable, 0,
		packet(at(here, 80), at(there, 2000), wire.Segment{Seq: k.Info().SndNxt - 1}))
	if l.dropped() != rawtcp.StrayICMP.String() || k.State() != tcb.TimeWait {
		t.Error(l.dropped(), k.State())
	}
}
