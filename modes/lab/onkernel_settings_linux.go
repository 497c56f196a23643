package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sock/modes/lab/onkernel"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// set finds what the kernel has for a setting. Most describe other systems, or
// what no kernel lets anybody choose: those are its own.
func (s *onKernel) set(host, setting string, sysctl map[string]string) {
	name, value, _ := strings.Cut(setting, "=")
	switch name {
	case "port-first", "port-last":
		if n, err := strconv.ParseUint(value, 10, 16); err == nil {
			s.counter(host).set(name, uint16(n))
			sysctl[portRange] = s.ports[host].String()
		}
		return
	case "pmtu":
		if isNo(value) {
			sysctl["net/ipv4/ip_no_pmtu_disc"] = "1"
		}
		return
	}
	file := map[string]string{
		"timestamps": "tcp_timestamps", "wscale": "tcp_window_scaling", "sack": "tcp_sack",
		"rfc1337": "tcp_rfc1337", "backlog-reset": "tcp_abort_on_overflow", "syn-cookies": "tcp_syncookies",
		"syn-retries": "tcp_syn_retries", "synack-retries": "tcp_synack_retries", "retries": "tcp_retries2",
		"keep-idle": "tcp_keepalive_time", "keep-interval": "tcp_keepalive_intvl", "keep-count": "tcp_keepalive_probes",
		"fin-wait-2": "tcp_fin_timeout", "ttl": "ip_default_ttl",
	}[name]
	if file == "" {
		return
	}
	switch at, err := parseTime(value); {
	case isNo(value):
		value = "0"
	case err != nil:
		value = "1" // yes, true, on
	default:
		value = strconv.Itoa(int(at / time.Second))
	}
	sysctl["net/ipv4/"+file] = value
}

func isNo(value string) bool {
	return slices.Contains([]string{"no", "false", "off"}, strings.ToLower(value))
}

const portRange = "net/ipv4/ip_local_port_range"

// portCounter gives out the ephemeral ports of a host in their order, as a
// script with port-first expects it: Linux takes them at random from a range,
// which so has only the next one in it.
// Once around, it is the whole range again.
type portCounter struct{ first, next, last uint16 }

// counter returns that of a host, which gets one.
func (s *onKernel) counter(host string) *portCounter {
	if s.ports[host] == nil {
		s.ports[host] = &portCounter{first: 1024, next: 1024, last: 65535}
	}
	return s.ports[host]
}

func (c *portCounter) set(setting string, n uint16) {
	if setting == "port-last" {
		c.last = n
		return
	}
	c.first, c.next = n, n
}

func (c *portCounter) isAround() bool { return c.next > c.last || c.next == 0 }

func (c *portCounter) String() string {
	if c.isAround() {
		return fmt.Sprintf("%d %d", c.first, c.last)
	}
	return fmt.Sprintf("%d %d", c.next, c.next)
}

// countPorts goes on to the next port when one is used.
func (s *onKernel) countPorts(e *trace.Event) {
	c := s.ports[e.Host]
	if c == nil || e.Kind != trace.Sent || c.isAround() {
		return
	}
	if port, ok := sourcePort(e); !ok || port != c.next {
		return
	}
	s.nextPort(e.Host)
}

func (s *onKernel) nextPort(host string) {
	c := s.ports[host]
	c.next++
	// What comes of it when that fails is seen: the next connect does too.
	_ = s.FindHost(host).Set(portRange, c.String())
}

// isTaken reports whether some socket of the host has a port.
func (s *onKernel) isTaken(host string, port uint16) bool {
	h := s.FindHost(host)
	return slices.ContainsFunc(append(h.Sockets("tcp"), h.Sockets("udp")...), func(r onkernel.Row) bool {
		return r.Local.Port() == port
	})
}

func sourcePort(e *trace.Event) (uint16, bool) {
	var payload []byte
	switch e.Version() {
	case 4:
		var h wire.IPv4
		if h.Decode(e.Packet) != wire.OK || h.Offset != 0 {
			return 0, false
		}
		payload = h.Payload
	case 6:
		var h wire.IPv6
		if h.Decode(e.Packet) != wire.OK || h.Offset != 0 {
			return 0, false
		}
		payload = h.Payload
	}
	if len(payload) < 2 {
		return 0, false
	}
	return uint16(payload[0])<<8 | uint16(payload[1]), true
}
