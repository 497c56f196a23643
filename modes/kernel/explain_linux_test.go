package kernel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// paper is a machine that exists in files only. Its bind takes an address if
// able says so, its routing table gives what routes says.
func paper(t *testing.T, files map[string]string) machine {
	m := fixture(t, files)
	m.uid = 0
	m.addrs = func() []netip.Prefix {
		return []netip.Prefix{
			netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128"),
			netip.MustParsePrefix("10.0.0.1/24"),
		}
	}
	m.tryBind = func(netip.AddrPort, bool, bool) error { return unix.EADDRINUSE }
	m.route = func(netip.Addr, bool) (int, error) { return 1500, nil }
	return m
}

func TestExplainOnPaper(t *testing.T) {
	bind := modes.Failure{Call: "bind", Err: unix.EADDRINUSE, Local: endPoint("0.0.0.0:6666")}
	share, reuse := bind, bind
	share.Share, reuse.Reuse = true, true
	ours := reuse
	ours.OwnTCP = true
	udp := bind
	udp.Type = modes.Datagram
	six := bind
	six.Local = endPoint("[::]:6666")
	connect := func(err error, to string) modes.Failure {
		return modes.Failure{Call: "connect", Err: err, Peer: endPoint(to)}
	}
	listener := line("0.0.0.0:6666", "0.0.0.0:0", listening, "00:00000000", 0, 42)
	process := map[string]string{"77/fd/3": "socket:[42]", "77/comm": "sock\n"}
	const tw = "03:00001644" // 57 s
	for _, c := range []struct {
		name  string
		f     modes.Failure
		files map[string]string
		setup func(m *machine)
		want  string
	}{{
		name:  "a listener of another user",
		f:     share,
		files: map[string]string{"net/tcp": line("0.0.0.0:6666", "0.0.0.0:0", listening, "00:00000000", 1000, 43)},
		want: "port 6666 is taken by a process that /proc does not show, which listens on 0.0.0.0.6666: stop it or take another port " +
			"(-A never shares a port with a listener, nor -T with one of another user, 1000)",
	}, {
		name:  "a listener without -T",
		f:     share,
		files: map[string]string{"net/tcp": listener},
		want: "port 6666 is taken by sock (pid 77), which listens on 0.0.0.0.6666: stop it, take another port, or start that one with -T too " +
			"(-A never shares a port with a listener)",
	}, {
		name: "a port that a TCP beside the kernel's has",
		f:    share,
		files: map[string]string{
			"net/tcp": listener, "net/raw": line("0.0.0.0:6", "0.0.0.0:0", closed, "00:00000000", 0, 43), "77/fd/4": "socket:[43]",
		},
		want: "port 6666 is taken by sock (pid 77), which has it for a TCP of its own: stop it, take another port, " +
			"or give that one a network or an address of its own with --wire or --addr " +
			"(with --raw a port is one program's while it is in use, and neither -A nor -T shares it)",
	}, {
		name: "who has a raw socket, but none of TCP, and another who has",
		f:    share,
		files: map[string]string{
			"net/tcp": listener, "77/fd/4": "socket:[43]", "78/fd/3": "socket:[44]",
			"net/raw": line("0.0.0.0:1", "0.0.0.0:0", closed, "00:00000000", 0, 43) +
				line("0.0.0.0:6", "0.0.0.0:0", closed, "00:00000000", 0, 44),
		},
		want: "port 6666 is taken by sock (pid 77), which listens on 0.0.0.0.6666: stop it, take another port, or start that one with -T too " +
			"(-A never shares a port with a listener)",
	}, {
		name:  "a listener in the way of a TCP beside the kernel's",
		f:     ours,
		files: map[string]string{"net/tcp": listener},
		want: "port 6666 is taken by sock (pid 77), which listens on 0.0.0.0.6666: stop it, take another port, " +
			"or give this one a network or an address of its own with --wire or --addr " +
			"(with --raw a port is one program's while it is in use, and neither -A nor -T shares it)",
	}, {
		name: "a listener outranks what it left in TIME_WAIT",
		f:    bind,
		files: map[string]string{
			"net/tcp": header + line("127.0.0.1:6666", "127.0.0.1:1081", timeWait, tw, 0, 0) + listener,
		},
		want: "port 6666 is taken by sock (pid 77), which listens on 0.0.0.0.6666: stop it, take another port, or start both with -T " +
			"(-A never shares a port with a listener)",
	}, {
		name: "the longest of several in TIME_WAIT",
		f:    bind,
		files: map[string]string{"net/tcp": line("127.0.0.1:6666", "127.0.0.1:1081", timeWait, "03:00000001", 0, 0) +
			line("127.0.0.1:6666", "127.0.0.1:1082", timeWait, tw, 0, 0) +
			line("127.0.0.1:6667", "127.0.0.1:1083", timeWait, tw, 0, 0)},
		want: "port 6666 is in TIME_WAIT (127.0.0.1.6666 to 127.0.0.1.1082 and 1 more), 57 s left: wait, " +
			"or another time start both with -A (on Linux -A has to be on the first socket too)",
	}, {
		name:  "-A was given and bind takes it",
		f:     reuse,
		files: map[string]string{"net/tcp": ""},
		setup: func(m *machine) { m.tryBind = func(netip.AddrPort, bool, bool) error { return nil } },
		want:  "port 6666 has come free in the meantime: start it again",
	}, {
		name:  "no try is made for an address of unknown version",
		f:     modes.Failure{Call: "bind", Err: unix.EADDRINUSE, Local: netip.AddrPortFrom(netip.Addr{}, 6666)},
		files: map[string]string{"net/tcp": ""},
		want:  "",
	}, {
		name:  "no table, no explanation",
		f:     bind,
		files: nil,
		want:  "",
	}, {
		name: "an IPv6 socket that may stand for IPv4",
		f:    bind,
		files: map[string]string{
			"net/tcp":  "",
			"net/tcp6": line("[::]:6666", "[::]:0", listening, "00:00000000", 0, 42),
		},
		want: "port 6666 is taken by sock (pid 77), which listens on ::.6666: stop it, take another port, or start both with -T " +
			"(-A never shares a port with a listener)",
	}, {
		name: "ours of IPv6 is for IPv6 alone",
		f:    six,
		files: map[string]string{
			"net/tcp":  listener,
			"net/tcp6": line("[2001:db8::1]:6666", "[2001:db8::2]:1081", timeWait, tw, 0, 0),
		},
		want: "port 6666 is in TIME_WAIT (2001:db8::1.6666 to 2001:db8::2.1081), 57 s left: wait, " +
			"or another time start both with -A (on Linux -A has to be on the first socket too)",
	}, {
		name:  "another address clashes with none of these",
		f:     modes.Failure{Call: "bind", Err: unix.EADDRINUSE, Local: endPoint("127.0.0.2:6666")},
		files: map[string]string{"net/tcp": line("127.0.0.1:6666", "0.0.0.0:0", listening, "00:00000000", 0, 42)},
		want:  "port 6666 is held by a socket that neither listens nor is connected, which /proc does not show: end its process or take another port",
	}, {
		name:  "a connected UDP socket",
		f:     udp,
		files: map[string]string{"net/udp": line("127.0.0.1:6666", "127.0.0.1:53", established, "00:00000000", 0, 42)},
		want: "port 6666 is taken by sock (pid 77), which has a UDP socket on 127.0.0.1.6666 to 127.0.0.1.53: stop it, take another port, " +
			"or start both with -A (UDP sockets share a port if both have -A, or both -T and the same user)",
	}, {
		name:  "a privileged port",
		f:     modes.Failure{Call: "bind", Err: unix.EACCES, Local: endPoint("0.0.0.0:79")},
		files: map[string]string{"sys/net/ipv4/ip_unprivileged_port_start": "80\n"},
		want: "ports below 80 (net.ipv4.ip_unprivileged_port_start) need a privilege: run it as root, " +
			"give the program the capability with setcap cap_net_bind_service=ep, or take a port from 80 on",
	}, {
		name:  "EACCES for a port that is not privileged",
		f:     modes.Failure{Call: "bind", Err: unix.EACCES, Local: endPoint("0.0.0.0:80")},
		files: map[string]string{"sys/net/ipv4/ip_unprivileged_port_start": "80\n"},
		want:  "",
	}, {
		name: "an address of nobody here",
		f:    modes.Failure{Call: "bind", Err: unix.EADDRNOTAVAIL, Local: endPoint("192.0.2.7:80")},
		want: "no interface of this host that is up has the address 192.0.2.7: take one of 127.0.0.1, 10.0.0.1, or leave the address out",
	}, {
		name: "an address that is there but not ready",
		f:    modes.Failure{Call: "bind", Err: unix.EADDRNOTAVAIL, Local: endPoint("10.0.0.1:80")},
		want: "",
	}, {
		name: "a host whose only IPv6 addresses are of the link",
		f:    modes.Failure{Call: "bind", Err: unix.EADDRNOTAVAIL, Local: endPoint("[2001:db8::1]:80")},
		setup: func(m *machine) {
			m.addrs = func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("fe80::7/64")} }
		},
		want: "no interface of this host that is up has the address 2001:db8::1: leave the address out",
	}, {
		name: "an unresolved gateway",
		f:    connect(unix.EHOSTUNREACH, "192.0.2.1:7"),
		files: map[string]string{
			"net/route": "v0\t00000000\t" + word("10.0.0.9") + "\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
			"net/arp":   "IP address HW type Flags HW address Mask Device\n10.0.0.9 0x1 0x0 00:00:00:00:00:00 * v0\n",
		},
		want: "the gateway to 192.0.2.1, 10.0.0.9, did not answer ARP on v0: check the route, and that the gateway is up",
	}, {
		name: "a resolved neighbour",
		f:    connect(unix.EHOSTUNREACH, "10.0.0.9:7"),
		files: map[string]string{
			"net/arp": "IP address HW type Flags HW address Mask Device\n10.0.0.9 0x1 0x2 02:00:00:00:00:01 * v0\n",
		},
		want: "nobody answered for that address on the last link, or a router refused it with ICMP: check the address, and that 10.0.0.9 is up",
	}, {
		name: "a network that only a router can have refused",
		f:    connect(unix.ENETUNREACH, "192.0.2.1:7"),
		want: "this host has a route to 192.0.2.1, so a router refused it with ICMP, or -Y forbids the route: see ip route get 192.0.2.1",
	}, {
		name: "a packet filter",
		f:    connect(unix.EPERM, "10.0.0.9:7"),
		want: "a packet filter of this host (nftables, iptables or BPF) did not let it out: see nft list ruleset",
	}, {
		name: "no IPv6 here but ::1",
		f:    connect(unix.EADDRNOTAVAIL, "[2001:db8::1]:7"),
		setup: func(m *machine) {
			m.addrs = func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")} }
		},
		want: "no interface of this host that is up has an IPv6 address: give it one, or use IPv4",
	}, {
		name:  "a buffer over the limit",
		f:     modes.Failure{Call: "setsockopt", Err: errors.New("asked for 9, got 8"), Name: "SO_RCVBUF"},
		files: map[string]string{"sys/net/core/rmem_max": "8\n"},
		want:  "net.core.rmem_max allows 8 bytes: give -R less, or raise it with sysctl -w net.core.rmem_max=N",
	}, {
		name:  "a congestion control that is not for everybody",
		f:     modes.Failure{Call: "setsockopt", Err: unix.EPERM, Name: "TCP_CONGESTION bbr"},
		files: map[string]string{"sys/net/ipv4/tcp_allowed_congestion_control": "reno cubic\n"},
		want:  "bbr needs CAP_NET_ADMIN: run it as root, or take one of reno cubic (net.ipv4.tcp_allowed_congestion_control)",
	}, {
		name:  "too many groups",
		f:     modes.Failure{Call: "setsockopt", Err: unix.ENOBUFS, Name: "IP_ADD_MEMBERSHIP 224.0.1.1"},
		files: map[string]string{"sys/net/ipv4/igmp_max_memberships": "20\n"},
		want:  "net.ipv4.igmp_max_memberships allows 20 groups: join fewer, or raise it with sysctl -w",
	}, {
		name: "an option that Linux lacks",
		f:    modes.Failure{Call: "setsockopt", Err: unsupported{"IP_ONESBCAST"}, Name: "IP_ONESBCAST"},
		want: "without it a broadcast goes to the address that is given: leave -2 out, and send to 255.255.255.255 with -B",
	}} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{}
			for _, some := range []map[string]string{process, c.files} {
				for name, text := range some {
					files[name] = text
				}
			}
			m := paper(t, files)
			if c.setup != nil {
				c.setup(&m)
			}
			if got := m.explain(c.f); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// word is an IPv4 address as /proc prints it here.
