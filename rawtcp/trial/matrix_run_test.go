package trial_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
)

// run is one connection over a bad link, from the SYN to the end of TIME_WAIT.
type run struct {
	*world
	wire      *link.Link
	inspector *inspector
	users     [2]*user
	listener  *rawtcp.Socket
	accepting bool
	early     bool // the listening socket is closed once it has been accepted
	report    report
}

// report is what a run has taken, or many have.
type report struct {
	runs     int
	bytes    int
	time     time.Duration // until both users had closed
	segments uint64
	again    uint64 // segments sent again
	timeouts uint64 // those of them because of the timer
	probes   uint64 // of a window
	bad      uint64 // segments with a wrong checksum that have arrived
}

func (r *report) add(o report) {
	r.runs += o.runs
	r.bytes += o.bytes
	r.time += o.time
	r.segments += o.segments
	r.again += o.again
	r.timeouts += o.timeouts
	r.probes += o.probes
	r.bad += o.bad
}

// patience is how long a connection may take, in virtual time. Nobody gives up
// in these runs, so it must end, but a timeout may have doubled many times.
const patience = 30 * 24 * time.Hour

// newRun makes the run of a cell with two profiles. Everything that is left to
// chance goes by seed.
func newRun(c cell, profiles [2]string, seed uint64) (*run, error) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	r := &run{world: newWorld(seed)}
	r.wire = r.net.Link("wire", link.LinkOptions{
		MTU:          []int{296, 576, 1500, 1500, 9000}[rnd.IntN(5)],
		PointToPoint: true, // a damaged ARP packet would be believed
		Conditions:   c.conditions(),
	})
	for n, name := range profiles {
		h, err := r.host([]string{"client", "server"}[n], name, seed+uint64(n),
			// Nobody gives up, so that every run has the same end.
			"retries=255", "syn-retries=-1", "synack-retries=-1", "connect-timeout=0",
			fmt.Sprintf("rcvbuf=%d", c.buffer), fmt.Sprintf("sndbuf=%d", c.buffer))
		if err != nil {
			return nil, err
		}
		four := netip.AddrFrom4([4]byte{10, 0, 0, byte(n + 1)})
		six := netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(n + 1)})
		h.node.Attach(r.wire, "sl0", netip.PrefixFrom(four, 24), netip.PrefixFrom(six, 64))
		r.users[n] = &user{
			end: n, rnd: rnd, total: rnd.IntN(c.most() + 1), buf: make([]byte, 1+rnd.IntN(2*c.buffer)),
			lazy: rnd.IntN(4) == 0, urgent: rnd.IntN(6) == 0, eager: rnd.IntN(3) == 0,
		}
	}
	a, b := r.users[0], r.users[1]
	if rnd.IntN(10) == 0 {
		a.total = 0
	}
	a.expect, b.expect = b.total, a.total
	end := ending(rnd.IntN(int(numEndings)))
	a.waits, b.waits = end == serverFirst, end == clientFirst
	r.early = rnd.IntN(2) == 0
	family := []rawtcp.Family{rawtcp.IPv4, rawtcp.IPv4, rawtcp.IPv6}[rnd.IntN(3)]
	return r, r.open(family, rnd.IntN(5) == 0, rnd.IntN(2) == 0)
}

