//go:build !linux

package hub

// newSegmented returns nil: only Linux carries many datagrams with one call.
func newSegmented(packetConn) bulk { return nil }
