package kernel

import "golang.org/x/sys/unix"

const (
	soLinger    = unix.SO_LINGER
	ipDontFrag  = unix.IP_DONTFRAG
	ipOnesBcast = unix.IP_ONESBCAST
)
