package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// datagramConn is a way to a hub over UDP.
type datagramConn struct {
	net.Conn
	bulk  bulk // of Conn, from the welcome on
	token []byte
	buf   []byte
	begun atomic.Bool // the receiving
	heard atomic.Bool // anything, since this was last asked
}

// again is how long a join waits for its answer.
const again = 500 * time.Millisecond

// join plugs in, and returns the body of the welcome. It asks until it is
// answered, or ctx is done.
func (c *datagramConn) join(ctx context.Context, text string) (welcome []byte, err error) {
	c.token = make([]byte, tokenLen)
	c.buf = make([]byte, longestUDP)
	for ctx.Err() == nil {
		if _, err := c.Write(appendMessage(c.token[:tokenLen:tokenLen], kindJoin, text)); err != nil {
			return nil, err
		}
		_ = c.SetReadDeadline(time.Now().Add(again)) // it is open
		for {
			n, err := c.Read(c.buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return nil, err
			}
			k, body, ok := c.message(c.buf[:n])
			switch {
			case ok && k == kindWelcome:
				return append(welcome, body...), c.SetReadDeadline(time.Time{})
			case ok && k == kindRefuse:
				return nil, refusal(body)
			case k == kindRetry && n == tokenLen+headerLen:
				copy(c.token, c.buf)
			default:
				continue // of an earlier life of this port
			}
			break
		}
	}
	return nil, ctx.Err()
}

// message returns the message in a datagram. It reports false if it has not the
// token, or is no message.
func (c *datagramConn) message(b []byte) (k kind, body []byte, ok bool) {
	if len(b) < tokenLen {
		return 0, nil, false
	}
	k, body, rest, whole, err := next(b[tokenLen:], maxMTU)
	ok = whole && err == nil && len(rest) == 0 && string(b[:tokenLen]) == string(c.token)
	return k, body, ok
}

func (c *datagramConn) receive(f func(packets [][]byte)) error {
	c.begun.Store(true)
	var packets [][]byte
	for {
		n, size, _, err := c.bulk.receive(c.buf)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNREFUSED) {
			// Nobody has the port any more: an ICMP message says so.
			return gone(err)
		}
		if err != nil {
			continue // it tells of a datagram sent before
		}
		packets = packets[:0]
		left := false
		for b := range slices.Chunk(c.buf[:n], max(size, 1)) {
			k, body, ok := c.message(b)
			if !ok {
				continue
			}
			c.heard.Store(true)
			switch k {
			case kindPacket:
				packets = append(packets, body)
			case kindLeave:
				left = true
			}
		}
		if len(packets) > 0 {
			f(packets)
		}
		if left {
			return ErrHubGone
		}
	}
}

// write writes each message as a datagram. What cannot be written is lost.
func (c *datagramConn) write(batch []byte) error {
	eachRun(batch, func(run []byte, size int) { c.bulk.send(run, size, netip.AddrPort{}) })
	return nil
}

// live says every now and then that the plug is there.
func (c *datagramConn) live(q *queue, stop <-chan struct{}) error {
	ticks := time.NewTicker(aliveTime)
	defer ticks.Stop()
	for quiet := time.Duration(0); ; {
		select {
		case <-stop:
			return nil
		case <-ticks.C:
		}
		if c.heard.Swap(false) || !c.begun.Load() {
			quiet = 0
		}
		if quiet += aliveTime; quiet > silence {
			return fmt.Errorf("%w: nothing was heard from it for %v", ErrHubGone, silence)
		}
		q.say(kindAlive, "")
	}
}
