package rawtcp_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// lone is a Stack with nothing around it: what it sends is kept, and what it
// receives is made by hand. It is its own link.IP.
type lone struct {
	*rawtcp.Stack
	t    testing.TB
	prof *profile.Profile
	now  time.Duration
	out  []sent
	log  []trace.Event

	down  error          // what Send answers, if not nil
	check link.Checksums // what Checksums answers
	mtu   int

	noAddress bool // to send from
	silent    bool // keep nothing of what is sent and told
}

// sent is a segment that a lone Stack has sent.
type sent struct {
	wire.Segment
	src, dst netip.AddrPort
	ttl, tos uint8
	df       bool
	why      string
	packet   []byte
}

// The addresses of a lone Stack, and of the hand that plays its peer.
var (
	here   = netip.MustParseAddr("10.0.0.2")
	also   = netip.MustParseAddr("10.0.0.3") // here too
	here6  = netip.MustParseAddr("fd00::2")
	there  = netip.MustParseAddr("10.0.0.1")
	there6 = netip.MustParseAddr("fd00::1")
	router = netip.MustParseAddr("10.0.0.254")
)

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// newLone returns a Stack with a profile, which is changed by settings such as
// "msl=2s".
func newLone(t testing.TB, prof string, settings ...string) *lone {
	t.Helper()
	p, err := profile.Get(prof)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if err := profile.Set(p, s); err != nil {
			t.Fatal(err)
		}
	}
	l := &lone{t: t, prof: p, mtu: 1500}
	l.Stack = rawtcp.New(l, rawtcp.Options{
		Host: "lone", Profile: p, Seed: 1,
		Sink: trace.Func(func(e trace.Event) {
			if !l.silent {
				l.log = append(l.log, e)
			}
		}),
	})
	return l
}

func (l *lone) Buffer() []byte            { return make([]byte, 0, l.mtu) }
func (l *lone) MTU() int                  { return l.mtu }
func (l *lone) Checksums() link.Checksums { return l.check }

func (l *lone) Path(dst netip.Addr) (link.Path, error) {
	p := link.Path{Source: here, MTU: l.mtu, OnLink: true}
	switch {
	case !dst.IsValid() || netip.MustParsePrefix("192.0.2.0/24").Contains(dst):
		return link.Path{}, link.ErrNoRoute
	case l.Has(dst):
		p.Self = true
		p.Source = dst
	case dst.Is6():
		p.Source = here6
	case !netip.MustParsePrefix("10.0.0.0/24").Contains(dst):
		p.OnLink = false
	}
	if l.noAddress {
		p.Source = netip.Addr{}
	}
	return p, nil
}

func (l *lone) Has(a netip.Addr) bool {
	return a == here || a == also || a == here6 || a.IsLoopback()
}

func (l *lone) IsBroadcast(a netip.Addr) bool {
	return a == netip.MustParseAddr("10.0.0.255") || a == netip.MustParseAddr("255.255.255.255")
}

func (l *lone) Send(_ time.Duration, packet []byte, why trace.Rule) error {
	if l.down != nil {
		return l.down
	}
	if l.silent {
		return nil
	}
	s := sent{why: why.Text, packet: packet}
	var src, dst netip.Addr
	var payload []byte
	if wire.Version(packet) == 4 {
		var h wire.IPv4
		if got := h.Decode(packet); got != wire.OK {
			l.t.Fatalf("sent a packet that is %v", got)
		}
		src, dst, payload = h.Src, h.Dst, h.Payload
		s.ttl, s.tos, s.df = h.TTL, h.TOS, h.DF
	} else {
		var h wire.IPv6
		if got := h.Decode(packet); got != wire.OK {
			l.t.Fatalf("sent a packet that is %v", got)
		}
		src, dst, payload = h.Src, h.Dst, h.Payload
		s.ttl, s.tos = h.HopLimit, h.TrafficClass
	}
	if got := wire.VerifyTCP(src, dst, payload); l.check.Send == wire.ChecksumFull && got != wire.ChecksumGood {
		l.t.Fatalf("sent a segment whose checksum is %v", got)
	}
	if got := s.Decode(payload); got != wire.OK {
		l.t.Fatalf("sent a segment with %v", got)
	}
	s.src, s.dst = at(src, s.SrcPort), at(dst, s.DstPort)
	l.out = append(l.out, s)
	return nil
}

