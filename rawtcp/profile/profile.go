// Package profile has the systems whose TCP can be had: what the RFCs ask for,
// Linux of today, and the systems of TCP/IP Illustrated. A profile is data; no
// code anywhere asks for its name.
//
// Every value can be set by itself, by name: see Set and Settings.
package profile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Profile is one system.
type Profile struct {
	Name string // as Get takes it
	Text string // what it is, in a line

	TCP tcb.Config
	ISN tcb.ISNRule

	// The listen queue (Fig 18-23): a backlog of q has room for q*Times/2+Plus.
	BacklogTimes    int
	BacklogPlus     int
	BacklogLeast    int  // room that there is at least
	BacklogMax      int  // a larger backlog is taken for this one
	OverflowReset   bool // a RST, not silence, when the queue is full
	AcceptLIFO      bool // accept takes the newest (a bug of SunOS 4.1.3)
	SYNCookies      bool // answer SYNs by a cookie when the queue is full
	FirstPort       uint16
	LastPort        uint16 // ephemeral ports are FirstPort to LastPort
	RandomPort      bool   // in random order, not one after the other
	QuietTime       time.Duration
	TTL             uint8
	TOS             uint8
	UDPChecksum     bool // datagrams are sent with one
	UDPMaxData      int  // how many bytes one of them takes, without SO_SNDBUF
	UDPRecvBuffer   int  // bytes, without SO_RCVBUF
	UDPAnyBroadcast bool // broadcasts take no SO_BROADCAST, as before 4.3BSD
	UDPPathMTU      bool // sent with DF, until ICMP says how much can be sent
	BindTimeWait    bool // a port in TIME_WAIT takes SO_REUSEADDR on the new socket alone
	BindWildcard    bool // *.port and a.port may both be bound, with SO_REUSEADDR
	ConnectTimeWait bool // connect may reuse a pair that is in TIME_WAIT
}

// Room returns how many connections a listen queue has room for.
func (p *Profile) Room(backlog int) int {
	q := max(min(backlog, p.BacklogMax), 0)
	return max(q*p.BacklogTimes/2+p.BacklogPlus, p.BacklogLeast)
}

// Names returns the names of all profiles, the default first.
func Names() []string {
	return []string{"rfc9293", "linux", "bsd", "sunos", "svr4", "solaris"}
}

// Get returns a profile by name, "" for the default. It is the caller's own.
func Get(name string) (*Profile, error) {
	switch name {
	case "rfc9293", "":
		return rfc9293(), nil
	case "linux":
		return linux(), nil
	case "bsd":
		return bsd(), nil
	case "sunos":
		return sunos(), nil
	case "svr4":
		return svr4(), nil
	case "solaris":
		return solaris(), nil
	}
	return nil, fmt.Errorf("no profile %q: there are %s", name, strings.Join(Names(), ", "))
}

// Clone returns a copy that shares nothing with p.
func (p *Profile) Clone() *Profile {
	q := *p
	q.TCP.SYNTimeouts = slices.Clone(p.TCP.SYNTimeouts)
	q.TCP.SYNACKTimeouts = slices.Clone(p.TCP.SYNACKTimeouts)
	return &q
}

// rfc9293 is what the RFCs ask for. Where they leave a choice, it is what
// serves a user of today best.
func rfc9293() *Profile {
	return &Profile{
		Name: "rfc9293",
		Text: "what the RFCs ask for, and nothing they do not",
		TCP: tcb.Config{
			// RFC 6298, 2.1 and 5.5. "R2 for a SYN segment MUST be set large
			// enough to provide retransmission of the segment for at least 3
			// minutes" (RFC 9293, 3.8.3).
			SYNRetries:     -1,
			SYNACKRetries:  -1,
			ConnectTimeout: 3 * time.Minute,

			Layout:      wire.LayoutModern,
			WindowScale: true,
			Timestamps:  true,
			SACK:        true,
			TSClock:     time.Millisecond,

			MSSDefault: 536,
			MSSMin:     64,

			SendBuffer: 1 << 20,
			RecvBuffer: 1 << 20,

			InitialRTO:  time.Second,
			MinRTO:      time.Second,
			MaxRTO:      time.Minute,
			Granularity: 100 * time.Millisecond,
			Retries:     12,

			PersistMin:  time.Second,
			PersistMax:  time.Minute,
			PersistByte: true,
			Override:    200 * time.Millisecond,

			KeepIdle:     2 * time.Hour,
			KeepInterval: 75 * time.Second,
			KeepCount:    9,

			AckDelay: 100 * time.Millisecond,
			AckEvery: 2,

			Congestion:      tcb.NewReno,
			RestartIdle:     true,
			LimitedTransmit: true,
			DupThresh:       3,

			MSL:              2 * time.Minute,
			CloseUnreadReset: true,
			Reuse:            tcb.ReuseTimestamps,

			Challenge:       true,
			ChallengeLimit:  10,
			ChallengePeriod: 5 * time.Second,
			SYNFIN:          true,
			SYNData:         true,

			PathMTU:   true,
			BlackHole: 3,
		},
		ISN: tcb.ISNRule{PerTick: 1, Keyed: true, Clock: tcb.Clock{Tick: 4 * time.Microsecond}},

		BacklogTimes:  2,
		BacklogLeast:  1,
		BacklogMax:    4096,
		SYNCookies:    true,
		FirstPort:     49152,
		LastPort:      65535,
		RandomPort:    true,
		TTL:           64,
		UDPChecksum:   true,
		UDPMaxData:    65507,
		UDPRecvBuffer: 212992, // three of the longest datagrams, as Linux has it
		BindTimeWait:  true,
	}
}

