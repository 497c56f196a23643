//go:build !linux

package rawip

import (
	"errors"
	"net/netip"
	"runtime"

	"sock/rawtcp/loop"
)

// Link is there on Linux only.
type Link struct{ loop.Link }

// Open says that there are no such links on this system.
func Open() (*Link, error) {
	return nil, errors.New("raw IP sockets beside the kernel's TCP are for Linux, not for " + runtime.GOOS + ": use a wire")
}

// Addresses returns nothing.
func (*Link) Addresses() []netip.Prefix { return nil }
