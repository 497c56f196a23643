package rawip

import (
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/rawtcp"
	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// isolated gives the test a network of its own with the loopback interface up.
func isolated(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network namespace is refused (%v): run the tests as root, or with unshare -Ur", err)
	}
	ip(t, "link", "set", "lo", "up")
}

// ip runs ip(8).
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s (apt-get install iproute2)", args, err, out)
	}
}

// opened returns a link, and what it receives.
func opened(t *testing.T) (*Link, <-chan []byte) {
	t.Helper()
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	got := make(chan []byte, 100)
	l.Start(func(packets [][]byte) {
		for _, p := range packets {
			got <- slices.Clone(p)
		}
	})
	return l, got
}

// next returns the next packet, or nil if none comes.
func next(t *testing.T, got <-chan []byte) []byte {
	t.Helper()
	select {
	case p := <-got:
		return p
	case <-time.After(10 * time.Second):
		t.Error("nothing comes")
		return nil
	}
}

var (
	lo4 = netip.MustParseAddr("127.0.0.1")
	lo6 = netip.MustParseAddr("::1")
)

// A port that is held is silent, and nobody else gets it; given back, it is the
// kernel's again.
func TestTake(t *testing.T) {
	isolated(t)
	l, got := opened(t)
	for _, a := range []netip.Addr{lo4, lo6} {
		at := netip.AddrPortFrom(a, 8888)
		network := "tcp6"
		if a.Is4() {
			network = "tcp4"
		}
		if err := l.Take(at, false); err != nil {
			t.Fatal(err)
		}
		if err := l.Take(at, false); err != nil {
			t.Errorf("the second time: %v", err)
		}
		if k, err := net.Listen(network, at.String()); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("the kernel listens too: %v, %v", k, err)
		}
		// Neither a RST nor a SYN comes back: the kernel's connect hangs.
		d := net.Dialer{Timeout: 200 * time.Millisecond}
		if c, err := d.Dial(network, at.String()); err == nil || errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("somebody answered: %v, %v", c, err)
		}
		p := next(t, got)
		is4, ok := headed(p)
		if !ok || is4 != a.Is4() || source(is4, p) != a || destination(is4, p) != a || destinationPort(is4, p) != 8888 {
			t.Fatalf("%x has come", p)
		}
		if state := verify(is4, p); state == wire.ChecksumBad {
			t.Errorf("the checksum is %v", state)
		}
		l.Release(8888)
		if _, err := d.Dial(network, at.String()); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("after Release: %v", err)
		}
	}
	// The kernel's port is not to be had; that of another address is.
	k, err := net.Listen("tcp4", "127.0.0.1:7777")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := l.Take(netip.MustParseAddrPort("127.0.0.1:7777"), true); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("taken from the kernel: %v", err)
	}
	if err := l.Take(netip.MustParseAddrPort("0.0.0.0:7777"), false); !errors.Is(err, rawtcp.ErrInUse) {
		t.Errorf("taken from the kernel: %v", err)
	}
	if err := l.Take(netip.MustParseAddrPort("127.0.0.2:7777"), false); err != nil {
		t.Error(err)
	}
	if err := l.Take(netip.MustParseAddrPort("[::1]:7777"), false); err != nil {
		t.Error(err)
	}
	if err := l.Take(netip.MustParseAddrPort("192.0.2.1:7777"), false); !errors.Is(err, rawtcp.ErrNotHere) {
		t.Errorf("an address that is not here: %v", err)
	}
	// What goes to the kernel's port is not heard.
	if c, err := net.Dial("tcp4", "127.0.0.1:7777"); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if c, err := (&net.Dialer{Timeout: 100 * time.Millisecond}).Dial("tcp4", "127.0.0.2:7777"); err == nil {
		t.Errorf("somebody answered: %v", c)
	}
	for p := next(t, got); p != nil; p = next(t, got) {
		if destination(true, p) == netip.MustParseAddr("127.0.0.2") {
			break
		} else if destinationPort(true, p) == 7777 {
			t.Errorf("heard from the kernel's port: %x", p)
		}
	}
}

// verify looks at the checksum of a segment.
func verify(is4 bool, p []byte) wire.ChecksumState {
	return wire.VerifyTCP(source(is4, p), destination(is4, p), segment(is4, p))
}

// What is sent arrives with the headers that it had.
func TestSend(t *testing.T) {
	isolated(t)
	l, got := opened(t)
	for _, a := range []netip.Addr{lo4, lo6} {
		s := wire.Segment{SrcPort: 1098, DstPort: 1099, Flags: wire.ACK, Payload: make([]byte, 5000)}
		build := func() []byte {
			if a.Is4() {
				h := wire.IPv4{TOS: 0x28, ID: 4711, DF: true, TTL: 9, Protocol: wire.ProtoTCP, Src: a, Dst: a}
				return s.AppendTo(h.AppendHeader(l.Buffer(), s.WireLen()), a, a, wire.ChecksumFull)
			}
			h := wire.IPv6{TrafficClass: 0x28, FlowLabel: 0x12345, HopLimit: 9, Protocol: wire.ProtoTCP, Src: a, Dst: a}
			return s.AppendTo(h.AppendHeader(l.Buffer(), s.WireLen()), a, a, wire.ChecksumFull)
		}
		if err := l.Send(0, build(), trace.Rule{}); err == nil {
			t.Error("sent from a port that is not held")
		}
		for _, port := range []uint16{1098, 1099} {
			if err := l.Take(netip.AddrPortFrom(a, port), false); err != nil {
				t.Fatal(err)
			}
		}
		want := slices.Clone(build())
		for range batch.Len + 3 { // more than one system call
			if err := l.Send(0, build(), trace.Rule{}); err != nil {
				t.Fatal(err)
			}
		}
		l.Flush()
		for range batch.Len + 3 {
			if p := next(t, got); !slices.Equal(p, want) {
				t.Fatalf("sent %x\ngot %x", want[:60], p[:min(len(p), 60)])
			}
		}
	}
	if err := l.Send(0, make([]byte, 19), trace.Rule{}); !errors.Is(err, link.ErrMalformed) {
		t.Error(err)
	}
	long := syn(true, 7, 0)
	if err := l.Send(0, append(long, make([]byte, longest4)...), trace.Rule{}); !errors.Is(err, link.ErrTooBig) {
		t.Error(err)
	}
}

