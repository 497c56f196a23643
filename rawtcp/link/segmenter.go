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
	// SendSegmented takes; 0 if it takes none.
	MaxSegmented() int
	// SendSegmented is Send for a TCP packet that may be longer than the MTU.
	//
	// The packet is in two parts. The header, IP's and TCP's, may come from
	// Buffer, and belongs to the link from then on. Its checksum is that of the
	// pseudo-header only: wire.ChecksumPseudo. The data lies where the sender
	// queues it, and stays there until it is acknowledged: so the link may send
	// it later, but not look at it after that.
	//
	// size is how many bytes of data the device is to put into each segment,
	// all of which have the flags of this one, but for FIN and PSH, which only
	// the last has.
	SendSegmented(now time.Duration, header, data []byte, size int, why trace.Rule) error
}

// MaxSegmented returns how long a packet i cuts, if it is a Segmenter, or 0.
func MaxSegmented(i Interface) int {
	if s, ok := i.(Segmenter); ok {
		return s.MaxSegmented()
	}
	return 0
}
