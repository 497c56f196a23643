package hub

import (
	"io"
	"net/netip"
	"testing"

	"sock/rawtcp/loop"
)

// How fast data go from one host to another over the wire: through two plugs, the
// hub, and the system's sockets.
func BenchmarkTransfer(b *testing.B) {
	for _, x := range []struct {
		name string
		mtu  int
		udp  bool
	}{
		{"Unix", 1500, false},
		{"UnixMTU65000", 65000, false},
		{"UDP", 1400, true},
		{"UDPMTU65000", 65000, true},
	} {
		b.Run(x.name, func(b *testing.B) {
			h, place := newHub(b, Options{MTU: x.mtu})
			if x.udp {
				place = overUDP(b, h)
			}
			from, to := connect(b, place)
			const size = 64 << 10
			b.SetBytes(size)
			b.ReportAllocs()
			all := start(func() error {
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, to, make([]byte, size))
				return err
			})
			buf := make([]byte, size)
			for b.Loop() {
				if _, err := from.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			must(b, from.CloseWrite())
			must(b, <-all)
		})
	}
}

// How long it takes to say a byte and hear one.
func BenchmarkPingPong(b *testing.B) {
	h, unix := newHub(b, Options{})
	for name, place := range map[string]string{"Unix": unix, "UDP": overUDP(b, h)} {
		b.Run(name, func(b *testing.B) {
			c, s := connect(b, place)
			go func() { _, _ = io.CopyBuffer(s, s, make([]byte, 1)) }()
			b.ReportAllocs()
			buf := make([]byte, 1)
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// connect plugs two hosts in, and returns both ends of a connection.
func connect(b testing.TB, place string) (c, s *loop.Conn) {
	from, to := dialHost(b, place, "auto"), dialHost(b, place, "auto")
	n, err := to.Listen(netip.AddrPortFrom(to.addr, 7), 5)
	must(b, err)
	c, err = from.Dial(b.Context(), netip.AddrPortFrom(to.addr, 7))
	must(b, err)
	s, err = n.AcceptConn()
	must(b, err)
	return c, s
}
