package opts

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// parse parses a line whose words have no blanks; "" stands for an empty one.
func parse(line string) (*Options, error) {
	words := strings.Fields(line)
	for i, w := range words {
		if w == `""` {
			words[i] = ""
		}
	}
	return Parse(words)
}

// TestParse states, for each line, how Options differ from those of "host port".
func TestParse(t *testing.T) {
	addrPort := netip.MustParseAddrPort
	addr := netip.MustParseAddr
	for _, test := range []struct {
		line string
		want func(o *Options)
	}{
		{"host port", func(o *Options) {}},
		{"-- host port", func(o *Options) {}},
		{"host -v port", func(o *Options) { o.Verbose = 1 }},
		{"host port -vv --verbose", func(o *Options) { o.Verbose = 3 }},
		{"host 65535", func(o *Options) { o.Service = "65535" }},
		{"-v -- -host port", func(o *Options) { o.Verbose, o.Host = 1, "-host" }},

		// What a flag takes may be attached or not, combined or not.
		{"-L0 -b1098 host port", func(o *Options) { o.Linger, o.LocalPort = 0, 1098 }},
		{"-L 0 host -b 1098 port", func(o *Options) { o.Linger, o.LocalPort = 0, 1098 }},
		{"--linger=0 --local-port 1098 host port", func(o *Options) { o.Linger, o.LocalPort = 0, 1098 }},
		{"-KNL0 host port", func(o *Options) { o.KeepAlive, o.NoDelay, o.Linger = true, true, 0 }},
		{"-is port -r4", func(o *Options) { o.Bulk, o.Server, o.Host, o.ReadSize = true, true, "", 4 }},
		{"-uvo host port", func(o *Options) { o.UDP, o.Verbose, o.NoConnect = true, 1, true }},
		{"-s -q1 -O30 -F port", func(o *Options) {
			o.Server, o.Host, o.Backlog, o.PauseListen, o.Fork = true, "", 1, 30*time.Second, true
		}},
		{"-s host port", func(o *Options) { o.Server = true }},
		{"-s 0", func(o *Options) { o.Server, o.Host, o.Service = true, "", "0" }},

		// Times.
		{"-P1.5 -p 500ms -Q2m host port", func(o *Options) {
			o.PauseFirst, o.PauseEach, o.PauseClose = 1500*time.Millisecond, 500*time.Millisecond, 2*time.Minute
		}},
		{"-P1500 --ms -Q 2s host port", func(o *Options) {
			o.PauseFirst, o.PauseClose = 1500*time.Millisecond, 2*time.Second
		}},
		{"--ms -x 5 -y 7 --connect-timeout 9 -p 11 host port", func(o *Options) {
			o.ReadTimeout, o.WriteTimeout = 5*time.Millisecond, 7*time.Millisecond
			o.ConnectTimeout, o.PauseEach = 9*time.Millisecond, 11*time.Millisecond
		}},
		{"-x 1m30s -y.25 host port", func(o *Options) { o.ReadTimeout, o.WriteTimeout = 90*time.Second, 250*time.Millisecond }},
		{"-P0 host port", func(o *Options) {}},
		{"-P line -pline --ms --pause-close line host port", func(o *Options) {
			o.PauseFirst, o.PauseEach, o.PauseClose = UntilLine, UntilLine, UntilLine
		}},
		{"-Oline -s port", func(o *Options) { o.Server, o.Host, o.PauseListen = true, "", UntilLine }},

		// End points.
		{"-l 10.0.0.1.1098 host port", func(o *Options) { o.LocalAddr, o.LocalPort = addr("10.0.0.1"), 1098 }},
		{"-l 10.0.0.1.0 -b 7 host port", func(o *Options) { o.LocalAddr, o.LocalPort = addr("10.0.0.1"), 7 }},
		{"-6 -l ::1.5951 host port", func(o *Options) { o.IPv6, o.LocalAddr, o.LocalPort = true, addr("::1"), 5951 }},
		{"-6 -l fe80::1%lo.0 ::1 port", func(o *Options) { o.IPv6, o.LocalAddr, o.Host = true, addr("fe80::1%lo"), "::1" }},
		{"-us -f 140.252.13.35.4444 port", func(o *Options) {
			o.UDP, o.Server, o.Host, o.Foreign = true, true, "", addrPort("140.252.13.35:4444")
		}},
		{"-6us -f fd00::2.9 port", func(o *Options) {
			o.IPv6, o.UDP, o.Server, o.Host, o.Foreign = true, true, true, "", addrPort("[fd00::2]:9")
		}},
		{"-u -j 224.0.1.1 -j 224.0.1.2 host port", func(o *Options) {
			o.UDP, o.Groups = true, []netip.Addr{addr("224.0.1.1"), addr("224.0.1.2")}
		}},
		{"-g a -g 10.0.0.1 host port", func(o *Options) { o.Route = []string{"a", "10.0.0.1"} }},
		{"-G a -G b host port", func(o *Options) { o.Route, o.RouteExact = []string{"a", "b"}, true }},

		// Numbers.
		{"-H 16 host port", func(o *Options) { o.TOS = 16 }},
		{"-H 0x10 host port", func(o *Options) { o.TOS = 16 }},
		{"-H 0XfF -J 255 host port", func(o *Options) { o.TOS, o.TTL = 255, 255 }},
		{"-u -t0 -H0 host port", func(o *Options) { o.UDP, o.MulticastTTL, o.TOS = true, 0, 0 }},
		{"-i -n 0 host port", func(o *Options) { o.Bulk, o.Writes, o.NGiven = true, 0, true }},
		{"-i -n 4 -U4 -w 1024 host port", func(o *Options) {
			o.Bulk, o.Writes, o.NGiven, o.Urgent, o.WriteGiven = true, 4, true, 4, true
		}},
		{"-i --file data -U2000 -w1 host port", func(o *Options) {
			o.Bulk, o.File, o.Urgent, o.WriteSize, o.WriteGiven = true, "data", 2000, 1, true
		}},
		{"-iu -w0 host port", func(o *Options) { o.Bulk, o.UDP, o.WriteSize, o.WriteGiven = true, true, 0, true }},
		{"-r 65536 -R 1 -S 1073741824 host port", func(o *Options) { o.ReadSize, o.RecvBuf, o.SendBuf = 65536, 1, 1<<30 }},

		{"-V host port", func(o *Options) { o.Vector, o.Chunks = true, true }},
		{"-k host port", func(o *Options) { o.Chunks = true }},
		{"-uB2 host port", func(o *Options) { o.UDP, o.Broadcast, o.OnesBroadcast = true, true, true }},
		{"-h -c -C -Z host port", func(o *Options) { o.HalfClose, o.CRLF, o.Cbreak, o.Peek = true, true, true, true }},
		{"-i -W --json --tcp-info host port", func(o *Options) { o.Bulk, o.KeepOn, o.JSON, o.TCPInfo = true, true, true, true }},
		{"-s --echo port", func(o *Options) { o.Server, o.Echo, o.Host = true, true, "" }},

		// Our own TCP, and the wire.
		{"--raw --wire w --addr 10.0.0.1/24 --profile bsd --set msl=2s --set ttl=9 --seed 7 host port", func(o *Options) {
			o.Raw, o.Wire, o.Addr, o.Profile, o.Set, o.Seed = true, "w", []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}, "bsd", []string{"msl=2s", "ttl=9"}, 7
		}},
		{"--raw --wire w --trace --ladder a.svg --pcapng b host port", func(o *Options) {
			o.Raw, o.Wire, o.Trace, o.Ladder, o.Pcapng = true, "w", true, "a.svg", "b"
		}},
		{"-u --raw --wire w --trace host port", func(o *Options) {
			o.UDP, o.Raw, o.Wire, o.Trace = true, true, "w", true
		}},
		{"-u --raw host port", func(o *Options) { o.UDP, o.Raw = true, true }},
		{"-i --raw --wire w --trace-json - --drop SYN host port", func(o *Options) {
			o.Bulk, o.Raw, o.Wire, o.TraceJSON, o.Drop = true, true, "w", "-", []string{"SYN"}
		}},
		{"-v --hub --wire w --delay 40ms --loss 1% --mtu 576 --drop SYN --drop RST --seed 3", func(o *Options) {
			o.Verbose, o.Hub, o.Wire, o.MTU, o.Seed, o.Drop = 1, true, "w", 576, 3, []string{"SYN", "RST"}
			o.Conditions = []Condition{{"delay", "40ms"}, {"loss", "1%"}}
			o.Host, o.Service = "", ""
		}},
	} {
		got, err := parse(test.line)
		if err != nil {
			t.Errorf("%s: %v", test.line, err)
			continue
		}
		want := defaults()
		want.Host, want.Service = "host", "port"
		test.want(want)
		// What is private was only needed on the way.
		got.local, got.strict, got.ms = want.local, want.strict, want.ms
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.line, got, want)
		}
	}
}

