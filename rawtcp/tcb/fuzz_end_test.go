package tcb_test

import (
	"errors"
	"fmt"
	"io"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// end is a machine and its user.
type end struct {
	m *machines
	i int
	c *tcb.TCB

	sent, got int // bytes, of this incarnation
	eof       bool
	closed    bool // the user has closed for good

	state tcb.State
	bad   error // what the hook has found
	last  tcb.Info
	fin   seq.Value // where the FIN is
	hasFN bool
}

func newEnd(m *machines, i int, cfg *tcb.Config, mtu int) *end {
	e := &end{m: m, i: i}
	e.c = tcb.New(cfg, tcb.Params{
		LocalPort: e.port(), RemotePort: uint16(1001 - i),
		MTU: mtu, IPHeader: 20, Local: true, TSOffset: uint32(i) << 30,
		Hook: e.hook,
	})
	e.c.SetInline(true)
	return e
}

func (e *end) port() uint16 { return uint16(1000 + e.i) }

// hook follows the state through the diagram.
func (e *end) hook(x tcb.Event) {
	switch x.Kind {
	case tcb.StateChanged:
		e.m.logf("%v %d: %v -> %v", e.m.now, e.i, x.From, x.To)
		if x.From != e.state || !x.From.CanBecome(x.To) {
			e.bad = fmt.Errorf("%v -> %v, in %v", x.From, x.To, e.state)
		}
		e.state = x.To
		e.m.arrows[x.From][x.To] = true
		if x.From == tcb.Closed || x.To == tcb.Listen {
			e.sent, e.got, e.eof, e.hasFN = 0, 0, false, false
			e.last = tcb.Info{}
		}
	case tcb.TimerFired:
		e.m.logf("%v %d: timer %v", e.m.now, e.i, x.Timer)
	}
	if x.At != e.m.now {
		e.bad = fmt.Errorf("event %d tells of %v", x.Kind, x.At)
	}
}

// open opens, with numbers that wrap around soon.
func (e *end) open(active bool) error {
	iss := seq.Value(0xfffffff0) - seq.Value(e.m.next()*16) + seq.Value(e.i)<<31
	if e.c.State() == tcb.Closed && e.opened() {
		e.m.exact = false // old duplicates may be taken for new ones
	}
	if active {
		return e.c.OpenActive(e.m.now, iss)
	}
	return e.c.OpenPassive(e.m.now, iss)
}

// opened reports whether there has been a connection before.
func (e *end) opened() bool {
	for _, to := range e.m.arrows {
		if to[tcb.Closed] {
			return true
		}
	}
	return false
}

// send has the user send n bytes.
func (e *end) send(call func(time.Duration, []byte) (int, error), n int) error {
	if e.c.State() == tcb.Listen {
		e.sent = 0
	}
	p := make([]byte, n)
	for j := range p {
		p[j] = dataByte(e.i, e.sent+j)
	}
	k, err := call(e.m.now, p)
	if k > n || k > 0 && err != nil {
		return fmt.Errorf("Send(%d) = %d, %w", n, k, err)
	}
	e.sent += k
	return err
}

// read has the user read n bytes.
func (e *end) read(n int) error {
	p := make([]byte, n)
	ready := e.c.Readable()
	k, err := e.c.Read(e.m.now, p)
	if k != min(ready, n) {
		return fmt.Errorf("Read(%d) = %d, and %d are readable", n, k, ready)
	}
	peer := e.m.ends[1-e.i]
	if e.m.exact {
		for j := range k {
			if p[j] != dataByte(1-e.i, e.got+j) {
				return fmt.Errorf("byte %d is wrong", e.got+j)
			}
		}
	}
	e.got += k
	if e.m.exact && e.got > peer.sent {
		return fmt.Errorf("%d bytes read, of %d sent", e.got, peer.sent)
	}
	e.eof = e.eof || err == io.EOF
	return err
}

// finish is the user when the link is good: read all, send no more, close.
func (e *end) finish() error {
	for {
		before := e.got
		if err := e.allowed(e.read(e.c.Readable())); err != nil {
			return err
		}
		if e.got == before {
			break
		}
	}
	if e.c.State() == tcb.Closed || e.closed {
		return nil
	}
	if err := e.allowed(e.c.Shutdown(e.m.now)); err != nil {
		return err
	}
	if e.eof {
		e.closed = true
		return e.allowed(e.c.Close(e.m.now))
	}
	return nil
}

// tick has the timers run out that are due.
func (e *end) tick() error {
	if !e.c.Tick(e.m.now) {
		return errors.New("at its deadline Tick does nothing")
	}
	if d, ok := e.c.NextDeadline(); ok && d <= e.m.now {
		return fmt.Errorf("after Tick the deadline is %v", d)
	}
	return nil
}

// flush takes out what the machine has to send.
func (e *end) flush() error {
	if e.bad != nil {
		return e.bad
	}
	for range 10_000 {
		var s wire.Segment
		if !e.c.Output(e.m.now, &s) {
			return e.check()
		}
		rule := e.c.LastRule()
		e.m.rules[rule] = true
		e.m.logf("%v %d: %v seq %d len %d ack %d win %d (%v)", e.m.now, e.i, s.Flags, s.Seq, len(s.Payload), s.Ack, s.Window, rule)
		if err := e.checkSegment(&s, rule); err != nil {
			return fmt.Errorf("%v seq %d len %d (%v): %w", s.Flags, s.Seq, len(s.Payload), rule, err)
		}
		packet := s.AppendTo(nil, addrs[e.i], addrs[1-e.i], wire.ChecksumFull)
		e.m.wire[1-e.i] = append(e.m.wire[1-e.i], packet)
		if e.bad != nil {
			return e.bad
		}
	}
	return errors.New("no end of segments")
}

// check is what is true whenever Output has nothing more.
func (e *end) check() error {
	if err := e.c.Check(); err != nil {
		return err
	}
	in, was := e.c.Info(), e.last
	e.last = in
	if in.State != e.state {
		return fmt.Errorf("the hook knows of %v", e.state)
	}
	if d, ok := e.c.NextDeadline(); ok {
		if d < e.m.now {
			return fmt.Errorf("the deadline %v has passed", d)
		}
		if d > e.m.now && e.c.Tick(e.m.now) {
			return fmt.Errorf("Tick does something before the deadline %v", d)
		}
	}
	var s wire.Segment
	if e.c.Output(e.m.now, &s) {
		return errors.New("Output returns false, and then a segment")
	}
	if in.State <= tcb.SynRcvd || was.State <= tcb.SynRcvd {
		return nil
	}
	switch {
	case in.SndUna.Less(was.SndUna):
		return fmt.Errorf("SND.UNA goes back from %d to %d", was.SndUna, in.SndUna)
	case in.SndNxt.Less(was.SndNxt):
		return fmt.Errorf("SND.NXT goes back from %d to %d", was.SndNxt, in.SndNxt)
	case in.RcvNxt.Less(was.RcvNxt):
		return fmt.Errorf("RCV.NXT goes back from %d to %d", was.RcvNxt, in.RcvNxt)
	case in.RcvNxt.Add(seq.Size(in.RcvWnd)).Less(was.RcvNxt.Add(seq.Size(was.RcvWnd))):
		// "The total of RCV.NXT and RCV.WND should not be reduced."
		return fmt.Errorf("the window shrinks from %d+%d to %d+%d", was.RcvNxt, was.RcvWnd, in.RcvNxt, in.RcvWnd)
	}
	return nil
}

// checkSegment is what is true of every segment that goes out.
func (e *end) checkSegment(s *wire.Segment, rule tcb.Rule) error {
	in := e.c.Info()
	switch {
	case rule == tcb.NoRule:
		return errors.New("it goes out by no rule")
	case s.SrcPort != e.port():
		return fmt.Errorf("it comes from port %d", s.SrcPort)
	case s.Flags.Has(wire.RST) && (len(s.Payload) > 0 || s.Flags.Any(wire.SYN|wire.FIN)):
		return errors.New("a RST has more than a RST")
	case s.Flags.Has(wire.RST):
		return nil
	case e.state <= tcb.Listen:
		return errors.New("it is no RST")
	case s.Flags.Has(wire.SYN) && (s.Seq != in.ISS || in.SndUna != in.ISS):
		return errors.New("SYN")
	case !s.Flags.Has(wire.SYN) && e.state <= tcb.SynRcvd && (len(s.Payload) > 0 || e.state == tcb.SynSent):
		return errors.New("no SYN")
	case s.Flags.Has(wire.ACK) != (e.state != tcb.SynSent):
		return errors.New("ACK")
	case s.Flags.Has(wire.ACK) && s.Ack != in.RcvNxt:
		return fmt.Errorf("it acknowledges %d, and RCV.NXT is %d", s.Ack, in.RcvNxt)
	case 40+s.Options.Len()+len(s.Payload) > max(in.MTU, 41+s.Options.Len()):
		return fmt.Errorf("it is larger than the MTU %d", in.MTU)
	case e.state == tcb.TimeWait && s.Len() > 0:
		return errors.New("TIME_WAIT has nothing to send")
	case rule == tcb.RuleKeepalive:
		return nil
	}
	end := s.Seq.Add(s.Len())
	if in.SndNxt.Less(end) {
		return fmt.Errorf("SND.NXT is %d", in.SndNxt)
	}
	if s.Flags.Has(wire.SYN) {
		return nil
	}
	for j, b := range s.Payload {
		if at := s.Seq + seq.Value(j) - in.ISS - 1; b != dataByte(e.i, int(at)) {
			return fmt.Errorf("byte %d of the stream is wrong", at)
		}
	}
	if s.Len() > 0 && rule != tcb.RuleProbe && in.SndUna.Add(seq.Size(in.SndWnd)).Less(end) {
		return fmt.Errorf("the window ends at %d", in.SndUna.Add(seq.Size(in.SndWnd)))
	}
	if e.hasFN && e.fin.Less(end) || e.hasFN && s.Flags.Has(wire.FIN) && end != e.fin {
		return fmt.Errorf("it goes beyond the FIN, or has another one: %d", e.fin)
	}
	if s.Flags.Has(wire.FIN) {
		if e.state < tcb.FinWait1 {
			return errors.New("FIN")
		}
		e.fin, e.hasFN = end, true
	}
	return nil
}
