// Package batch has many packets sent or received by one system call (Linux only:
// see recvmmsg(2) and sendmmsg(2)), and one batch made while the last is sent.
package batch
