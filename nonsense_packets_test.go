//go:build linux

package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// liar makes packets that no honest host sends. Some of its ports have
// connections to the victims, or try to: there it knows what the victim expects.
type liar struct {
	chance  *rand.Rand
	victims []netip.AddrPort
	good    func() (client, server netip.AddrPort) // whose connection it lies about

	mu    sync.Mutex
	known map[[2]netip.AddrPort]expectation // by victim and port of its own
}

// expectation is what a victim has told of a connection by its last segments.
type expectation struct {
	next, before seq.Value // what it sends next, and what it did before the last
	wants        seq.Value // what it is to be sent
}

// liarPorts are how many ports of its own a liar has, from firstLiarPort on.
const (
	liarPorts     = 64
	firstLiarPort = 2000
)

// told learns from what a victim has sent.
func (l *liar) told(a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]netip.AddrPort{a.from, a.to}
	if a.Flags.Has(wire.RST) {
		delete(l.known, key)
		return
	}
	l.known[key] = expectation{next: a.Seq.Add(a.Len()), before: a.Seq, wants: a.Ack}
}

// packet returns the next piece of nonsense.
func (l *liar) packet() []byte {
	victim := l.victims[l.chance.IntN(len(l.victims))]
	switch l.chance.IntN(16) {
	case 0:
		return l.noise(victim)
	case 1:
		return l.inIP(l.stranger(), victim, l.bytes(100))
	case 2:
		return l.segment(l.stranger(), victim, l.options())
	case 3:
		return l.damage(l.segment(l.stranger(), victim, nil))
	case 4:
		return l.cut(l.segment(l.stranger(), victim, l.options()))
	case 5:
		return l.fragment(victim)
	case 6:
		return l.icmp(victim)
	case 7:
		// A "land" attack: the victim is said to have sent it itself.
		return l.segment(victim, victim, nil)
	case 8:
		client, server := l.good()
		if l.chance.IntN(2) == 0 {
			client, server = server, client
		}
		return l.segment(client, server, nil)
	case 9:
		return l.icmpAbout(l.good())
	case 10:
		return l.ipv6()
	}
	return l.conversation(victim)
}

// port returns one of the liar's own.
func (l *liar) port() netip.AddrPort {
	return netip.AddrPortFrom(probing.Addr(), firstLiarPort+uint16(l.chance.IntN(liarPorts)))
}

// stranger returns somebody who may be anybody.
func (l *liar) stranger() netip.AddrPort {
	addr := netip.AddrFrom4([4]byte{10, byte(l.chance.Uint32()), byte(l.chance.Uint32()), byte(l.chance.Uint32())})
	switch l.chance.IntN(10) {
	case 0:
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case 1:
		addr = netip.AddrFrom4([4]byte{224, 0, 0, 1})
	case 2:
		addr = netip.AddrFrom4([4]byte{10, 255, 255, 255})
	case 3:
		addr = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(addr, uint16(l.chance.Uint32()))
}

// bytes returns at most n bytes of anything.
func (l *liar) bytes(n int) []byte {
	b := make([]byte, l.chance.IntN(n+1))
	for i := range b {
		b[i] = byte(l.chance.Uint32())
	}
	return b
}

// noise is anything, sent to a victim.
func (l *liar) noise(victim netip.AddrPort) []byte {
	b := append(make([]byte, 20), l.bytes(1480)...)
	copy(b, l.bytes(20))
	b[0] = byte(l.chance.Uint32())&0x0f | 0x40
	to := victim.Addr().As4()
	copy(b[16:], to[:])
	if l.chance.IntN(2) == 0 {
		sumHeader(b)
	}
	return b
}

// sumHeader makes the checksum of an IPv4 header right.
func sumHeader(packet []byte) {
	n := min(len(packet), max(20, int(packet[0]&0x0f)*4))
	packet[10], packet[11] = 0, 0
	binary.BigEndian.PutUint16(packet[10:], wire.SumOf(packet[:n]).Checksum())
}

// inIP returns a packet that is right but for what is in it.
func (l *liar) inIP(src, dst netip.AddrPort, payload []byte) []byte {
	h := wire.IPv4{
		TOS: uint8(l.chance.Uint32()), ID: uint16(l.chance.Uint32()), TTL: 64,
		Protocol: wire.ProtoTCP, Src: src.Addr(), Dst: dst.Addr(), Payload: payload,
	}
	if l.chance.IntN(8) == 0 {
		h.Options = l.bytes(40)
	}
	return h.AppendTo(nil)
}

// segment returns a segment whose numbers and flags are anything, with these
// bytes as its options.
func (l *liar) segment(src, dst netip.AddrPort, options []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(src.Port())<<16|uint32(dst.Port()))
	b = binary.BigEndian.AppendUint64(b, l.chance.Uint64())
	b = append(b, byte(5+len(options)/4)<<4, byte(l.chance.Uint32()))
	b = append(b, byte(l.chance.Uint32()), byte(l.chance.Uint32()), 0, 0, byte(l.chance.Uint32()), byte(l.chance.Uint32()))
	b = append(b, options...)
	b = append(b, l.bytes(30)...)
	sum := wire.PseudoSum(src.Addr(), dst.Addr(), wire.ProtoTCP, len(b)).Add(b)
	binary.BigEndian.PutUint16(b[16:], sum.Checksum())
	return l.inIP(src, dst, b)
}

