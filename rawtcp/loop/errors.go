package loop

import (
	"errors"
	"net"
	"syscall"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
)

// failure is an error of the engine that is also the error of a system call.
type failure struct {
	error
	errno syscall.Errno
}

// Unwrap returns both.
func (f *failure) Unwrap() []error { return []error{f.error, f.errno} }

// Timeout reports whether the cause is a timeout, as ETIMEDOUT is.
func (f *failure) Timeout() bool { return f.errno.Timeout() }

// cause returns err with the errno that fits it, if one does.
func cause(err error) error {
	if errors.Is(err, rawtcp.ErrClosed) {
		return net.ErrClosed // the Loop was closed meanwhile
	}
	for _, p := range [...]struct {
		is    error
		errno syscall.Errno
	}{
		{rawtcp.ErrInUse, syscall.EADDRINUSE},
		{rawtcp.ErrNotHere, syscall.EADDRNOTAVAIL},
		{rawtcp.ErrNotConnected, syscall.ENOTCONN},
		{rawtcp.ErrConnected, syscall.EISCONN},
		{rawtcp.ErrInvalid, syscall.EINVAL},
		{rawtcp.ErrBroadcast, syscall.EACCES},
		{rawtcp.ErrPipe, syscall.EPIPE},
		{rawtcp.ErrHostUnreachable, syscall.EHOSTUNREACH},
		{rawtcp.ErrNetUnreachable, syscall.ENETUNREACH},
		{rawtcp.ErrProtoOption, syscall.ENOPROTOOPT},
		{tcb.ErrRefused, syscall.ECONNREFUSED},
		{tcb.ErrReset, syscall.ECONNRESET},
		{tcb.ErrTimeout, syscall.ETIMEDOUT},
		{tcb.ErrAborted, syscall.ECONNABORTED},
		{link.ErrNoRoute, syscall.ENETUNREACH},
		{link.ErrDown, syscall.ENETDOWN},
		{link.ErrTooBig, syscall.EMSGSIZE},
	} {
		if errors.Is(err, p.is) {
			return &failure{err, p.errno}
		}
	}
	return err
}
