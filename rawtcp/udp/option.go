package udp

import "sock/rawtcp"

// Option is a socket option, by its name in the sockets API. A flag is 0 or 1.
type Option uint8

// The options, and what their values are.
const (
	ReuseAddr     Option = iota // SO_REUSEADDR, a flag
	ReusePort                   // SO_REUSEPORT, a flag
	Debug                       // SO_DEBUG, a flag that is kept and does nothing
	DontRoute                   // SO_DONTROUTE, a flag
	DontFragment                // IP_DONTFRAG, a flag
	Broadcast                   // SO_BROADCAST, a flag
	OnesBroadcast               // IP_ONESBCAST, a flag: broadcasts go to 255.255.255.255
	RecvDstAddr                 // IP_RECVDSTADDR, a flag
	TOS                         // IP_TOS, the byte
	TTL                         // IP_TTL, hops
	MulticastTTL                // IP_MULTICAST_TTL, hops
	RecvBuf                     // SO_RCVBUF, bytes
	SendBuf                     // SO_SNDBUF, bytes: the longest datagram
	numOptions
)

// Set sets an option. The errors are ErrInvalid, if v cannot be its value, and
// ErrNoOption.
func (k *Socket) Set(o Option, v int) error {
	if k.closed {
		return rawtcp.ErrClosed
	}
	low, high := 0, 1
	switch o {
	case TTL:
		low, high = 1, 255
	case TOS, MulticastTTL:
		high = 255
	case RecvBuf, SendBuf:
		low, high = 1, 1<<30
	}
	switch {
	case o >= numOptions:
		return ErrNoOption
	case v < low || v > high:
		return rawtcp.ErrInvalid
	}
	k.values[o] = v
	return nil
}

// Get returns an option.
func (k *Socket) Get(o Option) (int, error) {
	switch {
	case k.closed:
		return 0, rawtcp.ErrClosed
	case o >= numOptions:
		return 0, ErrNoOption
	}
	return k.values[o], nil
}

func (k *Socket) flag(o Option) bool { return k.values[o] != 0 }
