package sim

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/modes"
	"sock/modes/lab/programs"
	"sock/rawtcp/trace"
)

// process starts a program of a test's own.
func (l *lab) process(host string, main func(t *task) int) *Process {
	return l.host(host).start([]string{"test"}, func(t *task, _ []string) int { return main(t) })
}

func TestClock(t *testing.T) {
	l := newLab(t)
	l.book("bsdi")
	var order []string
	note := func(what string) { order = append(order, fmt.Sprintf("%v %s", l.Now(), what)) }
	sleeper := func(name string, d time.Duration) {
		l.process("bsdi", func(t *task) int {
			note(name + " begins")
			t.Sleep(d)
			note(name + " ends")
			return 0
		})
	}
	sleeper("a", 2*time.Second)
	sleeper("b", time.Second)
	sleeper("c", 2*time.Second)
	l.At(2*time.Second, func() { note("second script") })
	l.At(time.Second, func() { note("script") })
	l.At(2*time.Second, func() { note("third script") })
	l.run(time.Hour)
	want := []string{
		"0s a begins", "0s b begins", "0s c begins",
		"1s script", "1s b ends", "2s second script", "2s third script", "2s a ends", "2s c ends",
	}
	if !slices.Equal(order, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(order, "\n"), strings.Join(want, "\n"))
	}
	if l.Now() != 2*time.Second {
		t.Errorf("it is %v after the last event", l.Now())
	}
}

func TestRunStopsInTime(t *testing.T) {
	l := newLab(t)
	l.book("bsdi")
	p := l.start("bsdi", "date")
	q := l.process("bsdi", func(t *task) int { t.Sleep(time.Minute); return 7 })
	l.run(10 * time.Second)
	l.wantScreen(p, "Fri Jan  1 00:00:00 UTC 1993\n")
	if _, _, ok := q.Done(); ok || l.Now() != 10*time.Second {
		t.Errorf("at %v the sleeper has ended: %t", l.Now(), ok)
	}
	l.run(time.Hour)
	l.wantExit(q, 7)
	if _, at, _ := q.Done(); at != time.Minute {
		t.Errorf("the sleeper ended at %v", at)
	}
}

func TestNeverWaits(t *testing.T) {
	for _, main := range []func(t *task) int{
		func(t *task) int {
			for {
				t.Now()
			}
		},
		func(t *task) int {
			for {
				t.Sleep(0)
			}
		},
		func(t *task) int {
			s, err := t.Socket(modes.IPv4, modes.Datagram)
			for err == nil {
				_, err = s.WriteTo(nil, address("140.252.13.34:9"))
			}
			return 0
		},
	} {
		l := newLab(t)
		l.book("bsdi")
		p := l.process("bsdi", main)
		err := l.World.Run(time.Hour)
		if want := "test on bsdi never waits"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		l.wantExit(p, exitKilled)
	}
}

func TestNoEnd(t *testing.T) {
	l := newLab(t)
	l.book("bsdi")
	var again func()
	again = func() { l.At(0, again) }
	again()
	if err := l.World.Run(time.Hour); err == nil {
		t.Error("an endless loop of events came to an end")
	}
}

func TestSignals(t *testing.T) {
	for _, c := range []struct {
		signal string
		exit   int
		words  string
	}{
		{"INT", 130, "last words\n"},
		{"TERM", 143, "last words\n"},
		{"HUP", 129, "last words\n"},
		{"QUIT", 131, "last words\n"},
		{"KILL", 137, ""},
	} {
		l := newLab(t)
		l.book("bsdi")
		unwound := false
		p := l.process("bsdi", func(t *task) int {
			defer func() { unwound = true }()
			defer fmt.Fprintln(t.Stdout(), "a dead process says nothing")
			stop := t.Observe(time.Second, nil, func() { fmt.Fprintln(t.Stderr(), "last words") })
			defer stop()
			t.Sleep(time.Hour)
			return 0
		})
		l.At(time.Second, func() {
			if err := p.Signal(c.signal); err != nil {
				t.Error(err)
			}
		})
		l.run(time.Minute)
		l.wantExit(p, c.exit)
		l.wantScreen(p, c.words)
		if !unwound {
			t.Errorf("%s: what was deferred did not run", c.signal)
		}
		if p.Signal("INT") == nil {
			t.Error("a dead process took a signal")
		}
	}
}