// linux is Linux 6.18, as its defaults are and as it was measured.
func linux() *Profile {
	second := time.Second
	return &Profile{
		Name: "linux",
		Text: "Linux 6.18",
		TCP: tcb.Config{
			// tcp_syn_linear_timeouts is 4, tcp_syn_retries 6: SYNs at 0, 1, 2,
			// 3, 4, 5, 7, 11, 19, 35 and 67 s, and the end at 131 s.
			SYNTimeouts: []time.Duration{second, second, second, second, second, 2 * second, 4 * second},
			SYNRetries:  10,
			// tcp_synack_retries is 5: a SYN+ACK is given up after 63 s.
			SYNACKTimeouts: []time.Duration{second},
			SYNACKRetries:  5,

			Layout:      wire.LayoutModern,
			WindowScale: true,
			WindowShift: 10,
			Timestamps:  true,
			SACK:        true,
			TSClock:     time.Millisecond,

			MSSDefault: 536,
			MSSMin:     48,

			SendBuffer: 212992,
			// Half of tcp_rmem, 4096 131072 33554432: the other half is for what
			// lies around the data. 832 is that of a packet on a virtual Ethernet.
			RecvBuffer:   65536,
			RecvMax:      16777216,
			RecvOverhead: 832,
			Window:       tcb.WindowMemory,

			InitialRTO:  second,
			MinRTO:      200 * time.Millisecond,
			MaxRTO:      2 * time.Minute,
			Granularity: 200 * time.Millisecond,
			Retries:     15,

			// tcp_early_retrans is 3. Two jiffies of 4 ms, and the least RTO.
			TailProbe:    8 * time.Millisecond,
			TailAckDelay: 200 * time.Millisecond,

			PersistMin: 200 * time.Millisecond,
			PersistMax: 2 * time.Minute,

			KeepIdle:     2 * time.Hour,
			KeepInterval: 75 * time.Second,
			KeepCount:    9,
			KeepReset:    true,

			AckDelay:    40 * time.Millisecond,
			AckEvery:    2,
			QuickAcks:   16,
			DelayFINAck: true,

			Congestion:      tcb.Cubic,
			InitialWindow:   10,
			RestartIdle:     true,
			LimitedTransmit: true,
			DupThresh:       3,

			MSL:              30 * time.Second,
			FinWait2:         60 * time.Second,
			CloseUnreadReset: true,
			Reuse:            tcb.ReuseTimestamps,
			ReuseISN:         65537,

			Challenge:       true,
			ChallengeLimit:  1,
			ChallengePeriod: 500 * time.Millisecond,

			PathMTU:          true,
			SoftErrorRefuses: true,
			DuplicateSYNAck:  true,
		},
		// A hash, and a clock of 64 ns (secure_tcp_seq).
		ISN: tcb.ISNRule{PerTick: 1, Keyed: true, Clock: tcb.Clock{Tick: 64 * time.Nanosecond}},

		BacklogTimes:    2,
		BacklogPlus:     1,
		BacklogMax:      4096,
		SYNCookies:      true,
		FirstPort:       32768,
		LastPort:        60999,
		RandomPort:      true,
		TTL:             64,
		UDPChecksum:     true,
		UDPMaxData:      65507,
		UDPRecvBuffer:   212992, // rmem_default
		ConnectTimeWait: true,
	}
}

