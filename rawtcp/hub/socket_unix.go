//go:build unix

package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listenFile listens on a Unix-domain socket whose file is path. A file that a
// hub has left behind, to which nobody listens any more, is replaced.
func listenFile(path string, mode fs.FileMode) (net.Listener, error) {
	// One at a time looks whether a file is stale, or the second might remove
	// the socket of the first.
	defer lockDirectory(filepath.Dir(path))()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("a socket: %w", err)
	}
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: socketName(path)}); err != nil {
		return nil, nameError(path, err)
	}
	l := &fileListener{path: path}
	if l.file, err = os.Lstat(path); err == nil {
		// Nobody can connect before listen(2), and so nobody without right.
		if err = os.Chmod(path, mode); err == nil {
			if err = unix.Listen(fd, unix.SOMAXCONN); err == nil {
				l.Listener, err = net.FileListener(f)
			}
		}
	}
	if err != nil {
		l.remove()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// nameError says what is wrong with a name, of which lstat(2) and bind(2) tell only
// that something is.
func nameError(path string, err error) error {
	directory := filepath.Dir(path)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENAMETOOLONG):
		return fmt.Errorf("%s: the name of a socket has about 100 bytes at most; use a shorter one", path)
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%s: there is no directory %s; make it first", path, directory)
	case errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("%s: %s is no directory; use another name", path, directory)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		return fmt.Errorf("%s: no file can be made in %s (%w); use another directory", path, directory, bare(err))
	}
	return fmt.Errorf("%s: %w", path, bare(err))
}

// bare returns err without the call and the name.
func bare(err error) error {
	if path := new(fs.PathError); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// socketName returns path such that it is a file's name: "@" before it would
// be a name without a file, on Linux.
func socketName(path string) string {
	if strings.HasPrefix(path, "@") {
		return "./" + path
	}
	return path
}

// lockDirectory locks a directory for those who look for stale files in it. Where
// that cannot be done, or somebody keeps it, they go without.
func lockDirectory(name string) (unlock func()) {
	d, err := os.Open(name)
	if err != nil {
		return func() {}
	}
	for range 50 {
		err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return func() { _ = d.Close() }
}

// removeStale removes the file of a socket to which nobody listens. It returns
// an error if there is one to which somebody does, or another file.
func removeStale(path string) error {
	is, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return nameError(path, err)
	case is.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there already, and is no socket; use another name", path)
	}
	conn, err := net.Dial("unix", socketName(path))
	switch {
	case err == nil:
		defer conn.Close()
		return fmt.Errorf("%s: %s is the hub of this wire already: plug into it without --hub, or use another name", path, whoIs(conn))
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s is there already, and is not yours; use another name", path)
	}
	return fmt.Errorf("%s is there already: %w", path, err)
}

// fileListener removes its file when it is closed.
type fileListener struct {
	net.Listener
	path string
	file fs.FileInfo // as it was made
}

func (l *fileListener) Close() error {
	l.remove()
	return l.Listener.Close()
}

// remove removes the file, unless it is somebody else's by now.
func (l *fileListener) remove() {
	if is, err := os.Lstat(l.path); err == nil && l.file != nil && os.SameFile(is, l.file) {
		_ = os.Remove(l.path) // it is gone, or stale: the next hub removes it
	}
}

// isReset reports whether err is the end of a connection as a peer makes it who
// dies with something unread.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
