//go:build linux

package kernel

import (
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

func TestAddresses(t *testing.T) {
	eachFamily(t, func(t *testing.T, f modes.Family) {
		h := newHost(t)
		ln, at := listener(t, h, f, 1)
		if at.Addr() != loopback(f).Addr() || at.Port() == 0 {
			t.Errorf("listens on %v", at)
		}
		_, err := ln.Peer()
		wantErr(t, "Peer of a listening socket", err, unix.ENOTCONN)

		client := newSock(t, h, f, modes.Stream)
		check(t, client.Bind(netip.AddrPort{}))
		local, err := client.Local()
		check(t, err)
		if !local.Addr().IsUnspecified() || local.Port() == 0 {
			t.Errorf("bound to %v, want any address and a port", local)
		}
		check(t, client.Connect(at, 0))
		server, err := ln.Accept()
		check(t, err)
		defer server.Close()
		here, err1 := client.Local()
		there, err2 := server.Peer()
		if here != there || here.Port() != local.Port() || err1 != nil || err2 != nil {
			t.Errorf("the client is %v (%v), the server's peer %v (%v)", here, err1, there, err2)
		}
		here, err1 = server.Local()
		there, err2 = client.Peer()
		if here != at || there != at || err1 != nil || err2 != nil {
			t.Errorf("the server is %v (%v), the client's peer %v (%v), want %v", here, err1, there, err2, at)
		}
	})
}

func TestWrongFamily(t *testing.T) {
	h := newHost(t)
	v4, v6 := newSock(t, h, modes.IPv4, modes.Stream), newSock(t, h, modes.IPv6, modes.Stream)
	wantErr(t, "Bind", v4.Bind(netip.MustParseAddrPort("[::1]:1")), unix.EAFNOSUPPORT)
	wantErr(t, "Connect", v6.Connect(netip.MustParseAddrPort("127.0.0.1:1"), 0), unix.EAFNOSUPPORT)
}

func TestZone(t *testing.T) {
	sa, err := sockaddr(modes.IPv6, netip.MustParseAddrPort("[fe80::1%lo]:7"))
	check(t, err)
	if got := sa.(*unix.SockaddrInet6).ZoneId; got != 1 {
		t.Errorf("lo is zone %d, want 1", got)
	}
	if got := addrPort(sa).String(); got != "[fe80::1%lo]:7" {
		t.Errorf("the way back gave %s", got)
	}
	_, err = sockaddr(modes.IPv6, netip.MustParseAddrPort("[fe80::1%nowhere]:7"))
	wantErr(t, "an unknown zone", err, unix.ENXIO)
}

// A server of each version of IP can have the port.
func TestVersionsApart(t *testing.T) {
	h := newHost(t)
	v6 := newSock(t, h, modes.IPv6, modes.Stream)
	check(t, v6.Bind(netip.AddrPort{}))
	check(t, v6.Listen(1))
	at, err := v6.Local()
	check(t, err)
	v4 := newSock(t, h, modes.IPv4, modes.Stream)
	// An address where no other test has left a connection in TIME_WAIT.
	check(t, v4.Bind(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port())))
	check(t, v4.Listen(1))
}

func TestBacklog(t *testing.T) {
	for _, n := range []int{0, 1, 7} {
		ln, _ := listener(t, newHost(t), modes.IPv4, n)
		// Of a listening socket the kernel tells its backlog in tcpi_sacked.
		info, err := unix.GetsockoptTCPInfo(ln.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		check(t, err)
		if info.State != 10 || info.Sacked != uint32(n) {
			t.Errorf("backlog %d: the kernel has state %d and backlog %d", n, info.State, info.Sacked)
		}
	}
}

func TestCloseOnExec(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	for _, s := range []*socket{client, server} {
		flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFD, 0)
		if flags&unix.FD_CLOEXEC == 0 || err != nil {
			t.Errorf("a program that is started inherits the socket (%d, %v)", flags, err)
		}
	}
}

func wantBlocking(t *testing.T, s *socket) {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
	if flags&unix.O_NONBLOCK != 0 || err != nil {
		t.Errorf("the descriptor does not block (%#x, %v)", flags, err)
	}
}

func TestConnect(t *testing.T) {
	eachFamily(t, func(t *testing.T, f modes.Family) {
		h := newHost(t)
		ln, at := listener(t, h, f, 1)
		for _, limit := range []time.Duration{0, patience} {
			s := newSock(t, h, f, modes.Stream)
			check(t, s.Connect(at, limit))
			wantBlocking(t, s)
		}
		check(t, ln.Close())
		for _, limit := range []time.Duration{0, patience} {
			s := newSock(t, h, f, modes.Stream)
			wantErr(t, "Connect", s.Connect(at, limit), unix.ECONNREFUSED)
			wantBlocking(t, s)
		}
	})
}

