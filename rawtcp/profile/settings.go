package profile

import (
	"math"
	"time"

	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// settings is every value of a profile, by name.
func settings() []Setting {
	const (
		many = math.MaxInt32
		all  = math.MaxUint32
	)
	type p = *Profile
	type d = *time.Duration
	return []Setting{
		duration("tick", "the clock of all timers but the delayed ACK; 0 is exact", func(p p) d { return &p.TCP.Slow.Tick }),
		duration("phase", "when one of its ticks is", func(p p) d { return &p.TCP.Slow.Phase }),
		duration("ack-tick", "the clock of the delayed ACK; 0 is exact", func(p p) d { return &p.TCP.Fast.Tick }),
		duration("ack-phase", "when one of its ticks is", func(p p) d { return &p.TCP.Fast.Phase }),

		durations("syn-timeouts", "between one SYN and the next; the last one doubles on; none: by rto-initial", func(p p) *[]time.Duration { return &p.TCP.SYNTimeouts }),
		durations("synack-timeouts", "the same for SYN+ACK; none: as syn-timeouts", func(p p) *[]time.Duration { return &p.TCP.SYNACKTimeouts }),
		integer("syn-retries", "count", "SYNs after the first; -1: no limit", -1, 255, func(p p) *int { return &p.TCP.SYNRetries }),
		integer("synack-retries", "count", "SYN+ACKs after the first; -1: no limit", -1, 255, func(p p) *int { return &p.TCP.SYNACKRetries }),
		duration("connect-timeout", "how long a connection may take to open; 0: no limit", func(p p) d { return &p.TCP.ConnectTimeout }),

		layout("layout", "the order of TCP options", func(p p) *wire.Layout { return &p.TCP.Layout }),
		boolean("wscale", "offer window scaling", func(p p) *bool { return &p.TCP.WindowScale }),
		integer("wscale-shift", "count", "the least shift count to offer", 0, 14, func(p p) *int { return &p.TCP.WindowShift }),
		boolean("timestamps", "offer timestamps", func(p p) *bool { return &p.TCP.Timestamps }),
		interval("timestamp-clock", "one tick of the timestamp clock", func(p p) d { return &p.TCP.TSClock }),
		boolean("sack", "offer selective acknowledgments", func(p p) *bool { return &p.TCP.SACK }),

		integer("mss-round", "bytes", "an MSS above it is rounded down to a multiple of it; 0: not", 0, 65535, func(p p) *int { return &p.TCP.MSSRound }),
		integer("mss-nonlocal", "bytes", "the largest MSS to a host on no network of our own; 0: no limit", 0, 65535, func(p p) *int { return &p.TCP.MSSNonlocal }),
		integer("mss-default", "bytes", "the MSS of a peer that names none", 1, 65535, func(p p) *int { return &p.TCP.MSSDefault }),
		integer("mss-min", "bytes", "the least MSS that is believed", 1, 65535, func(p p) *int { return &p.TCP.MSSMin }),

		integer("sndbuf", "bytes", "the send buffer", 1, many, func(p p) *int { return &p.TCP.SendBuffer }),
		integer("rcvbuf", "bytes", "the receive buffer, and so the window", 1, many, func(p p) *int { return &p.TCP.RecvBuffer }),
		integer("stream-head", "bytes", "what waits for the user beside the receive buffer (STREAMS)", 0, many, func(p p) *int { return &p.TCP.StreamHead }),

		interval("rto-initial", "the retransmission timeout before anything is measured", func(p p) d { return &p.TCP.InitialRTO }),
		interval("rto-min", "the least retransmission timeout", func(p p) d { return &p.TCP.MinRTO }),
		interval("rto-max", "the largest retransmission timeout", func(p p) d { return &p.TCP.MaxRTO }),
		duration("rto-variance", "the least that is added to the round-trip time", func(p p) d { return &p.TCP.Granularity }),
		boolean("rtt-ticks", "measure in ticks, and round as the Berkeley code does", func(p p) *bool { return &p.TCP.TickRTT }),
		integer("retries", "count", "retransmissions before the connection is given up", 0, 255, func(p p) *int { return &p.TCP.Retries }),
		duration("user-timeout", "how long without an ACK before it is given up; 0: only retries count", func(p p) d { return &p.TCP.UserTimeout }),
		duration("tail-probe", "a tail loss probe so long after two round trips; 0: none", func(p p) d { return &p.TCP.TailProbe }),
		duration("tail-ack-delay", "that, if one segment is outstanding", func(p p) d { return &p.TCP.TailAckDelay }),
		boolean("reset-on-timeout", "send a RST when it is given up", func(p p) *bool { return &p.TCP.GiveUpReset }),

		interval("persist-min", "the least time between window probes", func(p p) d { return &p.TCP.PersistMin }),
		interval("persist-max", "the largest", func(p p) d { return &p.TCP.PersistMax }),
		boolean("persist-byte", "a window probe carries a byte of data", func(p p) *bool { return &p.TCP.PersistByte }),
		duration("override", "when a small segment goes out after all; 0: as a window probe", func(p p) d { return &p.TCP.Override }),

		interval("keep-idle", "silence before the first keepalive probe", func(p p) d { return &p.TCP.KeepIdle }),
		interval("keep-interval", "between keepalive probes", func(p p) d { return &p.TCP.KeepInterval }),
		integer("keep-count", "count", "probes without an answer before it is given up", 1, 255, func(p p) *int { return &p.TCP.KeepCount }),
		boolean("keep-byte", "a keepalive probe carries a byte of garbage", func(p p) *bool { return &p.TCP.KeepByte }),
		boolean("keep-reset", "send a RST when no probe has been answered", func(p p) *bool { return &p.TCP.KeepReset }),

		words("window", "steps: the window grows by a segment or half the buffer; exact: every ACK tells all the room there is (Berkeley); memory: it is what the memory that is free can hold (Linux)", func(p p) *tcb.WindowRule { return &p.TCP.Window }, "steps", "exact", "memory"),
		integer("rcvbuf-max", "bytes", "what rcvbuf grows to for a reader that keeps up (window=memory); 0: it does not", 0, many, func(p p) *int { return &p.TCP.RecvMax }),
		integer("rcvbuf-overhead", "bytes", "what a segment takes in memory, besides its data (window=memory)", 0, 65535, func(p p) *int { return &p.TCP.RecvOverhead }),
		duration("ack-delay", "how long an ACK may wait; 0: not at all", func(p p) d { return &p.TCP.AckDelay }),
		integer("ack-every", "count", "full-sized segments for one ACK; 0: only the delay counts", 0, 255, func(p p) *int { return &p.TCP.AckEvery }),
		integer("ack-quick", "count", "ACKs at once while the peer may be in slow start; 0: none", 0, 255, func(p p) *int { return &p.TCP.QuickAcks }),
		boolean("ack-delay-fin", "the ACK of a FIN may wait too", func(p p) *bool { return &p.TCP.DelayFINAck }),
		boolean("ack-delay-third", "the third segment of the handshake may wait for data", func(p p) *bool { return &p.TCP.DelayThirdAck }),

		words("congestion", "the congestion control", func(p p) *tcb.Congestion { return &p.TCP.Congestion }, "none", "tahoe", "reno", "newreno", "cubic"),
		integer("initial-window", "count", "the initial congestion window in segments; 0: by RFC 5681", 0, 255, func(p p) *int { return &p.TCP.InitialWindow }),
		boolean("local-burst", "no slow start to a host on a network of our own (4.3BSD)", func(p p) *bool { return &p.TCP.LocalBurst }),
		boolean("restart-idle", "slow start again after a silence", func(p p) *bool { return &p.TCP.RestartIdle }),
		boolean("idle-hears", "that of the peer, not our own (4.3BSD)", func(p p) *bool { return &p.TCP.IdleHears }),
		boolean("limited-transmit", "the first duplicate ACKs send new data", func(p p) *bool { return &p.TCP.LimitedTransmit }),
		integer("dupthresh", "count", "duplicate ACKs that make a loss", 1, 255, func(p p) *int { return &p.TCP.DupThresh }),

		duration("msl", "the maximum segment lifetime; TIME_WAIT is twice as long", func(p p) d { return &p.TCP.MSL }),
		duration("fin-wait-2", "how long FIN_WAIT_2 lasts after a close; 0: for ever", func(p p) d { return &p.TCP.FinWait2 }),
		boolean("close-reset", "a close with data unread sends a RST", func(p p) *bool { return &p.TCP.CloseUnreadReset }),
		words("time-wait-reuse", "which SYN may begin a new connection in TIME_WAIT", func(p p) *tcb.ReuseRule { return &p.TCP.Reuse }, "never", "sequence", "timestamps"),
		integer("time-wait-isn", "number", "how far its ISN lies beyond the old numbers; 0: any", 0, many, func(p p) *uint32 { return &p.TCP.ReuseISN }),
		boolean("rfc1337", "a RST does not end TIME_WAIT", func(p p) *bool { return &p.TCP.IgnoreTimeWaitRST }),

		boolean("rfc5961", "challenge what may be forged", func(p p) *bool { return &p.TCP.Challenge }),
		integer("challenge-limit", "count", "challenge ACKs", 0, many, func(p p) *int { return &p.TCP.ChallengeLimit }),
		duration("challenge-period", "in this time; 0: no limit", func(p p) d { return &p.TCP.ChallengePeriod }),
		boolean("syn-fin", "a listener takes a SYN that has a FIN", func(p p) *bool { return &p.TCP.SYNFIN }),
		boolean("syn-data", "a listener keeps the data of a SYN", func(p p) *bool { return &p.TCP.SYNData }),

		boolean("urgent-last", "the urgent pointer is the last urgent byte, not one past it", func(p p) *bool { return &p.TCP.UrgentLast }),
		boolean("pmtu", "forbid fragments, and find the MTU of the path", func(p p) *bool { return &p.TCP.PathMTU }),
		integer("black-hole", "count", "timeouts before a smaller packet is tried; 0: never", 0, 255, func(p p) *int { return &p.TCP.BlackHole }),
		boolean("soft-refuses", "any ICMP error ends a connection that is opening", func(p p) *bool { return &p.TCP.SoftErrorRefuses }),
		boolean("icmp-loose", "one need not be about what is outstanding (before RFC 5927)", func(p p) *bool { return &p.TCP.LooseICMP }),

		integer("isn", "number", "the initial sequence number at boot", 0, all, func(p p) *uint32 { return &p.ISN.Boot }),
		integer("isn-tick", "number", "what every tick adds to it", 0, all, func(p p) *uint32 { return &p.ISN.PerTick }),
		duration("isn-clock", "the time between those ticks", func(p p) d { return &p.ISN.Clock.Tick }),
		duration("isn-phase", "when one of them is", func(p p) d { return &p.ISN.Clock.Phase }),
		integer("isn-connection", "number", "what every connection adds to it", 0, all, func(p p) *uint32 { return &p.ISN.PerConnection }),
		boolean("isn-keyed", "a hash of the sockets and a secret is added to it", func(p p) *bool { return &p.ISN.Keyed }),

		integer("backlog-times", "count", "a backlog of q has room for q*TIMES/2+PLUS", 0, 255, func(p p) *int { return &p.BacklogTimes }),
		integer("backlog-plus", "count", "connections", 0, 255, func(p p) *int { return &p.BacklogPlus }),
		integer("backlog-least", "count", "connections that there is room for at least", 0, 255, func(p p) *int { return &p.BacklogLeast }),
		integer("backlog-max", "count", "the largest backlog", 0, many, func(p p) *int { return &p.BacklogMax }),
		boolean("backlog-reset", "a full queue answers by a RST", func(p p) *bool { return &p.OverflowReset }),
		boolean("syn-cookies", "a full queue answers by a SYN cookie", func(p p) *bool { return &p.SYNCookies }),
		boolean("accept-lifo", "accept takes the newest connection (a bug of SunOS 4.1.3)", func(p p) *bool { return &p.AcceptLIFO }),
		integer("port-first", "number", "the first ephemeral port", 1, 65535, func(p p) *uint16 { return &p.FirstPort }),
		integer("port-last", "number", "the last one", 1, 65535, func(p p) *uint16 { return &p.LastPort }),
		boolean("port-random", "they are taken in random order", func(p p) *bool { return &p.RandomPort }),
		duration("quiet-time", "no connection is made for so long after a boot", func(p p) d { return &p.QuietTime }),
		integer("ttl", "count", "the time to live of packets", 1, 255, func(p p) *uint8 { return &p.TTL }),
		integer("tos", "number", "their type of service", 0, 255, func(p p) *uint8 { return &p.TOS }),
		boolean("udp-checksum", "datagrams are sent with a checksum", func(p p) *bool { return &p.UDPChecksum }),
		integer("udp-max", "bytes", "the longest datagram, without SO_SNDBUF", 0, 65507, func(p p) *int { return &p.UDPMaxData }),
		integer("udp-rcvbuf", "bytes", "the receive buffer of UDP", 1, many, func(p p) *int { return &p.UDPRecvBuffer }),
		boolean("udp-any-broadcast", "broadcasts take no SO_BROADCAST", func(p p) *bool { return &p.UDPAnyBroadcast }),
		boolean("udp-path-mtu", "datagrams forbid fragments, until ICMP says how much comes through", func(p p) *bool { return &p.UDPPathMTU }),
		boolean("bind-time-wait", "SO_REUSEADDR on the new socket alone binds a port in TIME_WAIT", func(p p) *bool { return &p.BindTimeWait }),
		boolean("bind-wildcard", "SO_REUSEADDR binds *.port beside a.port", func(p p) *bool { return &p.BindWildcard }),
		boolean("connect-time-wait", "connect may take a pair of sockets in TIME_WAIT", func(p p) *bool { return &p.ConnectTimeWait }),

		boolean("bug-duplicate-ack", "a crossing SYN+ACK gets an ACK of its own (Linux)", func(p p) *bool { return &p.TCP.DuplicateSYNAck }),
		boolean("bug-simultaneous", "a crossing SYN+ACK gets another one, for ever (old BSD)", func(p p) *bool { return &p.TCP.SimultaneousLoop }),
		boolean("bug-urgent", "each write tells of urgent data that waits, and no window probe does (Berkeley)", func(p p) *bool { return &p.TCP.UrgentRepeats }),
	}
}
