package tcb

import (
	"time"

	"sock/rawtcp/wire"
)

// Congestion names an algorithm of congestion control.
type Congestion uint8

// The algorithms, from oldest to newest.
const (
	NoCongestionControl Congestion = iota // before 1988: as much as the window allows
	Tahoe                                 // 4.3BSD Tahoe: fast retransmit, then slow start
	Reno                                  // 4.3BSD Reno: fast recovery
	NewReno                               // RFC 5681 and 6582
	Cubic                                 // RFC 9438
)

// ReuseRule says which SYN may begin a new incarnation of a connection that is
// in TIME_WAIT.
type ReuseRule uint8

// The rules.
const (
	ReuseNever      ReuseRule = iota
	ReuseSequence             // RFC 1122: its number is beyond all that the old one used
	ReuseTimestamps           // RFC 6191: that, or its timestamp is newer
)

// WindowRule says how the receive window is reckoned.
type WindowRule uint8

// The rules.
const (
	// WindowSteps: it grows by a segment or half the buffer at a time, as the RFC
	// wants it.
	WindowSteps WindowRule = iota
	// WindowExact reckons it anew with each segment that comes or goes (Berkeley):
	// what there is room for is accepted, though the window was said to be smaller,
	// and every ACK tells of all the room there is, however little more that is.
	WindowExact
	// WindowMemory is the part of the free memory that data can fill (Linux).
	WindowMemory
)

// Config is how a system does TCP, as data. Many connections share one; none
// changes it. All durations are exact where the clock is; a Clock with ticks
// rounds them up.
type Config struct {
	// Clocks.
	Slow Clock // of all timers but the delayed ACK
	Fast Clock // of the delayed ACK

	// Opening.
	SYNTimeouts    []time.Duration // between SYNs; the last one doubles on, up to MaxRTO
	SYNACKTimeouts []time.Duration // the same for SYN+ACK; none: as between SYNs
	SYNRetries     int             // SYNs after the first; then ErrTimeout. -1: no limit
	SYNACKRetries  int             // the same for SYN+ACK
	ConnectTimeout time.Duration   // ends SYN_SENT and SYN_RCVD; 0: never

	// The SYN.
	Layout      wire.Layout   // the order of options
	WindowScale bool          // RFC 7323
	WindowShift int           // the least shift count to offer
	Timestamps  bool          // RFC 7323
	SACK        bool          // RFC 2018
	TSClock     time.Duration // one tick of the timestamp clock: 1 ms to 1 s

	// Segment sizes.
	MSSRound    int // an MSS above it is rounded down to a multiple of it; 0: not
	MSSNonlocal int // the most to a host that is not local; 0: no such rule
	MSSDefault  int // what to send if the peer names no MSS
	MSSMin      int // the least believed of a peer, or of a path

	// Buffers, in bytes.
	SendBuffer, RecvBuffer int
	StreamHead             int // what lies between RecvBuffer and the user (SVR4)

	// Retransmission.
	InitialRTO  time.Duration
	MinRTO      time.Duration
	MaxRTO      time.Duration
	Granularity time.Duration // the least that is added for variance
	TickRTT     bool          // measure in ticks of Slow, and round as the Berkeley code does
	Retries     int           // retransmissions of one segment; then ErrTimeout
	UserTimeout time.Duration // no ACK for so long: ErrTimeout; 0: only Retries counts

	// The tail loss probe (RFC 8985, section 7).
	TailProbe    time.Duration // so long after two round trips; 0: no probe
	TailAckDelay time.Duration // that, if one segment is outstanding: its ACK may be delayed

	// Persist.
	PersistMin, PersistMax time.Duration
	PersistByte            bool          // a probe carries a byte of new data
	Override               time.Duration // of silly window avoidance; 0: as persist

	// Keepalive.
	KeepIdle     time.Duration
	KeepInterval time.Duration
	KeepCount    int
	KeepByte     bool // a probe carries a byte of garbage, for 4.2BSD
	KeepReset    bool // RST to a peer that has answered no probe

	// The receive window.
	Window       WindowRule
	RecvMax      int // what RecvBuffer grows to for a reader that keeps up; 0: it does not (WindowMemory)
	RecvOverhead int // bytes that a segment takes in memory, besides its data (WindowMemory)

	// Acknowledgments.
	AckDelay      time.Duration // 0: no delay
	AckEvery      int           // full-sized segments for one ACK; 0: any number
	QuickAcks     int           // ACKs sent at once while the peer may be in slow start; 0: none
	DelayFINAck   bool          // the ACK of a FIN may wait for the user to close
	DelayThirdAck bool          // that of a SYN+ACK may wait for the first data

	// Congestion.
	Congestion      Congestion
	InitialWindow   int  // in segments; 0: by RFC 5681
	LocalBurst      bool // no limit at first, to a host that is local (4.3BSD)
	RestartIdle     bool // slow start again after an RTO of silence,
	IdleHears       bool // that of the peer (4.3BSD); otherwise our own
	LimitedTransmit bool // RFC 3042
	DupThresh       int  // duplicate ACKs that make a loss

	// Closing.
	MSL               time.Duration
	FinWait2          time.Duration // how long after a full close; 0: for ever
	CloseUnreadReset  bool          // RST if the user closes with data unread
	GiveUpReset       bool          // RST to a peer that has not answered for too long
	Reuse             ReuseRule
	ReuseISN          uint32 // the new ISN lies so far beyond the old numbers; 0: any
	IgnoreTimeWaitRST bool   // RFC 1337

	// Doubtful segments.
	Challenge       bool          // RFC 5961
	ChallengeLimit  int           // challenge ACKs in
	ChallengePeriod time.Duration // this time; 0: no limit
	SYNFIN          bool          // a listener takes a SYN that has a FIN
	SYNData         bool          // a listener keeps the data of a SYN

	// Urgent data.
	UrgentLast bool // the pointer is the last urgent byte (RFC 1122), not one past it

	// The path.
	PathMTU          bool // forbid fragments, and listen to "too big"
	BlackHole        int  // timeouts after which a smaller packet is tried; 0: never
	SoftErrorRefuses bool // any ICMP error ends SYN_SENT
	LooseICMP        bool // one need not be about what is outstanding (before RFC 5927)

	// Known bugs.
	DuplicateSYNAck  bool // the crossing SYN+ACK gets an ACK of its own (Linux)
	SimultaneousLoop bool // it gets another SYN+ACK, for ever (old BSD)
	UrgentRepeats    bool // the peer is told of urgent data again and again, in place of window probes (Berkeley)
}

// timestamp returns the timestamp clock at now (RFC 7323, section 5.4).
func (c *Config) timestamp(now time.Duration, offset uint32) uint32 {
	return uint32(now/max(c.TSClock, 1)) + offset
}
