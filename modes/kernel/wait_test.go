//go:build linux

package kernel

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

func TestWait(t *testing.T) {
	h := newHost(t)
	r, w, err := os.Pipe()
	check(t, err)
	defer w.Close()
	setStdin(t, r)
	check(t, r.Close())
	client, server := pair(t, h, modes.IPv4)

	wait := func(what string, d time.Duration, stdin, read, write bool) {
		t.Helper()
		in := []modes.Interest{
			{Read: true, CanRead: true}, // what was found the last time does not count
			{Socket: server, Read: true, CanRead: true, CanWrite: true},
			{Socket: client, Write: true, CanRead: true},
		}
		within(t, "Wait", func() { check(t, h.Wait(in, d)) })
		if in[0].CanRead != stdin || in[1].CanRead != read || in[1].CanWrite || in[2].CanWrite != write || in[2].CanRead {
			t.Errorf("%s: Wait gave %+v", what, in)
		}
	}
	wait("at first", -1, false, false, true)
	_, err = w.Write([]byte("x"))
	check(t, err)
	wait("with something typed", -1, true, false, true)
	_, err = client.Write([]byte("x"))
	check(t, err)
	awaitReadable(t, server)
	wait("and something sent", patience, true, true, true)
	_, err = h.Stdin(make([]byte, 10))
	check(t, err)
	_, err = server.Read(make([]byte, 10))
	check(t, err)
	wait("both read", 0, false, false, true)
	check(t, w.Close())
	wait("at the end of what is typed", patience, true, false, true)
}

// The end and an error count as what was wanted, and as nothing else.
func TestWaitTrouble(t *testing.T) {
	h := newHost(t)
	client, server := pair(t, h, modes.IPv4)
	check(t, server.Set(modes.Linger, 0))
	check(t, server.Close())
	for _, x := range []modes.Interest{
		{Socket: client, Read: true},
		{Socket: client, Write: true},
		{Socket: client, Read: true, Write: true},
	} {
		in := []modes.Interest{x}
		within(t, "Wait", func() { check(t, h.Wait(in, -1)) })
		if in[0].CanRead != x.Read || in[0].CanWrite != x.Write {
			t.Errorf("wanted %+v, got %+v", x, in[0])
		}
	}
	// What nobody asks about does not end the wait.
	const d = 20 * time.Millisecond
	start := time.Now()
	in := []modes.Interest{{Socket: client}}
	check(t, h.Wait(in, d))
	if took := time.Since(start); took < d || in[0].CanRead || in[0].CanWrite {
		t.Errorf("after %v Wait gave %+v", took, in[0])
	}
}

func TestWaitTime(t *testing.T) {
	h := newHost(t)
	_, server := pair(t, h, modes.IPv4)
	for _, d := range []time.Duration{0, 200 * time.Microsecond, 1500 * time.Microsecond, 30 * time.Millisecond} {
		for _, bothered := range []bool{false, true} {
			within(t, "Wait", func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				if bothered {
					defer bother(t)()
				}
				start := time.Now()
				in := []modes.Interest{{Socket: server, Read: true}}
				check(t, h.Wait(in, d))
				if took := time.Since(start); took < d || in[0].CanRead {
					t.Errorf("Wait for %v took %v and gave %+v", d, took, in[0])
				}
				start = time.Now()
				h.Sleep(d)
				if took := time.Since(start); took < d {
					t.Errorf("Sleep for %v took %v", d, took)
				}
			})
		}
	}
}

func TestStdinFromFile(t *testing.T) {
	h := newHost(t)
	name := filepath.Join(t.TempDir(), "data")
	check(t, os.WriteFile(name, []byte("data"), 0o666))
	f, err := os.Open(name)
	check(t, err)
	setStdin(t, f)
	check(t, f.Close())
	buf := make([]byte, 10)
	for _, want := range []string{"data", "", ""} { // at its end too
		in := []modes.Interest{{Read: true}}
		within(t, "Wait", func() { check(t, h.Wait(in, -1)) })
		n, err := h.Stdin(buf)
		if !in[0].CanRead || string(buf[:n]) != want || (err == io.EOF) != (want == "") {
			t.Errorf("Stdin gave %q, %v (%+v)", buf[:n], err, in[0])
		}
	}
}

func TestStdinClosed(t *testing.T) {
	h := newHost(t)
	null, err := os.Open(os.DevNull)
	check(t, err)
	defer null.Close()
	setStdin(t, null)
	check(t, unix.Close(0))
	if n, err := h.Stdin(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("Stdin gave %d, %v", n, err)
	}
}

// Whoever shares the pipes may have made them non-blocking.
func TestNonblockingPipes(t *testing.T) {
	c := start(t, "non-blocking", nil)
	want := pattern(1 << 20) // more than a pipe holds
	sent := make(chan error, 1)
	go func() {
		_, err := c.stdin.Write(want)
		c.stdin.Close()
		sent <- err
	}()
	got, w := c.end()
	check(t, <-sent)
	if w != 0 || !bytes.Equal([]byte(got), want) {
		t.Errorf("%d bytes came, of %d, and the child ended with %#x", len(got), len(want), w)
	}
}

func TestOpen(t *testing.T) {
	h := newHost(t)
	dir := t.TempDir()
	_, err := h.Open(filepath.Join(dir, "nowhere"))
	wantErr(t, "Open", err, unix.ENOENT)
	f, err := h.Open(dir)
	check(t, err)
	defer f.Close()
	_, err = f.Read(make([]byte, 1))
	wantErr(t, "Read of a directory", err, unix.EISDIR)
}
