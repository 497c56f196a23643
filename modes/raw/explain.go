package raw

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"sock/modes"
)

// Explain says why a call failed. What the kernel would look up about sockets is
// not true of ours.
func (h *Host) Explain(f modes.Failure) string {
	if errors.Is(f.Err, syscall.EACCES) && f.Type == modes.Stream {
		if s := h.explainMany(f.Peer.Addr()); s != "" {
			return s
		}
	}
	if h.shared && h.kernelKnows(f) {
		f := f
		f.OwnTCP, f.Share = true, false // what holds the port has not set it
		if s := h.Host.Explain(f); s != "" {
			return s
		}
	}
	if errors.Is(f.Err, syscall.ENETDOWN) && h.isDown() {
		return h.why().Error()
	}
	switch f.Call {
	case "bind":
		return h.explainBind(f)
	case "connect", "read", "write":
		return h.explainPeer(f)
	case "socket", "listen", "accept", "setsockopt", "getsockopt", "shutdown", "close", "poll":
		return ""
	}
	return h.Host.Explain(f)
}

// kernelKnows reports whether a call that failed may be explained by what the
// kernel knows: who has a port, and how far a packet gets.
func (h *Host) kernelKnows(f modes.Failure) bool {
	if f.Call == "bind" {
		return true
	}
	return f.Call == "connect" && !errors.Is(f.Err, syscall.EADDRINUSE) && !errors.Is(f.Err, syscall.EADDRNOTAVAIL)
}

func (h *Host) explainBind(f modes.Failure) string {
	switch {
	case errors.Is(f.Err, syscall.EADDRNOTAVAIL):
		return "on this link this host is " + addresses(h.own) + ": bind to that, or to no address"
	case errors.Is(f.Err, syscall.EADDRINUSE):
		return cmp.Or(h.explainTimeWait(f.Local.Port(), f.Reuse), "a socket of this process has port "+strconv.Itoa(int(f.Local.Port())))
	}
	return ""
}

// explainMany explains a peer that is no single host: "A TCP implementation MUST
// reject as an error a local OPEN call for an invalid remote IP address (e.g., a
// broadcast or multicast address)" (RFC 9293, section 3.9.1.1, MUST-46).
func (h *Host) explainMany(a netip.Addr) string {
	switch {
	case a.IsMulticast():
		return a.String() + " is a group, and TCP connects two hosts: give -u"
	case h.link.IsBroadcast(a):
		return a.String() + " is a broadcast address, and TCP connects two hosts: give -u and -B"
	}
	return ""
}

func (h *Host) explainPeer(f modes.Failure) string {
	peer := "the peer"
	if f.Peer.IsValid() {
		peer = f.Peer.Addr().String() + "." + strconv.Itoa(int(f.Peer.Port()))
	}
	switch {
	case errors.Is(f.Err, modes.ErrTimeout) && f.Call == "read":
		return "nothing came from " + peer + " in the time of -x: give it more time, or see what that end does"
	case errors.Is(f.Err, modes.ErrTimeout):
		return peer + " took no data in the time of -y: give it more time, or see whether that end reads"
	case errors.Is(f.Err, syscall.ECONNREFUSED) && f.Type == modes.Datagram:
		return "an ICMP port unreachable came back for a datagram: nothing at " + peer + " takes datagrams from here"
	case errors.Is(f.Err, syscall.EDESTADDRREQ):
		return "nobody has written to this socket yet, so there is nobody to send to: name the other end with -f"
	case errors.Is(f.Err, syscall.EACCES):
		return "that is a broadcast address: give -B"
	case errors.Is(f.Err, syscall.EMSGSIZE):
		return "a datagram holds at most 65507 bytes, or with -d what the path takes in one packet: send less at a time (-w)"
	case errors.Is(f.Err, syscall.ECONNREFUSED):
		return "a RST answered the SYN: nothing listens at " + peer
	case errors.Is(f.Err, syscall.ECONNRESET):
		return peer + " sent a RST, as it does if its process closes with data unread or with -L0, " +
			"or if its host knows no such connection: look for the reason at that end"
	case errors.Is(f.Err, syscall.EPIPE) && f.Type == modes.Stream:
		return "the connection has ended already, by a RST of " + peer + " or an error reported before: connect again"
	case errors.Is(f.Err, syscall.EHOSTUNREACH):
		return cmp.Or(h.explainSilence(f.Peer.Addr()), "a router, or this machine, said by ICMP that it knows no way there, "+
			"or that nobody answered on the last link: check the address, and that "+f.Peer.Addr().String()+" is up")
	case errors.Is(f.Err, syscall.ETIMEDOUT) && f.Call == "connect":
		return cmp.Or(h.explainSilence(f.Peer.Addr()), "no SYN was answered: see whether "+f.Peer.Addr().String()+" is "+h.place(f.Peer.Addr())+
			" and lets port "+strconv.Itoa(int(f.Peer.Port()))+" through, or give it more time if --connect-timeout was short")
	case errors.Is(f.Err, silence{}):
		return "nothing came from " + peer + ", and no answer to the probes of -K: see whether that host is up and the way to it whole"
	case errors.Is(f.Err, syscall.ETIMEDOUT):
		return "what was sent again and again was never acknowledged by " + peer +
			": see whether that host is up and the way to it whole"
	case errors.Is(f.Err, syscall.ENETUNREACH):
		return h.explainNoRoute(f.Peer.Addr())
	case errors.Is(f.Err, syscall.EADDRINUSE):
		return "this host has a connection from that port to " + peer + ", perhaps in TIME_WAIT"
	}
	return ""
}

