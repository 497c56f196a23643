//go:build !unix

package raw

// background does nothing: there are no such signals.
func background() {}
