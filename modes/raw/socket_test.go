package raw_test

import (
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"sock/modes"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// wantErrno fails unless err is just what a system call gives.
func wantErrno(t *testing.T, call string, err error, want syscall.Errno) {
	t.Helper()
	if err != want {
		t.Errorf("%s: %v, not %v", call, err, want)
	}
}

// wantAfter fails unless d has passed since began.
func wantAfter(t *testing.T, began time.Time, d time.Duration) {
	t.Helper()
	if took := time.Since(began); took != d {
		t.Errorf("it took %v, not %v", took, d)
	}
}

// Errors are those of the system calls.
func TestErrors(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.a.socket(t)
		wantErrno(t, "connect", s.Connect(at("10.0.0.2:7"), 0), syscall.ECONNREFUSED)
		must(t, s.Close())
		wantErrno(t, "close", s.Close(), syscall.EBADF)
		_, err := s.Read(make([]byte, 1))
		wantErrno(t, "read", err, syscall.EBADF)

		s = p.a.socket(t)
		wantErrno(t, "bind", s.Bind(at("10.0.0.9:1")), syscall.EADDRNOTAVAIL)
		must(t, s.Bind(at("10.0.0.1:1")))
		wantErrno(t, "bind", p.a.socket(t).Bind(at("0.0.0.0:1")), syscall.EADDRINUSE)
		_, err = s.Peer()
		wantErrno(t, "getpeername", err, syscall.ENOTCONN)
		wantErrno(t, "shutdown", s.CloseWrite(), syscall.ENOTCONN)
		_, err = s.Accept()
		wantErrno(t, "accept", err, syscall.EINVAL)
		wantErrno(t, "connect", s.Connect(at("10.0.0.255:7"), 0), syscall.EACCES)
		wantErrno(t, "setsockopt", s.Set(modes.TTL, 256), syscall.EINVAL)
		wantErrno(t, "setsockopt", s.Set(modes.MulticastTTL, 2), syscall.ENOPROTOOPT)
		if err := s.Set(modes.AsyncIO, 1); err == nil || err.Error() != "our own TCP has no SIGIO" {
			t.Error(err)
		}
		if err := s.SetRoute(nil, netip.Addr{}, true); err == nil || !strings.Contains(err.Error(), "source routes") {
			t.Error(err)
		}

		c, d := p.connect(t)
		wantErrno(t, "connect", c.Connect(at("10.0.0.2:7"), 0), syscall.EISCONN)
		must(t, c.CloseWrite())
		_, err = c.Write([]byte("more"))
		wantErrno(t, "write", err, syscall.EPIPE)
		if _, err := d.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		must(t, d.Set(modes.Linger, 0))
		must(t, d.Close())
		_, err = c.Read(make([]byte, 1))
		wantErrno(t, "read", err, syscall.ECONNRESET)
		p.over(t)
	})
}

// A connect ends at its limit, or when TCP has lost its patience: 3 minutes, as
// the default profile has it. Then the end of the process has nothing to wait for.
func TestConnectTimeout(t *testing.T) {
	cut := link.Conditions{Loss: 1}
	bubble(t, loop.Options{Faults: link.NewPipe(cut, 1)}, loop.Options{}, func(t *testing.T, p pair) {
		began := time.Now()
		wantErrno(t, "connect", p.a.socket(t).Connect(at("10.0.0.2:7"), 5*time.Second), syscall.ETIMEDOUT)
		wantAfter(t, began, 5*time.Second)
		wantErrno(t, "connect", p.a.socket(t).Connect(at("10.0.0.2:7"), 0), syscall.ETIMEDOUT)
		wantAfter(t, began, 5*time.Second+3*time.Minute)
		p.over(t)
		wantAfter(t, began, 5*time.Second+3*time.Minute)
	})
}

