package wire

import (
	"encoding/binary"
	"strconv"

	"sock/rawtcp/seq"
)

// The kinds of option that have a meaning in Options (Fig 18-20, and
// RFC 2018), and the historic ones that Stevens tells of.
const (
	KindEOL           uint8 = 0 // one byte, ends the list
	KindNOP           uint8 = 1 // one byte
	KindMSS           uint8 = 2 // 4 bytes
	KindWindowScale   uint8 = 3 // 3 bytes
	KindSACKPermitted uint8 = 4 // 2 bytes
	KindSACK          uint8 = 5 // 2 bytes, and 8 for each block
	KindEcho          uint8 = 6 // RFC 1072
	KindEchoReply     uint8 = 7
	KindTimestamps    uint8 = 8  // 10 bytes
	KindPOPermitted   uint8 = 9  // partial order, RFC 1693
	KindPOProfile     uint8 = 10 //
	KindCC            uint8 = 11 // T/TCP, RFC 1644
	KindCCNew         uint8 = 12
	KindCCEcho        uint8 = 13
	KindMD5           uint8 = 19 // RFC 2385
	KindUserTimeout   uint8 = 28 // RFC 5482
	KindAO            uint8 = 29 // RFC 5925
	KindMPTCP         uint8 = 30 // RFC 8684
	KindFastOpen      uint8 = 34 // RFC 7413
)

// MaxOptionLen is the room for options: the header is at most 15 words of 4
// bytes, and 20 bytes of that are its own.
const MaxOptionLen = 40

// OptionName returns the name of a kind of option, as short as tcpdump has
// it, or "unknown-N".
func OptionName(kind uint8) string {
	switch kind {
	case KindEOL:
		return "eol"
	case KindNOP:
		return "nop"
	case KindMSS:
		return "mss"
	case KindWindowScale:
		return "wscale"
	case KindSACKPermitted:
		return "sackOK"
	case KindSACK:
		return "sack"
	case KindEcho:
		return "echo"
	case KindEchoReply:
		return "echoreply"
	case KindTimestamps:
		return "TS"
	case KindPOPermitted:
		return "poc-permitted"
	case KindPOProfile:
		return "poc-profile"
	case KindCC:
		return "cc"
	case KindCCNew:
		return "ccnew"
	case KindCCEcho:
		return "ccecho"
	case 14:
		return "altsum-request"
	case 15:
		return "altsum-data"
	case 16:
		return "skeeter"
	case 17:
		return "bubba"
	case 18:
		return "trailer-checksum"
	case KindMD5:
		return "md5"
	case 20:
		return "scps"
	case 21:
		return "snack"
	case 22:
		return "record-boundaries"
	case 23:
		return "corruption"
	case 24:
		return "snap"
	case 26:
		return "compression-filter"
	case 27:
		return "quick-start"
	case KindUserTimeout:
		return "uto"
	case KindAO:
		return "tcp-ao"
	case KindMPTCP:
		return "mptcp"
	case KindFastOpen:
		return "tfo"
	case 69:
		return "eno"
	case 172:
		return "accecn0"
	case 174:
		return "accecn1"
	case 253, 254:
		return "exp"
	}
	return "unknown-" + strconv.Itoa(int(kind))
}

// Name returns the name of the kind of o.
func (o RawOption) Name() string { return OptionName(o.Kind) }

// NextOption takes the first option off b, the option part of a header, and
// returns it with what follows it. EOL and NOP are options too; after EOL
// nothing follows but padding. At the end of b, the option is an EOL and rest
// is empty. The reason is OK, or OptionLength with nothing following.
func NextOption(b []byte) (o RawOption, rest []byte, why Reason) {
	if len(b) == 0 || b[0] == KindEOL {
		return RawOption{Kind: KindEOL}, nil, OK
	}
	if b[0] == KindNOP {
		return RawOption{Kind: KindNOP}, b[1:], OK
	}
	// "The option-length counts the two octets of option-kind and
	// option-length as well as the option-data octets." (RFC 9293, section
	// 3.1). So 0 and 1 are illegal, and 0 would never end.
	if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
		return RawOption{Kind: b[0]}, nil, OptionLength
	}
	n := b[1]
	return RawOption{Kind: b[0], Data: b[2:n:n]}, b[n:], OK
}

// timestampsOnly is how the options of a segment with data usually begin:
// NOP, NOP, and the kind and length of timestamps (RFC 7323, appendix A).
const timestampsOnly = 0x0101080a

// Decode sets o to the options in b, the part of a TCP header behind its 20
// fixed bytes. It aliases b. Of an option that is there twice, the later one
// counts.
//
// A reason other than OK does not make o useless: with OptionLength it has
// what came before the bad one; with OptionSize the option of the wrong size
// is in Other.
func (o *Options) Decode(b []byte) Reason {
	*o = Options{}
	if len(b) == 0 {
		return OK
	}
	o.Raw = b
	if len(b) == 12 && binary.BigEndian.Uint32(b) == timestampsOnly {
		o.setTimestamps(b[4:12])
		return OK
	}
	first := OK
	for len(b) > 0 {
		var r RawOption
		var why Reason
		r, b, why = NextOption(b)
		if why == OK {
			why = o.add(r)
		}
		if first == OK {
			first = why
		}
	}
	return first
}

// add puts r where it belongs.
func (o *Options) add(r RawOption) Reason {
	n := len(r.Data)
	switch r.Kind {
	case KindEOL, KindNOP:
		return OK
	case KindMSS:
		if n == 2 {
			o.MSS, o.HasMSS = binary.BigEndian.Uint16(r.Data), true
			return OK
		}
	case KindWindowScale:
		if n == 1 {
			o.WindowScale, o.HasScale = r.Data[0], true
			return OK
		}
	case KindSACKPermitted:
		if n == 0 {
			o.SACKPermitted = true
			return OK
		}
	case KindSACK:
		if n > 0 && n%8 == 0 && n <= 8*len(o.SACK) {
			o.SACKLen, o.SACK = uint8(n/8), [len(o.SACK)]SACKBlock{}
			for i := range o.SACK[:n/8] {
				o.SACK[i] = SACKBlock{
					Left:  seq.Value(binary.BigEndian.Uint32(r.Data[8*i:])),
					Right: seq.Value(binary.BigEndian.Uint32(r.Data[8*i+4:])),
				}
			}
			return OK
		}
	case KindTimestamps:
		if n == 8 {
			o.setTimestamps(r.Data)
			return OK
		}
	default:
		o.Other = append(o.Other, r)
		return OK
	}
	o.Other = append(o.Other, r)
	return OptionSize
}

func (o *Options) setTimestamps(b []byte) {
	o.HasTimestamps = true
	o.TSVal = binary.BigEndian.Uint32(b)
	o.TSEcr = binary.BigEndian.Uint32(b[4:])
}
