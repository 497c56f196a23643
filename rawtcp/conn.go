package rawtcp

import (
	"net/netip"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
)

// conn is a connection, with its machine.
type conn struct {
	tcb           tcb.TCB
	id            uint64
	pair          pair
	local, remote netip.AddrPort
	sock          *Socket // nil before accept, and after the user has closed
	parent        *Socket // the listening socket that has it in a queue
	iss           seq.Value
	ttl, tos      uint8
	completed     bool // in parent's queue for accept
	reuseAddr     bool
	reusePort     bool
	opening       bool // waits for the end of the quiet time
	lingers       bool // the user waits in close
	known         bool // in the table
	late          bool // in late

	wake        time.Duration // when Advance is due, apart from the machine
	due, sorted time.Duration // see deadlines
	heap        int           // index there; -1 if not in it
}

// newConn makes the machine of a connection that is in no table yet, with the
// options of a socket.
func (s *Stack) newConn(local, remote netip.AddrPort, path link.Path, from *Socket) *conn {
	c := s.blank()
	c.id, c.pair, c.local, c.remote = s.nextID, pairOf(local, remote), local, remote
	c.wake, c.due, c.heap = never, never, -1
	s.nextID++
	p := tcb.Params{
		LocalPort: local.Port(), RemotePort: remote.Port(),
		MTU: path.MTU, IPHeader: 20, Local: path.OnLink || path.Self,
	}
	if !path.Self {
		p.Segmented = link.MaxSegmented(s.ip)
	}
	if remote.Addr().Is6() {
		p.IPHeader = 40
	}
	// 4.4BSD counts the ticks since it was booted, "timestamp 995351" after
	// almost six days (Fig 24-8).
	p.TSOffset = -uint32(s.boot / max(from.cfg.TSClock, 1))
	if s.prof.ISN.Keyed {
		// "It is RECOMMENDED to [...] generate per-connection timestamp
		// offsets" so that nobody learns how long the host has been up
		// (RFC 7323, section 5.4 and 7.1).
		p.TSOffset += uint32(s.hash(&c.pair, 0))
	}
	if s.sink != nil {
		p.Hook = func(e tcb.Event) { s.event(c, e) }
	}
	c.tcb.Init(from.cfg, p)
	from.applyTo(0, c)
	return c
}

// spares is how many connections that nobody has any more are kept for those to
// come, so that a server which has many short ones does not make garbage of each.
const spares = 256

func (s *Stack) blank() *conn {
	n := len(s.spare)
	if n == 0 {
		return new(conn)
	}
	c := s.spare[n-1]
	s.spare[n-1], s.spare = nil, s.spare[:n-1]
	return c
}

func (s *Stack) recycle(c *conn) {
	if len(s.spare) < spares {
		*c = conn{}
		s.spare = append(s.spare, c)
	}
}

// enter puts c into the table, and leave takes it out.
func (s *Stack) enter(c *conn) {
	c.known = true
	s.conns[c.pair] = c
	s.held.add(c.pair.lport, 1)
}

func (s *Stack) leave(c *conn) {
	if c.known {
		c.known = false
		delete(s.conns, c.pair)
		s.held.add(c.pair.lport, -1)
		s.releasePort(c.pair.lport)
	}
	s.heap.remove(c)
}

// wait keeps of c what TIME_WAIT needs.
func (s *Stack) wait(c *conn) {
	s.held.add(c.pair.lport, 1)
	s.waits.add(&waiter{
		TimeWaiter: c.tcb.TimeWaiter(), pair: c.pair, id: uint32(c.id),
		reuseAddr: c.reuseAddr, reusePort: c.reusePort,
	})
}
