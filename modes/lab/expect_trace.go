package lab

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// seen is a packet as a tcpdump has seen it.
type seen struct {
	at, delta time.Duration // since the first one shown, and since the last
	text      string
	packet    packet
	event     int
}

// sees returns where the tcpdump stands. Without a link each packet is seen
// once, as its sender sends it.
func (d *dump) sees() func(e *trace.Event) bool {
	at := trace.AtHost(d.host)
	switch {
	case d.host != "" && d.link != "":
		return func(e *trace.Event) bool { return at(e) && e.Link == d.link }
	case d.host != "":
		return at
	case d.link != "":
		return trace.OnLink(d.link)
	}
	return func(e *trace.Event) bool { return e.Kind == trace.Sent && e.Rule.Text != "forwarded" }
}

// listing returns what a tcpdump prints.
func (o *Outcome) listing(d dump) (all []seen) {
	lister := trace.NewOldLister(trace.Listing{
		Names: o.Names, Absolute: d.absolute, Ethernet: d.ethernet, Checksums: d.sums, See: d.sees(),
	})
	var first, last time.Duration
	for i, e := range o.Events {
		text, ok := lister.Line(e)
		if !ok || !d.filter.takes(o.Names, &e) {
			continue
		}
		if len(all) == 0 {
			first, last = e.At, e.At
		}
		all = append(all, seen{e.At - first, e.At - last, text, parsePacket(text), i})
		last = e.At
	}
	return all
}

// takes reports whether the filter lets a packet through.
func (f filter) takes(names trace.Names, e *trace.Event) bool {
	if f == (filter{}) {
		return true
	}
	var src, dst netip.Addr
	var proto wire.Protocol
	var payload []byte
	switch e.Version() {
	case 4:
		var h wire.IPv4
		if why := h.Decode(e.Packet); why != wire.OK && why != wire.BadChecksum {
			return false
		}
		src, dst, proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
		if h.Offset != 0 {
			payload = nil
		}
	case 6:
		var h wire.IPv6
		if h.Decode(e.Packet) != wire.OK {
			return false
		}
		src, dst, proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
	default:
		var a wire.ARP
		return a.Decode(e.Packet) == wire.OK && f.port == 0 && (f.proto == "" || f.proto == "arp") &&
			(f.host == "" || f.isHost(names, a.SenderIP) || f.isHost(names, a.TargetIP))
	}
	switch {
	case f.proto == "tcp" && proto != wire.ProtoTCP, f.proto == "udp" && proto != wire.ProtoUDP:
		return false
	case f.proto == "icmp" && proto != wire.ProtoICMP && proto != wire.ProtoICMPv6, f.proto == "arp":
		return false
	case f.host != "" && !f.isHost(names, src) && !f.isHost(names, dst):
		return false
	case f.port == 0:
		return true
	case len(payload) < 4 || proto != wire.ProtoTCP && proto != wire.ProtoUDP:
		return false
	}
	return f.port == uint16(payload[0])<<8|uint16(payload[1]) || f.port == uint16(payload[2])<<8|uint16(payload[3])
}

func (f filter) isHost(names trace.Names, a netip.Addr) bool {
	return f.host == a.String() || names.Host != nil && f.host == names.Host(a)
}

// check compares packet by packet. ARP is left out unless some line is about
// it: the book shows it only where it matters.
func (d dump) check(o *Outcome, _ window) *Failure {
	got := o.listing(d.withoutARP())
	isGap := func(i int) bool { return d.lines[i].gap }
	pairs := align(len(d.lines), len(got), isGap, func(i, j int) []string {
		return d.lines[i].differs(o, &got[j], &d)
	})
	if alike(pairs, isGap) {
		return nil
	}
	return &Failure{
		What: d.heading,
		Rows: rows(pairs,
			func(i int) string { return d.lines[i].String() },
			func(j int) string { return got[j].line(j) }, isGap),
	}
}

// withoutARP returns d with a filter against ARP, unless d is about ARP.
func (d dump) withoutARP() dump {
	for _, l := range d.lines {
		if text, ok := l.packet.get(fieldText); ok && len(l.packet) == 1 && strings.Contains(text, "arp ") {
			return d
		}
	}
	if d.filter.proto == "" {
		d.filter.proto = "ip"
	}
	return d
}

func (l *dumpLine) differs(o *Outcome, s *seen, d *dump) (names []string) {
	for _, name := range o.wanted(l.packet, d.absolute).differs(s.packet) {
		names = append(names, string(name))
	}
	if !o.fits(l.when, s.at, d.slack) {
		names = append(names, "time")
	}
	if !o.fits(l.delta, s.delta, d.slack) {
		names = append(names, "time since the last")
	}
	return names
}

func (l *dumpLine) String() string {
	s := l.text
	if !l.delta.any {
		s = "(" + l.delta.text + ") " + s
	}
	if !l.when.any {
		s = l.when.text + " " + s
	}
	return s
}

// line returns a line of a listing with its number and its times.
func (s *seen) line(i int) string {
	return strconv.Itoa(i+1) + " " + s.times() + " " + s.text
}

func (s *seen) times() string { return seconds(s.at) + " (" + tenths(s.delta) + ")" }

// tenths prints a time to a tenth of a millisecond, as the book does the time
// since the last packet.
func tenths(d time.Duration) string {
	n := d.Round(100*time.Microsecond) / (100 * time.Microsecond)
	return fmt.Sprintf("%d.%04d", n/1e4, n%1e4)
}
