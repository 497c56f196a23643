package tcb_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// FuzzMachines has the input drive two machines, their users, the clock and the
// link between them, which loses, doubles, swaps, corrupts and forges packets.
// After every event the invariants of end.check hold, and when the input is at
// its end, both connections come to theirs.
//
// "go test -v -run FuzzMachines/name" shows what an input of the corpus does.
func FuzzMachines(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		m := newMachines(in)
		if testing.Verbose() {
			m.logf = t.Logf
		}
		if err := m.run(); err != nil {
			t.Fatalf("at %v: %v", m.now, err)
		}
	})
}

// machines is two machines and the link between them.
type machines struct {
	in   []byte // what is still to be done
	now  time.Duration
	ends [2]*end
	wire [2][][]byte // packets on their way to each of them
	logf func(string, ...any)

	// exact says that nothing but what TCP protects from has happened: each
	// user must read what the other one has sent. A corrupt packet that no
	// checksum finds, a forged one, or a second incarnation put an end to it.
	exact    bool
	trusting bool // nobody looks at checksums

	arrows [tcb.NumStates][tcb.NumStates]bool
	rules  [tcb.NumRules]bool
	whys   [tcb.NumReasons]bool
}

var addrs = [2]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}

// linkDelay is how long packets take when the input is at its end.
const linkDelay = 10 * time.Millisecond

// next returns the next byte of the input, and 0 at its end.
func (m *machines) next() int {
	if len(m.in) == 0 {
		return 0
	}
	b := m.in[0]
	m.in = m.in[1:]
	return int(b)
}

// headerLen is how many bytes newMachines takes; each step begins with one of
// the others.
const headerLen = 11

func newMachines(in []byte) *machines {
	m := &machines{in: in, exact: true, logf: func(string, ...any) {}}
	kind := m.next()
	m.trusting = kind&1 != 0
	names := profile.Names()
	for i := range m.ends {
		p, err := profile.Get(names[m.next()%len(names)])
		if err != nil {
			panic(err)
		}
		bits := m.next()
		cfg := &p.TCP
		if bits&1 != 0 {
			cfg.WindowScale, cfg.WindowShift = true, bits>>1&7
		}
		cfg.SACK = cfg.SACK != (bits&16 != 0)
		cfg.Timestamps = cfg.Timestamps != (bits&32 != 0)
		cfg.UrgentLast = kind&2 != 0 // both have to agree
		cfg.IgnoreTimeWaitRST = kind&4 != 0
		if cfg.ChallengePeriod == 0 {
			// Without a limit two ends that a forged segment has set against
			// each other answer for ever.
			cfg.ChallengePeriod, cfg.ChallengeLimit = time.Second, 10
		}
		cfg.SendBuffer = 1 + m.next()*20
		cfg.RecvBuffer = 1 + m.next()*20
		mtu := 100 + m.next()*6
		m.ends[i] = newEnd(m, i, cfg, mtu)
	}
	return m
}

// run does what the input says, and then lets both connections end.
func (m *machines) run() error {
	for len(m.in) > 0 {
		if err := m.step(); err != nil {
			return err
		}
		if err := m.flush(); err != nil {
			return err
		}
	}
	return m.finish()
}

// flush takes out what both machines have to send.
func (m *machines) flush() error {
	for _, e := range m.ends {
		if err := e.flush(); err != nil {
			return fmt.Errorf("end %d in %v: %w", e.i, e.c.State(), err)
		}
	}
	return nil
}

// The calls of the user come after what happens on the link, and to the clock.
const (
	opOpen   = 12
	opListen = 13
)

// step does one thing. The first byte says to whom, and what.
func (m *machines) step() error {
	b := m.next()
	e, line := m.ends[b&1], &m.wire[b&1]
	switch op := b >> 1 % 32; op {
	case 0, 1, 2:
		m.deliver(e, 0)
	case 3:
		m.deliver(e, m.next())
	case 4:
		if len(*line) > 0 {
			m.logf("%v %d: lost", m.now, e.i)
			*line = slices.Delete(*line, 0, 1)
		}
	case 5:
		if len(*line) > 0 {
			m.logf("%v %d: doubled", m.now, e.i)
			*line = append(*line, (*line)[0])
		}
	case 6:
		m.flip(e)
	case 7:
		m.forge(e)
	case 8, 9:
		if d, ok := e.c.NextDeadline(); ok {
			return m.advance(d)
		}
	case 10:
		return m.advance(m.now + time.Duration(m.next())*time.Millisecond)
	case 11:
		n := time.Duration(m.next())
		return m.advance(m.now + n*n*n*40*time.Millisecond) // up to a week
	default:
		return e.call(op)
	}
	return nil
}

