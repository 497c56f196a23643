// Package link carries packets: what a link offers to a transport layer, the
// faults a link can have, and a network of hosts in memory.
//
// Nothing here has a clock, a goroutine or a lock. The time is an argument, an
// instant since an epoch that the caller chooses, and must never go backwards.
// The same calls with the same seed give the same packets at the same times.
//
// A Pipe is one link with its delay, its queue, and the faults that chance or
// a Rule make. A Network has Nodes, hosts and routers, that are attached to
// Links, each of them a Pipe with any number of ends.
package link
