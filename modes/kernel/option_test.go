//go:build linux

package kernel

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// What is set is read back from the kernel past the code under test, and
// through it.
func TestOptions(t *testing.T) {
	h := newHost(t)
	const (
		sol, tcp = unix.SOL_SOCKET, unix.IPPROTO_TCP
		ip, ip6  = unix.IPPROTO_IP, unix.IPPROTO_IPV6
	)
	both := []modes.Type{modes.Stream, modes.Datagram}
	stream := both[:1]
	for _, x := range []struct {
		name   string
		o      modes.Option
		types  []modes.Type
		value  int
		v4, v6 name // where it is to be found
		raw    int  // as which value
		off    int  // 0, or what undoes it
		rawOff int
	}{
		{"ReuseAddr", modes.ReuseAddr, both, 1, name{sol, unix.SO_REUSEADDR}, name{sol, unix.SO_REUSEADDR}, 1, 0, 0},
		{"ReusePort", modes.ReusePort, both, 1, name{sol, unix.SO_REUSEPORT}, name{sol, unix.SO_REUSEPORT}, 1, 0, 0},
		{"Debug", modes.Debug, both, 1, name{sol, unix.SO_DEBUG}, name{sol, unix.SO_DEBUG}, 1, 0, 0},
		{"DontRoute", modes.DontRoute, both, 1, name{sol, unix.SO_DONTROUTE}, name{sol, unix.SO_DONTROUTE}, 1, 0, 0},
		{"Broadcast", modes.Broadcast, both, 1, name{sol, unix.SO_BROADCAST}, name{sol, unix.SO_BROADCAST}, 1, 0, 0},
		{"KeepAlive", modes.KeepAlive, stream, 1, name{sol, unix.SO_KEEPALIVE}, name{sol, unix.SO_KEEPALIVE}, 1, 0, 0},
		{"NoDelay", modes.NoDelay, stream, 1, name{tcp, unix.TCP_NODELAY}, name{tcp, unix.TCP_NODELAY}, 1, 0, 0},
		{"MaxSeg", modes.MaxSeg, stream, 700, name{tcp, unix.TCP_MAXSEG}, name{tcp, unix.TCP_MAXSEG}, 700, 600, 600},
		{"TOS", modes.TOS, both, 0x10, name{ip, unix.IP_TOS}, name{ip6, unix.IPV6_TCLASS}, 0x10, 0, 0},
		{"TTL", modes.TTL, both, 5, name{ip, unix.IP_TTL}, name{ip6, unix.IPV6_UNICAST_HOPS}, 5, 255, 255},
		{"RecvDstAddr", modes.RecvDstAddr, both, 1, name{ip, unix.IP_PKTINFO}, name{ip6, unix.IPV6_RECVPKTINFO}, 1, 0, 0},
		{"MulticastTTL", modes.MulticastTTL, both[1:], 9, name{ip, unix.IP_MULTICAST_TTL}, name{ip6, unix.IPV6_MULTICAST_HOPS}, 9, 0, 0},
		{"DontFragment", modes.DontFragment, both, 1, name{ip, unix.IP_MTU_DISCOVER}, name{ip6, unix.IPV6_MTU_DISCOVER}, unix.IP_PMTUDISC_DO, 0, unix.IP_PMTUDISC_WANT},
		{"RecvBuf", modes.RecvBuf, both, 6001, name{sol, unix.SO_RCVBUF}, name{sol, unix.SO_RCVBUF}, 12002, 8192, 16384},
		{"SendBuf", modes.SendBuf, both, 6001, name{sol, unix.SO_SNDBUF}, name{sol, unix.SO_SNDBUF}, 12002, 8192, 16384},
	} {
		for _, typ := range x.types {
			for f, where := range []name{x.v4, x.v6} {
				t.Run(x.name+[]string{" IPv4 ", " IPv6 "}[f]+typ.Network(), func(t *testing.T) {
					s := newSock(t, h, modes.Family(f), typ)
					for _, step := range []struct{ set, raw int }{{x.value, x.raw}, {x.off, x.rawOff}} {
						permitted(t, s.Set(x.o, step.set), "run the test as root")
						raw, err := unix.GetsockoptInt(s.fd, where.level, where.opt)
						if raw != step.raw || err != nil {
							t.Errorf("set to %d, the kernel has %d (%v), want %d", step.set, raw, err, step.raw)
						}
						got, err := s.Get(x.o)
						if got != step.set || err != nil {
							t.Errorf("set to %d, Get gave %d, %v", step.set, got, err)
						}
					}
				})
			}
		}
	}
}

