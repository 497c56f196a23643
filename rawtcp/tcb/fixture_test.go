package tcb_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// The language of the tests. A test starts in a named state and says what
// arrives, what is called, how time passes and what must come out:
//
//	f := at(t, tcb.Established)
//	f.in("P. 1:11(10) ack 1")
//	f.wantNothing()
//	f.advanceToTimer()
//	f.want(". 1:1(0) ack 11")
//
// Segments are written as tcpdump writes them: flags (S F R P U . E C),
// numbers relative to the initial ones, then "ack", "win", "urg" and options.
// Of what comes out, window and options are compared only if they are written.
// What comes out and is not wanted fails the test.

// Both numbers wrap around soon, so that every test is one of that too.
const (
	iss = seq.Value(0xffffffff - 20)
	irs = seq.Value(0x7fffffff - 20)
)

const (
	localPort  = 1024
	remotePort = 7
)

type fixture struct {
	*testing.T
	c      *tcb.TCB
	cfg    *tcb.Config
	now    time.Duration
	peer   int // window that in announces if it is not told
	events []tcb.Event
	iss    seq.Value // of the machine
	irs    seq.Value // of the peer
}

// option changes a fixture before its machine is made.
type option func(*fixture, *tcb.Params)

// set sets values of the profile by name.
func set(settings ...string) option {
	return func(f *fixture, _ *tcb.Params) {
		p := profile.Profile{TCP: *f.cfg}
		for _, s := range settings {
			if err := profile.Set(&p, s); err != nil {
				f.Fatal(err)
			}
		}
		*f.cfg = p.TCP
	}
}

// like takes the whole of a profile.
func like(name string) option {
	return func(f *fixture, _ *tcb.Params) {
		p, err := profile.Get(name)
		if err != nil {
			f.Fatal(err)
		}
		*f.cfg = p.TCP
	}
}

// mtu sets the MTU; the default makes segments of 1000 bytes.
func mtu(n int) option { return func(_ *fixture, p *tcb.Params) { p.MTU = n } }

// plain is the RFCs without the options that tests would have to write, and
// with a window that tests can fill.
func plain() option {
	return set("timestamps=no", "sack=no", "wscale=no", "rcvbuf=8000", "sndbuf=20000", "pmtu=yes")
}

// newFixture returns a machine in CLOSED.
func newFixture(t *testing.T, opts ...option) *fixture {
	t.Helper()
	f := &fixture{T: t, cfg: &tcb.Config{}, peer: 8000, iss: iss, irs: irs}
	like("rfc9293")(f, nil)
	plain()(f, nil)
	p := tcb.Params{LocalPort: localPort, RemotePort: remotePort, MTU: 1040, IPHeader: 20, Local: true}
	p.Hook = func(e tcb.Event) { f.event(e) }
	for _, o := range opts {
		o(f, &p)
	}
	f.c = tcb.New(f.cfg, p)
	t.Cleanup(func() {
		if !t.Failed() {
			f.wantNothing()
		}
	})
	return f
}

// event sees to it that no state is reached that the diagram lacks.
func (f *fixture) event(e tcb.Event) {
	e.Segment = nil
	f.events = append(f.events, e)
	if e.Kind == tcb.StateChanged && !e.From.CanBecome(e.To) {
		f.Errorf("%v -> %v is not in the diagram", e.From, e.To)
	}
}

// at returns a machine in a state. It has been opened passively if the state is
// LISTEN or SYN_RCVD, else actively, and has neither sent nor received data.
func at(t *testing.T, s tcb.State, opts ...option) *fixture {
	t.Helper()
	f := newFixture(t, opts...)
	switch s {
	case tcb.Closed:
	case tcb.Listen:
		f.ok(f.c.OpenPassive(f.now, f.iss))
	case tcb.SynSent:
		f.ok(f.c.OpenActive(f.now, f.iss))
		f.want("S 0:0(0)")
	case tcb.SynRcvd:
		f.ok(f.c.OpenPassive(f.now, f.iss))
		f.in("S 0:0(0) <mss 1000>")
		f.want("S. 0:0(0) ack 1")
	case tcb.Established:
		f.ok(f.c.OpenActive(f.now, f.iss))
		f.want("S 0:0(0)")
		f.in("S. 0:0(0) ack 1 <mss 1000>")
		f.want(". 1:1(0) ack 1")
	default:
		f.establish(s)
	}
	f.wantNothing()
	f.wantState(s)
	f.events = nil
	return f
}

