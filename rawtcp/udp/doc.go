// Package udp is the UDP of one host (RFC 768), driven by hand as the TCP of
// package rawtcp is: the time is an argument, packets go out through a link.IP and
// come in by Receive, and no call of a Socket blocks.
package udp
