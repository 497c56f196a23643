package trial_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

const (
	ms       = time.Millisecond
	transit  = 1200 * time.Microsecond // what a packet takes on the cable, if it does not matter
	discard  = 9
	longWait = 1000 * time.Hour
)

// lab is a world in which an experiment of the book is made, with a tcpdump
// that sees each packet as it is put on the cable.
type lab struct {
	*world
	t      *testing.T
	cable  *link.Link
	lister *trace.Lister
	seen   []packet            // since want was last called
	states map[string][]string // of each host's connections, in their order
	drops  []fmt.Stringer      // why packets were dropped, on the link or in a host
	segs   []wire.Segment      // every TCP segment on the cable
	froms  []netip.AddrPort    // and who has sent it
	byName map[string]*host
	reads  []*reader             // programs that read
	addrs  map[netip.Addr]string // of hosts that are in the book
}

// packet is one line of the listing.
type packet struct {
	at, delta time.Duration
	line      string
}

// inBook lists the hosts of the book: where they are, and what system they run.
var inBook = []struct{ name, addr, profile string }{
	{"bsdi", "140.252.13.35/27", "bsd"},
	{"sun", "140.252.13.33/27", "sunos"},
	{"svr4", "140.252.13.34/27", "svr4"},
	{"slip", "140.252.13.65/27", "bsd"},
	{"solaris", "140.252.1.32/24", "solaris"},
	{"vangogh", "128.32.130.2/24", "bsd"},
}

// newLab returns a lab with a cable on which a packet takes delay.
func newLab(t *testing.T, delay time.Duration) *lab {
	l := makeLab(t)
	// Everybody has the addresses of everybody: no ARP is seen.
	l.cable = l.net.Link("cable", link.LinkOptions{PointToPoint: true, Conditions: link.Conditions{Delay: delay}})
	return l
}

func makeLab(t *testing.T) *lab {
	l := &lab{
		world: newWorld(1), t: t, states: map[string][]string{},
		byName: map[string]*host{}, addrs: map[netip.Addr]string{},
	}
	l.lister = trace.NewOldLister(trace.Listing{Names: trace.Names{Host: func(a netip.Addr) string { return l.addrs[a] }}})
	l.watch = append(l.watch, l.see)
	return l
}

// see is told of all that happens.
func (l *lab) see(e trace.Event) {
	switch e.Kind {
	case trace.State:
		l.states[e.Host] = append(l.states[e.Host], e.From, e.To)
		if !stateOf(e.From).CanBecome(stateOf(e.To)) {
			l.t.Errorf("%s: the diagram has no arrow from %s to %s", e.Host, e.From, e.To)
		}
	case trace.Dropped:
		l.drops = append(l.drops, e.Reason)
	case trace.Sent:
		l.segment(&e)
	}
	if line, ok := l.lister.Line(e); ok {
		p := packet{at: e.At, delta: e.At, line: strings.TrimSuffix(line, " (DF)")}
		if n := len(l.seen); n > 0 {
			p.delta -= l.seen[n-1].at
		}
		l.seen = append(l.seen, p)
	}
}

// segment keeps a segment that is put on the cable.
func (l *lab) segment(e *trace.Event) {
	src, dst, b, err := payload(e.Packet)
	if err == nil && b != nil {
		var s wire.Segment
		if why := s.Decode(b); why != wire.OK && e.Host != "" {
			l.t.Errorf("a segment goes out with %v", why)
		}
		// e.Host is "" of what has been made by hand.
		if sum := plainSum(src, dst, b); sum != 0xffff && e.Host != "" {
			l.t.Errorf("a segment goes out whose sum is %#04x", sum)
		}
		s.Payload = slices.Clone(s.Payload)
		s.Options.Raw = slices.Clone(s.Options.Raw)
		l.segs = append(l.segs, s)
		l.froms = append(l.froms, netip.AddrPortFrom(src, s.SrcPort))
	}
}

// add adds a host of the book to the cable, with settings beside those of its
// system.
func (l *lab) add(name string, settings ...string) *host {
	l.t.Helper()
	for _, b := range inBook {
		if b.name == name {
			return l.addAs(name, b.profile, settings...)
		}
	}
	l.t.Fatalf("%s is not in the book", name)
	return nil
}

