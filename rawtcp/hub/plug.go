package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
)

// Plug is a link that is plugged into a Hub: see Dial. Packets are written and
// read many at once, by two goroutines.
//
// When the Hub goes away, Done is closed, and all that is sent from then on is
// lost, as on a cable that has been pulled.
type Plug struct {
	link.Attached
	conn   conn
	mtu    int
	out    *queue
	buffer []byte
	lost   atomic.Uint64

	estate  *rawtcp.Estate // what the process before has left; or nil
	leaving atomic.Bool    // the Hub has been told so

	down    context.Context
	cancel  context.CancelCauseFunc // of down
	reader  sync.WaitGroup          // when it has ended, nothing is received any more
	writers sync.WaitGroup
}

var _ loop.Link = (*Plug)(nil)

// conn is the way to a hub.
type conn interface {
	// receive hands over what comes, until the hub goes away, and returns why.
	receive(f func(packets [][]byte)) error
	// write writes a batch of messages.
	write(batch []byte) error
	// live keeps the hub in mind of the plug until stop is closed, or returns
	// why the hub has gone.
	live(q *queue, stop <-chan struct{}) error
	net.Conn
}

// ErrHubGone is why a Plug is down whose Hub has gone away.
var ErrHubGone = errors.New("the hub has gone")

// gone returns why a Plug is down, of which err has told.
func gone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return ErrHubGone // that says nothing more
	}
	var no syscall.Errno
	if errors.As(err, &no) {
		err = no // Go's text has the ports of the way to the hub, which help nobody
	}
	return fmt.Errorf("%w: %w", ErrHubGone, err)
}

// newPlug returns the Plug on c, which a hub has welcomed.
func newPlug(c conn, prefix, welcome []byte) (*Plug, error) {
	w, err := parseWelcome(welcome)
	if err != nil {
		return nil, err
	}
	p := &Plug{
		conn: c, mtu: w.mtu, out: newQueue(prefix, waiting), estate: w.estate,
		buffer: make([]byte, 0, w.mtu),
	}
	p.down, p.cancel = context.WithCancelCause(context.Background())
	p.Attached = link.Attached{Interface: p, Name: wireName, Addresses: w.addresses}
	p.writers.Go(func() {
		if err := p.out.run(c.write); err != nil {
			p.fail(err)
		}
	})
	p.writers.Go(func() {
		if err := c.live(p.out, p.Done()); err != nil {
			p.fail(err)
		}
	})
	return p, nil
}

// MTU returns the length of the longest packet, as the Hub has told it.
func (p *Plug) MTU() int { return p.mtu }

// Checksums returns that all are to be computed: the wire may damage packets.
func (p *Plug) Checksums() link.Checksums { return link.Checksums{} }

// Buffer returns a buffer for Send, always the same.
func (p *Plug) Buffer() []byte { return p.buffer }

// Send sends a packet with the next Flush. It is lost if there is no room for it
// because the Hub does not read.
func (p *Plug) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	if len(packet) > p.mtu {
		return link.ErrTooBig
	}
	if p.leaving.Load() || !p.out.take(packet) {
		p.lost.Add(1)
	}
	return nil
}

// Flush sends what waits.
func (p *Plug) Flush() { p.out.flush() }

// Start begins to receive.
func (p *Plug) Start(receive func(packets [][]byte)) {
	p.reader.Go(func() { p.fail(p.conn.receive(receive)) })
}

// Lost returns how many packets Send had no room for.
func (p *Plug) Lost() uint64 { return p.lost.Load() }

// Done returns a channel that is closed when the Hub has gone away, or Close was
// called. Err says which.
func (p *Plug) Done() <-chan struct{} { return p.down.Done() }

// Err returns nil until Done is closed, then net.ErrClosed after Close, or else
// an error that is ErrHubGone.
func (p *Plug) Err() error { return context.Cause(p.down) }

// fail takes the link down, if it is not.
func (p *Plug) fail(why error) {
	if p.leaving.Load() && (why == ErrHubGone || isReset(why)) {
		why = net.ErrClosed // it has said good-bye
	}
	p.cancel(why)
	p.out.end()
}

// Estate returns what the process before has left at these addresses: see
// Bequeath. It is nil if that was none, or it was killed.
func (p *Plug) Estate() *rawtcp.Estate { return p.estate }

// partings is how often Bequeath asks, if nothing is answered.
const partings = 4

// Bequeath leaves e to the Hub, which answers in the place of this process while
// anything is in TIME_WAIT, and gives it to the next one that plugs in at the same
// address. Of too many connections the oldest are left out; e has the others.
//
// Nothing is sent or received any more when it returns. The error says that the
// Hub has not taken it.
func (p *Plug) Bequeath(e *rawtcp.Estate) error {
	e.Fit()
	body := string(e.AppendTo(nil))
	p.leaving.Store(true)
	for range partings {
		p.out.say(kindEstate, body)
		select {
		case <-p.Done():
			if err := p.Err(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		case <-time.After(again):
		}
	}
	return errors.New("the hub does not answer")
}

// farewell is how long Close waits for what was sent to be written.
const farewell = time.Second

// Close pulls the plug. What was sent goes out before.
func (p *Plug) Close() error {
	p.out.say(kindLeave, "")
	p.fail(net.ErrClosed)
	_ = p.conn.SetWriteDeadline(time.Now().Add(farewell)) // or it is closed
	p.writers.Wait()
	err := p.conn.Close()
	p.reader.Wait()
	return err
}
