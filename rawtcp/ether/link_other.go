//go:build !linux

package ether

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"

	"sock/rawtcp/loop"
)

// Link is a link that there is none of here.
type Link struct {
	loop.Link
	Name      string
	Addresses []netip.Prefix
}

// Open returns an error that says so.
func Open(Options) (*Link, error) {
	return nil, fmt.Errorf("an address of its own on an interface needs Linux: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}
