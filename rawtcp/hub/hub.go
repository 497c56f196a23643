package hub

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"sync"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// Options are what a Hub is made with.
type Options struct {
	// MTU is the longest packet, 68 to 65000 bytes. 0 is 1500, or 1400 if the
	// first Listen is for UDP, so that a packet with all that goes around it
	// fits in one frame of an Ethernet.
	MTU int
	// Prefix is the network of the wire, from which "auto" takes addresses.
	// The zero Prefix is 10.0.0.0/24.
	Prefix netip.Prefix
	// Conditions and Rules (see link.ParseRule) are what the wire does to
	// packets. Chance goes by Seed.
	Conditions link.Conditions
	Rules      []string
	Seed       uint64
	// Mode is that of the socket's file: who may write to it may join. 0 is
	// 0600.
	Mode fs.FileMode
	// Plugs is how many may be plugged in at once; 0 is 256.
	Plugs int
	// Epoch is when the time is 0 that traces have and rules speak of; the zero
	// Epoch is now.
	Epoch time.Time
	// Sink is told of each packet that is put on the wire (trace.Sent, with the
	// sender's address as Host), taken from it or dropped, and of who comes and
	// goes. nil is nobody. The Hub does not close it.
	Sink trace.Sink
	// Log is told in a sentence who comes and goes, what is cut, and who does
	// not read. It may be nil. It and Sink are called with the Hub's lock held,
	// and must not call the Hub, nor wait: a trace.Queue never does.
	Log func(text string)
}

// Hub is a wire that processes plug into. Its methods may be called from any
// goroutine.
type Hub struct {
	mu     sync.Mutex
	epoch  time.Time
	now    time.Duration // of whoever has the lock
	cable  *cable
	mode   fs.FileMode
	anyMTU bool // nobody has asked for one
	udp    []*datagrams
	timer  *time.Timer
	armed  time.Duration // when it fires
	closed bool
	done   chan struct{}          // closed when it is
	things map[io.Closer]struct{} // that Close closes: sockets, connections, devices
	all    sync.WaitGroup         // the goroutines that use them
}

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// New returns a Hub that nobody can reach yet: see Listen. Whoever has done with
// it must Close it.
func New(o Options) (*Hub, error) {
	anyMTU := o.MTU == 0
	if err := o.complete(); err != nil {
		return nil, err
	}
	h := &Hub{
		epoch: o.Epoch, armed: never, cable: newCable(o), mode: o.Mode, anyMTU: anyMTU,
		done: make(chan struct{}), things: map[io.Closer]struct{}{},
	}
	for _, r := range o.Rules {
		if _, err := h.cable.rule(0, r); err != nil {
			return nil, err
		}
	}
	h.timer = time.AfterFunc(never, h.tick)
	h.lock()
	h.unlock()
	return h, nil
}

// complete sets what is 0 to what it stands for.
func (o *Options) complete() error {
	o.MTU = cmp.Or(o.MTU, 1500)
	if o.MTU < minMTU || o.MTU > maxMTU {
		return fmt.Errorf("an MTU is from %d to %d", minMTU, maxMTU)
	}
	if !o.Prefix.IsValid() {
		o.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, 0}), 24)
	}
	if o.Epoch.IsZero() {
		o.Epoch = time.Now()
	}
	o.Mode = cmp.Or(o.Mode, 0o600)
	o.Plugs = cmp.Or(o.Plugs, 256)
	return nil
}

// Close unplugs everybody, and removes what Listen and TUN have made.
func (h *Hub) Close() error {
	h.lock()
	if h.closed {
		h.unlock()
		return net.ErrClosed
	}
	h.closed = true
	close(h.done)
	h.timer.Stop()
	var all []error
	for t := range h.things {
		// Who leaves at this moment has closed it already.
		if err := t.Close(); !errors.Is(err, net.ErrClosed) && !errors.Is(err, fs.ErrClosed) {
			all = append(all, err)
		}
	}
	clear(h.things)
	h.unlock()
	h.all.Wait()
	return errors.Join(all...)
}

// Command does what a line says, and returns a line that says so, or some: "help"
// tells what there is. An error is one sentence, or ErrQuit.
func (h *Hub) Command(line string) (answer string, err error) {
	h.lock()
	defer h.unlock()
	if h.closed {
		return "", net.ErrClosed
	}
	return h.cable.command(h.now, line)
}

// Commands does what the lines of r say, and writes to answers what there is to
// answer, and to mistakes what is wrong with a line. It returns nil when r ends,
// ErrQuit if a line said so, net.ErrClosed if the Hub is, or what went wrong in
// reading or writing.
func (h *Hub) Commands(r io.Reader, answers, mistakes io.Writer) error {
	for lines := bufio.NewReaderSize(r, longestLine); ; {
		line, whole, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		to, answer := answers, ""
		if answer, err = h.Command(line); !whole {
			err = fmt.Errorf("a command has %d bytes at most", longestLine)
		}
		switch {
		case errors.Is(err, ErrQuit), errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			to, answer = mistakes, err.Error()
		case answer == "":
			continue
		}
		if _, err := io.WriteString(to, answer+"\n"); err != nil {
			return err
		}
	}
}

// longestLine is how many bytes a line with a command may have.
const longestLine = 4096

// readLine reads a line. One that is too long is skipped, and is "" and not whole.
func readLine(r *bufio.Reader) (line string, whole bool, err error) {
	b, more, err := r.ReadLine()
	if !more {
		return string(b), true, err
	}
	for more && err == nil {
		_, more, err = r.ReadLine()
	}
	return "", false, err
}

// lock begins a turn: time stands still until unlock ends it.
func (h *Hub) lock() {
	h.mu.Lock()
	h.now = time.Since(h.epoch)
	h.advance()
}

// unlock ends a turn: what has arrived is delivered.
func (h *Hub) unlock() {
	h.advance()
	at, ok := h.cable.nextDeadline()
	for _, d := range h.udp {
		if t, is := d.nextDeadline(); is && (!ok || t < at) {
			at, ok = t, true
		}
	}
	if ok && at < h.armed && !h.closed {
		h.armed = at
		h.timer.Reset(at - h.now)
	}
	h.mu.Unlock()
}

func (h *Hub) advance() {
	if h.closed {
		return // and its Sink perhaps too
	}
	for _, d := range h.udp {
		d.advance(h.now)
	}
	h.cable.advance(h.now)
}

// tick does what is due.
func (h *Hub) tick() {
	h.lock()
	h.armed = never
	h.unlock()
}

// start runs f, and has Close close c and wait for f. It reports false if that is
// too late, or there are too many: a few more than can be plugged in, for those
// who ask in vain.
func (h *Hub) start(c io.Closer, f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.things) >= h.cable.limit+64 {
		return false
	}
	h.things[c] = struct{}{}
	h.all.Go(f)
	return true
}

// forget says that c is closed.
func (h *Hub) forget(c io.Closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.things, c)
}
