// Package rawip is a link on the addresses and routes of this machine: packets
// go out and come in through raw IP sockets, beside the kernel's own TCP. It is
// for Linux, and takes the capability CAP_NET_RAW.
//
// Two TCPs on one address must not answer for each other. So a port that this
// one uses is taken from the kernel by a socket that holds it, and no segment is
// received or sent but for ports that are held. No firewall rule is needed, and
// when the process ends, however it does, the kernel has its port back.
package rawip

import "errors"

// ErrPrivilege is why Open fails in a process that may not have raw sockets.
var ErrPrivilege = errors.New("raw IP sockets take the capability CAP_NET_RAW")
