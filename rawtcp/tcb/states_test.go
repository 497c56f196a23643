package tcb_test

import (
	_ "embed"
	"errors"
	"io"
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

// letters names the states in the table.
var letters = map[tcb.State]string{
	tcb.Closed: "CL", tcb.Listen: "LI", tcb.SynSent: "SS", tcb.SynRcvd: "SR",
	tcb.Established: "ES", tcb.CloseWait: "CW", tcb.FinWait1: "F1", tcb.Closing: "CG",
	tcb.LastAck: "LA", tcb.FinWait2: "F2", tcb.TimeWait: "TW",
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

// places are where in the receive window a segment of n bytes begins.
var places = []struct {
	name string
	at   func(rcv seq.Value) seq.Value
}{
	{"old", func(rcv seq.Value) seq.Value { return rcv - 1 }},
	{"left edge", func(rcv seq.Value) seq.Value { return rcv }},
	{"inside", func(rcv seq.Value) seq.Value { return rcv + 100 }},
	{"right edge", func(rcv seq.Value) seq.Value { return rcv + window - 1 }},
	{"outside", func(rcv seq.Value) seq.Value { return rcv + window }},
}

// events lists all events. "ACK" alone acknowledges nothing new, "new ACK" all
// that was sent.
func events() []event {
	var all []event
	add := func(name string, do func(*situation), opts ...option) {
		all = append(all, event{name, do, opts})
	}
	for _, k := range []struct {
		name  string
		flags wire.Flags
		new   bool
	}{
		{"SYN", wire.SYN, false},
		{"SYN,ACK", wire.SYN | wire.ACK, false},
		{"SYN,new ACK", wire.SYN | wire.ACK, true},
		{"RST", wire.RST, false},
		{"RST,ACK", wire.RST | wire.ACK, false},
		{"RST,new ACK", wire.RST | wire.ACK, true},
		{"ACK", wire.ACK, false},
		{"new ACK", wire.ACK, true},
		{"FIN", wire.FIN, false},
		{"FIN,ACK", wire.FIN | wire.ACK, false},
		{"FIN,new ACK", wire.FIN | wire.ACK, true},
	} {
		for _, p := range places {
			add(k.name+" "+p.name, func(x *situation) {
				ack := x.una
				if k.new {
					ack = x.nxt
				}
				x.arrive(k.flags, p.at(x.rcv), ack, 0)
			})
		}
	}
	for _, k := range []struct {
		name string
		ack  func(x *situation) seq.Value
	}{
		{"ACK of what is not sent", func(x *situation) seq.Value { return x.nxt + 1 }},
		{"ACK of what has long been", func(x *situation) seq.Value { return x.una - 1 }},
		{"ACK of long ago", func(x *situation) seq.Value { return x.una - 8001 }},
	} {
		add(k.name, func(x *situation) { x.arrive(wire.ACK, x.rcv, k.ack(x), 0) })
	}
	for _, k := range []struct {
		name string
		off  seq.Value
	}{
		{"data old", -10 & (1<<32 - 1)},
		{"data over left edge", -5 & (1<<32 - 1)},
		{"data left edge", 0},
		{"data inside", 100},
		{"data over right edge", window - 5},
		{"data outside", window},
	} {
		add(k.name, func(x *situation) { x.arrive(wire.ACK|wire.PSH, x.rcv+k.off, x.una, 10) })
	}
	add("data,new ACK", func(x *situation) { x.arrive(wire.ACK|wire.PSH, x.rcv, x.nxt, 10) })
	add("data,FIN,new ACK", func(x *situation) { x.arrive(wire.ACK|wire.FIN, x.rcv, x.nxt, 10) })
	add("data,URG,new ACK", func(x *situation) { x.arrive(wire.ACK|wire.URG, x.rcv, x.nxt, 10) })
	add("data without ACK", func(x *situation) { x.arrive(wire.PSH, x.rcv, 0, 10) })
	add("no flags", func(x *situation) { x.arrive(0, x.rcv, 0, 0) })
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
func outcome(t *testing.T, s tcb.State, e event) string {
	x := &situation{fixture: at(t, s, e.opts...)}
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
		b.WriteString(">" + letters[now])
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
	header := table["event"]
	for s := range tcb.State(tcb.NumStates) {
		if int(s) >= len(header) || header[s] != letters[s] {
			t.Fatalf("the columns are %v, and %v is not column %d", header, s, s)
		}
	}
	cells := 0
	for _, e := range events() {
		row := table[e.name]
		delete(table, e.name)
		if len(row) != tcb.NumStates {
			t.Errorf("%q has %d cells, of %d states", e.name, len(row), tcb.NumStates)
			row = append(row, make([]string, tcb.NumStates)...)
		}
		var actual []string
		for s := range tcb.State(tcb.NumStates) {
			t.Run(e.name+"/"+s.String(), func(t *testing.T) {
				got := outcome(t, s, e)
				actual = append(actual, got)
				if got != row[s] {
					t.Errorf("%s, want %s", got, row[s])
				}
			})
			cells++
		}
		if t.Failed() {
			t.Logf("%-26s| %s", e.name, strings.Join(actual, " "))
		}
	}
	delete(table, "event")
	for name := range table {
		t.Errorf("no event %q", name)
	}
	t.Logf("%d cells", cells)
}
