package kernel

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// These tests bring about what is to be explained. Each runs in a process
// with a network of its own, where it finds no trace of the others.

func TestExplainTimeWait(t *testing.T) {
	if !alone(t) {
		return
	}
	const left = `, (60|5\d|4\d) s left: wait, or `
	const hint = `another time start both with -A \(on Linux -A has to be on the first socket too\)`

	inTimeWait(t, "127.0.0.1:6666")
	state := `port 6666 is in TIME_WAIT \(127\.0\.0\.1\.6666 to 127\.0\.0\.1\.\d+\)` + left
	refuse(t, "0.0.0.0:6666", state+hint)
	refuse(t, "127.0.0.1:6666", state+hint, modes.ReuseAddr)
	refuse(t, "0.0.0.0:6666", state+hint, modes.ReusePort)
	allow(t, "127.0.0.2:6666")

	inTimeWait(t, "127.0.0.1:6667", modes.ReuseAddr)
	inTimeWait(t, "127.0.0.1:6667", modes.ReuseAddr)
	state = `port 6667 is in TIME_WAIT \(127\.0\.0\.1\.6667 to 127\.0\.0\.1\.\d+ and 1 more\)` + left
	refuse(t, "0.0.0.0:6667", state+`start this one with -A, as those connections were`)
	allow(t, "0.0.0.0:6667", modes.ReuseAddr)

	inTimeWait(t, "127.0.0.1:6668", modes.ReusePort)
	state = `port 6668 is in TIME_WAIT \(127\.0\.0\.1\.6668 to 127\.0\.0\.1\.\d+\)` + left
	refuse(t, "0.0.0.0:6668", state+`start this one with -T, as that connection was`)
	allow(t, "0.0.0.0:6668", modes.ReusePort)
	refuse(t, "0.0.0.0:6668", state+`start this one with -T, as that connection was`, modes.ReuseAddr)
	allow(t, "0.0.0.0:6668", modes.ReuseAddr, modes.ReusePort)
}

