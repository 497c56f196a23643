package kernel

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// raise sends the signal to this very thread, which therefore has taken it
// when raise returns.
func raise(sig unix.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
}
