package trace

import (
	"fmt"
	"strings"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// old returns the line of a packet as the tcpdump of 1993 printed it, which
// the book shows.
func (l *Lister) old(e *Event) string {
	if e.isARP() {
		return l.oldEthernet(e, "arp") + l.oldARP(e.Packet)
	}
	var d datagram
	if why := d.decode(e.Packet); why != wire.OK {
		return l.oldEthernet(e, "ip") + "[" + why.String() + "]"
	}
	return l.oldEthernet(e, "ip") + l.oldUpper(&d) + oldTail(&d)
}

// oldEthernet is what -e adds: the addresses, the type, and the length of the
// frame (Fig 4-4). The shortest is 60 bytes without its CRC.
func (l *Lister) oldEthernet(e *Event, kind string) string {
	if !l.Ethernet || e.Dst == (wire.MAC{}) {
		return ""
	}
	return fmt.Sprintf("%s %s %s %d: ", e.Src, e.Dst, kind, max(60, ethernetHeaderLen+len(e.Packet)))
}

func (l *Lister) oldARP(packet []byte) string {
	var a wire.ARP
	if why := a.Decode(packet); why != wire.OK {
		return "[" + why.String() + "]"
	}
	if a.Op == wire.ARPReply {
		return fmt.Sprintf("arp reply %s is-at %s", l.host(a.SenderIP), a.SenderMAC)
	}
	return fmt.Sprintf("arp who-has %s tell %s", l.host(a.TargetIP), l.host(a.SenderIP))
}

// oldUpper is what an IP packet carries, with its addresses.
func (l *Lister) oldUpper(d *datagram) string {
	hosts := l.host(d.src) + " > " + l.host(d.dst) + ":"
	if d.offset != 0 {
		return hosts
	}
	switch d.proto {
	case wire.ProtoTCP:
		var s wire.Segment
		if why := s.Decode(d.payload); why != wire.OK && why != wire.OptionLength && why != wire.OptionSize {
			return hosts + " [" + why.String() + "]"
		}
		return l.ends(d, s.SrcPort, s.DstPort) + l.oldTCP(d, &s)
	case wire.ProtoUDP:
		if len(d.payload) < 8 {
			return hosts + " [" + wire.Truncated.String() + "]"
		}
		src, dst := ports(d.payload)
		// The length is the one in the header, of the whole datagram, even if
		// this is its first fragment.
		length := int(d.payload[4])<<8 + int(d.payload[5]) - 8
		return l.ends(d, src, dst) + fmt.Sprintf(" udp %d", length) + l.oldChecksum(d.payload)
	case wire.ProtoICMP:
		var m wire.ICMPv4
		if why := m.Decode(d.payload); why != wire.OK && why != wire.BadChecksum {
			return hosts + " [" + why.String() + "]"
		}
		return hosts + " icmp: " + l.icmp(&m, "%s unreachable - need to frag, mtu = %d")
	case wire.ProtoICMPv6:
		var m wire.ICMPv6
		if why := m.Decode(d.payload); why != wire.OK {
			return hosts + " [" + why.String() + "]"
		}
		return hosts + " icmp6: " + m.String()
	}
	return fmt.Sprintf("%s ip-proto-%d %d", hosts, d.proto, d.length)
}

func (l *Lister) oldChecksum(udp []byte) string {
	if !l.Checksums {
		return ""
	}
	return fmt.Sprintf(" (UDP cksum=%x)", int(udp[6])<<8+int(udp[7]))
}

// oldTCP is a segment: its flags, "S 1:1(0) ack 1 win 4096 urg 1 <mss 1024>".
func (l *Lister) oldTCP(d *datagram, s *wire.Segment) string {
	var b strings.Builder
	b.WriteByte(' ')
	b.WriteString(OldFlags(s.Flags))
	first, ack, sack := l.numbers(d, s)
	if n := len(s.Payload); n > 0 || s.Flags.Any(wire.SYN|wire.FIN|wire.RST) {
		fmt.Fprintf(&b, " %d:%d(%d)", first, first.Add(seq.Size(n)), n)
	}
	if s.Flags.Has(wire.ACK) {
		fmt.Fprintf(&b, " ack %d", ack)
	}
	fmt.Fprintf(&b, " win %d", s.Window)
	if s.Flags.Has(wire.URG) {
		fmt.Fprintf(&b, " urg %d", s.Urgent)
	}
	if options := oldOptions(&s.Options, sack); options != "" {
		b.WriteString(" <" + options + ">")
	}
	return b.String()
}

// OldFlags returns the letters that the book has for the flags of a segment:
// S, F, P, R, or "." if it has none of these (Fig 18-2).
func OldFlags(f wire.Flags) string {
	var b []byte
	for _, l := range []struct {
		flag   wire.Flags
		letter byte
	}{{wire.SYN, 'S'}, {wire.FIN, 'F'}, {wire.PSH, 'P'}, {wire.RST, 'R'}} {
		if f.Has(l.flag) {
			b = append(b, l.letter)
		}
	}
	if len(b) == 0 {
		return "."
	}
	return string(b)
}

func oldOptions(o *wire.Options, sack seq.Value) string {
	return options(o.Raw, func(r wire.RawOption) string {
		switch {
		case r.Kind == wire.KindTimestamps && len(r.Data) == 8:
			return fmt.Sprintf("timestamp %d %d", word(r.Data), word(r.Data[4:]))
		case r.Kind == wire.KindSACK && o.SACKLen > 0:
			return sackBlocks(o, sack)
		}
		return ""
	})
}

// oldTail is what the IP header has that is worth telling.
func oldTail(d *datagram) string {
	var b strings.Builder
	switch {
	case d.isFragment():
		b.WriteString(fragment(d))
	case d.df:
		b.WriteString(" (DF)")
	}
	if d.tos != 0 {
		fmt.Fprintf(&b, " [tos 0x%x]", d.tos)
	}
	if d.ttl <= 1 {
		fmt.Fprintf(&b, " [ttl %d]", d.ttl)
	}
	return b.String()
}
