//go:build linux

package onkernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command is a program and its arguments.
type Command struct {
	Path string
	Args []string // the name of the program first
	// Stdin is a file that is read in place of the terminal, if it is not nil.
	Stdin []byte
}

// Process is a program that runs on a host, at a terminal of its own.
type Process struct {
	h       *Host
	cmd     *exec.Cmd
	typed   *os.File // the terminal that is typed on; nil if a file is read in its place
	printed *os.File
	out     []Piece
	started time.Duration
	typedAt time.Duration
	partial bool // the line that is typed has begun

	done   bool
	status int
	doneAt time.Duration
}

// Piece is what a process wrote at one time.
type Piece struct {
	At   time.Duration
	Text string
}

// Start starts a program on a host. The script goes on when it has a socket.
func (w *World) Start(host string, c Command) (*Process, error) {
	h := w.FindHost(host)
	switch {
	case h == nil:
		return nil, fmt.Errorf("there is no host %q", host)
	case !h.up:
		return nil, fmt.Errorf("host %s is down", h.name)
	}
	p, err := h.start(c)
	if err == nil {
		w.starting, w.look = append(w.starting, p), w.real
	}
	return p, err
}

func (h *Host) start(c Command) (p *Process, err error) {
	p = &Process{h: h, started: h.w.real}
	var stdin, output *os.File
	if c.Stdin != nil {
		stdin, err = memoryFile(c.Stdin)
	} else {
		p.typed, stdin, err = openPTY()
	}
	if err == nil {
		p.printed, output, err = os.Pipe()
	}
	if err == nil {
		p.cmd = &exec.Cmd{
			Path: c.Path, Args: c.Args, Stdin: stdin, Stdout: output, Stderr: output,
			// In a session of its own no key of our terminal reaches it. And it
			// dies with the thread, which is the host.
			SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
		}
		err = h.thread.do(p.cmd.Start)
	}
	closeAll(stdin, output)
	if err != nil {
		closeAll(p.typed, p.printed)
		return nil, err
	}
	h.running = append(h.running, p)
	h.processes.Go(p.watch)
	return p, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// memoryFile is a file with contents, of which there is no name.
func memoryFile(contents []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("stdin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "stdin")
	if _, err = f.WriteAt(contents, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// watch hands on what the process writes, and then its end.
func (p *Process) watch() {
	w := p.h.w
	for {
		buf := make([]byte, 4096)
		n, err := p.printed.Read(buf)
		if n > 0 {
			w.see(func() { p.out = append(p.out, Piece{w.now, string(buf[:n])}) })
		}
		if err != nil { // nobody has the other end open any more
			break
		}
	}
	status := exitStatus(p.cmd.Wait())
	closeAll(p.typed, p.printed)
	w.see(func() { p.ended(status) })
}

// exitStatus is the shell's $?: 128 and the number for a signal.
func exitStatus(err error) int {
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &e):
		return 1
	}
	if s := e.Sys().(syscall.WaitStatus); s.Signaled() {
		return 128 + int(s.Signal())
	}
	return e.ExitCode()
}

func (p *Process) ended(status int) {
	p.h.running = slices.DeleteFunc(p.h.running, func(other *Process) bool { return other == p })
	if !p.done {
		p.done, p.status, p.doneAt = true, status, p.h.w.now
	}
}

// kill ends p at once. What it was is over for all who ask, whenever it is
// gone.
func (p *Process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	if !p.done {
		p.done, p.status, p.doneAt = true, 128+int(syscall.SIGKILL), p.h.w.now
	}
}

// Name returns the command line.
func (p *Process) Name() string { return strings.Join(p.cmd.Args, " ") }

// Type types text on the terminal.
func (p *Process) Type(text string) {
	p.partial = !strings.HasSuffix(text, "\n")
	w := p.h.w
	w.reading, p.typedAt, w.look = p, w.real, w.real+lookSoonEvery
	p.write(text)
}

// EOF types the key for the end of file, twice if a line has begun: the first
// one only sends that off. Where each key is one like any other, it takes the
// terminal away.
func (p *Process) EOF() {
	if p.typed != nil && !isCanonical(p.typed) {
		p.typed.Close()
		return
	}
	key := "\x04"
	if p.partial {
		key += key
	}
	p.partial = false
	p.write(key)
}

func (p *Process) write(keys string) {
	if p.typed != nil {
		_, _ = p.typed.WriteString(keys) // nobody may be left to read them
	}
}

// Signal sends p a signal: "INT", "QUIT", "TERM", "HUP", "KILL", "TSTP".
func (p *Process) Signal(name string) error {
	if p.done {
		return fmt.Errorf("%s has ended", p.Name())
	}
	if name == "TSTP" {
		// A process without a shell above it is not stopped by the key.
		name = "STOP"
	}
	n := unix.SignalNum("SIG" + name)
	if n == 0 {
		return fmt.Errorf("there is no signal %q", name)
	}
	return p.cmd.Process.Signal(n)
}

// Output returns what p has written so far.
func (p *Process) Output() []Piece { return p.out }

// Done returns the exit status of p, and when it ended; ok is false while it
// runs.
func (p *Process) Done() (status int, at time.Duration, ok bool) { return p.status, p.doneAt, p.done }

// hasRead reports whether p has come to rest after something was typed.
func (p *Process) hasRead() bool {
	return p.done || p.isAsleep() || p.h.w.real > p.typedAt+readTime
}

// isAsleep reports whether each thread of p waits for something.
func (p *Process) isAsleep() bool {
	files, err := filepath.Glob("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/task/*/stat")
	for _, f := range files {
		text, readErr := os.ReadFile(f)
		// "pid (name) state ...": the name may have anything in it (proc_pid_stat(5)).
		_, rest, ok := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
		if readErr == nil && (!ok || !strings.HasPrefix(rest, "S")) {
			return false
		}
	}
	return err == nil
}

// isStarted reports whether p has come so far that the script can go on: it has
// a socket, or has ended, or seems to want none.
func (p *Process) isStarted() bool {
	return p.done || p.hasSocket() || p.h.w.real > p.started+startTime
}

// hasSocket reports whether p has a socket that is bound or connected.
func (p *Process) hasSocket() bool {
	dir := "/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd/"
	open, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	rows := append(p.h.sockets("tcp"), p.h.sockets("udp")...)
	for _, fd := range open {
		to, _ := os.Readlink(dir + fd.Name())
		inode, isSocket := strings.CutPrefix(strings.TrimSuffix(to, "]"), "socket:[")
		if isSocket && slices.ContainsFunc(rows, func(r Row) bool { return strconv.FormatUint(r.Inode, 10) == inode }) {
			return true
		}
	}
	return false
}
