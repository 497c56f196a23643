package opts

import (
	"math"
	"strconv"
)

// Flag is one row of the table of flags.
type Flag struct {
	Letter string // "n" for -n; "" if the flag has a long name only
	Name   string // "writes" for --writes
	Arg    string // what usage and manual call the argument; "" if there is none
	Group  string // the heading that usage puts the flag under
	where  modes  // where the flag has an effect
	value  value
	Help   string
}

// Flags gives the table, in the order of usage.
func Flags() []Flag { return table(defaults()) }

// defaults are what Options hold where no flag was given.
func defaults() *Options {
	return &Options{
		ReadSize: 1024, WriteSize: 1024, Writes: 1024, Backlog: 5,
		Linger: -1, TOS: -1, TTL: -1, MulticastTTL: -1,
	}
}

// Default is what holds where a flag that takes a number is not given; "" if
// the flag then has no effect.
func (f Flag) Default() string {
	if v, ok := f.value.(number); ok && *v.n > 0 {
		return strconv.Itoa(*v.n)
	}
	return ""
}

// The headings of usage.
const (
	roles   = "What sock is (without these, an interactive TCP client)"
	ends    = "Who talks to whom"
	data    = "Data"
	times   = "Time: T is in seconds (30, 0.5) unless a unit is given (500ms, 2m)"
	sockets = "Socket options"
	reports = "What is reported"
	own     = "Our own TCP"
	faults  = "What befalls packets: with --raw on the link, with --hub on the wire"
	wires   = "The hub of a wire, which joins processes with --raw"
	instead = "Instead of a connection"
)

// maxSize bounds buffers, so that a typing error does not exhaust memory.
const maxSize = 1 << 30

