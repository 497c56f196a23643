package opts

import "strings"

// modes is a set of the eight things that sock can be: client or server, on
// TCP or UDP, interactive or not (then a source or a sink). Bit n stands for
// the mode whose number n is the sum of bulkBit, udpBit and serverBit.
type modes uint8

const (
	bulkBit   = 1 << iota // -i
	udpBit                // -u
	serverBit             // -s
)

const (
	anywhere modes = 0b11111111
	client   modes = 0b00001111
	server   modes = 0b11110000
	tcp      modes = 0b00110011
	udp      modes = 0b11001100
	loop     modes = 0b01010101
	bulk     modes = 0b10101010
	source         = client & bulk
	sink           = server & bulk
)

// String names the set, as in "-q is for ...".
func (m modes) String() string {
	names := []struct {
		modes
		text string
	}{
		{anywhere &^ source, "what reads"},
		{anywhere &^ sink, "what writes"},
		{source | loop&tcp, "a source and the interactive loops over TCP"},
		{bulk, "a source and a sink"},
		{source, "a source"},
		{source & tcp, "a TCP source"},
		{source & udp, "a UDP source"},
		{sink, "a sink"},
		{sink & tcp, "a TCP sink"},
		{sink & udp, "a UDP sink"},
		{loop, "the interactive loops"},
		{loop & tcp, "the interactive loops over TCP"},
		{loop & server, "a server without -i"},
		{client, "a client"},
		{client & tcp, "a TCP client"},
		{client & udp, "a UDP client"},
		{client & tcp & loop, "a TCP client"},
		{client & udp & loop, "a UDP client"},
		{server & tcp, "a TCP server"},
		{server & udp, "a UDP server"},
		{server & tcp & loop, "a TCP server"},
		{server & udp & loop, "a UDP server"},
		{tcp, "TCP"},
		{udp, "UDP"},
	}
	for _, n := range names {
		if n.modes == m {
			return n.text
		}
	}
	return ""
}

// number is what Options ask to be.
func (o *Options) number() int {
	n := 0
	if o.Bulk {
		n |= bulkBit
	}
	if o.UDP {
		n |= udpBit
	}
	if o.Server {
		n |= serverBit
	}
	return n
}

// has reports whether mode n is in the set.
func (m modes) has(n int) bool { return m>>n&1 != 0 }

// way gives the bits of mode n to change to get into the set: as few as
// possible.
func (m modes) way(n int) int {
	best := -1
	for to := range 8 {
		if m.has(to) && (best < 0 || ones(n^to) < ones(n^best)) {
			best = to
		}
	}
	return n ^ best
}

func ones(bits int) int { return bits&1 + bits>>1&1 + bits>>2&1 }

// steps says in flags what change, a result of way, means to a user who is in
// mode n: "add -s and drop -u". as gives a flag as the user writes it.
func steps(n, change int, as func(letter string) string) string {
	var text []string
	for _, f := range []struct {
		bit    int
		letter string
	}{{serverBit, "s"}, {bulkBit, "i"}, {udpBit, "u"}} {
		switch {
		case change&f.bit == 0:
		case n&f.bit == 0:
			text = append(text, "add "+as(f.letter))
		default:
			text = append(text, "drop "+as(f.letter))
		}
	}
	return strings.Join(text, " and ")
}