// open makes the sockets and begins the handshake. With both, both ends
// connect at once.
func (r *run) open(f rawtcp.Family, both, noDelay bool) error {
	const clientPort, serverPort = 1025, 7
	client, server := r.hosts[0], r.hosts[1]
	at := [2]netip.AddrPort{
		netip.AddrPortFrom(client.addr(f), clientPort), netip.AddrPortFrom(server.addr(f), serverPort),
	}
	r.inspector = newInspector(at[0], at[1], textByte)
	r.watch = append(r.watch, r.inspector.event)
	for n, h := range r.hosts {
		k := h.Socket(f)
		err := errors.Join(
			k.Set(0, rawtcp.Inline, 1), k.Set(0, rawtcp.NoDelay, btoi(noDelay)),
			k.Bind(0, netip.AddrPortFrom(netip.Addr{}, at[n].Port())),
		)
		if err != nil {
			return err
		}
		if n == 1 && !both {
			r.listener, r.accepting = k, true
			k.OnChange(func() { r.accepting = true })
			if err := k.Listen(0, 5); err != nil {
				return err
			}
			continue
		}
		r.users[n].attach(k)
	}
	// Who listens must do so first.
	for n, u := range r.users {
		if u.sock == nil {
			continue
		}
		if err := u.sock.Connect(0, at[1-n]); !errors.Is(err, rawtcp.ErrWouldBlock) {
			return fmt.Errorf("connect: %w", err)
		}
	}
	return nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// run runs until both users have closed, and then until nothing is left.
func (r *run) run() error {
	for n := 0; ; n++ {
		if n > 300_000 {
			return errors.New("stuck: no end of events")
		}
		if err := errors.Join(r.act(), r.check()); err != nil {
			return err
		}
		if r.users[0].close && r.users[1].close {
			break
		}
		if err := r.move(); err != nil {
			return err
		}
	}
	r.report = report{runs: 1, bytes: r.users[0].total + r.users[1].total, time: r.now}
	if err := r.stopListening(); err != nil {
		return err
	}
	for r.step(patience) {
		if err := r.check(); err != nil {
			return err
		}
	}
	return r.nothingLeft()
}

// act lets the users do what they can.
func (r *run) act() error {
	if r.accepting {
		r.accepting = false
		if err := r.accept(); err != nil {
			return err
		}
	}
	for again := true; again; {
		again = false
		for _, u := range r.users {
			did, err := u.act(r.now)
			if err != nil {
				return err
			}
			again = again || did
		}
	}
	return nil
}

func (r *run) accept() error {
	k, err := r.listener.Accept(r.now)
	switch {
	case errors.Is(err, rawtcp.ErrWouldBlock):
		return nil
	case err != nil:
		return fmt.Errorf("accept: %w", err)
	case r.users[1].sock != nil:
		return errors.New("an old SYN has opened a second connection")
	}
	r.users[1].attach(k)
	if r.early {
		return r.stopListening()
	}
	return nil
}

func (r *run) stopListening() error {
	if r.listener == nil {
		return nil
	}
	k := r.listener
	r.listener = nil
	k.OnChange(nil)
	return k.Close(r.now)
}

// move goes on to what happens next: on the link, in a host, or with a user.
func (r *run) move() error {
	next, ok := r.next()
	for _, u := range r.users {
		if u.wake != 0 && !u.close && (!ok || u.wake < next) {
			next, ok = u.wake, true
		}
	}
	switch {
	case !ok:
		return fmt.Errorf("stuck: there is no deadline anywhere; %v, %v", r.users[0], r.users[1])
	case next > patience:
		return fmt.Errorf("stuck: nothing but deadlines after %v", patience)
	case !r.step(next):
		r.now = next
	}
	return nil
}

// check looks at the connection from both sides.
func (r *run) check() error {
	if err := errors.Join(r.fault, r.inspector.err); err != nil {
		return err
	}
	var in [2]tcb.Info
	for n, u := range r.users {
		if u.sock == nil || u.close {
			return nil
		}
		in[n] = u.sock.Info()
		if err := checkInfo(&in[n], &r.hosts[n].Profile().TCP); err != nil {
			return fmt.Errorf("end %d in %v: %w", n, in[n].State, err)
		}
	}
	for n := range in {
		a, b := &in[n], &in[1-n]
		if !a.State.Synchronized() || !b.State.Synchronized() {
			continue
		}
		// What one end knows of the other is true, if not up to date.
		if b.RcvNxt.Less(a.SndUna) || a.SndNxt.Less(b.RcvNxt) {
			return fmt.Errorf("end %d: una %d and nxt %d, and the other has received up to %d", n, a.SndUna, a.SndNxt, b.RcvNxt)
		}
	}
	return nil
}

// checkInfo checks the variables of one end.
func checkInfo(in *tcb.Info, cfg *tcb.Config) error {
	room := in.RecvBuffer + cfg.StreamHead
	if cfg.Window == tcb.WindowMemory {
		// All of the memory may come to be data, and a window is rounded up.
		room = max(2*in.RecvBuffer, 2304) + 1<<in.RcvShift
	}
	rexmt, persist := in.Timers[tcb.TimerRexmt] >= 0, in.Timers[tcb.TimerPersist] >= 0
	switch {
	case in.State == tcb.Closed:
		return nil
	case in.SndNxt.Less(in.SndUna):
		return fmt.Errorf("una %d, nxt %d", in.SndUna, in.SndNxt)
	case in.SndUna.Less(in.ISS):
		return fmt.Errorf("una %d, iss %d", in.SndUna, in.ISS)
	case in.SendQueued > in.SendBuffer || in.RecvQueued+in.OutOfOrder > room:
		return fmt.Errorf("%d and %d+%d bytes in buffers of %d and %d",
			in.SendQueued, in.RecvQueued, in.OutOfOrder, in.SendBuffer, in.RecvBuffer)
	case rexmt && persist:
		return errors.New("the retransmission and the persist timer are both set")
	case in.State == tcb.TimeWait:
		return nil
	case in.SndUna != in.SndNxt && !rexmt && !persist:
		return fmt.Errorf("una %d, nxt %d, and no timer", in.SndUna, in.SndNxt)
	case in.Unsent > 0 && in.State.Synchronized() && !rexmt && !persist:
		return fmt.Errorf("%d bytes unsent, and no timer", in.Unsent)
	}
	return nil
}

// nothingLeft checks that the hosts have forgotten all about the connection.
func (r *run) nothingLeft() error {
	if next, ok := r.next(); ok {
		return fmt.Errorf("a deadline is left, at %v", next)
	}
	if s := r.wire.Stats(); s.Pending != 0 || s.In+s.Duplicated != s.Delivered+s.Dropped {
		return fmt.Errorf("the link has lost count: %+v", s)
	}
	for n, h := range r.hosts {
		if rows := h.Netstat(r.now); len(rows) > 0 {
			return fmt.Errorf("%s: left: %+v", h.node.Name(), rows)
		}
		s := h.Stats()
		r.report.segments += s.SegmentsOut
		r.report.again += s.Retransmits
		r.report.timeouts += s.Timeouts
		r.report.probes += s.WindowProbes
		r.report.bad += s.BadChecksums
		if u := r.users[n]; u.got != u.expect || u.sent != u.total {
			return fmt.Errorf("end %d has got %d of %d bytes, and sent %d of %d", n, u.got, u.expect, u.sent, u.total)
		}
	}
	return nil
}

// lastLines runs a run again that has failed, and returns the end of its
// trace.
func lastLines(c cell, profiles [2]string, seed uint64) string {
	r, err := newRun(c, profiles, seed)
	if err != nil {
		return err.Error()
	}
	lister := trace.NewOldLister(trace.Listing{
		Times: trace.BookTimes,
		See:   func(e *trace.Event) bool { return e.Kind == trace.Sent || e.Kind == trace.Dropped },
	})
	var lines []string
	r.watch = slices.Insert(r.watch, 0, func(e trace.Event) {
		switch line, ok := lister.Line(e); {
		case ok && e.Kind == trace.Dropped:
			lines = append(lines, line+" DROPPED: "+e.Reason.String())
		case ok:
			lines = append(lines, line+" ("+e.Rule.Text+")")
		case e.Kind == trace.State:
			lines = append(lines, fmt.Sprintf("%v %s: %s -> %s (%s)", e.At, e.Host, e.From, e.To, e.Text))
		case e.Kind == trace.TimerFired:
			lines = append(lines, fmt.Sprintf("%v %s: timer %s", e.At, e.Host, e.Name))
		}
		if len(lines) > 400 {
			lines = slices.Delete(lines, 0, 300)
		}
	})
	err = r.run()
	if len(lines) > 60 {
		lines = lines[len(lines)-60:]
	}
	return strings.Join(lines, "\n") + "\n" + fmt.Sprint(err)
}