// table gives the flags, bound to the fields that they set.
func table(o *Options) []Flag {
	return []Flag{
		{
			"s", "server", "", roles, anywhere,
			toggle{&o.Server},
			"wait for a client",
		},
		{
			"i", "bulk", "", roles, anywhere,
			toggle{&o.Bulk},
			"a client is a source, a server a sink",
		},
		{
			"u", "udp", "", roles, anywhere,
			toggle{&o.UDP},
			"UDP in place of TCP",
		},
		{
			"6", "ipv6", "", roles, anywhere,
			toggle{&o.IPv6},
			"IPv6 in place of IPv4",
		},
		{
			"F", "fork", "", roles, server & tcp,
			toggle{&o.Fork},
			"TCP server: serve all that come, at the same time",
		},
		{
			"", "echo", "", roles, server & loop,
			toggle{&o.Echo},
			"server: send what comes back to where it came from",
		},

		{
			"b", "local-port", "PORT", ends, client,
			port{&o.LocalPort},
			"client: use this local port",
		},
		{
			"l", "local", "ADDR.PORT", ends, client,
			endpoint{&o.local, 0},
			"client: use this local address and port (0: any)",
		},
		{
			"f", "foreign", "ADDR.PORT", ends, server & udp,
			endpoint{&o.Foreign, 1},
			"UDP server: talk to this end point only",
		},
		{
			"o", "no-connect", "", ends, client & udp,
			toggle{&o.NoConnect},
			"UDP client: do not connect the socket",
		},
		{
			"j", "join", "GROUP", ends, udp,
			group{&o.Groups},
			"UDP: join this multicast group (repeatable)",
		},
		{
			"g", "loose-route", "HOST", ends, client & ipv4,
			hop{&o.Route},
			"client: add a hop to a loose source route",
		},
		{
			"G", "strict-route", "HOST", ends, client & ipv4,
			hop{&o.strict},
			"client: add a hop to a strict source route",
		},

		{
			"n", "writes", "N", data, source,
			number{&o.Writes, 0, math.MaxInt},
			"source: number of writes",
		},
		{
			"w", "write-size", "BYTES", data, source | loop&tcp,
			number{&o.WriteSize, 0, maxSize},
			"bytes in each write (TCP loop: what was read, without -w)",
		},
		{
			"r", "read-size", "BYTES", data, anywhere &^ source,
			number{&o.ReadSize, 1, maxSize},
			"the most bytes in each read",
		},
		{
			"U", "urgent", "N", data, source & tcp,
			number{&o.Urgent, 1, math.MaxInt},
			"TCP source: a byte in urgent mode after write N",
		},
		{
			"", "file", "FILE", data, source,
			word{&o.File, "the name of a file", nil},
			"source: send this file, once",
		},
		{
			"W", "keep-writing", "", data, source,
			toggle{&o.KeepOn},
			"source: report a write that fails and go on",
		},
		{
			"c", "crlf", "", data, loop,
			toggle{&o.CRLF},
			"send LF as CR LF, and print CR LF as LF",
		},
		{
			"C", "cbreak", "", data, loop,
			toggle{&o.Cbreak},
			"cbreak mode: send each key as it is typed",
		},
		{
			"h", "half-close", "", data, loop & tcp,
			toggle{&o.HalfClose},
			"TCP: half-close at the end of standard input",
		},
		{
			"k", "chunks", "", data, loop & tcp,
			toggle{&o.Chunks},
			"TCP: write in many small chunks",
		},
		{
			"V", "writev", "", data, loop & tcp,
			toggle{&o.Vector},
			"TCP: the same chunks with one writev",
		},
		{
			"Z", "peek", "", data, anywhere &^ source,
			toggle{&o.Peek},
			"look at what came (MSG_PEEK) before each read",
		},

		{
			"O", "pause-listen", "T", times, server & tcp, &span{d: &o.PauseListen, pause: true},
			"TCP server: pause between listen and accept; with any pause T may be line: until one is typed",
		},
		{
			"P", "pause-first", "T", times, anywhere, &span{d: &o.PauseFirst, pause: true},
			"pause before the first read or write",
		},
		{
			"p", "pause", "T", times, anywhere, &span{d: &o.PauseEach, pause: true},
			"pause before each further read or write",
		},
		{
			"Q", "pause-close", "T", times, anywhere, &span{d: &o.PauseClose, pause: true},
			"pause before the close",
		},
		{
			"x", "read-timeout", "T", times, anywhere &^ source, &span{d: &o.ReadTimeout},
			"give up when nothing can be read for so long",
		},
		{
			"y", "write-timeout", "T", times, anywhere &^ sink, &span{d: &o.WriteTimeout},
			"give up when nothing can be written for so long",
		},
		{
			"", "connect-timeout", "T", times, client & tcp, &span{d: &o.ConnectTimeout},
			"TCP client: give up connecting after so long",
		},
		{
			"", "ms", "", times, anywhere,
			toggle{&o.ms},
			"T is in milliseconds, unless a unit is given",
		},

		{
			"q", "backlog", "N", sockets, server & tcp,
			number{&o.Backlog, 0, 65535},
			"TCP server: the queue of listen",
		},
		{
			"A", "reuse-addr", "", sockets, anywhere,
			toggle{&o.ReuseAddr},
			"SO_REUSEADDR",
		},
		{
			"T", "reuse-port", "", sockets, anywhere,
			toggle{&o.ReusePort},
			"SO_REUSEPORT",
		},
		{
			"R", "rcvbuf", "BYTES", sockets, anywhere,
			number{&o.RecvBuf, 1, maxSize},
			"SO_RCVBUF",
		},
		{
			"S", "sndbuf", "BYTES", sockets, anywhere,
			number{&o.SendBuf, 1, maxSize},
			"SO_SNDBUF",
		},
		{
			"L", "linger", "SECONDS", sockets, tcp,
			number{&o.Linger, 0, 65535},
			"TCP: SO_LINGER; with 0 the close is a reset",
		},
		{
			"K", "keepalive", "", sockets, tcp,
			toggle{&o.KeepAlive},
			"TCP: SO_KEEPALIVE",
		},
		{
			"N", "nodelay", "", sockets, tcp,
			toggle{&o.NoDelay},
			"TCP_NODELAY: no Nagle algorithm",
		},
		{
			"X", "maxseg", "BYTES", sockets, tcp,
			number{&o.MaxSeg, 1, 65535},
			"TCP_MAXSEG: the most bytes in a segment",
		},
		{
			"", "congestion", "NAME", sockets, tcp,
			word{&o.Congestion, "the name of a congestion control", nil},
			"TCP_CONGESTION, such as cubic",
		},
		{
			"D", "debug", "", sockets, tcp,
			toggle{&o.Debug},
			"TCP: SO_DEBUG",
		},
		{
			"I", "sigio", "", sockets, anywhere,
			toggle{&o.AsyncIO},
			"FIOASYNC: print SIGIO at each such signal",
		},
		{
			"Y", "dont-route", "", sockets, anywhere,
			toggle{&o.DontRoute},
			"SO_DONTROUTE: to a directly attached network only",
		},
		{
			"d", "dont-fragment", "", sockets, anywhere,
			toggle{&o.DontFragment},
			"set the don't-fragment bit",
		},
		{
			"H", "tos", "N", sockets, anywhere,
			octet{&o.TOS},
			"IP_TOS or IPV6_TCLASS (16 or 0x10)",
		},
		{
			"J", "ttl", "N", sockets, anywhere,
			number{&o.TTL, 1, 255},
			"IP_TTL or IPV6_UNICAST_HOPS",
		},
		{
			"t", "multicast-ttl", "N", sockets, udp,
			number{&o.MulticastTTL, 0, 255},
			"UDP: IP_MULTICAST_TTL or IPV6_MULTICAST_HOPS",
		},
		{
			"B", "broadcast", "", sockets, udp & ipv4,
			toggle{&o.Broadcast},
			"UDP: SO_BROADCAST",
		},
		{
			"2", "ones-broadcast", "", sockets, udp & ipv4,
			toggle{&o.OnesBroadcast},
			"UDP, with -B: IP_ONESBCAST (FreeBSD)",
		},
		{
			"E", "recv-dst-addr", "", sockets, udp,
			toggle{&o.RecvDstAddr},
			"UDP: IP_RECVDSTADDR: tell where a datagram was sent",
		},

		{
			"v", "verbose", "", reports, anywhere,
			counter{&o.Verbose},
			"tell what happens",
		},
		{
			"", "book-messages", "", reports, anywhere,
			toggle{&o.BookMessages},
			"no explanation under an error, only the book's line",
		},
		{
			"", "tcp-info", "", reports, tcp,
			toggle{&o.TCPInfo},
			"TCP_INFO at the end of the connection",
		},
		{
			"", "stats", "", reports, bulk,
			toggle{&o.Stats},
			"source, sink: bytes, time and rate at the end",
		},
		{
			"", "json", "", reports, bulk,
			toggle{&o.JSON},
			"source, sink: the same as JSON on standard output",
		},

		{
			"", "raw", "", own, anywhere,
			toggle{&o.Raw},
			"our own TCP in place of the kernel's",
		},
		{
			"", "wire", "FILE", own, anywhere,
			wire{&o.Wire},
			"the wire whose hub is here, or udp:ADDRESS:PORT",
		},
		{
			"", "addr", "ADDR", own, anywhere,
			addresses{&o.Addr},
			"this host's address: on the wire, or a new one on an Ethernet",
		},
		{
			"", "interface", "IF", own, anywhere,
			word{&o.Iface, "the name of an interface such as eth0", nil},
			"the Ethernet of --addr [where it fits]",
		},
		{
			"", "gateway", "ADDR", own, anywhere,
			gateways{&o.Gateway},
			"there, the way to other networks",
		},
		{
			"", "tun", "NAME", own, anywhere,
			word{&o.TUN, "the name of a device such as tun0", nil},
			"be behind a TUN device, with --addr; it is made if need be",
		},
		{
			"", "profile", "SYSTEM", own, anywhere,
			word{&o.Profile, "the name of a system", nil},
			"the system: rfc9293 (default), linux, bsd, sunos, svr4, solaris",
		},
		{
			"", "set", "VALUE", own, anywhere,
			list{&o.Set, "a name and a value, such as msl=2s"},
			"one value of the system, such as msl=2s (repeatable)",
		},
		{
			"", "seed", "N", own, anywhere,
			number{&o.Seed, 0, math.MaxInt},
			"what is left to chance, as it was with this N",
		},
		{
			"", "trace", "", own, anywhere,
			toggle{&o.Trace},
			"print calls, segments, states and timers",
		},
		{
			"", "trace-json", "FILE", own, anywhere,
			word{&o.TraceJSON, "the name of a file, or - for standard output", nil},
			"the same in FILE, as lines of JSON",
		},
		{
			"", "ladder", "FILE", own, anywhere,
			word{&o.Ladder, "the name of a file, or - for standard output", nil},
			"draw a time-line at the end, as text or FILE.svg",
		},
		{
			"", "pcapng", "FILE", own, anywhere,
			word{&o.Pcapng, "the name of a file, or - for standard output", nil},
			"capture the packets, for Wireshark",
		},

		{
			"", "delay", "T", faults, anywhere,
			condition{&o.Conditions, "delay", "a time such as 5, 1.5s or 40ms"},
			"how long each packet takes",
		},
		{
			"", "jitter", "T", faults, anywhere,
			condition{&o.Conditions, "jitter", "a time such as 5, 1.5s or 40ms"},
			"at most so much longer",
		},
		{
			"", "loss", "P", faults, anywhere,
			condition{&o.Conditions, "loss", "a probability such as 0.01 or 1%"},
			"how likely a packet is lost (0.01, 1%)",
		},
		{
			"", "dup", "P", faults, anywhere,
			condition{&o.Conditions, "dup", "a probability such as 0.01 or 1%"},
			"how likely it comes twice",
		},
		{
			"", "reorder", "P", faults, anywhere,
			condition{&o.Conditions, "reorder", "a probability such as 0.01 or 1%"},
			"how likely others overtake it",
		},
		{
			"", "corrupt", "P", faults, anywhere,
			condition{&o.Conditions, "corrupt", "a probability such as 0.01 or 1%"},
			"how likely a bit of it changes",
		},
		{
			"", "rate", "BITS", faults, anywhere,
			condition{&o.Conditions, "rate", "bits per second such as 9600, 64k or 10M"},
			"bits per second (9600, 64k, 10M)",
		},
		{
			"", "queue", "N", faults, anywhere,
			condition{&o.Conditions, "queue", "a number of packets"},
			"packets that may wait because of the rate [50]",
		},
		{
			"", "drop", "WHICH", faults, anywhere,
			list{&o.Drop, "which packets, such as 'the 2nd data segment'"},
			"drop these: 'the 2nd pure ACK from 10.0.0.1' (repeatable)",
		},

		{
			"", "hub", "", wires, hub,
			toggle{&o.Hub},
			"be the hub of --wire; standard input has its commands",
		},
		{
			"", "mtu", "BYTES", wires, hub,
			number{&o.MTU, 68, 65000},
			"the longest packet [1500; udp: 1400]",
		},

		{
			"", "lab", "", instead, anywhere,
			toggle{&o.Lab},
			"run the book's experiments on simulated machines; comes first",
		},
		{
			"", "help", "", instead, anywhere,
			toggle{&o.Help},
			"print this text",
		},
		{
			"", "man", "", instead, anywhere,
			toggle{&o.Man},
			"print the manual page",
		},
		{
			"0", "version", "", instead, anywhere,
			toggle{&o.Version},
			"print the version",
		},
		{
			"", "completion", "SHELL", instead, anywhere,
			word{&o.Completion, "bash, zsh or fish", shells()},
			"print completions for bash, zsh or fish",
		},
	}
}
