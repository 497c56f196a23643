package kernel

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// alone reports whether this is that process. If not it runs the test in it.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("KERNEL_TEST_ALONE") == t.Name() {
		return true
	}
	needNamespace(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v="+strconv.FormatBool(testing.Verbose()))
	// The race detector would have each process wait a second before its end.
	cmd.Env = append(os.Environ(), "KERNEL_TEST_ALONE="+t.Name(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s", out)
	}
	if err != nil {
		t.Error(err)
	}
	return false
}

// sysctl sets a value until the test ends.
func sysctl(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/net/" + name
	before, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, []byte(value), 0))
	t.Cleanup(func() { os.WriteFile(path, before, 0) })
}

// openSocket makes a socket with options that are flags.
func openSocket(t *testing.T, f modes.Family, typ modes.Type, options ...modes.Option) *socket {
	t.Helper()
	s, err := new(Host).Socket(f, typ)
	check(t, err)
	t.Cleanup(func() { s.(*socket).shut() })
	for _, o := range options {
		check(t, s.Set(o, 1))
	}
	return s.(*socket)
}

// shut closes the socket once.
func (s *socket) shut() {
	if s.fd >= 0 {
		s.Close()
	}
	s.fd = -1
}

func listenOn(t *testing.T, a string, options ...modes.Option) *socket {
	t.Helper()
	s := openSocket(t, modes.IPv4, modes.Stream, options...)
	check(t, s.Bind(endPoint(a)))
	check(t, s.Listen(5))
	return s
}

// connection is one whose listener has gone. Both ends have the options.
func connection(t *testing.T, a string, options ...modes.Option) (server, client *socket) {
	t.Helper()
	ln := listenOn(t, a, options...)
	defer ln.shut()
	client = openSocket(t, modes.IPv4, modes.Stream, options...)
	check(t, client.Connect(endPoint(a), 0))
	s, err := ln.Accept()
	check(t, err)
	server = s.(*socket)
	t.Cleanup(server.shut)
	return server, client
}

// endOfData waits for the FIN.
func endOfData(t *testing.T, s *socket) {
	t.Helper()
	if n, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read gives %d, %v; want the end of data", n, err)
	}
}

// inTimeWait leaves a connection of the server at a in TIME_WAIT.
func inTimeWait(t *testing.T, a string, options ...modes.Option) {
	t.Helper()
	server, client := connection(t, a, options...)
	peer, err := client.Local()
	check(t, err)
	server.shut()
	endOfData(t, client)
	client.shut()
	awaitEntry(t, a, func(e entry) bool { return e.state == timeWait && e.peer == peer })
}

// awaitEntry looks at the table until a socket at a is as wanted.
func awaitEntry(t *testing.T, a string, wanted func(entry) bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		all, err := thisMachine().sockets(modes.Stream)
		check(t, err)
		for _, e := range all {
			if e.local == endPoint(a) && wanted(e) {
				return
			}
		}
	}
	t.Fatal("nothing at " + a + " comes to be as wanted")
}

// other gives the socket to another process, and closes it here.
func other(t *testing.T, s *socket) (owner string) {
	t.Helper()
	fd, err := unix.Dup(s.fd)
	check(t, err)
	s.shut()
	file := os.NewFile(uintptr(fd), "socket")
	cmd := exec.Command("cat")
	cmd.ExtraFiles = []*os.File{file}
	stdin, err := cmd.StdinPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	check(t, file.Close())
	return `cat \(pid ` + strconv.Itoa(cmd.Process.Pid) + `\)`
}

// refuse binds and wants it refused with the sentence.
func refuse(t *testing.T, a string, sentence string, options ...modes.Option) {
	t.Helper()
	f := modes.Failure{Call: "bind", Local: endPoint(a)}
	for _, o := range options {
		f.Reuse = f.Reuse || o == modes.ReuseAddr
		f.Share = f.Share || o == modes.ReusePort
	}
	f.Err = openSocket(t, modes.IPv4, modes.Stream, options...).Bind(f.Local)
	explained(t, f, unix.EADDRINUSE, sentence)
}

// allow binds and listens, which is what the sentence said would work.
func allow(t *testing.T, a string, options ...modes.Option) {
	t.Helper()
	s := openSocket(t, modes.IPv4, modes.Stream, options...)
	if err := errors.Join(s.Bind(endPoint(a)), s.Listen(1)); err != nil {
		t.Errorf("%s with %v: %v", a, options, err)
	}
	s.shut()
}

// explained compares with a regular expression.
func explained(t *testing.T, f modes.Failure, err error, sentence string) {
	t.Helper()
	if f.Err != err {
		t.Errorf("%s gives %v, want %v", f.Call, f.Err, err)
		return
	}
	got := explain(f)
	if !regexp.MustCompile("^" + sentence + "$").MatchString(got) {
		t.Errorf("%s: %v\ngot  %s\nwant %s", f.Call, f.Err, got, sentence)
	}
}

// ip runs the program that makes routes and links.
func ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("there is no program ip: apt-get install iproute2")
	} else if err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}
