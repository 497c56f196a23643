//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "math"

// threadsAllowed is no bound: these systems have none beside RLIMIT_NPROC.
func threadsAllowed() uint64 { return math.MaxUint64 }
