package raw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/hub"
	"sock/rawtcp/loop"
)

// attached is the link that a host is attached to.
type attached struct {
	loop.Link
	own  []netip.Prefix // the addresses of the host there, one at least
	name string         // of the link, for who reads of it
}

// attach opens the link that a command line asks for.
func attach(o *opts.Options) (attached, error) {
	return plugIn(o)
}

// plugIn plugs the host into a wire.
func plugIn(o *opts.Options) (attached, error) {
	plug, err := hub.Dial(context.Background(), o.Wire, cmp.Or(o.Addr, "auto"))
	if err != nil {
		return attached{}, err
	}
	return attached{plug, plug.Addresses, o.Wire}, nil
}

// mortal is a link that may go away by itself.
type mortal interface {
	// Done is closed when it has, or Close was called.
	Done() <-chan struct{}
	// Err returns why Done is closed: net.ErrClosed is Close.
	Err() error
}

// tell says why the link went away, when it does.
func (a attached) tell(h modes.Host) {
	l, ok := a.Link.(mortal)
	if !ok {
		return
	}
	go func() {
		<-l.Done()
		if err := l.Err(); !errors.Is(err, net.ErrClosed) {
			fmt.Fprintf(h.Stderr(), "%s: %v\n", a.name, err)
		}
	}()
}
