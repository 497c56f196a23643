//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sock/rawtcp/hub"
)

// buildSock builds the program as a user has it. The test's own binary will not
// do where memory is measured: the race detector takes several times as much,
// and 8128 goroutines at most.
func buildSock(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sock")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return path
}

// process is a program that a test has started. There may be very much that it
// says, so lines are counted, and only the last ones kept.
type process struct {
	running
	cmd    *exec.Cmd
	counts map[string]int
	last   []string
	lines  int
	err    error // of Wait
}

// launch starts a program, and counts the lines of its standard error which have
// one of the texts in them. The end of the test kills it.
func launch(t *testing.T, texts []string, path string, args ...string) *process {
	t.Helper()
	// The program is not to outlive the test, nor the thread that starts it.
	runtime.LockOSThread()
	p := &process{cmd: exec.Command(path, args...), counts: map[string]int{}}
	p.init()
	for _, text := range texts {
		p.counts[text] = 0
	}
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// A pipe that is never written to: a program that reads it waits.
	input, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	p.cmd.Stdin = input
	stderr, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		p.read(stderr)
		err := p.cmd.Wait()
		_ = hold.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended, p.err = true, err
		p.more.Broadcast()
	}()
	t.Cleanup(func() {
		if t.Failed() {
			p.mu.Lock()
			t.Logf("the end of what %v said:\n%s", p.cmd.Args[1:], strings.Join(p.last, "\n"))
			p.mu.Unlock()
		}
		p.kill(t)
	})
	return p
}

// kept is how many of the last lines are kept.
const kept = 20

func (p *process) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.lines++
		if len(p.last) == kept {
			p.last = append(p.last[:0], p.last[1:]...)
		}
		p.last = append(p.last, lines.Text())
		for text := range p.counts {
			if bytes.Contains(lines.Bytes(), []byte(text)) {
				p.counts[text]++
			}
		}
		p.more.Broadcast()
		p.mu.Unlock()
	}
}

// await waits for the nth line that has text in it.
func (p *process) await(t *testing.T, n int, text string) {
	t.Helper()
	enough := func() bool { return p.counts[text] >= n }
	p.until(patience, func() bool { return enough() || p.ended })
	p.mu.Lock()
	defer p.mu.Unlock()
	if !enough() {
		t.Fatalf("%v has said %q %d times, not %d", p.cmd.Args[1:], text, p.counts[text], n)
	}
}

// finish waits for the end of the program, which is to be one with status 0.
func (p *process) finish(t *testing.T, limit time.Duration) {
	t.Helper()
	if !p.until(limit, func() bool { return p.ended }) {
		t.Fatalf("%v has not ended within %v", p.cmd.Args[1:], limit)
	}
	if p.err != nil {
		t.Fatalf("%v: %v: %s", p.cmd.Args[1:], p.err, strings.Join(p.last, "\n"))
	}
}

// kill ends the program at once, whatever it does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Kill() // it may have ended
	if !p.until(patience, func() bool { return p.ended }) {
		t.Fatalf("%v outlives SIGKILL", p.cmd.Args[1:])
	}
}

// goroutines has the program tell its goroutines, which is its end, and returns
// how many there are.
func (p *process) goroutines(t *testing.T) int {
	t.Helper()
	p.mu.Lock()
	p.counts["goroutine "] = 0
	p.mu.Unlock()
	if err := p.cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	if !p.until(patience, func() bool { return p.ended }) {
		t.Fatal("it does not tell its goroutines")
	}
	return p.counts["goroutine "]
}

// footprint is what the kernel says of a process.
type footprint struct {
	rss, peak int // KiB
	threads   int
}

func (f footprint) String() string {
	return fmt.Sprintf("%d MiB, %d at most, %d threads", f.rss>>10, f.peak>>10, f.threads)
}

func (p *process) footprint(t *testing.T) (f footprint) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
		switch name {
		case "VmRSS":
			f.rss = n
		case "VmHWM":
			f.peak = n
		case "Threads":
			f.threads = n
		}
	}
	return f
}

// within fails the test if the memory, at most, or the threads are too much.
func (f footprint) within(t *testing.T, mebibytes, threads int) {
	t.Helper()
	if f.peak > mebibytes<<10 || f.threads > threads {
		t.Errorf("%v: not within %d MiB and %d threads", f, mebibytes, threads)
	}
}

// network is a wire with a hub, which the test plugs into.
type network struct {
	sock  string // the program
	place string // the file of the hub's socket
	hub   *process
}

func newNetwork(t *testing.T, sock string) *network {
	t.Helper()
	n := &network{sock: sock, place: filepath.Join(t.TempDir(), "wire")}
	n.startHub(t)
	return n
}

// startHub starts the hub, and waits until it is there. It is not to tell of
// packets, which would take more time than all else.
func (n *network) startHub(t *testing.T) {
	t.Helper()
	n.hub = launch(t, nil, n.sock, "--hub", "--wire", n.place)
	again, late := time.NewTicker(time.Millisecond), time.NewTimer(patience)
	defer again.Stop()
	defer late.Stop()
	for {
		p, err := hub.Dial(context.Background(), n.place, "auto")
		if err == nil {
			_ = p.Close() // it has done what it was for
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Fatal(err)
		}
	}
}

// launch starts a sock on the wire.
func (n *network) launch(t *testing.T, texts []string, args ...string) *process {
	t.Helper()
	return launch(t, texts, n.sock, append([]string{"-v", "--raw", "--wire", n.place}, args...)...)
}

// plug plugs the test itself in.
func (n *network) plug(t *testing.T, address string) *hub.Plug {
	t.Helper()
	p, err := hub.Dial(context.Background(), n.place, address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
