package udp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/udp"
	"sock/rawtcp/wire"
)

// host is a UDP on a link of 1500 bytes, and what it has sent.
type host struct {
	link.Attached
	*udp.Stack
	sum    link.Checksums
	sent   [][]byte
	groups []netip.Addr
	failed []link.Failure
	drops  []string
}

func newHost(t *testing.T, system string, addresses ...string) *host {
	t.Helper()
	h := &host{}
	h.Interface = h
	for _, a := range addresses {
		h.Addresses = append(h.Addresses, netip.MustParsePrefix(a))
	}
	p, err := profile.Get(system)
	if err != nil {
		t.Fatal(err)
	}
	h.Stack = udp.New(h, udp.Options{Profile: p, Sink: trace.Func(func(e trace.Event) {
		if e.Kind == trace.Dropped {
			h.drops = append(h.drops, e.Reason.String())
		}
	})})
	return h
}

func (h *host) Buffer() []byte            { return nil }
func (h *host) MTU() int                  { return 1500 }
func (h *host) Checksums() link.Checksums { return h.sum }

func (h *host) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	h.sent = append(h.sent, packet)
	return nil
}

func (h *host) Join(group netip.Addr) { h.groups = append(h.groups, group) }

func (h *host) Leave(group netip.Addr) {
	h.groups = slices.DeleteFunc(h.groups, func(g netip.Addr) bool { return g == group })
}

func (h *host) Complain(_ time.Duration, _ []byte, why link.Failure) {
	h.failed = append(h.failed, why)
}

// socket returns a socket that is bound.
func (h *host) socket(t *testing.T, a string) *udp.Socket {
	t.Helper()
	local := at(a)
	f := rawtcp.IPv4
	if local.Addr().Is6() {
		f = rawtcp.IPv6
	}
	k := h.Stack.Socket(f)
	if err := k.Bind(0, local); err != nil {
		t.Fatal(err)
	}
	return k
}

// pass hands all that h has sent to another host.
func (h *host) pass(t *testing.T, to *host) {
	t.Helper()
	for _, p := range h.sent {
		if !to.Receive(0, p) {
			t.Errorf("%x is not taken", p)
		}
	}
	h.sent = nil
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// wantRead reads a datagram that must be text.
func wantRead(t *testing.T, k *udp.Socket, text string) udp.Received {
	t.Helper()
	b := make([]byte, 100)
	d, err := k.Read(0, b)
	if err != nil || string(b[:d.N]) != text {
		t.Errorf("%q: %v, want %q", b[:d.N], err, text)
	}
	return d
}

// ip4 decodes a packet.
func ip4(t *testing.T, packet []byte) (ip wire.IPv4) {
	t.Helper()
	if why := ip.Decode(packet); why != wire.OK {
		t.Fatal(why)
	}
	return ip
}

func TestExchange(t *testing.T) {
	for _, c := range []struct{ a, b, from, to string }{
		{"10.0.0.1/24", "10.0.0.2/24", "0.0.0.0:1000", "10.0.0.2:7"},
		{"fd00::1/64", "fd00::2/64", "[::]:1000", "[fd00::2]:7"},
	} {
		a, b := newHost(t, "", c.a), newHost(t, "", c.b)
		k, s := a.socket(t, c.from), b.socket(t, c.to)
		_, err := s.Read(0, nil)
		wantErr(t, err, rawtcp.ErrWouldBlock)
		wakes := 0
		s.OnChange(func() { wakes++ })
		must(t, s.Set(udp.RecvDstAddr, 1))
		must(t, k.WriteTo(0, []byte("question"), at(c.to)))
		a.pass(t, b)
		if wakes != 1 || !s.CanRead() {
			t.Errorf("%d wakes", wakes)
		}
		d := wantRead(t, s, "question")
		if d.To != at(c.to).Addr() || d.From.Port() != 1000 {
			t.Errorf("%+v", d)
		}
		must(t, s.WriteTo(0, nil, d.From))
		b.pass(t, a)
		wantRead(t, k, "")
	}
}

// What does not fit is cut off, and a peek takes nothing away.
func TestTruncation(t *testing.T) {
	a, b := newHost(t, "", "10.0.0.1/24"), newHost(t, "", "10.0.0.2/24")
	k, s := a.socket(t, "0.0.0.0:1000"), b.socket(t, "0.0.0.0:7")
	must(t, k.Connect(0, at("10.0.0.2:7")))
	must(t, k.Write(0, []byte("long")))
	must(t, k.Write(0, []byte("next")))
	a.pass(t, b)
	p := make([]byte, 2)
	for _, read := range []func(time.Duration, []byte) (udp.Received, error){s.Peek, s.Read} {
		if d, err := read(0, p); err != nil || !d.Truncated || string(p) != "lo" {
			t.Errorf("%+v, %q: %v", d, p, err)
		}
	}
	wantRead(t, s, "next")
}

// A connected socket hears its peer alone, and what ICMP says about it.
func TestConnected(t *testing.T) {
	a := newHost(t, "", "10.0.0.1/24")
	k := a.socket(t, "0.0.0.0:1000")
	wantErr(t, k.Write(0, nil), udp.ErrNoPeer)
	must(t, k.Connect(0, at("10.0.0.2:7")))
	wantErr(t, k.WriteTo(0, nil, at("10.0.0.2:8")), rawtcp.ErrConnected)
	if k.Local() != at("10.0.0.1:1000") || k.Remote() != at("10.0.0.2:7") {
		t.Errorf("%v, %v", k.Local(), k.Remote())
	}
	stranger := newHost(t, "", "10.0.0.3/24")
	must(t, stranger.socket(t, "0.0.0.0:7").WriteTo(0, nil, k.Local()))
	stranger.pass(t, a)
	if k.CanRead() || len(a.failed) != 1 {
		t.Errorf("%d failures", len(a.failed))
	}
	must(t, k.Write(0, []byte("anybody there?")))
	m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.PortUnreachable, Body: wire.QuoteIPv4(a.sent[0], 8)}
	ip := wire.IPv4{Protocol: wire.ProtoICMP, Src: at("10.0.0.2:0").Addr(), Dst: at("10.0.0.1:0").Addr(), Payload: m.AppendTo(nil)}
	if !a.Receive(0, ip.AppendTo(nil)) {
		t.Error("the error is not taken")
	}
	_, err := k.Read(0, nil)
	wantErr(t, err, tcb.ErrRefused)
	_, err = k.Read(0, nil)
	wantErr(t, err, rawtcp.ErrWouldBlock)
}