// deliver hands the packet i that is on its way to e over to it.
func (m *machines) deliver(e *end, i int) {
	line := &m.wire[e.i]
	if len(*line) == 0 {
		return
	}
	i %= len(*line)
	packet := (*line)[i]
	*line = slices.Delete(*line, i, i+1)
	m.input(e, packet)
}

// input has a packet arrive, if its checksum is right.
func (m *machines) input(e *end, packet []byte) {
	var s wire.Segment
	if !m.trusting && !m.intact(e, packet) {
		m.logf("%v %d: corrupt", m.now, e.i)
		return
	}
	if s.Decode(packet) != wire.OK || s.DstPort != e.port() || s.SrcPort != m.ends[1-e.i].port() {
		m.logf("%v %d: not a segment for it", m.now, e.i)
		return
	}
	why := e.c.Input(m.now, &s)
	m.whys[why] = true
	m.logf("%v %d: gets %v seq %d len %d ack %d win %d: %v", m.now, e.i, s.Flags, s.Seq, len(s.Payload), s.Ack, s.Window, why)
}

// intact reports whether the checksum of a packet to e is right.
func (m *machines) intact(e *end, packet []byte) bool {
	return wire.VerifyTCP(addrs[1-e.i], addrs[e.i], packet) == wire.ChecksumGood
}

// flip flips a bit of the first packet on its way to e.
func (m *machines) flip(e *end) {
	line := m.wire[e.i]
	at := m.next()<<8 | m.next()
	if len(line) == 0 {
		return
	}
	line[0] = slices.Clone(line[0])
	at %= 8 * len(line[0])
	line[0][at/8] ^= 1 << (at % 8)
	if m.trusting || m.intact(e, line[0]) { // two flips can cancel out
		m.exact = false
	}
	m.logf("%v %d: bit %d flipped", m.now, e.i, at)
}

// forge has a segment arrive at e that nobody has sent: one of a blind attacker
// who is lucky with his numbers.
func (m *machines) forge(e *end) {
	m.exact = false
	in := e.c.Info()
	s := wire.Segment{
		SrcPort: m.ends[1-e.i].port(), DstPort: e.port(),
		Flags:   wire.Flags(m.next()),
		Window:  uint16(m.next() * 80),
		Payload: make([]byte, m.next()),
	}
	place := m.next()
	offset := seq.Value(m.next()) - 128
	s.Seq = [...]seq.Value{in.RcvNxt, in.RcvNxt + seq.Value(in.RcvWnd), in.IRS, 0}[place&3] + offset
	if place&4 != 0 {
		s.Seq -= offset
	}
	s.Ack = [...]seq.Value{in.SndUna, in.SndNxt, in.ISS, 1 << 31}[place>>3&3]
	if place&32 != 0 {
		s.Ack += offset
	}
	if place&64 != 0 {
		s.Urgent = uint16(offset)
	}
	if in.Timestamps != (place&128 != 0) {
		s.Options.HasTimestamps, s.Options.TSVal = true, uint32(m.now/time.Millisecond)
	}
	if in.SACK && place&16 != 0 {
		s.Options.SACKLen = 1
		s.Options.SACK[0] = wire.SACKBlock{Left: in.SndUna.Add(10), Right: in.SndNxt}
	}
	m.logf("%v %d: forged:", m.now, e.i)
	m.input(e, s.AppendTo(nil, addrs[1-e.i], addrs[e.i], wire.ChecksumFull))
}

// advance lets time pass, and timers run out.
func (m *machines) advance(to time.Duration) error {
	for {
		at, who := to, (*end)(nil)
		for _, e := range m.ends {
			if d, ok := e.c.NextDeadline(); ok && d <= at {
				at, who = d, e
			}
		}
		m.now = max(m.now, at)
		if who == nil {
			return nil
		}
		if err := who.tick(); err != nil {
			return fmt.Errorf("end %d in %v: %w", who.i, who.c.State(), err)
		}
		if err := m.flush(); err != nil {
			return err
		}
	}
}

var errStuck = errors.New("stuck")

