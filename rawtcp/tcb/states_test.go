package tcb_test

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// states.txt is what RFC 9293 says of every event in every state, to be read
// beside its section 3.10.
//
//go:embed testdata/states.txt
var statesTable string

// column is one column of the table: a state, and how it has been reached.
type column struct {
	letters string
	state   tcb.State
	at      func(*testing.T, ...option) *fixture
}

// columns lists all states, and SYN_RCVD twice: RFC 9293 tells a passive OPEN
// from an active one there.
func columns() []column {
	all := []column{
		{letters: "CL", state: tcb.Closed},
		{letters: "LI", state: tcb.Listen},
		{letters: "SS", state: tcb.SynSent},
		{letters: "SR", state: tcb.SynRcvd},
		{letters: "SA", state: tcb.SynRcvd, at: crossed},
		{letters: "ES", state: tcb.Established},
		{letters: "CW", state: tcb.CloseWait},
		{letters: "F1", state: tcb.FinWait1},
		{letters: "CG", state: tcb.Closing},
		{letters: "LA", state: tcb.LastAck},
		{letters: "F2", state: tcb.FinWait2},
		{letters: "TW", state: tcb.TimeWait},
	}
	for i := range all {
		c := &all[i]
		if c.at == nil {
			c.at = func(t *testing.T, opts ...option) *fixture { return at(t, c.state, opts...) }
		}
	}
	return all
}

// crossed returns a machine in SYN_RCVD that has been opened actively: a SYN
// has crossed its own.
func crossed(t *testing.T, opts ...option) *fixture {
	t.Helper()
	f := at(t, tcb.SynSent, opts...)
	f.in("S 0:0(0) <mss 1000>")
	f.want("S. 0:0(0) ack 1")
	f.events = nil
	return f
}

// letters returns how the table writes a state.
func letters(s tcb.State) string {
	for _, c := range columns() {
		if c.state == s {
			return c.letters
		}
	}
	return "??"
}

var errNetwork = errors.New("network is unreachable")

// window is RCV.WND in every state that has one.
const window = 8000

// situation is a machine in a state, and the numbers that events refer to.
type situation struct {
	*fixture
	una, nxt seq.Value // SND.UNA, SND.NXT
	rcv      seq.Value // RCV.NXT
	call     error     // what the call returned
	seg      wire.Segment
	arrived  bool
	why      tcb.Reason
}

// arrive has a segment arrive.
func (x *situation) arrive(flags wire.Flags, at, ack seq.Value, n int) {
	x.seg = wire.Segment{
		SrcPort: remotePort, DstPort: localPort, Seq: at, Flags: flags, Window: 8000,
		Payload: make([]byte, n),
	}
	if flags.Has(wire.ACK) {
		x.seg.Ack = ack
	}
	if flags.Has(wire.URG) {
		x.seg.Urgent = uint16(n)
	}
	x.arrived = true
	x.why = x.c.Input(x.now, &x.seg)
}

// event is one row of the table.
type event struct {
	name string
	do   func(*situation)
	opts []option
}

// controls are what a segment carries besides its ACK.
var controls = []struct {
	name  string
	flags wire.Flags
	text  int
}{
	{"", 0, 0},
	{"SYN", wire.SYN, 0},
	{"RST", wire.RST, 0},
	{"FIN", wire.FIN, 0},
	{"data", wire.PSH, 10},
	{"data,FIN", wire.FIN, 10},
}

// acks are what it acknowledges: nothing new, all that was sent, or more.
var acks = []struct {
	name string
	ack  func(*situation) seq.Value
}{
	{"", nil},
	{"ACK", func(x *situation) seq.Value { return x.una }},
	{"new ACK", func(x *situation) seq.Value { return x.nxt }},
	{"bad ACK", func(x *situation) seq.Value { return x.nxt + 1 }},
}

// places are where its n numbers lie, and where it is if it has none.
var places = []struct {
	name string
	at   func(rcv seq.Value, n int) seq.Value
	long bool // only for what has several numbers
}{
	{"old", func(rcv seq.Value, n int) seq.Value { return rcv - seq.Value(max(n, 1)) }, false},
	{"over left edge", func(rcv seq.Value, n int) seq.Value { return rcv - seq.Value(n/2) }, true},
	{"left edge", func(rcv seq.Value, _ int) seq.Value { return rcv }, false},
	{"inside", func(rcv seq.Value, _ int) seq.Value { return rcv + 100 }, false},
	{"right edge", func(rcv seq.Value, n int) seq.Value { return rcv + window - seq.Value(max(n, 1)) }, false},
	{"over right edge", func(rcv seq.Value, n int) seq.Value { return rcv + window - seq.Value(n/2) }, true},
	{"outside", func(rcv seq.Value, _ int) seq.Value { return rcv + window }, false},
}

