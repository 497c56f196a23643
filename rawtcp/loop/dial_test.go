package loop_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// slow returns Options for a host whose link takes d each way, and loses some of
// the packets.
func slow(d time.Duration, loss float64) loop.Options {
	return loop.Options{Faults: link.NewPipe(link.Conditions{Delay: d, Loss: loss}, 1)}
}

func TestDialRefused(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		_, err := p.a.Dial(t.Context(), port)
		wantError(t, err, "dial", tcb.ErrRefused, syscall.ECONNREFUSED)
	})
}

// Who gives up dialing leaves nothing behind.
func TestDialGivenUp(t *testing.T) {
	bubble(t, slow(0, 1), func(t *testing.T, p *pair) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := p.a.Dial(ctx, port)
		wantError(t, err, "dial", context.DeadlineExceeded)
		var e net.Error
		if !errors.As(err, &e) || !e.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}

		ctx, cancel = context.WithCancel(t.Context())
		dialed := start(func() error { _, err := p.a.Dial(ctx, port); return err })
		synctest.Wait()
		cancel()
		wantError(t, <-dialed, "dial", context.Canceled)
		_, err = p.a.Dial(ctx, port)
		wantError(t, err, "dial", context.Canceled)

		p.a.Do(func(now time.Duration, s *rawtcp.Stack) {
			if rows := s.Netstat(now); len(rows) > 0 {
				t.Errorf("left behind: %+v", rows)
			}
		})
	})
}

// "R2 for a SYN segment MUST be set large enough to provide retransmission of
// the segment for at least 3 minutes" (RFC 9293, section 3.8.3).
func TestDialUnanswered(t *testing.T) {
	bubble(t, slow(0, 1), func(t *testing.T, p *pair) {
		began := time.Now()
		_, err := p.a.Dial(t.Context(), port)
		wantError(t, err, "dial", tcb.ErrTimeout, syscall.ETIMEDOUT)
		var e net.Error
		if !errors.As(err, &e) || !e.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		if took := time.Since(began); took < 3*time.Minute {
			t.Errorf("it gave up after %v", took)
		}
	})
}

func TestDialWhileClosing(t *testing.T) {
	bubble(t, slow(0, 1), func(t *testing.T, p *pair) {
		dialed := start(func() error { _, err := p.a.Dial(t.Context(), port); return err })
		synctest.Wait()
		must(t, p.a.Close())
		wantError(t, <-dialed, "dial", net.ErrClosed)
	})
}

func TestDialFrom(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		from := netip.AddrPortFrom(prefixA.Addr(), 1037)
		n := p.listen(t)
		c, err := p.a.Dial(t.Context(), port, loop.Bind(from))
		must(t, err)
		s, err := n.Accept()
		must(t, err)
		if c.LocalAddr().String() != from.String() || s.RemoteAddr().String() != from.String() ||
			c.RemoteAddr().String() != port.String() || s.LocalAddr().String() != port.String() {
			t.Errorf("%v to %v, and %v from %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
		}
		_, err = p.a.Dial(t.Context(), port, loop.Bind(netip.AddrPortFrom(prefixB.Addr(), 0)))
		wantError(t, err, "dial", rawtcp.ErrNotHere, syscall.EADDRNOTAVAIL)
		_, err = p.b.Listen(port, 5)
		wantError(t, err, "listen", rawtcp.ErrInUse, syscall.EADDRINUSE)
	})
}

// A host reaches itself, at its own address and at those of the loopback
// network, and DialContext is what an http.Transport wants.
func TestDialSelf(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		for _, to := range []struct{ network, address string }{
			{"tcp", "10.0.0.2:7"},
			{"tcp4", "127.0.0.1:7"},
			{"tcp6", "[::1]:7"},
			{"tcp6", "[fd00::2]:7"},
		} {
			a := netip.IPv4Unspecified()
			if to.network == "tcp6" {
				a = netip.IPv6Unspecified()
			}
			n, err := p.b.Listen(netip.AddrPortFrom(a, 7), 5)
			must(t, err)
			c, err := p.b.DialContext(t.Context(), to.network, to.address)
			must(t, err)
			s, err := n.Accept()
			must(t, err)
			echo := start(func() error { write(t, s, "self"); return nil })
			wantRead(t, c, "self")
			must(t, <-echo)
			must(t, s.Close())
			must(t, c.Close())
			must(t, n.Close())
		}
		for _, to := range []struct{ network, address string }{
			{"tcp6", "10.0.0.2:7"},
			{"udp", "10.0.0.2:7"},
			{"tcp", "host:7"},
		} {
			if c, err := p.b.DialContext(t.Context(), to.network, to.address); c != nil || err == nil {
				t.Errorf("dialed %v: %v", to, err)
			}
		}
	})
}

