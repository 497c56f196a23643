package rawtcp

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Options are what a Stack is made with.
type Options struct {
	Host    string           // its name, in a trace
	Profile *profile.Profile // how its system does TCP; nil for the default
	// Seed decides all that is left to chance: the secret of the initial
	// sequence numbers, the offset of timestamps, random ports.
	Seed uint64
	Boot time.Duration // when the host was booted
	// BootOnUse has the clocks of initial sequence numbers and of timestamps
	// begin with the first connection, whenever that is: in real time too its
	// numbers go by the Seed alone.
	BootOnUse bool
	Sink      trace.Sink // is told of calls, states, timers and drops; may be nil
	// Ports are those of another TCP on the same addresses; nil if there is none.
	Ports Ports
}

// Stack is the TCP of one host.
type Stack struct {
	ip         link.IP
	segmenter  link.Segmenter // the same, or nil
	prof       *profile.Profile
	cfg        *tcb.Config // of prof
	name       string
	sink       trace.Sink
	boot       time.Duration // when the host was booted
	bootOnUse  bool          // that will be the time of the first connection
	quietUntil time.Duration
	holding    bool

	secret [16]byte // of initial sequence numbers and of timestamps
	isn    *tcb.ISNSource
	chance *rand.Rand
	ipID   uint16
	ports  Ports  // of another TCP, or nil
	port   uint16 // the ephemeral port given last
	nextID uint64

	conns map[pair]*conn
	heap  deadlines
	late  []*conn // have something to send after Hold
	spare []*conn // nobody's
	waits waiters
	bound map[uint16][]*Socket
	held  counters // how many connections have a local port, TIME_WAIT included
	stats Stats

	// What Receive decodes into, so that it allocates nothing.
	in4 wire.IPv4
	in6 wire.IPv6
	in  wire.Segment
	out wire.Segment

	packet []byte // that is being received, for a trace
	cause  string // what the user has called, for a trace; "" for a packet or a timer
}

// New returns the TCP of a host that sends through ip. Whoever has ip is to
// call Receive with what arrives.
func New(ip link.IP, o Options) *Stack {
	if o.Profile == nil {
		o.Profile, _ = profile.Get("")
	}
	s := &Stack{
		ip: ip, prof: o.Profile, cfg: &o.Profile.TCP, name: o.Host, sink: o.Sink,
		boot:       o.Boot,
		bootOnUse:  o.BootOnUse,
		ports:      o.Ports,
		quietUntil: o.Boot + o.Profile.QuietTime,
		chance:     rand.New(rand.NewPCG(o.Seed, 0)),
		conns:      map[pair]*conn{},
		bound:      map[uint16][]*Socket{},
	}
	s.segmenter, _ = ip.(link.Segmenter)
	s.waits.init()
	binary.LittleEndian.PutUint64(s.secret[:], s.chance.Uint64())
	binary.LittleEndian.PutUint64(s.secret[8:], s.chance.Uint64())
	s.isn = tcb.NewISNSource(s.prof.ISN, o.Boot, s.secret)
	return s
}

// use begins the clocks if they begin with the connection that is opened now.
func (s *Stack) use(now time.Duration) {
	if s.bootOnUse {
		s.bootOnUse, s.boot = false, now
		s.isn = tcb.NewISNSource(s.prof.ISN, now, s.secret)
	}
}

// Profile returns how the host does TCP. It must not be changed.
func (s *Stack) Profile() *profile.Profile { return s.prof }

// NextDeadline returns when Advance is due, and false if nothing is under way.
func (s *Stack) NextDeadline() (time.Duration, bool) {
	c, w := s.heap.top(), s.waits.first()
	switch {
	case c == nil && w == nil:
		return 0, false
	case c == nil || w != nil && w.Deadline < c.due:
		return w.Deadline, true
	}
	return c.due, true
}

// Advance runs what is due by now.
func (s *Stack) Advance(now time.Duration) {
	for c := s.heap.top(); c != nil && c.due <= now; c = s.heap.top() {
		if c.wake != never && c.wake <= now {
			c.wake = never
			if c.opening {
				s.open(now, c) // the quiet time is over
			}
		}
		c.tcb.Tick(now)
		s.settle(now, c)
	}
	s.expire(now)
}

