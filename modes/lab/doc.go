// Package lab runs experiments: scripts that read like a page of TCP/IP
// Illustrated, on simulated hosts, in virtual time.
//
// A script names links and hosts, gives the commands that are typed at their
// terminals and what happens to the cables, and says what is to be seen: what
// the terminals show, what tcpdump prints, which states are passed. The form
// is described in sock-lab(7). The catalogue of the book's experiments is
// embedded.
package lab
