//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "sock/modes"

// explain says what the error alone tells: these systems show their sockets
// through no file.
func explain(f modes.Failure) string { return general(f) }