// settle follows whatever may have changed a connection: it sends what there is
// to send, and moves the connection to where its new state belongs.
func (s *Stack) settle(now time.Duration, c *conn) {
	if c.known && !s.holds(c) {
		s.output(now, c)
	}
	s.cause = ""
	state := c.tcb.State()
	if c.parent != nil {
		s.settleChild(c, state)
	}
	switch {
	case !c.known: // it has ended, or another incarnation has its place
	case state == tcb.Closed && !c.opening:
		s.leave(c)
		if c.sock != nil && !c.sock.closed {
			c.sock.err = c.tcb.Err()
		}
	case state == tcb.TimeWait && c.sock == nil && c.parent == nil:
		s.wait(c)
		s.leave(c)
	default:
		s.heap.update(c)
	}
	switch {
	case c.sock != nil:
		c.sock.changed()
	case !c.known && c.parent == nil && !c.late:
		s.recycle(c) // nobody has it
	}
}

// output sends what a connection has to send.
func (s *Stack) output(now time.Duration, c *conn) {
	for c.tcb.Output(now, &s.out) {
		why := c.tcb.LastRule()
		s.count(why)
		if size := c.tcb.SegmentSize(); size > 0 {
			s.sendSegmented(now, c, size, why)
			continue
		}
		s.send(now, c.local.Addr(), c.remote.Addr(), c.ttl, c.tos, &s.out, why)
	}
}

// send puts a segment into a packet and the packet on its way.
func (s *Stack) send(now time.Duration, src, dst netip.Addr, ttl, tos uint8, seg *wire.Segment, why tcb.Rule) {
	s.stats.SegmentsOut++
	packet := s.appendIP(s.ip.Buffer(), src, dst, ttl, tos, seg.WireLen())
	packet = seg.AppendTo(packet, src, dst, s.ip.Checksums().Send)
	s.sent(s.ip.Send(now, packet, ruleOf(why)))
}

// sendSegmented sends the segment in s.out, which the device is to cut.
func (s *Stack) sendSegmented(now time.Duration, c *conn, size int, why tcb.Rule) {
	s.stats.SegmentsOut += uint64((len(s.out.Payload) + size - 1) / size)
	src, dst := c.local.Addr(), c.remote.Addr()
	header := s.appendIP(s.ip.Buffer(), src, dst, c.ttl, c.tos, s.out.WireLen())
	header = s.out.AppendHeader(header, src, dst)
	s.sent(s.segmenter.SendSegmented(now, header, s.out.Payload, size, ruleOf(why)))
}

// sent notes what has become of a packet. One that the network does not take is
// lost, as any other that gets lost.
func (s *Stack) sent(err error) {
	if err != nil {
		s.stats.SendErrors++
	}
}

func ruleOf(why tcb.Rule) trace.Rule { return trace.Rule{Text: why.String(), RFC: why.Section()} }

// appendIP appends the IP header of a packet with a segment of n bytes.
func (s *Stack) appendIP(buf []byte, src, dst netip.Addr, ttl, tos uint8, n int) []byte {
	if dst.Is4() {
		s.ipID++
		h := wire.IPv4{
			TOS: tos, ID: s.ipID, DF: s.cfg.PathMTU, TTL: ttl,
			Protocol: wire.ProtoTCP, Src: src, Dst: dst,
		}
		return h.AppendHeader(buf, n)
	}
	h := wire.IPv6{TrafficClass: tos, HopLimit: ttl, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
	return h.AppendHeader(buf, n)
}

// refuse answers the segment that has come in and that nobody wants.
func (s *Stack) refuse(now time.Duration, local, remote netip.Addr) {
	if why := tcb.Refuse(&s.in, &s.out); why != tcb.NoRule {
		s.reset(now, local, remote, why)
	}
}

// reset sends the RST that Refuse has made.
func (s *Stack) reset(now time.Duration, local, remote netip.Addr, why tcb.Rule) {
	s.stats.ResetsOut++
	s.send(now, local, remote, s.prof.TTL, s.prof.TOS, &s.out, why)
}

// hash is a number about a pair that nobody can guess. salt tells what it is
// for.
func (s *Stack) hash(p *pair, salt uint64) uint64 {
	return s.isn.Hash(binary.BigEndian.AppendUint64(p.bytes(), salt))
}
