package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// ICMPError takes in that a router or the peer's host has sent back an error
// for the segment with the number at. hard says that it is one of the hard
// errors of RFC 9293, 3.9.2.2. It reports whether the error concerns this
// connection as it is now.
//
// "TCP implementations [...] SHOULD check that the TCP sequence number
// contained in the payload of the ICMP error message is within the range
// SND.UNA =< SEG.SEQ < SND.NXT." (RFC 5927, section 4.1). A keepalive probe is
// never in it: with that check, no ICMP error about one is heard.
func (t *TCB) ICMPError(now time.Duration, at seq.Value, hard bool, err error) bool {
	if t.state <= Listen || t.state == TimeWait || !t.cfg.LooseICMP && !t.inFlight(at) {
		return false
	}
	// "TCP implementations SHOULD abort the connection (SHLD-26)" for hard
	// errors, but "[35] notes that some implementations do not abort
	// connections when an ICMP hard error is received for a connection that
	// is in any of the synchronized states", because it may be forged.
	if !t.state.Synchronized() && (hard || t.state == SynSent && t.cfg.SoftErrorRefuses) {
		if t.state == SynRcvd && t.passive {
			t.relisten(now)
			return true
		}
		t.end(now, err)
		return true
	}
	// "Since these Unreachable messages indicate soft error conditions, a TCP
	// implementation MUST NOT abort the connection (MUST-56), and it SHOULD
	// make the information available to the application (SHLD-25)."
	t.soft = err
	return true
}

func (t *TCB) inFlight(at seq.Value) bool {
	return t.snd.una.LessEq(at) && at.Less(t.snd.nxt)
}

// PacketTooBig takes in that the segment with the number at did not fit the
// path, which takes packets of mtu bytes. What is outstanding is sent again,
// in smaller segments (RFC 1191, section 6). It reports whether that is news.
func (t *TCB) PacketTooBig(now time.Duration, at seq.Value, mtu int) bool {
	if !t.cfg.PathMTU || t.state <= Listen || t.state == TimeWait || !t.inFlight(at) {
		return false
	}
	mtu = max(mtu, t.cfg.MSSMin+20+int(t.ipHeader))
	if mtu >= int(t.mtu) {
		return false
	}
	t.SetMTU(mtu)
	if t.snd.synAcked() && !t.running(TimerPersist) {
		// "the TCP layer [must not] interpret it as a loss by congestion":
		// the window stays as it is.
		t.rtt.resent()
		t.cc.recovering, t.cc.dupAcks = false, 0
		t.cc.recover = t.snd.nxt
		t.goBack(RuleSmallerPath)
	}
	return true
}

// SetMTU tells the size of packets that the path takes, up or down.
func (t *TCB) SetMTU(mtu int) { t.mtu = uint16(max(min(mtu, 65535), 1)) }

// blackHole tries a smaller packet when a segment is sent in vain again and
// again: it may be too big for the path, and nobody may say so (RFC 4821,
// section 7.7; RFC 2923, section 2.1).
func (t *TCB) blackHole() {
	if n := t.cfg.BlackHole; n == 0 || int(t.rtt.tries)%n != 0 || !t.cfg.PathMTU {
		return
	}
	// The plateaus of RFC 1191, section 7.
	for _, mtu := range [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1280, 1006, 576} {
		if mtu < int(t.mtu) && mtu-20-int(t.ipHeader) >= t.cfg.MSSMin {
			if t.ipHeader == 40 && mtu < 1280 {
				return
			}
			if int(t.snd.end().Sub(t.snd.una)) > mtu-20-int(t.ipHeader) {
				t.SetMTU(mtu)
			}
			return
		}
	}
}
