package tcb_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// network is two machines and a bad link between them, in virtual time.
type network struct {
	rnd    *rand.Rand
	now    time.Duration
	host   [2]*host
	wires  []packet // in order of arrival
	bad    badness
	trace  []string
	tracef func(string, ...any)
}

// badness is what a link does to a packet.
type badness struct {
	loss, dup, reorder float64
	delay, jitter      time.Duration
}

type packet struct {
	at  time.Duration
	to  int
	seg wire.Segment
}

// host is a machine and its user, who has total bytes to send.
type host struct {
	c           *tcb.TCB
	total, sent int
	got         int
	expect      int
	wake        time.Duration // when the user acts next
	closed      bool
	states      [tcb.NumStates]bool
}

// dataByte is byte i of what side sends.
func dataByte(side, i int) byte { return byte(i*7 + i>>8 + side*101) }

func newNetwork(seed uint64, bad badness, names [2]string, settings ...string) (*network, error) {
	n := &network{rnd: rand.New(rand.NewPCG(seed, 1)), bad: bad, tracef: func(string, ...any) {}}
	for i := range n.host {
		p, err := profile.Get(names[i])
		if err != nil {
			return nil, err
		}
		// No limit to how long it takes: every run must come to an end.
		for _, s := range append([]string{
			"retries=255", "syn-retries=-1", "synack-retries=-1", "connect-timeout=0", "msl=1",
		}, settings...) {
			if err := profile.Set(p, s); err != nil {
				return nil, err
			}
		}
		p.TCP.SendBuffer = 1 + n.rnd.IntN(20000)
		p.TCP.RecvBuffer = 1 + n.rnd.IntN(20000)
		h := &host{total: n.rnd.IntN(30000)}
		h.c = tcb.New(&p.TCP, tcb.Params{
			LocalPort: uint16(i + 1), RemotePort: uint16(2 - i),
			MTU: 80 + n.rnd.IntN(1421), IPHeader: 20, Local: true,
			TSOffset: n.rnd.Uint32(),
			Hook: func(e tcb.Event) {
				if e.Kind == tcb.StateChanged {
					h.states[e.To] = true
					n.tracef("%v %d: %v -> %v", n.now, i, e.From, e.To)
				}
				if e.Kind == tcb.StateChanged && !e.From.CanBecome(e.To) {
					n.trace = append(n.trace, fmt.Sprintf("%v -> %v", e.From, e.To))
				}
				if e.Kind == tcb.Dropped {
					n.tracef("%v %d: drop: %v", n.now, i, e.Reason)
				}
				if e.Kind == tcb.TimerFired {
					n.tracef("%v %d: timer %v", n.now, i, e.Timer)
				}
			},
		})
		n.host[i] = h
	}
	n.host[0].expect, n.host[1].expect = n.host[1].total, n.host[0].total
	return n, nil
}

// flush takes out what the machine of host i has to send.
func (n *network) flush(i int) error {
	h := n.host[i]
	for range 100000 {
		var s wire.Segment
		if !h.c.Output(n.now, &s) {
			return h.c.Check()
		}
		n.tracef("%v %d: %v seq %d len %d ack %d win %d (%v)", n.now, i, s.Flags, s.Seq, len(s.Payload), s.Ack, s.Window, h.c.LastRule())
		if len(s.Payload) > int(h.c.Info().MTU)-40 {
			return fmt.Errorf("a segment of %d bytes with an MTU of %d", len(s.Payload), h.c.Info().MTU)
		}
		s.Payload = slices.Clone(s.Payload)
		n.carry(1-i, s)
	}
	return errors.New("no end of segments")
}

// carry puts a segment on the link.
func (n *network) carry(to int, s wire.Segment) {
	copies := 1
	if n.rnd.Float64() < n.bad.dup {
		copies = 2
	}
	for range copies {
		if n.rnd.Float64() < n.bad.loss {
			continue
		}
		at := n.now + n.bad.delay
		if n.bad.jitter > 0 && n.rnd.Float64() < n.bad.reorder {
			at += time.Duration(n.rnd.Int64N(int64(n.bad.jitter)))
		}
		i, _ := slices.BinarySearchFunc(n.wires, at, func(p packet, at time.Duration) int {
			if p.at <= at {
				return -1
			}
			return 1
		})
		n.wires = slices.Insert(n.wires, i, packet{at, to, s})
	}
}

// act has the user of host i do something.
func (n *network) act(i int) error {
	h := n.host[i]
	h.wake = n.now + time.Duration(n.rnd.Int64N(int64(200*time.Millisecond)))
	if n.rnd.IntN(20) == 0 {
		h.wake += 3 * time.Second
	}
	if h.sent < h.total && !h.closed {
		p := make([]byte, min(1+n.rnd.IntN(5000), h.total-h.sent))
		for j := range p {
			p[j] = dataByte(i, h.sent+j)
		}
		send := h.c.Send
		if n.rnd.IntN(30) == 0 {
			send = h.c.SendUrgent
		}
		k, err := send(n.now, p)
		if err != nil && err != tcb.ErrWouldBlock {
			return fmt.Errorf("host %d: send: %w", i, err)
		}
		h.sent += k
	}
	if h.sent == h.total && !h.closed && h.c.State() >= tcb.SynRcvd {
		h.closed = true
		if err := h.c.Shutdown(n.now); err != nil {
			return fmt.Errorf("host %d: shutdown: %w", i, err)
		}
	}
	for range 1 + n.rnd.IntN(3) {
		p := make([]byte, 1+n.rnd.IntN(5000))
		k, err := h.c.Read(n.now, p)
		for j := range k {
			if p[j] != dataByte(1-i, h.got+j) {
				return fmt.Errorf("host %d: byte %d is wrong", i, h.got+j)
			}
		}
		h.got += k
		if err != nil && err != tcb.ErrWouldBlock && err != io.EOF {
			return fmt.Errorf("host %d: read: %w", i, err)
		}
		if err == io.EOF && h.got != h.expect {
			return fmt.Errorf("host %d: EOF after %d of %d bytes", i, h.got, h.expect)
		}
	}
	return nil
}