// events lists all events: first every control with every ACK at every place.
func events() []event {
	var all []event
	add := func(name string, do func(*situation), opts ...option) {
		all = append(all, event{name, do, opts})
	}
	for _, c := range controls {
		for _, a := range acks {
			for _, p := range places {
				n := c.text + bits.OnesCount8(uint8(c.flags&(wire.SYN|wire.FIN)))
				if p.long && n < 2 {
					continue
				}
				name := strings.Trim(c.name+","+a.name, ",")
				if name == "" {
					name = "no flags"
				}
				add(name+" "+p.name, func(x *situation) {
					flags, ack := c.flags, seq.Value(0)
					if a.ack != nil {
						flags, ack = flags|wire.ACK, a.ack(x)
					}
					x.arrive(flags, p.at(x.rcv, n), ack, c.text)
				})
			}
		}
	}
	add("ACK of what has long been", func(x *situation) { x.arrive(wire.ACK, x.rcv, x.una-1, 0) })
	add("ACK at the limit", func(x *situation) { x.arrive(wire.ACK, x.rcv, x.una-8000, 0) })
	add("ACK of long ago", func(x *situation) { x.arrive(wire.ACK, x.rcv, x.una-8001, 0) })
	add("data,URG,new ACK", func(x *situation) { x.arrive(wire.ACK|wire.URG, x.rcv, x.nxt, 10) })
	add("SYN,FIN", func(x *situation) { x.arrive(wire.SYN|wire.FIN, x.rcv+100, 0, 0) })
	add("kamikaze", func(x *situation) { x.arrive(wire.SYN|wire.FIN|wire.PSH|wire.URG, x.rcv+100, 0, 1) })

	add("OPEN active", func(x *situation) { x.call = x.c.OpenActive(x.now, iss) })
	add("OPEN passive", func(x *situation) { x.call = x.c.OpenPassive(x.now, iss) })
	add("SEND", func(x *situation) { _, x.call = x.c.Send(x.now, make([]byte, 10)) })
	add("RECEIVE", func(x *situation) { _, x.call = x.c.Read(x.now, make([]byte, 10)) })
	add("CLOSE", func(x *situation) { x.call = x.c.Shutdown(x.now) })
	add("CLOSE both ways", func(x *situation) { x.call = x.c.Close(x.now) })
	add("ABORT", func(x *situation) { x.call = x.c.Abort(x.now) })

	add("soft ICMP error", func(x *situation) { x.c.ICMPError(x.now, x.una, false, errNetwork) })
	add("hard ICMP error", func(x *situation) { x.c.ICMPError(x.now, x.una, true, errNetwork) })
	add("RETRANSMISSION TIMEOUT", func(x *situation) {
		if d, ok := x.c.Deadline(tcb.TimerRexmt); ok {
			x.now = d
			x.c.Tick(x.now)
		}
	})
	add("USER TIMEOUT", func(x *situation) { x.advance(time.Second / 2) }, set("user-timeout=500ms"))
	add("TIME-WAIT TIMEOUT", func(x *situation) {
		if d, ok := x.c.Deadline(tcb.Timer2MSL); ok {
			x.now = d
			x.c.Tick(x.now)
		}
	})
	return all
}

