package trace

import (
	"encoding/binary"
	"fmt"
	"strings"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// What both forms of a listing have in common.

const ethernetHeaderLen = 14

func ports(b []byte) (src, dst uint16) {
	return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
}

func word(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// ends is "svr4.1037 > bsdi.discard:".
func (l *Lister) ends(d *datagram, src, dst uint16) string {
	return l.end(d.proto, d.src, src) + " > " + l.end(d.proto, d.dst, dst) + ":"
}

// numbers returns the sequence and acknowledgment numbers of s as they are to
// be printed, and what to subtract from the numbers of a SACK block.
func (l *Lister) numbers(d *datagram, s *wire.Segment) (first, ack, sack seq.Value) {
	if l.Absolute {
		return s.Seq, s.Ack, 0
	}
	fromSeq, fromAck := l.conversations.relative(d.src, d.dst, s)
	return s.Seq - fromSeq, s.Ack - fromAck, fromAck
}

// fragment is " (frag 26304:1480@0+)", or "" if d is whole: the identification, how
// many bytes from where, and + if more follow (Fig 11-7).
func fragment(d *datagram) string {
	if !d.isFragment() {
		return ""
	}
	more := ""
	if d.more {
		more = "+"
	}
	return fmt.Sprintf(" (frag %d:%d@%d%s)", d.id, d.length, d.offset, more)
}

// options lists the options in b. special returns those that the two forms
// print differently, and "" for any other.
func options(b []byte, special func(wire.RawOption) string) string {
	var words []string
	for len(b) > 0 {
		if b[0] == wire.KindEOL {
			words = append(words, "eol")
			break
		}
		o, rest, why := wire.NextOption(b)
		if why != wire.OK {
			words = append(words, "[bad opt]")
			break
		}
		b = rest
		s := special(o)
		if s == "" {
			s = option(o)
		}
		words = append(words, s)
	}
	return strings.Join(words, ",")
}

func option(o wire.RawOption) string {
	switch n := len(o.Data); {
	case o.Kind == wire.KindMSS && n == 2:
		return fmt.Sprintf("mss %d", binary.BigEndian.Uint16(o.Data))
	case o.Kind == wire.KindWindowScale && n == 1:
		return fmt.Sprintf("wscale %d", o.Data[0])
	case n == 4 && (o.Kind == wire.KindEcho || o.Kind == wire.KindEchoReply ||
		o.Kind == wire.KindCC || o.Kind == wire.KindCCNew || o.Kind == wire.KindCCEcho):
		return fmt.Sprintf("%s %d", o.Name(), word(o.Data))
	case n == 0:
		return o.Name()
	}
	return fmt.Sprintf("%s %x", o.Name(), o.Data)
}

// sackBlocks is "sack 1 {15:29}".
func sackBlocks(o *wire.Options, from seq.Value) string {
	var b strings.Builder
	fmt.Fprintf(&b, "sack %d ", o.SACKLen)
	for _, s := range o.SACK[:o.SACKLen] {
		fmt.Fprintf(&b, "{%d:%d}", s.Left-from, s.Right-from)
	}
	return b.String()
}

// icmp is an ICMP message in words. needFrag prints the address and the MTU
// of a fragmentation needed.
func (l *Lister) icmp(m *wire.ICMPv4, needFrag string) string {
	q, why := m.Quoted()
	quoted := why == wire.OK
	switch {
	case m.Type == wire.ICMPv4Unreachable && quoted:
		return l.unreachable(m, &q, needFrag)
	case m.Type == wire.ICMPv4Redirect && quoted:
		name := map[uint8]string{
			wire.RedirectNet: "redirect %s to net %s", wire.RedirectHost: "redirect %s to host %s",
			wire.RedirectTOSNet: "redirect-tos %s to net %s", wire.RedirectTOSHost: "redirect-tos %s to host %s",
		}[m.Code]
		if name != "" {
			return fmt.Sprintf(name, l.host(q.Dst), l.host(m.Gateway()))
		}
	case m.Type == wire.ICMPv4TimeExceeded && m.Code == wire.ExceededInTransit:
		return "time exceeded in-transit"
	case m.Type == wire.ICMPv4TimeExceeded && m.Code == wire.ExceededReassembly:
		return "ip reassembly time exceeded"
	}
	return m.String()
}

func (l *Lister) unreachable(m *wire.ICMPv4, q *wire.Quote, needFrag string) string {
	dst := l.host(q.Dst)
	switch m.Code {
	case wire.NetUnreachable:
		return "net " + dst + " unreachable"
	case wire.HostUnreachable:
		return "host " + dst + " unreachable"
	case wire.ProtocolUnreachable:
		return fmt.Sprintf("%s protocol %d unreachable", dst, q.Protocol)
	case wire.PortUnreachable:
		if _, port, ok := q.Ports(); ok {
			return fmt.Sprintf("%s %s port %s unreachable", dst, q.Protocol, l.port(q.Protocol, port))
		}
	case wire.FragmentationNeeded:
		return fmt.Sprintf(needFrag, dst, m.MTU())
	case wire.SourceRouteFailed:
		return dst + " unreachable - source route failed"
	case wire.NetUnknown:
		return "net " + dst + " unreachable - unknown"
	case wire.HostUnknown:
		return "host " + dst + " unreachable - unknown"
	case wire.NetProhibited:
		return "net " + dst + " unreachable - admin prohibited"
	case wire.HostProhibited:
		return "host " + dst + " unreachable - admin prohibited"
	case wire.CommunicationProhibited:
		return "host " + dst + " unreachable - admin prohibited filter"
	}
	return fmt.Sprintf("%s unreachable - #%d", dst, m.Code)
}
