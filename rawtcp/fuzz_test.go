package rawtcp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// FuzzStack has the input drive a Stack: packets of all kinds arrive, answers to
// what it has sent, forged ones and mere bytes; its users call; the clock goes
// on. After every step the invariants of play.watch hold, and when the input is
// at its end and all users have aborted, nothing is left.
//
// "go test -v -run FuzzStack/name" shows what an input of the corpus does.
func FuzzStack(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		p := newPlay(t, in)
		if testing.Verbose() {
			p.logf = t.Logf
		}
		if err := p.run(); err != nil {
			t.Fatalf("at %v: %v", p.l.now, err)
		}
	})
}

// play is a Stack, its users, and all that the input has happen to them.
type play struct {
	l    *lone
	in   []byte // what is still to be done
	ks   []*rawtcp.Socket
	logf func(string, ...any)

	states  map[[2]netip.AddrPort]string // of each connection, as told
	reached map[string]bool
	bad     error   // what a step has found
	damage  [3]byte // which byte of the next packet, the bits, and whether checksums are mended
}

// Limits of what a play may use, so that one takes no more than milliseconds.
const (
	mostSockets = 12
	mostSteps   = 600
	mostPackets = 6 // that are kept to be answered
	playBacklog = 2
)

// next returns the next byte of the input, and 0 at its end.
func (p *play) next() int {
	if len(p.in) == 0 {
		return 0
	}
	b := p.in[0]
	p.in = p.in[1:]
	return int(b)
}

// bytes returns the next bytes of the input, as many as the first one says.
func (p *play) bytes() []byte {
	n := min(p.next(), len(p.in))
	b := p.in[:n]
	p.in = p.in[n:]
	return b
}

func newPlay(t testing.TB, in []byte) *play {
	p := &play{
		in: in, logf: func(string, ...any) {},
		states: map[[2]netip.AddrPort]string{}, reached: map[string]bool{},
	}
	names := profile.Names()
	settings := []string{
		// So that all comes to an end, and ports to theirs.
		"fin-wait-2=60s", "user-timeout=600s", "port-first=4000", "port-last=4003", "sndbuf=3000", "rcvbuf=3000",
	}
	name := names[p.next()%len(names)]
	bits := p.next()
	for i, s := range []string{
		"syn-cookies=yes", "backlog-reset=yes", "quiet-time=10s", "rfc5961=no", "timestamps=yes", "connect-time-wait=yes",
		"soft-refuses=yes", "accept-lifo=yes",
	} {
		if bits&(1<<i) != 0 {
			settings = append(settings, s)
		}
	}
	p.l = newLone(t, name, settings...)
	return p
}

// run does what the input says, and then has everything end.
func (p *play) run() error {
	for steps := 0; len(p.in) > 0 && steps < mostSteps; steps++ {
		p.step()
		if err := p.watch(); err != nil {
			return err
		}
	}
	return p.finish()
}

// step does one thing. The first byte says what.
func (p *play) step() {
	switch b := p.next(); b % 16 {
	case 0, 1, 2:
		p.answer(b >> 4)
	case 3:
		p.forge()
	case 4:
		p.logf("%v: mere bytes", p.l.now)
		p.l.Receive(p.l.now, p.bytes())
	case 5:
		p.complain()
	case 6:
		if d, ok := p.l.NextDeadline(); ok {
			p.advance(d - p.l.now)
		}
	case 7:
		n := time.Duration(p.next())
		p.advance(n * n * 10 * time.Millisecond) // up to 11 minutes
	case 8:
		// A cable that is cut, or a host that knows no way.
		p.l.down = nil
		if b>>4&1 != 0 {
			p.l.down = link.ErrDown
		}
	case 9, 10:
		p.socket(b >> 4)
	case 11:
		p.knock(b >> 4)
	case 12:
		p.damage = [3]byte{byte(p.next()), byte(p.next()), byte(b >> 4)}
		p.answer(0)
		p.damage = [3]byte{}
	default:
		p.call(b >> 4)
	}
}

func (p *play) advance(d time.Duration) {
	p.logf("%v: %v pass", p.l.now, d)
	p.l.pass(max(d, 0))
}

