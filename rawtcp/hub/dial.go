package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// refusal is what the hub says who does not let a plug in: a sentence.
type refusal string

// Error returns r.
func (r refusal) Error() string { return string(r) }

// ErrNoHub is that nobody listens at a place: not yet, or not any more.
var ErrNoHub = errors.New("no hub is there; start one with --hub")

// patience is how long Dial tries, if its context has no end before.
const patience = 10 * time.Second

// Dial plugs in at place, as Hub.Listen has it: the name of a socket's file, or
// "udp:HOST:PORT". addresses are those of this host on the wire, with commas
// between: "10.0.0.1", with the length of the network's prefix or without, or
// "auto" for one that is free. The Plug's Addresses are what the Hub has given.
//
// Errors are for people: a sentence, with place before it. They wrap ErrNoHub if it
// is that.
func Dial(ctx context.Context, place, addresses string) (*Plug, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := dial(ctx, place, addresses)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, explain(err))
	}
	return p, nil
}

func dial(ctx context.Context, place, addresses string) (*Plug, error) {
	text, err := joinText(addresses)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	network, address, udp := "unix", socketName(place), false
	if a, ok := strings.CutPrefix(place, "udp:"); ok {
		network, address, udp = "udp", a, true
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	var p *Plug
	if udp {
		p, err = joinUDP(ctx, conn, text)
	} else {
		p, err = joinStream(ctx, conn, text)
	}
	if err != nil {
		_ = conn.Close() // there is a better reason
	}
	return p, err
}

func joinStream(ctx context.Context, conn net.Conn, text string) (*Plug, error) {
	// A hub that is stopped accepts and says nothing.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	c := &streamConn{Conn: conn}
	welcome, err := c.join(text)
	if !stop() {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return newPlug(c, nil, welcome)
}

func joinUDP(ctx context.Context, conn net.Conn, text string) (*Plug, error) {
	widen(conn)
	c := &datagramConn{Conn: conn}
	welcome, err := c.join(ctx, text)
	if err != nil {
		return nil, err
	}
	c.bulk = newBulk(toPeer{conn})
	return newPlug(c, c.token, welcome)
}

// explain says what can be done about err.
func explain(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return ErrNoHub
	case errors.Is(err, fs.ErrPermission):
		return errors.New("the mode of the socket's file does not let you in")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("the hub does not answer")
	case errors.Is(err, errJunk):
		return errors.New("there is no hub, but something that speaks another protocol")
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
