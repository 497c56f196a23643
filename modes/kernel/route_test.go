//go:build linux

package kernel

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

func addrs(list ...string) (a []netip.Addr) {
	for _, s := range list {
		a = append(a, netip.MustParseAddr(s))
	}
	return a
}

func TestRouteOption(t *testing.T) {
	for _, x := range []struct {
		addrs  []netip.Addr
		strict bool
		want   []byte
	}{
		{addrs("10.0.0.1"), false, []byte{131, 7, 4, 10, 0, 0, 1, 0}},
		{addrs("10.0.0.1", "10.0.0.2"), true, []byte{137, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2, 0}},
		{
			addrs("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6", "7.7.7.7", "8.8.8.8", "9.9.9.9"), false,
			[]byte{
				131, 39, 4, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
				6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 0,
			},
		},
	} {
		got, err := routeOption(x.addrs, x.strict)
		if !bytes.Equal(got, x.want) || err != nil {
			t.Errorf("%v: got %v, %v, want %v", x.addrs, got, err, x.want)
		}
	}
	_, err := routeOption(addrs("::1"), false)
	wantErr(t, "an IPv6 hop", err, unix.EAFNOSUPPORT)
}

// What is on the wire is RFC 791's: the first hop is the packet's destination,
// the option has the other hops and the real destination behind them.
func TestSourceRoute(t *testing.T) {
	needNamespace(t)
	h := newHost(t)
	to := netip.MustParseAddrPort("127.0.0.9:9")
	for _, typ := range []modes.Type{modes.Stream, modes.Datagram} {
		for _, x := range []struct {
			hops   []netip.Addr
			strict bool
			first  [4]byte
			want   []byte
		}{
			{addrs("127.0.0.1"), false, [4]byte{127, 0, 0, 1}, []byte{131, 7, 4, 127, 0, 0, 9, 0}},
			{
				addrs("127.0.0.1", "127.0.0.2", "127.0.0.3"), true,
				[4]byte{127, 0, 0, 1},
				[]byte{137, 15, 4, 127, 0, 0, 2, 127, 0, 0, 3, 127, 0, 0, 9, 0},
			},
		} {
			wire := listen(t)
			s := newSock(t, h, modes.IPv4, typ)
			check(t, s.SetRoute(x.hops, to.Addr(), x.strict))
			if typ == modes.Datagram {
				_, err := s.WriteTo([]byte("x"), to)
				check(t, err)
			} else if err := s.Connect(to, time.Millisecond); err == nil {
				t.Fatal("somebody listens") // who gets such a packet may drop it
			}
			from, err := s.Local()
			check(t, err)
			header := wire(from.Port())
			size := int(header[0]&15) * 4
			if got := header[20:size]; !bytes.Equal(got, x.want) {
				t.Errorf("%s: the packet has the options %v, want %v", typ.Network(), got, x.want)
			}
			if got := [4]byte(header[16:20]); got != x.first {
				t.Errorf("%s: the packet goes to %v, want %v", typ.Network(), got, x.first)
			}
		}
	}

	// Nine hops are what an IP header has room for.
	s := newSock(t, h, modes.IPv4, modes.Datagram)
	check(t, s.SetRoute(addrs("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6", "7.7.7.7", "8.8.8.8", "9.9.9.9"), to.Addr(), false))
	wantErr(t, "a tenth hop",
		s.SetRoute(addrs("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6", "7.7.7.7", "8.8.8.8", "9.9.9.9", "10.10.10.10"), to.Addr(), false),
		unix.EINVAL)
	if newSock(t, h, modes.IPv6, modes.Stream).SetRoute(addrs("::1"), netip.IPv6Loopback(), false) == nil {
		t.Error("IPv6 has a source route")
	}
}

// listen captures what is sent on the loopback interface. packet gives the
// first packet from a port that has IP options.
func listen(t *testing.T) (packet func(from uint16) []byte) {
	t.Helper()
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, all)
	permitted(t, err, "run the test as root")
	t.Cleanup(func() { unix.Close(fd) })
	check(t, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: 1}))
	return func(from uint16) []byte {
		buf := make([]byte, 1<<16)
		for {
			n, err := unix.Read(fd, buf)
			if err == unix.EINTR {
				continue
			}
			check(t, err)
			if n <= 20 || buf[0]>>4 != 4 || buf[0]&15 == 5 {
				continue
			}
			// The SYN of the case before may come again, the port does not.
			if size := int(buf[0]&15) * 4; binary.BigEndian.Uint16(buf[size:]) == from {
				return buf[:n]
			}
		}
	}
}
