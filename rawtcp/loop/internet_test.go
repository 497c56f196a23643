package loop_test

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
	"sock/rawtcp/udp"
	"sock/rawtcp/wire"
)

// stranger is the other end of a host's link, which sends what a test makes and
// keeps what comes.
type stranger struct {
	loop.Link
	mu  sync.Mutex
	got [][]byte
}

// withStranger runs f with a host, 10.0.0.1 and fd00::1, and a stranger.
func withStranger(t *testing.T, o loop.Options, f func(t *testing.T, l *loop.Loop, s *stranger)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		own := []netip.Prefix{prefixA, netip.MustParsePrefix("fd00::1/64")}
		other := []netip.Prefix{prefixB, netip.MustParsePrefix("fd00::2/64")}
		left, right := loop.NewMemory(loop.MemoryOptions{MTU: 1280}, own, other)
		o.Host, o.Seed = "a", 1
		l := loop.New(left, o)
		s := &stranger{Link: right}
		right.Start(func(packets [][]byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, p := range packets {
				s.got = append(s.got, append([]byte(nil), p...))
			}
		})
		f(t, l, s)
		must(t, l.Close())
		must(t, s.Close())
	})
}

// sends sends packets and waits until nothing happens any more.
func (s *stranger) sends(t *testing.T, packets ...[]byte) {
	t.Helper()
	for _, p := range packets {
		must(t, s.Send(0, append(s.Buffer(), p...), trace.Rule{}))
	}
	s.Flush()
	synctest.Wait()
}

// hears returns what has come, as tcpdump shows it.
func (s *stranger) hears() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	all := trace.NewLister(trace.Listing{See: func(*trace.Event) bool { return true }})
	for _, p := range s.got {
		line, _ := all.Line(trace.Event{Kind: trace.Sent, Packet: p})
		lines = append(lines, line)
	}
	s.got = nil
	return lines
}

// wantHears fails unless what has come contains all of texts, one in each line.
func (s *stranger) wantHears(t *testing.T, texts ...string) {
	t.Helper()
	got := s.hears()
	if len(got) != len(texts) {
		t.Fatalf("%d packets have come, not %d: %q", len(got), len(texts), got)
	}
	for i, want := range texts {
		if !strings.Contains(got[i], want) {
			t.Errorf("%q has come, not %q", got[i], want)
		}
	}
}

// of4 returns packets from 10.0.0.2 with a payload, in fragments if they must be.
func of4(t *testing.T, dst string, proto wire.Protocol, payload []byte) (all [][]byte) {
	t.Helper()
	ip := wire.IPv4{
		ID: 1, TTL: 64, Protocol: proto, Src: prefixB.Addr(), Dst: netip.MustParseAddr(dst), Payload: payload,
	}
	fragments, why := ip.Fragments(1280)
	if why != wire.OK {
		t.Fatal(why)
	}
	for i := range fragments {
		all = append(all, fragments[i].AppendTo(nil))
	}
	return all
}

func of6(t *testing.T, proto wire.Protocol, payload []byte) (all [][]byte) {
	t.Helper()
	ip := wire.IPv6{
		HopLimit: 64, Protocol: proto, Src: netip.MustParseAddr("fd00::2"), Dst: netip.MustParseAddr("fd00::1"),
		Payload: payload,
	}
	fragments, why := ip.Fragments(1280, 1)
	if why != wire.OK {
		t.Fatal(why)
	}
	for i := range fragments {
		all = append(all, fragments[i].AppendTo(nil))
	}
	return all
}

func udp4(dst string, size int) []byte {
	d := wire.UDP{SrcPort: 1000, DstPort: 7, Payload: make([]byte, size)}
	return d.AppendTo(nil, prefixB.Addr(), netip.MustParseAddr(dst), wire.ChecksumFull)
}

