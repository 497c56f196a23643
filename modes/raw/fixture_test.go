package raw_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sock/modes"
	"sock/modes/raw"
	"sock/opts"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
)

// The tests run in a bubble: time passes only when everybody waits, and the end
// of a test finds every goroutine that is left.

// console is all of a machine but its sockets: what a terminal with a person at
// it is to a host.
type console struct {
	mu       sync.Mutex
	more     sync.Cond // has been typed, or it has ended
	typed    []byte
	ended    bool
	out, err bytes.Buffer
}

var _ modes.Host = (*console)(nil)

func newConsole() *console {
	c := &console{}
	c.more.L = &c.mu
	return c
}

// types types a text.
func (c *console) types(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typed = append(c.typed, text...)
	c.more.Broadcast()
}

// end is the end of standard input.
func (c *console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.more.Broadcast()
}

// ready waits until there is something to read, with the lock held.
func (c *console) ready() {
	for len(c.typed) == 0 && !c.ended {
		c.more.Wait()
	}
}

func (c *console) Stdin(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready()
	n := copy(p, c.typed)
	c.typed = c.typed[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (c *console) Wait(in []modes.Interest, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(in) != 1 || in[0].Socket != nil:
		return errors.New("the console knows standard input only")
	case d < 0:
		c.ready()
	case d > 0:
		return errors.New("the console waits for ever, or not at all")
	}
	in[0].CanRead = in[0].Read && (len(c.typed) > 0 || c.ended)
	return nil
}

// locked is a buffer that is written to under the lock.
type locked struct {
	c *console
	b *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return l.b.Write(p)
}

func (c *console) Stdout() io.Writer { return locked{c, &c.out} }
func (c *console) Stderr() io.Writer { return locked{c, &c.err} }

// printed is what has gone to standard output.
func (c *console) printed() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// told is what has gone to standard error.
func (c *console) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err.String()
}

func (c *console) StdinIsTerminal() bool                        { return true }
func (c *console) StderrIsTerminal() bool                       { return false }
func (c *console) Cbreak() (func(), error)                      { return func() {}, nil }
func (c *console) Open(string) (io.ReadCloser, error)           { return nil, errors.ErrUnsupported }
func (c *console) Explain(modes.Failure) string                 { return "" }
func (c *console) Now() time.Time                               { return time.Now() }
func (c *console) Sleep(d time.Duration)                        { time.Sleep(d) }
func (c *console) Serve(func(modes.Host))                       {}
func (c *console) Observe(time.Duration, func(), func()) func() { return func() {} }
func (c *console) Socket(modes.Family, modes.Type) (modes.Socket, error) {
	return nil, errors.ErrUnsupported
}

func (c *console) LookupHost(name string, _ modes.Family) (netip.Addr, error) {
	return netip.ParseAddr(name)
}

func (c *console) LookupService(string, modes.Type) (uint16, error) {
	return 0, errors.ErrUnsupported
}

// machine is a host with a person at it.
type machine struct {
	*console
	host *raw.Host
}

// pair is two of them on one link: 10.0.0.1 and 10.0.0.2.
type pair struct{ a, b *machine }

// bubble runs f with two machines in a bubble.
func bubble(t *testing.T, a, b loop.Options, f func(t *testing.T, p pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		left := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64")}
		right := []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24"), netip.MustParsePrefix("fd00::2/64")}
		l, r := loop.NewMemory(loop.MemoryOptions{}, left, right)
		a.Options.Host, b.Options.Host = "a", "b"
		a.Seed, b.Seed = 1, 2
		p := pair{&machine{console: newConsole()}, &machine{console: newConsole()}}
		p.a.host = raw.New(p.a.console, l, left, a)
		p.b.host = raw.New(p.b.console, r, right, b)
		f(t, p)
		p.a.end()
		p.b.end()
	})
}

// process is a run of sock.
type process struct {
	m      *machine
	status chan int
}

// start runs a command line on m, and the end of the process.
func (m *machine) start(t *testing.T, line string) *process {
	t.Helper()
	o, err := opts.Parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{m, make(chan int, 1)}
	go func() {
		status := modes.Run(m.host, o)
		if err := m.host.End(); err != nil {
			t.Error(err)
		}
		p.status <- status
	}()
	synctest.Wait()
	return p
}

// want waits for the process to end with a status.
func (p *process) want(t *testing.T, status int) {
	t.Helper()
	if got := <-p.status; got != status {
		t.Errorf("status %d, not %d; it has told: %s", got, status, p.m.told())
	}
}

// wantTold fails unless m has told all of the lines.
func (m *machine) wantTold(t *testing.T, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(m.told(), l+"\n") {
			t.Errorf("%q is missing; told: %s", l, m.told())
		}
	}
}

// socket returns a new TCP socket of m.
func (m *machine) socket(t *testing.T) modes.Socket {
	t.Helper()
	s, err := m.host.Socket(modes.IPv4, modes.Stream)
	must(t, err)
	return s
}

// connect returns both ends of a connection from a to port 7 of b.
func (p pair) connect(t *testing.T) (c, s modes.Socket) {
	t.Helper()
	l := p.b.socket(t)
	must(t, l.Bind(at("0.0.0.0:7")))
	must(t, l.Listen(5))
	c = p.a.socket(t)
	must(t, c.Connect(at("10.0.0.2:7"), 0))
	s, err := l.Accept()
	must(t, err)
	must(t, l.Close())
	return c, s
}

// over ends both machines.
func (p pair) over(t *testing.T) {
	t.Helper()
	done := make(chan error)
	go func() { done <- p.a.host.End() }()
	must(t, p.b.host.End())
	must(t, <-done)
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// slow returns options with a delay, each way.
func slow(d time.Duration) loop.Options {
	return loop.Options{Faults: link.NewPipe(link.Conditions{Delay: d}, 1)}
}
