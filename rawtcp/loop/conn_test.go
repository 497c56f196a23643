package loop_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/tcb"
)

// The tests below run in a bubble: time passes only when everybody waits, and
// the end of a test finds every goroutine that is left.

// bubble runs f with two hosts in a bubble, of which a is as o says.
func bubble(t *testing.T, o loop.Options, f func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newPair(t, loop.MemoryOptions{}, o, loop.Options{})) })
}

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes s, all of it.
func write(t testing.TB, c io.Writer, s string) {
	t.Helper()
	if n, err := io.WriteString(c, s); n != len(s) || err != nil {
		t.Fatalf("%d bytes written of %d: %v", n, len(s), err)
	}
}

// wantRead reads what must be s.
func wantRead(t testing.TB, c io.Reader, s string) {
	t.Helper()
	got := make([]byte, len(s))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != s {
		t.Fatalf("read %q, not %q: %v", got[:n], s, err)
	}
}

// wantError fails unless err is a *net.OpError of op that is all of want.
func wantError(t testing.TB, err error, op string, want ...error) {
	t.Helper()
	var e *net.OpError
	if !errors.As(err, &e) || e.Op != op || e.Net != "tcp" {
		t.Fatalf("%#v is no *net.OpError of %s", err, op)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%v is not %v", err, w)
		}
	}
}

// "CLOSE is an operation meaning "I have no more data to send."" (RFC 9293,
// section 3.6): after it the answer can still be read.
func TestHalfClose(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		write(t, c, "question")
		must(t, c.CloseWrite())
		all, err := io.ReadAll(s)
		must(t, err)
		if string(all) != "question" {
			t.Errorf("%q has arrived", all)
		}
		write(t, s, "answer")
		must(t, s.Close())
		all, err = io.ReadAll(c)
		must(t, err)
		if string(all) != "answer" {
			t.Errorf("%q has come back", all)
		}
		_, err = c.Write([]byte("more"))
		wantError(t, err, "write", rawtcp.ErrPipe, syscall.EPIPE)
		must(t, c.Close())
	})
}

// Who will not read does not stop the peer from writing.
func TestCloseRead(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		write(t, c, "unread")
		synctest.Wait()
		must(t, s.CloseRead())
		if n, err := s.Read(make([]byte, 10)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes read after CloseRead: %v", n, err)
		}
		write(t, c, strings.Repeat("more than any window ", 100_000))
		write(t, s, "answer")
		wantRead(t, c, "answer")
		must(t, c.Close())
		must(t, s.Close())
	})
}

func TestCloseReadWakesReader(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		_, s := p.connect(t)
		read := start(func() error { return readOne(s) })
		synctest.Wait()
		must(t, s.CloseRead())
		if err := <-read; !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// start runs f, and returns where its error comes.
func start(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

func readOne(c io.Reader) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

// writeOn writes until it fails.
func writeOn(c io.Writer) error {
	buf := make([]byte, 100_000)
	for {
		if _, err := c.Write(buf); err != nil {
			return err
		}
	}
}

// Closing ends the calls that wait, of both directions.
func TestCloseWakes(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, _ := p.connect(t)
		read, wrote := start(func() error { return readOne(c) }), start(func() error { return writeOn(c) })
		synctest.Wait()
		must(t, c.Close())
		wantError(t, <-read, "read", net.ErrClosed)
		wantError(t, <-wrote, "write", net.ErrClosed)
		wantError(t, c.Close(), "close", net.ErrClosed)
		wantError(t, c.CloseWrite(), "close", net.ErrClosed)
		wantError(t, c.SetDeadline(time.Now()), "set", net.ErrClosed)
		wantError(t, c.SetNoDelay(true), "set", net.ErrClosed)
	})
}

// So does the end of the Loop, for whoever uses it; and the peers are told.
func TestLoopClose(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		n := p.listen(t)
		waiting := map[string]<-chan error{
			"read":   start(func() error { return readOne(s) }),
			"write":  start(func() error { return writeOn(s) }),
			"accept": start(func() error { _, err := n.Accept(); return err }),
		}
		peer := start(func() error { return readOne(c) })
		synctest.Wait()
		must(t, p.b.Close())
		for op, err := range waiting {
			wantError(t, <-err, op, net.ErrClosed)
		}
		if err := p.b.Close(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		_, err := p.b.Listen(port, 1)
		wantError(t, err, "listen", net.ErrClosed)
		_, err = p.b.Dial(t.Context(), port)
		wantError(t, err, "dial", net.ErrClosed)
		must(t, <-peer) // a byte of what b had written
		_, err = io.Copy(io.Discard, c)
		wantError(t, err, "read", tcb.ErrReset, syscall.ECONNRESET)
	})
}

// A deadline ends a call exactly in time, also if it is set while the call
// waits, and does not hurt the connection.
func TestDeadline(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		for _, o := range []struct {
			op   string
			set  func(time.Time) error
			call func() error
		}{
			{"read", c.SetReadDeadline, func() error { return readOne(c) }},
			{"write", c.SetWriteDeadline, func() error { return writeOn(c) }},
			{"read", c.SetDeadline, func() error { return readOne(c) }},
		} {
			began := time.Now()
			must(t, o.set(began.Add(time.Hour)))
			waiting := start(o.call)
			synctest.Wait()
			must(t, o.set(began.Add(time.Minute)))
			err := <-waiting
			wantError(t, err, o.op, os.ErrDeadlineExceeded)
			if took := time.Since(began); took != time.Minute {
				t.Errorf("%s took %v", o.op, took)
			}
			var e net.Error
			if !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("%v is no timeout", err)
			}
			must(t, o.set(time.Time{}))
		}
		write(t, s, "still here")
		wantRead(t, c, "still here")
	})
}

