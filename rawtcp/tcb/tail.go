package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// tail is the tail loss probe (RFC 8985, section 7): if the last segments of a
// flight are lost, no duplicate ACK tells of it, and a probe that is sent before
// the retransmission timeout makes the peer say what it has. It has the
// retransmission timer, since only one of the two is ever waited for.
type tail struct {
	at    seq.Value // where the last segment of the stream begins
	end   seq.Value // TLP.end_seq, if out
	armed bool      // the retransmission timer is to send the probe
	due   bool      // send it
	out   bool      // it has been sent, and TLP.end_seq is not none
	again bool      // TLP.is_retrans
}

// mayProbe reports whether the end of the flight may be probed: "after
// transmitting new data (that was not itself a loss probe) or upon receiving an
// ACK that cumulatively acknowledges new data unless it is already in fast
// recovery, RTO recovery, or segments have been SACKed" (7.2), if "there is no
// other previous loss probe still in flight" (7.3), and only with SACK.
func (t *TCB) mayProbe() bool {
	return t.cfg.TailProbe > 0 && t.sack.on && !t.tail.out && t.snd.synAcked() && t.outstanding() &&
		!t.cc.recovering && t.rtt.tries == 0 && t.snd.resend == t.snd.nxt && len(t.sack.got) == 0
}

// tailTimeout returns how long from now on to wait before the probe.
//
// "If SRTT is available: PTO = 2 * SRTT; If FlightSize is one segment: PTO +=
// TLP.max_ack_delay; Else: PTO = 1 second. If Now() + PTO >
// TCP_RTO_expiration(): PTO = TCP_RTO_expiration() - Now()" (7.2)
func (t *TCB) tailTimeout(now time.Duration) time.Duration {
	wait := time.Second
	if t.rtt.srtt > 0 {
		wait = 2*t.rtt.srtt + t.cfg.TailProbe
		if t.tail.at.LessEq(t.snd.una) {
			wait = 2*t.rtt.srtt + t.cfg.TailAckDelay
		}
	}
	return max(min(wait, t.rtt.since+t.currentRTO()-now), 0)
}

// tailDue reports whether the timer that has run out was that of the probe, and
// the retransmission timeout is still to come.
func (t *TCB) tailDue(now time.Duration) bool {
	if !t.tail.armed {
		return false
	}
	t.tail.armed = false
	if t.mayProbe() && t.snd.wnd > 0 {
		t.tail.due = true
		return true
	}
	rest := t.rtt.since + t.currentRTO() - now
	if rest > 0 {
		t.set(now, TimerRexmt, t.cfg.Slow.After(now, rest))
	}
	return rest > 0
}

// chooseTail is the probe.
//
// "If an unsent segment exists AND the receive window allows new data to be sent:
// Transmit the lowest-sequence unsent segment of up to SMSS [...] Else if [...]:
// Retransmit the highest-sequence segment sent so far" (TLP_send_probe, 7.3)
func (t *TCB) chooseTail(now time.Duration) (plan, bool) {
	v := &t.snd
	t.tail.due = false
	p := t.cut(v.nxt, v.end().Add(1))
	if v.end().Less(v.nxt) || p.n < min(int(v.end().Sub(v.nxt)), t.most()) || p.n == 0 && !p.fin {
		p = t.cut(seq.Max(t.tail.at, v.una), v.nxt)
		p.again = true
	}
	if p.n == 0 && !p.fin || !t.mayProbe() {
		if t.outstanding() && !t.running(TimerRexmt) {
			t.armTimeout(now)
		}
		return plan{}, false
	}
	p.rule = RuleTailProbe
	t.tail.out, t.tail.again = true, p.again
	t.tail.end = seq.Max(v.nxt, p.at.Add(seq.Size(p.n+btoi(p.fin))))
	return p, true
}

// tailAck is TLP_process_ack (7.4.2): what an ACK says of the probe. If that has
// "Repaired the single loss", nothing else tells of it: "Invoke congestion control
// to react to the loss event the probe has repaired". changed is an ACK that moves
// the window.
func (t *TCB) tailAck(s *wire.Segment, changed bool) {
	x, o := &t.tail, &s.Options
	if !x.out || s.Ack.Less(x.end) {
		return
	}
	switch {
	case !x.again, o.SACKLen > 0 && o.SACK[0].Right == x.end:
		x.out = false
	case x.end.Less(s.Ack):
		x.out = false
		t.cc.reduce(t, t.flight())
		t.cc.cwnd = min(t.cc.cwnd, t.cc.ssthresh)
	case s.Ack == t.snd.una && !changed && len(s.Payload) == 0 && o.SACKLen == 0:
		x.out = false
	}
}
