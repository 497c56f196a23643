package loop_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
)

// tunnel is a link whose packets are datagrams of the system's UDP: one that is
// written outside the package, with a goroutine that reads, and which loses
// what it has no room for.
type tunnel struct {
	link.Attached
	socket *net.UDPConn
	to     netip.AddrPort
	buf    []byte
	done   chan struct{}
}

const tunnelMTU = 1400

func newTunnel(t *testing.T, own netip.Prefix) *tunnel {
	t.Helper()
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	l := &tunnel{socket: u, buf: make([]byte, 0, tunnelMTU), done: make(chan struct{})}
	l.Attached = link.Attached{Interface: l, Addresses: []netip.Prefix{own}}
	return l
}

func (l *tunnel) own() netip.AddrPort { return l.socket.LocalAddr().(*net.UDPAddr).AddrPort() }

func (l *tunnel) MTU() int                  { return tunnelMTU }
func (l *tunnel) Checksums() link.Checksums { return link.Checksums{} }
func (l *tunnel) Buffer() []byte            { return l.buf }
func (l *tunnel) Flush()                    {}
func (l *tunnel) Start(f func(ps [][]byte)) { go l.run(f) }
func (l *tunnel) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	_, err := l.socket.WriteToUDPAddrPort(packet, l.to)
	return err
}

func (l *tunnel) run(receive func(packets [][]byte)) {
	defer close(l.done)
	packets := [][]byte{make([]byte, tunnelMTU)}
	for {
		n, _, err := l.socket.ReadFromUDPAddrPort(packets[0][:tunnelMTU])
		if err != nil {
			return
		}
		packets[0] = packets[0][:n]
		receive(packets)
	}
}

func (l *tunnel) Close() error {
	err := l.socket.Close()
	<-l.done
	return err
}

// Even a link with one buffer lets a host talk to itself.
func TestLinkSelf(t *testing.T) {
	l := newTunnel(t, prefixB)
	h := loop.New(l, loop.Options{})
	defer h.Close()
	p := &pair{h, h}
	c, s := p.connect(t)
	exchange(t, c, s, noise(100_000, 1), noise(100_000, 2))
	h.Do(func(_ time.Duration, s *rawtcp.Stack) {
		if st := s.Stats(); st.Retransmits > 0 {
			t.Errorf("packets were lost on the way to oneself: %+v", st)
		}
	})
}

// A Loop works on any Link, also on one that goes through the system.
func TestLink(t *testing.T) {
	t.Cleanup(func() { wantNobody(t) })
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		left, right := newTunnel(t, prefixA), newTunnel(t, prefixB)
		left.to, right.to = right.own(), left.own()
		// A window that the buffer of a UDP socket has room for.
		prof, err := profile.Get("")
		must(t, err)
		prof.TCP.RecvBuffer = 32 << 10
		p := &pair{
			loop.New(left, loop.Options{Options: rawtcp.Options{Profile: prof}}),
			loop.New(right, loop.Options{Options: rawtcp.Options{Profile: prof}}),
		}
		c, s := p.connect(t)
		return c, s, p.close, nil
	})
}
