package rawtcp

import (
	"errors"

	"sock/rawtcp/tcb"
)

// What socket calls answer, beside the errors of the machine (package tcb) and
// of the network (package link).
var (
	// ErrWouldBlock says to call again when the socket is ready (EAGAIN,
	// EINPROGRESS).
	ErrWouldBlock = tcb.ErrWouldBlock
	// ErrInUse: the port or the pair of sockets is taken (EADDRINUSE).
	ErrInUse = errors.New("address already in use")
	// ErrNotHere: the host has no such address, or no port is left (EADDRNOTAVAIL).
	ErrNotHere = errors.New("cannot assign requested address")
	// ErrNotConnected: there is no connection yet (ENOTCONN).
	ErrNotConnected = errors.New("transport endpoint is not connected")
	// ErrConnected: there is one already (EISCONN).
	ErrConnected = errors.New("transport endpoint is already connected")
	// ErrInvalid: the call makes no sense in the socket's state (EINVAL).
	ErrInvalid = errors.New("invalid argument")
	// ErrBroadcast: TCP connects two hosts, not many (EACCES).
	ErrBroadcast = errors.New("permission denied")
	// ErrPipe: nothing more can be sent (EPIPE).
	ErrPipe = errors.New("broken pipe")
	// ErrClosed: the socket has been closed (EBADF).
	ErrClosed = errors.New("bad file descriptor")
)
