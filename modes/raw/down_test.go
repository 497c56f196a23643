package raw_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sock/modes"
	"sock/modes/raw"
	"sock/opts"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
)

// mortal is a link that goes away when gone is closed.
type mortal struct {
	loop.Link
	gone chan struct{}
}

func (m mortal) Done() <-chan struct{} { return m.gone }
func (m mortal) Err() error            { return errors.New("the wire is torn") }

func (m mortal) Send(now time.Duration, packet []byte, why trace.Rule) error {
	select {
	case <-m.gone:
		return link.ErrDown
	default:
		return m.Link.Send(now, packet, why)
	}
}

// torn runs sock on two machines, the second of which may be idle. After 5 seconds
// the link goes away, and then both are to end at that instant.
func torn(t *testing.T, server, client string, o loop.Options) (a, b *last) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		left, right := netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.0.0.2/24")
		l, r := loop.NewMemory(loop.MemoryOptions{}, []netip.Prefix{left}, []netip.Prefix{right})
		gone := make(chan struct{})
		run := func(l loop.Link, own netip.Prefix, line string, o loop.Options) *last {
			m := &last{console: newConsole(), ended: make(chan struct{})}
			h := raw.New(m, mortal{l, gone}, []netip.Prefix{own}, o)
			line, asks := strings.CutSuffix(line, " </dev/null")
			if asks {
				m.console.end()
			}
			args, err := opts.Parse(strings.Fields(line))
			must(t, err)
			go func() {
				if line != "" {
					m.status = modes.Run(h, args)
				}
				m.err = h.End()
				close(m.ended)
			}()
			synctest.Wait()
			return m
		}
		a, b = run(l, left, server, loop.Options{}), run(r, right, client, o)
		time.Sleep(5 * time.Second)
		close(gone)
		synctest.Wait()
		for _, m := range []*last{a, b} {
			select {
			case <-m.ended:
			default:
				t.Errorf("%s | %s: one has not ended; told %q and %q", server, client, a.told(), b.told())
			}
			m.console.end()
			<-m.ended
		}
	})
	return a, b
}

// last is how a process has ended.
type last struct {
	*console
	ended  chan struct{}
	status int
	err    error // of End
}

// When the link goes away no call and no pause lasts any longer, and sock says why.
func TestLinkGoesAway(t *testing.T) {
	for _, c := range []struct{ server, says, client, cries string }{
		{"-s 7", "read error", "10.0.0.1 7", "read error"},
		{"-s --echo 7", "read error", "-x60 10.0.0.1 7", "read error"},
		{"-s 7", "accept() error", "10.0.0.9 7", "active open error"},
		{"-s -F 7", "accept() error", "10.0.0.1 7", "read error"},
		{"-s -O60 7", "read error", "10.0.0.1 7", "read error"},
		{"-s -h 7", "select error", "-h 10.0.0.1 7 </dev/null", "read error"},
		{"-i -s -P60 7", "read error", "-i -n100000 10.0.0.1 7", ", expected 1024"},
		{"-i -s 7", "read error", "-i -n100000 -p0.7 10.0.0.1 7", "write returned -1, expected 1024"},
		{"-i -s 7", "read error", "-i -n1 -Q60 10.0.0.1 7", "close error"},
		{"-i -s -P60 -R1000 7", "read error", "-i -n50 -L60 10.0.0.1 7", "close error"},
		{"-s -Oline 7", "accept() error", "10.0.0.9 7", "active open error"},
		{"-i -s -Pline 7", "read error", "-i -n1 -Qline 10.0.0.1 7", "close error"},
		{"-u -s 7", "read error", "-u 10.0.0.1 7", "read error"},
		{"-u -i -s 7", "read error", "-u -i -n100000 -p0.7 10.0.0.1 7", "write returned -1, expected 1024"},
		{"-u -i -s -x60 7", "read error", "-u -i -n1 -Q60 10.0.0.1 7", "close error"},
		{"-u -i -s 7", "read error", "-u -o -i -p60 10.0.0.1 7", "sendto returned -1, expected 1024"},
	} {
		server, client := torn(t, c.server, c.client, loop.Options{})
		server.want(t, c.server, c.says)
		client.want(t, c.client, c.cries)
	}
}

func (m *last) want(t *testing.T, line, call string) {
	t.Helper()
	want := call + ": Network is down\nthe wire is torn\n"
	if told := m.told(); m.status != 1 || m.err != nil || !strings.Contains(told, want) || strings.Contains(told, "descriptor") {
		t.Errorf("sock %s: status %d, %v; told %q, not %q", line, m.status, m.err, m.told(), want)
	}
}

// What is under way when sock has done all its calls is told too.
func TestLinkGoesAwayAtTheEnd(t *testing.T) {
	_, m := torn(t, "-i -s 7", "-i -n1 10.0.0.1 7", slow(1500*time.Millisecond))
	want := "a connection has not ended: the wire is torn"
	if m.status != 0 || m.err == nil || m.err.Error() != want || m.told() != "" {
		t.Errorf("status %d, error %v; told %q", m.status, m.err, m.told())
	}
}

// counter counts how often it is asked whether there is something to read.
type counter struct {
	*console
	n atomic.Int32
}

func (c *counter) Wait(in []modes.Interest, d time.Duration) error {
	c.n.Add(1)
	return c.console.Wait(in, d)
}

// Who waits for standard input alone does so when the link has gone away too, and
// takes no time of the processor.
func TestWaitForInputOnly(t *testing.T) {
	own := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}
	l, _ := loop.NewMemory(loop.MemoryOptions{}, own, own)
	c := &counter{console: newConsole()}
	gone := make(chan struct{})
	h := raw.New(c, mortal{l, gone}, own, loop.Options{})
	close(gone)
	in := []modes.Interest{{Read: true}}
	must(t, h.Wait(in, 50*time.Millisecond))
	if n := c.n.Load(); n > 3 || in[0].CanRead {
		t.Errorf("standard input was looked at %d times; ready: %v", n, in[0].CanRead)
	}
	c.types("x")
	must(t, h.Wait(in, -1))
	if !in[0].CanRead {
		t.Error("what is typed is not seen")
	}
	c.end()
	must(t, h.End())
}
