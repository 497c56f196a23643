// Package modes is what sock does with a command line: the client, the server,
// the source, the sink and the loops between standard input and a socket.
//
// It knows no operating system. All it needs of one is a Host, so the same
// loops run on kernel sockets, on our own TCP and on simulated machines.
package modes

import (
	"errors"
	"io"
	"net/netip"
	"time"
)

// Host is the machine that a run of sock lives on.
//
// Only Wait, Sleep, Accept and the blocking calls of a Socket take time. A
// Host whose time is simulated lets another process run while one is in them,
// and at no other moment.
type Host interface {
	// Stdin reads standard input; io.EOF at its end.
	Stdin(p []byte) (int, error)
	// StdinIsTerminal reports whether a person may be typing.
	StdinIsTerminal() bool
	// Stdout takes the data, Stderr everything else, both unbuffered.
	Stdout() io.Writer
	Stderr() io.Writer
	// StderrIsTerminal reports whether a line may be drawn over.
	StderrIsTerminal() bool
	// Cbreak makes the terminal deliver each key as it is typed. restore, and
	// every way out of the process, sets the terminal back.
	Cbreak() (restore func(), err error)
	// Open opens a file for reading.
	Open(name string) (io.ReadCloser, error)

	// LookupHost gives the first address of a name or of a numeric address.
	LookupHost(name string, f Family) (netip.Addr, error)
	// LookupService gives the port of a service name.
	LookupService(name string, t Type) (uint16, error)
	// Socket makes a socket that is neither bound nor connected.
	Socket(f Family, t Type) (Socket, error)
	// Explain says in one sentence why a call failed and what to do about it,
	// or "" when nothing is known beyond the error itself.
	Explain(f Failure) string

	// Wait blocks until one of the interests can be met or d has passed
	// (for ever if d < 0), and sets the CanRead and CanWrite fields.
	Wait(in []Interest, d time.Duration) error
	Now() time.Time
	Sleep(d time.Duration)
	// Serve runs serve for one accepted client, at the same time as the
	// caller goes on. It may block while the host has no room for one more.
	Serve(serve func(Host))
	// Observe calls tick every d (never, if tick is nil), and interrupted if
	// a signal ends the process, until stop is called.
	Observe(d time.Duration, tick, interrupted func()) (stop func())
}

// Family chooses the version of IP.
type Family int

// The families.
const (
	IPv4 Family = iota
	IPv6
)

// Type chooses the transport.
type Type int

// The types.
const (
	Stream   Type = iota // TCP
	Datagram             // UDP
)

// Network is the name of the transport as in services(5).
func (t Type) Network() string {
	if t == Datagram {
		return "udp"
	}
	return "tcp"
}

// Interest is one thing to wait for.
type Interest struct {
	Socket            Socket // nil for standard input
	Read, Write       bool   // what is wanted
	CanRead, CanWrite bool   // what would not block now; an error counts as both
}

// Socket is one socket. A call that fails gives the system's own error, whose
// text strerror would print.
type Socket interface {
	// Bind names the local end. An invalid address stands for any, port 0
	// for one that the system picks.
	Bind(a netip.AddrPort) error
	Listen(backlog int) error
	// Accept waits for the next completed connection.
	Accept() (Socket, error)
	// Connect opens actively, or fixes the peer of a datagram socket. limit
	// shortens the system's own patience; 0 leaves it alone.
	Connect(a netip.AddrPort, limit time.Duration) error
	Local() (netip.AddrPort, error)
	Peer() (netip.AddrPort, error)

	// Read blocks for data; io.EOF after the peer's FIN. With the socket's
	// RecvTimeout set it gives ErrTimeout when nothing came.
	Read(p []byte) (int, error)
	// Peek is Read that leaves the data where it is (MSG_PEEK).
	Peek(p []byte) (int, error)
	// Write blocks until the system has taken all of p, or gives how much it
	// took and why it stopped.
	Write(p []byte) (int, error)
	// WriteNow is one write of the concatenated buffers that never blocks:
	// it gives how much was taken, and ErrWouldBlock if that is nothing.
	WriteNow(bufs ...[]byte) (int, error)
	// WriteUrgent sends one byte in urgent mode (MSG_OOB).
	WriteUrgent(b byte) error
	// ReadFrom blocks for one datagram.
	ReadFrom(p []byte) (Received, error)
	WriteTo(p []byte, to netip.AddrPort) (int, error)
	// CloseWrite sends a FIN after the data (shutdown, SHUT_WR).
	CloseWrite() error
	Close() error

	// Set sets an option and Get reads it back. Flags are 0 or 1, times are
	// microseconds, Linger is seconds with -1 for off.
	Set(o Option, v int) error
	Get(o Option) (int, error)
	// SetRoute lays a source route through hops, to be given before Connect.
	SetRoute(hops []netip.Addr, to netip.Addr, strict bool) error
	JoinGroup(group netip.Addr) error
	SetCongestion(name string) error
	Congestion() (string, error)
	// Err gives and clears the pending error (SO_ERROR).
	Err() error
	// Info is the state of a TCP connection, as far as the system tells.
	Info() (Info, error)
}

// Received is what ReadFrom learned beside the data.
type Received struct {
	N         int            // bytes read
	From      netip.AddrPort // the sender
	To        netip.Addr     // with RecvDstAddr: where it was sent to
	Truncated bool           // there was more than fitted
}

// Option names a socket option by its name in the sockets API.
type Option int

// The options.
const (
	ReuseAddr     Option = iota // SO_REUSEADDR
	ReusePort                   // SO_REUSEPORT
	Debug                       // SO_DEBUG
	DontRoute                   // SO_DONTROUTE
	TOS                         // IP_TOS, IPV6_TCLASS
	TTL                         // IP_TTL, IPV6_UNICAST_HOPS
	MaxSeg                      // TCP_MAXSEG
	Broadcast                   // SO_BROADCAST
	OnesBroadcast               // IP_ONESBCAST
	MulticastTTL                // IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS
	KeepAlive                   // SO_KEEPALIVE
	NoDelay                     // TCP_NODELAY
	Linger                      // SO_LINGER
	RecvTimeout                 // SO_RCVTIMEO
	SendTimeout                 // SO_SNDTIMEO
	RecvDstAddr                 // IP_RECVDSTADDR, IP_PKTINFO, IPV6_RECVPKTINFO
	AsyncIO                     // F_SETOWN and FIOASYNC: "SIGIO" is printed at each signal
	DontFragment                // IP_MTU_DISCOVER, IP_DONTFRAG, IPV6_DONTFRAG
	RecvBuf                     // SO_RCVBUF, as asked for and not as doubled by Linux
	SendBuf                     // SO_SNDBUF, likewise
)

// Info is a list of named figures, in the order to print them.
type Info []Figure

// Figure is one of them. Value is a string, an int64, or a time.Duration.
type Figure struct {
	Name  string
	Value any
}

// Failure is all that is known of a call that failed.
type Failure struct {
	Call         string // the system call: "bind", "connect", "setsockopt" ...
	Err          error
	Type         Type
	Local, Peer  netip.AddrPort // where known
	Name         string         // the host, service, file or option that was asked for
	Reuse, Share bool           // SO_REUSEADDR, SO_REUSEPORT were set
	OwnTCP       bool           // it is no socket of the kernel's, with which it shares no port
}

// ErrWouldBlock is what WriteNow gives when nothing can be taken yet, and
// ErrTimeout what a call gives when its time-out has passed (EAGAIN both).
var (
	ErrWouldBlock = errors.New("resource temporarily unavailable")
	ErrTimeout    = errors.New("resource temporarily unavailable")
)