// Nothing is allocated for a packet.
func TestSendAllocs(t *testing.T) {
	isolated(t)
	l, err := Open() // nobody receives
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Take(netip.MustParseAddrPort("127.0.0.1:1098"), false); err != nil {
		t.Fatal(err)
	}
	packet := syn(true, 7, 0)
	copy(packet[12:20], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	n := testing.AllocsPerRun(100, func() {
		for range 10 {
			if err := l.Send(0, append(l.Buffer(), packet...), trace.Rule{}); err != nil {
				t.Fatal(err)
			}
		}
		l.Flush()
	})
	if n > 0 {
		t.Errorf("%v allocations for 10 packets", n)
	}
}

// The link knows what the kernel knows, and when that changes.
func TestPath(t *testing.T) {
	isolated(t)
	l, _ := opened(t)
	for _, c := range []struct {
		dst  netip.Addr
		want link.Path
	}{
		{lo4, link.Path{Interface: "lo", Source: lo4, MTU: 65535, OnLink: true, Self: true}},
		{netip.MustParseAddr("127.1.2.3"), link.Path{Interface: "lo", Source: lo4, MTU: 65535, OnLink: true, Self: true}},
		{lo6, link.Path{Interface: "lo", Source: lo6, MTU: 65536, OnLink: true, Self: true}},
	} {
		if p, err := l.Path(c.dst); err != nil || p != c.want {
			t.Errorf("to %v: %+v, %v", c.dst, p, err)
		}
	}
	for _, a := range []netip.Addr{two4, two6} {
		if p, err := l.Path(a); !errors.Is(err, link.ErrNoRoute) {
			t.Errorf("to %v: %+v, %v", a, p, err)
		}
	}
	if !l.Has(lo4) || !l.Has(lo6) || l.Has(one4) {
		t.Error("Has is wrong")
	}

	ip(t, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
	ip(t, "link", "set", "eth1", "up")
	ip(t, "addr", "add", "10.0.0.1/24", "dev", "eth0")
	ip(t, "addr", "add", "fd00::1/64", "dev", "eth0", "nodad")
	ip(t, "link", "set", "eth0", "mtu", "1400", "up")
	ip(t, "route", "add", "10.9.0.0/16", "via", "10.0.0.9", "mtu", "1300")
	until(t, "the link knows its address", func() bool { return l.Has(one4) && l.Has(one6) })
	for _, c := range []struct {
		dst  netip.Addr
		want link.Path
	}{
		{one4, link.Path{Interface: "lo", Source: one4, MTU: 65535, OnLink: true, Self: true}},
		{two4, link.Path{Interface: "eth0", Source: one4, MTU: 1400, OnLink: true}},
		{two6, link.Path{Interface: "eth0", Source: one6, MTU: 1400, OnLink: true}},
		{netip.MustParseAddr("10.9.1.1"), link.Path{Interface: "eth0", Source: one4, MTU: 1300}},
	} {
		until(t, "the way to "+c.dst.String(), func() bool {
			p, err := l.Path(c.dst)
			return err == nil && p == c.want
		})
	}
	if !l.IsBroadcast(netip.MustParseAddr("10.0.0.255")) || !l.IsBroadcast(netip.MustParseAddr("255.255.255.255")) || l.IsBroadcast(one4) {
		t.Error("IsBroadcast is wrong")
	}
	if own := l.Addresses(); len(own) < 4 || own[0] != netip.MustParsePrefix("10.0.0.1/24") || !own[len(own)-1].Addr().IsLoopback() {
		t.Errorf("the addresses are %v", own)
	}
	ip(t, "link", "set", "eth0", "mtu", "1280")
	until(t, "a smaller MTU", func() bool {
		p, err := l.Path(two4)
		return err == nil && p.MTU == 1280
	})
	ip(t, "addr", "del", "10.0.0.1/24", "dev", "eth0")
	until(t, "an address that goes", func() bool { return !l.Has(one4) })
}

// until waits for what another goroutine does.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%s: not so", what)
		}
	}
}

// Paths are remembered, but not without end.
func TestPathsBounded(t *testing.T) {
	isolated(t)
	l, _ := opened(t)
	a := netip.MustParseAddr("127.0.0.1")
	for range 2*remembered + 10 {
		if _, err := l.Path(a); err != nil {
			t.Fatal(err)
		}
		a = a.Next()
	}
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if n := len(l.network.paths); n > remembered {
		t.Errorf("%d paths", n)
	}
}

// A process without the capability is told so.
func TestPrivilege(t *testing.T) {
	runtime.LockOSThread() // capabilities are a thread's
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(); !errors.Is(err, ErrPrivilege) || l != nil {
		t.Errorf("%v, %v", l, err)
	}
}

// After Close nothing is received, and the kernel has its ports.
func TestClose(t *testing.T) {
	isolated(t)
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	l.Start(func([][]byte) {})
	for port := range uint16(100) {
		if err := l.Take(netip.AddrPortFrom(lo4, 1000+port), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for port := range uint16(100) {
		c, err := newHolder(netip.AddrPortFrom(lo4, 1000+port), false)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if err := l.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
}