// options returns bytes that may be the beginning of options, and go wrong
// somewhere: a length of 0 or 1, one that is past the end, a size that the kind
// does not have.
func (l *liar) options() (b []byte) {
	for len(b) < 40 {
		kind := byte(l.chance.IntN(10))
		b = append(b, kind)
		if kind > 1 {
			b = append(append(b, byte(l.chance.IntN(14))), l.bytes(10)...)
		}
	}
	return b[:l.chance.IntN(11)*4]
}

// damage flips a bit somewhere behind the addresses, so that a checksum is wrong.
func (l *liar) damage(packet []byte) []byte {
	packet[20+l.chance.IntN(len(packet)-20)] ^= 1 << l.chance.IntN(8)
	return packet
}

// cut makes a packet shorter or longer than it says, or say another length.
func (l *liar) cut(packet []byte) []byte {
	switch l.chance.IntN(4) {
	case 0:
		packet = packet[:20+l.chance.IntN(len(packet)-20)]
	case 1:
		packet = append(packet, l.bytes(100)...)
	case 2:
		binary.BigEndian.PutUint16(packet[2:], uint16(l.chance.Uint32()))
	case 3:
		packet[32] = byte(l.chance.Uint32()) // the length of the TCP header
	}
	sumHeader(packet)
	return packet
}

// fragment returns a piece of a datagram whose other pieces do not fit it, if
// they come at all: they overlap, or reach beyond what a datagram may be.
func (l *liar) fragment(victim netip.AddrPort) []byte {
	h := wire.IPv4{
		ID: uint16(l.chance.IntN(50)), More: l.chance.IntN(3) > 0, TTL: 64, Protocol: wire.ProtoTCP,
		Src: probing.Addr(), Dst: victim.Addr(), Offset: l.chance.IntN(20) * 8, Payload: l.bytes(200),
	}
	if l.chance.IntN(5) == 0 {
		h.Offset = 65528
	}
	if l.chance.IntN(3) == 0 {
		h.Protocol = wire.ProtoICMP
	}
	return h.AppendTo(nil)
}

// icmp returns a message about what has never been sent, or about a connection
// that the liar has.
func (l *liar) icmp(victim netip.AddrPort) []byte {
	if l.chance.IntN(2) == 0 {
		m := wire.ICMPv4{
			Type: wire.ICMPv4Type(l.chance.IntN(20)), Code: uint8(l.chance.IntN(20)), Rest: l.chance.Uint32(), Body: l.bytes(200),
		}
		return l.inICMP(victim, &m)
	}
	return l.icmpAbout(l.port(), victim)
}

