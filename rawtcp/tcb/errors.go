package tcb

import "errors"

// What the calls answer. The texts are those of RFC 9293, section 3.10, where
// it has one.
var (
	// ErrWouldBlock says that nothing can be read, or that no room is left
	// for what is written, now.
	ErrWouldBlock = errors.New("operation would block")
	// ErrNotExist: there is no connection, or the user has closed it.
	ErrNotExist = errors.New("connection does not exist")
	// ErrExists: it is open already.
	ErrExists = errors.New("connection already exists")
	// ErrUnspecified: a listening end has nobody to send to.
	ErrUnspecified = errors.New("remote socket unspecified")
	// ErrClosing: the user has said that nothing more would be sent.
	ErrClosing = errors.New("connection closing")
	// ErrNoUrgent: there is no urgent data, or it stays in the stream.
	ErrNoUrgent = errors.New("no urgent data")
)

// Why a connection ended before its time; Err returns them.
var (
	// ErrRefused: a SYN was answered with a RST.
	ErrRefused = errors.New("connection refused")
	// ErrReset: the peer sent a RST.
	ErrReset = errors.New("connection reset")
	// ErrTimeout: nothing came back for too long.
	ErrTimeout = errors.New("connection aborted due to user timeout")
	// ErrAborted: the user called Abort.
	ErrAborted = errors.New("connection aborted")
)
