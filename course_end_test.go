//go:build linux

package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// endless is a script of the course that goes on until somebody ends it.
const endless = `. "$(dirname "$0")/functions"
wire
start server --addr 10.0.0.1 -v -s 7
await server '^listening'
start client --addr 10.0.0.2 -v 10.0.0.1 7
await client '^connected'
turn=0
while turn=$((turn + 1)); do
	enter client "$turn"
	await server "^$turn$"
done
`

// TestCourseEnds ends scripts of the course in all ways, before and after there
// are hosts. No process is left, and no file.
func TestCourseEnds(t *testing.T) {
	course := filepath.Join(t.TempDir(), "course")
	if out, err := exec.Command("sock", "--lab", "course", "copy", course).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := filepath.Join(course, "endless.sh")
	if err := os.WriteFile(script, []byte(endless), 0o666); err != nil {
		t.Fatal(err)
	}
	// What prints into a pipe that nobody reads does not come to an end.
	run, byHand := []string{"sock", "--lab", "course", "run", "all"}, []string{"sh", script}
	for _, test := range []struct {
		name    string
		command []string
		signal  syscall.Signal
		group   bool // as the terminal's driver does
	}{
		{"run/SIGTERM", run, syscall.SIGTERM, false},
		{"run/SIGHUP", run, syscall.SIGHUP, false},
		{"run/^C", run, syscall.SIGINT, true},
		{`run/^\`, run, syscall.SIGQUIT, true},
		{"run/SIGKILL", run, syscall.SIGKILL, false},
		{"run/unread", run, syscall.SIGPIPE, false},
		{"by hand/SIGTERM", byHand, syscall.SIGTERM, false},
		{"by hand/SIGHUP", byHand, syscall.SIGHUP, false},
		{"by hand/^C", byHand, syscall.SIGINT, true},
		{`by hand/^\`, byHand, syscall.SIGQUIT, true},
		{"by hand/unread", byHand, syscall.SIGPIPE, false},
	} {
		for when, line := range map[string]string{"at once": "", "with hosts": "client:  connected"} {
			t.Run(test.name+" "+when, func(t *testing.T) {
				t.Parallel()
				if signal.Ignored(test.signal) {
					t.Skipf("%v is ignored here, and so by what is started: run the tests without nohup and &", test.signal)
				}
				c := startCourse(t, test.command)
				c.await(t, line)
				switch {
				case test.signal == syscall.SIGPIPE:
					_ = c.printed.Close()
				case test.group:
					_ = syscall.Kill(-c.cmd.Process.Pid, test.signal)
				default:
					_ = c.cmd.Process.Signal(test.signal)
				}
				if test.command[0] == "sh" { // which waits until what it prints is read
					go func() { _, _ = io.Copy(io.Discard, c.printed) }()
				}
				if status := c.end(t); status != 128+int(test.signal) {
					t.Errorf("exit %d, want %d", status, 128+int(test.signal))
				}
			})
		}
	}
}

// courseRun is a command that runs a script of the course.
type courseRun struct {
	cmd       *exec.Cmd
	printed   *os.File
	alive     *os.File // at its end when no process is left
	directory string   // of temporary files
}

func startCourse(t *testing.T, command []string) *courseRun {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: what is started does not outlive the test
	c := &courseRun{cmd: exec.Command(command[0], command[1:]...), directory: t.TempDir()}
	printed, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	c.printed, c.alive = printed, alive
	t.Cleanup(func() { _, _ = printed.Close(), alive.Close() })
	if _, err := unix.FcntlInt(output.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout, c.cmd.Stderr = output, output
	c.cmd.ExtraFiles = append(slices.Repeat([]*os.File{nil}, 7), held) // 10, for a script closes 3 to 9
	sock, err := exec.LookPath("sock")
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Env = append(os.Environ(), "SOCK="+sock, "TMPDIR="+c.directory, "GORACE=atexit_sleep_ms=0")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// await reads until a line begins with a text.
func (c *courseRun) await(t *testing.T, text string) {
	t.Helper()
	_ = c.printed.SetReadDeadline(time.Now().Add(patience))
	lines := bufio.NewScanner(c.printed)
	var all []string
	for lines.Scan() {
		all = append(all, lines.Text())
		if strings.HasPrefix(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("no line %q (%v) in\n%s", text, lines.Err(), strings.Join(all, "\n"))
}

// end waits until no process is left, checks that no file is, and returns the
// exit status.
func (c *courseRun) end(t *testing.T) (status int) {
	t.Helper()
	_ = c.alive.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.alive.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("something goes on: %v", err)
	}
	status = exitStatus(c.cmd.Wait())
	left, err := os.ReadDir(c.directory)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return status
}

// TestCourseFull: output that cannot be written is no success.
func TestCourseFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, words := range []string{"list", "show linger", "run linger", "run all"} {
		var said strings.Builder
		cmd := exec.Command("sock", append([]string{"--lab", "course"}, strings.Fields(words)...)...)
		cmd.Stdout, cmd.Stderr = full, &said
		const want = "standard output is cut short: write /dev/stdout: no space left on device\n"
		if status := exitStatus(cmd.Run()); status != 1 || said.String() != want {
			t.Errorf("%s: exit %d, %q", words, status, said.String())
		}
	}
}
