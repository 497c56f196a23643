package raw_test

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sock/modes"
	"sock/rawtcp/loop"
)

// datagrams returns a new UDP socket of m, bound to an address.
func (m *machine) datagrams(t *testing.T, local string) modes.Socket {
	t.Helper()
	s, err := m.host.Socket(modes.IPv4, modes.Datagram)
	must(t, err)
	must(t, s.Bind(at(local)))
	return s
}

// A server and a client with people at them, and a third who is refused.
func TestDatagrams(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		server := p.b.start(t, "-u -s -v -E -x5 7777")
		p.a.types("question\n")
		client := p.a.start(t, "-u -v -b1108 10.0.0.2 7777")
		p.b.types("answer\n")
		synctest.Wait()
		p.a.end()
		client.want(t, 0)
		server.want(t, 1) // nothing more in 5 seconds
		p.a.wantTold(t, "connected on 10.0.0.1.1108 to 10.0.0.2.7777")
		if got := p.b.printed(); got != "question\n" {
			t.Errorf("the server printed %q", got)
		}
		if got := p.a.printed(); got != "answer\n" {
			t.Errorf("the client printed %q", got)
		}
		p.b.wantTold(t, "read error: Resource temporarily unavailable")
	})
}

// The errors of a kernel, and the book's messages.
func TestDatagramErrors(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.a.datagrams(t, "0.0.0.0:1108")
		_, err := s.Write(nil)
		wantErrno(t, "write", err, syscall.EDESTADDRREQ)
		_, err = s.Peer()
		wantErrno(t, "getpeername", err, syscall.ENOTCONN)
		wantErrno(t, "bind", s.Bind(at("0.0.0.0:1109")), syscall.EINVAL)
		wantErrno(t, "connect", s.Connect(at("[fd00::2]:7"), 0), syscall.EAFNOSUPPORT)
		_, err = s.WriteTo(nil, at("10.0.0.255:7"))
		wantErrno(t, "sendto", err, syscall.EACCES)
		_, err = s.WriteTo(make([]byte, 65508), at("10.0.0.2:7"))
		wantErrno(t, "sendto", err, syscall.EMSGSIZE)
		wantErrno(t, "join", s.JoinGroup(at("10.0.0.2:7").Addr()), syscall.EINVAL)
		wantErrno(t, "listen", s.Listen(5), syscall.EOPNOTSUPP)
		wantErrno(t, "setsockopt", s.Set(modes.NoDelay, 1), syscall.ENOPROTOOPT)
		other, err := p.a.host.Socket(modes.IPv4, modes.Datagram)
		must(t, err)
		wantErrno(t, "bind", other.Bind(at("0.0.0.0:1108")), syscall.EADDRINUSE)
		wantErrno(t, "bind", other.Bind(at("10.0.0.9:1109")), syscall.EADDRNOTAVAIL)
		must(t, other.Bind(at("127.0.0.1:1109")))
		wantErrno(t, "connect", other.Connect(at("10.0.0.2:7"), 0), syscall.EINVAL)
		_, err = other.WriteTo(nil, at("10.0.0.2:7"))
		wantErrno(t, "sendto", err, syscall.EINVAL)
		_, err = other.WriteTo(nil, at("127.0.0.1:7"))
		must(t, err)
		must(t, other.Close())

		must(t, s.Connect(at("10.0.0.2:7777"), 0))
		_, err = s.WriteTo(nil, at("10.0.0.2:7"))
		wantErrno(t, "sendto", err, syscall.EISCONN)
		_, err = s.Write([]byte("anybody there?"))
		must(t, err)
		_, err = s.Read(make([]byte, 10))
		wantErrno(t, "read", err, syscall.ECONNREFUSED)
		must(t, s.Close())
		wantErrno(t, "close", s.Close(), syscall.EBADF)
		_, err = s.ReadFrom(nil)
		wantErrno(t, "read", err, syscall.EBADF)
		p.over(t)
	})
}

// Options are as they were set.
func TestDatagramOptions(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.a.datagrams(t, "0.0.0.0:0")
		for _, o := range []modes.Option{
			modes.ReuseAddr, modes.ReusePort, modes.Debug, modes.DontRoute, modes.TOS, modes.TTL, modes.DontFragment,
			modes.Broadcast, modes.OnesBroadcast, modes.RecvDstAddr, modes.MulticastTTL, modes.RecvBuf, modes.SendBuf,
			modes.RecvTimeout, modes.SendTimeout,
		} {
			must(t, s.Set(o, 1))
			if v, err := s.Get(o); v != 1 || err != nil {
				t.Errorf("option %d is %d: %v", o, v, err)
			}
		}
		p.over(t)
	})
}

// A read ends with its time-out, with the datagram, or with the socket.
func TestDatagramWait(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s, from := p.b.datagrams(t, "0.0.0.0:7"), p.a.datagrams(t, "0.0.0.0:0")
		must(t, s.Set(modes.RecvTimeout, 1_000_000))
		began := time.Now()
		if _, err := s.Read(nil); err != modes.ErrTimeout || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		go func() {
			time.Sleep(time.Second / 2)
			if _, err := from.WriteTo([]byte("late"), at("10.0.0.2:7")); err != nil {
				t.Error(err)
			}
		}()
		in := []modes.Interest{{Socket: s, Read: true}}
		must(t, p.b.host.Wait(in, time.Second))
		if !in[0].CanRead {
			t.Error("nothing has come")
		}
		b := make([]byte, 10)
		if n, err := s.Peek(b); n != 4 || err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		if d, err := s.ReadFrom(b); d.N != 4 || d.From.Addr() != at("10.0.0.1:0").Addr() || err != nil {
			t.Errorf("%+v: %v", d, err)
		}
		must(t, s.Set(modes.RecvTimeout, 0))
		go func() {
			time.Sleep(time.Second)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		_, err := s.Read(b)
		wantErrno(t, "read", err, syscall.EBADF)
		p.over(t)
	})
}
