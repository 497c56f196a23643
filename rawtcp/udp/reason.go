package udp

// Reason says why UDP dropped a datagram. What the codec refuses has a wire.Reason
// instead.
type Reason uint8

// The reasons.
const (
	NoPort      Reason = iota + 1 // no socket has that port
	BufferFull                    // no room in the receive buffer
	BadChecksum                   // of the datagram

	NumReasons = iota + 1
)

// String returns r in a few words, as a trace prints it.
func (r Reason) String() string {
	switch r {
	case NoPort:
		return "no process has that port"
	case BufferFull:
		return "the receive buffer is full"
	case BadChecksum:
		return "bad UDP checksum"
	}
	return "unknown reason"
}
