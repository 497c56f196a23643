//go:build netbsd || openbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// These systems have no option for the DF bit of IPv4, nor one for broadcast
// to 255.255.255.255 on one interface.
const (
	soLinger    = unix.SO_LINGER
	ipDontFrag  = 0
	ipOnesBcast = 0
)
