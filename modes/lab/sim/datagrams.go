package sim

import (
	"net/netip"
	"strconv"
	"time"

	"sock/modes"
)

// datagrams is a UDP socket.
type datagrams struct {
	nothing
	u      *udp
	family modes.Family
	values map[modes.Option]int
	local  netip.AddrPort // the zero one before it is bound
	remote netip.AddrPort // not valid unless it is connected
	queue  []message
	used   int // bytes of the receive buffer
	memory int // and what they take of the host's memory
	groups []netip.Addr
	err    error // SO_ERROR
}

// message is a datagram that has arrived.
type message struct {
	from netip.AddrPort
	to   netip.Addr
	data []byte
}

func (h *Host) newDatagrams(p *Process, f modes.Family) *datagrams {
	s := &datagrams{
		nothing: nothing{p}, u: h.udp, family: f,
		values: map[modes.Option]int{
			modes.TTL:          int(h.profile.TTL),
			modes.TOS:          int(h.profile.TOS),
			modes.MulticastTTL: 1,
			modes.RecvBuf:      h.udp.Buffer,
			modes.SendBuf:      h.udp.MaxData,
			modes.Linger:       -1,
		},
	}
	p.opened(s)
	return s
}

func (s *datagrams) isIPv4() bool             { return s.family == modes.IPv4 }
func (s *datagrams) flag(o modes.Option) bool { return s.values[o] != 0 }
func (s *datagrams) maxData() int             { return min(s.values[modes.SendBuf], maxUDPData) }
func (s *datagrams) canRead() bool            { return len(s.queue) > 0 || s.err != nil }
func (s *datagrams) canWrite() bool           { return true }

// matches returns how inexactly s is for a datagram: one for each end that is
// not the very one (Fig 11-23). ok is false if it is not for s at all.
func (s *datagrams) matches(to, from netip.AddrPort) (wildcards int, ok bool) {
	if s.local.Port() != to.Port() || s.isIPv4() != to.Addr().Is4() {
		return 0, false
	}
	if s.local.Addr() != to.Addr() {
		if !s.local.Addr().IsUnspecified() {
			return 0, false
		}
		wildcards++
	}
	if s.remote != from {
		if s.remote.IsValid() {
			return 0, false
		}
		wildcards++
	}
	return wildcards, true
}

// What 4.4BSD keeps beside the data of a datagram: the sender's address, and
// with IP_RECVDSTADDR the destination. Each part is in mbufs of 128 bytes, and
// of those there may be twice as many bytes as the buffer has (sbreserve).
const (
	sockaddrLen = 16
	controlLen  = 16
	mbufLen     = 128
	mbufData    = 108
)

// size returns what m takes of the buffer.
func (s *datagrams) size(m message) (bytes, memory int) {
	bytes, memory = len(m.data)+sockaddrLen, mbufLen*(1+(len(m.data)+mbufData-1)/mbufData)
	if s.flag(modes.RecvDstAddr) {
		bytes, memory = bytes+controlLen, memory+mbufLen
	}
	return bytes, memory
}

// take puts m into the receive buffer, and reports whether it had room.
func (s *datagrams) take(m message) bool {
	bytes, memory := s.size(m)
	limit := s.values[modes.RecvBuf]
	if bytes > limit-s.used || bytes > 2*limit-s.memory {
		return false
	}
	s.used, s.memory = s.used+bytes, s.memory+memory
	s.queue = append(s.queue, m)
	s.signal()
	return true
}

// signal is SIGIO.
func (s *datagrams) signal() {
	if s.flag(modes.AsyncIO) {
		s.p.sigio()
	}
}

// Bind wraps bind(2).
func (s *datagrams) Bind(a netip.AddrPort) error {
	s.enter()
	err := s.bind(a)
	s.tell("bind", a.String(), err)
	return err
}

func (s *datagrams) bind(a netip.AddrPort) error {
	if s.u == nil {
		return eBADF
	}
	return s.u.bind(s, orAny(a, s.family))
}

// orAny puts the unspecified address where none is given.
func orAny(a netip.AddrPort, f modes.Family) netip.AddrPort {
	switch {
	case a.Addr().IsValid():
		return a
	case f == modes.IPv6:
		return netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())
}

// Connect wraps connect(2), which sends nothing.
func (s *datagrams) Connect(a netip.AddrPort, _ time.Duration) error {
	s.enter()
	err := s.connect(a)
	s.tell("connect", a.String(), err)
	return err
}

func (s *datagrams) connect(a netip.AddrPort) error {
	if err := s.ready(); err != nil {
		return err
	}
	path, err := s.u.path(s, a)
	if err != nil {
		return err
	}
	if s.local.Addr().IsUnspecified() {
		// The local address becomes fixed too (Section 11.12).
		s.local = netip.AddrPortFrom(path.Source, s.local.Port())
	}
	s.remote = a
	return nil
}

// ready binds s to a port, if it has none.
func (s *datagrams) ready() error {
	if s.u == nil {
		return eBADF
	}
	if s.local.Port() == 0 {
		return s.bind(netip.AddrPort{})
	}
	return nil
}

// Local wraps getsockname(2).
func (s *datagrams) Local() (netip.AddrPort, error) {
	return orAny(s.local, s.family), nil
}

