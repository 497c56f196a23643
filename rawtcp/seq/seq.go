// Package seq is the arithmetic of TCP sequence numbers.
//
// "The sequence number space is finite, though large. [...] all arithmetic
// dealing with sequence numbers must be performed modulo 2**32."
// (RFC 9293, section 3.4)
package seq

// Value is a point in the 32-bit sequence space.
type Value uint32

// Size is a distance in that space: the length of a segment or a window.
type Size uint32

// Add returns v moved on by n.
func (v Value) Add(n Size) Value { return v + Value(n) }

// Sub returns the distance from u on to v; v must not lie before u.
func (v Value) Sub(u Value) Size { return Size(v - u) }

// Less reports whether v lies before u: within the half space behind it.
func (v Value) Less(u Value) bool { return int32(v-u) < 0 }

// LessEq reports whether v lies before u or is u.
func (v Value) LessEq(u Value) bool { return int32(v-u) <= 0 }

// In reports whether v lies in the window of n numbers that starts at first.
func (v Value) In(first Value, n Size) bool { return v.Sub(first) < n }

// Max returns the later of v and u.
func Max(v, u Value) Value {
	if v.Less(u) {
		return u
	}
	return v
}

// Min returns the earlier of v and u.
func Min(v, u Value) Value {
	if v.Less(u) {
		return v
	}
	return u
}
