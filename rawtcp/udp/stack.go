package udp

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
)

// IP is what UDP needs of the layer beneath it.
type IP interface {
	link.IP
	// Join and Leave make the host a member of a multicast group, and undo that.
	Join(group netip.Addr)
	Leave(group netip.Addr)
	// Complain tells the sender of packet by ICMP that it failed, if that may be
	// told. The packet stays the caller's.
	Complain(now time.Duration, packet []byte, why link.Failure)
}

// Options are what a Stack is made with.
type Options struct {
	Host    string           // its name, in a trace
	Profile *profile.Profile // how its system does UDP; nil for the default
	Seed    uint64           // decides what is left to chance: random ports
	Sink    trace.Sink       // is told of calls and drops; may be nil
}

// maxData is all that fits into an IPv4 packet.
const maxData = 65535 - 20 - 8

// Stack is the UDP of one host.
type Stack struct {
	ip     IP
	out    link.Sender
	prof   *profile.Profile
	name   string
	sink   trace.Sink
	chance *rand.Rand

	bound   []*Socket // newest first
	port    uint16    // the ephemeral port given last
	paths   map[netip.Addr]pathMTU
	members map[netip.Addr]int // how many sockets have joined a group
	stats   Stats
}

// Stats counts datagrams.
type Stats struct {
	Sent, Received uint64
	NoPort         uint64 // came for a port that nobody has
	Full           uint64 // found no room in the receive buffer
	Bad            uint64 // came with a bad checksum or length
}

// New returns the UDP of a host that sends through ip. Whoever has ip is to call
// Receive with what arrives.
func New(ip IP, o Options) *Stack {
	if o.Profile == nil {
		o.Profile, _ = profile.Get("")
	}
	return &Stack{
		ip: ip, out: link.Sender{IP: ip}, prof: o.Profile, name: o.Host, sink: o.Sink,
		chance: rand.New(rand.NewPCG(o.Seed, 1)), port: o.Profile.FirstPort - 1,
		paths: map[netip.Addr]pathMTU{}, members: map[netip.Addr]int{},
	}
}

// Stats returns what has been counted.
func (s *Stack) Stats() Stats { return s.stats }

// Row is a line of netstat.
type Row struct {
	Local, Remote netip.AddrPort // Remote is not valid unless it is connected
	RecvQ         int            // bytes that wait to be read, and what is kept with them
	Dropped       uint64         // datagrams that found no room
}

// Netstat returns the sockets that are bound, the newest first.
func (s *Stack) Netstat() []Row {
	var rows []Row
	for _, k := range s.bound {
		rows = append(rows, Row{k.local, k.remote, k.used, k.dropped})
	}
	return rows
}

// join makes the host a member of a group, and leave ends that with the last
// socket that has joined.
func (s *Stack) join(group netip.Addr) {
	s.members[group]++
	s.ip.Join(group)
}

func (s *Stack) leave(group netip.Addr) {
	if s.members[group]--; s.members[group] == 0 {
		delete(s.members, group)
		s.ip.Leave(group)
	}
}

func (s *Stack) drop(now time.Duration, packet []byte, why fmt.Stringer) {
	if s.sink != nil {
		s.sink.Event(trace.Event{At: now, Kind: trace.Dropped, Host: s.name, Packet: packet, Reason: why})
	}
}

// call tells of a call of the user.
func (s *Stack) call(now time.Duration, k *Socket, name, text string, err error) {
	if s.sink == nil {
		return
	}
	e := trace.Event{At: now, Kind: trace.Call, Host: s.name, Name: name, Text: text, Local: k.local, Remote: k.remote}
	if err != nil {
		e.Text, e.Result = "", err.Error()
	}
	s.sink.Event(e)
}
