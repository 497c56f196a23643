package tcb

import (
	"io"
	"time"

	"sock/rawtcp/seq"
)

// OpenPassive begins to listen, for one connection. iss is the initial
// sequence number that it will use. It is an error, ErrExists, if the
// connection is not in CLOSED.
func (t *TCB) OpenPassive(now time.Duration, iss seq.Value) error {
	// "If passive, enter the LISTEN state and return." (RFC 9293, 3.10.1)
	if t.state != Closed {
		return ErrExists
	}
	t.renew()
	t.passive = true
	t.setISS(iss)
	t.setState(now, Listen)
	return nil
}

// OpenActive opens the connection to the peer, from CLOSED or from LISTEN. It
// is open when the state is ESTABLISHED; if it becomes CLOSED instead, Err
// says why. The errors are ErrExists and ErrUnspecified.
func (t *TCB) OpenActive(now time.Duration, iss seq.Value) error {
	switch {
	case t.state > Listen:
		return ErrExists
	case t.remotePort == 0:
		return ErrUnspecified
	}
	// "An initial send sequence number (ISS) is selected. A SYN segment of
	// the form <SEQ=ISS><CTL=SYN> is sent. Set SND.UNA to ISS, SND.NXT to
	// ISS+1, enter SYN-SENT state, and return." (RFC 9293, 3.10.1)
	if t.state == Closed {
		t.renew()
	}
	t.passive = false
	t.setISS(iss)
	t.sendSYN(RuleOpen)
	t.setState(now, SynSent)
	t.startConnect(now)
	return nil
}

func (t *TCB) setISS(iss seq.Value) {
	s := &t.snd
	s.iss, s.una, s.nxt, s.resend = iss, iss, iss, iss
	s.base, s.up = iss.Add(1), iss.Add(1)
	t.cc.recover = iss
}

// Send queues as much of p as there is room for, and returns how much. The
// error is ErrWouldBlock if there is none; otherwise as in RFC 9293, section
// 3.10.2, or Err if the connection has ended.
func (t *TCB) Send(now time.Duration, p []byte) (int, error) {
	switch {
	case t.state == Closed:
		return 0, t.gone()
	case t.state == Listen:
		// "If the remote socket is specified, then change the connection
		// from passive to active, select an ISS. Send a SYN segment".
		if err := t.OpenActive(now, t.snd.iss); err != nil {
			return 0, err
		}
	case !t.state.CanSend() || t.snd.fin:
		// "Return "error: connection closing" and do not service request."
		return 0, ErrClosing
	}
	if len(p) == 0 {
		return 0, nil
	}
	n := t.snd.buf.write(p)
	if n == 0 {
		return 0, ErrWouldBlock
	}
	t.repeatUrgent()
	return n, nil
}

// SendUrgent is Send of urgent data: it ends with the last byte of p that was
// queued.
func (t *TCB) SendUrgent(now time.Duration, p []byte) (int, error) {
	n, err := t.Send(now, p)
	if n > 0 {
		// "If the URGENT flag is set, then SND.UP <- SND.NXT and set the
		// urgent pointer in the outgoing segments." (RFC 9293, 3.10.2).
		// The number after the last byte queued is meant.
		t.snd.up, t.snd.urgent, t.snd.sayUp = t.snd.end(), true, true
	}
	return n, err
}

// Read moves what has arrived to p, and returns how much. It stops at the
// urgent mark. The error is io.EOF after the peer's FIN, ErrWouldBlock if
// nothing is there yet; Err if the connection has ended.
func (t *TCB) Read(now time.Duration, p []byte) (int, error) {
	if t.rcv.gone {
		return 0, ErrNotExist
	}
	n := t.readable()
	if n > 0 && t.state != SynRcvd {
		n = t.take(p[:min(n, len(p))])
		t.memoryRead(now)
		t.windowOpens(now)
		t.quickRead()
		return n, nil
	}
	switch {
	case t.err != nil:
		return 0, t.err
	case t.rcv.done:
		// "If no text is awaiting delivery, the RECEIVE will get an "error:
		// connection closing" response." (RFC 9293, 3.10.3)
		return 0, io.EOF
	case t.state == Closed:
		return 0, ErrNotExist
	}
	return 0, ErrWouldBlock
}

// Peek is Read that leaves what has arrived where it is (MSG_PEEK).
func (t *TCB) Peek(now time.Duration, p []byte) (int, error) {
	n := min(t.readable(), len(p))
	if t.rcv.gone || n == 0 || t.state == SynRcvd {
		return t.Read(now, p[:0])
	}
	from := 0
	if before, ok := t.Urgent(); ok && before == 0 && !t.opt.inline {
		from = 1
	}
	x, y := t.rcv.buf.parts(from, n)
	return copy(p, x) + copy(p[len(x):n], y), nil
}