func TestExplainOrphans(t *testing.T) {
	if !alone(t) {
		return
	}
	server, client := connection(t, "127.0.0.1:6666", modes.ReuseAddr)
	server.shut()
	endOfData(t, client)
	check(t, unix.SetsockoptInt(client.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)) // and not 40 ms later
	awaitEntry(t, "127.0.0.1:6666", func(e entry) bool { return e.state == finWait2 })
	refuse(t, "0.0.0.0:6666", `port 6666 is in FIN_WAIT_2 \(127\.0\.0\.1\.6666 to 127\.0\.0\.1\.\d+; this end has closed, that one has not\), `+
		`(60|5\d|4\d) s left: end that one, wait, or start this one with -A, as that connection was`)
	allow(t, "0.0.0.0:6666", modes.ReuseAddr)

	// A FIN behind data that the peer has no room for.
	server, client = connection(t, "127.0.0.1:6667")
	for {
		if _, err := server.WriteNow(make([]byte, 1<<16)); err == modes.ErrWouldBlock {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	server.shut()
	refuse(t, "0.0.0.0:6667", `port 6667 is in FIN_WAIT_1 \(127\.0\.0\.1\.6667 to 127\.0\.0\.1\.\d+; its process has gone, `+
		`the other end has not acknowledged all\): end that one, wait, or another time start both with -A .*`)
	client.shut()
}

func TestExplainConnectionOfOther(t *testing.T) {
	if !alone(t) {
		return
	}
	server, client := connection(t, "127.0.0.1:6666", modes.ReuseAddr)
	client.shut()
	endOfData(t, server)
	owner := other(t, server)
	refuse(t, "0.0.0.0:6666", `port 6666 is taken by `+owner+`, whose connection 127\.0\.0\.1\.6666 to 127\.0\.0\.1\.\d+ is in CLOSE_WAIT: `+
		`end that process, take another port, or start this one with -A, as that connection was`)
	allow(t, "0.0.0.0:6666", modes.ReuseAddr)
}

func TestExplainListener(t *testing.T) {
	if !alone(t) {
		return
	}
	const never = ` \(-A never shares a port with a listener\)`
	owner := other(t, listenOn(t, "127.0.0.1:6666", modes.ReuseAddr))
	taken := `port 6666 is taken by ` + owner + `, which listens on 127\.0\.0\.1\.6666: stop it, take another port, or `
	refuse(t, "0.0.0.0:6666", taken+`start both with -T`+never)
	refuse(t, "127.0.0.1:6666", taken+`start both with -T`+never, modes.ReuseAddr)
	refuse(t, "0.0.0.0:6666", taken+`start that one with -T too`+never, modes.ReusePort)
	allow(t, "127.0.0.2:6666")

	owner = other(t, listenOn(t, "127.0.0.1:6667", modes.ReusePort))
	taken = `port 6667 is taken by ` + owner + `, which listens on 127\.0\.0\.1\.6667: stop it, take another port, or `
	refuse(t, "0.0.0.0:6667", taken+`share this one with -T, as it does`+never)
	allow(t, "0.0.0.0:6667", modes.ReusePort)

	// With -A both can bind, but only one can listen.
	first := openSocket(t, modes.IPv4, modes.Stream, modes.ReuseAddr)
	second := openSocket(t, modes.IPv4, modes.Stream, modes.ReuseAddr)
	check(t, first.Bind(endPoint("127.0.0.1:6668")))
	check(t, second.Bind(endPoint("127.0.0.1:6668")))
	check(t, first.Listen(1))
	f := modes.Failure{Call: "listen", Local: endPoint("127.0.0.1:6668"), Reuse: true, Err: second.Listen(1)}
	explained(t, f, unix.EADDRINUSE, `port 6668 is taken by .* \(pid `+strconv.Itoa(os.Getpid())+`\), which listens on 127\.0\.0\.1\.6668: .*`)
}

func TestExplainBoundOnly(t *testing.T) {
	if !alone(t) {
		return
	}
	s := openSocket(t, modes.IPv4, modes.Stream)
	check(t, s.Bind(endPoint("0.0.0.0:6666")))
	refuse(t, "127.0.0.1:6666", `port 6666 is held by a socket that neither listens nor is connected, which /proc does not show: `+
		`end its process or take another port`)
	f := modes.Failure{Call: "bind", Local: endPoint("127.0.0.1:6666"), Err: unix.EADDRINUSE}
	s.shut()
	explained(t, f, unix.EADDRINUSE, `port 6666 has come free in the meantime: start it again`)
}

func TestExplainUDPTaken(t *testing.T) {
	if !alone(t) {
		return
	}
	first := openSocket(t, modes.IPv4, modes.Datagram, modes.ReuseAddr)
	a := endPoint("0.0.0.0:6666")
	check(t, first.Bind(a))
	owner := other(t, first)
	f := modes.Failure{Call: "bind", Type: modes.Datagram, Local: a, Err: openSocket(t, modes.IPv4, modes.Datagram).Bind(a)}
	explained(t, f, unix.EADDRINUSE, `port 6666 is taken by `+owner+`, which has a UDP socket on 0\.0\.0\.0\.6666: stop it, take another port, `+
		`or start both with -A \(UDP sockets share a port if both have -A, or both -T and the same user\)`)
	check(t, openSocket(t, modes.IPv4, modes.Datagram, modes.ReuseAddr).Bind(a))
}

func TestExplainNotOurs(t *testing.T) {
	if !alone(t) {
		return
	}
	f := modes.Failure{Call: "bind", Local: endPoint("192.0.2.7:6666")}
	f.Err = openSocket(t, modes.IPv4, modes.Stream).Bind(f.Local)
	explained(t, f, unix.EADDRNOTAVAIL, `no interface of this host that is up has the address 192\.0\.2\.7: take one of 127\.0\.0\.1, or leave the address out`)
	f.Local = endPoint("[2001:db8::1]:6666")
	f.Err = openSocket(t, modes.IPv6, modes.Stream).Bind(f.Local)
	explained(t, f, unix.EADDRNOTAVAIL, `no interface of this host that is up has the address 2001:db8::1: take one of ::1, or leave the address out`)
}

// TestExplainPrivileges gives this thread's capabilities away for a while.
func TestExplainPrivileges(t *testing.T) {
	if !alone(t) {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var all, few [2]unix.CapUserData
	check(t, unix.Capget(&header, &all[0]))
	few = all
	few[0].Effective &^= 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_ADMIN
	check(t, unix.Capset(&header, &few[0]))
	defer unix.Capset(&header, &all[0])

	f := modes.Failure{Call: "bind", Local: endPoint("127.0.0.1:7")}
	s := openSocket(t, modes.IPv4, modes.Stream)
	f.Err = s.Bind(f.Local)
	explained(t, f, unix.EACCES, `ports below 1024 \(net\.ipv4\.ip_unprivileged_port_start\) need a privilege: run it as root, `+
		`give the program the capability with setcap cap_net_bind_service=ep, or take a port from 1024 on`)
	f = modes.Failure{Call: "setsockopt", Name: "SO_DEBUG", Err: s.Set(modes.Debug, 1)}
	explained(t, f, unix.EACCES, `SO_DEBUG needs CAP_NET_ADMIN on the host itself, .* or leave -D out`)
}

// Without time stamps Linux lets no new incarnation of a pair begin while the
// old one is in TIME_WAIT.
func TestExplainSamePair(t *testing.T) {
	if !alone(t) {
		return
	}
	sysctl(t, "ipv4/tcp_timestamps", "0")
	server, client := connection(t, "127.0.0.1:6666", modes.ReuseAddr)
	to, err := client.Local()
	check(t, err)
	server.shut()
	endOfData(t, client)
	client.shut()
	awaitEntry(t, "127.0.0.1:6666", func(e entry) bool { return e.state == timeWait })
	s := openSocket(t, modes.IPv4, modes.Stream, modes.ReuseAddr)
	check(t, s.Bind(endPoint("0.0.0.0:6666")))
	f := modes.Failure{Call: "connect", Peer: to, Reuse: true, Err: s.Connect(to, 0)}
	f.Local, err = s.Local()
	check(t, err)
	explained(t, f, unix.EADDRNOTAVAIL, `the connection 127\.0\.0\.1\.6666 to 127\.0\.0\.1\.\d+ is still in TIME_WAIT, (60|5\d|4\d) s left: `+
		`wait, or connect from another port, for -A does not help with the same pair`)
}

func TestExplainNoPorts(t *testing.T) {
	if !alone(t) {
		return
	}
	sysctl(t, "ipv4/ip_local_port_range", "40000 40001")
	to := endPoint("127.0.0.1:6666")
	listenOn(t, "127.0.0.1:6666")
	fail := func() modes.Failure {
		s := openSocket(t, modes.IPv4, modes.Stream)
		return modes.Failure{Call: "connect", Peer: to, Local: endPoint("0.0.0.0:0"), Err: s.Connect(to, 0)}
	}
	for f := fail(); f.Err == nil; {
		f = fail()
	}
	explained(t, fail(), unix.EADDRNOTAVAIL, `every port from 40000 to 40001 \(net\.ipv4\.ip_local_port_range\) has a connection to 127\.0\.0\.1\.6666 already: `+
		`end one, or give a port with -b`)

	a := endPoint("0.0.0.0:0")
	f := modes.Failure{Call: "bind", Local: a, Err: openSocket(t, modes.IPv4, modes.Stream).Bind(a)}
	every := `every port from 40000 to 40001 \(net\.ipv4\.ip_local_port_range\) is taken: give one outside with -b, or widen the range with sysctl -w`
	explained(t, f, unix.EADDRINUSE, every)
	for range 2 {
		check(t, openSocket(t, modes.IPv4, modes.Datagram).Bind(a))
	}
	f = modes.Failure{Call: "connect", Type: modes.Datagram, Peer: to, Err: openSocket(t, modes.IPv4, modes.Datagram).Connect(to, 0)}
	explained(t, f, unix.EAGAIN, every)
}

func TestExplainRefused(t *testing.T) {
	if !alone(t) {
		return
	}
	connect := func(a string) modes.Failure {
		return modes.Failure{Call: "connect", Peer: endPoint(a), Err: openSocket(t, modes.IPv4, modes.Stream).Connect(endPoint(a), 0)}
	}
	explained(t, connect("127.0.0.1:6666"), unix.ECONNREFUSED, `nothing on this host listens on 127\.0\.0\.1\.6666: start the server first, or check the port`)
	owner := other(t, listenOn(t, "127.0.0.2:6666"))
	explained(t, connect("127.0.0.1:6666"), unix.ECONNREFUSED, `nothing on this host listens on 127\.0\.0\.1\.6666, but `+owner+
		` listens on 127\.0\.0\.2\.6666: connect to that address, or start the server for any address`)
	s := openSocket(t, modes.IPv4, modes.Datagram)
	check(t, s.Bind(endPoint("0.0.0.0:6667")))
	owner = other(t, s)
	explained(t, connect("127.0.0.1:6667"), unix.ECONNREFUSED, `nothing on this host listens on 127\.0\.0\.1\.6667, but `+owner+
		` has that port of UDP: start the server first, or give -u`)
}

func TestExplainRefusedDatagram(t *testing.T) {
	if !alone(t) {
		return
	}
	read := func(a string) modes.Failure {
		s := openSocket(t, modes.IPv4, modes.Datagram)
		check(t, s.Connect(endPoint(a), 0))
		_, err := s.Write([]byte("x"))
		check(t, err)
		_, err = s.Read(make([]byte, 1))
		return modes.Failure{Call: "read", Type: modes.Datagram, Peer: endPoint(a), Err: err}
	}
	const what = `an ICMP port unreachable came back for a datagram: nothing on this host takes what is sent to 127\.0\.0\.1\.6666 from here`
	explained(t, read("127.0.0.1:6666"), unix.ECONNREFUSED, what+`: start the server first, or check the port`)
	s := openSocket(t, modes.IPv4, modes.Datagram)
	check(t, s.Bind(endPoint("127.0.0.1:6666")))
	check(t, s.Connect(endPoint("127.0.0.1:4444"), 0))
	owner := other(t, s)
	explained(t, read("127.0.0.1:6666"), unix.ECONNREFUSED, what+`, but `+owner+` takes datagrams there from 127\.0\.0\.1\.4444 alone: `+
		`use the addresses that it has, or start a server for any`)
}

// The kernel completes backlog+1 connections and then leaves SYNs unanswered.
func TestExplainFullQueue(t *testing.T) {
	if !alone(t) {
		return
	}
	ln := openSocket(t, modes.IPv4, modes.Stream)
	a := endPoint("127.0.0.1:6666")
	check(t, ln.Bind(a))
	check(t, ln.Listen(1))
	for range 2 {
		check(t, openSocket(t, modes.IPv4, modes.Stream).Connect(a, 0))
	}
	awaitEntry(t, "127.0.0.1:6666", func(e entry) bool { return e.state == listening && e.queued == 2 })
	owner := other(t, ln)
	f := modes.Failure{Call: "connect", Peer: a, Err: openSocket(t, modes.IPv4, modes.Stream).Connect(a, 50*time.Millisecond)}
	explained(t, f, unix.ETIMEDOUT, `no SYN was answered: `+owner+` has not accepted 2 of its connections yet, `+
		`and when its queue \(-q\) is full the kernel drops a SYN; wait for it, or start it with a longer queue`)
}

func TestExplainReset(t *testing.T) {
	if !alone(t) {
		return
	}
	server, client := connection(t, "127.0.0.1:6666")
	_, err := client.Write([]byte("unread"))
	check(t, err)
	awaitReadable(t, server)
	server.shut()
	f := modes.Failure{Call: "read"}
	_, f.Err = client.Read(make([]byte, 1))
	explained(t, f, unix.ECONNRESET, `the peer sent a RST, .*`)
	f.Call = "write"
	_, f.Err = client.Write([]byte("more"))
	explained(t, f, unix.EPIPE, `the connection has ended already, by a RST of the peer or an error reported before: connect again`)
}

func TestExplainRoutes(t *testing.T) {
	if !alone(t) {
		return
	}
	connect := func(typ modes.Type, a string, options ...modes.Option) modes.Failure {
		to := netip.AddrPortFrom(netip.MustParseAddr(a), 7)
		s := openSocket(t, version(to.Addr()), typ, options...)
		return modes.Failure{Call: "connect", Type: typ, Peer: to, Err: s.Connect(to, 0)}
	}
	const noRoute = `this host has no route to %: check the address, and the routes with ip route`
	explained(t, connect(modes.Stream, "192.0.2.1"), unix.ENETUNREACH, strings.Replace(noRoute, "%", `192\.0\.2\.1`, 1))
	explained(t, connect(modes.Datagram, "192.0.2.1"), unix.ENETUNREACH, strings.Replace(noRoute, "%", `192\.0\.2\.1`, 1))
	explained(t, connect(modes.Stream, "2001:db8::1"), unix.ENETUNREACH, strings.Replace(noRoute, "%", `2001:db8::1`, 1))
	explained(t, connect(modes.Datagram, "127.255.255.255"), unix.EACCES, `127\.255\.255\.255 is a broadcast address: give -B`)
	explained(t, connect(modes.Stream, "127.255.255.255"), unix.ENETUNREACH,
		`127\.255\.255\.255 is a broadcast address, and TCP connects two hosts: give -u and -B`)
	explained(t, connect(modes.Stream, "224.0.1.1"), unix.ENETUNREACH, `224\.0\.1\.1 is a group, and TCP connects two hosts: give -u`)
	explained(t, connect(modes.Stream, "fe80::1"), unix.EINVAL, `fe80::1 is a link-local address: name its interface too, as in fe80::1%eth0`)

	ip(t, "route", "add", "unreachable", "198.51.100.0/24")
	ip(t, "route", "add", "prohibit", "203.0.113.0/24")
	ip(t, "route", "add", "blackhole", "2001:db8:1::/48")
	explained(t, connect(modes.Stream, "2001:db8:1::1"), unix.EINVAL,
		`the routing table of this host drops what is for 2001:db8:1::1 \(blackhole\): see ip route get 2001:db8:1::1`)
	explained(t, connect(modes.Stream, "198.51.100.1"), unix.EHOSTUNREACH,
		`the routing table of this host rejects 198\.51\.100\.1: see ip route get 198\.51\.100\.1`)
	explained(t, connect(modes.Datagram, "203.0.113.1", modes.Broadcast), unix.EACCES,
		`the routing table of this host prohibits 203\.0\.113\.1: see ip route get 203\.0\.113\.1`)
}

func TestExplainARP(t *testing.T) {
	if !alone(t) {
		return
	}
	ip(t, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	t.Cleanup(func() { ip(t, "link", "del", "v0") })
	ip(t, "link", "set", "v1", "up")
	ip(t, "addr", "add", "10.0.0.1/24", "dev", "v0")
	ip(t, "link", "set", "v0", "up")
	ip(t, "route", "add", "default", "via", "10.0.0.9")
	sysctl(t, "ipv4/neigh/v0/retrans_time_ms", "20")
	connect := func(a string) modes.Failure {
		return modes.Failure{Call: "connect", Peer: endPoint(a), Err: openSocket(t, modes.IPv4, modes.Stream).Connect(endPoint(a), 0)}
	}
	explained(t, connect("10.0.0.77:7"), unix.EHOSTUNREACH, `nobody answered ARP for 10\.0\.0\.77 on v0: check the address, and that the host is up`)
	explained(t, connect("192.0.2.1:7"), unix.EHOSTUNREACH,
		`the gateway to 192\.0\.2\.1, 10\.0\.0\.9, did not answer ARP on v0: check the route, and that the gateway is up`)
}

func TestExplainTooLong(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, c := range []struct {
		f        modes.Family
		to       string
		n        int
		options  []modes.Option
		sentence string
	}{
		{modes.IPv4, "127.0.0.1:9", 65508, nil, `a datagram to 127\.0\.0\.1 holds at most 65507 bytes, or with -d 65507 \(path MTU 65535\): send less at a time \(-w\)`},
		{modes.IPv6, "[::1]:9", 65528, nil, `a datagram to ::1 holds at most 65527 bytes, or with -d 65488 \(path MTU 65536\): send less at a time \(-w\)`},
		{modes.IPv6, "[::1]:9", 65489, []modes.Option{modes.DontFragment}, `a datagram to ::1 .* or with -d 65488 .*`},
	} {
		s := openSocket(t, c.f, modes.Datagram, c.options...)
		f := modes.Failure{Call: "write", Type: modes.Datagram, Peer: endPoint(c.to)}
		check(t, s.Connect(f.Peer, 0))
		_, f.Err = s.Write(make([]byte, c.n))
		explained(t, f, unix.EMSGSIZE, c.sentence)
		if _, err := s.Write(make([]byte, c.n-1)); err != nil {
			t.Errorf("a datagram of one byte less: %v", err)
		}
	}
}

// The ends of the ranges that the sentences give are taken, what is beyond
// them is not.
func TestExplainOptions(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, c := range []struct {
		typ       modes.Type
		o         modes.Option
		name      string
		good, bad []int
		sentence  string
	}{
		{modes.Stream, modes.TTL, "IP_TTL", []int{1, 255}, []int{0, 256}, `the TTL is one byte, and 0 lets no datagram out: give -J 1 to 255`},
		{modes.Datagram, modes.MulticastTTL, "IP_MULTICAST_TTL", []int{0, 255}, []int{256}, `the TTL is one byte: give -t 0 to 255`},
		{modes.Stream, modes.MaxSeg, "TCP_MAXSEG", []int{88, 32767}, []int{87, 32768}, `Linux takes no such segment size: give -X 88 to 32767`},
	} {
		s := openSocket(t, modes.IPv4, c.typ)
		for _, v := range c.good {
			if err := s.Set(c.o, v); err != nil {
				t.Errorf("%s %d: %v", c.name, v, err)
			}
		}
		for _, v := range c.bad {
			f := modes.Failure{Call: "setsockopt", Type: c.typ, Name: c.name, Err: s.Set(c.o, v)}
			explained(t, f, unix.EINVAL, c.sentence)
		}
	}
	for family, err := range map[modes.Family]error{modes.IPv4: unix.EINVAL, modes.IPv6: unix.ENOPROTOOPT} {
		f := modes.Failure{Call: "setsockopt", Name: "IP_MULTICAST_TTL", Err: openSocket(t, family, modes.Stream).Set(modes.MulticastTTL, 1)}
		explained(t, f, err, `TCP connects two hosts and sends to no group: give -u`)
	}
	s := openSocket(t, modes.IPv6, modes.Stream)
	explained(t, modes.Failure{Call: "setsockopt", Name: "IP_TOS", Err: s.Set(modes.TOS, 256)}, unix.EINVAL, `the TOS is one byte: give -H 0 to 255`)

	s = openSocket(t, modes.IPv4, modes.Stream)
	check(t, s.Set(modes.TOS, 3))
	if v, err := s.Get(modes.TOS); v != 0 || err != nil {
		t.Errorf("the TOS 3 of a TCP socket reads back as %d, %v; Linux keeps the bits of ECN", v, err)
	}
	notSet := errors.New("asked for 3, got 0")
	explained(t, modes.Failure{Call: "setsockopt", Name: "IP_TOS", Err: notSet}, notSet,
		`the two low bits of the TOS are those of ECN, which Linux keeps for its TCP: give a multiple of 4`)

	f := modes.Failure{Call: "setsockopt", Name: "TCP_CONGESTION nosuch", Err: s.SetCongestion("nosuch")}
	explained(t, f, unix.ENOENT, `this kernel has no congestion control nosuch loaded: take one of .*\breno\b.*, or modprobe tcp_nosuch`)

	group := netip.MustParseAddr("224.0.1.1")
	f = modes.Failure{Call: "setsockopt", Name: "IP_ADD_MEMBERSHIP 224.0.1.1", Err: s.JoinGroup(group)}
	explained(t, f, unix.EPROTO, `TCP connects two hosts and joins no group: give -u`)
	s = openSocket(t, modes.IPv4, modes.Datagram)
	f.Type, f.Err = modes.Datagram, s.JoinGroup(group)
	explained(t, f, unix.ENODEV, `no interface leads to 224\.0\.1\.1: give the group a route, as with ip route add 224\.0\.1\.1 dev eth0`)
	ip(t, "route", "add", "224.0.1.1", "dev", "lo")
	check(t, s.JoinGroup(group))
	f.Err = s.JoinGroup(group)
	explained(t, f, unix.EADDRINUSE, `the socket is in 224\.0\.1\.1 already: name the group once`)
	f.Name, f.Err = "IP_ADD_MEMBERSHIP 10.1.1.1", s.JoinGroup(netip.MustParseAddr("10.1.1.1"))
	explained(t, f, unix.EINVAL, `10\.1\.1\.1 is not the address of a group: .*`)
}
