package lab

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"sock/modes"
)

// performance is a script of the course that runs, with all that it has started
// and the directory it works in. Nothing of that outlives it.
type performance struct {
	mu        sync.Mutex // held while it starts, and while it ends
	directory string
	shell     *exec.Cmd
	screens   *os.File      // all that is printed
	ended     chan struct{} // closed when the shell has ended
	err       error         // that of the shell, then
}

// perform runs a script, and shows what it prints. The error is that of the
// shell, an [exec.ExitError] too, or that of the writer, which ends the script.
// A signal that ends this process ends the script before.
func perform(e *Exercise, host modes.Host, to io.Writer) (err error) {
	// The death signal of the shell is about the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A write to a pipe that nobody reads is to be an error, and not yet the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	p := &performance{ended: make(chan struct{})}
	forget := host.Observe(0, nil, p.end)
	if err = p.start(e); err == nil {
		_, err = io.Copy(to, p.screens)
	}
	if err == nil {
		<-p.ended
	}
	forget() // and if it is the signal that has ended it, this is as far as we come
	p.end()
	return cmp.Or(err, p.err)
}

// start makes the directory, and starts the shell.
func (p *performance) start(e *Exercise) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.directory, err = os.MkdirTemp("", "sock-course-"); err != nil {
		return err
	}
	if err = copyCourse(p.directory); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	screens, printed, err := os.Pipe()
	if err != nil {
		return err
	}
	defer printed.Close()
	shell := exec.Command("sh", filepath.Join(p.directory, e.Name+".sh"))
	shell.Env = append(os.Environ(), "SOCK="+self, "SOCK_SCRATCH="+p.directory)
	shell.Stdout, shell.Stderr = printed, printed
	shell.SysProcAttr = ownGroup()
	if err := shell.Start(); err != nil {
		screens.Close()
		return fmt.Errorf("the scripts of the course are for a POSIX shell: %w", err)
	}
	p.shell, p.screens = shell, screens
	go func() {
		p.err = shell.Wait()
		killGroup(shell.Process) // what the shell has left, if somebody has killed it
		close(p.ended)
	}()
	return nil
}

// grace is how long a shell may take to end what it has started, which it does
// in a moment.
const grace = 5 * time.Second

// end ends what runs, if anything does, and removes the directory. The lock is
// kept: nothing starts after the end.
func (p *performance) end() {
	p.mu.Lock()
	if p.shell != nil {
		p.screens.Close()                           // a shell that waits to print heeds no signal
		_ = p.shell.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-p.ended:
		case <-time.After(grace):
			killGroup(p.shell.Process)
			<-p.ended
		}
	}
	_ = os.RemoveAll(p.directory) // the shell has, and this is for when it could not
}
