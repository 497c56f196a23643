package opts

import (
	"math"
	"net/netip"
)

// Flag is one row of the table of flags.
type Flag struct {
	Letter string // "n" for -n; "" if the flag has a long name only
	Name   string // "writes" for --writes
	Arg    string // what usage and manual call the argument; "" if there is none
	Group  string // the heading that usage puts the flag under
	Help   string

	where modes  // where the flag has an effect
	why   string // said of a flag elsewhere, in place of which flags to add or drop
	ipv4  string // why the flag is for IPv4 only; "" if it is not
	value value
}

// Flags gives the table, in the order of usage.
func Flags() []Flag { return table(new(Options)) }

// The headings of usage.
const (
	roles   = "What sock is (without these, an interactive TCP client)"
	ends    = "Who talks to whom"
	data    = "Data"
	times   = "Time: T is in seconds (30, 0.5) unless a unit is given (500ms, 2m)"
	sockets = "Socket options"
	reports = "What is reported"
	instead = "Instead of a connection"
)

// maxSize bounds buffers, so that a typing error does not exhaust memory.
const maxSize = 1 << 30

// table gives the flags, bound to the fields that they set.
func table(o *Options) []Flag {
	return []Flag{
		{"s", "server", "", roles, "wait for a client", anywhere, "", "", toggle{on: &o.Server}},
		{"i", "bulk", "", roles, "leave standard input and output alone: a client is a source, a server a sink", anywhere, "", "", toggle{on: &o.Bulk}},
		{"u", "udp", "", roles, "UDP in place of TCP", anywhere, "", "", toggle{on: &o.UDP}},
		{"6", "ipv6", "", roles, "IPv6 in place of IPv4", anywhere, "", "", toggle{on: &o.IPv6}},
		{"F", "fork", "", roles, "TCP server: serve every client that comes, all at the same time", server & tcp, "", "", toggle{on: &o.Fork}},
		{"", "echo", "", roles, "server: send what comes back to where it came from", server & loop, "", "", toggle{on: &o.Echo}},

		{"b", "local-port", "PORT", ends, "client: use this local port", client, "a server's port is its operand", "", port{n: &o.LocalPort}},
		{"l", "local", "ADDR.PORT", ends, "client: use this local address and port (0: any)", client, "a server's address and port are its operands", "", endpoint{put: func(a netip.AddrPort) {
			o.LocalAddr, o.localPort = a.Addr(), a.Port()
		}, anyPort: true}},
		{"f", "foreign", "ADDR.PORT", ends, "UDP server: talk to this end point only", server & udp, "", "", endpoint{put: func(a netip.AddrPort) {
			o.Foreign = a
		}}},
		{"o", "no-connect", "", ends, "UDP client: do not connect the socket", client & udp, "", "", toggle{on: &o.NoConnect}},
		{"j", "join", "GROUP", ends, "UDP: join this multicast group (repeatable)", udp, "", "", group{list: &o.Groups}},
		{"g", "loose-route", "HOST", ends, "client: add a hop to a loose source route (up to 9)", client, "", "IPv6 has no source routes", hop{list: &o.Route}},
		{"G", "strict-route", "HOST", ends, "client: add a hop to a strict source route (up to 9)", client, "", "IPv6 has no source routes", hop{list: &o.strict}},

		{"n", "writes", "N", data, "source: number of writes [1024]", source, "", "", number{n: &o.Writes, max: math.MaxInt, given: &o.NGiven}},
		{"w", "write-size", "BYTES", data, "bytes in each write [source: 1024; TCP loop: what was read]", source | loop&tcp, "", "", number{n: &o.WriteSize, max: maxSize, given: &o.WriteGiven}},
		{"r", "read-size", "BYTES", data, "the most bytes in each read [1024]", anywhere &^ source, "", "", number{n: &o.ReadSize, min: 1, max: maxSize}},
		{"U", "urgent", "N", data, "TCP source: send a byte in urgent mode after write N", source & tcp, "", "", number{n: &o.Urgent, min: 1, max: math.MaxInt}},
		{"", "file", "FILE", data, "source: send this file, once", source, "", "", word{s: &o.File, what: "the name of a file"}},
		{"W", "keep-writing", "", data, "source: report a write that fails and go on", source, "", "", toggle{on: &o.KeepOn}},
		{"c", "crlf", "", data, "turn LF into CR LF on the way out, and back on the way in", loop, "", "", toggle{on: &o.CRLF}},
		{"C", "cbreak", "", data, "cbreak mode: send each key as it is typed", loop, "", "", toggle{on: &o.Cbreak}},
		{"h", "half-close", "", data, "TCP: half-close at the end of standard input", loop & tcp, "", "", toggle{on: &o.HalfClose}},
		{"k", "chunks", "", data, "TCP: write in many small chunks", loop & tcp, "", "", toggle{on: &o.Chunks}},
		{"V", "writev", "", data, "TCP: the same chunks with one writev", loop & tcp, "", "", toggle{on: &o.Vector}},
		{"Z", "peek", "", data, "look at what came (MSG_PEEK) before each read", anywhere &^ source, "", "", toggle{on: &o.Peek}},

		{"O", "pause-listen", "T", times, "TCP server: pause between listen and the first accept", server & tcp, "", "", &span{d: &o.PauseListen}},
		{"P", "pause-first", "T", times, "pause before the first read or write", anywhere, "", "", &span{d: &o.PauseFirst}},
		{"p", "pause", "T", times, "pause before each further read or write", anywhere, "", "", &span{d: &o.PauseEach}},
		{"Q", "pause-close", "T", times, "pause before the close", anywhere, "", "", &span{d: &o.PauseClose}},
		{"x", "read-timeout", "T", times, "give up when nothing can be read for so long", anywhere &^ source, "", "", &span{d: &o.ReadTimeout}},
		{"y", "write-timeout", "T", times, "give up when nothing can be written for so long", anywhere &^ sink, "", "", &span{d: &o.WriteTimeout}},
		{"", "connect-timeout", "T", times, "TCP client: give up connecting after so long", client & tcp, "", "", &span{d: &o.ConnectTimeout}},
		{"", "ms", "", times, "T is in milliseconds, unless a unit is given", anywhere, "", "", toggle{on: &o.ms}},

		{"q", "backlog", "N", sockets, "TCP server: the queue of listen [5]", server & tcp, "", "", number{n: &o.Backlog, max: 65535}},
		{"A", "reuse-addr", "", sockets, "SO_REUSEADDR", anywhere, "", "", toggle{on: &o.ReuseAddr}},
		{"T", "reuse-port", "", sockets, "SO_REUSEPORT", anywhere, "", "", toggle{on: &o.ReusePort}},
		{"R", "rcvbuf", "BYTES", sockets, "SO_RCVBUF", anywhere, "", "", number{n: &o.RecvBuf, min: 1, max: maxSize}},
		{"S", "sndbuf", "BYTES", sockets, "SO_SNDBUF", anywhere, "", "", number{n: &o.SendBuf, min: 1, max: maxSize}},
		{"L", "linger", "SECONDS", sockets, "TCP: SO_LINGER; with 0 the close is a reset", tcp, "", "", number{n: &o.Linger, max: 65535}},
		{"K", "keepalive", "", sockets, "TCP: SO_KEEPALIVE", tcp, "", "", toggle{on: &o.KeepAlive}},
		{"N", "nodelay", "", sockets, "TCP_NODELAY: no Nagle algorithm", tcp, "", "", toggle{on: &o.NoDelay}},
		{"X", "maxseg", "BYTES", sockets, "TCP_MAXSEG: the most bytes in a segment", tcp, "", "", number{n: &o.MaxSeg, min: 1, max: 65535}},
		{"", "congestion", "NAME", sockets, "TCP_CONGESTION: the congestion control, such as cubic", tcp, "", "", word{s: &o.Congestion, what: "the name of a congestion control"}},
		{"D", "debug", "", sockets, "TCP: SO_DEBUG", tcp, "", "", toggle{on: &o.Debug}},
		{"I", "sigio", "", sockets, "FIOASYNC: print SIGIO at each such signal", anywhere, "", "", toggle{on: &o.AsyncIO}},
		{"Y", "dont-route", "", sockets, "SO_DONTROUTE: to a directly attached network only", anywhere, "", "", toggle{on: &o.DontRoute}},
		{"d", "dont-fragment", "", sockets, "set the don't-fragment bit", anywhere, "", "", toggle{on: &o.DontFragment}},
		{"H", "tos", "N", sockets, "IP_TOS or IPV6_TCLASS (16 or 0x10)", anywhere, "", "", number{n: &o.TOS, max: 255, hex: true}},
		{"J", "ttl", "N", sockets, "IP_TTL or IPV6_UNICAST_HOPS", anywhere, "", "", number{n: &o.TTL, min: 1, max: 255}},
		{"t", "multicast-ttl", "N", sockets, "UDP: IP_MULTICAST_TTL or IPV6_MULTICAST_HOPS", udp, "", "", number{n: &o.MulticastTTL, max: 255}},
		{"B", "broadcast", "", sockets, "UDP: SO_BROADCAST", udp, "", "IPv6 has no broadcast", toggle{on: &o.Broadcast}},
		{"2", "ones-broadcast", "", sockets, "UDP, with -B: IP_ONESBCAST (FreeBSD)", udp, "", "IPv6 has no broadcast", toggle{on: &o.OnesBroadcast}},
		{"E", "recv-dst-addr", "", sockets, "UDP: tell where a datagram was sent to (IP_RECVDSTADDR)", udp, "", "", toggle{on: &o.RecvDstAddr}},

		{"v", "verbose", "", reports, "tell what happens", anywhere, "", "", counter{n: &o.Verbose}},
		{"", "book-messages", "", reports, "no explanation under an error, only the book's line", anywhere, "", "", toggle{on: &o.BookMessages}},
		{"", "tcp-info", "", reports, "TCP_INFO at the end of the connection", tcp, "", "", toggle{on: &o.TCPInfo}},
		{"", "stats", "", reports, "source, sink: bytes, time and rate at the end", bulk, "", "", toggle{on: &o.Stats}},
		{"", "json", "", reports, "source, sink: the same as JSON on standard output", bulk, "", "", toggle{on: &o.JSON}},

		{"", "help", "", instead, "print this text", anywhere, "", "", toggle{on: &o.Help}},
		{"", "man", "", instead, "print the manual page", anywhere, "", "", toggle{on: &o.Man}},
		{"0", "version", "", instead, "print the version", anywhere, "", "", toggle{on: &o.Version}},
		{"", "completion", "SHELL", instead, "print completions for bash, zsh or fish", anywhere, "", "", word{s: &o.Completion, what: "bash, zsh or fish", choices: []string{"bash", "zsh", "fish"}}},
	}
}
