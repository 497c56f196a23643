package tcb

import (
	"time"
)

// set sets a timer. A timer that is set again has its new deadline.
func (t *TCB) set(now time.Duration, i Timer, deadline time.Duration) {
	if t.timers[i] == deadline {
		return
	}
	t.timers[i] = deadline
	if t.hook != nil {
		t.hook(Event{At: now, Kind: TimerSet, Timer: i, Deadline: deadline})
	}
}

// stop stops a timer.
func (t *TCB) stop(now time.Duration, i Timer) {
	if t.timers[i] == never {
		return
	}
	t.timers[i] = never
	if t.hook != nil {
		t.hook(Event{At: now, Kind: TimerStopped, Timer: i})
	}
}

func (t *TCB) stopAll(now time.Duration) {
	for i := range t.timers {
		t.stop(now, Timer(i))
	}
}

func (t *TCB) running(i Timer) bool { return t.timers[i] != never }

// NextDeadline returns when Tick is due, and false if no timer is set.
func (t *TCB) NextDeadline() (time.Duration, bool) {
	first := never
	for _, d := range t.timers {
		first = min(first, d)
	}
	return first, first != never
}

// Deadline returns when timer i runs out, and false if it is not set.
func (t *TCB) Deadline(i Timer) (time.Duration, bool) {
	return t.timers[i], t.timers[i] != never
}

// Tick runs the timers that have run out by now, and reports whether there
// were any.
func (t *TCB) Tick(now time.Duration) bool {
	any := false
	for i := range t.timers {
		if t.timers[i] > now {
			continue
		}
		any = true
		if Timer(i) == TimerKeep && t.keepLater(now) {
			continue
		}
		t.timers[i] = never
		if t.hook != nil {
			t.hook(Event{At: now, Kind: TimerFired, Timer: Timer(i)})
		}
		t.fire(now, Timer(i))
	}
	return any
}

func (t *TCB) fire(now time.Duration, i Timer) {
	switch i {
	case TimerRexmt:
		t.rexmtTimeout(now)
	case TimerPersist:
		t.persistTimeout(now)
	case TimerConnect:
		t.giveUp(now)
	case TimerKeep:
		t.keepTimeout(now)
	case Timer2MSL, TimerFinWait2:
		// "If the time-wait timeout expires on a connection, delete the TCB,
		// enter the CLOSED state, and return." (RFC 9293, 3.10.8)
		t.end(now, nil)
	case TimerDelack:
		t.quick.interactive = false
		t.ackNow(RuleDelayedACK)
	}
}

// rexmtTimeout: "send the segment at the front of the retransmission queue
// again, reinitialize the retransmission timer, and return." (RFC 9293,
// 3.10.8)
func (t *TCB) rexmtTimeout(now time.Duration) {
	if t.userTimeout(now) {
		t.giveUp(now)
		return
	}
	if t.tailDue(now) {
		return
	}
	t.rtt.resent()
	if !t.snd.synAcked() {
		t.synRexmt(now)
		return
	}
	if t.snd.wnd == 0 {
		// "If the window shrinks to zero, the TCP implementation MUST probe
		// it in the standard way (MUST-35)." (RFC 9293, 3.8.6)
		t.snd.probe = true
		return
	}
	if int(t.rtt.tries) >= t.cfg.Retries {
		t.giveUp(now)
		return
	}
	t.rtt.tries++
	t.tail = tail{at: t.tail.at}
	t.cc.timeout(t)
	t.rtt.shift = min(t.rtt.shift+1, 30)
	// "a TCP sender [...] SHOULD turn off all of the SACKed bits, since the
	// timeout might indicate that the data receiver has reneged." (RFC 2018,
	// section 8)
	t.sack.got = t.sack.got[:0]
	t.goBack(RuleTimeout)
	t.blackHole()
}

// synRexmt has our SYN sent again, or gives up.
func (t *TCB) synRexmt(now time.Duration) {
	limit, rule := t.cfg.SYNRetries, RuleSYNTimeout
	if t.state != SynSent {
		limit = t.cfg.SYNACKRetries
	}
	if limit >= 0 && int(t.rtt.tries) >= limit {
		t.giveUp(now)
		return
	}
	t.rtt.tries++
	t.cc.synLost = true
	t.sendSYN(rule)
}

// giveUp ends a connection whose peer does not answer. If the network has
// said why, the user is told that.
func (t *TCB) giveUp(now time.Duration) {
	if t.cfg.GiveUpReset && t.state >= SynRcvd {
		t.sendRST(RuleGiveUp)
	}
	err := ErrTimeout
	if t.soft != nil {
		err = t.soft
	}
	t.end(now, err)
}