// answer has a segment arrive that fits one that the Stack has sent, as its
// peer would send it, but for what the input changes.
func (p *play) answer(which int) {
	if len(p.l.out) == 0 {
		return
	}
	s := p.l.out[len(p.l.out)-1-which%len(p.l.out)]
	change := p.next()
	seg := wire.Segment{Seq: s.Ack, Ack: s.Seq.Add(s.Len()), Flags: wire.ACK, Window: 2000}
	if s.Flags.Has(wire.SYN) && !s.Flags.Has(wire.ACK) {
		seg.Seq, seg.Flags = 5000, wire.SYN|wire.ACK
	}
	if change&1 != 0 {
		seg.Flags |= wire.FIN
	}
	if change&2 != 0 {
		seg.Payload = p.bytes()
	}
	if change&4 != 0 {
		seg.Flags ^= wire.Flags(p.next())
	}
	if change&8 != 0 {
		seg.Seq += seq.Value(p.next()) - 128
	}
	if change&16 != 0 {
		seg.Ack += seq.Value(p.next()) - 128
	}
	if change&32 != 0 {
		seg.Window, seg.Urgent = uint16(p.next()), uint16(p.next())
	}
	if s.Options.HasTimestamps && change&64 == 0 {
		seg.Options.HasTimestamps = true
		seg.Options.TSVal, seg.Options.TSEcr = uint32(p.l.now/time.Millisecond), s.Options.TSVal
	}
	if change&128 != 0 {
		p.options(&seg)
	}
	p.arrive(s.dst, s.src, seg)
	if which >= 8 {
		p.arrive(s.dst, s.src, seg)
		p.arrive(s.dst, s.src, seg)
	}
}

// knock has a client want a connection.
func (p *play) knock(from int) {
	b := p.next()
	seg := wire.Segment{Seq: 5000, Flags: wire.SYN, Window: 2000}
	if b&2 != 0 {
		seg.Options = wire.Options{
			HasMSS: true, MSS: uint16(b) << 4, HasTimestamps: b&4 != 0, TSVal: uint32(p.l.now / time.Millisecond),
			SACKPermitted: b&8 != 0, HasScale: b&16 != 0, WindowScale: uint8(from),
		}
	}
	if b&32 != 0 {
		seg.Seq = seq.Value(b) << 24
	}
	if b&64 != 0 {
		seg.Payload = p.bytes()
	}
	src, dst := there, here
	if b&128 != 0 {
		src, dst = there6, here6
	}
	p.arrive(at(src, uint16(7+from)), at(dst, [...]uint16{80, 81}[b&1]), seg)
}

// options gives a segment the options that the input says, well made or not.
func (p *play) options(seg *wire.Segment) {
	raw := append([]byte{}, p.bytes()...)
	raw = raw[:min(len(raw), wire.MaxOptionLen)]
	for len(raw)%4 != 0 {
		raw = append(raw, 0)
	}
	seg.Options = wire.Options{Raw: raw}
}

func (p *play) arrive(src, dst netip.AddrPort, seg wire.Segment) {
	p.logf("%v: %v to %v: %v seq %d ack %d len %d win %d", p.l.now, src, dst, seg.Flags, seg.Seq, seg.Ack, len(seg.Payload), seg.Window)
	b := packet(src, dst, seg)
	if d := p.damage; d[1] != 0 {
		b[int(d[0])%len(b)] ^= d[1]
		if d[2]&1 != 0 {
			mend(b, dst.Addr().Is6())
		}
		p.logf("damaged: %x", b)
	}
	p.l.Receive(p.l.now, b)
}

// mend makes the checksums of a packet right again.
func mend(b []byte, six bool) {
	header, pseudo := 20, 12
	if six {
		header, pseudo = 40, 8
	} else {
		clear(b[10:12])
		binary.BigEndian.PutUint16(b[10:], ^sum(b[:20]))
	}
	segment := b[header:]
	clear(segment[16:18])
	of := append(append([]byte{}, b[pseudo:header]...), 0, byte(wire.ProtoTCP))
	of = binary.BigEndian.AppendUint16(of, uint16(len(segment)))
	binary.BigEndian.PutUint16(segment[16:], ^sum(append(of, segment...)))
}

