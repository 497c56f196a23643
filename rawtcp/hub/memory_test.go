package hub

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// internet carries datagrams within a test, in no time, so that the clock of a
// bubble is the only one.
type internet struct {
	mu    sync.Mutex
	boxes map[netip.AddrPort]*mailbox
	lost  func() bool // or nil: whether the next datagram is
}

// lose has f say whether a datagram is lost; nil is that none is.
func (n *internet) lose(f func() bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost = f
}

// always loses all.
func always() bool { return true }

// mailbox is a socket on an internet: a packetConn, and a net.Conn to peer.
type mailbox struct {
	net    *internet
	own    netip.AddrPort
	peer   netip.AddrPort
	mail   chan letter
	closed chan struct{}
	mu     sync.Mutex
	until  time.Time
}

type letter struct {
	from netip.AddrPort
	b    []byte
}

func (n *internet) socket(own, peer string) *mailbox {
	m := &mailbox{
		net: n, own: netip.MustParseAddrPort(own),
		mail: make(chan letter, 1000), closed: make(chan struct{}),
	}
	if peer != "" {
		m.peer = netip.MustParseAddrPort(peer)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.boxes == nil {
		n.boxes = map[netip.AddrPort]*mailbox{}
	}
	n.boxes[m.own] = m
	return m
}

func (m *mailbox) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if box := m.net.boxes[to]; box != nil && (m.net.lost == nil || !m.net.lost()) {
		select {
		case box.mail <- letter{m.own, append([]byte(nil), b...)}:
		default: // as a socket does whose buffer is full
		}
	}
	return len(b), nil
}

func (m *mailbox) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	m.mu.Lock()
	ctx, cancel := context.WithCancel(context.Background())
	if !m.until.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, m.until)
	}
	m.mu.Unlock()
	defer cancel()
	select {
	case l := <-m.mail:
		return copy(b, l.b), l.from, nil
	case <-m.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-ctx.Done():
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	}
}

func (m *mailbox) Close() error {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if m.net.boxes[m.own] == m {
		delete(m.net.boxes, m.own)
	}
	close(m.closed)
	return nil
}

func (m *mailbox) SetReadDeadline(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = t
	return nil
}

func (m *mailbox) Read(b []byte) (int, error) {
	n, _, err := m.ReadFromUDPAddrPort(b)
	return n, err
}
func (m *mailbox) Write(b []byte) (int, error)        { return m.WriteToUDPAddrPort(b, m.peer) }
func (m *mailbox) LocalAddr() net.Addr                { return net.UDPAddrFromAddrPort(m.own) }
func (m *mailbox) RemoteAddr() net.Addr               { return net.UDPAddrFromAddrPort(m.peer) }
func (m *mailbox) SetDeadline(t time.Time) error      { return m.SetReadDeadline(t) }
func (m *mailbox) SetWriteDeadline(t time.Time) error { return nil }

// overInternet returns a Hub within a bubble, where it is, and what it logs.
func overInternet(t *testing.T, n *internet, o Options) (*Hub, *logged) {
	t.Helper()
	log := newLogged()
	o.Log = log.add
	h, err := New(o)
	must(t, err)
	must(t, h.serveUDP(n.socket(hubPlace, "")))
	return h, log
}

const hubPlace = "192.0.2.1:9"

// plugOver plugs in over an internet.
func (n *internet) plug(t *testing.T, own, address string) (*Plug, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text, err := joinText(address)
	must(t, err)
	conn := n.socket(own, hubPlace)
	p, err := joinUDP(ctx, conn, text)
	if err != nil {
		_ = conn.Close()
	}
	return p, err
}