func TestStopAndContinue(t *testing.T) {
	l := newLab(t)
	l.book("bsdi")
	p := l.process("bsdi", func(t *task) int { t.Sleep(time.Second); return 0 })
	signal := func(at time.Duration, name string) {
		l.At(at, func() {
			if err := p.Signal(name); err != nil {
				t.Error(err)
			}
		})
	}
	signal(500*time.Millisecond, "STOP")
	signal(5*time.Second, "CONT")
	l.run(time.Hour)
	if _, at, ok := p.Done(); !ok || at != 5*time.Second {
		t.Errorf("ended %t, at %v", ok, at)
	}
	if p.Signal("USR1") == nil {
		t.Error("an unknown signal was taken")
	}
}

func TestTick(t *testing.T) {
	l := newLab(t)
	l.book("bsdi")
	var ticks []time.Duration
	l.process("bsdi", func(t *task) int {
		stop := t.Observe(time.Second, func() { ticks = append(ticks, l.Now()) }, nil)
		t.Sleep(3500 * time.Millisecond)
		stop()
		t.Sleep(5 * time.Second)
		return 0
	})
	l.run(time.Minute)
	if want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; !slices.Equal(ticks, want) {
		t.Errorf("ticks at %v, want %v", ticks, want)
	}
}

func TestTerminal(t *testing.T) {
	reads := func(prepare func(m *terminal), typed string) string {
		m := terminal{typed: []byte(typed)}
		prepare(&m)
		var got []string
		b := make([]byte, 8)
		for m.canRead() {
			n, err := m.read(b)
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, fmt.Sprintf("%q", b[:n]))
		}
		return strings.Join(got, " ")
	}
	for _, c := range []struct {
		what    string
		prepare func(m *terminal)
		typed   string
		want    string
	}{
		{"lines", func(*terminal) {}, "one\ntwo\nthr", `"one\n" "two\n"`},
		{"a line that the end of file sends off", func(m *terminal) { m.eof = true }, "one\nt", `"one\n" "t" EOF`},
		{"a line longer than the buffer", func(*terminal) {}, "0123456789\n", `"01234567" "89\n"`},
		{"keys", func(m *terminal) { m.cbreak = true }, "aé\n", `"a" "é" "\n"`},
		{"a file", func(m *terminal) { m.file, m.eof = true, true }, "one\ntwo\nthree", `"one\ntwo\n" "three" EOF`},
		{"telnet's escape", func(m *terminal) { m.eol = programs.TelnetEscape }, "x\x1dquit\n", `"x\x1d" "quit\n"`},
	} {
		if got := reads(c.prepare, c.typed); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// conversation runs a busy world and returns all that it told, as JSON.
func conversation(t *testing.T, seed uint64) string {
	var b strings.Builder
	lines := trace.NewJSON(&b)
	l := &lab{T: t}
	l.World = New(seed, lines)
	defer l.Close()
	l.book("sun", "svr4", "bsdi")
	for _, rule := range []string{"drop every 7th data segment", "duplicate every 11th segment"} {
		if err := l.Net.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	l.serve("svr4", "echo")
	l.serve("svr4", "discard")
	l.start("sun", "sock -s -i -F 7777")
	for i := range 5 {
		l.start("bsdi", fmt.Sprintf("sock -i -n%d sun 7777", 10+i))
		l.start("svr4", fmt.Sprintf("sock -i -n%d -w333 sun 7777", 10+i))
		p := l.start("bsdi", "sock svr4 echo")
		l.typed(p, time.Duration(i)*time.Second, "hello", "there")
		l.start("sun", "sock -u -i -n3 svr4 discard")
	}
	l.run(time.Hour)
	for _, p := range l.host("bsdi").Processes() {
		t.Errorf("%s has not ended", p.Name())
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameSeedSameBytes(t *testing.T) {
	first := conversation(t, 1)
	if again := conversation(t, 1); again != first {
		t.Error("two runs with one seed differ")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if alone := conversation(t, 1); alone != first {
		t.Error("on one processor it runs differently")
	}
	if n := strings.Count(first, "\n"); n < 1000 {
		t.Errorf("only %d events were told", n)
	}
}

func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	l := newLab(t)
	l.book("svr4", "bsdi")
	l.serve("svr4", "echo")
	l.start("bsdi", "sock -s -F 7777")
	for range 10 {
		l.start("svr4", "sock bsdi 7777")
		l.start("bsdi", "sock svr4 echo")
	}
	l.run(time.Minute)
	l.start("bsdi", "sock svr4 echo") // has not begun yet
	l.host("bsdi").Crash()
	l.Close()
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, and %d before", after, before)
	}
	for _, h := range l.hosts {
		if len(h.procs) > 0 || len(l.tasks) > 0 {
			t.Errorf("%s: %d processes are left, and %d tasks", h.name, len(h.procs), len(l.tasks))
		}
	}
}
