package sim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Row is one line of "netstat -a".
type Row struct {
	Proto          string // "tcp" or "udp", and "6" behind it for IPv6
	RecvQ, SendQ   int    // bytes that were not read, and not acknowledged
	Local, Foreign netip.AddrPort
	State          string // of TCP: "TIME_WAIT"; "" of UDP
	// Timer is the name of the TCP timer that runs out next, and Left the time
	// until then; "" if none is set.
	Timer string
	Left  time.Duration
}

// Netstat returns the connections of h and what is bound to a port: TCP before
// UDP, the newest first. It is empty while h is down.
func (h *Host) Netstat() []Row {
	if h.TCP == nil {
		return nil
	}
	var rows []Row
	for _, r := range h.TCP.Netstat(h.w.now) {
		rows = append(rows, Row{
			Proto: proto("tcp", r.Local), RecvQ: r.RecvQ, SendQ: r.SendQ,
			Local: r.Local, Foreign: r.Remote, State: r.State.String(),
			Timer: r.Timer, Left: r.Left,
		})
	}
	for _, r := range h.UDP.Netstat() {
		rows = append(rows, Row{
			Proto: proto("udp", r.Local), RecvQ: r.RecvQ, Local: r.Local, Foreign: r.Remote,
		})
	}
	return rows
}

func proto(name string, local netip.AddrPort) string {
	if local.Addr().Is6() {
		return name + "6"
	}
	return name
}

// String returns r as netstat prints it, with addresses in numbers, under
//
//	Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
func (r Row) String() string {
	line := fmt.Sprintf("%-5.5s %6d %6d  %-22s %-22s %s",
		r.Proto, r.RecvQ, r.SendQ, endpoint(r.Local), endpoint(r.Foreign), r.State)
	return strings.TrimRight(line, " ")
}

// endpoint is the book's notation: addr.port.
func endpoint(a netip.AddrPort) string {
	host := "*"
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		host = a.Addr().String()
	}
	if a.Port() == 0 {
		return host + ".*"
	}
	return host + "." + strconv.Itoa(int(a.Port()))
}
