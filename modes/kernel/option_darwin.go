package kernel

import "golang.org/x/sys/unix"

const (
	soLinger    = unix.SO_LINGER_SEC // SO_LINGER counts in ticks here
	ipDontFrag  = unix.IP_DONTFRAG
	ipOnesBcast = 0
)
