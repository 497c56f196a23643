package link

import (
	"time"

	"sock/rawtcp/trace"
)

// Segmenter is an Interface whose device cuts long segments into those that fit
// its MTU, as Ethernet cards do (TCP segmentation offload): one call sends many.
type Segmenter interface {
	Interface
	// MaxSegmented returns the length in bytes of the longest packet that
	// SendSegmented takes, and for which Buffer has room; 0 if it takes none.
	MaxSegmented() int
	// SendSegmented is Send for a TCP packet that may be longer than the MTU.
	// size is how many bytes of data the device is to put into each segment,
	// all of which have the flags of this one, but for FIN and PSH, which only
	// the last has. The checksum of the packet is that of the pseudo-header
	// only: wire.ChecksumPseudo.
	SendSegmented(now time.Duration, packet []byte, size int, why trace.Rule) error
}

// MaxSegmented returns how long a packet i cuts, if it is a Segmenter, or 0.
func MaxSegmented(i Interface) int {
	if s, ok := i.(Segmenter); ok {
		return s.MaxSegmented()
	}
	return 0
}