// establish goes on from ESTABLISHED to s.
func (f *fixture) establish(s tcb.State) {
	f.Helper()
	f.ok(f.c.OpenActive(f.now, f.iss))
	f.want("S 0:0(0)")
	f.in("S. 0:0(0) ack 1 <mss 1000>")
	f.want(". 1:1(0) ack 1")
	switch s {
	case tcb.CloseWait, tcb.LastAck:
		f.in("F. 1:1(0) ack 1")
		f.want(". 1:1(0) ack 2")
	default:
		f.ok(f.c.Shutdown(f.now))
		f.want("F. 1:1(0) ack 1")
	}
	switch s {
	case tcb.LastAck:
		f.ok(f.c.Shutdown(f.now))
		f.want("F. 1:1(0) ack 2")
	case tcb.Closing:
		f.in("F. 1:1(0) ack 1")
		f.want(". 2:2(0) ack 2")
	case tcb.FinWait2:
		f.in(". 1:1(0) ack 2")
	case tcb.TimeWait:
		f.in("F. 1:1(0) ack 2")
		f.want(". 2:2(0) ack 2")
	}
}

// ok fails the test on an error.
func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// in has a segment arrive.
func (f *fixture) in(text string) tcb.Reason {
	f.Helper()
	s := f.parse(text)
	return f.c.Input(f.now, &s)
}

// inWant has a segment arrive that must be refused, or taken, for this reason.
func (f *fixture) inWant(why tcb.Reason, text string) {
	f.Helper()
	if got := f.in(text); got != why {
		f.Errorf("%s: %v, want %v", text, got, why)
	}
}

// out takes the next segment out of the machine, as text.
func (f *fixture) out() (wire.Segment, bool) {
	var s wire.Segment
	ok := f.c.Output(f.now, &s)
	return s, ok
}

// want takes segments out, which must be these.
func (f *fixture) want(texts ...string) {
	f.Helper()
	for _, text := range texts {
		s, ok := f.out()
		if !ok {
			f.Fatalf("at %v in %v: nothing comes out, want %s", f.now, f.c.State(), text)
		}
		if got := f.format(&s, text); got != text {
			f.Fatalf("at %v in %v: %s comes out (%v), want %s", f.now, f.c.State(), got, f.c.LastRule(), text)
		}
		if f.c.LastRule() == tcb.NoRule {
			f.Errorf("%s comes out by no rule", text)
		}
	}
}

// wantNothing says that nothing comes out.
func (f *fixture) wantNothing() {
	f.Helper()
	if s, ok := f.out(); ok {
		f.Fatalf("at %v in %v: %s comes out (%v), want nothing", f.now, f.c.State(), f.format(&s, ""), f.c.LastRule())
	}
}

func (f *fixture) wantState(s tcb.State) {
	f.Helper()
	if got := f.c.State(); got != s {
		f.Fatalf("the state is %v, want %v", got, s)
	}
}

func (f *fixture) wantErr(err error) {
	f.Helper()
	if got := f.c.Err(); got != err {
		f.Fatalf("Err is %v, want %v", got, err)
	}
}

// wantRule says by which rule the last segment came out.
func (f *fixture) wantRule(r tcb.Rule) {
	f.Helper()
	if got := f.c.LastRule(); got != r {
		f.Errorf("it came out by the rule %q, want %q", got, r)
	}
}

// advance lets time pass, in which timers run out; what comes out stays there.
func (f *fixture) advance(d time.Duration) {
	f.Helper()
	f.now += d
	for {
		next, ok := f.c.NextDeadline()
		if !ok || next > f.now {
			return
		}
		f.c.Tick(f.now)
	}
}

// advanceToTimer lets time pass until the next timer runs out, and returns how
// much that was.
func (f *fixture) advanceToTimer() time.Duration {
	f.Helper()
	next, ok := f.c.NextDeadline()
	if !ok {
		f.Fatalf("in %v no timer is set", f.c.State())
	}
	d := next - f.now
	f.now = next
	if !f.c.Tick(f.now) {
		f.Fatalf("at its deadline Tick does nothing")
	}
	return d
}

// wantTimer says which timer is the next one, and when.
func (f *fixture) wantTimer(i tcb.Timer, after time.Duration) {
	f.Helper()
	d, ok := f.c.Deadline(i)
	if !ok {
		f.Fatalf("in %v timer %v is not set", f.c.State(), i)
	}
	if d-f.now != after {
		f.Errorf("timer %v runs out after %v, want %v", i, d-f.now, after)
	}
}

// wantNoTimer says that none is set.
func (f *fixture) wantNoTimer() {
	f.Helper()
	if d, ok := f.c.NextDeadline(); ok {
		f.Errorf("in %v a timer runs out after %v", f.c.State(), d-f.now)
	}
}

// send has the user send n bytes.
func (f *fixture) send(n int) {
	f.Helper()
	if got, err := f.c.Send(f.now, pattern(n)); err != nil || got != n {
		f.Fatalf("Send(%d) = %d, %v", n, got, err)
	}
}

// read has the user read n bytes.
func (f *fixture) read(n int) {
	f.Helper()
	p := make([]byte, n)
	if got, err := f.c.Read(f.now, p); err != nil || got != n {
		f.Fatalf("Read(%d) = %d, %v", n, got, err)
	}
}

// pattern returns n bytes of which no two neighbours are the same.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}