// A deadline that has passed fails even what would not wait.
func TestDeadlinePast(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		write(t, s, "there")
		synctest.Wait()
		must(t, c.SetDeadline(time.Unix(0, 0)))
		wantError(t, readOne(c), "read", os.ErrDeadlineExceeded)
		_, err := c.Write([]byte("x"))
		wantError(t, err, "write", os.ErrDeadlineExceeded)
		must(t, c.SetDeadline(time.Now().Add(1<<62))) // as good as none
		wantRead(t, c, "there")
	})
}

// "SO_LINGER" with a time has close wait for the acknowledgment; when the time
// is over, it waits no longer.
func TestLinger(t *testing.T) {
	for _, cut := range []bool{false, true} {
		o := slow(time.Second, 0)
		bubble(t, o, func(t *testing.T, p *pair) {
			c, s := p.connect(t)
			must(t, c.SetLinger(20))
			write(t, c, "last words")
			if cut {
				p.a.Do(func(now time.Duration, _ *rawtcp.Stack) { o.Faults.Cut(now, link.Everybody) })
			}
			began := time.Now()
			err := c.Close()
			took := time.Since(began)
			switch {
			case err != nil:
				t.Error(err)
			case cut && took != 20*time.Second:
				t.Errorf("close gave up after %v", took)
			case !cut && (took < 2*time.Second || took > 5*time.Second):
				t.Errorf("close took %v over a link of a second", took)
			}
			if !cut {
				wantRead(t, s, "last words")
			}
		})
	}
}

// Nor does it wait for what the end of the Loop has made impossible.
func TestLingerLoopClose(t *testing.T) {
	bubble(t, slow(time.Second, 0), func(t *testing.T, p *pair) {
		c, _ := p.connect(t)
		must(t, c.SetLinger(20))
		write(t, c, "last words")
		closed := start(c.Close)
		synctest.Wait()
		must(t, p.a.Close())
		wantError(t, <-closed, "close", net.ErrClosed)
	})
}

// With a time of 0 it is a reset.
func TestLingerZero(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		must(t, c.SetLinger(0))
		must(t, c.Close())
		wantError(t, readOne(s), "read", tcb.ErrReset, syscall.ECONNRESET)
	})
}

// The Loop of a program that ends is closed only after Drain.
func TestDrain(t *testing.T) {
	bubble(t, slow(time.Second, 0), func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		must(t, p.a.Drain(t.Context())) // of what is open nothing is to be waited for
		text := strings.Repeat("all of it ", 20_000)
		write(t, c, text)
		must(t, c.Close())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.a.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("there was nothing to wait for: %v", err)
		}
		must(t, p.a.Drain(t.Context()))
		must(t, p.a.Close())
		must(t, p.a.Drain(t.Context()))
		wantRead(t, s, text)
		if err := readOne(s); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// Two writers at a time do not mix what they write, and two readers each get
// some of it.
func TestTwoAtATime(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		const n = 1_000_000
		for _, letter := range []string{"a", "b"} {
			go func() { _, _ = io.WriteString(c, strings.Repeat(letter, n)) }()
		}
		synctest.Wait()
		first := make([]byte, n)
		_, err := io.ReadFull(s, first)
		must(t, err)
		if string(first) != strings.Repeat(string(first[:1]), n) {
			t.Error("the two writes are mixed")
		}
		reads := make(chan int)
		for range 2 {
			go func() {
				buf := make([]byte, 1000)
				for {
					k, err := s.Read(buf)
					if err != nil {
						reads <- 0
						return
					}
					reads <- k
				}
			}()
		}
		for left := n; left > 0; {
			left -= <-reads
		}
		must(t, c.Close())
		if <-reads+<-reads != 0 {
			t.Error("more has come than was written")
		}
	})
}

// Options are those of the socket, and accepted connections have those of the
// listener.
func TestOptions(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t, loop.Set(rawtcp.MaxSeg, 700))
		must(t, c.SetNoDelay(true))
		must(t, c.SetReadBuffer(10_000))
		must(t, c.SetWriteBuffer(20_000))
		must(t, c.SetLinger(-7))
		must(t, c.SetKeepAlivePeriod(30*time.Second))
		must(t, c.SetKeepAlive(true))
		must(t, c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: -1, Interval: time.Second}))
		for o, want := range map[rawtcp.Option]int{
			rawtcp.NoDelay: 1, rawtcp.RecvBuf: 10_000, rawtcp.SendBuf: 20_000, rawtcp.Linger: -1,
			rawtcp.KeepAlive: 1, rawtcp.KeepIdle: 30_000_000, rawtcp.KeepInterval: 1_000_000, rawtcp.KeepCount: 9,
		} {
			must(t, c.Do(func(_ time.Duration, k *rawtcp.Socket) error {
				if got, err := k.Get(o); got != want || err != nil {
					t.Errorf("option %d is %d, not %d: %v", o, got, want, err)
				}
				return nil
			}))
		}
		must(t, s.Do(func(_ time.Duration, k *rawtcp.Socket) error {
			if n := k.Info().MSS; n != 700 {
				t.Errorf("the accepted connection has an MSS of %d", n)
			}
			return nil
		}))
		wantError(t, c.SetReadBuffer(0), "set", rawtcp.ErrInvalid, syscall.EINVAL)
	})
}
