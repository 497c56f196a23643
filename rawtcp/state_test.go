package rawtcp_test

import (
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// situation is where a socket can be: the eleven states, and what comes before
// and after them.
type situation uint8

const (
	isNew situation = iota
	isBound
	isListening
	isSynSent
	isSynRcvd // after a simultaneous open: the only one that a user has
	isEstablished
	isCloseWait
	isFinWait1
	isClosing
	isLastAck
	isFinWait2
	isTimeWait
	isOver    // a connection that both ends have closed
	isRefused // a connect that was refused
	isReset   // a connection that was reset
	isLingering
	isClosed // the user has closed the socket
	situations
)

func (s situation) String() string {
	return [situations]string{
		"new", "bound", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING",
		"LAST_ACK", "FIN_WAIT_2", "TIME_WAIT", "over", "refused", "reset", "lingering", "closed",
	}[s]
}

// state is the state of a socket in the situation.
func (s situation) state() tcb.State {
	return [situations]tcb.State{
		tcb.Closed, tcb.Closed, tcb.Listen, tcb.SynSent, tcb.SynRcvd, tcb.Established, tcb.CloseWait, tcb.FinWait1,
		tcb.Closing, tcb.LastAck, tcb.FinWait2, tcb.TimeWait, tcb.Closed, tcb.Closed, tcb.Closed, tcb.FinWait1, tcb.Closed,
	}[s]
}

// in returns a Stack with a socket in a situation.
func in(t testing.TB, s situation, prof string, settings ...string) (*lone, *rawtcp.Socket, *peer) {
	t.Helper()
	l := newLone(t, prof, settings...)
	k := l.Socket(rawtcp.IPv4)
	var p *peer
	connect := func() {
		l.ok(k.Bind(l.now, at(here, 4000)))
		l.ok(k.Connect(l.now, at(there, 7)))
		p = l.peer(at(there, 7), at(here, 4000))
		p.take(wire.SYN)
	}
	establish := func() {
		connect()
		p.send(wire.SYN|wire.ACK, "")
		p.take(wire.ACK)
	}
	shutdown := func() {
		establish()
		l.ok(k.Shutdown(l.now))
		p.take(wire.FIN | wire.ACK)
	}
	switch s {
	case isNew:
	case isBound:
		l.ok(k.Bind(l.now, at(here, 4000)))
	case isListening:
		l.ok(k.Bind(l.now, at(here, 4000)))
		l.ok(k.Listen(l.now, 5))
	case isSynSent:
		connect()
	case isSynRcvd:
		connect()
		p.send(wire.SYN, "")
		p.take(wire.SYN | wire.ACK)
	case isEstablished:
		establish()
	case isCloseWait, isLastAck:
		establish()
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
		if s == isLastAck {
			l.ok(k.Shutdown(l.now))
			p.take(wire.FIN | wire.ACK)
		}
	case isFinWait1:
		shutdown()
	case isClosing:
		shutdown()
		p.ack--
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
	case isFinWait2:
		shutdown()
		p.send(wire.ACK, "")
	case isTimeWait, isOver:
		shutdown()
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
		if s == isOver {
			l.pass(2 * l.prof.TCP.MSL)
		}
	case isRefused:
		connect()
		p.send(wire.RST|wire.ACK, "")
	case isReset:
		establish()
		p.send(wire.RST, "")
	case isLingering:
		establish()
		l.ok(k.Set(l.now, rawtcp.Linger, 10))
		l.ok(k.Close(l.now))
		p.take(wire.FIN | wire.ACK)
	case isClosed:
		l.ok(k.Close(l.now))
	}
	if k.State() != s.state() {
		t.Fatalf("%v: the state is %v", s, k.State())
	}
	l.quiet(s.String())
	return l, k, p
}
