//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestRouted runs each of its scripts with a router between our own TCP and the
// kernel's, on each link on which there can be one, with both versions of IP.
//
// The machine of the script is the router. Its next link takes 1300 bytes, and
// $nowhere is an address that it cannot reach. The rest is as in TestLinks: a
// segment that fits that link carries $mss bytes.
func TestRouted(t *testing.T) {
	for _, m := range routedMeetings {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			setup := func(env *testscript.Env) error {
				env.Values["meeting"] = m
				return setupScript(env)
			}
			runScripts(t, "modes/raw/testdata/routed", setup, commands{"link": cmdRouted})
		})
	}
}

// Behind a TUN device the router is the kernel of our own machine.
var routedMeetings = []meeting{
	{"veth,IPv4", "--raw", "", "10.0.0.2", "10.1.0.2", true, false, 1248},
	{"veth,IPv6", "-6 --raw", "-6", "fd00::2", "fd01::2", true, false, 1228},
	{"ether,IPv4", "--raw --addr 10.0.0.9 --gateway 10.0.0.1", "", "10.0.0.9", "10.1.0.2", true, true, 1248},
	{"ether,IPv6", "-6 --raw --addr fd00::9 --gateway fd00::1", "-6", "fd00::9", "fd01::2", true, true, 1228},
	{"tun,IPv4", "--raw --tun tun7 --addr 10.9.0.2/24", "", "10.9.0.2", "10.1.0.2", false, true, 1248},
	{"tun,IPv6", "-6 --raw --tun tun7 --addr fd09::2/64", "-6", "fd09::2", "fd01::2", false, true, 1228},
}

func cmdRouted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: link")
	}
	m := ts.Value("meeting").(meeting)
	cmdHost(ts, false, []string{"A"})
	ts.Check(ts.Exec("ip", "link", "set", "eth0", "name", "a0"))
	cmdHost(ts, false, []string{"B"})
	ts.Check(ts.Exec("sh", "-ec", routes, "sh", ts.Getenv("A"), ts.Getenv("B")))
	ts.Check(ts.Exec("ping", "-c", "1", "-W", "20", "10.0.0.2")) // the links are up
	ts.Check(ts.Exec("ping", "-c", "1", "-W", "20", m.theirs))
	here := ""
	if m.host {
		here = ts.Getenv("A")
	}
	m.programs(ts, here, ts.Getenv("B"))
	ts.Setenv("nowhere", "10.2.0.2")
	if m.theirFlags == "-6" {
		ts.Setenv("nowhere", "fd02::2")
	}
}

// A - 10.0.0.0/24 - this machine - 10.1.0.0/24 - B
const routes = `
a="nsenter --net --target $1"
b="nsenter --net --target $2"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip addr flush dev eth0
ip addr add 10.1.0.1/24 dev eth0
ip addr add fd01::1/64 dev eth0 nodad
ip link set eth0 mtu 1300
ip route add unreachable 10.2.0.0/24
ip route add unreachable fd02::/64
$a ip route add default via 10.0.0.1
$a ip route add default via fd00::1
$b ip addr flush dev eth0
$b ip addr add 10.1.0.2/24 dev eth0
$b ip addr add fd01::2/64 dev eth0 nodad
$b ip route add default via 10.1.0.1
$b ip route add default via fd01::1
`
