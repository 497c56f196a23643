package opts

import (
	"math/bits"
	"strings"
)

// mode is one of the sixteen things that sock can be: client or server, over
// TCP or UDP, over IPv4 or IPv6, interactive or not. It is the sum of these.
type mode int

const (
	isBulk   mode = 1 << iota // -i
	isUDP                     // -u
	isServer                  // -s
	isIPv6                    // -6
)

// modes is a set of them: bit n stands for mode n.
type modes uint16

const (
	anywhere modes = 0xffff
	client   modes = 0x0f0f
	server   modes = 0xf0f0
	tcp      modes = 0x3333
	udp      modes = 0xcccc
	loop     modes = 0x5555
	bulk     modes = 0xaaaa
	ipv4     modes = 0x00ff
	source         = client & bulk
	sink           = server & bulk
	hub      modes = 0 // none of them: a hub has no connection
)

// mode gives what the flags ask sock to be.
func (o *Options) mode() mode {
	var m mode
	for _, x := range []struct {
		on  bool
		bit mode
	}{{o.Bulk, isBulk}, {o.UDP, isUDP}, {o.Server, isServer}, {o.IPv6, isIPv6}} {
		if x.on {
			m |= x.bit
		}
	}
	return m
}

func (m mode) String() string {
	text := "a TCP "
	if m&isUDP != 0 {
		text = "a UDP "
	}
	switch m & (isServer | isBulk) {
	case 0:
		text += "client"
	case isBulk:
		text += "source"
	case isServer:
		text += "server"
	default:
		text += "sink"
	}
	if m&isIPv6 != 0 {
		text += " over IPv6"
	}
	return text
}

func (s modes) has(m mode) bool { return s>>m&1 != 0 }

// String names the set, as in "-q is for ...".
func (s modes) String() string {
	for _, n := range []struct {
		set  modes
		text string
	}{
		{hub, "a hub"},
		{anywhere, "every mode"},
		{anywhere &^ source, "what reads"},
		{anywhere &^ sink, "what writes"},
		{tcp, "TCP"},
		{udp, "UDP"},
		{udp & ipv4, "UDP over IPv4"},
		{client, "a client"},
		{client & ipv4, "a client over IPv4"},
		{client & tcp, "a TCP client"},
		{client & udp, "a UDP client"},
		{server & tcp, "a TCP server"},
		{server & udp, "a UDP server"},
		{server & loop, "a server without -i"},
		{bulk, "a source or a sink"},
		{source, "a source"},
		{source & tcp, "a TCP source"},
		{loop, "a client or a server without -i"},
		{loop & tcp, "TCP without -i"},
		{source | loop&tcp, "a source, or TCP without -i"},
	} {
		if n.set == s {
			return n.text
		}
	}
	return ""
}

// way gives the steps by which somebody in mode m gets into the set, as few
// as there can be: "add -s and drop -u". as gives a flag as the user writes it.
func (s modes) way(m mode, as func(letter string) string) string {
	change := ^mode(0)
	for c := range mode(16) {
		if s.has(m^c) && bits.OnesCount(uint(c)) < bits.OnesCount(uint(change)) {
			change = c
		}
	}
	var steps []string
	for _, f := range []struct {
		bit    mode
		letter string
	}{{isServer, "s"}, {isBulk, "i"}, {isUDP, "u"}, {isIPv6, "6"}} {
		switch {
		case change&f.bit == 0:
		case m&f.bit == 0:
			steps = append(steps, "add "+as(f.letter))
		default:
			steps = append(steps, "drop "+as(f.letter))
		}
	}
	return strings.Join(steps, " and ")
}