func word(a string) string { return line(a+":0", a+":0", 0, "0:0", 0, 0)[6:14] }

// What the error alone tells is the same on every system, and nothing is
// broken by a failure of which little is known.
func TestExplainGeneral(t *testing.T) {
	peer := endPoint("10.0.0.2:7")
	for _, c := range []struct {
		f    modes.Failure
		want string
	}{
		{modes.Failure{}, ""},
		{modes.Failure{Call: "open", Err: unix.ENOENT}, ""},
		{modes.Failure{Call: "connect", Err: unix.EINTR, Peer: peer}, ""},
		{
			modes.Failure{Call: "connect", Err: unix.ECONNREFUSED, Peer: peer},
			"the SYN to 10.0.0.2.7 was refused, by a RST of the host, where nothing listens on the port, or by a firewall: " +
				"start the server there, or check the port",
		},
		{
			modes.Failure{Call: "connect", Err: unix.ETIMEDOUT, Peer: peer},
			"no SYN was answered: see whether 10.0.0.2 is up and lets port 7 through, or give it more time if --connect-timeout was short",
		},
		{
			modes.Failure{Call: "read", Err: unix.ECONNRESET},
			"the peer sent a RST, as it does if its process closes with data unread or with -L0, " +
				"or if its host knows no such connection: look for the reason at that end",
		},
		{
			modes.Failure{Call: "write", Err: unix.EPIPE, Peer: peer},
			"the connection has ended already, by a RST of 10.0.0.2.7 or an error reported before: connect again",
		},
		{
			modes.Failure{Call: "read", Err: unix.ETIMEDOUT, Peer: peer},
			"what was sent again and again, as data or as probes (-K), was never acknowledged by 10.0.0.2.7: " +
				"see whether that host is up and the way to it whole",
		},
		{
			modes.Failure{Call: "read", Err: modes.ErrTimeout, Peer: peer},
			"nothing came from 10.0.0.2.7 in the time of -x: give it more time, or see what that end does",
		},
		{
			modes.Failure{Call: "write", Err: modes.ErrTimeout},
			"the peer took no data in the time of -y: give it more time, or see whether that end reads",
		},
		{
			modes.Failure{Call: "write", Err: unix.EMSGSIZE, Type: modes.Datagram},
			"a datagram holds at most 65507 bytes, or with -d what the path takes in one packet: send less at a time (-w)",
		},
		{
			modes.Failure{Call: "write", Err: unix.EMSGSIZE, Type: modes.Datagram, Local: endPoint("[::]:7")},
			"a datagram holds at most 65527 bytes, or with -d what the path takes in one packet: send less at a time (-w)",
		},
		{
			modes.Failure{Call: "write", Err: unix.EDESTADDRREQ, Type: modes.Datagram},
			"nobody has written to this socket yet, so there is nobody to send to: name the other end with -f",
		},
		{
			modes.Failure{Call: "bind", Err: unix.EINVAL, Local: endPoint("[fe80::1]:7")},
			"fe80::1 is a link-local address: name its interface too, as in fe80::1%eth0",
		},
		{
			modes.Failure{Call: "connect", Err: unix.ENXIO, Peer: netip.AddrPortFrom(netip.MustParseAddr("fe80::1%nosuch"), 7)},
			"this host has no interface nosuch: see ip link or ifconfig for their names",
		},
		{
			modes.Failure{Call: "bind", Err: unix.EAFNOSUPPORT, Local: endPoint("[::1]:7")},
			"::1 is an IPv6 address: give -6",
		},
		{modes.Failure{Call: "socket", Err: unix.EAFNOSUPPORT}, "this system has no IPv6: leave -6 out"},
		{
			modes.Failure{Call: "accept", Err: unix.EMFILE},
			"this process may not have more files open: serve fewer clients, or raise the limit with ulimit -n",
		},
		{
			modes.Failure{Call: "lookup service", Err: unix.ENOENT, Name: "telnet/udp"},
			"telnet is a service of TCP only: leave -u out, or give the port's number",
		},
		{
			modes.Failure{Call: "lookup service", Err: unix.ENOENT, Name: "tftp/tcp"},
			"tftp is a service of UDP only: give -u, or give the port's number",
		},
		{
			modes.Failure{Call: "lookup service", Err: unix.ENOENT, Name: "no-such-service/tcp"},
			"/etc/services has no line for no-such-service: check the spelling, or give the port's number",
		},
	} {
		if got := general(c.f); got != c.want {
			t.Errorf("%s, %v\ngot  %s\nwant %s", c.f.Call, c.f.Err, got, c.want)
		}
	}
}