// A host answers echo requests, also those that come in fragments.
func TestEcho(t *testing.T) {
	withStranger(t, loop.Options{}, func(t *testing.T, _ *loop.Loop, s *stranger) {
		m := wire.ICMPv4{Type: wire.ICMPv4Echo, Rest: wire.EchoRest(7, 1), Body: make([]byte, 56)}
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoICMP, m.AppendTo(nil))...)
		s.wantHears(t, "10.0.0.1 > 10.0.0.2: ICMP echo reply, id 7, seq 1, length 64")
		m.Body = make([]byte, 2000)
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoICMP, m.AppendTo(nil))...)
		s.wantHears(t, "ICMP echo reply, id 7, seq 1", "10.0.0.1 > 10.0.0.2: ")

		m6 := wire.ICMPv6{Type: wire.ICMPv6Echo, Rest: wire.EchoRest(7, 2), Body: make([]byte, 2000)}
		s.sends(t, of6(t, wire.ProtoICMPv6, m6.AppendTo(nil, netip.MustParseAddr("fd00::2"), netip.MustParseAddr("fd00::1"), wire.ChecksumFull))...)
		s.wantHears(t, "fd00::1 > fd00::2: ", "fd00::1 > fd00::2: ")

		// "MAY be silently discarded" if it is for everybody.
		s.sends(t, of4(t, "10.0.0.255", wire.ProtoICMP, m.AppendTo(nil))...)
		s.wantHears(t)
	})
}

// Who sends what the host has no use for is told, within a limit.
func TestUnreachable(t *testing.T) {
	withStranger(t, loop.Options{}, func(t *testing.T, _ *loop.Loop, s *stranger) {
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoUDP, udp4("10.0.0.1", 10))...)
		s.wantHears(t, "10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 7 unreachable")
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoUDP, udp4("10.0.0.1", 2000))...) // in two fragments
		s.wantHears(t, "10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 7 unreachable")
		s.sends(t, of4(t, "10.0.0.1", 132, make([]byte, 100))...)
		s.wantHears(t, "10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 protocol 132 unreachable")
		s.sends(t, of6(t, 132, make([]byte, 100))...)
		s.wantHears(t, "fd00::1 > fd00::2: ICMP6, parameter problem at 6: unknown next header")
		s.sends(t, of6(t, wire.ProtoNoNext, nil)...)
		for _, all := range []string{"10.0.0.255", "255.255.255.255", "224.0.0.1", "224.1.1.1"} {
			s.sends(t, of4(t, all, wire.ProtoUDP, udp4(all, 10))...)
			s.sends(t, of4(t, all, 132, make([]byte, 10))...)
		}
		s.wantHears(t)

		for range 1000 {
			s.sends(t, of4(t, "10.0.0.1", wire.ProtoUDP, udp4("10.0.0.1", 10))...)
		}
		if n := len(s.hears()); n != 6 { // four have been told already
			t.Errorf("%d errors at once", n)
		}
		time.Sleep(time.Second)
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoUDP, udp4("10.0.0.1", 10))...)
		s.wantHears(t, "unreachable")
	})
}

// "If fragments are missing" after a minute, the sender of the first one is told
// (RFC 792), and nothing of them is kept.
func TestReassemblyTimeout(t *testing.T) {
	var drops []string
	o := loop.Options{Options: rawtcp.Options{Sink: trace.Func(func(e trace.Event) {
		if e.Kind == trace.Dropped {
			drops = append(drops, e.Reason.String())
		}
	})}}
	withStranger(t, o, func(t *testing.T, l *loop.Loop, s *stranger) {
		s.sends(t, of4(t, "10.0.0.1", wire.ProtoUDP, udp4("10.0.0.1", 2000))[0])
		time.Sleep(59 * time.Second)
		synctest.Wait()
		s.wantHears(t)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.wantHears(t, "10.0.0.1 > 10.0.0.2: ICMP ip reassembly time exceeded")
		l.Do(func(time.Duration, *rawtcp.Stack) {
			if len(drops) != 1 || drops[0] != link.NotComplete.String() {
				t.Errorf("dropped: %q", drops)
			}
		})
	})
}

