package trace

import (
	"encoding/hex"
	"encoding/json"
	"io"

	"sock/rawtcp/wire"
)

// NewJSON returns a Sink that writes each event to w as one line of JSON. The
// names of the fields will stay; new ones may come. A field that would be
// empty is left out, but for ns and event.
//
//	ns         time since the epoch, in nanoseconds
//	event      "call", "sent", "received", "state", "timer-set",
//	           "timer-fired", "timer-stopped", "dropped" or "note"
//	host       who tells
//	interface  of the host
//	link       what the interface is attached to
//	id         of the packet, the same for all that becomes of it
//	local, remote   the connection, "140.252.13.34:1037"
//	from, to   states, "SYN_SENT"
//	name       of a call or a timer
//	text       in words
//	result     of a call
//	for_ns     how long a timer will run, in nanoseconds
//	reason     why a packet was dropped
//	rule, rfc  why it was done, and who says so
//	ip         of a packet: version, 4 or 6; of ARP there is no ip
//	proto      "tcp", "udp", "icmp" ...
//	src, dst   addresses
//	sport, dport, flags ("S.", as tcpdump has them), seq, ack, win, urg: of TCP and
//	           UDP; seq and ack as they are on the wire
//	len        bytes of data in the segment or datagram, or of payload in IP
//	options    of TCP, "mss 1024,nop,wscale 0"
//	info       of ICMP and ARP, in words
//	packet     the whole packet in hexadecimal
func NewJSON(w io.Writer) Sink { return &jsonLines{output{w: w}} }

type jsonLines struct{ output }

type jsonEvent struct {
	NS        int64   `json:"ns"`
	Event     string  `json:"event"`
	Host      string  `json:"host,omitempty"`
	Interface string  `json:"interface,omitempty"`
	Link      string  `json:"link,omitempty"`
	ID        uint64  `json:"id,omitempty"`
	Local     string  `json:"local,omitempty"`
	Remote    string  `json:"remote,omitempty"`
	From      string  `json:"from,omitempty"`
	To        string  `json:"to,omitempty"`
	Name      string  `json:"name,omitempty"`
	Text      string  `json:"text,omitempty"`
	Result    string  `json:"result,omitempty"`
	ForNS     int64   `json:"for_ns,omitempty"`
	Reason    string  `json:"reason,omitempty"`
	Rule      string  `json:"rule,omitempty"`
	RFC       string  `json:"rfc,omitempty"`
	IP        int     `json:"ip,omitempty"`
	Proto     string  `json:"proto,omitempty"`
	Src       string  `json:"src,omitempty"`
	Dst       string  `json:"dst,omitempty"`
	SrcPort   uint16  `json:"sport,omitempty"`
	DstPort   uint16  `json:"dport,omitempty"`
	Flags     string  `json:"flags,omitempty"`
	Seq       *uint32 `json:"seq,omitempty"`
	Ack       *uint32 `json:"ack,omitempty"`
	Win       *uint16 `json:"win,omitempty"`
	Urg       *uint16 `json:"urg,omitempty"`
	Len       *int    `json:"len,omitempty"`
	Options   string  `json:"options,omitempty"`
	Info      string  `json:"info,omitempty"`
	Packet    string  `json:"packet,omitempty"`
}

func (j *jsonLines) Close() error { return j.close() }

func (j *jsonLines) Event(e Event) {
	o := jsonEvent{
		NS: int64(e.At), Event: e.Kind.String(), Host: e.Host, Interface: e.Interface, Link: e.Link, ID: e.ID,
		From: e.From, To: e.To, Name: e.Name, Text: e.Text, Result: e.Result, ForNS: int64(e.For),
		Rule: e.Rule.Text, RFC: e.Rule.RFC, Packet: hex.EncodeToString(e.Packet),
	}
	if e.Local.IsValid() {
		o.Local = e.Local.String()
	}
	if e.Remote.IsValid() {
		o.Remote = e.Remote.String()
	}
	if e.Reason != nil {
		o.Reason = e.Reason.String()
	}
	if len(e.Packet) > 0 {
		o.packet(&e)
	}
	line, err := json.Marshal(o)
	if err != nil { // it has strings and numbers only
		line = []byte(`{"ns":0,"event":"note","text":"this event cannot be written"}`)
	}
	j.write(append(line, '\n'))
}

// packet fills in what the packet is.
func (o *jsonEvent) packet(e *Event) {
	var l Lister
	if e.isARP() {
		o.Info = l.oldARP(e.Packet)
		return
	}
	var d datagram
	if why := d.decode(e.Packet); why != wire.OK {
		o.Info = why.String()
		return
	}
	o.IP, o.Proto, o.Src, o.Dst = d.version, d.proto.String(), d.src.String(), d.dst.String()
	o.Len = &d.length
	if d.offset != 0 {
		return
	}
	switch d.proto {
	case wire.ProtoTCP:
		o.segment(d.payload)
	case wire.ProtoUDP:
		var u wire.UDP
		if u.Decode(d.payload) == wire.OK {
			n := len(u.Payload)
			o.SrcPort, o.DstPort, o.Len = u.SrcPort, u.DstPort, &n
		}
	case wire.ProtoICMP:
		var m wire.ICMPv4
		if why := m.Decode(d.payload); why == wire.OK {
			o.Info = m.String()
		}
	case wire.ProtoICMPv6:
		var m wire.ICMPv6
		if why := m.Decode(d.payload); why == wire.OK {
			o.Info = m.String()
		}
	}
}

func (o *jsonEvent) segment(b []byte) {
	var s wire.Segment
	switch s.Decode(b) {
	case wire.OK, wire.OptionLength, wire.OptionSize:
	default:
		return
	}
	n, first, ack := len(s.Payload), uint32(s.Seq), uint32(s.Ack)
	o.SrcPort, o.DstPort, o.Flags, o.Len = s.SrcPort, s.DstPort, Flags(s.Flags), &n
	o.Seq, o.Win = &first, &s.Window
	if s.Flags.Has(wire.ACK) {
		o.Ack = &ack
	}
	if s.Flags.Has(wire.URG) {
		o.Urg = &s.Urgent
	}
	o.Options = todayOptions(&s.Options, 0)
}