// An ICMP error about TCP is not for UDP.
func TestErrorAboutTCP(t *testing.T) {
	a := newHost(t, "", "10.0.0.1/24")
	quoted := wire.IPv4{Protocol: wire.ProtoTCP, Src: at("10.0.0.1:0").Addr(), Dst: at("10.0.0.2:0").Addr(), Payload: make([]byte, 20)}
	m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Body: quoted.AppendTo(nil)}
	ip := wire.IPv4{Protocol: wire.ProtoICMP, Src: quoted.Dst, Dst: quoted.Src, Payload: m.AppendTo(nil)}
	if a.Receive(0, ip.AppendTo(nil)) || a.Receive(0, quoted.AppendTo(nil)) {
		t.Error("UDP takes what is TCP's")
	}
}

func TestNoPort(t *testing.T) {
	a, b := newHost(t, "", "10.0.0.1/24"), newHost(t, "", "10.0.0.2/24")
	k := a.socket(t, "0.0.0.0:1000")
	must(t, k.WriteTo(0, nil, at("10.0.0.2:7")))
	a.pass(t, b)
	if len(b.failed) != 1 || b.Stats().NoPort != 1 || !slices.Equal(b.drops, []string{"no process has that port"}) {
		t.Errorf("%d failures, %v, %v", len(b.failed), b.Stats(), b.drops)
	}
	// Nobody complains of a broadcast.
	must(t, k.Set(udp.Broadcast, 1))
	must(t, k.WriteTo(0, nil, at("10.0.0.255:7")))
	a.pass(t, b)
	if len(b.failed) != 1 || b.Stats().NoPort != 2 {
		t.Errorf("%d failures, %v", len(b.failed), b.Stats())
	}
}

