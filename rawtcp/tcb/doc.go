// Package tcb is TCP as a machine: the state of one connection, the
// transmission control block of RFC 9293, and the rules by which segments,
// calls of the user and the passing of time change it.
//
// The machine has no clock, no I/O, no lock and no goroutine. What happens
// comes in by a call, each with the time at which it happens:
//
//	Input(now, segment)            a segment has arrived
//	OpenActive, Send, Close, ...   the user calls
//	Tick(now)                      NextDeadline has come
//	ICMPError, PathMTU             the network complains
//
// After each of them the caller takes segments out with Output(now, &segment)
// until it returns false. The same calls give the same segments, always.
//
// An instant is a time.Duration since an epoch that the caller chooses: the
// boot of a host, say. The time must never go backwards.
//
// The files are named as in TCP/IP Illustrated, volume 2: input.go is what
// tcp_input is, then output.go, timer.go, usrreq.go and subr.go.
package tcb