// asker is a link that asks for the Ethernet addresses of its neighbors.
type asker interface {
	// Unanswered returns who is to take what is for dst, itself or a gateway,
	// and whether it does not answer.
	Unanswered(dst netip.Addr) (next netip.Addr, is bool)
}

// forwarder is a link at whose other end is a router, if that is one.
type forwarder interface{ Forwards(dst netip.Addr) bool }

// explainSilence says who does not answer, if it is a neighbor.
func (h *Host) explainSilence(dst netip.Addr) string {
	l, ok := h.link.(asker)
	if !ok {
		return h.explainUnrouted(dst)
	}
	next, silent := l.Unanswered(dst)
	how := "ARP"
	if dst.Is6() {
		how = "neighbor discovery"
	}
	switch {
	case !silent:
		return ""
	case next == dst:
		return "nobody answered " + how + " for " + next.String() + ": check the address, and that the host is up"
	}
	return "the gateway to " + dst.String() + ", " + next.String() + ", did not answer " + how +
		": check --gateway, and that the gateway is up"
}

// explainUnrouted says so if the other end of the link drops what is not for
// itself.
func (h *Host) explainUnrouted(dst netip.Addr) string {
	p, err := h.link.Path(dst)
	if l, ok := h.link.(forwarder); !ok || err != nil || p.OnLink || l.Forwards(dst) {
		return ""
	}
	version := "ipv4.ip_forward"
	if dst.Is6() {
		version = "ipv6.conf.all.forwarding"
	}
	return "this machine does not forward, so what is for " + dst.String() + " ends behind the device: try sudo sysctl -w net." + version + "=1"
}

// place is where a host must be that does not answer: on the link, if that has no
// neighbors that could be asked.
func (h *Host) place(a netip.Addr) string {
	_, asks := h.link.(asker)
	if p, err := h.link.Path(a); err == nil && p.OnLink && !asks {
		return "on the link"
	}
	return "up"
}

func (h *Host) explainNoRoute(dst netip.Addr) string {
	_, err := h.link.Path(dst)
	switch {
	case err == nil:
		return "a router said by ICMP that it knows no way to " + dst.String() + ", or -Y forbids the way through one: check the address"
	case h.speaks(dst):
		return "this host is " + addresses(h.own) + ", so " + dst.String() + " is behind a router: name it with --gateway"
	}
	return "this host is " + addresses(h.own) + ", of another version of IP than " + dst.String() + ": add an address of that, with --addr"
}

// speaks reports whether h has an address of the version of IP that a has.
func (h *Host) speaks(a netip.Addr) bool {
	return slices.ContainsFunc(h.own, func(p netip.Prefix) bool { return p.Addr().Is4() == a.Is4() })
}

// addresses names those of a host.
func addresses(own []netip.Prefix) string {
	var names []string
	for _, p := range own {
		names = append(names, p.String())
	}
	return strings.Join(names, " and ")
}
