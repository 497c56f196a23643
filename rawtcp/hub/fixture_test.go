package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/loop"
)

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newHub returns a Hub that the end of the test closes, and where it listens.
func newHub(t testing.TB, o Options) (*Hub, string) {
	t.Helper()
	h, err := New(o)
	must(t, err)
	t.Cleanup(func() { _ = h.Close() }) // the test may have closed it
	place := filepath.Join(t.TempDir(), "wire")
	must(t, h.Listen(place))
	return h, place
}

// overUDP has h listen on a free port, and returns the place.
func overUDP(t testing.TB, h *Hub) string {
	t.Helper()
	must(t, h.Listen("udp:127.0.0.1:0"))
	conn := h.udp[len(h.udp)-1].conn.(interface{ LocalAddr() net.Addr })
	return "udp:" + conn.LocalAddr().String()
}

// dialPlug plugs in; the end of the test pulls the plug.
func dialPlug(t testing.TB, place, addresses string) *Plug {
	t.Helper()
	p, err := Dial(t.Context(), place, addresses)
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// host is a TCP on the wire.
type host struct {
	*loop.Loop
	plug *Plug
	addr netip.Addr
}

// dialHost plugs a host in.
func dialHost(t testing.TB, place, address string) *host {
	t.Helper()
	h := newHost(t, dialPlug(t, place, address))
	t.Cleanup(func() { _ = h.Close() }) // the test may have closed it
	return h
}

// newHost returns a host on a plug, which closes it.
func newHost(t testing.TB, p *Plug) *host {
	l := loop.New(p, loop.Options{Options: rawtcp.Options{Host: p.Addresses[0].Addr().String()}})
	return &host{l, p, p.Addresses[0].Addr()}
}

// start runs f, and returns what will have its error.
func start(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// noise returns n bytes that depend on seed.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0] = byte(seed)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// echo has h answer each connection with the hash of what has come.
func (h *host) echo(t testing.TB) *loop.Listener {
	t.Helper()
	n, err := h.Listen(netip.AddrPortFrom(h.addr, 7), 50)
	must(t, err)
	go func() {
		for {
			c, err := n.AcceptConn()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				sum := sha256.New()
				if _, err := io.Copy(sum, c); err == nil {
					_, _ = c.Write(sum.Sum(nil))
				}
			}()
		}
	}()
	return n
}

// ask sends b to an echo, and returns an error unless its hash comes back.
func (h *host) ask(ctx context.Context, to *host, b []byte) error {
	c, err := h.Dial(ctx, netip.AddrPortFrom(to.addr, 7))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(b); err != nil {
		return err
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if want := sha256.Sum256(b); !bytes.Equal(got, want[:]) {
		return fmt.Errorf("%x came back, not %x", got, want)
	}
	return nil
}

// logged is a log that can be looked at.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // has something if there is more than was looked at
}

func newLogged() *logged { return &logged{more: make(chan struct{}, 1)} }

func (l *logged) add(text string) {
	l.mu.Lock()
	l.text.WriteString(text + "\n")
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// wait waits until want has been told.
func (l *logged) wait(t testing.TB, want string) {
	t.Helper()
	for {
		l.mu.Lock()
		text := l.text.String()
		l.mu.Unlock()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-l.more:
		case <-t.Context().Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not told, but\n%s", want, text)
		}
	}
}

// only fails unless exactly text has been told.
func (l *logged) only(t testing.TB, text string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := l.text.String(); got != text {
		t.Errorf("told was\n%snot\n%s", got, text)
	}
}

// clear forgets what was told.
func (l *logged) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
