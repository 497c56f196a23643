//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// patience bounds what must come: far beyond what a loaded machine needs.
const patience = 60 * time.Second

// The tests run in a network namespace of their own, as its root, and some of
// them run this program again as the child that they watch.
const (
	inNamespace = "KERNEL_TEST_NAMESPACE"
	childRole   = "KERNEL_TEST_CHILD"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(beChild(role))
	}
	if os.Getenv(inNamespace) == "" {
		if status, ok := runInNamespace(); ok {
			os.Exit(status)
		}
	} else if err := loopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, "loopback:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runInNamespace runs the tests again in a new namespace. ok is false where
// the system refuses one.
func runInNamespace() (status int, ok bool) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	if cmd.Start() != nil {
		return 0, false
	}
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), true
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}

// needNamespace skips a test that changes the network it runs on.
func needNamespace(t *testing.T) {
	t.Helper()
	if os.Getenv(inNamespace) == "" {
		t.Skip("a network namespace is refused: run the tests as root, or allow user namespaces")
	}
}

func newHost(t *testing.T) *Host {
	t.Helper()
	h, err := New()
	check(t, err)
	return h.(*Host)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s gave %v, want %v", what, got, want)
	}
}

func newSock(t *testing.T, h *Host, f modes.Family, typ modes.Type) *socket {
	t.Helper()
	s, err := h.Socket(f, typ)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s.(*socket)
}

func loopback(f modes.Family) netip.AddrPort {
	if f == modes.IPv6 {
		return netip.AddrPortFrom(netip.IPv6Loopback(), 0)
	}
	return netip.MustParseAddrPort("127.0.0.1:0")
}

// listener is a listening socket, and where it listens.
func listener(t *testing.T, h *Host, f modes.Family, backlog int) (*socket, netip.AddrPort) {
	t.Helper()
	ln := newSock(t, h, f, modes.Stream)
	check(t, ln.Bind(loopback(f)))
	check(t, ln.Listen(backlog))
	at, err := ln.Local()
	check(t, err)
	return ln, at
}

// pair is a connection.
func pair(t *testing.T, h *Host, f modes.Family) (client, server *socket) {
	t.Helper()
	ln, at := listener(t, h, f, 1)
	client = newSock(t, h, f, modes.Stream)
	check(t, client.Connect(at, 0))
	s, err := ln.Accept()
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return client, s.(*socket)
}

// awaitReadable waits for what is on its way, as it may be even on loopback.
func awaitReadable(t *testing.T, s *socket) {
	t.Helper()
	ready, err := pollOne(s.fd, unix.POLLIN, time.Now().Add(patience))
	check(t, err)
	if !ready {
		t.Fatal("nothing comes")
	}
}

// datagramPair is two UDP sockets, of which a is connected to b.
func datagramPair(t *testing.T, h *Host, f modes.Family) (a, b *socket) {
	t.Helper()
	a, b = newSock(t, h, f, modes.Datagram), newSock(t, h, f, modes.Datagram)
	check(t, b.Bind(loopback(f)))
	at, err := b.Local()
	check(t, err)
	check(t, a.Connect(at, 0))
	return a, b
}

// eachFamily runs the test for both versions of IP.
func eachFamily(t *testing.T, test func(t *testing.T, f modes.Family)) {
	t.Run("IPv4", func(t *testing.T) { test(t, modes.IPv4) })
	t.Run("IPv6", func(t *testing.T) { test(t, modes.IPv6) })
}

// bother sends the calling goroutine's thread a signal every millisecond until
// stop, as Go's scheduler does now and then: every call is interrupted.
func bother(t *testing.T) (stop func()) {
	t.Helper()
	pid, tid := unix.Getpid(), unix.Gettid() // the caller has locked its thread
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				unix.Tgkill(pid, tid, unix.SIGURG)
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// within fails the test if f takes longer than a hang would.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// permitted skips the test if the system refuses what it is about.
func permitted(t *testing.T, err error, remedy string) {
	t.Helper()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skipf("%v: %s", err, remedy)
	}
	check(t, err)
}