func TestLinger(t *testing.T) {
	s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
	for _, x := range []struct {
		v    int
		want unix.Linger
	}{{0, unix.Linger{Onoff: 1}}, {30, unix.Linger{Onoff: 1, Linger: 30}}, {-1, unix.Linger{}}} {
		check(t, s.Set(modes.Linger, x.v))
		raw, err := unix.GetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER)
		if err != nil || raw.Onoff != x.want.Onoff || raw.Onoff != 0 && raw.Linger != x.want.Linger {
			t.Errorf("set to %d, the kernel has %+v (%v)", x.v, raw, err)
		}
		if got, err := s.Get(modes.Linger); got != x.v || err != nil {
			t.Errorf("set to %d, Get gave %d, %v", x.v, got, err)
		}
	}
}

// With a linger time of 0 the close is an abort (section 18.7).
func TestLingerAborts(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	check(t, client.Set(modes.Linger, 0))
	check(t, client.Close())
	_, err := server.Read(make([]byte, 1))
	wantErr(t, "Read", err, unix.ECONNRESET)
}

func TestTimeoutOptions(t *testing.T) {
	s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
	for o, opt := range map[modes.Option]int{modes.RecvTimeout: unix.SO_RCVTIMEO, modes.SendTimeout: unix.SO_SNDTIMEO} {
		for _, us := range []int{2_500_000, 0} {
			check(t, s.Set(o, us))
			tv, err := unix.GetsockoptTimeval(s.fd, unix.SOL_SOCKET, opt)
			if err != nil || tv.Nano() != int64(us)*1000 {
				t.Errorf("set to %d µs, the kernel has %v (%v)", us, tv, err)
			}
			if got, err := s.Get(o); got != us || err != nil {
				t.Errorf("set to %d µs, Get gave %d, %v", us, got, err)
			}
		}
	}
}

func TestAsyncIO(t *testing.T) {
	s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
	for _, v := range []int{1, 0} {
		check(t, s.Set(modes.AsyncIO, v))
		owner, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETOWN, 0)
		if owner != os.Getpid() || err != nil {
			t.Errorf("SIGIO goes to %d (%v)", owner, err)
		}
		flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
		if (flags&unix.O_ASYNC != 0) != (v == 1) || err != nil {
			t.Errorf("set to %d, the descriptor's flags are %#x (%v)", v, flags, err)
		}
		if got, err := s.Get(modes.AsyncIO); got != v || err != nil {
			t.Errorf("set to %d, Get gave %d, %v", v, got, err)
		}
	}
}

// rmem_max and wmem_max cap a buffer, unless the process is privileged. Get
// tells what the kernel gave either way.
func TestBufferCap(t *testing.T) {
	const much = 100 << 20
	for o, opt := range map[modes.Option]int{modes.RecvBuf: unix.SO_RCVBUF, modes.SendBuf: unix.SO_SNDBUF} {
		s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
		check(t, s.Set(o, much))
		raw, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, opt)
		check(t, err)
		got, err := s.Get(o)
		if got != raw/2 || err != nil {
			t.Errorf("the kernel has %d, Get gave %d, %v", raw, got, err)
		}
		if os.Getenv(inNamespace) != "" && got != much {
			t.Errorf("root asked for %d and got %d", much, got)
		}
	}
}

