// Package ether is a link on an Ethernet of this machine: a host with addresses
// that the machine does not own, and an Ethernet address of its own, as if a
// second machine had been plugged in.
//
// ARP and neighbor discovery are done here: neighbors.go and the files after it
// are a machine without clock and socket, which the link drives.
package ether
