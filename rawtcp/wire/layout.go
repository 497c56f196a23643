package wire

import (
	"encoding/binary"
	"strings"
)

// Layout is the order in which options go out: groups of option kinds, each
// group ended by an EOL (0). A group is written if the segment has all the
// options in it and none of them has been written yet; so a NOP goes where
// the option beside it goes, and a group of two options can stand before the
// same two alone. Options that no group names follow in the order of their
// kinds, and EOLs fill the last word.
type Layout string

// The words of which layouts are made.
const (
	mss       = "\x02"
	scale     = "\x03"
	sackOK    = "\x04"
	sack      = "\x05"
	timestamp = "\x08"
	nop       = "\x01"
	end       = "\x00"
)

const (
	// LayoutModern is what Linux sends, and most systems since: a SYN says
	// "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10", or without timestamps
	// "mss 1460,nop,nop,sackOK,nop,wscale 10".
	LayoutModern Layout = mss + end +
		sackOK + timestamp + end +
		nop + nop + timestamp + end +
		nop + nop + sackOK + end +
		nop + scale + end +
		nop + nop + sack + end

	// LayoutBSD is that of 4.4BSD: "<mss 512,nop,wscale 0,nop,nop,timestamp
	// 146647 0>". What it never knew comes after.
	LayoutBSD Layout = mss + end +
		nop + scale + end +
		nop + nop + timestamp + end +
		nop + nop + sackOK + end +
		nop + nop + sack + end
)

// String returns l as its groups, with spaces between them and commas within:
// "mss sackOK,TS nop,nop,TS".
func (l Layout) String() string {
	var b strings.Builder
	for group := range strings.SplitSeq(strings.TrimSuffix(string(l), end), end) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		for i := range len(group) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(OptionName(group[i]))
		}
	}
	return b.String()
}

// ParseLayout is the reverse of String. It reports false if s names anything
// but mss, wscale, sackOK, sack, TS and nop.
func ParseLayout(s string) (Layout, bool) {
	var l []byte
	for group := range strings.FieldsSeq(s) {
		for name := range strings.SplitSeq(group, ",") {
			kind, ok := layoutKind(name)
			if !ok {
				return "", false
			}
			l = append(l, kind)
		}
		l = append(l, KindEOL)
	}
	return Layout(l), true
}

func layoutKind(name string) (uint8, bool) {
	for _, kind := range []uint8{
		KindNOP, KindMSS, KindWindowScale, KindSACKPermitted, KindSACK, KindTimestamps,
	} {
		if OptionName(kind) == name {
			return kind, true
		}
	}
	return 0, false
}

// AppendTo appends the options to buf, filled up to a multiple of 4 bytes.
// They take MaxOptionLen bytes at most: of SACK, only the blocks that fit are
// written; any other option that does not fit is left out.
func (o *Options) AppendTo(buf []byte) []byte {
	if o.Raw != nil {
		raw := o.Raw[:min(len(o.Raw), MaxOptionLen)]
		return pad(append(buf, raw...), len(buf))
	}
	todo := o.kinds()
	if todo == 0 && len(o.Other) == 0 {
		return buf
	}
	start := len(buf)
	layout := o.Layout
	if layout == "" {
		layout = LayoutModern
	}
	if todo == setOf(KindTimestamps) && len(o.Other) == 0 && (layout == LayoutModern || layout == LayoutBSD) {
		// So says either layout of the options of almost every segment.
		buf = binary.BigEndian.AppendUint32(buf, timestampsOnly)
		buf = binary.BigEndian.AppendUint32(buf, o.TSVal)
		return binary.BigEndian.AppendUint32(buf, o.TSEcr)
	}
	for at := 0; at < len(layout) && todo != 0; at++ {
		first, group := at, kindSet(0)
		for ; at < len(layout) && layout[at] != KindEOL; at++ {
			if layout[at] != KindNOP {
				group |= setOf(layout[at])
			}
		}
		if group == 0 || group&todo != group {
			continue
		}
		before := len(buf)
		fits := true
		for i := first; i < at && fits; i++ {
			buf, fits = o.appendKind(buf, start, layout[i])
		}
		if !fits {
			// Without its NOPs it may fit yet, below.
			buf = buf[:before]
			continue
		}
		todo &^= group
	}
	for kind := KindMSS; todo != 0; kind++ {
		if todo&setOf(kind) != 0 {
			todo &^= setOf(kind)
			buf, _ = o.appendKind(buf, start, kind)
		}
	}
	for _, r := range o.Other {
		if n := len(r.Data) + 2; len(buf)-start+n <= MaxOptionLen {
			buf = append(buf, r.Kind, uint8(n))
			buf = append(buf, r.Data...)
		}
	}
	return pad(buf, start)
}

// Len returns how many bytes AppendTo appends: 0 to 40, a multiple of 4.
func (o *Options) Len() int {
	var b [MaxOptionLen]byte
	return len(o.AppendTo(b[:0]))
}

func pad(buf []byte, start int) []byte {
	for (len(buf)-start)%4 != 0 {
		buf = append(buf, KindEOL)
	}
	return buf
}

// kindSet has bit k set for an option of kind k, which must be below 16.
type kindSet uint16

func setOf(kind uint8) kindSet { return 1 << kind }

// kinds returns which of the options with fields of their own are there.
func (o *Options) kinds() kindSet {
	var s kindSet
	if o.HasMSS {
		s |= setOf(KindMSS)
	}
	if o.HasScale {
		s |= setOf(KindWindowScale)
	}
	if o.SACKPermitted {
		s |= setOf(KindSACKPermitted)
	}
	if o.SACKLen > 0 {
		s |= setOf(KindSACK)
	}
	if o.HasTimestamps {
		s |= setOf(KindTimestamps)
	}
	return s
}

// appendKind appends one option to the options that begin at start of buf, and
// reports whether it fits.
func (o *Options) appendKind(buf []byte, start int, kind uint8) ([]byte, bool) {
	room := MaxOptionLen - (len(buf) - start)
	switch {
	case kind == KindNOP && room >= 1:
		return append(buf, KindNOP), true
	case kind == KindMSS && room >= 4:
		buf = append(buf, KindMSS, 4)
		return binary.BigEndian.AppendUint16(buf, o.MSS), true
	case kind == KindWindowScale && room >= 3:
		return append(buf, KindWindowScale, 3, o.WindowScale), true
	case kind == KindSACKPermitted && room >= 2:
		return append(buf, KindSACKPermitted, 2), true
	case kind == KindSACK && room >= 10:
		// "A SACK option that specifies n blocks will have a length of
		// 8*n+2 bytes, so the 40 bytes available for TCP options can
		// specify a maximum of 4 blocks." (RFC 2018, section 3)
		n := min(int(o.SACKLen), len(o.SACK), (room-2)/8)
		buf = append(buf, KindSACK, uint8(8*n+2))
		for _, b := range o.SACK[:n] {
			buf = binary.BigEndian.AppendUint32(buf, uint32(b.Left))
			buf = binary.BigEndian.AppendUint32(buf, uint32(b.Right))
		}
		return buf, true
	case kind == KindTimestamps && room >= 10:
		buf = append(buf, KindTimestamps, 10)
		buf = binary.BigEndian.AppendUint32(buf, o.TSVal)
		return binary.BigEndian.AppendUint32(buf, o.TSEcr), true
	}
	return buf, false
}
