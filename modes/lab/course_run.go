package lab

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// heir is what the shell does first. This process may be killed at any time: the
// shell, which gets SIGTERM then, removes the directory. So it says when it is
// ready to, before there is one, and waits for the line that says that all is there.
const heir = `trap 'rm -rf "$SOCK_SCRATCH"' EXIT; trap exit TERM; echo; read -r _ && . "$0" </dev/null`

// start starts the shell, and makes the directory.
func (p *performance) start(e *Exercise) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	screens, printed, err := os.Pipe()
	if err != nil {
		return err
	}
	directory := filepath.Join(os.TempDir(), "sock-course-"+rand.Text())
	shell := exec.Command("sh", "-c", heir, filepath.Join(directory, e.Name+".sh"))
	shell.Env = append(os.Environ(), "SOCK="+self, "SOCK_SCRATCH="+directory)
	shell.Stdout, shell.Stderr = printed, printed
	shell.SysProcAttr = ownGroup()
	begin, err := shell.StdinPipe() // which Wait closes
	if err != nil {
		return errors.Join(err, screens.Close(), printed.Close())
	}
	err = shell.Start()
	printed.Close() // if the shell ends, that is the end of what is printed
	if err != nil {
		screens.Close()
		return fmt.Errorf("the scripts of the course are for a POSIX shell: %w", err)
	}
	p.shell, p.screens = shell, screens
	go func() {
		p.err = shell.Wait()
		killGroup(shell.Process) // what the shell has left, if somebody has killed it
		close(p.ended)
	}()
	if _, err := screens.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("the shell of the course: %w", err)
	}
	if err := os.Mkdir(directory, 0o700); err != nil {
		return fmt.Errorf("no directory for temporary files, set TMPDIR to one where you may write: %w", err)
	}
	p.directory = directory
	if err := copyCourse(directory); err != nil {
		return err
	}
	_, err = io.WriteString(begin, "\n")
	return err
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
