package tcb

import "sock/rawtcp/wire"

// Refuse makes the RST by which a segment that nobody wants is answered, and
// returns the rule for it; NoRule if there is none.
//
// "An incoming segment containing a RST is discarded. An incoming segment not
// containing a RST causes a RST to be sent in response. The acknowledgment and
// sequence field values are selected to make the reset sequence acceptable to
// the TCP endpoint that sent the offending segment." (RFC 9293, 3.10.7.1)
func Refuse(in, out *wire.Segment) Rule {
	if in.Flags.Has(wire.RST) {
		return NoRule
	}
	*out = wire.Segment{SrcPort: in.DstPort, DstPort: in.SrcPort}
	r := refusal(in)
	out.Seq, out.Ack, out.Flags = r.seq, r.ack, r.flags
	return r.rule
}

// refusal is the RST that answers in, as a reply.
func refusal(in *wire.Segment) reply {
	// "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>"
	if in.Flags.Has(wire.ACK) {
		return reply{rule: RuleRefuseACK, seq: in.Ack, flags: wire.RST}
	}
	// "If the ACK bit is off, sequence number zero is used,
	// <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"
	return reply{rule: RuleRefuse, ack: in.Seq.Add(in.Len()), flags: wire.RST | wire.ACK}
}
