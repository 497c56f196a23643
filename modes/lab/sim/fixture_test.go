package sim

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
)

// lab is a World under test, with a listing of what is put on its links. The
// windows are left out: they are TCP's own affair.
type lab struct {
	*testing.T
	*World
	list    *trace.Lister
	packets []string
	drops   []string
	calls   []string
}

func newLab(t *testing.T) *lab {
	l := &lab{T: t}
	l.World = New(1, trace.Func(l.event))
	l.list = trace.NewOldLister(trace.Listing{Names: l.TraceNames()})
	t.Cleanup(l.Close)
	return l
}

func (l *lab) event(e trace.Event) {
	switch e.Kind {
	case trace.Sent:
		if line, ok := l.list.Line(e); ok {
			line = regexp.MustCompile(` win \d+`).ReplaceAllString(line, "")
			l.packets = append(l.packets, fmt.Sprintf("%.3f %s", e.At.Seconds(), line))
		}
	case trace.Dropped:
		l.drops = append(l.drops, fmt.Sprintf("%.3f %s%s: %s", e.At.Seconds(), e.Host, e.Link, e.Reason))
	case trace.Call:
		l.calls = append(l.calls, fmt.Sprintf("%s: %s %s %s", e.Host, e.Name, e.Text, e.Result))
	}
}

// book adds hosts of the book to an Ethernet whose packets take a millisecond.
// ARP caches are full, so that only what a test is about is on the link.
func (l *lab) book(names ...string) {
	l.Helper()
	ether := l.Net.Link("ether", link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond}})
	addresses := map[string]string{
		"sun": "140.252.13.33/27", "svr4": "140.252.13.34/27", "bsdi": "140.252.13.35/27",
	}
	systems := map[string]string{"sun": "sunos", "svr4": "svr4", "bsdi": "bsd"}
	for _, name := range names {
		p, err := profile.Get(systems[name])
		if err != nil {
			l.Fatal(err)
		}
		l.Host(name, HostOptions{
			Profile:    p,
			Interfaces: []Interface{{Link: ether, Name: "le0", Addresses: []netip.Prefix{netip.MustParsePrefix(addresses[name])}}},
			Node:       link.NodeOptions{Quote: 8},
		})
	}
	l.FillARP()
}

// pair adds hosts a, 10.0.0.1, and b, 10.0.0.2, on a link without delay.
func (l *lab) pair(a, b HostOptions) {
	wire := l.Net.Link("wire", link.LinkOptions{})
	for i, o := range []HostOptions{a, b} {
		n := strconv.Itoa(i + 1)
		o.Interfaces = []Interface{{Link: wire, Name: "eth0", Addresses: []netip.Prefix{
			netip.MustParsePrefix("10.0.0." + n + "/24"), netip.MustParsePrefix("2001:db8::" + n + "/64"),
		}}}
		l.Host(string(rune('a'+i)), o)
	}
}

// start starts a command line on a host.
func (l *lab) start(host, line string) *Process {
	l.Helper()
	p, err := l.Start(host, strings.Fields(line))
	if err != nil {
		l.Fatal(err)
	}
	return p
}

func (l *lab) host(name string) *Host { return l.FindHost(name) }

func (l *lab) serve(host, service string) {
	l.Helper()
	if _, err := l.host(host).Serve(service); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) run(until time.Duration) {
	l.Helper()
	if err := l.World.Run(until); err != nil {
		l.Fatal(err)
	}
}

// typed types lines, from a time on one every second, and then the end.
func (l *lab) typed(p *Process, at time.Duration, lines ...string) {
	for _, line := range lines {
		l.At(at, func() { p.Type(line + "\n") })
		at += time.Second
	}
	l.At(at, p.EOF)
}

// screen is all that a process wrote.
func screen(p *Process) string {
	var b strings.Builder
	for _, piece := range p.Output() {
		b.WriteString(piece.Text)
	}
	return b.String()
}

func (l *lab) wantScreen(p *Process, want string) {
	l.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), screen(p)); diff != "" {
		l.Errorf("%s: %s (-want +got):\n%s", p.Host().Name(), p.Name(), diff)
	}
}

func (l *lab) wantExit(p *Process, want int) {
	l.Helper()
	if exit, _, ok := p.Done(); !ok || exit != want {
		l.Errorf("%s: %s: exit status %d, ended %t; want %d. It wrote:\n%s", p.Host().Name(), p.Name(), exit, ok, want, screen(p))
	}
}

func (l *lab) wantPackets(want string) {
	l.Helper()
	l.wantLines("on the links", l.packets, want)
	l.packets = nil
}

func (l *lab) wantLines(what string, got []string, want string) {
	l.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), strings.Join(append(got, ""), "\n")); diff != "" {
		l.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
