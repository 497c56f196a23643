// Package trace tells what happens: one type of Event, and sinks that print
// events, draw them, or write them down.
//
// Whoever acts, tells: a host of its calls, its states and its timers, a link
// of the packets that are put on it and taken from it, both of what they drop
// and why. Nobody waits for a sink, and no failure of a sink reaches the one
// who tells: a sink whose disk is full goes deaf, and says so when it is
// closed.
package trace