// bsd is BSD/386 and 4.4BSD, as the book shows them.
func bsd() *Profile {
	tick := 500 * time.Millisecond
	second := time.Second
	return &Profile{
		Name: "bsd",
		Text: "BSD/386 and 4.4BSD",
		TCP: tcb.Config{
			Slow: tcb.Clock{Tick: tick},
			Fast: tcb.Clock{Tick: 200 * time.Millisecond},

			// Fig 18-6: SYNs at 0, about 5.8 and 24 s later; 75 s end it.
			SYNTimeouts:    []time.Duration{6 * second, 24 * second, 48 * second},
			SYNRetries:     -1,
			SYNACKRetries:  -1,
			ConnectTimeout: 75 * second,

			Layout:  wire.LayoutBSD,
			TSClock: tick,

			MSSRound:    1024,
			MSSNonlocal: 512,
			MSSDefault:  536,
			MSSMin:      32,

			SendBuffer: 4096,
			RecvBuffer: 4096,

			// Fig 21-1: 1.5, 3, 6, 12, 24, 48, 64 s, and a RST after the twelfth
			// retransmission.
			InitialRTO:  6 * second,
			MinRTO:      second,
			MaxRTO:      64 * second,
			Granularity: tick,
			TickRTT:     true,
			Retries:     12,

			// Fig 22-1: 5, 5, 6, 12, 24, 48, 60 s.
			PersistMin:  5 * second,
			PersistMax:  60 * second,
			PersistByte: true,

			KeepIdle:     2 * time.Hour,
			KeepInterval: 75 * second,
			KeepCount:    10,

			Window: tcb.WindowExact,

			AckDelay: 200 * time.Millisecond,
			AckEvery: 0, // the window counts

			Congestion:    tcb.Reno,
			InitialWindow: 1,
			RestartIdle:   true,
			IdleHears:     true,
			DupThresh:     3,

			MSL:         30 * second,
			FinWait2:    675 * second,
			GiveUpReset: true,
			Reuse:       tcb.ReuseSequence,
			ReuseISN:    128000,

			SYNFIN:  true,
			SYNData: true,

			LooseICMP: true,
		},
		ISN: tcb.ISNRule{Boot: 1, PerTick: 64000, PerConnection: 64000, Clock: tcb.Clock{Tick: tick}},

		BacklogTimes:  3,
		BacklogPlus:   1,
		BacklogMax:    5,
		FirstPort:     1024,
		LastPort:      5000,
		TTL:           64,
		UDPChecksum:   true,
		UDPMaxData:    9216,
		UDPRecvBuffer: 40 * (1024 + 16), // udp_recvspace: 40 datagrams and their senders
		BindTimeWait:  true,
		BindWildcard:  true,
	}
}

// sunos is SunOS 4.1.3, which has the code of 4.3BSD.
func sunos() *Profile {
	p := bsd()
	second := time.Second
	p.Name, p.Text = "sunos", "SunOS 4.1.3, with the code of 4.3BSD"
	p.TCP.SYNTimeouts = []time.Duration{6 * second, 12 * second, 24 * second, 48 * second}
	p.TCP.MSSRound = 0
	p.TCP.MSSNonlocal = 536
	p.TCP.Congestion = tcb.Tahoe
	p.TCP.LocalBurst = true
	p.TCP.KeepByte = true
	p.ISN.Boot = 0
	p.AcceptLIFO = true
	p.TTL = 60
	p.UDPChecksum = false // Fig 11-5
	p.UDPAnyBroadcast = true
	return p
}

// svr4 is Unix System V Release 4.
func svr4() *Profile {
	p := bsd()
	p.Name, p.Text = "svr4", "Unix System V Release 4"
	p.TCP.Congestion = tcb.Tahoe
	p.TCP.LocalBurst = true
	p.TCP.StreamHead = 5120 // Fig 22-1: nine segments of 1024 bytes, read by nobody
	p.TTL = 60
	return p
}

// solaris is Solaris 2.2.
func solaris() *Profile {
	p := bsd()
	second := time.Second
	p.Name, p.Text = "solaris", "Solaris 2.2"
	p.TCP.Slow, p.TCP.Fast = tcb.Clock{}, tcb.Clock{}
	p.TCP.TickRTT = false
	p.TCP.SYNTimeouts = nil
	p.TCP.ConnectTimeout = 3 * time.Minute
	p.TCP.InitialRTO = second
	p.TCP.MinRTO = 200 * time.Millisecond
	p.TCP.MaxRTO = time.Minute
	p.TCP.Granularity = 100 * time.Millisecond
	p.TCP.MSSRound = 0
	p.TCP.MSSNonlocal = 0 // it finds the MTU of the path (Fig 24-3)
	p.TCP.SendBuffer, p.TCP.RecvBuffer = 8192, 8760
	p.TCP.AckDelay = 50 * time.Millisecond
	p.TCP.AckEvery = 2
	p.TCP.DelayThirdAck = true
	p.TCP.MSL = 2 * time.Minute
	p.TCP.UrgentLast = false
	p.TCP.PathMTU = true
	p.UDPMaxData = 65507
	p.UDPPathMTU = true
	p.BacklogTimes, p.BacklogPlus = 2, 0
	p.FirstPort, p.LastPort = 32768, 65535
	p.TTL = 255
	return p
}