// addAs adds it with another system.
func (l *lab) addAs(name, prof string, settings ...string) *host {
	l.t.Helper()
	h, err := l.host(name, prof, uint64(len(l.hosts)+1), settings...)
	l.ok(err)
	l.byName[name] = h
	for _, b := range inBook {
		if b.name == name && l.cable != nil {
			l.attach(h, l.cable, b.addr)
		}
	}
	return h
}

// attach gives a host an interface.
func (l *lab) attach(h *host, to *link.Link, addr string) *link.Port {
	p := netip.MustParsePrefix(addr)
	l.addrs[p.Addr()] = h.node.Name()
	return h.node.Attach(to, "le"+strconv.Itoa(len(h.node.Addresses())), p)
}

// gateway has two hosts take one another for one that is on another network.
func (l *lab) gateway(hosts ...*host) {
	for _, h := range hosts {
		h.node.AddRoute(link.Route{To: prefix("0.0.0.0/0"), Gateway: h.addr(rawtcp.IPv4).Next()})
	}
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil && !errors.Is(err, rawtcp.ErrWouldBlock) {
		l.t.Fatalf("%v: %v\n%s", l.now, err, l.listing())
	}
}

// wantErr fails unless err is the one that is wanted.
func (l *lab) wantErr(err, want error) {
	l.t.Helper()
	if !errors.Is(err, want) {
		l.t.Fatalf("%v: the error is %v, not %v\n%s", l.now, err, want, l.listing())
	}
}

// step is that of the world; then the programs that read do so.
func (l *lab) step(end time.Duration) bool {
	ok := l.world.step(end)
	for _, r := range l.reads {
		r.read(l.now)
	}
	return ok
}

// run lets d pass.
func (l *lab) run(d time.Duration) {
	l.t.Helper()
	l.to(l.now + d)
}

// to lets time pass up to an instant.
func (l *lab) to(end time.Duration) {
	l.t.Helper()
	for n := 0; l.step(end); n++ {
		if n > 1_000_000 || l.fault != nil {
			l.t.Fatalf("it never ends: %v", l.fault)
		}
	}
	l.now = end
}

// rest lets pass all that is under way, until nothing more will happen.
func (l *lab) rest() {
	l.t.Helper()
	l.to(1000 * time.Hour)
}

// listing is what the tcpdump has seen since want was last called.
func (l *lab) listing() string {
	var b strings.Builder
	for _, p := range l.seen {
		fmt.Fprintf(&b, "%.6f (%.4f) %s\n", p.at.Seconds(), p.delta.Seconds(), p.line)
	}
	return b.String()
}

// nopsAndStamps are the options that every segment of a modern system has.
var nopsAndStamps = regexp.MustCompile(` <nop,nop,timestamp \d+ \d+>`)

// want fails unless the packets since the last call are these. A line may begin
// with the time, "5.81 ", or the time since the packet before, "+5.8148 ", as
// exactly as it is written. Timestamps outside a SYN are not looked at.
func (l *lab) want(lines ...string) {
	l.t.Helper()
	seen := l.seen
	for i, want := range lines {
		if i >= len(seen) {
			l.t.Fatalf("%d packets, not %d: missing is\n%s\nof\n%s", len(seen), len(lines), want, l.listing())
		}
		got := nopsAndStamps.ReplaceAllString(seen[i].line, "")
		if first, rest, _ := strings.Cut(want, " "); strings.ContainsRune("+0123456789", rune(want[0])) {
			at, prefix := seen[i].at, ""
			if first[0] == '+' {
				at, prefix = seen[i].delta, "+"
			}
			_, digits, _ := strings.Cut(first, ".")
			want = rest
			if s := prefix + strconv.FormatFloat(at.Seconds(), 'f', len(digits), 64); s != first {
				l.t.Errorf("packet %d is at %s, not %s: %s", i+1, s, first, got)
			}
		}
		if got != want {
			l.t.Errorf("packet %d is\n%s\nand not\n%s", i+1, got, want)
		}
	}
	if len(seen) > len(lines) {
		l.t.Errorf("%d packets, not %d", len(seen), len(lines))
	}
	if l.t.Failed() {
		l.t.Fatalf("%v: all of it:\n%s", l.now, l.listing())
	}
	l.seen = nil
}

