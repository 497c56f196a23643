package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// setState is the only writer of the state.
func (t *TCB) setState(now time.Duration, to State) {
	from := t.state
	t.state = to
	if t.hook != nil {
		t.hook(Event{At: now, Kind: StateChanged, From: from, To: to})
	}
}

// established is what happens on the way from SYN_SENT or SYN_RCVD to
// ESTABLISHED, and beyond it if the user has closed.
func (t *TCB) established(now time.Duration) {
	t.setState(now, Established)
	t.touchKeep(now)
	if t.snd.fin {
		t.setState(now, FinWait1)
	}
}

// enterTimeWait: "start the time-wait timer, turn off the other timers".
func (t *TCB) enterTimeWait(now time.Duration) {
	t.stopAll(now)
	t.setState(now, TimeWait)
	t.set(now, Timer2MSL, t.cfg.Slow.After(now, 2*t.cfg.MSL))
	t.snd.buf.release()
	t.sack = scoreboard{}
}

// end takes the connection to CLOSED. What has arrived can still be read.
func (t *TCB) end(now time.Duration, err error) {
	t.stopAll(now)
	if t.state != Closed {
		t.setState(now, Closed)
	}
	if err != nil {
		t.err = err
	}
	t.flush()
}

// relisten takes the connection back to LISTEN: "If this connection was
// initiated with a passive OPEN (i.e., came from the LISTEN state), then
// return this connection to LISTEN state and return." (RFC 9293, 3.10.7.4). But
// a user who has closed waits for nobody.
func (t *TCB) relisten(now time.Duration) {
	if t.snd.fin {
		t.end(now, nil)
		return
	}
	t.stopAll(now)
	t.flush()
	t.renew()
	t.setISS(t.snd.iss)
	t.setState(now, Listen)
}

// renew forgets what an earlier connection has left.
func (t *TCB) renew() {
	t.rcv = newRecvVars(t.rcv.buf.limit)
	t.ack = ackVars{}
	t.ts = timestamps{offset: t.ts.offset}
	t.rtt = rttVars{}
	t.cc = congestion{}
	t.quick = quickAck{}
	t.probes, t.keeps, t.unanswered = 0, 0, 0
	t.err, t.soft = nil, nil
}

// flush empties all queues of what is to be sent.
func (t *TCB) flush() {
	iss := t.snd.iss
	limit := t.snd.buf.limit
	nxt := t.snd.nxt
	t.snd = sendVars{iss: iss, nxt: nxt, buf: buffer{limit: limit}}
	t.sack = scoreboard{}
	t.tail = tail{}
	t.rcv.held = nil
	t.ack = ackVars{}
}

// sendRST has <SEQ=SND.NXT><CTL=RST> sent. It has an ACK too: neither RFC
// 9293 nor the peer minds, and it is what all systems send (Fig 18-15).
func (t *TCB) sendRST(why Rule) {
	t.reply = reply{rule: why, seq: t.snd.nxt, ack: t.rcv.nxt, wnd: t.advertise(), flags: wire.RST | wire.ACK}
}

// goBack has all that is outstanding sent again.
func (t *TCB) goBack(why Rule) { t.snd.resend, t.snd.why = t.snd.una, why }

// sendSYN has the SYN sent.
func (t *TCB) sendSYN(why Rule) { t.snd.syn = why }

// ackNow has an ACK sent. The first reason given is the one that is told.
func (t *TCB) ackNow(why Rule) {
	if t.ack.now == NoRule {
		t.ack.now = why
	}
}

// challenge has a challenge ACK sent, unless there have been too many.
//
// "An implementation SHOULD include an ACK throttling mechanism to be
// conservative." (RFC 5961, section 7). Its counter belongs to this
// connection, so that nobody can learn by it of others.
func (t *TCB) challenge(now time.Duration, why Rule) {
	if period := t.cfg.ChallengePeriod; period > 0 {
		if now-t.challengeStart >= period {
			t.challengeStart, t.challenges = now, 0
		}
		if t.challenges >= t.cfg.ChallengeLimit {
			return
		}
		t.challenges++
	}
	t.ackNow(why)
}

// tell tells the hook of a segment that was not taken.
func (t *TCB) tell(now time.Duration, s *wire.Segment, why Reason) {
	if t.hook != nil {
		t.hook(Event{At: now, Kind: Dropped, Segment: s, Reason: why})
	}
}