func TestExplainUnknownHost(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		name string
		all  []netip.Addr
		err  error
		want string
	}{
		{"svr4", []netip.Addr{v6}, nil, "svr4 has only IPv6 addresses (2001:db8::1): give -6"},
		{"svr4", []netip.Addr{v4}, nil, "svr4 has only IPv4 addresses (192.0.2.1): leave -6 out"},
		{"svr4", []netip.Addr{v4, v6}, nil, ""},
		{"svr4", []netip.Addr{v6, v6, v6, v6, v6}, nil, "svr4 has only IPv6 addresses (2001:db8::1, 2001:db8::1, 2001:db8::1, 2001:db8::1, ...): give -6"},
		{"srv4", nil, &net.DNSError{IsNotFound: true}, "neither /etc/hosts nor the name servers know srv4: check the spelling, or give the address"},
		{"svr4", nil, &net.DNSError{IsTimeout: true}, "no name server answers about svr4: check the network and /etc/resolv.conf, or give the address"},
		{"svr4", nil, errors.New("?"), ""},
		{"::1", []netip.Addr{v6}, nil, ""},
		{"", []netip.Addr{v6}, nil, ""},
	} {
		look := func(context.Context, string, string) ([]netip.Addr, error) { return c.all, c.err }
		f := modes.Failure{Call: "lookup host", Name: c.name, Err: errors.New("no address")}
		if got := unknownHost(f, look); got != c.want {
			t.Errorf("%s %v %v\ngot  %s\nwant %s", c.name, c.all, c.err, got, c.want)
		}
	}
}
