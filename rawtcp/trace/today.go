package trace

import (
	"fmt"
	"strings"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// today returns the line of a packet as tcpdump 4.99 prints it with -n, but for a
// fragment: of that it tells what the book's tcpdump did, which one it is.
func (l *Lister) today(e *Event) string {
	if e.isARP() {
		return l.todayARP(e.Packet)
	}
	name := "IP "
	if e.Version() == 6 {
		name = "IP6 "
	}
	var d datagram
	if why := d.decode(e.Packet); why != wire.OK {
		return name + "[" + why.String() + "]"
	}
	hosts := l.host(d.src) + " > " + l.host(d.dst) + ":"
	if d.offset == 0 {
		hosts = l.todayUpper(&d, hosts+" ")
	}
	return name + hosts + fragment(&d)
}

func (l *Lister) todayARP(packet []byte) string {
	var a wire.ARP
	if why := a.Decode(packet); why != wire.OK {
		return "ARP, [" + why.String() + "]"
	}
	if a.Op == wire.ARPReply {
		return fmt.Sprintf("ARP, Reply %s is-at %s, length %d", l.host(a.SenderIP), longMAC(a.SenderMAC), len(packet))
	}
	return fmt.Sprintf("ARP, Request who-has %s tell %s, length %d", l.host(a.TargetIP), l.host(a.SenderIP), len(packet))
}

// longMAC has two digits for each byte, unlike that of the book.
func longMAC(m wire.MAC) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// todayUpper is what an IP packet carries, with its addresses.
func (l *Lister) todayUpper(d *datagram, hosts string) string {
	switch d.proto {
	case wire.ProtoTCP:
		var s wire.Segment
		if why := s.Decode(d.payload); why != wire.OK && why != wire.OptionLength && why != wire.OptionSize {
			return hosts + "[" + why.String() + "]"
		}
		return l.ends(d, s.SrcPort, s.DstPort) + l.todayTCP(d, &s)
	case wire.ProtoUDP:
		if len(d.payload) < 8 {
			return hosts + "[" + wire.Truncated.String() + "]"
		}
		src, dst := ports(d.payload)
		return l.ends(d, src, dst) + fmt.Sprintf(" UDP, length %d", int(d.payload[4])<<8+int(d.payload[5])-8)
	case wire.ProtoICMP:
		var m wire.ICMPv4
		if why := m.Decode(d.payload); why != wire.OK && why != wire.BadChecksum {
			return hosts + "[" + why.String() + "]"
		}
		return hosts + "ICMP " + l.todayICMP(&m) + fmt.Sprintf(", length %d", d.length)
	case wire.ProtoICMPv6:
		var m wire.ICMPv6
		if why := m.Decode(d.payload); why != wire.OK {
			return hosts + "[" + why.String() + "]"
		}
		return hosts + "ICMP6, " + l.todayICMPv6(&m) + fmt.Sprintf(", length %d", d.length)
	}
	return fmt.Sprintf("%sip-proto-%d %d", hosts, d.proto, d.length)
}

func (l *Lister) todayTCP(d *datagram, s *wire.Segment) string {
	var b strings.Builder
	fmt.Fprintf(&b, " Flags [%s]", Flags(s.Flags))
	first, ack, sack := l.numbers(d, s)
	if n := len(s.Payload); n > 0 {
		fmt.Fprintf(&b, ", seq %d:%d", first, first.Add(seq.Size(n)))
	} else if s.Flags.Any(wire.SYN | wire.FIN | wire.RST) {
		fmt.Fprintf(&b, ", seq %d", first)
	}
	if s.Flags.Has(wire.ACK) {
		fmt.Fprintf(&b, ", ack %d", ack)
	}
	fmt.Fprintf(&b, ", win %d", s.Window)
	if s.Flags.Has(wire.URG) {
		fmt.Fprintf(&b, ", urg %d", s.Urgent)
	}
	if text := todayOptions(&s.Options, sack); text != "" {
		b.WriteString(", options [" + text + "]")
	}
	fmt.Fprintf(&b, ", length %d", len(s.Payload))
	return b.String()
}

// Flags returns the letters that tcpdump has for the flags of a segment today:
// "S", "S.", "FP.", "R", or "none".
func Flags(f wire.Flags) string {
	if f == 0 {
		return "none"
	}
	var b []byte
	for i, letter := range []byte("FSRP.UEW") {
		if f.Has(1 << i) {
			b = append(b, letter)
		}
	}
	return string(b)
}

func todayOptions(o *wire.Options, sack seq.Value) string {
	return options(o.Raw, func(r wire.RawOption) string {
		switch {
		case r.Kind == wire.KindTimestamps && len(r.Data) == 8:
			return fmt.Sprintf("TS val %d ecr %d", word(r.Data), word(r.Data[4:]))
		case r.Kind == wire.KindSACK && o.SACKLen > 0:
			return sackBlocks(o, sack)
		}
		return ""
	})
}

func (l *Lister) todayICMP(m *wire.ICMPv4) string {
	switch m.Type {
	case wire.ICMPv4Echo, wire.ICMPv4EchoReply:
		return fmt.Sprintf("%s, id %d, seq %d", m, m.ID(), m.Seq())
	}
	text := l.icmp(m, "%s unreachable - need to frag (mtu %d)")
	return strings.TrimSuffix(text, " (mtu 0)")
}

func (l *Lister) todayICMPv6(m *wire.ICMPv6) string {
	switch m.Type {
	case wire.ICMPv6Echo, wire.ICMPv6EchoReply:
		return fmt.Sprintf("%s, id %d, seq %d", m, m.ID(), m.Seq())
	case wire.ICMPv6Unreachable:
		if q, why := m.Quoted(); why == wire.OK {
			return l.unreachable6(m, &q)
		}
	case wire.ICMPv6TimeExceeded:
		if q, why := m.Quoted(); why == wire.OK && m.Code == wire.ExceededInTransit {
			return "time exceeded in-transit for " + l.host(q.Dst)
		}
	}
	return m.String()
}

func (l *Lister) unreachable6(m *wire.ICMPv6, q *wire.Quote) string {
	dst := l.host(q.Dst)
	switch m.Code {
	case wire.NoRoute:
		return "destination unreachable, unreachable route " + dst
	case wire.AddressUnreachable:
		return "destination unreachable, unreachable address " + dst
	case wire.PortUnreachableIPv6:
		if _, port, ok := q.Ports(); ok {
			return fmt.Sprintf("destination unreachable, unreachable port, %s %s port %s",
				dst, q.Protocol, l.port(q.Protocol, port))
		}
	}
	return m.String()
}
