package rawtcp_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// call is a call of the sockets API.
type call struct {
	name string
	do   func(*lone, *rawtcp.Socket) error
}

func calls() []call {
	return []call{
		{"bind", func(l *lone, k *rawtcp.Socket) error { return k.Bind(l.now, at(here, 5000)) }},
		{"listen", func(l *lone, k *rawtcp.Socket) error { return k.Listen(l.now, 5) }},
		{"accept", func(l *lone, k *rawtcp.Socket) error { _, err := k.Accept(l.now); return err }},
		{"connect", func(l *lone, k *rawtcp.Socket) error { return k.Connect(l.now, at(there, 8)) }},
		{"read", func(l *lone, k *rawtcp.Socket) error { _, err := k.Read(l.now, make([]byte, 9)); return err }},
		{"peek", func(l *lone, k *rawtcp.Socket) error { _, err := k.Peek(l.now, make([]byte, 9)); return err }},
		{"read urgent", func(l *lone, k *rawtcp.Socket) error { _, err := k.ReadUrgent(l.now); return err }},
		{"write", func(l *lone, k *rawtcp.Socket) error { _, err := k.Write(l.now, []byte("text")); return err }},
		{"write urgent", func(l *lone, k *rawtcp.Socket) error { _, err := k.WriteUrgent(l.now, []byte("!")); return err }},
		{"shutdown", func(l *lone, k *rawtcp.Socket) error { return k.Shutdown(l.now) }},
		{"close", func(l *lone, k *rawtcp.Socket) error { return k.Close(l.now) }},
		{"abort", func(l *lone, k *rawtcp.Socket) error { return k.Abort(l.now) }},
		{"SO_ERROR", func(_ *lone, k *rawtcp.Socket) error { return k.Err() }},
		{"set", func(l *lone, k *rawtcp.Socket) error { return k.Set(l.now, rawtcp.NoDelay, 1) }},
		{"get", func(_ *lone, k *rawtcp.Socket) error { _, err := k.Get(rawtcp.NoDelay); return err }},
	}
}

// TestCalls is every call in every situation, with what it answers: what the
// sockets API does, and where systems differ, what a reader of RFC 9293,
// section 3.9.1, expects.
func TestCalls(t *testing.T) {
	var (
		again   = rawtcp.ErrWouldBlock
		invalid = rawtcp.ErrInvalid
		notConn = rawtcp.ErrNotConnected
		is      = rawtcp.ErrConnected
		closed  = rawtcp.ErrClosed
		pipe    = rawtcp.ErrPipe
		refused = tcb.ErrRefused
		reset   = tcb.ErrReset
		none    = tcb.ErrNoUrgent
		eof     = io.EOF
	)
	for _, row := range []struct {
		in   situation
		want []error // of bind, listen, accept, connect; read, peek, read urgent; write, urgent, shutdown; close, abort, SO_ERROR, set, get
	}{
		{isNew, []error{nil, nil, invalid, again, notConn, notConn, notConn, notConn, notConn, notConn, nil, nil, nil, nil, nil}},
		{isBound, []error{invalid, nil, invalid, again, notConn, notConn, notConn, notConn, notConn, notConn, nil, nil, nil, nil, nil}},
		{isListening, []error{invalid, nil, again, invalid, notConn, notConn, notConn, notConn, notConn, notConn, nil, nil, nil, nil, nil}},
		{isSynSent, []error{invalid, invalid, invalid, again, again, again, none, nil, nil, nil, nil, nil, nil, nil, nil}},
		{isSynRcvd, []error{invalid, invalid, invalid, again, again, again, none, nil, nil, nil, nil, nil, nil, nil, nil}},
		{isEstablished, []error{invalid, invalid, invalid, is, again, again, none, nil, nil, nil, nil, nil, nil, nil, nil}},
		{isCloseWait, []error{invalid, invalid, invalid, is, eof, eof, none, nil, nil, nil, nil, nil, nil, nil, nil}},
		{isFinWait1, []error{invalid, invalid, invalid, is, again, again, none, pipe, pipe, nil, nil, nil, nil, nil, nil}},
		{isClosing, []error{invalid, invalid, invalid, is, eof, eof, none, pipe, pipe, nil, nil, nil, nil, nil, nil}},
		{isLastAck, []error{invalid, invalid, invalid, is, eof, eof, none, pipe, pipe, nil, nil, nil, nil, nil, nil}},
		{isFinWait2, []error{invalid, invalid, invalid, is, again, again, none, pipe, pipe, nil, nil, nil, nil, nil, nil}},
		{isTimeWait, []error{invalid, invalid, invalid, is, eof, eof, none, pipe, pipe, nil, nil, nil, nil, nil, nil}},
		{isOver, []error{invalid, invalid, invalid, again, eof, eof, none, pipe, pipe, notConn, nil, nil, nil, nil, nil}},
		{isRefused, []error{invalid, invalid, invalid, refused, refused, refused, none, refused, refused, notConn, nil, nil, refused, nil, nil}},
		{isReset, []error{invalid, invalid, invalid, reset, reset, reset, none, reset, reset, notConn, nil, nil, reset, nil, nil}},
		{isLingering, []error{closed, closed, closed, closed, closed, closed, closed, closed, closed, closed, again, nil, nil, closed, closed}},
		{isClosed, []error{closed, closed, closed, closed, closed, closed, closed, closed, closed, closed, closed, closed, nil, closed, closed}},
	} {
		for i, c := range calls() {
			l, k, _ := in(t, row.in, "")
			if err := c.do(l, k); !errors.Is(err, row.want[i]) || row.want[i] == nil && err != nil {
				t.Errorf("%s in %v: %v, want %v", c.name, row.in, err, row.want[i])
			}
		}
	}
}

