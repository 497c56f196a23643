package onkernel

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// watch feeds an onlooker with what svr4 sends (">") and receives ("<"), and
// returns the states that it tells. A segment is its flags, its sequence number,
// its ACK and its length; "table STATE" is what the kernel's table says, twice.
func watch(t *testing.T, script string) string {
	t.Helper()
	svr4, bsdi := netip.MustParseAddrPort("10.0.0.1:1037"), netip.MustParseAddrPort("10.0.0.2:9")
	var told []string
	o := &onlooker{host: "svr4", tell: func(e trace.Event) {
		if len(told) == 0 {
			told = append(told, e.From)
		}
		told = append(told, e.To)
	}}
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		now := time.Duration(i) * time.Second
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "table" {
			var rows []Row
			if len(f) > 1 {
				rows = []Row{{Local: svr4, Remote: bsdi, State: f[1]}}
			}
			for range doubts {
				o.compare(now, rows)
			}
			continue
		}
		s := wire.Segment{Window: 4096, Seq: seq.Value(number(t, f[2])), Ack: seq.Value(number(t, f[3])), Payload: make([]byte, number(t, f[4]))}
		for _, c := range f[1] {
			s.Flags |= map[rune]wire.Flags{'S': wire.SYN, '.': wire.ACK, 'F': wire.FIN, 'R': wire.RST}[c]
		}
		from, to, look := svr4, bsdi, o.sent
		if f[0] == "<" {
			from, to, look = bsdi, svr4, o.received
		}
		s.SrcPort, s.DstPort = from.Port(), to.Port()
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: from.Addr(), Dst: to.Addr()}
		h.Payload = s.AppendTo(nil, h.Src, h.Dst, wire.ChecksumFull)
		look(now, h.AppendTo(nil))
	}
	return strings.Join(told, " ")
}

func number(t *testing.T, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// TestOnlooker: the paths through the diagram of RFC 9293, figure 5.
func TestOnlooker(t *testing.T) {
	const open = `
> S  100   0 0
< S. 300 101 0
> .  101 301 0
`
	const opened = `
< S  300   0 0
> S. 100 301 0
< .  301 101 0
`
	for _, test := range []struct{ name, script, want string }{
		{"active open, active close", open + `
> F. 101 301 0
< .  301 102 0
< F. 301 102 0
> .  102 302 0
table TIME_WAIT
table`, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED"},
		{"ACK and FIN in one segment", open + `
> F. 101 301 0
< F. 301 102 0`, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 TIME_WAIT"},
		{"passive open, passive close", opened + `
< F. 301 101 0
> .  101 302 0
> F. 101 302 0
< .  302 102 0`, "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"},
		{"simultaneous open", `
> S  100   0 0
< S  300   0 0
> S. 100 301 0
< S. 300 101 0`, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED"},
		{"simultaneous close", open + `
> F. 101 301 0
< F. 301 101 0
> .  102 302 0
< .  302 102 0`, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT"},
		{"refused", `
> S  100   0 0
< R.   0 101 0`, "CLOSED SYN_SENT CLOSED"},
		{"a RST that is not about this SYN", `
> S  100   0 0
< R.   0  99 0`, "CLOSED SYN_SENT"},
		{"given up", `
> S  100   0 0
> S  100   0 0
table`, "CLOSED SYN_SENT CLOSED"},
		{"reset", open + `< R 301 0 0`, "CLOSED SYN_SENT ESTABLISHED CLOSED"},
		{"a RST that is not the next", open + `< R 399 0 0`, "CLOSED SYN_SENT ESTABLISHED"},
		{"aborted", open + `> R. 101 301 0`, "CLOSED SYN_SENT ESTABLISHED CLOSED"},
		{"SYN_RCVD and a RST", `
< S  300   0 0
> S. 100 301 0
< R  301   0 0`, "LISTEN SYN_RCVD CLOSED"},
		{"a FIN before the data that it is behind", open + `
< F. 311 101 0
> .  101 301 0
< .  301 101 10
> .  101 312 0`, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT"},
		{"a FIN that comes twice", open + `
< F. 301 101 0
< F. 301 101 0`, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT"},
		{"a new incarnation", opened + `
> F. 101 301 0
< F. 301 102 0
< S  900   0 0
> S. 700 901 0`, "LISTEN SYN_RCVD ESTABLISHED FIN_WAIT_1 TIME_WAIT CLOSED SYN_RCVD"},
		{"a segment of nobody", `< . 1 1 0`, ""},
		{"the kernel has another opinion", open + `table CLOSE_WAIT`, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT"},
	} {
		if got := watch(t, test.script); got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestDoubts: what the table says once may be older than what has passed.
func TestDoubts(t *testing.T) {
	states := 0
	o := &onlooker{tell: func(trace.Event) { states++ }}
	p := pair{netip.MustParseAddrPort("10.0.0.1:1037"), netip.MustParseAddrPort("10.0.0.2:9")}
	o.begin(0, p, closed, synSent, "", 1)
	for range 10 {
		o.compare(0, nil)
		o.compare(0, []Row{{Local: p.local, Remote: p.remote, State: synSent}})
	}
	if states != 1 {
		t.Errorf("%d changes of state, want 1", states)
	}
}

// TestListeners: they come and go with the table.
func TestListeners(t *testing.T) {
	var told []string
	o := &onlooker{tell: func(e trace.Event) { told = append(told, e.Local.String()+" "+e.To) }}
	a, b := Row{Local: netip.MustParseAddrPort("0.0.0.0:7"), State: listen}, Row{Local: netip.MustParseAddrPort("0.0.0.0:9"), State: listen}
	o.compare(0, []Row{a})
	o.compare(0, []Row{b, a, a})
	o.compare(0, []Row{b})
	if got, want := strings.Join(told, ", "), "0.0.0.0:7 LISTEN, 0.0.0.0:9 LISTEN, 0.0.0.0:7 CLOSED"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