// Peer wraps getpeername(2).
func (s *datagrams) Peer() (netip.AddrPort, error) {
	if !s.remote.IsValid() {
		return netip.AddrPort{}, eNOTCONN
	}
	return s.remote, nil
}

// Write wraps write(2).
func (s *datagrams) Write(p []byte) (int, error) {
	s.enter()
	err := s.write(p)
	s.tell("write", size(len(p)), err)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *datagrams) write(p []byte) error {
	if !s.remote.IsValid() {
		return eDESTADDRREQ
	}
	return s.send(p, s.remote)
}

func (s *datagrams) send(p []byte, to netip.AddrPort) error {
	if err := s.ready(); err != nil {
		return err
	}
	if err := s.takeErr(); err != nil {
		return err
	}
	s.p.w.spend(datagramCalls)
	if err := s.u.send(s, p, to); err != nil {
		return err
	}
	s.p.work()
	return nil
}

// WriteNow is Write: nothing blocks.
func (s *datagrams) WriteNow(bufs ...[]byte) (int, error) {
	var all []byte
	for _, b := range bufs {
		all = append(all, b...)
	}
	return s.Write(all)
}

// WriteTo wraps sendto(2).
func (s *datagrams) WriteTo(p []byte, to netip.AddrPort) (int, error) {
	s.enter()
	err := s.writeTo(p, to)
	s.tell("sendto", size(len(p))+" to "+to.String(), err)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *datagrams) writeTo(p []byte, to netip.AddrPort) error {
	if s.remote.IsValid() {
		return eISCONN
	}
	return s.send(p, to)
}

// Read wraps read(2).
func (s *datagrams) Read(p []byte) (int, error) {
	d, err := s.ReadFrom(p)
	return d.N, err
}

// Peek wraps recv(2) with MSG_PEEK.
func (s *datagrams) Peek(p []byte) (int, error) {
	d, err := s.receive(p, true)
	s.tell("recv", "MSG_PEEK, "+size(d.N), err)
	return d.N, err
}

// ReadFrom wraps recvmsg(2).
func (s *datagrams) ReadFrom(p []byte) (modes.Received, error) {
	d, err := s.receive(p, false)
	s.tell("recvfrom", size(d.N), err)
	return d, err
}

func (s *datagrams) receive(p []byte, peek bool) (modes.Received, error) {
	s.enter()
	if err := s.ready(); err != nil {
		return modes.Received{}, err
	}
	if !s.p.w.await(s.p.w.after(s.values[modes.RecvTimeout]), s.canRead) {
		return modes.Received{}, modes.ErrTimeout
	}
	s.p.work()
	if err := s.takeErr(); err != nil {
		return modes.Received{}, err
	}
	m := s.queue[0]
	if !peek {
		bytes, memory := s.size(m)
		s.queue, s.used, s.memory = s.queue[1:], s.used-bytes, s.memory-memory
	}
	d := modes.Received{From: m.from, N: copy(p, m.data), Truncated: len(m.data) > len(p)}
	if s.flag(modes.RecvDstAddr) {
		d.To = m.to
	}
	return d, nil
}

// Close wraps close(2).
func (s *datagrams) Close() error {
	s.enter()
	if s.u == nil {
		return eBADF
	}
	s.tell("close", "", nil)
	s.exit()
	return nil
}

func (s *datagrams) exit() {
	for _, g := range s.groups {
		s.u.leave(g)
	}
	s.u.release(s)
	s.vanish()
	s.p.closed(s)
}

func (s *datagrams) vanish() { s.u, s.queue = nil, nil }

// Set wraps setsockopt(2).
func (s *datagrams) Set(o modes.Option, v int) error {
	s.enter()
	switch o {
	case modes.NoDelay, modes.MaxSeg:
		return eNOPROTOOPT
	case modes.TTL:
		if v < 1 || v > 255 {
			return eINVAL
		}
	case modes.TOS, modes.MulticastTTL:
		if v < 0 || v > 255 {
			return eINVAL
		}
	}
	s.values[o] = v
	return nil
}

// Get wraps getsockopt(2).
func (s *datagrams) Get(o modes.Option) (int, error) {
	if o == modes.NoDelay || o == modes.MaxSeg {
		return 0, eNOPROTOOPT
	}
	return s.values[o], nil
}

// JoinGroup wraps IP_ADD_MEMBERSHIP.
func (s *datagrams) JoinGroup(group netip.Addr) error {
	s.enter()
	switch {
	case s.u == nil:
		return eBADF
	case group.Is4() != s.isIPv4():
		return eAFNOSUPPORT
	case !group.IsMulticast():
		return eINVAL
	}
	for _, g := range s.groups {
		if g == group {
			return eADDRINUSE
		}
	}
	s.groups = append(s.groups, group)
	s.u.join(group)
	return nil
}

// Err gives and clears SO_ERROR.
func (s *datagrams) Err() error { return s.takeErr() }

func (s *datagrams) takeErr() error {
	err := s.err
	s.err = nil
	return err
}

func (s *datagrams) tell(name, text string, err error) {
	s.p.told(name, text, err, s.local, s.remote)
}

func size(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}
