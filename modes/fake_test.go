package modes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/opts"
)

// fakeHost is a host in virtual time whose network is a script. Every call
// that matters is written to log, in order.
type fakeHost struct {
	stdin    []string // what the user types, one read each; then the end
	terminal bool
	sock     *fakeSocket
	now      time.Time
	log      []string
	out, err bytes.Buffer
}

func newFake() *fakeHost {
	h := &fakeHost{now: time.Unix(0, 0)}
	h.sock = &fakeSocket{h: h, room: 1 << 20, values: map[Option]int{}, keep: true, peer: netip.MustParseAddrPort("10.0.0.2:7")}
	return h
}

func (h *fakeHost) logf(format string, a ...any) { h.log = append(h.log, fmt.Sprintf(format, a...)) }

func (h *fakeHost) Stdin(p []byte) (int, error) {
	if len(h.stdin) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.stdin[0])
	if h.stdin[0] = h.stdin[0][n:]; h.stdin[0] == "" {
		h.stdin = h.stdin[1:]
	}
	return n, nil
}

func (h *fakeHost) StdinIsTerminal() bool              { return h.terminal }
func (h *fakeHost) StderrIsTerminal() bool             { return false }
func (h *fakeHost) Stdout() io.Writer                  { return &h.out }
func (h *fakeHost) Stderr() io.Writer                  { return &h.err }
func (h *fakeHost) Cbreak() (func(), error)            { return func() {}, nil }
func (h *fakeHost) Open(string) (io.ReadCloser, error) { return nil, os.ErrNotExist }
func (h *fakeHost) Explain(f Failure) string           { return "because of " + f.Call }
func (h *fakeHost) Now() time.Time                     { return h.now }
func (h *fakeHost) Serve(f func(Host))                 { f(h) }

func (h *fakeHost) LookupHost(name string, _ Family) (netip.Addr, error) {
	return netip.ParseAddr(name)
}

func (h *fakeHost) LookupService(name string, _ Type) (uint16, error) {
	if name == "echo" {
		return 7, nil
	}
	return 0, errors.New("no such service")
}

func (h *fakeHost) Socket(Family, Type) (Socket, error) { return h.sock, nil }

func (h *fakeHost) Sleep(d time.Duration) {
	h.logf("sleep %v", d)
	h.now = h.now.Add(d)
}

func (h *fakeHost) Observe(time.Duration, func(), func()) func() { return func() {} }

// Wait finds standard input ready before the network. Where nothing is ready
// it lets the wait run out; a wait without an end would be a hang.
func (h *fakeHost) Wait(in []Interest, d time.Duration) error {
	found := false
	for i := range in {
		s := h.sock
		if in[i].Socket == nil {
			in[i].CanRead = in[i].Read && !s.network
		} else {
			in[i].CanRead = in[i].Read && (len(s.in) > 0 || s.eof)
			in[i].CanWrite = in[i].Write && s.room > 0
		}
		found = found || in[i].CanRead || in[i].CanWrite
	}
	switch {
	case found:
	case h.sock.later != nil:
		f := h.sock.later
		h.sock.later = nil
		f(h.sock)
		return h.Wait(in, d)
	case d < 0:
		return errors.New("waits for ever")
	default:
		h.now = h.now.Add(d)
	}
	return nil
}

// fakeSocket is both the listening socket and the connection.
type fakeSocket struct {
	h       *fakeHost
	in      []string // what the peer sends, one read each
	eof     bool     // and then its FIN
	network bool     // standard input stays silent
	later   func(*fakeSocket)
	wrote   []string
	room    int // what WriteNow takes before it would block
	values  map[Option]int
	keep    bool // options keep what they are set to
	writes  []error
	peer    netip.AddrPort
	from    netip.AddrPort
}