// skip forgets what the tcpdump has seen.
func (l *lab) skip() { l.seen = nil }

// wantStates fails unless the connections of a host have gone through these
// states, "CLOSED SYN_SENT ESTABLISHED", since the last call.
func (l *lab) wantStates(h *host, want string) {
	l.t.Helper()
	var path []string
	for i, s := range l.states[h.opts.Host] {
		if i%2 == 1 || len(path) == 0 || path[len(path)-1] != s {
			path = append(path, s)
		}
	}
	if got := strings.Join(path, " "); got != want {
		l.t.Errorf("%s went through\n%s, not\n%s", h.opts.Host, got, want)
	}
	delete(l.states, h.opts.Host)
}

// wantState fails unless a socket is in a state.
func (l *lab) wantState(k *rawtcp.Socket, want tcb.State) {
	l.t.Helper()
	if got := k.State(); got != want {
		l.t.Fatalf("%v: %v, not %v\n%s", l.now, got, want, l.listing())
	}
}

// wantRows fails unless netstat prints these rows, newest first:
// "140.252.13.33.7777 *.* LISTEN".
func (l *lab) wantRows(h *host, want ...string) {
	l.t.Helper()
	var rows []string
	for _, r := range h.Netstat(l.now) {
		rows = append(rows, dotted(r.Local)+" "+dotted(r.Remote)+" "+r.State.String())
	}
	if !slices.Equal(rows, want) {
		l.t.Fatalf("%v: netstat on %s prints\n%s\nand not\n%s", l.now, h.opts.Host, strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}

// dotted returns a socket as netstat prints it.
func dotted(a netip.AddrPort) string {
	host, port := "*", "*"
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		host = a.Addr().String()
	}
	if a.Port() != 0 {
		port = strconv.Itoa(int(a.Port()))
	}
	return host + "." + port
}

// wantEmpty fails unless a host has forgotten all connections.
func (l *lab) wantEmpty(hosts ...*host) {
	l.t.Helper()
	for _, h := range hosts {
		l.wantRows(h)
		if d, ok := h.NextDeadline(); ok {
			l.t.Errorf("%s has a deadline at %v", h.opts.Host, d)
		}
	}
}

// at returns a socket of the host.
func (h *host) at(port uint16) netip.AddrPort { return netip.AddrPortFrom(h.addr(rawtcp.IPv4), port) }

func (l *lab) bound(h *host, a netip.AddrPort, options ...rawtcp.Option) *rawtcp.Socket {
	l.t.Helper()
	k := h.Socket(rawtcp.IPv4)
	for _, o := range options {
		l.ok(k.Set(l.now, o, 1))
	}
	l.ok(k.Bind(l.now, a))
	return k
}

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func anyAddr(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.Addr{}, port) }

// listen is "sock -s port", and with ReuseAddr "sock -s -A port".
func (l *lab) listen(h *host, port uint16, options ...rawtcp.Option) *rawtcp.Socket {
	l.t.Helper()
	k := l.bound(h, anyAddr(port), options...)
	l.ok(k.Listen(l.now, 5))
	return k
}

// dial is "sock to port".
func (l *lab) dial(h, to *host, port uint16) *rawtcp.Socket {
	l.t.Helper()
	k := h.Socket(rawtcp.IPv4)
	l.ok(k.Connect(l.now, to.at(port)))
	return k
}

// dialFrom is "sock -b from to port".
func (l *lab) dialFrom(h *host, from uint16, to *host, port uint16, options ...rawtcp.Option) *rawtcp.Socket {
	l.t.Helper()
	k := l.bound(h, anyAddr(from), options...)
	l.ok(k.Connect(l.now, to.at(port)))
	return k
}

// accept waits up to a minute for a connection.
func (l *lab) accept(k *rawtcp.Socket) *rawtcp.Socket {
	l.t.Helper()
	for end := l.now + time.Minute; !k.CanRead() && l.step(end); {
	}
	a, err := k.Accept(l.now)
	if err != nil {
		l.t.Fatalf("%v: nobody has come: %v\n%s", l.now, err, l.listing())
	}
	return a
}

