// Package tun is the TUN devices of the system: network interfaces of the kernel
// whose other end is a program.
package tun
