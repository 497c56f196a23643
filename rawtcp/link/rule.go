package link

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/wire"
)

// Rule is a fault made on purpose, in words: "drop the 2nd pure ACK from
// svr4". ParseRule says which words there are.
type Rule struct {
	text   string
	action action

	// Which packets.
	kind     packetKind
	from, to string // hosts; "" is any
	port     uint16 // 0 is any
	// Which of these: the ones listed, or if none is listed, every nth.
	these []int
	every int

	host  string        // whose cable is cut or mended; "" is the whole link
	at    time.Duration // when it is cut or mended; until when a packet is held
	after time.Duration // for how long it is held; how much later the duplicate comes
	byteN int           // which byte is damaged; -1 is the last
}

type action uint8

const (
	actDrop action = iota + 1
	actHold
	actHoldUntil
	actDuplicate
	actCorrupt
	actCut
	actMend
)

// String returns the words of r.
func (r Rule) String() string { return r.text }

// Hosts returns the hosts that r names, as it names them: an address in its usual
// form.
func (r Rule) Hosts() []string {
	return slices.DeleteFunc([]string{r.from, r.to, r.host}, func(name string) bool { return name == "" })
}

// At returns the time that r speaks of, if it is one after which r does nothing:
// when a cable is cut or mended, or until when packets are held.
func (r Rule) At() (at time.Duration, ok bool) {
	return r.at, r.isOutage() || r.action == actHoldUntil
}

// Done returns what r does to a packet, as a participle: "dropped".
func (r Rule) Done() string {
	switch r.action {
	case actDrop:
		return "dropped"
	case actHold, actHoldUntil:
		return "held"
	case actDuplicate:
		return "duplicated"
	case actCorrupt:
		return "corrupted"
	}
	return ""
}

// rule is a Rule at work.
type rule struct {
	Rule
	seen, struck int // packets that were of the kind, and those it was about
}

// isOutage reports whether r is about a cable at some time, and no packet.
func (r *Rule) isOutage() bool { return r.action == actCut || r.action == actMend }

// Add puts a rule to work. It fails if the rule names a host that is not on
// the link.
func (p *Pipe) Add(r Rule) error {
	if !r.isOutage() {
		p.rules = append(p.rules, &rule{Rule: r})
		return nil
	}
	end := Everybody
	if r.host != "" {
		var ok bool
		if p.End != nil {
			end, ok = p.End(r.host)
		}
		if !ok {
			return fmt.Errorf("%q: no host %q is on this link", r.text, r.host)
		}
	}
	o := outage{r.at, end, r.action == actCut, &rule{Rule: r}}
	p.rules = append(p.rules, o.rule)
	p.plan(o)
	return nil
}

// Working is a Rule at work.
type Working struct {
	Rule
	Seen   int // packets that were of its kind, whichever of them it is about
	Struck int // packets that it was about
}

// Rules returns the rules at work, in the order of Add. One that cuts or mends a
// cable is no longer among them when it has.
func (p *Pipe) Rules() []Working {
	var all []Working
	for _, r := range p.rules {
		all = append(all, Working{r.Rule, r.seen, r.struck})
	}
	return all
}

// Forget takes the rule out of work that is the ith of Rules.
func (p *Pipe) Forget(i int) {
	r := p.rules[i]
	p.rules = slices.Delete(p.rules, i, i+1)
	p.outages = slices.DeleteFunc(p.outages, func(o outage) bool { return o.rule == r })
}

// fate is what rules do to one packet.
type fate struct {
	drop, duplicate, corrupt bool
	hold, until, after       time.Duration
	corruptByte              int
}

// judge asks all rules about packet. Each rule counts all packets of its kind
// that are sent, those too that another rule drops.
func (p *Pipe) judge(now time.Duration, packet []byte) (f fate) {
	if len(p.rules) == 0 {
		return f
	}
	var v view
	v.look(packet)
	for _, r := range p.rules {
		if r.isOutage() || !p.matches(r, &v) {
			continue
		}
		switch r.action {
		case actDrop:
			f.drop = true
		case actHold:
			f.hold += r.after
		case actHoldUntil:
			f.until = max(f.until, r.at)
		case actDuplicate:
			f.duplicate, f.after = true, r.after
		case actCorrupt:
			f.corrupt, f.corruptByte = true, r.byteN
		}
	}
	return f
}

// matches reports whether r is about this packet, and counts it.
func (p *Pipe) matches(r *rule, v *view) bool {
	if !v.is(r.kind) || !p.isHost(r.from, v.src) || !p.isHost(r.to, v.dst) {
		return false
	}
	if r.port != 0 && r.port != v.sport && r.port != v.dport {
		return false
	}
	r.seen++
	hit := r.seen%r.every == 0
	if len(r.these) > 0 {
		hit = slices.Contains(r.these, r.seen)
	}
	if hit {
		r.struck++
	}
	return hit
}

