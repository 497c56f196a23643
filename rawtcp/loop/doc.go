// Package loop runs a TCP of package rawtcp in real time, for programs that
// want a net.Conn and a net.Listener.
//
// A Loop owns one Stack: its lock, its clock and the link that it is on. There
// is no goroutine for a connection, nor for a packet. Whoever calls a Conn does
// the work himself, with the lock held for a short time; the link delivers what
// arrives in batches, from a goroutine of its own; and one timer stands for all
// that the Stack waits for. A reader or a writer sleeps until the Stack says
// that its socket has changed.
//
// NewMemory makes a link within the program. Any other is a Link.
package loop
