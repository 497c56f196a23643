//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package lab

import (
	"os"
	"syscall"
)

// ownGroup is for systems that sock runs on.
func ownGroup() *syscall.SysProcAttr { return nil }

// killGroup kills the process.
func killGroup(leader *os.Process) { _ = leader.Kill() }
