//go:build linux

package onkernel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// permission is the remedy where namespaces are refused.
const permission = "run as root, or let root allow user namespaces " +
	"(sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0); in a container, --privileged"

// inside is set in the environment of a process that has a user namespace.
const inside = "SOCK_USER_NAMESPACE"

// AsRoot runs this program again, with the same arguments, in a user namespace
// where it is root, unless it may make network namespaces already. It reports
// whether it did, and the exit status.
func AsRoot() (status int, ran bool, err error) {
	if os.Getenv(inside) != "" || mayUnshare() {
		return 0, false, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return 0, false, err
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	runtime.LockOSThread() // whose death it is
	defer runtime.UnlockOSThread()
	// A ^C at the terminal reaches both: the other one cleans up, and this one
	// waits for it.
	signal.Ignore(os.Interrupt)
	defer signal.Reset(os.Interrupt)
	if err := cmd.Start(); err != nil {
		return 0, false, fmt.Errorf("a user namespace is refused (%w): %s", errors.Unwrap(err), permission)
	}
	return exitStatus(cmd.Wait()), true, nil
}

// mayUnshare reports whether this process may make namespaces.
func mayUnshare() bool {
	t := newThread()
	defer t.end()
	return t.do(func() error { return unix.Unshare(unix.CLONE_NEWNET) }) == nil
}
