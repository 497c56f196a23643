// Package hub is a wire between processes: an IP link that any number of them
// plug into, without privilege and without a network.
//
// A Hub is the wire. It delivers each packet to whoever has its destination
// address, and broadcasts and multicasts to all; there is no Ethernet below, and
// so no ARP. What lies between is a link.Pipe, with its delay, its losses and its
// rules, and all that passes is told to a trace.Sink. Processes reach the Hub
// through a Unix-domain socket, or over UDP from other hosts, and the kernel
// itself through a TUN device.
//
// Dial plugs a process in: a Plug is a loop.Link.
package hub
