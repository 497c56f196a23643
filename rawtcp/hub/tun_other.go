//go:build !linux

package hub

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
)

// errTUN is why there is no TUN device here.
var errTUN = fmt.Errorf("a TUN device of the hub needs Linux: %w on %s", errors.ErrUnsupported, runtime.GOOS)

func openTUN(string) (*os.File, string, error) { return nil, "", errTUN }

func setUpTUN(string, int, []netip.Prefix) error { return errTUN }
