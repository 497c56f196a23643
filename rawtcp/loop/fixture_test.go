package loop_test

import (
	"context"
	"net/netip"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// pair is two hosts on one link.
type pair struct {
	a, b *loop.Loop
}

var (
	prefixA = netip.MustParsePrefix("10.0.0.1/24")
	prefixB = netip.MustParsePrefix("10.0.0.2/24")
	port    = netip.AddrPortFrom(prefixB.Addr(), 7)
)

// newPair returns hosts a and b, which the end of the test closes.
func newPair(t testing.TB, m loop.MemoryOptions, a, b loop.Options) *pair {
	a.Host, b.Host = "a", "b"
	a.Seed, b.Seed = 1, 2
	left, right := loop.NewMemory(m,
		[]netip.Prefix{prefixA, netip.MustParsePrefix("fd00::1/64")},
		[]netip.Prefix{prefixB, netip.MustParsePrefix("fd00::2/64")})
	p := &pair{loop.New(left, a), loop.New(right, b)}
	t.Cleanup(p.close)
	return p
}

// close closes the hosts, if the test has not.
func (p *pair) close() {
	_ = p.a.Close()
	_ = p.b.Close()
}

// listen listens on b, at port 7.
func (p *pair) listen(t testing.TB, setup ...loop.Setup) *loop.Listener {
	t.Helper()
	n, err := p.b.Listen(port, 5, setup...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// connect returns both ends of a connection from a to b.
func (p *pair) connect(t testing.TB, setup ...loop.Setup) (c, s *loop.Conn) {
	t.Helper()
	n := p.listen(t, setup...)
	c, err := p.a.Dial(context.Background(), port, setup...)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = n.AcceptConn(); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return c, s
}

// of returns Options for a profile.
func of(t testing.TB, name string) loop.Options {
	t.Helper()
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return loop.Options{Options: rawtcp.Options{Profile: p}}
}

// wantNobody fails if a goroutine runs code of this package, after those that
// have been woken had time to go.
func wantNobody(t *testing.T) {
	t.Helper()
	patience := time.Now().Add(10 * time.Second)
	for left := goroutines(); len(left) > 0; left = goroutines() {
		if time.Now().After(patience) {
			t.Fatalf("left behind: %s", strings.Join(left, "\n\n"))
		}
		runtime.Gosched()
	}
}

// goroutines returns the stacks of those that run code of this package.
func goroutines() []string {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
	var found []string
	for g := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(g, "sock/rawtcp/loop.") && !strings.Contains(g, "loop_test.goroutines") {
			found = append(found, g)
		}
	}
	return found
}
