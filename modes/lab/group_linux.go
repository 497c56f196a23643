package lab

import (
	"os"
	"syscall"
)

// ownGroup gives a process a group of its own, which what it starts is in too.
// If this process is killed it gets SIGTERM.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// killGroup kills all that is left of the group of a process.
func killGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
