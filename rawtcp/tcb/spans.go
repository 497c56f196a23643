package tcb

import "sock/rawtcp/seq"

// span is the numbers from left up to, not including, right.
type span struct{ left, right seq.Value }

func (s span) len() seq.Size { return s.right.Sub(s.left) }

// spans are some spans, in order, with gaps between them.
type spans []span

// maxSpans bounds how many gaps there can be.
const maxSpans = 64

// add puts s in, and returns the span that it is in now. It reports false if
// there would be too many, or memory for them would have to be had.
func (list *spans) add(s span) (in span, ok bool) {
	l := *list
	i := 0
	for i < len(l) && l[i].right.Less(s.left) {
		i++
	}
	// All from i up to j touch s.
	j := i
	for j < len(l) && l[j].left.LessEq(s.right) {
		s.left = seq.Min(s.left, l[j].left)
		s.right = seq.Max(s.right, l[j].right)
		j++
	}
	if i < j {
		l[i] = s
		*list = append(l[:i+1], l[j:]...)
		return s, true
	}
	if len(l) >= maxSpans {
		return span{}, false
	}
	l = append(l, span{})
	copy(l[i+1:], l[i:])
	l[i] = s
	*list = l
	return s, true
}

// covers reports whether all of s is in.
func (list spans) covers(s span) bool {
	for _, x := range list {
		if x.left.LessEq(s.left) && s.right.LessEq(x.right) {
			return true
		}
	}
	return false
}

// dropBefore takes away all that begins at v or before it.
func (list *spans) dropBefore(v seq.Value) {
	l := *list
	i := 0
	for i < len(l) && l[i].left.LessEq(v) {
		i++
	}
	*list = append(l[:0], l[i:]...)
}

// dropFrom takes away what lies at v or beyond it.
func (list *spans) dropFrom(v seq.Value) {
	l := *list
	for len(l) > 0 && v.LessEq(l[len(l)-1].left) {
		l = l[:len(l)-1]
	}
	if n := len(l); n > 0 {
		l[n-1].right = seq.Min(l[n-1].right, v)
	}
	*list = l
}

// size returns how many numbers are in.
func (list spans) size() seq.Size {
	var n seq.Size
	for _, s := range list {
		n += s.len()
	}
	return n
}