// What is for another host, or for a loopback address, is not taken from the
// link.
func TestNotMine(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		p.listen(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := p.a.Dial(ctx, netip.MustParseAddrPort("10.0.0.3:7"))
		wantError(t, err, "dial", context.DeadlineExceeded)
		p.b.Do(func(_ time.Duration, s *rawtcp.Stack) {
			if n := s.Stats().SegmentsIn; n != 0 {
				t.Errorf("b has taken %d segments", n)
			}
		})
	})
}

// What is damaged is dropped for that, whomever it seems to be for.
func TestDamagedHeader(t *testing.T) {
	h := wire.IPv4{TTL: 64, Protocol: 200, Src: prefixA.Addr(), Dst: netip.MustParseAddr("10.0.0.3"), Payload: make([]byte, 8)}
	packet := h.AppendTo(nil)
	for _, c := range []struct {
		at   int
		bit  byte
		want string
	}{
		{0, 0, "not for this host"},
		{0, 0x40, "bad IP version"},
		{0, 0x20, "truncated"}, // that is IPv6
		{17, 0x20, "bad checksum"},
		{19, 1, "bad checksum"}, // this is for b now
	} {
		synctest.Test(t, func(t *testing.T) {
			left, right := loop.NewMemory(loop.MemoryOptions{}, []netip.Prefix{prefixA}, []netip.Prefix{prefixB})
			left.Start(func([][]byte) { t.Error("it is answered") })
			defer left.Close()
			var drops []string
			var o loop.Options
			o.Sink = trace.Func(func(e trace.Event) {
				if e.Kind == trace.Dropped {
					drops = append(drops, e.Reason.String())
				}
			})
			b := loop.New(right, o)
			defer b.Close()
			damaged := append(left.Buffer(), packet...)
			damaged[c.at] ^= c.bit
			must(t, left.Send(0, damaged, trace.Rule{}))
			left.Flush()
			synctest.Wait()
			b.Do(func(time.Duration, *rawtcp.Stack) {
				if !slices.Equal(drops, []string{c.want}) {
					t.Errorf("byte %d: dropped: %q, want %q", c.at, drops, c.want)
				}
			})
		})
	}
}

// What is said to come from the host that it comes to is not taken from the link
// either: with bsd, which answers whatever is not acceptable by an ACK, the one
// SYN made it answer itself for ever.
func TestLand(t *testing.T) {
	for _, from := range []string{"10.0.0.2", "127.0.0.1"} {
		synctest.Test(t, func(t *testing.T) {
			left, right := loop.NewMemory(loop.MemoryOptions{}, []netip.Prefix{prefixA}, []netip.Prefix{prefixB})
			left.Start(func([][]byte) { t.Error("it is answered") })
			defer left.Close()
			b := loop.New(right, of(t, "bsd"))
			defer b.Close()
			_, err := b.Listen(port, 5)
			must(t, err)

			src := netip.MustParseAddr(from)
			seg := wire.Segment{SrcPort: port.Port(), DstPort: port.Port(), Flags: wire.SYN}
			h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: port.Addr()}
			packet := seg.AppendTo(h.AppendHeader(left.Buffer(), seg.WireLen()), src, port.Addr(), wire.ChecksumFull)
			must(t, left.Send(0, packet, trace.Rule{}))
			left.Flush()
			synctest.Wait()
			b.Do(func(_ time.Duration, s *rawtcp.Stack) {
				if n := s.Stats().SegmentsIn; n != 0 {
					t.Errorf("it has taken %d segments", n)
				}
			})
		})
	}
}

// But that a neighbor does not answer, a host is told from its own address.
func TestUnanswered(t *testing.T) {
	withStranger(t, loop.Options{}, func(t *testing.T, l *loop.Loop, s *stranger) {
		dialed := start(func() error { _, err := l.Dial(t.Context(), port); return err })
		synctest.Wait()
		s.mu.Lock()
		m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.HostUnreachable, Body: s.got[0]}
		s.mu.Unlock()
		self := prefixA.Addr()
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoICMP, Src: self, Dst: self, Payload: m.AppendTo(nil)}
		s.sends(t, h.AppendTo(nil))
		wantError(t, <-dialed, "dial", syscall.EHOSTUNREACH)
	})
}

func TestAccept(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		n := p.listen(t)
		if n.Addr().String() != port.String() {
			t.Error(n.Addr())
		}
		must(t, n.SetDeadline(time.Now().Add(time.Second)))
		_, err := n.Accept()
		wantError(t, err, "accept", os.ErrDeadlineExceeded)
		must(t, n.SetDeadline(time.Time{}))
		accepted := start(func() error { _, err := n.Accept(); return err })
		synctest.Wait()
		_, err = p.a.Dial(t.Context(), port)
		must(t, err)
		must(t, <-accepted)
		accepted = start(func() error { _, err := n.Accept(); return err })
		synctest.Wait()
		must(t, n.Close())
		wantError(t, <-accepted, "accept", net.ErrClosed)
		wantError(t, n.Close(), "close", net.ErrClosed)
		wantError(t, n.SetDeadline(time.Now()), "set", net.ErrClosed)
		_, err = n.Accept()
		wantError(t, err, "accept", net.ErrClosed)
	})
}