// Shutdown says that the user will send no more: CLOSE as RFC 9293 has it, and
// shutdown(fd, SHUT_WR). What is queued is still sent, then a FIN. The user may
// go on reading.
func (t *TCB) Shutdown(now time.Duration) error {
	switch t.state {
	case Closed:
		return t.gone()
	case Listen, SynSent:
		// "Delete the TCB and return "error: closing" responses to any
		// queued SENDs, or RECEIVEs." (RFC 9293, 3.10.4)
		t.end(now, nil)
	case SynRcvd:
		// "If no SENDs have been issued and there is no pending data to
		// send, then form a FIN segment and send it, and enter FIN-WAIT-1
		// state; otherwise, queue for processing after entering ESTABLISHED
		// state."
		if t.snd.fin = true; t.snd.buf.n == 0 {
			t.setState(now, FinWait1)
		}
	case Established:
		// "Queue this until all preceding SENDs have been segmentized, then
		// form a FIN segment and send it. In any case, enter FIN-WAIT-1
		// state."
		t.snd.fin = true
		t.setState(now, FinWait1)
	case CloseWait:
		// "Queue this request until all preceding SENDs have been
		// segmentized; then send a FIN segment, enter LAST-ACK state."
		t.snd.fin = true
		t.setState(now, LastAck)
	case FinWait1, FinWait2:
		// "An "ok" response would be acceptable, too, as long as a second
		// FIN is not emitted".
	default:
		// "Respond with "error: connection closing"."
		return ErrClosing
	}
	return nil
}

// Close says that the user has done with the connection: close(fd). What is
// queued is still sent, but what arrives from now on can reach nobody.
func (t *TCB) Close(now time.Duration) error {
	if t.rcv.gone {
		return ErrNotExist
	}
	if t.state == Closed {
		err := t.gone()
		t.rcv.gone = true
		t.rcv.buf.release()
		return err
	}
	t.rcv.gone = true
	unread := t.readable() > 0
	t.rcv.buf.n = 0
	// "If such a host issues a CLOSE call while received data is still
	// pending in TCP, or if new data is received after CLOSE is called, its
	// TCP SHOULD send an RST to show that data was lost." (RFC 1122,
	// 4.2.2.13)
	if unread && t.cfg.CloseUnreadReset && t.state.Synchronized() && t.state != TimeWait {
		t.sendRST(RuleCloseUnread)
		t.end(now, ErrAborted)
		return nil
	}
	if t.state < FinWait1 {
		return t.Shutdown(now)
	}
	if t.state == FinWait2 {
		t.startFinWait2(now)
	}
	return nil
}

// Abort ends the connection at once, and tells the peer by a RST if it knows
// of it: close with a linger time of 0.
func (t *TCB) Abort(now time.Duration) error {
	switch t.state {
	case Closed:
		err := t.gone()
		t.rcv.gone = true
		return err
	case Listen, SynSent, Closing, LastAck, TimeWait:
		// "Delete the TCB, enter CLOSED state, and return." (RFC 9293,
		// 3.10.5)
	default:
		// "Send a reset segment: <SEQ=SND.NXT><CTL=RST>"
		t.sendRST(RuleAbort)
	}
	t.rcv.gone = true
	t.rcv.buf.release()
	t.end(now, ErrAborted)
	return nil
}

// gone returns the answer to calls in CLOSED.
func (t *TCB) gone() error {
	if t.err != nil {
		return t.err
	}
	return ErrNotExist
}

// Configure gives the connection another Config. What it says of the SYN and
// of buffers comes too late for this connection.
func (t *TCB) Configure(now time.Duration, cfg *Config) {
	t.cfg = cfg
	t.touchKeep(now)
}

// SetNoDelay switches the Nagle algorithm off (TCP_NODELAY).
func (t *TCB) SetNoDelay(on bool) { t.opt.noDelay = on }

// SetNoPush holds back segments that are not full (TCP_NOPUSH, TCP_CORK).
func (t *TCB) SetNoPush(on bool) { t.opt.noPush = on }

// SetKeepAlive switches keepalive probes on (SO_KEEPALIVE).
func (t *TCB) SetKeepAlive(now time.Duration, on bool) {
	t.opt.keepAlive = on
	t.touchKeep(now)
}

// SetInline leaves urgent data in the stream (SO_OOBINLINE).
func (t *TCB) SetInline(on bool) { t.opt.inline = on }

// SetMaxSeg bounds the data in a segment, both ways if it is called before the
// connection is opened (TCP_MAXSEG). 0 takes the bound away.
func (t *TCB) SetMaxSeg(n int) { t.opt.maxSeg = max(n, 0) }

// SetSendBuffer sets how many bytes Send queues (SO_SNDBUF). What is queued
// stays queued.
func (t *TCB) SetSendBuffer(n int) { t.snd.buf.limit = max(n, 1) }

// leastRecv is the least buffer to receive in, counted as windows are: an urgent
// byte may lie unread in it, and what comes after it must find room, or the
// window would never open.
const leastRecv = 2

// SetRecvBuffer sets how many bytes may wait to be read, and so the window
// (SO_RCVBUF), 2 at least. A window that the peer knows of is never taken
// back. For one of more than 65535 bytes call it before the connection is
// opened. It does not grow any more.
func (t *TCB) SetRecvBuffer(now time.Duration, n int) {
	t.rcv.buf.limit = max(n, leastRecv<<t.rcv.shift)
	t.opt.recvBuf = true
	t.windowOpens(now)
}
