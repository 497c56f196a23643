package loop

import (
	"math"
	"net"
	"sync"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/udp"
)

// Options are what a Loop is made with.
type Options struct {
	// Options are those of the Stack. Time 0 is when the Loop is made. The
	// Seed should be one that nobody can guess, if the link goes to strangers.
	// The Sink is also told of packets; it is called with the lock held, and
	// must not call the Loop, nor wait: see trace.Queue.
	rawtcp.Options
	// Estate is what the process before has left of this host; nil is that the
	// host has just booted.
	Estate *rawtcp.Estate
	// Faults is what befalls packets between the Stack and the link, both
	// ways: see link.Faulty. It is the Loop's from then on. nil is nothing.
	Faults *link.Pipe
	// Arrived is called at the end of a turn in which the Stack has got a
	// packet. It is called with the lock held, and must not call the Loop. nil
	// is nobody.
	Arrived func()
	// Ticked is called, likewise, when a timer of the Stack was due.
	Ticked func()
}

// Loop drives a Stack in real time. All its methods, and those of the Conns and
// Listeners that it makes, may be called from any goroutine.
type Loop struct {
	mu    sync.Mutex
	epoch time.Time
	now   time.Duration // of whoever has the lock

	stack   *rawtcp.Stack
	host    *host
	arrived func() // or nil
	ticked  func() // or nil

	timer *time.Timer
	armed time.Duration // when it fires; never if it does not
	pump  *pump         // or nil

	sockets map[*socket]struct{} // all that are open
	changed []*socket            // those to be looked at before the lock is released
	drains  []chan struct{}      // of those who wait in Drain
	closed  bool

	waste [16 << 10]byte // to read into what nobody wants
}

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

// New starts a Loop on l, which is the Loop's from then on. Who has done with
// it must Close it.
func New(l Link, o Options) *Loop {
	p := &Loop{epoch: time.Now(), armed: never, arrived: o.Arrived, ticked: o.Ticked, sockets: map[*socket]struct{}{}}
	p.host = newHost(l, o)
	p.stack = p.host.stack
	if o.Estate != nil {
		p.stack.Inherit(0, o.Estate)
	}
	p.timer = time.AfterFunc(never, p.tick)
	if b, ok := l.(Batcher); ok {
		p.pump = newPump(b, p)
	}
	l.Start(p.receive)
	return p
}

// Close closes the Loop, all that is open on it, and the link. Connections are
// reset: see Drain for what a closed one may still have to send.
func (l *Loop) Close() error {
	l.lock()
	if l.closed {
		l.unlock()
		return net.ErrClosed
	}
	l.closed = true
	for s := range l.sockets {
		s.shut()
		_ = s.k.Abort(l.now) // it is open
	}
	clear(l.sockets)
	l.timer.Stop()
	l.armed = 0 // nothing is due before
	l.unlock()
	if l.pump != nil {
		l.pump.stop(l)
	}
	return l.host.Link.Close()
}

// Do calls f with the lock held, and the time. f may do with the Stack what it
// wants, but wait.
func (l *Loop) Do(f func(now time.Duration, s *rawtcp.Stack)) {
	l.lock()
	defer l.unlock()
	f(l.now, l.stack)
}

// UDP returns the UDP of the host, for a function that Do calls. It is nil if the
// link is Shared: then UDP is the other's business.
func (l *Loop) UDP() *udp.Stack {
	if l.host.net == nil {
		return nil
	}
	return l.host.net.udp
}

// lock begins a turn: time stands still until unlock ends it.
func (l *Loop) lock() {
	l.mu.Lock()
	l.now = time.Since(l.epoch)
}

// unlock ends a turn: what follows from it is done, what it has sent goes out,
// and whoever waited for it wakes up.
func (l *Loop) unlock() {
	for l.host.loopback(l.now) || len(l.changed) > 0 {
		l.notify()
	}
	if len(l.drains) > 0 {
		l.drained()
	}
	if l.host.arrived && l.arrived != nil {
		l.arrived()
	}
	l.host.arrived = false
	if l.pump != nil {
		l.pump.flush(l)
	} else {
		l.host.Flush()
	}
	l.arm()
	l.mu.Unlock()
}

// pause lets others have a turn.
func (l *Loop) pause() {
	l.unlock()
	l.lock()
}

// notify looks at the sockets that have changed.
func (l *Loop) notify() {
	for i := 0; i < len(l.changed); i++ { // it may grow
		s := l.changed[i]
		s.marked = false
		s.notify()
	}
	clear(l.changed)
	l.changed = l.changed[:0]
}

// batch is how many packets are received in one turn: few enough that nobody
// waits long for the lock, and enough that it does not matter.
const batch = 64

// few is so few packets that no more wait, as a rule: who has received them may
// as well send the ACKs.
const few = 8

// receive takes what the link delivers.
func (l *Loop) receive(packets [][]byte) {
	for len(packets) > 0 {
		n := min(len(packets), batch)
		l.lock()
		if l.closed {
			l.unlock()
			return
		}
		// "it MUST process them all before sending any ACK segments" (RFC
		// 9293, section 3.10.7.4): Release sends them, if the link is not busy
		// and will do so itself.
		busy := l.pump != nil && l.pump.busy
		l.stack.Hold()
		for _, p := range packets[:n] {
			l.host.receive(l.now, p)
		}
		if !busy {
			l.stack.Release(l.now)
		}
		if l.pump != nil && n < few {
			l.pump.send(l)
		}
		l.unlock()
		packets = packets[n:]
	}
}

// tick runs what is due.
func (l *Loop) tick() {
	l.lock()
	if !l.closed {
		l.armed = never
		l.host.advance(l.now)
		if l.ticked != nil {
			l.ticked()
		}
	}
	l.unlock()
}

// arm sees to it that the timer fires in time. It may fire early, since a
// deadline that moves away, as that of a retransmission does with each ACK,
// leaves it alone.
func (l *Loop) arm() {
	if d, ok := l.host.nextDeadline(); ok && d < l.armed {
		l.armed = d
		l.timer.Reset(d - l.now)
	}
}
