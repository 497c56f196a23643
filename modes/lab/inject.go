package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// injection is a segment made by hand, written as tcpdump would print it, with
// its data, if there is any, in quotes behind it:
//
//	inject bsdi.1099 > svr4.8888: P 1:6(5) ack 1 win 4096 "hello"
//
// Its numbers are relative to those of the connection, as in a listing; with
// -S, or without a connection, they are what they are. It is put on the link
// of its destination, or on the one that is named: "inject on slip ...".
type injection struct {
	absolute bool
	link     string
	from, to string
	segment  wire.Segment
}

const injectionExample = `inject bsdi.1099 > svr4.8888: P 1:6(5) ack 1 win 4096 "hello"`

func (p *parser) inject(no int, rest string) error {
	var i injection
	if s, ok := strings.CutPrefix(rest, "-S "); ok {
		i.absolute, rest = true, strings.TrimSpace(s)
	}
	if s, ok := strings.CutPrefix(rest, "on "); ok {
		i.link, rest, _ = strings.Cut(strings.TrimSpace(s), " ")
	}
	rest, data, quoted := strings.Cut(rest, `"`)
	if quoted {
		if !strings.HasSuffix(data, `"`) {
			return errors.New("the data ends with a quote")
		}
		var err error
		if data, err = strconv.Unquote(`"` + data); err != nil {
			return fmt.Errorf("the data: %w", err)
		}
	}
	if err := i.read(parsePacket(rest), data); err != nil {
		return err
	}
	p.add(no, i)
	return nil
}

// read makes the segment that a line tells of.
func (i *injection) read(line packet, data string) (err error) {
	s := &i.segment
	number := func(text string, bits int) uint64 {
		n, e := strconv.ParseUint(text, 10, bits)
		if e != nil && err == nil {
			err = fmt.Errorf("%q is no number of %d bits", text, bits)
		}
		return n
	}
	s.Window = 4096
	for _, f := range line {
		switch f.name {
		case fieldFrom:
			i.from = f.text
		case fieldTo:
			i.to = f.text
		case fieldFlags:
			for _, letter := range f.text {
				s.Flags |= map[rune]wire.Flags{'S': wire.SYN, 'F': wire.FIN, 'P': wire.PSH, 'R': wire.RST}[letter]
			}
		case fieldNumbers:
			n := splitNumbers(f.text)
			if len(n) != 3 {
				return fmt.Errorf("%q is not like %q", f.text, "1:6(5)")
			}
			s.Seq = seq.Value(number(n[0], 32))
			length := int(number(n[2], 16))
			if data == "" {
				data = strings.Repeat("x", length)
			}
			if err == nil && (len(data) != length || uint32(s.Seq)+uint32(length) != uint32(number(n[1], 32))) {
				err = fmt.Errorf("%s and %d bytes of data do not agree", f.text, len(data))
			}
		case fieldAck:
			s.Ack = seq.Value(number(f.text, 32))
			s.Flags |= wire.ACK
		case fieldWin:
			s.Window = uint16(number(f.text, 16))
		case fieldUrg:
			s.Urgent = uint16(number(f.text, 16))
			s.Flags |= wire.URG
		case fieldOptions:
			err = errors.Join(err, i.options(f.text))
		default:
			return fmt.Errorf("%q cannot be injected: write it like %q", f.text, injectionExample)
		}
	}
	s.Payload = []byte(data)
	if i.from == "" || i.to == "" {
		return fmt.Errorf("write it like %q", injectionExample)
	}
	return err
}

// options reads "mss 512,nop,nop,timestamp 1 0,cc 1". A nop is put in where the
// others need it.
func (i *injection) options(text string) error {
	o := &i.segment.Options
	for _, s := range splitOptions(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(s), " ")
		var err error
		switch name {
		case "nop":
		case "mss":
			o.HasMSS = true
			_, err = fmt.Sscanf(value, "%d", &o.MSS)
		case "timestamp":
			o.HasTimestamps = true
			_, err = fmt.Sscanf(value, "%d %d", &o.TSVal, &o.TSEcr)
		case "cc":
			var n uint32
			_, err = fmt.Sscanf(value, "%d", &n)
			o.Other = append(o.Other, wire.RawOption{Kind: wire.KindCC, Data: binary.BigEndian.AppendUint32(nil, n)})
		default:
			return fmt.Errorf("of options mss, timestamp and cc can be injected, not %q", s)
		}
		if err != nil {
			return fmt.Errorf("%q has no value", s)
		}
	}
	return nil
}

