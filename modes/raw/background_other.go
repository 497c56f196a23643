//go:build !unix

package raw

// background does nothing: there are no job-control signals.
func background() {}