// full is a listener whose queue is full: Linux drops the SYNs of who else
// comes.
func full(t *testing.T, h *Host) (*socket, netip.AddrPort) {
	t.Helper()
	ln, at := listener(t, h, modes.IPv4, 0)
	check(t, newSock(t, h, modes.IPv4, modes.Stream).Connect(at, 0))
	awaitReadable(t, ln) // the client's ACK may be on its way still
	return ln, at
}

func TestConnectLimit(t *testing.T) {
	h := newHost(t)
	_, at := full(t, h)
	const limit = 50 * time.Millisecond
	for _, bothered := range []bool{false, true} {
		within(t, "Connect", func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if bothered {
				defer bother(t)()
			}
			s := newSock(t, h, modes.IPv4, modes.Stream)
			start := time.Now()
			wantErr(t, "Connect", s.Connect(at, limit), unix.ETIMEDOUT)
			if took := time.Since(start); took < limit {
				t.Errorf("Connect gave up after %v, want %v", took, limit)
			}
			wantBlocking(t, s)
		})
	}
}

// SO_SNDTIMEO bounds connect too, and makes a signal interrupt it.
func TestConnectInterrupted(t *testing.T) {
	h := newHost(t)
	ln, at := full(t, h)
	connect := func(d time.Duration, before func()) (err error) {
		within(t, "Connect", func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			s := newSock(t, h, modes.IPv4, modes.Stream)
			defer s.Close() // its SYN would take the place of the next one
			check(t, s.Set(modes.SendTimeout, int(d/time.Microsecond)))
			before()
			defer bother(t)()
			err = s.Connect(at, 0)
		})
		return err
	}
	wantErr(t, "Connect", connect(50*time.Millisecond, func() {}), unix.ETIMEDOUT)
	accepted := make(chan struct{})
	err := connect(patience, func() {
		go func() {
			defer close(accepted)
			// The SYN goes out again after a second, to find room.
			s, err := ln.Accept()
			if err == nil {
				s.Close()
			}
		}()
	})
	wantErr(t, "Connect", err, nil)
	<-accepted
}

func TestAcceptWaitsForDescriptor(t *testing.T) {
	h := newHost(t)
	ln, at := listener(t, h, modes.IPv4, 2)
	check(t, newSock(t, h, modes.IPv4, modes.Stream).Connect(at, 0))
	served, err := h.Socket(modes.IPv4, modes.Datagram) // its client's alone to close
	check(t, err)
	useUpDescriptors(t)

	_, err = ln.Accept()
	wantErr(t, "Accept, with no client to wait for,", err, unix.EMFILE)

	finish := make(chan struct{})
	h.Serve(func(modes.Host) {
		<-finish
		served.Close()
	})
	accepted := make(chan error, 1)
	go func() {
		s, err := ln.Accept()
		if err == nil {
			s.Close()
		}
		accepted <- err
	}()
	within(t, "the wait", func() {
		h.freed <- struct{}{}
		h.freed <- struct{}{} // there is room when Accept has woken for the first, in vain
	})
	close(finish)
	within(t, "Accept", func() { wantErr(t, "Accept", <-accepted, nil) })
}

// Whoever closed the last may be gone when its descriptor is asked for.
func TestCloseFreesDescriptor(t *testing.T) {
	h := newHost(t)
	if h.awaitDescriptor() {
		t.Error("there is something to wait for before anything is closed")
	}
	check(t, newSock(t, h, modes.IPv4, modes.Stream).Close())
	if !h.awaitDescriptor() {
		t.Error("Close does not tell that a descriptor is free")
	}
	if h.awaitDescriptor() {
		t.Error("one Close tells of two descriptors")
	}
}

// useUpDescriptors leaves the process none until the test ends.
func useUpDescriptors(t *testing.T) {
	t.Helper()
	var was unix.Rlimit
	check(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &was))
	check(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: was.Max}))
	t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &was) })
	for {
		fd, err := unix.Dup(0)
		if errors.Is(err, unix.EMFILE) {
			return
		}
		check(t, err)
		t.Cleanup(func() { unix.Close(fd) })
	}
}

func TestServe(t *testing.T) {
	h := newHost(t)
	h.slots = make(chan struct{}, 2)
	release := make(chan struct{})
	started := make(chan int, 3)
	serve := func(i int) func(modes.Host) {
		return func(got modes.Host) {
			if got != modes.Host(h) {
				t.Error("a client is served on another host")
			}
			started <- i
			<-release
		}
	}
	h.Serve(serve(1))
	h.Serve(serve(2))
	within(t, "the second client", func() { <-started; <-started }) // at the same time
	full := make(chan struct{})
	go func() {
		h.Serve(serve(3))
		close(full)
	}()
	select {
	case h.slots <- struct{}{}:
		t.Error("there is room for a third client")
	case <-full:
		t.Error("the third client is not made to wait")
	default:
	}
	release <- struct{}{}
	within(t, "the third client", func() { <-full; <-started })
	close(release)
}
