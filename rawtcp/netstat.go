package rawtcp

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"sock/rawtcp/tcb"
)

// Row is one line of "netstat -a".
type Row struct {
	Local, Remote netip.AddrPort // Remote is invalid where anybody may connect
	State         tcb.State
	RecvQ, SendQ  int // bytes not read, and not acknowledged

	// Of a socket that listens: how many connections are in its queue.
	Completed, Incomplete, Room int

	// Timer is the name of the timer that runs out next, "" if none is set,
	// and Left the time until then.
	Timer string
	Left  time.Duration

	Owned bool // a user has it, or may still accept it
	id    uint64
}

// Netstat returns the connections and the bound sockets of the host, newest
// first, as the systems of the book list them.
func (s *Stack) Netstat(now time.Duration) []Row {
	rows := make([]Row, 0, len(s.conns)+len(s.bound)+len(s.waits.by))
	for _, ks := range s.bound {
		for _, k := range ks {
			if k.conn != nil && s.conns[k.conn.pair] == k.conn {
				continue
			}
			r := Row{Local: k.local, Remote: k.only, State: k.State(), Owned: true, id: k.id}
			if q := k.queue; q != nil {
				r.Completed, r.Incomplete, r.Room = len(q.complete), len(q.incomplete), q.room
			}
			rows = append(rows, r)
		}
	}
	for _, c := range s.conns {
		in := c.tcb.Info()
		r := Row{
			Local: c.local, Remote: c.remote, State: in.State, RecvQ: in.RecvQueued, SendQ: in.SendQueued,
			Owned: c.sock != nil || c.completed, id: c.id,
		}
		for i, d := range in.Timers {
			if d >= 0 && (r.Timer == "" || d-now < r.Left) {
				r.Timer, r.Left = tcb.Timer(i).String(), d-now
			}
		}
		rows = append(rows, r)
	}
	for w := range s.waits.all {
		local, remote := w.pair.sockets()
		rows = append(rows, Row{
			Local: local, Remote: remote, State: tcb.TimeWait,
			Timer: tcb.Timer2MSL.String(), Left: w.Deadline - now, id: uint64(w.id),
		})
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(b.id, a.id) })
	return rows
}

// Orphans returns the connections that no user has any more and that go on alone,
// in no order, those in TIME_WAIT left out. There may be so many that whoever
// looks for one had better stop when it is found.
func (s *Stack) Orphans() iter.Seq[tcb.Info] {
	return func(yield func(tcb.Info) bool) {
		for _, c := range s.conns {
			if c.sock == nil && c.parent == nil && !yield(c.tcb.Info()) {
				return
			}
		}
	}
}
