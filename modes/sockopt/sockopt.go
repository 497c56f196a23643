// Package sockopt says what our own TCP and UDP call the options of sockets, and what
// a connection of ours is like in the words of Linux.
package sockopt

import (
	"sock/modes"
	"sock/rawtcp"
	"sock/rawtcp/udp"
)

// TCP returns what a rawtcp.Socket calls an option.
func TCP(o modes.Option) (rawtcp.Option, bool) {
	switch o {
	case modes.ReuseAddr:
		return rawtcp.ReuseAddr, true
	case modes.ReusePort:
		return rawtcp.ReusePort, true
	case modes.Debug:
		return rawtcp.Debug, true
	case modes.DontRoute:
		return rawtcp.DontRoute, true
	case modes.TOS:
		return rawtcp.TOS, true
	case modes.TTL:
		return rawtcp.TTL, true
	case modes.MaxSeg:
		return rawtcp.MaxSeg, true
	case modes.KeepAlive:
		return rawtcp.KeepAlive, true
	case modes.NoDelay:
		return rawtcp.NoDelay, true
	case modes.Linger:
		return rawtcp.Linger, true
	case modes.RecvBuf:
		return rawtcp.RecvBuf, true
	case modes.SendBuf:
		return rawtcp.SendBuf, true
	}
	return 0, false
}

// UDP returns what a udp.Socket calls an option.
func UDP(o modes.Option) (udp.Option, bool) {
	switch o {
	case modes.ReuseAddr:
		return udp.ReuseAddr, true
	case modes.ReusePort:
		return udp.ReusePort, true
	case modes.Debug:
		return udp.Debug, true
	case modes.DontRoute:
		return udp.DontRoute, true
	case modes.DontFragment:
		return udp.DontFragment, true
	case modes.Broadcast:
		return udp.Broadcast, true
	case modes.OnesBroadcast:
		return udp.OnesBroadcast, true
	case modes.RecvDstAddr:
		return udp.RecvDstAddr, true
	case modes.TOS:
		return udp.TOS, true
	case modes.TTL:
		return udp.TTL, true
	case modes.MulticastTTL:
		return udp.MulticastTTL, true
	case modes.RecvBuf:
		return udp.RecvBuf, true
	case modes.SendBuf:
		return udp.SendBuf, true
	}
	return 0, false
}
