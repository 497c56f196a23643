//go:build linux

package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openPTY opens a pseudo-terminal.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { master.Close() })
	check(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	check(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func modesOf(t *testing.T, tty *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	check(t, err)
	return *m
}

func wantCbreak(t *testing.T, tty *os.File) {
	t.Helper()
	m := modesOf(t, tty)
	if m.Lflag&(unix.ICANON|unix.ECHO) != 0 || m.Lflag&unix.ISIG == 0 || m.Cc[unix.VMIN] != 1 || m.Cc[unix.VTIME] != 0 {
		t.Errorf("the terminal is not in cbreak mode: %+v", m)
	}
}

func wantModes(t *testing.T, when string, tty *os.File, want unix.Termios) {
	t.Helper()
	if got := modesOf(t, tty); got != want {
		t.Errorf("%s the terminal has %+v, want %+v", when, got, want)
	}
}

// setStdin makes f the standard input of this process until the test ends.
func setStdin(t *testing.T, f *os.File) {
	t.Helper()
	was, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	check(t, err)
	check(t, unix.Dup3(int(f.Fd()), 0, 0))
	t.Cleanup(func() {
		unix.Dup3(was, 0, 0)
		unix.Close(was)
	})
}

func TestCbreak(t *testing.T) {
	h := newHost(t)
	master, slave := openPTY(t)
	before := modesOf(t, slave)
	setStdin(t, slave)
	if !h.StdinIsTerminal() {
		t.Error("the terminal is none")
	}
	one, err := h.Cbreak()
	check(t, err)
	wantCbreak(t, slave)

	// A key is there as it is typed.
	_, err = master.Write([]byte("x"))
	check(t, err)
	buf := make([]byte, 10)
	n, err := h.Stdin(buf)
	if string(buf[:n]) != "x" || err != nil {
		t.Errorf("Stdin gave %q, %v", buf[:n], err)
	}

	// The last user, and nobody twice, sets it back.
	two, err := h.Cbreak()
	check(t, err)
	one()
	one()
	wantCbreak(t, slave)
	two()
	wantModes(t, "afterwards", slave, before)
}

func TestCbreakWithoutTerminal(t *testing.T) {
	h := newHost(t)
	null, err := os.Open(os.DevNull)
	check(t, err)
	defer null.Close()
	setStdin(t, null)
	if h.StdinIsTerminal() {
		t.Error("/dev/null is a terminal")
	}
	_, err = h.Cbreak()
	wantErr(t, "Cbreak", err, unix.ENOTTY)
}

// onTerminal makes the child a session of its own on the terminal.
func onTerminal(slave *os.File) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Stdin = slave
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	}
}

func TestDeathRestoresTerminal(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		_, slave := openPTY(t)
		before := modesOf(t, slave)
		c := start(t, "cbreak", onTerminal(slave))
		c.await("ready")
		wantCbreak(t, slave)
		check(t, c.cmd.Process.Signal(sig))
		c.end()
		wantModes(t, "after "+unix.SignalName(sig), slave, before)
	}

	_, slave := openPTY(t)
	before := modesOf(t, slave)
	c := start(t, "cbreak, then write for ever", onTerminal(slave))
	_, err := c.stdout.ReadByte()
	check(t, err)
	wantCbreak(t, slave)
	check(t, c.pipe.Close())
	c.cmd.Wait()
	wantModes(t, "after SIGPIPE", slave, before)
}

// Keys that send signals do so in cbreak mode: ^Z stops the process with the
// terminal set back, and after SIGCONT it is in cbreak mode again; ^C kills.
func TestSuspend(t *testing.T) {
	master, slave := openPTY(t)
	before := modesOf(t, slave)
	r, w, err := os.Pipe()
	check(t, err)
	defer w.Close()
	c := start(t, "job", func(cmd *exec.Cmd) {
		onTerminal(slave)(cmd)
		cmd.ExtraFiles = []*os.File{r}
	})
	check(t, r.Close())
	c.await("ready")
	for range 3 {
		wantCbreak(t, slave)
		_, err = master.Write([]byte{'Z' & 0x1f})
		check(t, err)
		c.await("stopped by SIGSTOP")
		wantModes(t, "stopped,", slave, before)
		_, err = w.Write([]byte("\n"))
		check(t, err)
		awaitCbreak(t, slave)
	}
	_, err = master.Write([]byte{'C' & 0x1f})
	check(t, err)
	c.await("killed by SIGINT")
	wantModes(t, "killed,", slave, before)
}

// awaitCbreak waits for what the child does unseen.
func awaitCbreak(t *testing.T, tty *os.File) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if modesOf(t, tty).Lflag&unix.ICANON == 0 {
			return
		}
	}
	t.Fatal("cbreak mode does not come back")
}
