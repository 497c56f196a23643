// Package onkernel is machines on the kernel of this one, in real time: each
// host is a network namespace, in which programs run as they always do, with
// the kernel's own TCP. Only the cables are ours: a host's interfaces are TAP
// devices (TUN, where the link is point-to-point), and what the kernel sends
// there this process reads, delays, loses or delivers, and tells a trace.Sink
// of.
//
// Nothing of it outlives the World: interfaces are gone when their descriptors
// are closed, namespaces when the threads have ended that hold them, and
// programs are killed with the thread that started them, whatever way this
// process ends.
package onkernel

import "errors"

// ErrInterrupted is what Step of a World returns when somebody has had enough.
var ErrInterrupted = errors.New("interrupted")