// finish repairs the link and has both users read all, and close. Then both
// connections must come to an end: with keepalive on there is none that lasts
// for ever.
func (m *machines) finish() error {
	m.logf("%v: the link is good", m.now)
	m.trusting = false
	for _, e := range m.ends {
		e.c.SetKeepAlive(m.now, true)
		e.c.SetNoPush(false)
	}
	end := m.now + 365*24*time.Hour
	for range 200_000 {
		for _, e := range m.ends {
			if err := e.finish(); err != nil {
				return fmt.Errorf("end %d in %v: %w", e.i, e.c.State(), err)
			}
		}
		if err := m.flush(); err != nil {
			return err
		}
		next, ok := m.now, len(m.wire[0])+len(m.wire[1]) > 0
		if ok {
			if err := m.advance(m.now + linkDelay); err != nil {
				return err
			}
			for i, e := range m.ends {
				for range len(m.wire[i]) {
					m.deliver(e, 0)
				}
			}
			continue
		}
		for _, e := range m.ends {
			if d, set := e.c.NextDeadline(); set && (!ok || d < next) {
				next, ok = d, true
			}
		}
		switch {
		case m.ends[0].c.State() == tcb.Closed && m.ends[1].c.State() == tcb.Closed:
			return m.compare()
		case !ok:
			return fmt.Errorf("%w: nothing will ever happen", errStuck)
		case next > end:
			return fmt.Errorf("%w: a year has passed", errStuck)
		}
		if err := m.advance(next); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: no end of events", errStuck)
}

// compare finds that each user has read what the other one has sent, unless
// the connection has ended before its time.
func (m *machines) compare() error {
	for i, e := range m.ends {
		peer := m.ends[1-i]
		if m.exact && e.eof && e.got != peer.sent {
			return fmt.Errorf("end %d: %d of %d bytes read until EOF", i, e.got, peer.sent)
		}
	}
	return nil
}

// call has the user of e call.
func (e *end) call(op int) error {
	m := e.m
	var err error
	switch op {
	case opOpen:
		err = e.open(true)
	case opListen:
		err = e.open(false)
	case 14, 15:
		err = e.send(e.c.Send, m.next())
	case 16:
		err = e.send(e.c.Send, 16*m.next())
	case 17:
		err = e.send(e.c.SendUrgent, m.next()%4)
	case 18, 19:
		err = e.read(m.next())
	case 20:
		err = e.read(16 * m.next())
	case 21:
		err = e.c.Shutdown(m.now)
	case 22:
		err = e.c.Close(m.now)
	case 23:
		if m.next()%4 == 0 {
			err = e.c.Abort(m.now)
		}
	case 24:
		b := m.next()
		e.c.SetNoDelay(b&1 != 0)
		e.c.SetNoPush(b&2 != 0)
		e.c.SetKeepAlive(m.now, b&4 != 0)
	case 25:
		e.c.SetRecvBuffer(m.now, 1+m.next()*40)
	case 26:
		e.c.SetSendBuffer(1 + m.next()*40)
	case 27:
		in := e.c.Info()
		b := m.next()
		at := [...]seq.Value{in.SndUna, in.SndUna + 100, in.SndNxt, in.SndNxt - 1}[b&3]
		if b&4 != 0 {
			e.c.PacketTooBig(m.now, at, 40+b)
		} else {
			e.c.ICMPError(m.now, at, b&8 != 0, errNetwork)
		}
	case 28:
		if m.next()%4 == 0 {
			e.c.SetInline(false)
			m.exact = false // the urgent byte is not read
		}
	case 29:
		_, err = e.c.ReadUrgent(m.next()&1 != 0)
	case 30:
		e.c.SetMaxSeg(m.next() * 4)
	case 31:
		e.c.SetMTU(max(80, m.next()*6))
	}
	m.logf("%v %d: call %d: %v", m.now, e.i, op, err)
	return e.allowed(err)
}

// allowed returns err, unless it is one that calls may return.
func (e *end) allowed(err error) error {
	switch err {
	case nil, io.EOF, errNetwork,
		tcb.ErrWouldBlock, tcb.ErrNotExist, tcb.ErrExists, tcb.ErrClosing, tcb.ErrNoUrgent,
		tcb.ErrRefused, tcb.ErrReset, tcb.ErrTimeout, tcb.ErrAborted:
		return nil
	}
	return err
}
