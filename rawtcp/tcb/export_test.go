package tcb

import (
	"fmt"

	"sock/rawtcp/seq"
)

// Check returns what is wrong with the variables of the machine. It is to be
// called when Output has nothing more.
func (t *TCB) Check() error {
	v, r := &t.snd, &t.rcv
	if t.state <= Listen {
		if _, ok := t.NextDeadline(); ok {
			return fmt.Errorf("%v: a timer is set", t.state)
		}
		return nil
	}
	switch {
	case v.resend.Less(v.una) || v.nxt.Less(v.resend):
		return fmt.Errorf("una %d, resend %d, nxt %d", v.una, v.resend, v.nxt)
	case v.fin && v.end().Add(1).Less(v.nxt), !v.fin && v.end().Less(v.nxt) && t.state != TimeWait:
		return fmt.Errorf("nxt %d is beyond the end %d", v.nxt, v.end())
	case v.una.Less(v.iss):
		return fmt.Errorf("una %d, iss %d", v.una, v.iss)
	case t.running(TimerRexmt) && t.running(TimerPersist):
		return fmt.Errorf("both the retransmission and the persist timer are set")
	case t.state == TimeWait && !t.running(Timer2MSL):
		return fmt.Errorf("no 2MSL timer")
	case t.state == TimeWait:
		return nil
	case t.outstanding() && !t.running(TimerRexmt) && !t.running(TimerPersist):
		return fmt.Errorf("%d bytes are outstanding, and no timer is set", v.nxt.Sub(v.una))
	case !t.outstanding() && t.running(TimerRexmt):
		return fmt.Errorf("nothing is outstanding, and the retransmission timer is set")
	case v.end() != v.nxt && !v.end().Less(v.nxt) && !t.running(TimerRexmt) && !t.running(TimerPersist):
		return fmt.Errorf("%d bytes are unsent, and no timer is set", v.end().Sub(v.nxt))
	case t.ack.owed > 0 && !t.running(TimerDelack):
		return fmt.Errorf("%d bytes are to be acknowledged, and no timer is set", t.ack.owed)
	case t.state.Synchronized() && v.synAcked() && t.cc.cwnd < 1:
		return fmt.Errorf("cwnd %d", t.cc.cwnd)
	}
	if t.state == SynSent {
		return nil
	}
	if r.adv.Less(r.nxt) {
		return fmt.Errorf("rcv.nxt %d is beyond the window %d", r.nxt, r.adv)
	}
	edge := r.adv
	if n := len(r.held); n > 0 && t.cfg.Window == WindowExact {
		// There was room for it, though the window was said to be smaller; and the
		// user may have made the buffer smaller since.
		edge = seq.Max(edge, r.held[n-1].right)
	}
	if err := check("held", r.held, r.nxt, edge); err != nil && v.synAcked() {
		return err
	}
	return check("sacked", t.sack.got, v.una, v.nxt)
}

func check(name string, list spans, low, high seq.Value) error {
	for _, s := range list {
		if !low.Less(s.left) || !s.left.Less(s.right) || high.Less(s.right) {
			return fmt.Errorf("%s: %v, between %d and %d", name, list, low, high)
		}
		low = s.right
	}
	return nil
}