func (s *fakeSocket) Bind(a netip.AddrPort) error { s.h.logf("bind %d", a.Port()); return nil }
func (s *fakeSocket) Listen(n int) error          { s.h.logf("listen %d", n); return nil }
func (s *fakeSocket) Accept() (Socket, error)     { s.h.logf("accept"); return s, nil }
func (s *fakeSocket) Local() (netip.AddrPort, error) {
	return netip.MustParseAddrPort("10.0.0.1:5"), nil
}
func (s *fakeSocket) Peer() (netip.AddrPort, error) { return s.peer, nil }
func (s *fakeSocket) Connect(a netip.AddrPort, d time.Duration) error {
	s.h.logf("connect %v", a)
	return nil
}

func (s *fakeSocket) Peek(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	return copy(p, s.in[0]), nil
}

func (s *fakeSocket) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in[0])
	if s.in[0] = s.in[0][n:]; s.in[0] == "" {
		s.in = s.in[1:]
	}
	return n, nil
}

func (s *fakeSocket) Write(p []byte) (int, error) {
	s.wrote = append(s.wrote, string(p))
	if len(s.writes) > 0 {
		err := s.writes[0]
		s.writes = s.writes[1:]
		if err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (s *fakeSocket) WriteNow(bufs ...[]byte) (int, error) {
	p := slices.Concat(bufs...)
	if s.room == 0 {
		return 0, ErrWouldBlock
	}
	n := min(len(p), s.room)
	s.room -= n
	s.wrote = append(s.wrote, string(p[:n]))
	return n, nil
}

func (s *fakeSocket) WriteUrgent(b byte) error {
	s.wrote = append(s.wrote, fmt.Sprintf("urgent %d", b))
	return nil
}

func (s *fakeSocket) ReadFrom(p []byte) (Received, error) {
	n, err := s.Read(p)
	return Received{N: n, From: s.from}, err
}

func (s *fakeSocket) WriteTo(p []byte, to netip.AddrPort) (int, error) {
	s.wrote = append(s.wrote, fmt.Sprintf("%s to %s", p, to))
	return len(p), nil
}

func (s *fakeSocket) CloseWrite() error { s.h.logf("shutdown"); return nil }
func (s *fakeSocket) Close() error      { s.h.logf("close"); return nil }

func (s *fakeSocket) Set(o Option, v int) error {
	s.h.logf("set %d", o)
	if s.keep {
		s.values[o] = v
	}
	return nil
}

func (s *fakeSocket) Get(o Option) (int, error) { return s.values[o], nil }

func (s *fakeSocket) SetRoute(hops []netip.Addr, to netip.Addr, strict bool) error {
	s.h.logf("route %v to %v, strict %v", hops, to, strict)
	return nil
}

func (s *fakeSocket) JoinGroup(g netip.Addr) error { s.h.logf("join %v", g); return nil }
func (s *fakeSocket) SetCongestion(n string) error { s.h.logf("congestion %s", n); return nil }
func (s *fakeSocket) Congestion() (string, error)  { return "reno", nil }
func (s *fakeSocket) Err() error                   { s.h.logf("SO_ERROR"); return nil }
func (s *fakeSocket) Info() (Info, error) {
	return Info{{"state", "ESTABLISHED"}, {"rtt", time.Millisecond}}, nil
}

// options are those of an empty command line, changed by f.
func options(f func(o *opts.Options)) *opts.Options {
	o := &opts.Options{
		Host: "10.0.0.2", Service: "7", ReadSize: 1024, WriteSize: 1024, Writes: 1024,
		Backlog: 5, Linger: -1, TOS: -1, TTL: -1, MulticastTTL: -1,
	}
	if f != nil {
		f(o)
	}
	return o
}

// do runs the command line on the host and checks its exit status.
func do(t *testing.T, h *fakeHost, status int, f func(o *opts.Options)) {
	t.Helper()
	if got := Run(h, options(f)); got != status {
		t.Fatalf("exit status %d, want %d; standard error: %s", got, status, h.err.String())
	}
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, " | "), strings.Join(want, " | "))
	}
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
