package hub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sock/rawtcp"
)

// Between a plug and the hub go messages. Each has a header of four bytes:
//
//	 0        8        16                32
//	+--------+--------+-----------------+
//	|  kind  |   0    |     length      |   and length bytes of body
//	+--------+--------+-----------------+
//
// On a Unix-domain socket they follow each other, so that one system call can
// carry many. Over UDP each is a datagram, with a token of eight bytes before it,
// which the hub has chosen: see datagram.go.
//
// A plug begins with join, and the hub answers welcome or refuse. Then there are
// packets.
type kind uint8

const (
	// join: "1", the version of all this, and the addresses that the plug wants,
	// as text with spaces between: "1 10.0.0.1 fd00::1/64", "1 auto".
	kindJoin kind = iota + 1
	// welcome: the MTU and the addresses that the plug has got: "1500
	// 10.0.0.1/24". If another plug has left an estate there, that follows
	// behind a byte of 0.
	kindWelcome
	// refuse: a sentence that says why not.
	kindRefuse
	// packet: an IP packet.
	kindPacket
	// alive: nothing. Over UDP only, and answered by another.
	kindAlive
	// leave: nothing. The other end need not wait for more.
	kindLeave
	// retry: join again with the token that comes with this. Over UDP only.
	kindRetry
	// estate: leave, and what is left at the addresses of the plug, as
	// rawtcp.Estate has it. The hub answers with leave, or ends the stream.
	kindEstate
)

const (
	version   = "1"
	headerLen = 4
	tokenLen  = 8

	// minMTU is what RFC 791 asks of every link, "without further
	// fragmentation".
	minMTU = 68
	// maxMTU leaves room for what goes around a packet in a UDP datagram.
	maxMTU = 65000
	// maxText is the most that the body of a message may have, but for a packet
	// and an estate.
	maxText = 512
	// maxAddresses is how many a plug may have.
	maxAddresses = 8
)

// errJunk is what does not follow the rules above.
var errJunk = errors.New("it speaks another protocol")

// appendHeader appends the header of a message with n bytes of body.
func appendHeader(b []byte, k kind, n int) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(k), 0), uint16(n))
}

// appendMessage appends a whole message.
func appendMessage(b []byte, k kind, body string) []byte {
	body = body[:min(len(body), k.limit(0))]
	return append(appendHeader(b, k, len(body)), body...)
}

// next returns the first message in b and what follows it. If it is not there as
// a whole yet, ok is false. No packet may be longer than limit.
func next(b []byte, limit int) (k kind, body, rest []byte, ok bool, err error) {
	if len(b) < headerLen {
		return 0, nil, b, false, nil
	}
	k = kind(b[0])
	n := int(binary.BigEndian.Uint16(b[2:]))
	if k < kindJoin || k > kindEstate || b[1] != 0 || n > k.limit(limit) {
		return 0, nil, b, false, errJunk
	}
	end := headerLen + n
	if len(b) < end {
		return k, nil, b, false, nil
	}
	return k, b[headerLen:end:end], b[end:], true, nil
}

// limit returns how long the body of a message may be, if packets may be mtu.
func (k kind) limit(mtu int) int {
	switch k {
	case kindPacket:
		return mtu
	case kindWelcome:
		return maxText + 1 + rawtcp.MaxEstate
	case kindEstate:
		return rawtcp.MaxEstate
	}
	return maxText
}

// joinText is the body of a join for addresses as Dial has them.
func joinText(addresses string) (string, error) {
	words := strings.FieldsFunc(addresses, func(r rune) bool { return r == ',' || r == ' ' })
	if len(words) == 0 {
		words = []string{auto}
	}
	text := version + " " + strings.Join(words, " ")
	if len(text) > maxText {
		return "", fmt.Errorf("%d addresses are too many", len(words))
	}
	return text, nil
}

// auto is asked for instead of an address, for one that is free.
const auto = "auto"

// parseJoin returns the addresses that a join asks for.
func parseJoin(body []byte) ([]string, error) {
	words := strings.Fields(string(body))
	if len(words) == 0 {
		return nil, errJunk
	}
	if words[0] != version {
		return nil, fmt.Errorf("the hub speaks version %s of the protocol, the plug version %.10q", version, words[0])
	}
	if n := len(words) - 1; n < 1 || n > maxAddresses {
		return nil, fmt.Errorf("a plug has 1 to %d addresses, not %d", maxAddresses, n)
	}
	return words[1:], nil
}

// welcome is what a welcome says.
type welcome struct {
	mtu       int
	addresses []netip.Prefix
	estate    *rawtcp.Estate // or nil
}

// text is the body of a welcome.
func (w welcome) text() string {
	text := strconv.Itoa(w.mtu)
	for _, a := range w.addresses {
		text += " " + a.String()
	}
	if w.estate != nil {
		text += "\x00" + string(w.estate.AppendTo(nil))
	}
	return text
}

// parseWelcome reads the body of a welcome.
func parseWelcome(body []byte) (w welcome, err error) {
	text, estate, left := strings.Cut(string(body), "\x00")
	words := strings.Fields(text)
	if len(words) < 2 || len(words) > maxAddresses+1 {
		return w, errJunk
	}
	w.mtu, err = strconv.Atoi(words[0])
	if err != nil || w.mtu < minMTU || w.mtu > maxMTU {
		return w, errJunk
	}
	for _, word := range words[1:] {
		a, err := netip.ParsePrefix(word)
		if err != nil {
			return w, errJunk
		}
		w.addresses = append(w.addresses, a)
	}
	if left {
		if w.estate, err = rawtcp.DecodeEstate([]byte(estate)); err != nil {
			return w, errJunk
		}
	}
	return w, nil
}