func (n *network) done() bool {
	for _, h := range n.host {
		if h.c.State() != tcb.Closed || h.got != h.expect {
			return false
		}
	}
	return true
}

// run runs until both machines are closed.
func (n *network) run() error {
	for range 2_000_000 {
		if len(n.trace) > 0 {
			return fmt.Errorf("not in the diagram: %v", n.trace)
		}
		if n.done() {
			return nil
		}
		// What comes first?
		at, what := time.Duration(1<<62), -1
		if len(n.wires) > 0 {
			at, what = n.wires[0].at, 0
		}
		for i, h := range n.host {
			if d, ok := h.c.NextDeadline(); ok && d < at {
				at, what = d, 1+i
			}
			if h.wake < at && (h.c.State() != tcb.Closed || h.got != h.expect) {
				at, what = h.wake, 3+i
			}
		}
		if what < 0 {
			return errors.New("stuck: nothing will ever happen")
		}
		n.now = max(n.now, at)
		if n.now > 1000*time.Hour {
			return errors.New("stuck: 1000 hours have passed")
		}
		i := 0
		switch what {
		case 0:
			p := n.wires[0]
			n.wires = n.wires[1:]
			i = p.to
			n.tracef("%v %d: gets %v seq %d len %d ack %d", n.now, i, p.seg.Flags, p.seg.Seq, len(p.seg.Payload), p.seg.Ack)
			n.host[i].c.Input(n.now, &p.seg)
		case 1, 2:
			i = what - 1
			before, _ := n.host[i].c.NextDeadline()
			if !n.host[i].c.Tick(n.now) {
				return errors.New("at its deadline Tick does nothing")
			}
			if after, ok := n.host[i].c.NextDeadline(); ok && after <= n.now {
				return fmt.Errorf("after Tick at %v the deadline is still %v (%v)", n.now, after, before)
			}
		default:
			i = what - 3
			if err := n.act(i); err != nil {
				return err
			}
		}
		if err := n.flush(i); err != nil {
			return fmt.Errorf("host %d in %v: %w", i, n.host[i].c.State(), err)
		}
	}
	return errors.New("stuck: no end of events")
}

// open begins the connection: one end listens, or both open at once.
func (n *network) open() error {
	both := n.rnd.IntN(4) == 0
	for i, h := range n.host {
		iss := seq.Value(n.rnd.Uint32())
		var err error
		if i == 0 || both {
			err = h.c.OpenActive(n.now, iss)
		} else {
			err = h.c.OpenPassive(n.now, iss)
		}
		if err != nil {
			return err
		}
		h.c.SetInline(true)
		h.c.SetNoDelay(n.rnd.IntN(2) == 0)
		if err := n.flush(i); err != nil {
			return err
		}
	}
	return nil
}

// pair runs one pair to its end.
func pair(seed uint64, bad badness, names [2]string, settings ...string) (*network, error) {
	n, err := newNetwork(seed, bad, names, settings...)
	if err != nil {
		return nil, err
	}
	return n, errors.Join(n.open(), n.run())
}

var links = []struct {
	name string
	bad  badness
}{
	{"good", badness{delay: 10 * time.Millisecond}},
	{"no delay", badness{}},
	{"loss 2%", badness{loss: .02, delay: 20 * time.Millisecond}},
	{"loss 20%", badness{loss: .2, delay: 20 * time.Millisecond}},
	{"reordering", badness{reorder: .3, delay: 30 * time.Millisecond, jitter: 100 * time.Millisecond}},
	{"duplicates", badness{dup: .3, delay: 30 * time.Millisecond, reorder: .2, jitter: 200 * time.Millisecond}},
	{"slow", badness{loss: .05, delay: 900 * time.Millisecond, reorder: .1, jitter: 3 * time.Second}},
	{"all", badness{loss: .1, dup: .1, reorder: .5, delay: 50 * time.Millisecond, jitter: 500 * time.Millisecond}},
}

// TestPairs is two machines over bad links: every byte arrives, in order, both
// ends come to an end, and the invariants of Check hold after every event.
func TestPairs(t *testing.T) {
	runs := 40
	if testing.Short() {
		runs = 5
	}
	names := profile.Names()
	for _, link := range links {
		t.Run(link.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(runs) {
				for i, a := range names {
					b := names[(i+int(seed))%len(names)]
					if _, err := pair(seed, link.bad, [2]string{a, b}); err != nil {
						t.Fatalf("seed %d, %s and %s: %v", seed, a, b, err)
					}
				}
			}
		})
	}
}
