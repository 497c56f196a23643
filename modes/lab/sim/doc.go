// Package sim has simulated machines: hosts with a TCP and a UDP of their own
// on a network in memory, and processes on them that run the very code that
// sock runs on a kernel.
//
// Time is virtual. One process runs at a time, until it waits; the clock moves
// only when all of them wait, and then to the next instant at which something
// is due. Nothing is left to Go's scheduler: a process is a coroutine, and the
// World hands it the baton and gets it back. The same calls with the same seed
// do the same, to the byte.
//
// Of what is due at one instant, processes that can go on come first, in the
// order they were started. Then come, one at a time, scripted events, packets,
// the timers of TCP host by host, and sleepers.
package sim