// SO_RCVTIMEO and SO_SNDTIMEO bound calls that wait.
func TestTimeouts(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		c, s := p.connect(t)
		began := time.Now()
		must(t, c.Set(modes.RecvTimeout, 1_500_000))
		if _, err := c.Read(make([]byte, 1)); err != modes.ErrTimeout {
			t.Error(err)
		}
		wantAfter(t, began, 1500*time.Millisecond)
		must(t, c.Set(modes.SendTimeout, 2_000_000))
		n, err := c.Write(make([]byte, 10<<20))
		if err != modes.ErrTimeout || n == 0 {
			t.Errorf("%d bytes written: %v", n, err)
		}
		// A third of the buffer may be free: who waits wakes up no sooner.
		more, err := c.WriteNow(make([]byte, 10<<20), []byte("y"))
		n += more
		if err != nil {
			t.Error(err)
		}
		if _, err := c.WriteNow([]byte("x"), []byte("y")); err != modes.ErrWouldBlock {
			t.Error(err)
		}
		if wrote, err := io.CopyN(io.Discard, s, int64(n)); err != nil || wrote != int64(n) {
			t.Errorf("%d bytes read of %d: %v", wrote, n, err)
		}
		p.over(t)
	})
}

// What is set can be read back.
func TestOptions(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.a.socket(t)
		for o, v := range map[modes.Option]int{
			modes.ReuseAddr: 1, modes.ReusePort: 1, modes.Debug: 1, modes.DontRoute: 1, modes.TOS: 16,
			modes.TTL: 9, modes.MaxSeg: 512, modes.KeepAlive: 1, modes.NoDelay: 1, modes.Linger: 5,
			modes.RecvTimeout: 1_000_000, modes.SendTimeout: 2_000_000, modes.DontFragment: 1,
			modes.RecvBuf: 4096, modes.SendBuf: 8192,
		} {
			must(t, s.Set(o, v))
			if got, err := s.Get(o); got != v || err != nil {
				t.Errorf("option %d is %d, not %d: %v", o, got, v, err)
			}
		}
		must(t, s.SetCongestion("cubic"))
		if name, _ := s.Congestion(); name != "cubic" {
			t.Errorf("the congestion control is %s", name)
		}
		if name, _ := p.a.socket(t).Congestion(); name != "newreno" {
			t.Errorf("the default congestion control is %s", name)
		}
		if err := s.SetCongestion("vegas"); err == nil {
			t.Error("there is vegas")
		}
		p.over(t)
	})
}

// A close that lingers waits for the last acknowledgment.
func TestLinger(t *testing.T) {
	bubble(t, slow(300*time.Millisecond), loop.Options{}, func(t *testing.T, p pair) {
		c, s := p.connect(t)
		must(t, c.Set(modes.Linger, 10))
		_, err := c.Write([]byte("last words"))
		must(t, err)
		began := time.Now()
		must(t, c.Close())
		wantAfter(t, began, 600*time.Millisecond)
		if got, err := io.ReadAll(s); string(got) != "last words" {
			t.Errorf("%q: %v", got, err)
		}
		p.over(t)
	})
}

// The end of a process does not wait for ever for a peer that says nothing.
func TestEndOfSilence(t *testing.T) {
	bubble(t, slow(time.Millisecond), loop.Options{}, func(t *testing.T, p pair) {
		p.connect(t)
		began := time.Now()
		must(t, p.a.host.End()) // the other end never closes
		if took := time.Since(began); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("it took %v", took)
		}
		must(t, p.b.host.End())
	})
}

// A connection that its timer ends is not waited for any longer: here that of
// FIN_WAIT_2.
func TestEndOfFinWait2(t *testing.T) {
	system, err := profile.Get("")
	must(t, err)
	must(t, profile.Set(system, "fin-wait-2=7s"))
	o := slow(time.Millisecond)
	o.Profile = system
	bubble(t, o, loop.Options{}, func(t *testing.T, p pair) {
		p.connect(t)
		began := time.Now()
		must(t, p.a.host.End())                               // the other end never closes
		wantAfter(t, began, 7*time.Second+2*time.Millisecond) // once its FIN has been acknowledged
		must(t, p.b.host.End())
	})
}