func TestDontFragmentFails(t *testing.T) {
	needNamespace(t)
	eachFamily(t, func(t *testing.T, f modes.Family) {
		a, _ := datagramPair(t, newHost(t), f)
		setMTU(t, "lo", 1500)
		defer setMTU(t, "lo", 65536)
		_, err := a.Write(make([]byte, 2000))
		check(t, err)
		check(t, a.Set(modes.DontFragment, 1))
		_, err = a.Write(make([]byte, 2000))
		wantErr(t, "Write", err, unix.EMSGSIZE)
	})
}

func setMTU(t *testing.T, dev string, mtu uint32) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(fd)
	r, err := unix.NewIfreq(dev)
	check(t, err)
	r.SetUint32(mtu)
	check(t, unix.IoctlIfreq(fd, unix.SIOCSIFMTU, r))
}

func TestRefusals(t *testing.T) {
	s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
	wantErr(t, "a TTL of 256", s.Set(modes.TTL, 256), unix.EINVAL)
	wantErr(t, "a multicast TTL of 256", s.Set(modes.MulticastTTL, 256), unix.EINVAL)
	wantErr(t, "an unknown option", s.Set(modes.Option(999), 1), unix.ENOPROTOOPT)

	err := s.Set(modes.OnesBroadcast, 1)
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != "Linux has no IP_ONESBCAST" {
		t.Errorf("OnesBroadcast gave %v", err)
	}
}

func TestCongestion(t *testing.T) {
	s := newSock(t, newHost(t), modes.IPv4, modes.Stream)
	check(t, s.SetCongestion("reno"))
	raw, err := unix.GetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if strings.TrimRight(raw, "\x00") != "reno" || err != nil {
		t.Errorf("the kernel has %q (%v)", raw, err)
	}
	if got, err := s.Congestion(); got != "reno" || err != nil {
		t.Errorf("Congestion gave %q, %v", got, err)
	}
	wantErr(t, "an unknown algorithm", s.SetCongestion("nosuch"), unix.ENOENT)
}

func TestJoinGroup(t *testing.T) {
	needNamespace(t)
	ip(t, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	defer ip(t, "link", "del", "v0")
	ip(t, "addr", "add", "10.9.0.1/24", "dev", "v0")
	ip(t, "link", "set", "v0", "up")
	ip(t, "link", "set", "v1", "up")
	ip(t, "route", "add", "224.0.0.0/4", "dev", "v0")
	ip(t, "-6", "route", "add", "ff00::/8", "dev", "v0") // the kernel's own comes when the link is ready
	h := newHost(t)

	v4 := newSock(t, h, modes.IPv4, modes.Datagram)
	check(t, v4.JoinGroup(netip.MustParseAddr("224.1.2.3")))
	member(t, "/proc/net/igmp", "030201E0")
	wantErr(t, "an IPv6 group", v4.JoinGroup(netip.MustParseAddr("ff02::7")), unix.EAFNOSUPPORT)

	v6 := newSock(t, h, modes.IPv6, modes.Datagram)
	check(t, v6.JoinGroup(netip.MustParseAddr("ff02::7%v0")))
	member(t, "/proc/net/igmp6", "v0 ff020000000000000000000000000007")
	check(t, v6.JoinGroup(netip.MustParseAddr("ff05::8")))
	member(t, "/proc/net/igmp6", "ff050000000000000000000000000008")
	wantErr(t, "an IPv4 group", v6.JoinGroup(netip.MustParseAddr("224.1.2.3")), unix.EAFNOSUPPORT)
	wantErr(t, "the group again", v6.JoinGroup(netip.MustParseAddr("ff05::8")), unix.EADDRINUSE)
}

// member looks for a group in what the kernel tells of its memberships.
func member(t *testing.T, file, group string) {
	t.Helper()
	b, err := os.ReadFile(file)
	check(t, err)
	if !strings.Contains(strings.Join(strings.Fields(string(b)), " "), group) {
		t.Errorf("%s does not have %s:\n%s", file, group, b)
	}
}
