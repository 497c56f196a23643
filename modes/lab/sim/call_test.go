package sim

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sock/modes"
)

// in runs f as a process on a host, and waits for it.
func (l *lab) in(host string, f func(t *task)) {
	l.Helper()
	p := l.process(host, func(t *task) int { f(t); return 0 })
	l.run(l.Now() + time.Hour)
	l.wantExit(p, 0)
}

// must fails the test on an error.
func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Error(err)
	}
}

func (l *lab) wantErr(what string, got error, want error) {
	l.Helper()
	if !errors.Is(got, want) {
		l.Errorf("%s: %v, want %v", what, got, want)
	}
}

func address(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestDatagramCalls(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	l.in("a", func(h *task) {
		s, err := h.Socket(modes.IPv4, modes.Datagram)
		l.must(err)
		_, err = s.Write([]byte("x"))
		l.wantErr("write without a peer", err, eDESTADDRREQ)
		_, err = s.Peer()
		l.wantErr("getpeername", err, eNOTCONN)
		l.wantErr("bind, the wrong family", s.Bind(address("[::]:9")), eAFNOSUPPORT)
		_, err = s.WriteTo(nil, address("[2001:db8::2]:9"))
		l.wantErr("sendto, the wrong family", err, eAFNOSUPPORT)
		l.wantErr("connect to nobody", s.Connect(address("0.0.0.0:9"), 0), eADDRNOTAVAIL)
		l.wantErr("TTL 0", s.Set(modes.TTL, 0), eINVAL)
		l.wantErr("TOS 256", s.Set(modes.TOS, 256), eINVAL)
		l.wantErr("TCP_NODELAY", s.Set(modes.NoDelay, 1), eNOPROTOOPT)
		_, err = s.Get(modes.MaxSeg)
		l.wantErr("TCP_MAXSEG", err, eNOPROTOOPT)
		l.wantErr("join a host", s.JoinGroup(netip.MustParseAddr("10.0.0.1")), eINVAL)
		l.wantErr("join the wrong family", s.JoinGroup(netip.MustParseAddr("ff02::1")), eAFNOSUPPORT)
		group := netip.MustParseAddr("224.1.1.1")
		l.must(s.JoinGroup(group))
		l.wantErr("join twice", s.JoinGroup(group), eADDRINUSE)
		l.wantErr("listen", s.Listen(1), eOPNOTSUPP)
		l.wantErr("shutdown", s.CloseWrite(), eOPNOTSUPP)
		l.wantErr("urgent", s.WriteUrgent(1), eOPNOTSUPP)
		l.wantErr("congestion", s.SetCongestion("reno"), eNOPROTOOPT)
		_, err = s.Accept()
		l.wantErr("accept", err, eOPNOTSUPP)
		_, err = s.Info()
		l.wantErr("TCP_INFO", err, eNOPROTOOPT)

		l.must(s.Connect(address("127.0.0.1:9"), 0))
		l.wantErr("bind when bound", s.Bind(address("0.0.0.0:5")), eINVAL)
		_, err = s.WriteTo(nil, address("10.0.0.2:9"))
		l.wantErr("sendto when connected", err, eISCONN)
		n, err := s.WriteNow([]byte("ab"), []byte("cde"))
		if l.must(err); n != 5 {
			t.Errorf("writev took %d bytes", n)
		}
		h.Sleep(time.Second)
		l.wantErr("SO_ERROR", s.Err(), eCONNREFUSED)
		l.must(s.Err())
		l.must(s.Close())
		l.wantErr("close twice", s.Close(), eBADF)
		_, err = s.Read(nil)
		l.wantErr("read when closed", err, eBADF)
		l.wantErr("connect when closed", s.Connect(address("127.0.0.1:9"), 0), eBADF)
	})
	l.wantLines("the last calls", l.calls[len(l.calls)-5:], `
a: sendto  transport endpoint is already connected
a: write 5 bytes 
a: close  
a: recvfrom  bad file descriptor
a: connect  bad file descriptor
`)
}

func TestStreamCalls(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	l.serve("b", "echo")
	l.in("a", func(h *task) {
		s, err := h.Socket(modes.IPv4, modes.Stream)
		l.must(err)
		_, err = s.Peer()
		l.wantErr("getpeername", err, eNOTCONN)
		_, err = s.Read(make([]byte, 1))
		l.wantErr("read", err, eNOTCONN)
		_, err = s.ReadFrom(nil)
		l.wantErr("recvfrom", err, eOPNOTSUPP)
		_, err = s.WriteTo(nil, address("10.0.0.2:7"))
		l.wantErr("sendto", err, eISCONN)
		l.wantErr("join", s.JoinGroup(netip.MustParseAddr("224.1.1.1")), eNOPROTOOPT)
		l.wantErr("IP_ONESBCAST", s.Set(modes.OnesBroadcast, 1), eNOPROTOOPT)
		l.wantErr("a bad TTL", s.Set(modes.TTL, 300), eINVAL)
		l.must(s.Set(modes.DontFragment, 1))
		if v, err := s.Get(modes.DontFragment); v != 1 || err != nil {
			t.Errorf("DF is %d, %v", v, err)
		}
		if name, err := s.Congestion(); name != "newreno" || err != nil {
			t.Errorf("congestion control %q, %v", name, err)
		}

		l.must(s.Connect(address("10.0.0.2:7"), 0))
		l.wantErr("connect twice", s.Connect(address("10.0.0.2:7"), 0), eISCONN)
		n, err := s.Write([]byte("hello"))
		if l.must(err); n != 5 {
			t.Errorf("write took %d bytes", n)
		}
		b := make([]byte, 10)
		n, err = s.Peek(b)
		if l.must(err); string(b[:n]) != "hello" {
			t.Errorf("peeked %q", b[:n])
		}
		n, err = s.Read(b)
		if l.must(err); string(b[:n]) != "hello" {
			t.Errorf("read %q", b[:n])
		}
		l.must(s.WriteUrgent('!'))
		_, err = s.Write([]byte("and on"))
		l.must(err)
		info, err := s.Info()
		l.must(err)
		if text := fmt.Sprint(info); !strings.Contains(text, "{state ESTABLISHED} {options ts sack wscale:") {
			t.Errorf("TCP_INFO is %s", text)
		}
		l.must(s.CloseWrite())
		_, err = s.Write([]byte("more"))
		l.wantErr("write after shutdown", err, ePIPE)
		for err = nil; err == nil; {
			_, err = s.Read(b)
		}
		l.wantErr("the end", err, io.EOF)
		l.must(s.Err())
		l.must(s.Close())
		l.wantErr("close twice", s.Close(), eBADF)
		_, err = s.Local()
		l.wantErr("getsockname when closed", err, eBADF)
		_, err = s.WriteNow([]byte("x"))
		l.wantErr("write when closed", err, eBADF)
	})
}

// A write waits for room, and gives up after SO_SNDTIMEO; one that must not
// wait says so.
func TestWriteBlocks(t *testing.T) {
	l := newLab(t)
	l.pair(HostOptions{}, HostOptions{})
	s := l.start("b", "sock -s -i -P60 7777")
	l.in("a", func(h *task) {
		c, err := h.Socket(modes.IPv4, modes.Stream)
		l.must(err)
		l.must(c.Connect(address("10.0.0.2:7777"), 0))
		l.must(c.Set(modes.SendTimeout, 5_000_000))
		b := make([]byte, 4<<20)
		n, err := c.Write(b)
		l.wantErr("a write to a reader that sleeps", err, modes.ErrTimeout)
		if n == 0 || n == len(b) || l.Now() != 5*time.Second {
			t.Errorf("it took %d bytes, until %v", n, l.Now())
		}
		_, err = c.WriteNow(b)
		l.wantErr("WriteNow", err, modes.ErrWouldBlock)
		l.must(c.Set(modes.SendTimeout, 0))
		n, err = c.Write(b)
		if l.must(err); n != len(b) || l.Now() < time.Minute {
			t.Errorf("then it took %d bytes, until %v", n, l.Now())
		}
		l.must(c.Close())
	})
	l.wantExit(s, 0)
}

// Under cbreak each key is a segment of its own.
func TestCbreak(t *testing.T) {
	l := newLab(t)
	l.book("svr4", "bsdi")
	l.serve("svr4", "discard")
	p := l.start("bsdi", "sock -C -N svr4 discard")
	l.At(time.Second, func() { p.Type("ab") })
	l.At(2*time.Second, func() {
		var lengths []string
		for _, line := range l.packets {
			if strings.Contains(line, "bsdi.1024 >") && strings.Contains(line, ": P ") {
				lengths = append(lengths, line)
			}
		}
		l.wantLines("keys", lengths, `
1.000 bsdi.1024 > svr4.discard: P 1:2(1) ack 1
1.000 bsdi.1024 > svr4.discard: P 2:3(1) ack 1
`)
		p.EOF()
	})
	l.run(time.Minute)
	l.wantExit(p, 0)
}

// Step and Run do the same.
func TestStep(t *testing.T) {
	record := func(advance func(l *lab)) string {
		l := newLab(t)
		l.book("svr4", "bsdi")
		l.serve("svr4", "echo")
		p := l.start("bsdi", "sock svr4 echo")
		l.typed(p, time.Second, "one", "two")
		advance(l)
		l.wantScreen(p, "one\ntwo\n")
		return strings.Join(l.packets, "\n")
	}
	stepped := record(func(l *lab) {
		for {
			more, err := l.Step()
			if l.must(err); !more {
				return
			}
		}
	})
	if run := record(func(l *lab) { l.run(never) }); run != stepped {
		t.Errorf("Run:\n%s\nStep:\n%s", run, stepped)
	}
}