// packet makes a packet of a segment. The ports of seg are set by it.
func packet(src, dst netip.AddrPort, seg wire.Segment) []byte {
	seg.SrcPort, seg.DstPort = src.Port(), dst.Port()
	var b []byte
	if dst.Addr().Is4() {
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src.Addr(), Dst: dst.Addr()}
		b = h.AppendHeader(nil, seg.WireLen())
	} else {
		h := wire.IPv6{HopLimit: 64, Protocol: wire.ProtoTCP, Src: src.Addr(), Dst: dst.Addr()}
		b = h.AppendHeader(nil, seg.WireLen())
	}
	return seg.AppendTo(b, src.Addr(), dst.Addr(), wire.ChecksumFull)
}

// deliver has a segment arrive.
func (l *lone) deliver(src, dst netip.AddrPort, seg wire.Segment) {
	l.Receive(l.now, packet(src, dst, seg))
}

// take returns what has been sent since the last take.
func (l *lone) take() []sent {
	out := l.out
	l.out = nil
	return out
}

// one returns the only segment that has been sent.
func (l *lone) one() sent {
	l.t.Helper()
	out := l.take()
	if len(out) != 1 {
		l.t.Fatalf("%d segments sent, not one: %+v", len(out), out)
	}
	return out[0]
}

// quiet fails if anything has been sent.
func (l *lone) quiet(when string) {
	l.t.Helper()
	if out := l.take(); len(out) > 0 {
		l.t.Fatalf("%s: sent %v %+v", when, out[0].Flags, out[0])
	}
}

// pass lets d pass.
func (l *lone) pass(d time.Duration) {
	end := l.now + d
	for next, ok := l.NextDeadline(); ok && next <= end; next, ok = l.NextDeadline() {
		l.now = max(l.now, next)
		l.Advance(l.now)
	}
	l.now = end
}

func (l *lone) ok(err error) {
	l.t.Helper()
	if err != nil && !errors.Is(err, rawtcp.ErrWouldBlock) {
		l.t.Fatal(err)
	}
}

// listen returns a socket that listens.
func (l *lone) listen(a netip.AddrPort, backlog int, set ...rawtcp.Option) *rawtcp.Socket {
	l.t.Helper()
	f := rawtcp.IPv4
	if a.Addr().Is6() {
		f = rawtcp.IPv6
	}
	k := l.Socket(f)
	for _, o := range set {
		l.ok(k.Set(l.now, o, 1))
	}
	l.ok(k.Bind(l.now, a))
	l.ok(k.Listen(l.now, backlog))
	return k
}

// dial begins to connect a socket to the peer.
func (l *lone) dial(port uint16) *rawtcp.Socket {
	l.t.Helper()
	k := l.Socket(rawtcp.IPv4)
	l.ok(k.Connect(l.now, at(there, port)))
	return k
}

// dropped returns why the packet that has arrived last was dropped, "" if it
// was not.
func (l *lone) dropped() string {
	if n := len(l.log); n > 0 && l.log[n-1].Kind == trace.Dropped {
		return l.log[n-1].Reason.String()
	}
	return ""
}

// lost reports whether any packet was dropped.
func (l *lone) lost() bool {
	return slices.ContainsFunc(l.log, func(e trace.Event) bool { return e.Kind == trace.Dropped })
}

// peer is the other end of a connection, played by hand. It does nothing by
// itself but count.
type peer struct {
	l        *lone
	me, it   netip.AddrPort // it is the Stack's end
	seq, ack seq.Value      // to be sent next, and expected next
	window   uint16
	syn      wire.Options // of its SYN
	ts       uint32       // its timestamp, if the SYN has one
}

