//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of a script: far beyond what a loaded machine
// needs, so that only a real hang is one.
const patience = 60 * time.Second

// scriptCommands are the commands that a script has beside testscript's own:
//
//	start [-null|-tty] [-on HOST] NAME PROGRAM [ARG...]
//	await NAME REGEXP        until its output has matched
//	type NAME TEXT...        a line on its standard input
//	eof NAME                 the end of its standard input
//	signal NAME INT|TERM|KILL|...
//	finish NAME [STATUS]     wait for it to exit, 0 or STATUS; its output is
//	                         then in the files NAME.stdout and NAME.stderr
//	host NAME                a second machine, joined to this one by a veth
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"start":  cmdStart,
	"await":  cmdAwait,
	"type":   cmdType,
	"eof":    cmdEOF,
	"signal": cmdSignal,
	"finish": cmdFinish,
	"host":   cmdHost,
}

// job is one program that a script has started.
type job struct {
	running
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	tty    bool // stdin is a terminal
	out    bytes.Buffer
	err    bytes.Buffer
	status int
}

// stream is one of the job's outputs.
type stream struct {
	j   *job
	buf *bytes.Buffer
}

func (s stream) Write(p []byte) (int, error) {
	s.j.mu.Lock()
	defer s.j.mu.Unlock()
	s.buf.Write(p)
	s.j.more.Broadcast()
	return len(p), nil
}

type jobs map[string]*job

func jobOf(ts *testscript.TestScript, name string) *job {
	j := ts.Value("jobs").(jobs)[name]
	if j == nil {
		ts.Fatalf("no job %q", name)
	}
	return j
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	var null, tty bool
	var on string
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-null":
			null = true
		case "-tty":
			tty = true
		case "-on":
			on = ts.Value("hosts").(map[string]string)[args[1]]
			args = args[1:]
		default:
			ts.Fatalf("start: unknown flag %s", args[0])
		}
		args = args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start [-null|-tty] [-on HOST] NAME PROGRAM [ARG...]")
	}
	name, argv := args[0], args[1:]
	if on != "" {
		argv = append([]string{"nsenter", "--net", "--target", on}, argv...)
	}
	j := &job{tty: tty}
	j.init()
	j.cmd = &exec.Cmd{Path: lookPath(ts, argv[0]), Args: argv, Dir: ts.MkAbs("."), Env: append(os.Environ(), "PATH="+ts.Getenv("PATH"), "GORACE="+ts.Getenv("GORACE"))}
	j.cmd.Stdout, j.cmd.Stderr = stream{j, &j.out}, stream{j, &j.err}
	switch {
	case tty:
		master, slave := openPTY(ts)
		defer slave.Close()
		j.cmd.Stdin, j.stdin = slave, master
	case !null:
		stdin, err := j.cmd.StdinPipe()
		ts.Check(err)
		j.stdin = stdin
	}
	// A program must not outlive the test. (Pdeathsig means the thread's
	// death; the script's thread is locked, so it is the script's.)
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ts.Check(j.cmd.Start())
	go func() {
		err := j.cmd.Wait()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.status = exitStatus(err)
		j.ended = true
		j.more.Broadcast()
	}()
	ts.Value("jobs").(jobs)[name] = j
}

// lookPath finds a program in the PATH of the script, which has more than that of
// the test.
func lookPath(ts *testscript.TestScript, program string) string {
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return path
		}
	}
	ts.Fatalf("%s: not found", program)
	return ""
}

// exitStatus is the shell's $?: 128 and the number for a signal.
func exitStatus(err error) int {
	var e *exec.ExitError
	if !errors.As(err, &e) {
		return 0
	}
	if w := e.Sys().(syscall.WaitStatus); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return e.ExitCode()
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await NAME REGEXP")
	}
	j, re := jobOf(ts, args[0]), regexp.MustCompile("(?m)"+args[1])
	found := false
	j.until(patience, func() bool {
		found = re.Match(j.out.Bytes()) || re.Match(j.err.Bytes())
		return found || j.ended
	})
	if !found {
		ts.Fatalf("%s never said %q; its output: %s%s", args[0], args[1], j.out.String(), j.err.String())
	}
}

func cmdType(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: type NAME TEXT...")
	}
	_, err := fmt.Fprintln(jobOf(ts, args[0]).stdin, strings.Join(args[1:], " "))
	ts.Check(err)
}

func cmdEOF(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: eof NAME")
	}
	j := jobOf(ts, args[0])
	if j.tty {
		_, err := j.stdin.Write([]byte{4}) // ^D
		ts.Check(err)
		return
	}
	ts.Check(j.stdin.Close())
}

var signals = map[string]syscall.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || signals[args[1]] == 0 {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL|STOP|CONT")
	}
	ts.Check(jobOf(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func cmdFinish(ts *testscript.TestScript, neg bool, args []string) {
	want := 0
	if len(args) == 2 {
		want, _ = strconv.Atoi(args[1])
	}
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: finish NAME [STATUS]")
	}
	j := jobOf(ts, args[0])
	if !j.until(patience, func() bool { return j.ended }) {
		ts.Fatalf("%s does not end; its output: %s%s", args[0], j.out.String(), j.err.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stdout"), j.out.Bytes(), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stderr"), j.err.Bytes(), 0o666))
	if j.status != want {
		ts.Fatalf("%s ended with status %d, wanted %d; its output: %s%s", args[0], j.status, want, j.out.String(), j.err.String())
	}
}

// stopJobs ends whatever a script has left running.
func (js jobs) stop() {
	for _, j := range js {
		j.cmd.Process.Kill()
		j.until(patience, func() bool { return j.ended })
		if j.stdin != nil {
			j.stdin.Close()
		}
	}
}