// connection opens a connection from client to a server on a port and returns
// both ends. Its packets are skipped.
func (l *lab) connection(client, server *host, port uint16) (c, s *rawtcp.Socket) {
	l.t.Helper()
	k := l.listen(server, port)
	c = l.dial(client, server, port)
	s = l.accept(k)
	l.ok(k.Close(l.now))
	l.run(100 * time.Millisecond)
	l.wantState(c, tcb.Established)
	l.skip()
	return c, s
}

func (l *lab) write(k *rawtcp.Socket, text string) {
	l.t.Helper()
	n, err := k.Write(l.now, []byte(text))
	l.ok(err)
	if n != len(text) {
		l.t.Fatalf("%v: %d of %d bytes written", l.now, n, len(text))
	}
}

// read reads what is there, and returns the error that is behind it: io.EOF, or
// nil if there is more to come.
func (l *lab) read(k *rawtcp.Socket) (string, error) {
	var all []byte
	buf := make([]byte, 65536)
	for {
		n, err := k.Read(l.now, buf)
		all = append(all, buf[:n]...)
		switch {
		case errors.Is(err, rawtcp.ErrWouldBlock):
			return string(all), nil
		case err != nil:
			return string(all), err
		}
	}
}

// wantRead fails unless text is to be read, and then end, io.EOF or nil.
func (l *lab) wantRead(k *rawtcp.Socket, text string, end error) {
	l.t.Helper()
	got, err := l.read(k)
	if got != text || !errors.Is(err, end) {
		l.t.Fatalf("%v: read %d bytes %.40q and %v, not %d bytes %.40q and %v\n%s",
			l.now, len(got), got, err, len(text), text, end, l.listing())
	}
}

// wantEOF is wantRead of nothing but the end.
func (l *lab) wantEOF(k *rawtcp.Socket) {
	l.t.Helper()
	l.wantRead(k, "", io.EOF)
}

// reader is a program that reads whatever comes, at once.
type reader struct {
	k    *rawtcp.Socket
	text string
	end  error  // io.EOF, or why reading has failed
	then func() // is called once, at the end
}

// reader starts one.
func (l *lab) reader(k *rawtcp.Socket) *reader {
	r := &reader{k: k}
	l.reads = append(l.reads, r)
	return r
}

func (r *reader) read(now time.Duration) {
	buf := make([]byte, 4096)
	for r.end == nil && r.k.CanRead() {
		n, err := r.k.Read(now, buf)
		r.text += string(buf[:n])
		if errors.Is(err, rawtcp.ErrWouldBlock) {
			return
		}
		if err != nil {
			r.end = err
			if r.then != nil {
				r.then()
			}
		}
	}
}

// wantText fails unless the program has read text, and then end.
func (l *lab) wantText(r *reader, text string, end error) {
	l.t.Helper()
	if r.text != text || !errors.Is(r.end, end) {
		l.t.Fatalf("%v: read %d bytes %.40q and %v, not %d bytes %.40q and %v\n%s",
			l.now, len(r.text), r.text, r.end, len(text), text, end, l.listing())
	}
}

// inject puts a segment on the cable that nobody has sent.
func (l *lab) inject(from, to netip.AddrPort, flags wire.Flags, at, ack seq.Value, text string) {
	l.t.Helper()
	l.injectWindow(from, to, flags, at, ack, 4096, text)
}

func (l *lab) injectWindow(from, to netip.AddrPort, flags wire.Flags, at, ack seq.Value, window uint16, text string) {
	l.t.Helper()
	s := wire.Segment{
		SrcPort: from.Port(), DstPort: to.Port(), Seq: at, Ack: ack, Flags: flags, Window: window,
		Payload: []byte(text),
	}
	h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: from.Addr(), Dst: to.Addr()}
	b := s.AppendTo(h.AppendHeader(nil, s.WireLen()), from.Addr(), to.Addr(), wire.ChecksumFull)
	l.ok(l.cable.Inject(l.now, b, trace.Rule{Text: "by hand"}))
}

func (l *lab) rule(text string) {
	l.t.Helper()
	l.ok(l.net.Rule(text))
}

// systems runs an experiment once for each of three systems: that of the book,
// what the RFCs ask for, and Linux.
func systems(t *testing.T, f func(t *testing.T, prof string)) {
	for _, name := range []string{"bsd", "rfc9293", "linux"} {
		t.Run(name, func(t *testing.T) { f(t, name) })
	}
}
