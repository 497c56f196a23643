//go:build linux || freebsd

package kernel

import (
	"strings"

	"golang.org/x/sys/unix"
)

// SetCongestion wraps TCP_CONGESTION.
func (s *socket) SetCongestion(name string) error {
	return unix.SetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
}

// Congestion reads it back.
func (s *socket) Congestion() (string, error) {
	name, err := unix.GetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	name, _, _ = strings.Cut(name, "\x00")
	return name, err
}
