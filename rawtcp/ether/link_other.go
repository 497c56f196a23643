//go:build !linux

package ether

import (
	"errors"
	"fmt"
	"runtime"

	"sock/rawtcp/loop"
)

// Open returns an error that says that there is no such link here.
func Open(Options) (loop.Link, error) {
	return nil, fmt.Errorf("an address of its own on an interface needs Linux: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}
