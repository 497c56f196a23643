//go:build !linux

package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"

	"sock/rawtcp/loop"
)

// errTUN is why there is no TUN device here.
var errTUN = fmt.Errorf("a TUN device needs Linux: %w on %s", errors.ErrUnsupported, runtime.GOOS)

// Open returns an error that says so.
func Open(string) (*os.File, string, error) { return nil, "", errTUN }

// SetUp returns the same.
func SetUp(string, int, []netip.Prefix) error { return errTUN }

// Link is a link that there is none of here.
type Link struct {
	loop.Link
	Name      string
	Addresses []netip.Prefix
}

// Attach returns the same.
func Attach(Options) (*Link, error) { return nil, errTUN }
