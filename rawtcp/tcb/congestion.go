package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// congestion is the state of congestion control (RFC 5681, section 2). Sizes
// are in bytes.
type congestion struct {
	cwnd, ssthresh int

	acked    int // bytes acknowledged since cwnd last grew
	dupAcks  int
	partials int       // partial ACKs in this recovery
	recover  seq.Value // recovery is over when all before it is acknowledged

	recovering bool
	synLost    bool // "the SYN or SYN/ACK is lost"

	cubic cubic
}

// unlimited is a window that limits nothing.
const unlimited = 1 << 30

// start sets the window when the connection has been established. 4.3BSD
// began with one segment only if the peer was on another network: "the sender
// starts off by injecting multiple segments into the network, up to the window
// size advertised by the receiver" (Stevens, 20.6).
func (c *congestion) start(t *TCB) {
	c.cwnd = t.initialWindow()
	if t.cfg.Congestion == NoCongestionControl || t.cfg.LocalBurst && t.local {
		c.cwnd = unlimited
	}
	// "The initial value of ssthresh SHOULD be set arbitrarily high".
	c.ssthresh = unlimited
}

// initialWindow returns how much may be sent before the first ACK.
//
// "IW, the initial value of cwnd, MUST be set using the following guidelines
// as an upper bound. If SMSS > 2190 bytes: IW = 2 * SMSS bytes and MUST NOT be
// more than 2 segments; If (SMSS > 1095 bytes) and (SMSS <= 2190 bytes): IW =
// 3 * SMSS bytes and MUST NOT be more than 3 segments; if SMSS <= 1095 bytes:
// IW = 4 * SMSS bytes and MUST NOT be more than 4 segments" (RFC 5681, 3.1)
func (t *TCB) initialWindow() int {
	n := t.cfg.InitialWindow
	if n == 0 {
		switch smss := t.smss(); {
		case smss > 2190:
			n = 2
		case smss > 1095:
			n = 3
		default:
			n = 4
		}
	}
	// "if the SYN or SYN/ACK is lost, the initial window used by a sender
	// after a correctly transmitted SYN MUST be one segment".
	if t.cc.synLost {
		n = 1
	}
	return n * t.smss()
}

// flight returns how much is in the network: sent, and neither acknowledged
// nor known to have arrived or to be lost.
func (t *TCB) flight() int {
	n := int(t.snd.resend.Sub(t.snd.una))
	if len(t.sack.got) == 0 {
		return n
	}
	for _, s := range t.sack.got {
		if !s.left.Less(t.snd.resend) {
			break
		}
		n -= int(seq.Min(s.right, t.snd.resend).Sub(s.left))
	}
	return n
}

// outstanding reports whether anything sent is unacknowledged.
func (t *TCB) outstanding() bool { return t.snd.una != t.snd.nxt }

// room returns how much more the congestion window allows.
func (t *TCB) room() int {
	n := t.cc.cwnd - t.flight()
	// "TCP senders SHOULD [...] send a segment of previously unsent data [on
	// each of the first two duplicate ACKs] provided that the receiver's
	// advertised window allows and the total FlightSize would remain less
	// than or equal to cwnd plus 2*SMSS" (RFC 5681, 3.2; RFC 3042). With
	// SACK the flight is less already.
	if t.cfg.LimitedTransmit && !t.sack.on && !t.cc.recovering {
		n += min(t.cc.dupAcks, 2) * t.smss()
	}
	return n
}

// newAck is told of an ACK of n new bytes; before is what was in flight when it
// came.
func (c *congestion) newAck(t *TCB, now time.Duration, n, before int) {
	if t.cfg.Congestion == NoCongestionControl {
		c.dupAcks = 0
		return
	}
	if c.recovering {
		c.recoveryAck(t, now, n)
		return
	}
	c.dupAcks = 0
	smss := t.smss()
	// A window that is not used says nothing of the network (RFC 9293 leaves
	// it open; RFC 9438, 5.8 asks for it).
	if before+2*smss < c.cwnd {
		return
	}
	if c.cwnd < c.ssthresh {
		// "During slow start, a TCP increments cwnd by at most SMSS bytes
		// for each ACK received that cumulatively acknowledges new data.
		// [...] cwnd += min (N, SMSS)" (RFC 5681, 3.1)
		c.cwnd = min(c.cwnd+min(n, smss), unlimited)
		return
	}
	if t.cfg.Congestion == Cubic {
		c.cubic.grow(c, now, t.rtt.srtt, n, smss)
		return
	}
	// "another common [and recommended] way [...] is to count the number of
	// bytes that have been acknowledged [...] When the number of bytes
	// acknowledged reaches cwnd, then cwnd can be incremented by up to SMSS
	// bytes."
	if c.acked += n; c.acked >= c.cwnd {
		c.acked -= c.cwnd
		c.cwnd = min(c.cwnd+smss, unlimited)
	}
}

// reduce sets ssthresh because of a loss; flight is what was in the network.
//
// "ssthresh = max (FlightSize / 2, 2*SMSS)" (RFC 5681, equation 4)
func (c *congestion) reduce(t *TCB, flight int) {
	smss := t.smss()
	if t.cfg.Congestion == Cubic {
		c.cubic.lost(c.cwnd)
		c.ssthresh = max(flight*7/10, 2*smss)
		return
	}
	c.ssthresh = max(flight/2, 2*smss)
	c.acked = 0
}

// timeout is told that the retransmission timer has run out.
func (c *congestion) timeout(t *TCB) {
	if t.cfg.Congestion == NoCongestionControl {
		return
	}
	// "When a TCP sender detects segment loss using the retransmission timer
	// and the given segment has not yet been resent by way of the
	// retransmission timer, the value of ssthresh MUST be set to no more
	// than the value given in equation (4) [...] On the other hand, when
	// [it] has already been retransmitted [...], the value of ssthresh is
	// held constant." (RFC 5681, 3.1)
	if t.rtt.tries <= 1 {
		c.reduce(t, t.flight())
	}
	// "upon a timeout [...] cwnd MUST be set to no more than the loss
	// window, LW, which equals 1 full-sized segment".
	c.cwnd = t.smss()
	// "After a retransmit timeout, record the highest sequence number
	// transmitted in the variable recover, and exit the fast recovery
	// procedure if applicable." (RFC 6582, 3.2, step 4)
	c.recover = t.snd.nxt
	c.recovering, c.dupAcks = false, 0
}

// silent returns since when there has been silence.
//
// "As observed in [HTH98], using the last time a segment was received to
// determine whether or not to decrease cwnd can fail to deflate cwnd in the
// common case of persistent HTTP connections" (RFC 5681, 4.1): so did 4.3BSD,
// and so a window that opens after a while is filled at once (Fig 20-14).
func (t *TCB) silent() time.Duration {
	if t.cfg.IdleHears {
		return t.rcv.last
	}
	return t.snd.last
}

// afterIdle is told that something is to be sent after a silence.
//
// "a TCP SHOULD set cwnd to no more than RW before beginning transmission if
// the TCP has not sent data in an interval exceeding the retransmission
// timeout", RW = min(IW,cwnd) (RFC 5681, 4.1)
func (c *congestion) afterIdle(t *TCB) {
	if t.cfg.Congestion != NoCongestionControl {
		c.cwnd = min(c.cwnd, t.initialWindow())
	}
}
