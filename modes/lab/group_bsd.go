//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package lab

import (
	"os"
	"syscall"
)

// ownGroup gives a process a group of its own, which what it starts is in too.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills all that is left of the group of a process.
func killGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
