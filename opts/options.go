// Package opts turns a command line into Options. One table (table.go) holds a
// row for each flag; parsing, validation, usage, shell completion and the
// check against the manual page all read that table.
package opts

import (
	"net/netip"
	"time"
)

// Options is what a valid command line asked for. A zero field means that the
// flag was not given, unless its comment says otherwise.
type Options struct {
	Host    string // operand: the client's peer, or the server's own address ("" for any)
	Service string // operand: a port number or a service name

	// What to be.
	Server bool // -s
	UDP    bool // -u
	IPv6   bool // -6
	Bulk   bool // -i: source (client) or sink (server)
	Fork   bool // -F
	Echo   bool // --echo

	// End points.
	LocalPort  uint16         // -b, or the port of -l
	LocalAddr  netip.Addr     // -l; the zero Addr when not given
	Foreign    netip.AddrPort // -f; the zero AddrPort when not given
	NoConnect  bool           // -o
	Groups     []netip.Addr   // -j
	Route      []string       // -g or -G, in the order given
	RouteExact bool           // the route was given with -G: strict

	// Data.
	ReadSize   int    // -r, bytes; 1024 unless given
	WriteSize  int    // -w, bytes; 1024 unless given
	WriteGiven bool   // -w was given
	Writes     int    // -n; 1024 unless given
	NGiven     bool   // -n was given
	Urgent     int    // -U: the urgent byte goes after this write; 0 for never
	File       string // --file: what a source sends
	CRLF       bool   // -c
	Cbreak     bool   // -C
	HalfClose  bool   // -h
	Chunks     bool   // -k, or implied by -V
	Vector     bool   // -V
	Peek       bool   // -Z
	KeepOn     bool   // -W: report a failed write and go on

	// Time.
	PauseListen    time.Duration // -O, or UntilLine
	PauseFirst     time.Duration // -P, likewise
	PauseEach      time.Duration // -p, likewise
	PauseClose     time.Duration // -Q, likewise
	ReadTimeout    time.Duration // -x
	WriteTimeout   time.Duration // -y
	ConnectTimeout time.Duration // --connect-timeout

	// Socket options.
	Backlog       int  // -q; 5 unless given
	ReuseAddr     bool // -A
	ReusePort     bool // -T
	Broadcast     bool // -B
	OnesBroadcast bool // -2
	Debug         bool // -D
	DontRoute     bool // -Y
	DontFragment  bool // -d
	RecvDstAddr   bool // -E
	KeepAlive     bool // -K
	NoDelay       bool // -N
	AsyncIO       bool // -I
	Linger        int  // -L, seconds; -1 unless given
	RecvBuf       int  // -R, bytes
	SendBuf       int  // -S, bytes
	MaxSeg        int  // -X, bytes
	TOS           int  // -H; -1 unless given
	TTL           int  // -J; -1 unless given
	MulticastTTL  int  // -t; -1 unless given
	Congestion    string

	// Reporting.
	Verbose      int  // -v, counted
	BookMessages bool // --book-messages
	TCPInfo      bool // --tcp-info
	Stats        bool // --stats
	JSON         bool // --json

	// Our own TCP.
	Raw     bool           // --raw
	Wire    string         // --wire: the name of a socket's file, or udp:ADDRESS:PORT
	Addr    []netip.Prefix // --addr: of length -1 if none is given; none for auto
	TUN     string         // --tun: the name of a device
	Iface   string         // --interface
	Gateway []netip.Addr   // --gateway: of each version of IP one
	Profile string         // --profile; "" for the default
	Set     []string       // --set: name=value
	Seed    int            // --seed; 0 unless given
	Trace   bool           // --trace

	// What is seen of it, or of a wire: the names of files, or "-" for standard
	// output.
	TraceJSON string // --trace-json
	Ladder    string // --ladder
	Pcapng    string // --pcapng

	// The hub of a wire.
	Hub        bool        // --hub
	Conditions []Condition // --delay and the others
	MTU        int         // --mtu, bytes
	Drop       []string    // --drop

	// Instead of a connection.
	Lab        bool
	Help       bool
	Version    bool // -0, --version
	Man        bool
	Completion string // bash, zsh or fish

	// Flags whose meaning depends on others; Parse turns them into fields above.
	local  netip.AddrPort // -l
	strict []string       // -G
	ms     bool           // --ms
}

// Condition is one thing that a wire does to all packets, as it was written.
type Condition struct{ Name, Value string }
