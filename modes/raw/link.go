package raw

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/hub"
	"sock/rawtcp/loop"
	"sock/rawtcp/rawip"
)

// attached is the link that a host is attached to.
type attached struct {
	loop.Link
	own  []netip.Prefix // the addresses of the host there, one at least
	name string         // of the link, for who reads of it
}

// attach opens the link that a command line asks for.
func attach(h modes.Host, o *opts.Options) (attached, error) {
	switch {
	case o.Wire != "":
		return plugIn(h, o)
	case o.TUN != "":
		return beBehind(o)
	case o.Addr != nil:
		return beOn(o)
	}
	return share()
}

// share takes a part of the kernel's network.
func share() (attached, error) {
	l, err := rawip.Open()
	switch {
	case errors.Is(err, rawip.ErrPrivilege):
		return attached{}, privileges()
	case err != nil:
		return attached{}, fmt.Errorf("our own TCP beside the kernel's: %w", err)
	}
	own := l.Addresses()
	if len(own) == 0 {
		return attached{}, errors.Join(errors.New("this network has no address: try ip link set lo up"), l.Close())
	}
	return attached{l, own, "the network of this machine"}, nil
}

// privileges says what can be done without CAP_NET_RAW.
func privileges() error {
	program, err := os.Executable()
	if err != nil {
		program = "the program"
	}
	return fmt.Errorf("--raw on the network of this machine needs CAP_NET_RAW: allow it once with sudo setcap cap_net_raw+ep %s, "+
		"or run it in a network of its own with unshare -Urn, or on a wire, which needs no privilege: add --wire FILE", program)
}

// answerTime is what a hub that is there may take to answer: over UDP the question
// may be lost, and asked again.
const answerTime = time.Second

// plugIn plugs the host into a wire. A client with --connect-timeout waits so long
// for the hub, which may have been started at the same moment, or be stopped.
func plugIn(h modes.Host, o *opts.Options) (attached, error) {
	dial := func() (*hub.Plug, error) {
		ctx := context.Background()
		if o.ConnectTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, max(o.ConnectTimeout, answerTime))
			defer cancel()
		}
		return hub.Dial(ctx, o.Wire, wanted(o.Addr))
	}
	plug, err := dial()
	limit := h.Now().Add(o.ConnectTimeout)
	if errors.Is(err, hub.ErrNoHub) && o.ConnectTimeout > 0 && o.Verbose > 0 && !o.BookMessages {
		fmt.Fprintf(h.Stderr(), "waiting for the hub of %s\n", o.Wire)
	}
	for errors.Is(err, hub.ErrNoHub) && h.Now().Before(limit) {
		h.Sleep(min(50*time.Millisecond, limit.Sub(h.Now())))
		plug, err = dial()
	}
	if err != nil {
		return attached{}, err
	}
	return attached{plug, plug.Addresses, o.Wire}, nil
}

// wanted returns the words of --addr.
func wanted(own []netip.Prefix) string {
	if own == nil {
		return "auto"
	}
	var words []string
	for _, p := range own {
		if p.Bits() < 0 {
			words = append(words, p.Addr().String())
		} else {
			words = append(words, p.String())
		}
	}
	return strings.Join(words, ",")
}

// mortal is a link that may go away by itself.
type mortal interface {
	// Done is closed when it has, or Close was called.
	Done() <-chan struct{}
	// Err returns why Done is closed: net.ErrClosed is Close.
	Err() error
}
