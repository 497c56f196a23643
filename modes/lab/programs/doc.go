// Package programs is what else runs in the book's experiments: its telnet, its
// rsh, and the services of inetd. Like sock they know nothing of the machine
// that they run on, and so run on simulated hosts and on the kernel's.
package programs