// sum is the sum of RFC 1071.
func sum(b []byte) uint16 {
	var n uint32
	for i, c := range b {
		n += uint32(c) << (8 * (1 - i&1))
	}
	for n>>16 != 0 {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}

// forge has a segment arrive that nobody expects. Few addresses and ports, so
// that it often finds somebody.
func (p *play) forge() {
	b, c := p.next(), p.next()
	src, dst := there, [...]netip.Addr{here, also}[b&1]
	if b&6 == 6 {
		src, dst = there6, here6
		if c&128 != 0 {
			src = netip.AddrFrom16(there.As16())
		}
	}
	if b&24 == 24 {
		src = [...]netip.Addr{netip.MustParseAddr("10.0.0.255"), netip.MustParseAddr("192.0.2.1")}[c&1]
		dst = here
	}
	seg := wire.Segment{
		Seq: 5000 + seq.Value(p.next()), Ack: seq.Value(p.next()) << 24, Flags: wire.Flags(p.next()), Window: 2000,
	}
	if b&32 != 0 {
		seg.Payload = p.bytes()
	}
	if b&64 != 0 {
		p.options(&seg)
	}
	p.arrive(at(src, uint16(7+c>>1%4)), at(dst, [...]uint16{80, 81, 4000, 4001}[c>>4%4]), seg)
}

// complain has an ICMP error arrive about a packet that the Stack has sent.
func (p *play) complain() {
	if len(p.l.out) == 0 {
		return
	}
	kind, code, rest := p.next(), p.next(), p.next()
	about := append([]byte{}, p.l.out[len(p.l.out)-1].packet...)
	if kind&128 != 0 {
		about[p.next()%len(about)] ^= 1 << (kind & 7)
	}
	p.logf("%v: ICMP %d %d %d", p.l.now, kind&127, code, rest<<3)
	if wire.Version(about) == 6 {
		p.l.icmp6(wire.ICMPv6Type(kind&7), uint8(code), uint32(rest<<3), about)
		return
	}
	p.l.icmp(wire.ICMPv4Type(kind&15), uint8(code&15), uint32(rest<<3), about)
}

// socket makes a new socket, and has it listen or connect, or neither.
func (p *play) socket(how int) {
	if len(p.ks) >= mostSockets {
		return
	}
	f := rawtcp.IPv4
	mine, peer := here, there
	if how == 15 {
		f, mine, peer = rawtcp.IPv6, here6, there6
	}
	k := p.l.Socket(f)
	p.ks = append(p.ks, k)
	b := p.next()
	port := [...]uint16{80, 81, 4000, 0}[b&3]
	if b&4 != 0 {
		_ = k.Set(p.l.now, rawtcp.ReuseAddr, 1)
	}
	if b&8 != 0 {
		_ = k.Set(p.l.now, rawtcp.ReusePort, 1)
	}
	if b&16 != 0 {
		_ = k.Set(p.l.now, rawtcp.Linger, b>>5)
	}
	var err error
	switch how % 4 {
	case 0:
		err = k.Bind(p.l.now, at(mine, port))
	case 1, 3:
		if err = k.Bind(p.l.now, at(netip.Addr{}, port)); err == nil {
			err = k.Listen(p.l.now, playBacklog)
		}
	case 2:
		if port == 4000 {
			_ = k.Bind(p.l.now, at(mine, port))
		}
		err = k.Connect(p.l.now, at(peer, uint16(7+b>>6)))
	}
	p.logf("%v: socket %d on %v to %v: %v", p.l.now, len(p.ks)-1, k.Local(), k.Remote(), err)
}

// call has one of the users call.
func (p *play) call(which int) {
	if len(p.ks) == 0 {
		return
	}
	i := which % len(p.ks)
	k, now := p.ks[i], p.l.now
	op, arg := p.next(), p.next()
	canRead, canWrite := k.CanRead(), k.CanWrite()
	var err error
	switch op % 16 {
	case 0, 1:
		var a *rawtcp.Socket
		if a, err = k.Accept(now); err == nil {
			if len(p.ks) < mostSockets {
				p.ks = append(p.ks, a)
			} else {
				p.l.ok(a.Abort(now))
			}
		}
	case 2, 3:
		_, err = k.Read(now, make([]byte, arg*8))
		p.promised("CanRead", canRead, err)
	case 4:
		_, err = k.Peek(now, make([]byte, arg))
	case 5, 6:
		_, err = k.Write(now, make([]byte, arg*8))
		p.promised("CanWrite", canWrite, err)
	case 7:
		_, err = k.WriteUrgent(now, make([]byte, arg&3))
	case 8:
		_, err = k.ReadUrgent(now)
	case 9, 10:
		err = k.Shutdown(now)
	case 11, 12:
		err = k.Close(now)
	case 13:
		err = k.Abort(now)
	case 14:
		err = k.Set(now, rawtcp.Option(arg&31), arg>>5-1)
	case 15:
		err = k.Connect(now, at(there, uint16(7+arg&3)))
	}
	p.logf("%v: call %d of %d with %d: %v; now in %v", now, op%16, i, arg, err, k.State())
	if err != nil {
		p.reached["error: "+err.Error()] = true
	}
	if op%16 >= 11 && op%16 <= 13 && err == nil && arg&1 != 0 {
		p.ks = slices.Delete(p.ks, i, i+1) // it is not called any more
	}
}

// promised notes that a call would block that should not.
func (p *play) promised(what string, ready bool, err error) {
	if ready && errors.Is(err, rawtcp.ErrWouldBlock) {
		p.bad = fmt.Errorf("%s was true, and then it would block", what)
	}
}

// finish has all users abort, and waits until nothing happens any more.
func (p *play) finish() error {
	p.l.down = nil
	for _, k := range p.ks {
		_ = k.Abort(p.l.now) // it may be closed
	}
	p.logf("%v: all have aborted", p.l.now)
	if err := p.watch(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		d, ok := p.l.NextDeadline()
		if !ok {
			break
		}
		if n > 10_000 {
			return fmt.Errorf("it never ends: %+v", p.l.Netstat(p.l.now))
		}
		p.l.now = max(p.l.now, d)
		p.l.Advance(p.l.now)
		if err := p.watch(); err != nil {
			return err
		}
	}
	if rows := p.l.Netstat(p.l.now); len(rows) > 0 {
		return fmt.Errorf("left: %+v", rows)
	}
	return nil
}
