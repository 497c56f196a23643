package trace

import (
	"net/netip"
	"strconv"

	"sock/rawtcp/wire"
)

// Names gives names to addresses and ports. Where a function is nil or
// returns "", the number is printed.
type Names struct {
	Host    func(netip.Addr) string
	Service func(wire.Protocol, uint16) string
}

func (n *Names) host(a netip.Addr) string {
	if n.Host != nil {
		if s := n.Host(a); s != "" {
			return s
		}
	}
	return a.String()
}

func (n *Names) port(p wire.Protocol, port uint16) string {
	if n.Service != nil {
		if s := n.Service(p, port); s != "" {
			return s
		}
	}
	return strconv.Itoa(int(port))
}

// end returns one end of a connection as tcpdump has it, "bsdi.discard".
func (n *Names) end(p wire.Protocol, a netip.Addr, port uint16) string {
	return n.host(a) + "." + n.port(p, port)
}

// addrPort is end for TCP, which is all that calls, states and timers are of.
// It returns "*" for what is not known: "*.discard", "*.*".
func (n *Names) addrPort(a netip.AddrPort) string {
	host, port := "*", "*"
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		host = n.host(a.Addr())
	}
	if a.Port() != 0 {
		port = n.port(wire.ProtoTCP, a.Port())
	}
	return host + "." + port
}
