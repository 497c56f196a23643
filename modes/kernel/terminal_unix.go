//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"sync"

	"golang.org/x/sys/unix"
)

// terminal is the terminal on standard input.
type terminal struct {
	mu    sync.Mutex
	users int          // how many want cbreak mode: under -F there may be several
	on    bool         // cbreak mode is set
	saved unix.Termios // what it is set back to
}

// isTerminal is isatty(3).
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, getTermios)
	return err == nil
}

// Cbreak puts the terminal in cbreak mode: each key is there to read as it is
// typed, nothing is echoed, and ^C and ^Z still send their signals.
func (h *Host) Cbreak() (restore func(), err error) {
	t := &h.term
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users == 0 {
		if err := t.enter(); err != nil {
			return nil, err
		}
	}
	t.users++
	return sync.OnceFunc(t.release), nil
}

// release is the end of one user's cbreak mode.
func (t *terminal) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users--; t.users == 0 {
		t.leave()
	}
}

// reset sets the terminal back for good, before the process dies.
func (t *terminal) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leave()
	t.users = 0
}

// suspend sets the terminal back while the process is stopped.
func (t *terminal) suspend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leave()
}

// resume is cbreak mode again after SIGCONT, over whatever the terminal was
// set to in the meantime.
func (t *terminal) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users > 0 {
		t.enter()
	}
}

// enter sets cbreak mode, and saves the modes that were set before it.
func (t *terminal) enter() error {
	m, err := unix.IoctlGetTermios(0, getTermios)
	if err != nil {
		return err
	}
	if !t.on {
		t.saved = *m
	}
	m.Lflag &^= unix.ICANON | unix.ECHO
	m.Cc[unix.VMIN] = 1  // a read waits for one byte,
	m.Cc[unix.VTIME] = 0 // as long as it takes
	if err := setTermios(m); err != nil {
		return err
	}
	t.on = true
	return nil
}

func (t *terminal) leave() {
	if t.on && inForeground() {
		setTermios(&t.saved)
	}
	t.on = false
}

// setTermios waits for what was written to be seen before the mode changes,
// and leaves what was typed to be read.
func setTermios(t *unix.Termios) error {
	for {
		err := unix.IoctlSetTermios(0, setTermiosDrain, t)
		if err != unix.EINTR {
			return err
		}
	}
}

// inForeground reports whether the terminal is ours to set. Otherwise its
// modes are by now those of another program, and setting them would stop us
// with SIGTTOU.
func inForeground() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