// TestInstead: what is printed instead of a connection needs no operands.
func TestInstead(t *testing.T) {
	for line, set := range map[string]func(o *Options) bool{
		"--help":            func(o *Options) bool { return o.Help },
		"--man":             func(o *Options) bool { return o.Man },
		"-0":                func(o *Options) bool { return o.Version },
		"--version":         func(o *Options) bool { return o.Version },
		"-v --help -q5 a":   func(o *Options) bool { return o.Help },
		"--completion=bash": func(o *Options) bool { return o.Completion == "bash" },
	} {
		if o, err := parse(line); err != nil || !set(o) {
			t.Errorf("%s: %+v, %v", line, o, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range [][2]string{
		{"", "the operands are missing: a client is sock host port, a server sock -s [address] port"},
		{"-s", "the operands are missing: a server is sock -s [address] port"},
		{"host", `a port is missing after "host": a client is sock host port, a server sock -s [address] port`},
		{"a b c", `"c" is one operand too many: a client is sock host port, a server sock -s [address] port`},
		{"-s a b c", `"c" is one operand too many: a server is sock -s [address] port`},
		{`"" port`, "the host is empty: a client is sock host port, a server sock -s [address] port"},
		{`host ""`, "the port is empty: a client is sock host port, a server sock -s [address] port"},
		{"host 5403abc", `the port "5403abc" is neither a number from 1 to 65535 nor a service name`},
		{"host 65536", `the port "65536" is neither a number from 1 to 65535 nor a service name`},
		{"host +80", `the port "+80" is neither a number from 1 to 65535 nor a service name`},
		{"host 0x50", `the port "0x50" is neither a number from 1 to 65535 nor a service name`},
		{"host -- -80", `the port "-80" is neither a number from 1 to 65535 nor a service name`},
		{"host 0", "the port 0 is for a server only, whose system then picks one"},

		{"-z host port", "-z is not a flag: sock --help lists them"},
		{"-vz host port", "-z in -vz is not a flag: sock --help lists them"},
		{"--zzz host port", "--zzz is not a flag: sock --help lists them"},
		{"--write host port", "--write is not a flag: sock --help lists them"},
		{"---v host port", "---v is not a flag: sock --help lists them"},
		{"-test.5 host port", "-test.5 is not a flag: sock --help lists them"},
		{"-vtest.v host port", "-vtest.v is not a flag: sock --help lists them"},
		{"-s5555", "-5 in -s5555 is not a flag: sock --help lists them"},
		{"-5 host port", "-5 (SCTP) is left out: sock speaks TCP and UDP"},
		{"-v5s port", "-5 (SCTP) is left out: sock speaks TCP and UDP"},
		{"--sctp host port", "--sctp is left out: sock speaks TCP and UDP"},
		{"-6 -e 1 host port", "-e (automatic IPv6 flow labels) is left out"},
		{"-6 -1 5 host port", "-1 (made-up IPv6 extension headers) is left out"},
		{"-6 -9 5 host port", "-9 (made-up IPv6 extension headers) is left out"},

		{"-q", "-q takes a whole number from 0 to 65535, and nothing follows it"},
		{"-vL", "-L takes a whole number from 0 to 65535, and nothing follows it"},
		{"--linger", "--linger takes a whole number from 0 to 65535, and nothing follows it"},
		{"-q 1x -s port", `-q takes a whole number from 0 to 65535, not "1x"`},
		{"--backlog=1x -s port", `--backlog takes a whole number from 0 to 65535, not "1x"`},
		{"-L -1 host port", `-L takes a whole number from 0 to 65535, not "-1"`},
		{"-L 65536 host port", `-L takes a whole number from 0 to 65535, not "65536"`},
		{"-i -n -5 host port", `-n takes a whole number, at least 0, not "-5"`},
		{"-i -n 99999999999999999999 host port", `-n takes a whole number, at least 0, not "99999999999999999999"`},
		{"-r 0 host port", `-r takes a whole number from 1 to 1073741824, not "0"`},
		{"-r 1e3 host port", `-r takes a whole number from 1 to 1073741824, not "1e3"`},
		{"-b 65536 host port", `-b takes a port number from 1 to 65535, not "65536"`},
		{"-b 0 host port", `-b takes a port number from 1 to 65535, not "0"`},
		{"-H 256 host port", `-H takes a number from 0 to 255 (decimal, or hexadecimal after 0x), not "256"`},
		{"-H 0x host port", `-H takes a number from 0 to 255 (decimal, or hexadecimal after 0x), not "0x"`},
		{"-H 1f host port", `-H takes a number from 0 to 255 (decimal, or hexadecimal after 0x), not "1f"`},
		{"-J 0 host port", `-J takes a whole number from 1 to 255, not "0"`},
		{"-P 5x host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "5x"`},
		{"-P -5 host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "-5"`},
		{"-P +5 host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "+5"`},
		{"-P . host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "."`},
		{"-P 1e100 host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "1e100"`},
		{"-P 99999999999 host port", `-P takes a time such as 5, 1.5s, 500ms or 2m, or line, not "99999999999"`},
		{"-x 1ns host port", `-x takes a time such as 5, 1.5s, 500ms or 2m, not "1ns"`},
		{"-x 0.0001 --ms host port", `-x takes a time such as 5, 1.5s, 500ms or 2m, not "0.0001ms"`},
		{"-us -f 10.0.0.1 port", `-f takes an address, a dot and a port, such as 140.252.13.35.4444 or ::1.5951, not "10.0.0.1"`},
		{"-us -f 10.0.0.1.0 port", `-f takes an address, a dot and a port, such as 140.252.13.35.4444 or ::1.5951, not "10.0.0.1.0"`},
		{"-us -f 10.0.0.1.65536 port", `-f takes an address, a dot and a port, such as 140.252.13.35.4444 or ::1.5951, not "10.0.0.1.65536"`},
		{"-l sun.0 host port", `-l takes an address, a dot and a port (0 for any), such as 140.252.13.35.1098 or ::1.0, not "sun.0"`},
		{"-l 7 host port", `-l takes an address, a dot and a port (0 for any), such as 140.252.13.35.1098 or ::1.0, not "7"`},
		{"-u -j 10.0.0.1 host port", `-j takes a multicast address such as 224.0.1.1 or ff02::1234, not "10.0.0.1"`},
		{`-i --file "" host port`, `--file takes the name of a file, not ""`},
		{`-g "" host port`, `-g takes a host name or an IPv4 address, not ""`},
		{"--completion tcsh", `--completion takes bash, zsh or fish, not "tcsh"`},
		{"--udp=yes host port", `--udp takes no argument, not "yes"`},
		{"-v=2 host port", `-v takes no argument, not "2"`},

		{"-i -n1 -n2 host port", "-n is given twice"},
		{"-i -n1 --writes=2 host port", "--writes is given twice"},
		{"-u -j 224.0.1.1 -j 224.0.1.1 host port", "-j 224.0.1.1 is given twice"},
		{"-us -j 224.0.1.1 224.0.1.1 port", "a server at 224.0.1.1 joins that group anyway: drop -j"},
		{"-g a -G b host port", "-g and -G are mixed: a source route is either loose or strict"},
		{strings.Repeat("-g a ", 10) + "host port", "a source route has room for 9 hops, not for 10"},
		{"-b 5 -l 10.0.0.1.6 host port", "-b and -l both give the local port: drop -b, or let the port of -l be 0"},
		{"-u -2 host port", "-2 is a way to broadcast: add -B"},
		{"-i -n 4 -U5 host port", "-U 5 comes after the last of the 4 writes: raise -n or lower -U"},
		{"-i -w0 host port", "-w 0 is for UDP, which sends it as an empty datagram: TCP takes at least 1"},
		{"-w0 host port", "-w 0 is for UDP, which sends it as an empty datagram: TCP takes at least 1"},
		{"-iu -w0 --file x host port", "-w 0 never comes to the end of --file: take at least 1"},
		{"-w5 -k host port", "-w and -k both say how much to write at a time: drop one of the two"},
		{"-w5 -V host port", "-w and -V both say how much to write at a time: drop one of the two"},
		{"-i --stats --json host port", "--stats and --json tell the same: drop one of the two"},
		{"-s --echo -h port", "-h is about standard input, which --echo does not read: drop one of the two"},
		{"-s --echo -c port", "-c is about standard input, which --echo does not read: drop one of the two"},
		{"-s --echo --cbreak port", "--cbreak is about standard input, which --echo does not read: drop one of the two"},

		{"--raw --addr fd00::9 host port", "--addr fd00::9 is an IPv6 address: add -6, or an IPv4 address after a comma"},
		{"-6 --raw --wire w --addr 10.0.0.9 host port", "--addr 10.0.0.9 is an IPv4 address: drop -6, or add an IPv6 address after a comma"},
		{"--raw --addr fd00::8,10.0.0.8,10.0.0.9 host port", "--addr takes one address of each version of IP, unless it is on a wire: drop 10.0.0.8 or 10.0.0.9"},
		{"--raw --addr 10.0.0.9 --gateway 10.0.0.1,10.0.0.2 host port", "--gateway takes an address such as 10.0.0.1 or fe80::1, of each version of IP one, with a comma between, not \"10.0.0.1,10.0.0.2\""},
		{"--raw --addr auto host port", "--addr auto is for a wire, whose hub knows what is free: name an address, or add --wire FILE"},
		{"--hub --wire udp:127.0.0.1", "--wire takes the name of a socket's file, or udp:ADDRESS:PORT, such as udp:127.0.0.1:7000, not \"udp:127.0.0.1\""},
		{"--hub --wire udp:127.0.0.1:0", "--wire takes the name of a socket's file, or udp:ADDRESS:PORT, such as udp:127.0.0.1:7000, not \"udp:127.0.0.1:0\""},
		{"--raw --wire w --tun tun0 host port", "--tun is not for a wire: drop it, or drop --wire"},
		{"--raw --wire w --gateway 10.0.0.1 host port", "--gateway is not for a wire: drop it, or drop --wire"},
		{
			"--raw --tun tun0 --addr 10.0.0.1/24 --interface eth0 host port", "--interface is for an Ethernet: " +
				"behind a TUN device the kernel is the way to everywhere; drop it, or drop --tun",
		},
		{
			"--raw --interface eth0 host port",
			"--interface needs the address that this host is to have there: add --addr ADDRESS/LENGTH",
		},
		{"--interface eth0 host port", "--interface is for our own TCP: add --raw, or drop --interface"},
		{"--wire w host port", "--wire is for our own TCP: add --raw, or drop --wire"},
		{"-u --wire w host port", "--wire is for our own UDP: add --raw, or drop --wire"},
		{"-u --trace host port", "--trace is for our own UDP: add --raw with --wire FILE or --addr ADDR, or drop --trace"},
		{"-u --loss 1% host port", "--loss is for a link of our own: add --raw with --wire FILE or --addr ADDR, or --hub, or drop --loss"},
		{"--seed 1 host port", "--seed is for our own TCP: add --raw, or drop --seed"},
		{"-u --raw --trace host port", "--trace is for UDP of our own: add --wire FILE or --addr ADDR, or drop --trace"},
		{"-u -s --raw --loss 1% port", "--loss is for UDP of our own: add --wire FILE or --addr ADDR, or drop --loss"},
		{"--raw --wire w --mtu 576 host port", "--mtu is for a hub, not for a TCP client: add --hub, or drop --mtu"},
		{"--delay 1 host port", "--delay is for a link of our own: add --raw, or --hub, or drop --delay"},
		{"--hub", "--hub does not know where to be: add --wire FILE"},
		{"--raw --wire w --pcapng - host port", "--pcapng - does not go: standard output is for the data; name a file"},
		{"-i --raw --wire w --json --ladder - host port", "--ladder - does not go: standard output is for the JSON of --json; name a file"},
		{"--hub --wire w --trace-json - --pcapng -", "--pcapng - does not go: standard output is for what --trace-json writes; name a file"},
		{"--hub --wire w host", `"host" is one operand too many: a hub is sock --hub --wire FILE`},
		{"--hub --wire w -n5", "-n is not for a hub: drop it, or drop --hub"},
		{"--hub --wire w --raw", "--raw is not for a hub: drop it, or drop --hub"},
		{"--hub --wire w --mtu 67", `--mtu takes a whole number from 68 to 65000, not "67"`},
		{"--hub --wire w --delay 1 --delay 2", "--delay is given twice"},

		{"-q5 host port", "-q is for a TCP server, not for a TCP client: add -s, or drop -q"},
		{"--backlog 5 --udp host port", "--backlog is for a TCP server, not for a UDP client: add -s and drop --udp, or drop --backlog"},
		{"-O1 -su port", "-O is for a TCP server, not for a UDP server: drop -u, or drop -O"},
		{"-F -i host port", "-F is for a TCP server, not for a TCP source: add -s, or drop -F"},
		{"-n5 host port", "-n is for a source, not for a TCP client: add -i, or drop -n"},
		{"-si -n5 port", "-n is for a source, not for a TCP sink: drop -s, or drop -n"},
		{"-U5 -iu host port", "-U is for a TCP source, not for a UDP source: drop -u, or drop -U"},
		{"-W host port", "-W is for a source, not for a TCP client: add -i, or drop -W"},
		{"--file x -s port", "--file is for a source, not for a TCP server: drop -s and add -i, or drop --file"},
		{"-w5 -si port", "-w is for a source, or TCP without -i, not for a TCP sink: drop -i, or drop -w"},
		{"-r5 -i host port", "-r is for what reads, not for a TCP source: drop -i, or drop -r"},
		{"-y5 -si port", "-y is for what writes, not for a TCP sink: drop -i, or drop -y"},
		{"-b5 -s port", "-b is for a client: a server's own end is its operands, [address] port"},
		{"-l 10.0.0.1.5 -s port", "-l is for a client: a server's own end is its operands, [address] port"},
		{"-f 10.0.0.1.5 -s port", "-f is for a UDP server, not for a TCP server: add -u, or drop -f"},
		{"-o host port", "-o is for a UDP client, not for a TCP client: add -u, or drop -o"},
		{"-h -u host port", "-h is for TCP without -i, not for a UDP client: drop -u, or drop -h"},
		{"-D -u host port", "-D is for TCP, not for a UDP client: drop -u, or drop -D"},
		{"-L5 -us port", "-L is for TCP, not for a UDP server: drop -u, or drop -L"},
		{"-B host port", "-B is for UDP over IPv4, not for a TCP client: add -u, or drop -B"},
		{"-6 -uB host port", "-B is for UDP over IPv4, not for a UDP client over IPv6: drop -6, or drop -B"},
		{"-6 -g a host port", "-g is for a client over IPv4, not for a TCP client over IPv6: drop -6, or drop -g"},
		{"--stats host port", "--stats is for a source or a sink, not for a TCP client: add -i, or drop --stats"},
		{"--echo host port", "--echo is for a server without -i, not for a TCP client: add -s, or drop --echo"},
		{"--connect-timeout 5 -u host port", "--connect-timeout is for a TCP client, not for a UDP client: drop -u, or drop --connect-timeout"},

		{"::1 port", "::1 is an IPv6 address: add -6"},
		{"-s ::1 port", "::1 is an IPv6 address: add -6"},
		{"-6 127.0.0.1 port", "127.0.0.1 is an IPv4 address: drop -6"},
		{"-l ::1.5 host port", "::1 is an IPv6 address: add -6"},
		{"-6us -f 10.0.0.1.5 port", "10.0.0.1 is an IPv4 address: drop -6"},
		{"--ipv6 -u -j 224.0.1.1 host port", "224.0.1.1 is an IPv4 address: drop --ipv6"},
		{"-G ::1 host port", "::1 is an IPv6 address: add -6"},
	} {
		o, err := parse(test[0])
		if err == nil {
			t.Errorf("%s: not refused", test[0])
			continue
		}
		var typed Error
		if o != nil || !errors.As(err, &typed) || err.Error() != test[1] {
			t.Errorf("%s:\n got %v\nwant %v", test[0], err, test[1])
		}
	}
}

// TestHosts gives --addr and --gateway what is no address that a host can have on
// a link, or too many.
func TestHosts(t *testing.T) {
	for _, text := range []string{
		"nonsense", "10.0.0.999", "10.0.0.9/33", "10.0.0.9/", "10.0.0.9,", "/24", "auto,10.0.0.9",
		"fe80::9%eth0", "::ffff:10.0.0.9",
		"224.0.0.1", "ff02::1", "0.0.0.0/0", "::", "127.0.0.1/8", "::1",
	} {
		for flag, takes := range map[string]string{
			"--addr":    "addresses such as 10.0.0.9, 10.0.0.9/24 or fd00::9/64, with a comma between, or auto",
			"--gateway": "an address such as 10.0.0.1 or fe80::1, of each version of IP one, with a comma between",
		} {
			want := fmt.Sprintf("%s takes %s, not %q", flag, takes, text)
			if _, err := Parse([]string{"--raw", flag, text, "host", "port"}); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
	o, err := Parse([]string{"--raw", "--addr", "10.0.0.9,fd00::9/64", "--gateway", "fe80::1,10.0.0.1", "host", "port"})
	if err != nil {
		t.Fatal(err)
	}
	all := []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("10.0.0.9"), -1), netip.MustParsePrefix("fd00::9/64")}
	if !slices.Equal(o.Addr, all) || !slices.Equal(o.Gateway, []netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("10.0.0.1")}) {
		t.Error(o.Addr, o.Gateway)
	}
}

// sample gives an argument that the flag takes.
func sample(f Flag) string {
	if f.Name == "mtu" {
		return "576"
	}
	switch f.Arg {
	case "ADDR.PORT":
		return "10.0.0.1.5"
	case "ADDR":
		return "10.0.0.8,fd00::8"
	case "GROUP":
		return "224.0.1.1"
	case shellArg:
		return "zsh"
	}
	return "3"
}

// spellings gives the ways to write the flag.
func spellings(f Flag) (all [][]string) {
	for _, name := range f.forms() {
		joint := ""
		if strings.HasPrefix(name, "--") {
			joint = "="
		}
		if f.Arg == "" {
			all = append(all, []string{name})
		} else {
			all = append(all, []string{name, sample(f)}, []string{name + joint + sample(f)})
		}
	}
	return all
}

// lineFor gives the words of a line in mode m with the flag, in which nothing
// is wrong but, perhaps, that the flag is there.
func lineFor(m mode, f Flag, flag ...string) []string {
	words := slices.Clone(flag)
	for _, x := range []struct {
		bit    mode
		letter string
	}{{isServer, "s"}, {isBulk, "i"}, {isUDP, "u"}, {isIPv6, "6"}} {
		if m&x.bit != 0 && f.Letter != x.letter {
			words = append(words, "-"+x.letter)
		}
	}
	if f.Letter == "2" && f.where.has(m) {
		words = append(words, "-B")
	}
	if (f.Group == own || f.Group == faults) && f.where.has(m) {
		switch f.Name {
		case "interface", "gateway", "tun":
			words = append(words, "--raw", "--addr", "10.0.0.9/24,fd00::9/64")
		default:
			words = append(words, "--raw", "--wire", "w")
		}
	}
	return append(words, "host", "port")
}

// TestEveryFlag gives each flag in each mode, in each spelling: it is taken
// where the table says so, and changes Options, in all spellings alike;
// elsewhere it is refused under the name that was written.
func TestEveryFlag(t *testing.T) {
	for _, f := range Flags() {
		if f.Name == "raw" || f.Name == "wire" || f.Name == "hub" {
			continue // they go together, or have no mode: see TestParse
		}
		for m := range mode(16) {
			if (f.Arg == "GROUP" || f.Arg == "ADDR.PORT") && m&isIPv6 != 0 {
				continue // the sample is an IPv4 address
			}
			before, err := Parse(lineFor(m, f))
			if err != nil {
				t.Fatal(err)
			}
			var first *Options
			for _, flag := range spellings(f) {
				o, err := Parse(lineFor(m, f, flag...))
				if f.where.has(m) != (err == nil) {
					t.Errorf("%v, %s: %v", flag, m, err)
					continue
				}
				if err != nil {
					name := strings.TrimSuffix(strings.TrimSuffix(flag[0], sample(f)), "=")
					if !strings.HasPrefix(err.Error(), name+" is for ") {
						t.Errorf("%v, %s: %v", flag, m, err)
					}
					continue
				}
				if reflect.DeepEqual(o, before) {
					t.Errorf("%v, %s: changes nothing", flag, m)
				}
				if first == nil {
					first = o
				}
				if !reflect.DeepEqual(o, first) {
					t.Errorf("%v, %s: not as in another spelling: %+v", flag, m, o)
				}
			}
		}
	}
}

// TestTable: the names are unique, every set of modes has a name, and a
// long name is not one letter.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Flags() {
		for _, form := range f.forms() {
			if seen[form] {
				t.Errorf("%s stands twice in the table", form)
			}
			seen[form] = true
		}
		if f.where.String() == "" {
			t.Errorf("--%s: the set of its modes has no name", f.Name)
		}
		if len(f.Name) < 2 || f.Help == "" || f.Group == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, letter := range "20-6dABCDEFGHIJKLNOPQRSTUVWXYZbcfghijklnopqrstuvwxy" {
		if letter != '-' && !seen["-"+string(letter)] {
			t.Errorf("-%c is missing", letter)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range strings.Split(bookLines, "\n") {
		_, typed, _ := strings.Cut(line, " % sock ")
		f.Add(typed)
	}
	f.Add("-us -f ::1.5 -j ff02::1 -H 0x10 -x 5ms --ms -6 7")
	f.Fuzz(func(t *testing.T, line string) {
		o, err := parse(line)
		var typed Error
		switch {
		case err != nil:
			if o != nil || !errors.As(err, &typed) || strings.ContainsRune(string(typed), '\n') && !strings.ContainsRune(line, '\n') {
				t.Fatalf("%q: %+v, %#v", line, o, err)
			}
		case o.Hub:
			if o.Wire == "" || o.Service != "" {
				t.Fatalf("%q: %+v", line, o)
			}
		case o.Help || o.Version || o.Man || o.Completion != "":
		case o.Service == "" || o.Host == "" && !o.Server || o.ReadSize < 1 || o.WriteSize < 0 ||
			o.WriteSize == 0 && !o.UDP || o.Backlog < 0 || o.PauseEach < 0 || len(o.Route) > maxHops:
			t.Fatalf("%q: %+v", line, o)
		}
	})
}