func (p *Pipe) isHost(name string, a netip.Addr) bool {
	if name == "" || name == a.String() {
		return true
	}
	return p.Name != nil && strings.EqualFold(p.Name(a), name)
}

// packetKind is a kind of packet that a rule can name.
type packetKind uint8

const (
	anyPacket packetKind = iota
	anySegment
	pureACK
	synOnly
	synACK
	anyFIN
	anyRST
	anyURG
	anyData
	anyUDP
	anyICMP
	anyFragment
	anyARP
	arpRequest
	arpReply
)

// kinds are the words for them.
func kinds() map[string]packetKind {
	return map[string]packetKind{
		"packet": anyPacket, "segment": anySegment,
		"pure ack": pureACK, "ack": pureACK,
		"syn": synOnly, "syn+ack": synACK, "syn-ack": synACK, "syn ack": synACK,
		"fin": anyFIN, "rst": anyRST, "reset": anyRST, "urgent segment": anyURG, "urg": anyURG,
		"data segment": anyData, "data": anyData,
		"udp datagram": anyUDP, "datagram": anyUDP, "udp": anyUDP,
		"icmp": anyICMP, "icmp message": anyICMP, "fragment": anyFragment,
		"arp": anyARP, "arp packet": anyARP, "arp request": arpRequest, "arp reply": arpReply,
	}
}

// view is a packet as rules look at it.
type view struct {
	src, dst     netip.Addr
	sport, dport uint16
	proto        wire.Protocol
	fragment     bool
	arp          wire.ARPOp // 0 if it is none
	tcp          bool
	flags        wire.Flags
	data         int
}

func (v *view) look(packet []byte) {
	var payload []byte
	first := true
	switch wire.Version(packet) {
	case 4:
		var h wire.IPv4
		if why := h.Decode(packet); why != wire.OK && why != wire.BadChecksum {
			return
		}
		v.src, v.dst, v.proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
		v.fragment, first = h.IsFragment(), h.Offset == 0
	case 6:
		var h wire.IPv6
		if h.Decode(packet) != wire.OK {
			return
		}
		v.src, v.dst, v.proto, payload = h.Src, h.Dst, h.Protocol, h.Payload
		v.fragment, first = h.IsFragment(), h.Offset == 0
	default:
		var a wire.ARP
		if a.Decode(packet) == wire.OK {
			v.src, v.dst, v.arp = a.SenderIP, a.TargetIP, a.Op
		}
		return
	}
	if !first {
		return
	}
	switch v.proto {
	case wire.ProtoTCP:
		var s wire.Segment
		switch s.Decode(payload) {
		case wire.OK, wire.OptionLength, wire.OptionSize:
			v.tcp, v.flags, v.data = true, s.Flags, len(s.Payload)
			v.sport, v.dport = s.SrcPort, s.DstPort
		}
	case wire.ProtoUDP:
		var u wire.UDP
		// The first fragment has the ports, but is shorter than its length.
		if why := u.Decode(payload); why == wire.OK {
			v.sport, v.dport = u.SrcPort, u.DstPort
		}
	}
}

func (v *view) is(k packetKind) bool {
	switch k {
	case anyPacket:
		return v.arp == 0
	case anySegment:
		return v.tcp
	case pureACK:
		return v.tcp && v.data == 0 && v.flags.Has(wire.ACK) && !v.flags.Any(wire.SYN|wire.FIN|wire.RST)
	case synOnly:
		return v.tcp && v.flags.Has(wire.SYN) && !v.flags.Has(wire.ACK)
	case synACK:
		return v.tcp && v.flags.Has(wire.SYN|wire.ACK)
	case anyFIN:
		return v.tcp && v.flags.Has(wire.FIN)
	case anyRST:
		return v.tcp && v.flags.Has(wire.RST)
	case anyURG:
		return v.tcp && v.flags.Has(wire.URG)
	case anyData:
		return v.tcp && v.data > 0
	case anyUDP:
		return v.arp == 0 && v.proto == wire.ProtoUDP
	case anyICMP:
		return v.arp == 0 && (v.proto == wire.ProtoICMP || v.proto == wire.ProtoICMPv6)
	case anyFragment:
		return v.fragment
	case anyARP:
		return v.arp != 0
	case arpRequest:
		return v.arp == wire.ARPRequest
	case arpReply:
		return v.arp == wire.ARPReply
	}
	return false
}
