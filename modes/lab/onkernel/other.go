//go:build !linux

package onkernel

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func unsupported() error {
	return errors.New("labs run on the kernel of Linux only, which has network namespaces; this is " + runtime.GOOS)
}

// AsRoot says that there is no use in being root.
func AsRoot() (status int, ran bool, err error) { return 0, false, unsupported() }

// Program says that nobody needs it here.
func Program([]string) int {
	fmt.Fprintln(os.Stderr, unsupported())
	return 1
}
