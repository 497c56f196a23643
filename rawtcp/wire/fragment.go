package wire

import "slices"

// Fragments splits h into packets that each fit an MTU of mtu bytes, or
// returns h alone if it fits. Their payloads alias that of h. Whether h may be
// split, which DF denies, the caller has to ask. The reason is OK or
// MTUTooSmall.
func (h *IPv4) Fragments(mtu int) ([]IPv4, Reason) {
	if h.HeaderLen()+len(h.Payload) <= mtu {
		return []IPv4{*h}, OK
	}
	var all []IPv4
	rest := *h
	for {
		room := mtu - rest.HeaderLen()
		if len(rest.Payload) <= room {
			return append(all, rest), OK
		}
		// "The data of the long datagram is divided into two portions on a
		// 8 octet (64 bit) boundary" (RFC 791, section 2.3).
		room &^= 7
		if room < 8 {
			return nil, MTUTooSmall
		}
		f := rest
		f.Payload = rest.Payload[:room:room]
		f.More = true
		if len(all) == 0 {
			rest.Options = copiedOptions(h.Options)
		}
		all = append(all, f)
		rest.Payload = rest.Payload[room:]
		rest.Offset += room
	}
}

// copiedOptions returns the options that go into every fragment and not only
// into the first: those with "the copied flag" (RFC 791, section 3.1), the top
// bit of their kind.
func copiedOptions(options []byte) []byte {
	var copied []byte
	for b := options; len(b) > 0 && b[0] != 0; {
		if b[0] == 1 { // no operation
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			break
		}
		if b[0]&0x80 != 0 {
			copied = append(copied, b[:b[1]]...)
		}
		b = b[b[1]:]
	}
	return copied
}

// Fragments splits h into packets that each fit an MTU of mtu bytes and carry
// the identification id, or returns h alone if it fits. Only the source may
// do that. Their payloads alias that of h; each has all the extension headers
// of h. The reason is OK or MTUTooSmall.
func (h *IPv6) Fragments(mtu int, id uint32) ([]IPv6, Reason) {
	if h.HeaderLen()+len(h.Payload) <= mtu {
		return []IPv6{*h}, OK
	}
	rest := *h
	rest.ID = id
	if len(h.Extensions) > 0 && !h.IsFragment() {
		rest.Extensions = slices.Clone(h.Extensions)
		rest.Extensions[lastExtension(h.NextHeader, h.Extensions)] = uint8(ProtoFragment)
	}
	room := mtu - ipv6HeaderLen - len(h.Extensions) - fragmentHeaderLen
	if room < 8 {
		return nil, MTUTooSmall
	}
	var all []IPv6
	for len(rest.Payload) > room {
		f := rest
		f.Payload = rest.Payload[: room&^7 : room&^7]
		f.More = true
		all = append(all, f)
		rest.Payload = rest.Payload[room&^7:]
		rest.Offset += room &^ 7
	}
	return append(all, rest), OK
}

// lastExtension returns the offset in b of the Next Header field of the last
// of its extension headers. The first is of the kind next.
func lastExtension(next Protocol, b []byte) int {
	for at := 0; ; {
		n := fragmentHeaderLen
		if next != ProtoFragment && at+1 < len(b) {
			n = int(b[at+1])*8 + 8
		}
		if at+n >= len(b) {
			return at
		}
		next = Protocol(b[at])
		at += n
	}
}
