package loop

import (
	"errors"
	"net"
	"syscall"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/udp"
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
	if errno, ok := Errno(err); ok {
		return &failure{err, errno}
	}
	return err
}

// Errno returns what a kernel would have given for err, an error of the engine. It
// returns false if err is no error of a system call, such as io.EOF.
func Errno(err error) (syscall.Errno, bool) {
	if err == nil {
		return 0, false
	}
	for _, x := range [...]struct {
		is  error
		has syscall.Errno
	}{
		{tcb.ErrRefused, syscall.ECONNREFUSED},
		{tcb.ErrReset, syscall.ECONNRESET},
		{tcb.ErrTimeout, syscall.ETIMEDOUT},
		{tcb.ErrAborted, syscall.ECONNABORTED},
		{rawtcp.ErrInUse, syscall.EADDRINUSE},
		{rawtcp.ErrNotHere, syscall.EADDRNOTAVAIL},
		{rawtcp.ErrNotConnected, syscall.ENOTCONN},
		{rawtcp.ErrConnected, syscall.EISCONN},
		{rawtcp.ErrInvalid, syscall.EINVAL},
		{rawtcp.ErrBroadcast, syscall.EACCES},
		{rawtcp.ErrClosed, syscall.EBADF},
		{rawtcp.ErrPipe, syscall.EPIPE},
		{rawtcp.ErrHostUnreachable, syscall.EHOSTUNREACH},
		{rawtcp.ErrNetUnreachable, syscall.ENETUNREACH},
		{rawtcp.ErrProtoOption, syscall.ENOPROTOOPT},
		{udp.ErrFamily, syscall.EAFNOSUPPORT},
		{udp.ErrNoPeer, syscall.EDESTADDRREQ},
		{udp.ErrNoOption, syscall.ENOPROTOOPT},
		{link.ErrNoRoute, syscall.ENETUNREACH},
		{link.ErrDown, syscall.ENETDOWN},
		{link.ErrTooBig, syscall.EMSGSIZE},
	} {
		if errors.Is(err, x.is) {
			return x.has, true
		}
	}
	return 0, false
}