func (l *lone) peer(me, it netip.AddrPort) *peer {
	return &peer{l: l, me: me, it: it, seq: 1000, window: 8192}
}

// send sends a segment with the next numbers.
func (p *peer) send(f wire.Flags, data string) {
	seg := wire.Segment{Seq: p.seq, Flags: f, Window: p.window, Payload: []byte(data)}
	if f.Has(wire.ACK) {
		seg.Ack = p.ack
	}
	if f.Has(wire.SYN) {
		seg.Options = p.syn
	}
	if p.syn.HasTimestamps {
		seg.Options.HasTimestamps, seg.Options.TSVal = true, p.ts
	}
	p.l.deliver(p.me, p.it, seg)
	p.seq = p.seq.Add(seg.Len())
}

// take takes the only segment that has been sent, which must have the given
// flags, whatever there is to push.
func (p *peer) take(f wire.Flags) wire.Segment {
	p.l.t.Helper()
	s := p.l.one()
	if s.src != p.it || s.dst != p.me {
		p.l.t.Fatalf("sent from %v to %v, not from %v to %v", s.src, s.dst, p.it, p.me)
	}
	if s.Flags&^wire.PSH != f {
		p.l.t.Fatalf("sent %v, not %v", s.Flags, f)
	}
	p.ack = s.Seq.Add(s.Len())
	return s.Segment
}

// open opens a connection to a socket that listens.
func (p *peer) open() {
	p.l.t.Helper()
	p.send(wire.SYN, "")
	p.take(wire.SYN | wire.ACK)
	p.send(wire.ACK, "")
}

// accepts opens a connection from the peer to k, which listens, and accepts it.
func (l *lone) accepts(k *rawtcp.Socket, from uint16) (*rawtcp.Socket, *peer) {
	l.t.Helper()
	p := l.peer(at(there, from), at(here, k.Local().Port()))
	p.open()
	a, err := k.Accept(l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	return a, p
}

// connected returns a socket that is connected to the peer.
func (l *lone) connected(port uint16) (*rawtcp.Socket, *peer) {
	l.t.Helper()
	k := l.dial(port)
	p := l.peer(at(there, port), k.Local())
	p.take(wire.SYN)
	p.send(wire.SYN|wire.ACK, "")
	p.take(wire.ACK)
	if k.State() != tcb.Established {
		l.t.Fatalf("%v", k.State())
	}
	return k, p
}

// icmp has an ICMP error about a packet arrive, which quotes 8 bytes of it
// behind the header.
func (l *lone) icmp(kind wire.ICMPv4Type, code uint8, rest uint32, about []byte) {
	l.icmpFrom(router, kind, code, rest, about)
}

// icmpFrom is icmp from somebody else.
func (l *lone) icmpFrom(src netip.Addr, kind wire.ICMPv4Type, code uint8, rest uint32, about []byte) {
	m := wire.ICMPv4{Type: kind, Code: code, Rest: rest, Body: wire.QuoteIPv4(about, 8)}
	h := wire.IPv4{TTL: 64, Protocol: wire.ProtoICMP, Src: src, Dst: here, Payload: m.AppendTo(nil)}
	l.Receive(l.now, h.AppendTo(nil))
}

// icmp6 is icmp for IPv6.
func (l *lone) icmp6(kind wire.ICMPv6Type, code uint8, rest uint32, about []byte) {
	l.icmp6From(there6, kind, code, rest, about)
}

// icmp6From is icmp6 from somebody else.
func (l *lone) icmp6From(src netip.Addr, kind wire.ICMPv6Type, code uint8, rest uint32, about []byte) {
	m := wire.ICMPv6{Type: kind, Code: code, Rest: rest, Body: wire.QuoteIPv6(about)}
	h := wire.IPv6{
		HopLimit: 64, Protocol: wire.ProtoICMPv6, Src: src, Dst: here6,
		Payload: m.AppendTo(nil, src, here6, wire.ChecksumFull),
	}
	l.Receive(l.now, h.AppendTo(nil))
}
