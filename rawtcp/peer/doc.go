// Package peer runs the engine against a TCP that other people wrote, gVisor's
// netstack, in memory and in virtual time. It is a module of its own, so that
// nobody who uses the engine gets gVisor along with it.
package peer
