//go:build linux

package kernel

import (
	"bytes"
	"io"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

func TestStream(t *testing.T) {
	eachFamily(t, func(t *testing.T, f modes.Family) {
		client, server := pair(t, newHost(t), f)
		buf := make([]byte, 100)

		n, err := client.Write([]byte("hello"))
		if n != 5 || err != nil {
			t.Fatalf("Write gave %d, %v", n, err)
		}
		n, err = server.Peek(buf)
		if string(buf[:max(n, 0)]) != "hello" || err != nil {
			t.Errorf("Peek gave %q, %v", buf[:n], err)
		}
		n, err = server.Read(buf)
		if string(buf[:n]) != "hello" || err != nil {
			t.Errorf("Read gave %q, %v", buf[:n], err)
		}

		check(t, client.CloseWrite())
		n, err = server.Peek(buf)
		if n != 0 || err != io.EOF {
			t.Errorf("Peek after the FIN gave %d, %v", n, err)
		}
		n, err = server.Read(buf)
		if n != 0 || err != io.EOF {
			t.Errorf("Read after the FIN gave %d, %v", n, err)
		}

		// The other half is open still.
		n, err = server.Write([]byte("bye"))
		if n != 3 || err != nil {
			t.Errorf("Write after the FIN gave %d, %v", n, err)
		}
		n, err = client.Read(buf)
		if string(buf[:n]) != "bye" || err != nil {
			t.Errorf("Read of the other half gave %q, %v", buf[:n], err)
		}
	})
}

func TestWriteIsWhole(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	sent := bytes.Repeat([]byte("0123456789"), 1<<20) // more than the buffers hold
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer bother(t)() // writes are taken in part
		n, err := client.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		client.CloseWrite()
		done <- err
	}()
	var got bytes.Buffer
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		got.Write(buf[:n])
		if err == io.EOF {
			break
		}
		check(t, err)
	}
	check(t, <-done)
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%d bytes came, and not those that were sent", got.Len())
	}
}

func TestDatagrams(t *testing.T) {
	eachFamily(t, func(t *testing.T, f modes.Family) {
		a, b := datagramPair(t, newHost(t), f)
		from, err := a.Local()
		check(t, err)
		buf := make([]byte, 4)

		for _, x := range []struct {
			data string
			want modes.Received
		}{
			{"", modes.Received{From: from}},
			{"1234", modes.Received{N: 4, From: from}},
			{"12345", modes.Received{N: 4, From: from, Truncated: true}},
		} {
			n, err := a.Write([]byte(x.data))
			if n != len(x.data) || err != nil {
				t.Fatalf("Write(%q) gave %d, %v", x.data, n, err)
			}
			got, err := b.ReadFrom(buf)
			if got != x.want || err != nil {
				t.Errorf("ReadFrom of %q gave %+v, %v, want %+v", x.data, got, err, x.want)
			}
		}

		// A datagram of nothing is not the end, whichever call reads it.
		for range 2 {
			n, err := a.Write(nil)
			if n != 0 || err != nil {
				t.Fatalf("Write(nil) gave %d, %v", n, err)
			}
		}
		if n, err := b.Peek(buf); n != 0 || err != nil {
			t.Errorf("Peek at an empty datagram gave %d, %v", n, err)
		}
		if n, err := b.Read(buf); n != 0 || err != nil {
			t.Errorf("Read of an empty datagram gave %d, %v", n, err)
		}
		b.Read(buf)

		n, err := b.WriteTo([]byte("back"), from)
		if n != 4 || err != nil {
			t.Errorf("WriteTo gave %d, %v", n, err)
		}
		n, err = a.Read(buf)
		if string(buf[:n]) != "back" || err != nil {
			t.Errorf("Read gave %q, %v", buf[:n], err)
		}
	})
}

func TestDestination(t *testing.T) {
	h := newHost(t)
	for _, x := range []struct {
		f  modes.Family
		to string
	}{{modes.IPv4, "127.0.0.2"}, {modes.IPv6, "::1"}} {
		to := netip.MustParseAddr(x.to)
		b := newSock(t, h, x.f, modes.Datagram)
		check(t, b.Bind(netip.AddrPort{}))
		at, err := b.Local()
		check(t, err)
		a := newSock(t, h, x.f, modes.Datagram)

		check(t, b.Set(modes.RecvDstAddr, 1))
		_, err = a.WriteTo([]byte("x"), netip.AddrPortFrom(to, at.Port()))
		check(t, err)
		got, err := b.ReadFrom(make([]byte, 10))
		if got.To != to || got.N != 1 || err != nil {
			t.Errorf("ReadFrom gave %+v, %v, want it sent to %v", got, err, to)
		}

		check(t, b.Set(modes.RecvDstAddr, 0))
		_, err = a.WriteTo([]byte("x"), netip.AddrPortFrom(to, at.Port()))
		check(t, err)
		got, err = b.ReadFrom(make([]byte, 10))
		if got.To.IsValid() || err != nil {
			t.Errorf("without the option ReadFrom gave %+v, %v", got, err)
		}
	}
}

