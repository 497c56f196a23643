package raw

import (
	"errors"
	"syscall"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/udp"
)

// errno returns what a kernel would have given for err. What is no error of a
// system call, such as io.EOF, stays what it is.
func errno(err error) error {
	if err == nil {
		return nil
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
			return x.has
		}
	}
	return err
}
