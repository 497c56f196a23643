package tcb

import (
	"time"

	"sock/rawtcp/seq"
)

// Info is a connection as netstat and TCP_INFO show it.
type Info struct {
	State                      State
	LocalPort, RemotePort      uint16
	SendQueued, RecvQueued     int // bytes not acknowledged yet, and not read yet
	Unsent, OutOfOrder         int // bytes not sent yet, and beyond a hole
	SendBuffer, RecvBuffer     int
	ISS, IRS                   seq.Value
	SndUna, SndNxt, RcvNxt     seq.Value
	SndWnd, RcvWnd             int
	SndShift, RcvShift         uint8
	SegmentSize                int // the most data in a segment now
	MSS                        int // of TCP_MAXSEG: without options
	MTU                        int
	Timestamps, SACK, Scaling  bool
	Cwnd, Ssthresh             int // bytes
	Recovering                 bool
	SRTT, RTTVar, RTO          time.Duration
	Retransmits, Probes, Keeps int // of what is unacknowledged now
	UserClosed                 bool
	Timers                     [NumTimers]time.Duration // deadlines; negative if not set
}

// Info returns the connection as it is.
func (t *TCB) Info() Info {
	in := Info{
		State: t.state, LocalPort: t.localPort, RemotePort: t.remotePort,
		SendQueued: t.snd.buf.n, RecvQueued: t.rcv.buf.n,
		OutOfOrder: int(t.rcv.held.size()),
		SendBuffer: t.snd.buf.limit, RecvBuffer: t.rcv.buf.limit,
		ISS: t.snd.iss, IRS: t.rcv.irs,
		SndUna: t.snd.una, SndNxt: t.snd.nxt, RcvNxt: t.rcv.nxt,
		SndWnd: int(t.snd.wnd), RcvWnd: int(t.rcv.window()),
		SndShift: t.snd.shift, RcvShift: t.rcv.shift,
		MTU: int(t.mtu), Timestamps: t.ts.on, SACK: t.sack.on, Scaling: t.rcv.scaling,
		Cwnd: t.cc.cwnd, Ssthresh: t.cc.ssthresh, Recovering: t.cc.recovering,
		SRTT: t.rtt.srtt, RTTVar: t.rtt.rttvar, RTO: t.currentRTO(),
		Retransmits: int(t.rtt.tries), Probes: int(t.probes), Keeps: int(t.keeps),
		UserClosed: t.rcv.gone, Timers: t.timers,
	}
	if t.snd.nxt.Less(t.snd.end()) {
		in.Unsent = int(t.snd.end().Sub(t.snd.nxt))
	}
	in.MSS = t.announce()
	if t.snd.mss > 0 {
		in.MSS = min(in.MSS, int(t.snd.mss))
		in.SegmentSize = t.smss()
	}
	for i, d := range in.Timers {
		if d == never {
			in.Timers[i] = -1
		}
	}
	return in
}

// Readable returns how many bytes Read would return at once.
func (t *TCB) Readable() int {
	if t.rcv.gone || t.state == SynRcvd {
		return 0
	}
	return t.readable()
}

// Writable returns how many bytes Send would take.
func (t *TCB) Writable() int {
	if !t.state.CanSend() || t.snd.fin {
		return 0
	}
	return t.snd.buf.free()
}

// AtEOF reports whether the peer has sent all and all of it has been read, but
// for an urgent byte.
func (t *TCB) AtEOF() bool { return t.rcv.done && t.readable() == 0 }

// Drained reports whether the peer has acknowledged all that was sent, the FIN
// included: what a close that lingers waits for.
func (t *TCB) Drained() bool {
	return t.snd.buf.n == 0 && (!t.snd.fin || t.snd.finAcked())
}

// TimeWaiter returns what is to be remembered of a connection in TIME_WAIT.
func (t *TCB) TimeWaiter() TimeWaiter {
	return TimeWaiter{
		cfg:        t.cfg,
		Deadline:   t.timers[Timer2MSL],
		sndNxt:     t.snd.nxt,
		rcvNxt:     t.rcv.nxt,
		rcvWnd:     uint32(t.rcv.window()),
		tsRecent:   t.ts.recent,
		tsOffset:   t.ts.offset,
		localPort:  t.localPort,
		remotePort: t.remotePort,
		rcvShift:   t.rcv.shift,
		timestamps: t.ts.on,
	}
}
