package trial_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// ending is in which order the two users of a connection close.
type ending int

const (
	bothAtOnce  ending = iota // each when it has written all
	clientFirst               // the server waits for the end of the client's data
	serverFirst
	numEndings
)

// user is a program at one end: it writes total bytes, reads until the end,
// and closes. It does nothing unless OnChange has told it to, or a pause of
// its own is over.
type user struct {
	end  int // 0 is the client
	sock *rawtcp.Socket
	rnd  *rand.Rand

	total, sent int // bytes
	expect, got int
	waits       bool // shuts down only after the end of what it reads
	eager       bool // writes before the connection is open
	lazy        bool // pauses now and then
	urgent      bool // writes urgent data now and then

	woken            bool
	wake             time.Duration // when a pause is over; 0 if there is none
	eof, shut, close bool
	buf              []byte
}

// textByte is byte i of what an end sends.
func textByte(end, i int) byte { return byte(i*7 + i>>8*13 + end*101) }

// String says how far the user has come.
func (u *user) String() string {
	if u.sock == nil {
		return fmt.Sprintf("end %d has no socket", u.end)
	}
	return fmt.Sprintf("end %d in %v has read %d of %d bytes (end %t), written %d of %d (end %t)",
		u.end, u.sock.State(), u.got, u.expect, u.eof, u.sent, u.total, u.shut)
}

// attach gives the user its socket.
func (u *user) attach(k *rawtcp.Socket) {
	u.sock, u.woken = k, true
	k.OnChange(func() { u.woken = true })
}

// act does what can be done. It reports false if that is nothing.
func (u *user) act(now time.Duration) (bool, error) {
	if u.sock == nil || u.close || now < u.wake || !u.woken && u.wake == 0 {
		return false, nil
	}
	u.woken, u.wake = false, 0
	if err := u.write(now); err != nil {
		return true, fmt.Errorf("end %d writes: %w", u.end, err)
	}
	if err := u.read(now); err != nil {
		return true, fmt.Errorf("end %d reads: %w", u.end, err)
	}
	return true, u.finish(now)
}

func (u *user) write(now time.Duration) error {
	if u.sock.State() < tcb.Established && !u.eager {
		return nil
	}
	for u.sent < u.total {
		p := u.buf[:min(1+u.rnd.IntN(len(u.buf)), u.total-u.sent)]
		for i := range p {
			p[i] = textByte(u.end, u.sent+i)
		}
		send := u.sock.Write
		if u.urgent && u.rnd.IntN(10) == 0 {
			send = u.sock.WriteUrgent
		}
		n, err := send(now, p)
		u.sent += n
		switch {
		case errors.Is(err, rawtcp.ErrWouldBlock):
			if n != 0 || u.sock.CanWrite() && u.sock.State() >= tcb.Established {
				return fmt.Errorf("%d bytes and %w, but the socket says that it can be written", n, err)
			}
			return nil
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("no bytes and no error")
		}
	}
	return nil
}

func (u *user) read(now time.Duration) error {
	for !u.eof {
		n, err := u.sock.Read(now, u.buf[:1+u.rnd.IntN(len(u.buf))])
		for i, b := range u.buf[:n] {
			if want := textByte(1-u.end, u.got+i); b != want {
				return fmt.Errorf("byte %d is %#x, not %#x", u.got+i, b, want)
			}
		}
		u.got += n
		switch {
		case errors.Is(err, rawtcp.ErrWouldBlock), errors.Is(err, rawtcp.ErrNotConnected):
			return nil
		case errors.Is(err, io.EOF) && u.got == u.expect:
			u.eof = true
		case err != nil:
			return fmt.Errorf("after %d of %d bytes: %w", u.got, u.expect, err)
		case u.got > u.expect:
			return fmt.Errorf("%d bytes, but only %d were sent", u.got, u.expect)
		}
		if u.lazy && u.rnd.IntN(8) == 0 {
			u.wake = now + 1 + time.Duration(u.rnd.Int64N(int64(8*time.Second)))
			return nil
		}
	}
	return nil
}

// finish shuts down or closes if it is time to.
func (u *user) finish(now time.Duration) error {
	if u.sent == u.total && !u.shut && (u.eof || !u.waits && u.sock.State() >= tcb.SynRcvd) {
		u.shut = true
		if u.eof && u.rnd.IntN(2) == 0 {
			u.close = true
			return u.sock.Close(now)
		}
		if err := u.sock.Shutdown(now); err != nil {
			return fmt.Errorf("end %d shuts down: %w", u.end, err)
		}
	}
	if u.shut && u.eof {
		u.close = true
		return u.sock.Close(now)
	}
	return nil
}
