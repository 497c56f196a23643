//go:build linux

package kernel

import (
	"bufio"
	"bytes"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// beChild is what this program does in place of the tests.
func beChild(role string) int {
	host, err := New()
	if err != nil {
		return 2
	}
	h := host.(*Host)
	switch role {
	case "last words":
		h.Observe(0, nil, func() { io.WriteString(h.Stdout(), "last words\n") })
	case "no last words":
		h.Observe(0, nil, func() { io.WriteString(h.Stdout(), "last words\n") })()
	case "many last words":
		for _, word := range []string{"last", "but two", "but one", "first"} {
			h.Observe(0, nil, func() { io.WriteString(h.Stdout(), word+"\n") })
		}
	case "stuck":
		h.Observe(0, nil, func() {
			io.WriteString(h.Stdout(), "stuck\n")
			select {}
		})
	case "cbreak":
		if _, err := h.Cbreak(); err != nil {
			io.WriteString(h.Stderr(), err.Error())
			return 2
		}
	case "cbreak, then write for ever":
		h.Cbreak()
		return writeForEver(h)
	case "write for ever":
		return writeForEver(h)
	case "non-blocking":
		unix.SetNonblock(0, true)
		unix.SetNonblock(1, true)
		return copyAll(h)
	case "SIGIO":
		return watchSocket(h)
	case "job":
		return beJob()
	}
	io.WriteString(h.Stdout(), "ready\n")
	for {
		// The end of standard input is the end of a child that a signal has
		// not ended.
		if _, err := h.Stdin(make([]byte, 1)); err != nil {
			return 0
		}
	}
}

func writeForEver(h *Host) int {
	for {
		if _, err := h.Stdout().Write(pattern(100)); err != nil {
			return 2
		}
	}
}

// copyAll is cat.
func copyAll(h *Host) int {
	buf := make([]byte, 1<<16)
	for {
		n, err := h.Stdin(buf)
		if err == io.EOF {
			return 0
		} else if err != nil {
			return 2
		}
		if _, err := h.Stdout().Write(buf[:n]); err != nil {
			return 2
		}
	}
}

func pattern(n int) []byte { return bytes.Repeat([]byte("0123456789"), n/10+1)[:n] }

// watchSocket prints a socket's port, and SIGIO when something comes.
func watchSocket(h *Host) int {
	s, err := h.Socket(modes.IPv4, modes.Datagram)
	if err != nil || s.Bind(netip.AddrPort{}) != nil || s.Set(modes.AsyncIO, 1) != nil {
		return 2
	}
	at, _ := s.Local()
	io.WriteString(h.Stdout(), at.String()+"\n")
	buf := make([]byte, 10)
	for {
		r, err := s.ReadFrom(buf)
		if err != nil {
			return 2
		}
		io.WriteString(h.Stdout(), "read "+string(buf[:r.N])+"\n")
	}
}

// beJob starts a child of its own in the foreground of the terminal on
// standard input, as a shell does. (A child of the session's leader alone
// could not be stopped from the terminal: its process group is an orphan.)
func beJob() int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childRole+"=cbreak")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if cmd.Start() != nil {
		return 2
	}
	control := os.NewFile(3, "control")
	for {
		var w unix.WaitStatus
		_, err := unix.Wait4(cmd.Process.Pid, &w, unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 2
		case w.Stopped():
			// The test says when it is to go on.
			io.WriteString(os.Stdout, "stopped by "+unix.SignalName(w.StopSignal())+"\n")
			control.Read(make([]byte, 1))
			cmd.Process.Signal(unix.SIGCONT)
		case w.Signaled():
			io.WriteString(os.Stdout, "killed by "+unix.SignalName(w.Signal())+"\n")
			return 0
		default:
			return w.ExitStatus()
		}
	}
}

// child is one run of this program as a child.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	pipe   io.ReadCloser // under stdout
	stderr bytes.Buffer
}

// start starts a child through prefix, which is a command line or nothing. It
// may change the command first.
func start(t *testing.T, role string, change func(*exec.Cmd), prefix ...string) *child {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	argv := append(prefix, exe)
	c := &child{t: t, cmd: exec.Command(argv[0], argv[1:]...)}
	c.cmd.Env = append(os.Environ(), childRole+"="+role)
	c.cmd.Stderr = &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{}
	if change != nil {
		change(c.cmd)
	}
	if c.cmd.Stdin == nil {
		c.stdin, err = c.cmd.StdinPipe()
		check(t, err)
	}
	c.pipe, err = c.cmd.StdoutPipe()
	check(t, err)
	c.stdout = bufio.NewReader(c.pipe)
	check(t, c.cmd.Start())
	hung := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	t.Cleanup(func() {
		hung.Stop()
		c.kill()
	})
	return c
}

// await reads the child's next line.
func (c *child) await(want string) {
	c.t.Helper()
	got, err := c.stdout.ReadString('\n')
	if strings.TrimSuffix(got, "\n") != want {
		c.kill() // and standard error is whole
		c.t.Fatalf("the child said %q (%v), want %q; standard error: %s", got, err, want, &c.stderr)
	}
}

// kill ends the child, unless it has ended, and closes what leads to it.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// end gives the rest of the child's output and how it ended.
func (c *child) end() (rest string, w unix.WaitStatus) {
	c.t.Helper()
	b, _ := io.ReadAll(c.stdout)
	c.cmd.Wait()
	return string(b), unix.WaitStatus(c.cmd.ProcessState.Sys().(syscall.WaitStatus))
}