// If the last ACK is lost and whoever has sent it is gone, the FIN is repeated
// for a few seconds only.
func TestEndWithoutLastACK(t *testing.T) {
	lossy := link.NewPipe(link.Conditions{}, 1)
	rule, err := link.ParseRule("drop the 3rd pure ACK")
	must(t, err)
	must(t, lossy.Add(rule))
	bubble(t, loop.Options{Faults: lossy}, loop.Options{}, func(t *testing.T, p pair) {
		c, s := p.connect(t) // the 1st
		must(t, c.Close())   // the 2nd is for its FIN
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		must(t, s.Close())
		began := time.Now()
		must(t, p.a.host.End())
		wantAfter(t, began, 0)
		must(t, p.b.host.End())
		wantAfter(t, began, 5*time.Second)
	})
}

// Wait looks once if it may not wait, and returns when its time is over.
func TestWait(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		c, s := p.connect(t)
		wait := func(d time.Duration) modes.Interest {
			t.Helper()
			in := []modes.Interest{{Read: true}, {Socket: c, Read: true}}
			must(t, p.a.host.Wait(in, d))
			if in[0].CanRead && in[1].CanRead {
				t.Error("both can be read")
			}
			if in[0].CanRead {
				return in[0]
			}
			return in[1]
		}
		began := time.Now()
		if wait(0).CanRead || wait(time.Second).CanRead {
			t.Error("there is nothing to read")
		}
		wantAfter(t, began, time.Second)
		time.AfterFunc(time.Second, func() {
			if _, err := s.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		})
		if in := wait(-1); !in.CanRead || in.Socket == nil {
			t.Error("the socket can be read")
		}
		if n, err := c.Read(make([]byte, 10)); n != 1 || err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		time.AfterFunc(time.Second, func() { p.a.types("typed") })
		if in := wait(-1); !in.CanRead || in.Socket != nil {
			t.Error("standard input can be read")
		}
		wantAfter(t, began, 3*time.Second)
		p.over(t)
	})
}

// "sock -b7777 localhost 7777" is connected to itself.
func TestSelf(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		c := p.a.start(t, "-v -b7777 127.0.0.1 7777")
		p.a.types("hello\n")
		time.Sleep(time.Second)
		p.a.wantTold(t, "connected on 127.0.0.1.7777 to 127.0.0.1.7777")
		if got := p.a.printed(); got != "hello\n" {
			t.Errorf("printed: %q", got)
		}
		p.a.end()
		c.want(t, 0)
		must(t, p.b.host.End())
	})
}

func TestIPv6(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-6 -s 8888")
		c := p.a.start(t, "-6 -b1098 -v fd00::2 8888")
		p.a.types("hello\n")
		time.Sleep(time.Second)
		p.a.wantTold(t, "connected on fd00::1.1098 to fd00::2.8888")
		p.a.end()
		c.want(t, 0)
		s.want(t, 0)
		if got := p.b.printed(); got != "hello\n" {
			t.Errorf("printed: %q", got)
		}
	})
}

// A second line under an error says what the kernel does not know.
func TestExplain(t *testing.T) {
	for line, want := range map[string]string{
		"-l 10.0.0.9.5 10.0.0.2 7":               "can't bind local address: Cannot assign requested address\non this link this host is 10.0.0.1/24 and fd00::1/64: bind to that, or to no address\n",
		"10.0.0.2 7":                             "active open error: Connection refused\na RST answered the SYN: nothing listens at 10.0.0.2.7\n",
		"--connect-timeout 1 10.0.0.3 7":         "active open error: Connection timed out\nno SYN was answered: see whether 10.0.0.3 is on the link and lets port 7 through, or give it more time if --connect-timeout was short\n",
		"--book-messages -b1098 10.0.0.2 7":      "active open error: Connection refused\n",
		"-I 10.0.0.2 7":                          "FIOASYNC setsockopt error: Our own TCP has no SIGIO\n",
		"--congestion vegas --ms 10.0.0.2 65535": "TCP_CONGESTION setsockopt error: Our own TCP has none, tahoe, reno, newreno, cubic\n",
	} {
		t.Run(line, func(t *testing.T) {
			bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
				p.a.start(t, line).want(t, 1)
				if got := p.a.told(); got != want {
					t.Errorf("told: %s", got)
				}
				must(t, p.b.host.End())
			})
		})
	}
}