// "If the transmitted checksum is zero, it means that the transmitter generated no
// checksum" (RFC 768): it is taken over IPv4. One that is wrong is not.
func TestChecksums(t *testing.T) {
	a, b := newHost(t, "sunos", "10.0.0.1/24"), newHost(t, "", "10.0.0.2/24")
	k, s := a.socket(t, "0.0.0.0:1000"), b.socket(t, "0.0.0.0:7")
	must(t, k.WriteTo(0, []byte("unsure"), at("10.0.0.2:7")))
	if ip := ip4(t, a.sent[0]); ip.Payload[6] != 0 || ip.Payload[7] != 0 {
		t.Errorf("the checksum is %x", ip.Payload[6:8])
	}
	a.pass(t, b)
	wantRead(t, s, "unsure")

	must(t, s.WriteTo(0, []byte("sure"), at("10.0.0.1:1000")))
	whole := bytes.Clone(b.sent[0])
	b.sent[0][len(b.sent[0])-1] ^= 1
	b.pass(t, a)
	if k.CanRead() || a.Stats().Bad != 1 {
		t.Errorf("%v", a.Stats())
	}

	// Of the pseudo-header only, from a device that does the rest, if it does.
	d := wire.UDP{SrcPort: 7, DstPort: 1000, Payload: []byte("sure")}
	ip := ip4(t, whole)
	ip.Payload = d.AppendTo(nil, ip.Src, ip.Dst, wire.ChecksumPseudo)
	a.Receive(0, ip.AppendTo(nil))
	if k.CanRead() {
		t.Error("a checksum of the pseudo-header is taken")
	}
	a.sum.Offloaded = true
	a.Receive(0, ip.AppendTo(nil))
	wantRead(t, k, "sure")

	six := wire.IPv6{Protocol: wire.ProtoUDP, Src: netip.MustParseAddr("fd00::1"), Dst: netip.MustParseAddr("fd00::2")}
	h := newHost(t, "", "fd00::2/64")
	n := h.socket(t, "[::]:1000")
	six.Payload = d.AppendTo(nil, six.Src, six.Dst, wire.ChecksumKeep)
	h.Receive(0, six.AppendTo(nil))
	if n.CanRead() {
		t.Error("no checksum over IPv6 is taken")
	}
}

// A datagram that finds no room is counted.
func TestReceiveBuffer(t *testing.T) {
	a, b := newHost(t, "", "10.0.0.1/24"), newHost(t, "", "10.0.0.2/24")
	k, s := a.socket(t, "0.0.0.0:1000"), b.socket(t, "0.0.0.0:7")
	must(t, s.Set(udp.RecvBuf, 3000))
	must(t, k.Connect(0, at("10.0.0.2:7")))
	for range 5 {
		must(t, k.Write(0, make([]byte, 1000)))
	}
	a.pass(t, b)
	if s.Dropped() != 3 || b.Stats().Full != 3 || b.Netstat()[0].Dropped != 3 || b.Netstat()[0].RecvQ != 2032 {
		t.Errorf("%d, %v, %+v", s.Dropped(), b.Stats(), b.Netstat())
	}
	for range 2 {
		if d, err := s.Read(0, make([]byte, 1000)); d.N != 1000 || err != nil {
			t.Errorf("%+v: %v", d, err)
		}
	}
	if s.CanRead() || b.Netstat()[0].RecvQ != 0 {
		t.Errorf("%+v", b.Netstat())
	}
}

// The header says what the options are.
func TestHeader(t *testing.T) {
	a := newHost(t, "", "10.0.0.1/24", "fd00::1/64")
	k := a.socket(t, "0.0.0.0:1000")
	for o, v := range map[udp.Option]int{udp.TTL: 5, udp.TOS: 0x10, udp.MulticastTTL: 3, udp.DontFragment: 1} {
		must(t, k.Set(o, v))
		if got, err := k.Get(o); got != v || err != nil {
			t.Errorf("option %d is %d: %v", o, got, err)
		}
	}
	must(t, k.WriteTo(0, nil, at("10.0.0.2:7")))
	must(t, k.WriteTo(0, nil, at("224.1.1.1:7")))
	for i, ttl := range []uint8{5, 3} {
		if ip := ip4(t, a.sent[i]); ip.TTL != ttl || ip.TOS != 0x10 || !ip.DF {
			t.Errorf("%+v", ip)
		}
	}
	wantErr(t, k.WriteTo(0, make([]byte, 1473), at("10.0.0.2:7")), link.ErrTooBig)
	wantErr(t, k.WriteTo(0, nil, at("[fd00::2]:7")), udp.ErrFamily)
	wantErr(t, k.WriteTo(0, nil, at("10.0.0.255:7")), rawtcp.ErrBroadcast)
	wantErr(t, k.Set(udp.TTL, 0), rawtcp.ErrInvalid)
	wantErr(t, k.Set(udp.Option(99), 0), udp.ErrNoOption)
	must(t, k.Set(udp.Broadcast, 1))
	must(t, k.Set(udp.OnesBroadcast, 1))
	must(t, k.WriteTo(0, nil, at("10.0.0.255:7")))
	if ip := ip4(t, a.sent[2]); ip.Dst.String() != "255.255.255.255" {
		t.Errorf("%+v", ip)
	}
}