// end finds the address and the port of an end.
func (l *Lab) end(text string) (netip.AddrPort, error) {
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not like %q", text, "svr4.8888")
	}
	port, err := parsePort(text[dot+1:])
	if err != nil {
		return netip.AddrPort{}, err
	}
	if a, err := netip.ParseAddr(text[:dot]); err == nil {
		return netip.AddrPortFrom(a, port), nil
	}
	h := l.host(text[:dot])
	if h == nil {
		return netip.AddrPort{}, fmt.Errorf("there is no host %q", text[:dot])
	}
	return netip.AddrPortFrom(h.interfaces[0].prefix.Addr(), port), nil
}

func (i injection) validate(l *Lab) error {
	from, err := l.end(i.from)
	if err != nil {
		return err
	}
	to, err := l.end(i.to)
	if err != nil {
		return err
	}
	if from.Addr().Is4() != to.Addr().Is4() {
		return errors.New("the ends have different versions of IP")
	}
	if i.link != "" && l.link(i.link) == nil {
		return fmt.Errorf("there is no link %q", i.link)
	}
	if i.link == "" && l.linkOf(to.Addr()) == "" {
		return fmt.Errorf("no host has the address %s: which link? Write %q", to.Addr(), "inject on LINK ...")
	}
	return nil
}

// linkOf returns the link on which an address is.
func (l *Lab) linkOf(a netip.Addr) string {
	for _, h := range l.hosts {
		for _, i := range h.interfaces {
			if i.prefix.Addr() == a {
				return i.link
			}
		}
	}
	return ""
}

func (i injection) act(r *runner) error {
	from, err := r.Lab.end(i.from)
	if err != nil {
		return err
	}
	to, err := r.Lab.end(i.to)
	if err != nil {
		return err
	}
	s := i.segment
	s.SrcPort, s.DstPort = from.Port(), to.Port()
	if !i.absolute {
		fromSeq, fromAck := r.origins.of(from, to)
		s.Seq += fromSeq
		if s.Flags.Has(wire.ACK) {
			s.Ack += fromAck
		}
	}
	link := i.link
	if link == "" {
		link = r.Lab.linkOf(to.Addr())
	}
	why := trace.Rule{Text: "made by hand"}
	r.note(Happened, link, "a segment made by hand")
	return r.inject(link, packetOf(from.Addr(), to.Addr(), &s), why)
}

// packetOf puts a segment into IP.
func packetOf(src, dst netip.Addr, s *wire.Segment) []byte {
	payload := s.AppendTo(nil, src, dst, wire.ChecksumFull)
	if src.Is4() {
		h := wire.IPv4{TTL: 60, Protocol: wire.ProtoTCP, Src: src, Dst: dst, Payload: payload}
		return h.AppendTo(nil)
	}
	h := wire.IPv6{HopLimit: 60, Protocol: wire.ProtoTCP, Src: src, Dst: dst, Payload: payload}
	return h.AppendTo(nil)
}

// origins has what relative numbers are relative to: of each connection, the
// numbers of its last segment with a SYN and an ACK.
type origins map[[2]netip.AddrPort]seq.Value

func (o origins) of(from, to netip.AddrPort) (fromSeq, fromAck seq.Value) {
	return o[[2]netip.AddrPort{from, to}], o[[2]netip.AddrPort{to, from}]
}

// see takes note of a packet.
func (o origins) see(e *trace.Event) {
	var src, dst netip.Addr
	var payload []byte
	switch e.Version() {
	case 4:
		var h wire.IPv4
		if h.Decode(e.Packet) != wire.OK || h.Protocol != wire.ProtoTCP || h.IsFragment() {
			return
		}
		src, dst, payload = h.Src, h.Dst, h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(e.Packet) != wire.OK || h.Protocol != wire.ProtoTCP || h.IsFragment() {
			return
		}
		src, dst, payload = h.Src, h.Dst, h.Payload
	default:
		return
	}
	var s wire.Segment
	if s.Decode(payload) != wire.OK || !s.Flags.Has(wire.SYN|wire.ACK) {
		return
	}
	from, to := netip.AddrPortFrom(src, s.SrcPort), netip.AddrPortFrom(dst, s.DstPort)
	o[[2]netip.AddrPort{from, to}] = s.Seq
	o[[2]netip.AddrPort{to, from}] = s.Ack - 1
}