// outcome runs an event in a state and returns what happened, as the table has
// it.
func outcome(t *testing.T, c column, e event) string {
	x, s := &situation{fixture: c.at(t, e.opts...)}, c.state
	in := x.c.Info()
	x.una, x.nxt, x.rcv = in.SndUna, in.SndNxt, in.RcvNxt
	if s < tcb.SynRcvd {
		x.rcv = irs
	}
	e.do(x)

	var b strings.Builder
	for {
		seg, ok := x.out()
		if !ok {
			break
		}
		b.WriteString(x.name(&seg))
	}
	if _, ok := x.c.Deadline(tcb.TimerDelack); ok {
		b.WriteByte('d')
	}
	if x.why == tcb.NewIncarnation {
		b.WriteByte('n')
	}
	if b.Len() == 0 && x.call == nil && x.c.State() == s {
		b.WriteByte('.')
	}
	if now := x.c.State(); now != s {
		b.WriteString(">" + letters(now))
	}
	switch x.c.Err() {
	case nil, tcb.ErrAborted:
	case tcb.ErrReset:
		b.WriteString("!reset")
	case tcb.ErrRefused:
		b.WriteString("!refused")
	case tcb.ErrTimeout:
		b.WriteString("!timeout")
	case errNetwork:
		b.WriteString("!network")
	default:
		b.WriteString("!?")
	}
	switch x.call {
	case nil:
	case tcb.ErrExists:
		b.WriteString("=exists")
	case tcb.ErrNotExist:
		b.WriteString("=none")
	case tcb.ErrClosing:
		b.WriteString("=closing")
	case tcb.ErrWouldBlock:
		b.WriteString("=wait")
	case io.EOF:
		b.WriteString("=eof")
	default:
		b.WriteString("=?")
	}
	return b.String()
}

// name returns the letter of a segment, if it has the numbers that the RFC
// gives it.
func (x *situation) name(s *wire.Segment) string {
	in := x.c.Info()
	switch {
	case s.Flags == wire.RST && x.arrived && s.Seq == x.seg.Ack:
		return "r" // <SEQ=SEG.ACK><CTL=RST>
	case s.Flags == wire.RST|wire.ACK && x.arrived && s.Seq == 0 && s.Ack == x.seg.Seq.Add(x.seg.Len()):
		return "R" // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
	case s.Flags == wire.RST|wire.ACK && s.Seq == x.nxt && s.Ack == x.rcv:
		return "X" // <SEQ=SND.NXT><CTL=RST>
	case s.Flags == wire.SYN && s.Seq == iss:
		return "s" // <SEQ=ISS><CTL=SYN>
	case s.Flags == wire.SYN|wire.ACK && s.Seq == iss && s.Ack == in.RcvNxt:
		return "S" // <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>
	case s.Flags == wire.FIN|wire.ACK && s.Seq == in.SndNxt-1 && s.Ack == in.RcvNxt:
		return "f" // the FIN
	case s.Flags == wire.ACK && s.Seq == in.SndNxt && s.Ack == in.RcvNxt && len(s.Payload) == 0:
		return "a" // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
	case s.Flags == wire.ACK|wire.PSH && len(s.Payload) == 10 && s.Seq == x.nxt:
		return "t" // the text sent
	}
	return "?" + x.format(s, "")
}

// TestStates: every event in every state does what the table says, and the
// table has no hole.
func TestStates(t *testing.T) {
	table := map[string][]string{}
	for line := range strings.Lines(statesTable) {
		name, cells, ok := strings.Cut(strings.TrimSpace(line), "|")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name = strings.TrimSpace(name)
		if table[name] != nil {
			t.Errorf("%q is there twice", name)
		}
		table[name] = strings.Fields(cells)
	}
	header, columns := table["event"], columns()
	seen := map[tcb.State]bool{}
	for i, c := range columns {
		if i >= len(header) || header[i] != c.letters {
			t.Fatalf("the columns are %v, and %s is not column %d", header, c.letters, i)
		}
		seen[c.state] = true
	}
	if len(seen) != tcb.NumStates {
		t.Errorf("%d of %d states", len(seen), tcb.NumStates)
	}
	rows, cells := 0, 0
	for _, e := range events() {
		row := table[e.name]
		delete(table, e.name)
		if len(row) != len(columns) {
			t.Errorf("%q has %d cells, of %d columns", e.name, len(row), len(columns))
			row = append(row, make([]string, len(columns))...)
		}
		rows++
		var actual strings.Builder
		wrong := false
		for i, c := range columns {
			t.Run(e.name+"/"+c.letters, func(t *testing.T) {
				got := outcome(t, c, e)
				fmt.Fprintf(&actual, " %-11s", got)
				if got != row[i] {
					wrong = true
					t.Errorf("%s, want %s", got, row[i])
				}
			})
			cells++
		}
		if wrong {
			t.Logf("%-33s|%s", e.name, strings.TrimRight(actual.String(), " "))
		}
	}
	delete(table, "event")
	for name := range table {
		t.Errorf("no event %q", name)
	}
	t.Logf("%d events in %d states, one of them in two ways: %d cells", rows, tcb.NumStates, cells)
}