// What is longer than the MTU goes in fragments, of the least path MTU that a
// router has told of for ten minutes.
func TestFragments(t *testing.T) {
	a := newHost(t, "", "fd00::1/64")
	k := a.socket(t, "[::]:1000")
	must(t, k.Connect(0, at("[fd01::2]:7")))
	lengths := func(now time.Duration) (all []int) {
		must(t, k.Write(now, make([]byte, 3000)))
		for _, p := range a.sent {
			all = append(all, len(p))
		}
		return all
	}
	if got := lengths(0); !slices.Equal(got, []int{1496, 1496, 160}) {
		t.Errorf("%v", got)
	}
	tell := func(mtu uint32) {
		m := wire.ICMPv6{Type: wire.ICMPv6PacketTooBig, Rest: mtu, Body: wire.QuoteIPv6(a.sent[0])}
		ip := wire.IPv6{Protocol: wire.ProtoICMPv6, Src: netip.MustParseAddr("fd00::9"), Dst: netip.MustParseAddr("fd00::1")}
		ip.Payload = m.AppendTo(nil, ip.Src, ip.Dst, wire.ChecksumFull)
		a.Receive(time.Second, ip.AppendTo(nil))
		a.sent = nil
	}
	tell(1280)
	if got := lengths(time.Minute); !slices.Equal(got, []int{1280, 1280, 592}) {
		t.Errorf("%v", got)
	}
	tell(600) // "MUST discard"
	if got := lengths(time.Minute); !slices.Equal(got, []int{1280, 1280, 592}) {
		t.Errorf("%v", got)
	}
	a.sent = nil
	if got := lengths(time.Hour); !slices.Equal(got, []int{1496, 1496, 160}) {
		t.Errorf("%v", got)
	}
}

// An error about what no socket of ours can have sent is a lie.
func TestPathMTUIsChecked(t *testing.T) {
	a := newHost(t, "solaris", "10.0.0.1/24")
	k := a.socket(t, "0.0.0.0:1000")
	must(t, k.Connect(0, at("10.0.0.2:7")))
	quoted := wire.IPv4{Protocol: wire.ProtoUDP, Src: k.Local().Addr(), Dst: k.Remote().Addr()}
	d := wire.UDP{SrcPort: 1001, DstPort: 7}
	quoted.Payload = d.AppendTo(nil, quoted.Src, quoted.Dst, wire.ChecksumFull)
	m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Code: wire.FragmentationNeeded, Rest: 68, Body: quoted.AppendTo(nil)}
	ip := wire.IPv4{Protocol: wire.ProtoICMP, Src: quoted.Dst, Dst: quoted.Src, Payload: m.AppendTo(nil)}
	a.Receive(0, ip.AppendTo(nil))
	must(t, k.Write(0, make([]byte, 1000)))
	if len(a.sent) != 1 || !ip4(t, a.sent[0]).DF {
		t.Errorf("%d packets", len(a.sent))
	}
}

// A group is the host's as long as one socket is its member.
func TestGroups(t *testing.T) {
	a := newHost(t, "", "10.0.0.1/24")
	group := netip.MustParseAddr("224.1.1.1")
	k, l := a.Stack.Socket(rawtcp.IPv4), a.Stack.Socket(rawtcp.IPv4)
	must(t, k.Join(group))
	must(t, l.Join(group))
	wantErr(t, k.Join(group), rawtcp.ErrInUse)
	wantErr(t, k.Join(netip.MustParseAddr("10.0.0.2")), rawtcp.ErrInvalid)
	wantErr(t, k.Join(netip.MustParseAddr("ff02::2")), udp.ErrFamily)
	must(t, k.Close(0))
	if len(a.groups) == 0 {
		t.Error("the group is left too soon")
	}
	must(t, l.Close(0))
	if len(a.groups) != 0 {
		t.Error("the group is not left")
	}
	wantErr(t, l.Close(0), rawtcp.ErrClosed)
	wantErr(t, l.Join(group), rawtcp.ErrClosed)
	wantErr(t, l.Write(0, nil), rawtcp.ErrClosed)
	_, err := l.Read(0, nil)
	wantErr(t, err, rawtcp.ErrClosed)
}

// A port that is closed is free again, and the range of ports has an end.
func TestEphemeral(t *testing.T) {
	p, err := profile.Get("")
	must(t, err)
	p.FirstPort, p.LastPort = 5000, 5001
	h := newHost(t, "", "10.0.0.1/24")
	h.Stack = udp.New(h, udp.Options{Profile: p})
	one, two := h.socket(t, "0.0.0.0:0"), h.socket(t, "0.0.0.0:0")
	if one.Local().Port()+two.Local().Port() != 10001 {
		t.Errorf("%v, %v", one.Local(), two.Local())
	}
	k := h.Stack.Socket(rawtcp.IPv4)
	wantErr(t, k.Bind(0, netip.AddrPort{}), rawtcp.ErrNotHere)
	must(t, one.Close(0))
	must(t, k.Bind(0, netip.AddrPort{}))
	wantErr(t, k.Bind(0, netip.AddrPort{}), rawtcp.ErrInvalid)
}
