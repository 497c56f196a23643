package rawtcp_test

import (
	"fmt"
	"net/netip"
	"reflect"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// watch looks at what a step has done: nothing within the Stack contradicts
// itself, states change only along the arrows of the diagram, each from where
// the last one had led, and there is not more of anything than may be.
func (p *play) watch() error {
	l := p.l
	for _, e := range l.log {
		if err := p.follow(e); err != nil {
			return err
		}
	}
	l.log = l.log[:0]
	if n := len(l.out); n > mostPackets {
		l.out = append(l.out[:0], l.out[n-mostPackets:]...)
	}
	if p.bad != nil {
		return p.bad
	}
	if err := l.Check(l.now); err != nil {
		return err
	}
	if d, ok := l.NextDeadline(); ok && d < l.now {
		return fmt.Errorf("something was due at %v", d)
	}
	rows := l.Netstat(l.now)
	for _, r := range rows {
		if r.State != tcb.Closed && r.State != tcb.Listen && p.states[[2]netip.AddrPort{r.Local, r.Remote}] != r.State.String() {
			return fmt.Errorf("%v to %v is in %v, and was last told to be in %q",
				r.Local, r.Remote, r.State, p.states[[2]netip.AddrPort{r.Local, r.Remote}])
		}
	}
	// Every connection of a step but those in the queues had a socket.
	if n := len(p.states); n > len(rows) {
		return fmt.Errorf("%d connections were told of, and %d are there", n, len(rows))
	}
	p.note()
	return nil
}

// follow follows the states of connections.
func (p *play) follow(e trace.Event) error {
	if e.Kind == trace.Dropped {
		p.reached["drop: "+e.Reason.String()] = true
	}
	if e.Kind != trace.State {
		return nil
	}
	p.logf("%v: %v to %v: %s -> %s, %s", p.l.now, e.Local, e.Remote, e.From, e.To, e.Text)
	p.reached[e.From], p.reached[e.To] = true, true
	p.reached[e.From+" to "+e.To] = true
	if e.Remote.Port() == 0 {
		return nil // a listener
	}
	pair := [2]netip.AddrPort{e.Local, e.Remote}
	was, ok := p.states[pair]
	if !ok {
		was = tcb.Closed.String()
		if e.From == tcb.Listen.String() {
			was = e.From // its parent's
		}
	}
	if was != e.From || !stateNamed(e.From).CanBecome(stateNamed(e.To)) {
		return fmt.Errorf("%v to %v: %s -> %s, in %s", e.Local, e.Remote, e.From, e.To, was)
	}
	p.states[pair] = e.To
	if e.To == tcb.Closed.String() || e.To == tcb.Listen.String() {
		delete(p.states, pair)
	}
	return nil
}

func stateNamed(name string) tcb.State {
	for s := range tcb.State(tcb.NumStates) {
		if s.String() == name {
			return s
		}
	}
	panic("no state " + name)
}

// note notes which counters have counted.
func (p *play) note() {
	v := reflect.ValueOf(p.l.Stats())
	for i := range v.NumField() {
		if v.Field(i).Uint() > 0 {
			p.reached["count: "+v.Type().Field(i).Name] = true
		}
	}
}

// reachable returns all that a play is to reach: of the diagram, all but the
// arrow from LISTEN to SYN_SENT, for which the sockets API has no call.
func reachable() map[string]bool {
	all := map[string]bool{}
	for s := range tcb.State(tcb.NumStates) {
		all[s.String()] = true
		for to := range tcb.State(tcb.NumStates) {
			if s.CanBecome(to) && to != tcb.SynSent || s == tcb.Closed && to == tcb.SynSent {
				all[fmt.Sprintf("%v to %v", s, to)] = true
			}
		}
	}
	for r := rawtcp.BadChecksum; r.String() != "unknown reason"; r++ {
		all["drop: "+r.String()] = true
	}
	t := reflect.TypeFor[rawtcp.Stats]()
	for f := range t.Fields() {
		all["count: "+f.Name] = true
	}
	for _, err := range []error{
		rawtcp.ErrWouldBlock, rawtcp.ErrNotConnected, rawtcp.ErrConnected, rawtcp.ErrInvalid, rawtcp.ErrPipe,
		rawtcp.ErrClosed, rawtcp.ErrNotHere, tcb.ErrReset, tcb.ErrRefused, tcb.ErrTimeout,
		rawtcp.ErrHostUnreachable, rawtcp.ErrNetUnreachable, rawtcp.ErrProtoOption,
	} {
		all["error: "+err.Error()] = true
	}
	return all
}