// announce returns the MSS to tell the peer.
//
// "When TCP is used with IPv4: MMS_R - 20", that is the MTU less both headers
// (RFC 9293, 3.7.1); the Berkeley systems round it down and say less to hosts
// that are not local (Stevens, 18.4).
func (t *TCB) announce() int {
	n := min(t.pathMSS(), 65535-40)
	if t.opt.maxSeg > 0 {
		n = min(n, t.opt.maxSeg)
	}
	if c := t.cfg.MSSNonlocal; c > 0 && !t.local {
		n = min(n, c)
	}
	if c := t.cfg.MSSRound; c > 0 && n > c {
		n -= n % c
	}
	return n
}

// pathMSS returns how much data the path takes in one packet.
func (t *TCB) pathMSS() int {
	return max(int(t.mtu)-int(t.ipHeader)-20, 1)
}

// peerMSS takes in the MSS of a SYN.
//
// "If an MSS Option is not received at connection setup, TCP implementations
// MUST assume a default send MSS of 536 (576 - 40) for IPv4 or 1220 (1280 -
// 60) for IPv6 (MUST-15)." (RFC 9293, 3.7.1)
func (t *TCB) peerMSS(o *wire.Options) {
	n := t.cfg.MSSDefault
	if t.ipHeader == 40 {
		n += 1220 - 536
	}
	if o.HasMSS {
		n = max(int(o.MSS), t.cfg.MSSMin, 1)
	}
	t.snd.mss = uint16(min(n, 65535))
}

// smss returns the most data that a segment with its usual options takes:
// Eff.snd.MSS.
//
// "Eff.snd.MSS = min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize" (RFC
// 9293, 3.7.1)
func (t *TCB) smss() int {
	n := min(int(t.snd.mss), t.announce())
	if t.ts.on {
		n -= timestampLen
	}
	return max(n, 1)
}

// most returns the most data that the next segment takes, with the options
// that it will have.
func (t *TCB) most() int { return t.smss() - t.sackLen() }

// timestampLen is the room the timestamps option takes, with its NOPs.
const timestampLen = 12

// peerOptions takes in the options of a SYN.
func (t *TCB) peerOptions(now time.Duration, s *wire.Segment) {
	o := &s.Options
	t.peerMSS(o)
	// "The Window Scale option [...] MUST be sent only in a <SYN> segment
	// [...] Both sides MUST send Window Scale options in their <SYN> segments
	// to enable window scaling in either direction." (RFC 7323, 2.2)
	t.rcv.scaling = t.cfg.WindowScale && o.HasScale
	if t.rcv.scaling {
		// "If a Window Scale option is received with a shift.cnt value
		// larger than 14, the TCP SHOULD log the error but MUST use 14".
		t.snd.shift = min(o.WindowScale, 14)
		t.rcv.shift = t.scale()
	} else {
		t.snd.shift, t.rcv.shift = 0, 0
	}
	t.ts.on = t.cfg.Timestamps && o.HasTimestamps
	if t.ts.on {
		t.ts.recent, t.ts.age = o.TSVal, now
	}
	t.sack.on = t.cfg.SACK && o.SACKPermitted
}

// scale returns the shift count to offer: large enough for the whole buffer,
// and not so large that the window moves in big steps. A buffer of the user's own
// choice will not grow.
func (t *TCB) scale() uint8 {
	n := uint8(0)
	for n < 14 && t.rcv.buf.limit>>n > 65535 {
		n++
	}
	if t.opt.recvBuf {
		return n
	}
	for n < min(uint8(t.cfg.WindowShift), 14) && t.rcv.buf.limit>>n >= 128 {
		n++
	}
	return n
}

// receiveSYN takes in the SYN of the peer: "RCV.NXT is set to SEG.SEQ+1, IRS
// is set to SEG.SEQ".
func (t *TCB) receiveSYN(now time.Duration, s *wire.Segment) {
	t.rcv.irs = s.Seq
	t.rcv.nxt = s.Seq.Add(1)
	t.rcv.up = t.rcv.nxt
	t.ts.acked = t.rcv.nxt
	t.rcv.mss = uint16(t.announce())
	t.peerOptions(now, s)
	t.rcv.adv = t.rcv.nxt.Add(seq.Size(t.firstWindow()))
	if t.cfg.Window == WindowMemory {
		t.memoryOpens(now)
	}
}