// bound makes a UDP socket of l.
func bound(t *testing.T, l *loop.Loop, local string, set func(k *udp.Socket) error) (k *udp.Socket) {
	t.Helper()
	l.Do(func(now time.Duration, _ *rawtcp.Stack) {
		k = l.UDP().Socket(rawtcp.IPv4)
		must(t, k.Bind(now, netip.MustParseAddrPort(local)))
		if set != nil {
			must(t, set(k))
		}
	})
	return k
}

// sendTo sends a datagram.
func sendTo(t *testing.T, l *loop.Loop, k *udp.Socket, to, text string) {
	t.Helper()
	l.Do(func(now time.Duration, _ *rawtcp.Stack) {
		must(t, k.WriteTo(now, []byte(text), netip.MustParseAddrPort(to)))
	})
	time.Sleep(10 * time.Millisecond) // whatever delays it
	synctest.Wait()
}

// wantDatagrams fails unless those have come.
func wantDatagrams(t *testing.T, l *loop.Loop, k *udp.Socket, texts ...string) {
	t.Helper()
	l.Do(func(now time.Duration, _ *rawtcp.Stack) {
		var got []string
		b := make([]byte, 65536)
		for k.CanRead() {
			d, err := k.Read(now, b)
			must(t, err)
			got = append(got, string(b[:d.N]))
		}
		if strings.Join(got, " ") != strings.Join(texts, " ") {
			t.Errorf("%d datagrams have come, not %d: %.100q", len(got), len(texts), got)
		}
	})
}

// Datagrams go to another host and to oneself, long ones in fragments; what is
// sent to all or to a group of one's own is heard by oneself too.
func TestDatagrams(t *testing.T) {
	for name, o := range map[string]loop.Options{
		"plain":  {},
		"tapped": {Options: rawtcp.Options{Sink: trace.Func(func(trace.Event) {})}},
		"faults": {Faults: link.NewPipe(link.Conditions{Delay: time.Millisecond}, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, o, func(t *testing.T, p *pair) {
				a := bound(t, p.a, "0.0.0.0:7", func(k *udp.Socket) error { return k.Set(udp.Broadcast, 1) })
				b := bound(t, p.b, "0.0.0.0:7", func(k *udp.Socket) error { return k.Set(udp.RecvBuf, 40_000) })
				group := netip.MustParseAddr("224.1.1.1")
				sendTo(t, p.b, b, "224.1.1.1:7", "too soon")
				long := strings.Repeat("long ", 10_000)[:49_999]
				sendTo(t, p.a, a, "10.0.0.2:7", "hello")
				sendTo(t, p.a, a, "10.0.0.2:7", long)
				sendTo(t, p.a, a, "10.0.0.1:7", "self")
				sendTo(t, p.a, a, "127.0.0.1:7", "loopback")
				sendTo(t, p.a, a, "10.0.0.255:7", "all")
				p.b.Do(func(time.Duration, *rawtcp.Stack) {
					must(t, b.Join(group))
				})
				sendTo(t, p.a, a, "224.1.1.1:7", "group")
				sendTo(t, p.b, b, "224.1.1.1:7", "members")
				wantDatagrams(t, p.a, a, "self", "loopback", "all")
				// The buffer has no room for the long one.
				wantDatagrams(t, p.b, b, "hello", "all", "group", "members")
				p.b.Do(func(time.Duration, *rawtcp.Stack) {
					if b.Dropped() != 1 {
						t.Errorf("%d datagrams dropped", b.Dropped())
					}
					must(t, b.Set(udp.RecvBuf, 100_000))
				})
				sendTo(t, p.a, a, "10.0.0.2:7", long)
				wantDatagrams(t, p.b, b, long)
			})
		})
	}
}