// icmpAbout returns a message that says to an end of a connection why it cannot
// go on, or how short its packets are to be.
func (l *liar) icmpAbout(remote, victim netip.AddrPort) []byte {
	if l.chance.IntN(4) == 0 {
		remote, victim = victim, remote
	}
	quoted := l.segment(victim, remote, nil)
	l.mu.Lock()
	if e, ok := l.known[[2]netip.AddrPort{victim, remote}]; ok {
		binary.BigEndian.PutUint32(quoted[len(quoted[:int(quoted[0]&0x0f)*4])+4:], uint32(e.before))
	}
	l.mu.Unlock()
	m := wire.ICMPv4{
		Type: wire.ICMPv4Unreachable, Code: uint8(l.chance.IntN(16)), Rest: uint32(l.chance.IntN(2000)),
		Body: wire.QuoteIPv4(quoted, 8+l.chance.IntN(20)),
	}
	if l.chance.IntN(3) == 0 {
		m.Type, m.Code = wire.ICMPv4SourceQuench, 0
	}
	return l.inICMP(victim, &m)
}

func (l *liar) inICMP(victim netip.AddrPort, m *wire.ICMPv4) []byte {
	h := wire.IPv4{
		TTL: 64, Protocol: wire.ProtoICMP, Src: l.stranger().Addr(), Dst: victim.Addr(), Payload: m.AppendTo(nil),
	}
	return h.AppendTo(nil)
}

// ipv6 returns a packet with extension headers that lead anywhere.
func (l *liar) ipv6() []byte {
	b := append([]byte{0x60, 0, 0, 0}, make([]byte, 36)...)
	b = append(b, l.bytes(200)...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40+l.chance.IntN(9)-4))
	next := []wire.Protocol{
		wire.ProtoHopByHop, wire.ProtoRouting, wire.ProtoFragment, wire.ProtoDestination,
		wire.ProtoTCP, wire.ProtoICMPv6, wire.ProtoNoNext, 200,
	}
	b[6], b[7] = byte(next[l.chance.IntN(len(next))]), 64
	src, dst := netip.MustParseAddr("fd00::66").As16(), victimIPv6.As16()
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	if len(b) > 42 {
		b[40], b[41] = byte(next[l.chance.IntN(len(next))]), byte(l.chance.IntN(4))
	}
	return b
}

// conversation returns a segment of a connection that the liar has with a victim,
// or will have: more often than not one that belongs there, so that all states are
// reached, and else one that does not.
func (l *liar) conversation(victim netip.AddrPort) []byte {
	me := l.port()
	l.mu.Lock()
	e, ok := l.known[[2]netip.AddrPort{victim, me}]
	l.mu.Unlock()
	seg := wire.Segment{Seq: e.wants, Ack: e.next, Flags: wire.ACK, Window: uint16(l.chance.Uint32())}
	if !ok {
		seg.Flags, seg.Ack, seg.Seq = wire.SYN, 0, seq.Value(l.chance.Uint32())
	}
	switch l.chance.IntN(20) {
	case 0, 1:
		seg.Flags |= wire.FIN
	case 2, 3:
		seg.Flags, seg.Ack = wire.FIN|wire.ACK, e.before // not of what it has sent last
	case 4, 5, 6:
		seg.Payload = l.bytes(1000)
	case 7:
		seg.Ack = e.before
	case 8:
		seg.Window = 0
	case 9:
		seg.Flags, seg.Payload = wire.Flags(l.chance.Uint32()), l.bytes(100)
	case 10:
		seg.Seq, seg.Payload = seg.Seq.Add(seq.Size(l.chance.Uint32N(1<<17))), l.bytes(1000)
	case 11:
		seg.Seq -= seq.Value(l.chance.Uint32N(1 << 17))
	case 12:
		seg.Ack += seq.Value(l.chance.Uint32N(1<<18)) - 1<<17
	case 13:
		seg.Flags, seg.Urgent, seg.Payload = seg.Flags|wire.URG, uint16(l.chance.Uint32()), l.bytes(100)
	case 14:
		seg.Options = wire.Options{HasTimestamps: true, TSVal: l.chance.Uint32(), TSEcr: l.chance.Uint32()}
	case 15:
		if l.chance.IntN(4) == 0 {
			seg.Flags |= wire.RST
		}
	}
	return packetOf(me, victim, &seg)
}
