//go:build linux

package kernel

import (
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDeathBySignal(t *testing.T) {
	words := map[string]string{"plain": "", "last words": "last words\n", "no last words": "", "many last words": "first\nbut one\nbut two\nlast\n"}
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		for role, want := range words {
			c := start(t, role, nil)
			c.await("ready")
			check(t, c.cmd.Process.Signal(sig))
			said, w := c.end()
			if said != want {
				t.Errorf("%v, %s: the child said %q, want %q", sig, role, said, want)
			}
			// What the shell has in $?.
			status := w.ExitStatus()
			if w.Signaled() {
				status = 128 + int(w.Signal())
			}
			if status != 128+int(sig) || w.Signaled() != (sig != unix.SIGQUIT) {
				t.Errorf("%v, %s: status %d (%#x)", sig, role, status, w)
			}
			if c.stderr.Len() > 0 {
				t.Errorf("%v, %s: standard error has %q", sig, role, &c.stderr)
			}
		}
	}
}

// A second signal ends a process that does not come to an end by itself.
func TestSecondSignal(t *testing.T) {
	c := start(t, "stuck", nil)
	c.await("ready")
	check(t, c.cmd.Process.Signal(unix.SIGINT))
	c.await("stuck")
	check(t, c.cmd.Process.Signal(unix.SIGTERM))
	if _, w := c.end(); w.Signal() != unix.SIGTERM {
		t.Errorf("ended with %#x", w)
	}
}

// A script's background jobs ignore SIGINT and SIGQUIT, nohup's SIGHUP.
func TestIgnoredStaysIgnored(t *testing.T) {
	c := start(t, "last words", nil, "sh", "-c", `trap "" INT QUIT HUP; exec "$0"`)
	c.await("ready")
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGHUP} {
		check(t, c.cmd.Process.Signal(sig))
	}
	check(t, c.stdin.Close())
	if said, w := c.end(); said != "" || w != 0 {
		t.Errorf("the child said %q and ended with %#x", said, w)
	}
}

// When nobody reads any more, the end is cat's: SIGPIPE, and no word of it.
func TestDeathByPipe(t *testing.T) {
	c := start(t, "write for ever", nil)
	_, err := c.stdout.ReadByte()
	check(t, err)
	check(t, c.pipe.Close())
	c.cmd.Wait()
	if w := c.cmd.ProcessState.String(); !strings.Contains(w, "broken pipe") {
		t.Errorf("ended with %s", w)
	}
	if c.stderr.Len() > 0 {
		t.Errorf("standard error has %q", &c.stderr)
	}
}

func TestSIGIO(t *testing.T) {
	var stderr io.Reader
	c := start(t, "SIGIO", func(cmd *exec.Cmd) {
		var err error
		cmd.Stderr = nil
		stderr, err = cmd.StderrPipe()
		check(t, err)
	})
	at, err := c.stdout.ReadString('\n')
	check(t, err)
	to, err := net.Dial("udp4", strings.TrimSpace(at))
	check(t, err)
	defer to.Close()
	for _, data := range []string{"one", "two"} {
		_, err := to.Write([]byte(data))
		check(t, err)
		c.await("read " + data) // undisturbed
		line := make([]byte, len("SIGIO\n"))
		_, err = io.ReadFull(stderr, line)
		if string(line) != "SIGIO\n" || err != nil {
			t.Fatalf("standard error has %q (%v)", line, err)
		}
	}
}

func TestObserve(t *testing.T) {
	h := newHost(t)
	var ticks atomic.Int32
	enough := make(chan struct{})
	stop := h.Observe(time.Millisecond, func() {
		if ticks.Add(1) == 3 {
			close(enough)
		}
	}, nil)
	within(t, "the third tick", func() { <-enough })
	stop()
	if n := ticks.Load(); n < 3 {
		t.Errorf("%d ticks", n)
	}
	h.Observe(time.Millisecond, nil, nil)()
	if len(h.signals.last) != 0 {
		t.Error("a last act is left")
	}
}