// An error is told once, by whichever call comes first; then a reader finds the
// end, and a writer a broken pipe.
func TestErrorIsToldOnce(t *testing.T) {
	for _, s := range []situation{isRefused, isReset} {
		for _, c := range calls() {
			switch c.name {
			case "connect", "read", "peek", "write", "write urgent", "SO_ERROR":
			default:
				continue
			}
			l, k, _ := in(t, s, "")
			if err := c.do(l, k); !errors.Is(err, tcb.ErrRefused) && !errors.Is(err, tcb.ErrReset) {
				t.Errorf("%v, %s: %v", s, c.name, err)
			}
			if _, err := k.Read(l.now, make([]byte, 9)); !errors.Is(err, io.EOF) {
				t.Errorf("%v, read after %s: %v", s, c.name, err)
			}
			if _, err := k.Write(l.now, make([]byte, 9)); !errors.Is(err, rawtcp.ErrPipe) {
				t.Errorf("%v, write after %s: %v", s, c.name, err)
			}
			if err := k.Err(); err != nil {
				t.Errorf("%v, SO_ERROR after %s: %v", s, c.name, err)
			}
		}
	}
}

// TestReady: what CanRead and CanWrite promise in each situation, the calls
// keep: what is not ready would block, what is does not.
func TestReady(t *testing.T) {
	wait := []situation{isListening, isSynSent, isSynRcvd, isEstablished, isFinWait1, isFinWait2, isLingering}
	cannot := []situation{isListening, isSynSent, isSynRcvd}
	for s := range situations {
		l, k, _ := in(t, s, "")
		read, write := k.CanRead(), k.CanWrite()
		if read == slices.Contains(wait, s) {
			t.Errorf("%v: CanRead is %v", s, read)
		}
		if write == slices.Contains(cannot, s) {
			t.Errorf("%v: CanWrite is %v", s, write)
		}
		if s == isListening {
			continue
		}
		_, err := k.Read(l.now, make([]byte, 9))
		if blocks := errors.Is(err, rawtcp.ErrWouldBlock); blocks == read && s != isLingering {
			t.Errorf("%v: CanRead is %v, and Read says %v", s, read, err)
		}
		_, err = k.Write(l.now, make([]byte, 9))
		if write && errors.Is(err, rawtcp.ErrWouldBlock) {
			t.Errorf("%v: CanWrite is %v, and Write says %v", s, write, err)
		}
	}
}

// A full send buffer would block, until something is acknowledged.
func TestWriteBlocks(t *testing.T) {
	l, k, p := in(t, isEstablished, "", "sndbuf=100")
	told := 0
	k.OnChange(func() { told++ })
	if n, err := k.Write(l.now, make([]byte, 150)); n != 100 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	p.take(wire.ACK)
	if n, err := k.Write(l.now, make([]byte, 50)); n != 0 || !errors.Is(err, rawtcp.ErrWouldBlock) || k.CanWrite() {
		t.Errorf("%d %v", n, err)
	}
	told = 0
	p.send(wire.ACK, "")
	if told == 0 || !k.CanWrite() {
		t.Errorf("told %d times", told)
	}
	if n, err := k.Write(l.now, make([]byte, 50)); n != 50 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if n, err := k.Write(l.now, nil); n != 0 || err != nil {
		t.Errorf("nothing: %d %v", n, err)
	}
}

// What is written while the connection is being opened goes out when it is:
// "SYN-SENT STATE: Queue the data for transmission after entering ESTABLISHED
// state." (RFC 9293, section 3.10.2)
func TestWriteEarly(t *testing.T) {
	l, k, p := in(t, isSynSent, "")
	if n, err := k.Write(l.now, []byte("early")); n != 5 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	l.quiet("SYN_SENT")
	p.send(wire.SYN|wire.ACK, "")
	if s := p.take(wire.ACK); string(s.Payload) != "early" {
		t.Errorf("%+v", s)
	}
}

// Peek leaves what it shows.
func TestPeek(t *testing.T) {
	l, k, p := in(t, isEstablished, "")
	p.send(wire.PSH|wire.ACK, "hello")
	p.send(wire.PSH|wire.ACK, ", world")
	var b [100]byte
	for range 2 {
		if n, err := k.Peek(l.now, b[:7]); string(b[:n]) != "hello, " || err != nil {
			t.Errorf("%q %v", b[:n], err)
		}
		if n, err := k.Peek(l.now, b[:]); string(b[:n]) != "hello, world" || err != nil {
			t.Errorf("%q %v", b[:n], err)
		}
	}
	if k.Info().RecvQueued != 12 {
		t.Errorf("%d bytes are left", k.Info().RecvQueued)
	}
	if n, err := k.Read(l.now, b[:7]); string(b[:n]) != "hello, " || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	p.send(wire.FIN|wire.ACK, "")
	if n, err := k.Peek(l.now, b[:]); string(b[:n]) != "world" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	if n, err := k.Read(l.now, b[:]); string(b[:n]) != "world" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	if _, err := k.Peek(l.now, b[:]); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
