// Package rawtcp is a TCP of its own: a Stack has the sockets of one host, finds
// the connection that a segment belongs to, keeps the timers, the queues of
// listening sockets and what is left in TIME_WAIT.
//
// A program drives a Stack by hand, with any clock and any packets, and without
// a goroutine:
//
//	Receive(now, packet)      a packet has arrived
//	Advance(now)              NextDeadline has come
//	socket calls              which never block: ErrWouldBlock
//
// Packets go out through the link.IP that the Stack was made with. An instant is
// a time.Duration since an epoch that the caller chooses; it must never go
// backwards. The same calls give the same packets, always.
//
// A Loop drives one in real time, for a net.Conn and a net.Listener.
package rawtcp