// userTimeout reports whether there has been no ACK for longer than the user
// wants to wait.
func (t *TCB) userTimeout(now time.Duration) bool {
	limit := t.cfg.UserTimeout
	return limit > 0 && now-t.rtt.since >= limit
}

// startConnect limits how long the connection takes to open.
func (t *TCB) startConnect(now time.Duration) {
	if d := t.cfg.ConnectTimeout; d > 0 {
		t.set(now, TimerConnect, t.cfg.Slow.After(now, d))
	}
}

// startFinWait2 limits FIN_WAIT_2, if the user has closed: nobody waits for the
// FIN of the peer then (Stevens, 18.6). RFC 9293 has no such timer.
func (t *TCB) startFinWait2(now time.Duration) {
	if d := t.cfg.FinWait2; d > 0 {
		t.set(now, TimerFinWait2, t.cfg.Slow.After(now, d))
	}
}

// enterPersist begins to wait for a window to open.
//
// "The transmitting host SHOULD send the first zero-window probe when a zero
// window has existed for the retransmission timeout period (SHLD-29) [...] and
// SHOULD increase exponentially the interval between successive probes
// (SHLD-30)." (RFC 9293, 3.8.6.1)
func (t *TCB) enterPersist(now time.Duration) {
	t.probes = 0
	if t.snd.wnd > 0 && t.cfg.Override > 0 {
		t.set(now, TimerPersist, t.cfg.Slow.After(now, t.cfg.Override))
		return
	}
	t.armPersist(now)
}

func (t *TCB) armPersist(now time.Duration) {
	wait := t.baseRTO() << min(t.probes, 20)
	if t.cfg.TickRTT && t.rtt.rto > 0 {
		wait = t.tickPersist() << min(t.probes, 20)
	}
	wait = max(min(wait, t.cfg.PersistMax), t.cfg.PersistMin)
	t.set(now, TimerPersist, t.cfg.Slow.After(now, wait))
}

// persistTimeout probes the window, or sends what it allows. It does so for
// ever, if the peer answers: "A TCP implementation MAY keep its offered receive
// window closed indefinitely (MAY-8). As long as the receiving TCP peer continues
// to send acknowledgments in response to the probe segments, the sending TCP peer
// MUST allow the connection to stay open (MUST-37)."
func (t *TCB) persistTimeout(now time.Duration) {
	if t.userTimeout(now) && t.probes > 0 || int(t.unanswered) >= t.cfg.Retries {
		t.giveUp(now)
		return
	}
	t.probes = min(t.probes+1, 30)
	if t.snd.wnd > 0 && !t.outstanding() {
		t.snd.flush = true
		return
	}
	t.unanswered++
	t.snd.probe = true
}

// leavePersist is what follows from a window that has opened.
func (t *TCB) leavePersist(now time.Duration) {
	t.stop(now, TimerPersist)
	t.probes, t.snd.probe = 0, false
	if t.outstanding() {
		t.goBack(RuleReopened)
	}
}

// touchKeep starts or stops keepalive.
//
// "Keep-alive packets MUST only be sent when no sent data is outstanding, and
// no data or acknowledgment packets have been received for the connection
// within an interval (MUST-26). This interval MUST be configurable (MUST-27)
// and MUST default to no less than two hours (MUST-28)." (RFC 9293, 3.8.4)
func (t *TCB) touchKeep(now time.Duration) {
	if !t.keeping() {
		t.stop(now, TimerKeep)
		return
	}
	t.keeps = 0
	t.set(now, TimerKeep, max(now, t.cfg.Slow.After(t.rcv.last, t.cfg.KeepIdle)))
}

func (t *TCB) keeping() bool {
	return t.opt.keepAlive && (t.state == Established || t.state == CloseWait || t.state == FinWait2)
}

// answered notes that the peer is alive. The keepalive timer is left to run
// out: only then is it asked since when there has been silence.
func (t *TCB) answered() { t.keeps, t.unanswered = 0, 0 }

// keepLater moves the keepalive timer on, if a segment has come in since it
// was set, and reports whether it did.
func (t *TCB) keepLater(now time.Duration) bool {
	due := t.cfg.Slow.After(t.rcv.last, t.cfg.KeepIdle)
	if t.keeps > 0 || due <= now || !t.keeping() {
		return false
	}
	t.set(now, TimerKeep, due)
	return true
}

// keepTimeout sends a keepalive probe, or gives up.
func (t *TCB) keepTimeout(now time.Duration) {
	if !t.keeping() {
		return
	}
	if int(t.keeps) >= t.cfg.KeepCount {
		if t.cfg.KeepReset {
			t.sendRST(RuleGiveUp)
		}
		t.giveUp(now)
		return
	}
	if !t.outstanding() {
		t.keeps++
		t.snd.keep = true
	}
	t.set(now, TimerKeep, t.cfg.Slow.After(now, t.cfg.KeepInterval))
}