func TestWriteNow(t *testing.T) {
	h := newHost(t)
	client, server := pair(t, h, modes.IPv4)

	n, err := client.WriteNow([]byte("one, "), []byte("two, "), []byte("three"))
	if n != 15 || err != nil {
		t.Fatalf("WriteNow gave %d, %v", n, err)
	}
	buf := make([]byte, 1<<16)
	n, err = server.Read(buf)
	if string(buf[:n]) != "one, two, three" || err != nil {
		t.Errorf("Read gave %q, %v", buf[:n], err)
	}

	// Until nothing more is taken, with one buffer and with two: in between an
	// ACK may make room.
	sent := 0
	for _, bufs := range [][][]byte{{buf}, {buf, buf}} {
		for err = nil; err == nil; sent += n {
			n, err = client.WriteNow(bufs...)
		}
		if n != 0 || err != modes.ErrWouldBlock {
			t.Errorf("WriteNow of %d buffers gave %d, %v", len(bufs), n, err)
		}
	}
	in := []modes.Interest{{Socket: client, Read: true, Write: true}}
	check(t, h.Wait(in, 0))
	if in[0].CanWrite || in[0].CanRead {
		t.Error("Wait has the full socket ready")
	}

	for sent > 0 {
		n, err := server.Read(buf)
		check(t, err)
		sent -= n
	}
	check(t, h.Wait(in, patience))
	if !in[0].CanWrite || in[0].CanRead {
		t.Errorf("Wait gave %+v for the empty socket", in[0])
	}
}

func TestUrgent(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	check(t, client.WriteUrgent('!'))
	ready, err := pollOne(server.fd, unix.POLLPRI, time.Now().Add(patience))
	if !ready || err != nil {
		t.Fatalf("no urgent data comes: %v", err)
	}
	buf := make([]byte, 10)
	n, _, err := unix.Recvfrom(server.fd, buf, unix.MSG_OOB)
	if n != 1 || buf[0] != '!' || err != nil {
		t.Errorf("recv with MSG_OOB gave %q, %v", buf[:n], err)
	}
}

func TestRecvTimeout(t *testing.T) {
	h := newHost(t)
	const d = 40 * time.Millisecond
	stream, _ := pair(t, h, modes.IPv4)
	_, datagram := datagramPair(t, h, modes.IPv4)
	ln, _ := listener(t, h, modes.IPv4, 1)
	buf := make([]byte, 10)
	for _, x := range []struct {
		name string
		s    *socket
		call func(s *socket) error
	}{
		{"Read", stream, func(s *socket) error { _, err := s.Read(buf); return err }},
		{"Peek", stream, func(s *socket) error { _, err := s.Peek(buf); return err }},
		{"Read", datagram, func(s *socket) error { _, err := s.Read(buf); return err }},
		{"ReadFrom", datagram, func(s *socket) error { _, err := s.ReadFrom(buf); return err }},
		{"Accept", ln, func(s *socket) error { _, err := s.Accept(); return err }},
	} {
		check(t, x.s.Set(modes.RecvTimeout, int(d/time.Microsecond)))
		for _, bothered := range []bool{false, true} {
			within(t, x.name, func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				if bothered {
					defer bother(t)()
				}
				start := time.Now()
				wantErr(t, x.name, x.call(x.s), modes.ErrTimeout)
				if took := time.Since(start); took < d {
					t.Errorf("%s gave up after %v, want %v", x.name, took, d)
				}
			})
		}
	}
}

func TestSendTimeout(t *testing.T) {
	const d = 40 * time.Millisecond
	for _, bothered := range []bool{false, true} {
		client, _ := pair(t, newHost(t), modes.IPv4)
		check(t, client.Set(modes.SendTimeout, int(d/time.Microsecond)))
		big := make([]byte, 64<<20)
		within(t, "Write", func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if bothered {
				defer bother(t)()
			}
			start := time.Now()
			n, err := client.Write(big)
			if n == 0 || n == len(big) || err != modes.ErrTimeout {
				t.Errorf("Write gave %d, %v", n, err)
			}
			if took := time.Since(start); took < d {
				t.Errorf("Write gave up after %v, want %v", took, d)
			}
		})
	}
}

// A write to a connection that the peer has reset is an error, not a signal.
func TestBrokenPipe(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	check(t, server.Set(modes.Linger, 0))
	check(t, server.Close())
	wantErr(t, "a second Close", server.Close(), unix.EBADF)

	_, err := client.Read(make([]byte, 1))
	wantErr(t, "Read", err, unix.ECONNRESET)
	_, err = client.Write([]byte("x"))
	wantErr(t, "Write", err, unix.EPIPE)
	_, err = client.WriteNow([]byte("x"))
	wantErr(t, "WriteNow", err, unix.EPIPE)
	wantErr(t, "WriteUrgent", client.WriteUrgent('x'), unix.EPIPE)
}

func TestNoAllocation(t *testing.T) {
	h := newHost(t)
	client, server := pair(t, h, modes.IPv4)
	a, b := datagramPair(t, h, modes.IPv6)
	buf := make([]byte, 100)
	bufs := [][]byte{buf}
	for _, x := range []struct {
		name string
		do   func() error
	}{
		{"Write and Read of a stream", func() error {
			if _, err := client.Write(buf); err != nil {
				return err
			}
			_, err := server.Read(buf)
			return err
		}},
		{"Write and Read of a datagram", func() error {
			if _, err := a.Write(buf); err != nil {
				return err
			}
			_, err := b.Read(buf)
			return err
		}},
		{"WriteNow", func() error {
			if _, err := client.WriteNow(bufs...); err != nil {
				return err
			}
			_, err := server.Read(buf)
			return err
		}},
	} {
		n := testing.AllocsPerRun(100, func() {
			if err := x.do(); err != nil {
				t.Error(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", x.name, n)
		}
	}
}
