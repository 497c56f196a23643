package tcb

import (
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// Params are what a connection is made with, besides its Config.
type Params struct {
	LocalPort  uint16
	RemotePort uint16 // 0 if a listening end does not know it yet

	// MTU is how large a packet the path takes, as far as is known, and
	// IPHeader the size of the IP header in it: 20 or 40 bytes.
	MTU, IPHeader int
	Local         bool // the peer is on a network of our own
	// Segmented is the size of the longest packet that the device cuts into
	// segments itself; 0 if it cuts none.
	Segmented int

	TSOffset uint32 // added to the timestamp clock (RFC 7323, section 5.4)
	Hook     Hook   // nil if nobody wants to be told
}

// TCB is one connection: the transmission control block. Make it with New, or Init.
type TCB struct {
	cfg     *Config
	hook    Hook
	state   State
	passive bool // opened by a passive OPEN, and not active since
	last    Rule // of the last segment out
	err     error
	soft    error

	localPort, remotePort uint16
	mtu                   uint16
	segmented             uint16 // see Params
	size                  uint16 // see SegmentSize
	ipHeader              uint8
	local                 bool

	snd   sendVars
	rcv   recvVars
	ts    timestamps
	ack   ackVars
	rtt   rttVars
	cc    congestion
	sack  scoreboard
	tail  tail
	quick quickAck
	reply reply
	opt   options

	timers [NumTimers]time.Duration
	probes uint8 // window probes since the window closed
	keeps  uint8 // keepalive probes without an answer

	unanswered uint8 // window probes since the peer was last heard

	challenges     int // challenge ACKs since challengeStart
	challengeStart time.Duration
}

// sendVars are the send sequence variables (RFC 9293, section 3.3.1).
type sendVars struct {
	buf  buffer    // what is queued, from base on
	base seq.Value // the number of the first byte in buf

	iss seq.Value
	una seq.Value // SND.UNA: oldest unacknowledged number
	nxt seq.Value // SND.NXT: one past the highest number sent
	// resend is from where on all is to be sent again, after a timeout:
	// una <= resend <= nxt, and nxt if nothing is.
	resend seq.Value
	why    Rule // resend is not nxt

	wnd      seq.Size // SND.WND, scaled
	max      seq.Size // MAX.SND.WND
	wl1, wl2 seq.Value
	up       seq.Value // SND.UP: one past the last urgent byte
	mss      uint16    // SendMSS: the most data in a segment without options
	shift    uint8     // of the windows that come in

	urgent bool // up has not been acknowledged
	fin    bool // the user has closed: a FIN follows the data

	// What Output is to do.
	syn   Rule // send the SYN
	force Rule // send one segment from una on, whatever else
	probe bool // send a window probe
	keep  bool // send a keepalive probe
	flush bool // send what there is, small as it may be
	sayUp bool // tell of urgent data

	last time.Duration // when data was last sent
}

// end returns the number after the last byte queued: that of the FIN.
func (s *sendVars) end() seq.Value { return s.base + seq.Value(s.buf.n) }

// synAcked reports whether our SYN has been acknowledged.
func (s *sendVars) synAcked() bool { return s.base.LessEq(s.una) }

// finAcked reports whether our FIN has been acknowledged.
func (s *sendVars) finAcked() bool { return s.fin && s.end().Less(s.una) }

// recvVars are the receive sequence variables.
type recvVars struct {
	buf  buffer // what can be read, and what has arrived beyond holes
	held spans  // what has arrived beyond nxt
	mem  memory // what the window is reckoned from, by one rule

	irs seq.Value
	nxt seq.Value // RCV.NXT
	adv seq.Value // RCV.NXT+RCV.WND: the right edge, as the peer knows it
	max seq.Size  // the largest window that the peer has been told
	fin seq.Value // where the FIN is, if it has arrived
	up  seq.Value // RCV.UP: one past the last urgent byte

	hasFIN  bool // the FIN has arrived, maybe beyond a hole
	done    bool // all up to and with the FIN has arrived
	gone    bool // the user has closed: nobody will read
	scaling bool // both ends do window scaling
	urgent  bool // up has not been read past
	haveOOB bool
	oob     byte   // the urgent byte
	shift   uint8  // of the windows that go out
	mss     uint16 // what we have announced
	seen    uint16 // the most data in a segment so far

	last time.Duration // when a segment last came in
}

func newRecvVars(limit int) recvVars {
	return recvVars{buf: buffer{limit: limit}, mem: memory{ratio: ratioUnit / 2}}
}

// window returns RCV.WND.
func (r *recvVars) window() seq.Size {
	if r.adv.Less(r.nxt) {
		return 0
	}
	return r.adv.Sub(r.nxt)
}

// timestamps is the state of RFC 7323.
type timestamps struct {
	on     bool
	recent uint32        // TS.Recent
	age    time.Duration // when it was set
	offset uint32        // of our own clock
	acked  seq.Value     // Last.ACK.sent
}

// ackVars say what is to be acknowledged, and how soon.
type ackVars struct {
	now    Rule         // why at once, or NoRule
	owed   int          // bytes that came in since the last ACK
	dsack  span         // arrived twice: to be told in the next ACK (RFC 2883)
	recent [3]seq.Value // where the latest spans beyond a hole began
}

// options are what the user has set (RFC 1122, and setsockopt).
type options struct {
	noDelay   bool // no Nagle algorithm
	keepAlive bool
	inline    bool // urgent data stays in the stream
	noPush    bool
	recvBuf   bool // the receive buffer is as the user wants it
	maxSeg    int  // the user's bound on segment size; 0: none
}

// reply is a segment outside the stream that waits to be sent.
type reply struct {
	rule     Rule
	seq, ack seq.Value
	wnd      uint16
	flags    wire.Flags
}

// New returns a connection in CLOSED. cfg is shared, not copied, and must not
// be changed; Configure gives the connection another one.
func New(cfg *Config, p Params) *TCB {
	t := new(TCB)
	t.Init(cfg, p)
	return t
}

// Init makes t, whatever it was before, what New returns.
func (t *TCB) Init(cfg *Config, p Params) {
	*t = TCB{
		cfg:        cfg,
		hook:       p.Hook,
		localPort:  p.LocalPort,
		remotePort: p.RemotePort,
		mtu:        uint16(min(p.MTU, 65535)),
		ipHeader:   uint8(p.IPHeader),
		local:      p.Local,
		segmented:  uint16(min(p.Segmented, 65535)),
	}
	for i := range t.timers {
		t.timers[i] = never
	}
	t.ts.offset = p.TSOffset
	t.snd.buf.limit = cfg.SendBuffer
	t.rcv = newRecvVars(max(cfg.RecvBuffer, leastRecv))
}

// State returns the state.
func (t *TCB) State() State { return t.state }

// Err returns why the connection ended before its time, or nil.
func (t *TCB) Err() error { return t.err }

// SoftErr returns the last error that the network told of and that did not end
// the connection, and forgets it.
func (t *TCB) SoftErr() error {
	err := t.soft
	t.soft = nil
	return err
}

// LastRule returns the rule that made the segment which Output returned last.
func (t *TCB) LastRule() Rule { return t.last }

// SegmentSize returns how much data goes into each of the segments that the one
// which Output returned last is to be cut into; 0 if it goes out as it is.
func (t *TCB) SegmentSize() int { return int(t.size) }

// Passive reports whether the connection came out of LISTEN.
func (t *TCB) Passive() bool { return t.passive }