// parse reads a segment to the machine.
func (f *fixture) parse(text string) wire.Segment {
	f.Helper()
	text, opts, _ := strings.Cut(text, " <")
	word := strings.Fields(text)
	s := wire.Segment{SrcPort: remotePort, DstPort: localPort, Window: uint16(f.peer)}
	for _, c := range word[0] {
		i := strings.IndexRune("FSRP.UEC", c)
		if i < 0 {
			f.Fatalf("%q: flag %c", text, c)
		}
		s.Flags |= 1 << i
	}
	var first, last, n int
	if _, err := fmt.Sscanf(word[1], "%d:%d(%d)", &first, &last, &n); err != nil || last-first != n {
		f.Fatalf("%q: want first:last(length)", text)
	}
	s.Seq = f.irs + seq.Value(first)
	if n > 0 {
		s.Payload = make([]byte, n)
		if first > 0 {
			s.Payload = pattern(last)[first:]
		}
	}
	for i := 2; i+1 < len(word); i += 2 {
		v, err := strconv.Atoi(word[i+1])
		if err != nil {
			f.Fatalf("%q: %v", text, err)
		}
		switch word[i] {
		case "ack":
			s.Ack = f.iss + seq.Value(v)
		case "win":
			s.Window = uint16(v)
		case "urg":
			s.Urgent = uint16(v)
		default:
			f.Fatalf("%q: %s", text, word[i])
		}
	}
	f.parseOptions(&s.Options, strings.TrimSuffix(opts, ">"))
	return s
}

func (f *fixture) parseOptions(o *wire.Options, text string) {
	f.Helper()
	for part := range strings.SplitSeq(text, ",") {
		var a, b uint32
		switch name, _, _ := strings.Cut(part, " "); name {
		case "":
		case "mss":
			fmt.Sscanf(part, "mss %d", &o.MSS)
			o.HasMSS = true
		case "wscale":
			fmt.Sscanf(part, "wscale %d", &o.WindowScale)
			o.HasScale = true
		case "sackOK":
			o.SACKPermitted = true
		case "TS":
			fmt.Sscanf(part, "TS %d:%d", &o.TSVal, &o.TSEcr)
			o.HasTimestamps = true
		case "sack":
			fmt.Sscanf(part, "sack %d:%d", &a, &b)
			o.SACK[o.SACKLen] = wire.SACKBlock{Left: f.iss + seq.Value(a), Right: f.iss + seq.Value(b)}
			o.SACKLen++
		default:
			f.Fatalf("option %q", part)
		}
	}
}

// format writes a segment of the machine, with window and options if want has
// them.
func (f *fixture) format(s *wire.Segment, want string) string {
	var b strings.Builder
	for i, c := range []byte("SFRPUEC.") {
		bit := [...]wire.Flags{wire.SYN, wire.FIN, wire.RST, wire.PSH, wire.URG, wire.ECE, wire.CWR, wire.ACK}[i]
		if s.Flags.Has(bit) {
			b.WriteByte(c)
		}
	}
	first := int32(s.Seq - f.iss)
	if s.Flags.Has(wire.RST) && s.Seq == 0 {
		first = 0
	}
	fmt.Fprintf(&b, " %d:%d(%d)", first, int(first)+len(s.Payload), len(s.Payload))
	if s.Flags.Has(wire.ACK) {
		fmt.Fprintf(&b, " ack %d", int32(s.Ack-f.irs))
	}
	if strings.Contains(want, " win ") {
		fmt.Fprintf(&b, " win %d", s.Window)
	}
	if s.Flags.Has(wire.URG) {
		fmt.Fprintf(&b, " urg %d", s.Urgent)
	}
	if strings.Contains(want, "<") {
		fmt.Fprintf(&b, " <%s>", f.formatOptions(&s.Options))
	}
	return b.String()
}

func (f *fixture) formatOptions(o *wire.Options) string {
	var all []string
	if o.HasMSS {
		all = append(all, fmt.Sprintf("mss %d", o.MSS))
	}
	if o.HasScale {
		all = append(all, fmt.Sprintf("wscale %d", o.WindowScale))
	}
	if o.SACKPermitted {
		all = append(all, "sackOK")
	}
	if o.HasTimestamps {
		all = append(all, fmt.Sprintf("TS %d:%d", o.TSVal, o.TSEcr))
	}
	for _, x := range o.SACK[:o.SACKLen] {
		all = append(all, fmt.Sprintf("sack %d:%d", int32(x.Left-f.irs), int32(x.Right-f.irs)))
	}
	return strings.Join(all, ",")
}

// fields is strings.Fields, and nil for "".
func fields(s string) []string { return strings.Fields(s) }

// drain takes out what still comes, and forgets it.
func (f *fixture) drain() {
	for {
		if _, ok := f.out(); !ok {
			return
		}
	}
}

// inAck has an ACK arrive.
func (f *fixture) inAck(ack int) {
	f.Helper()
	f.in(fmt.Sprintf(". 1:1(0) ack %d", ack))
}
