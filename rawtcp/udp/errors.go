package udp

import "errors"

// What calls answer, beside the errors of packages rawtcp (ErrWouldBlock, ErrInUse,
// ErrNotHere, ErrConnected, ErrInvalid, ErrBroadcast, ErrClosed, and what ICMP
// tells), tcb (ErrRefused) and link (ErrNoRoute, ErrTooBig).
var (
	// ErrFamily: an address is of the other version of IP (EAFNOSUPPORT).
	ErrFamily = errors.New("address family not supported by protocol")
	// ErrNoPeer: the socket is not connected, and nobody is named (EDESTADDRREQ).
	ErrNoPeer = errors.New("destination address required")
	// ErrNoOption: UDP has no such option (ENOPROTOOPT).
	ErrNoOption = errors.New("protocol not available")
)
