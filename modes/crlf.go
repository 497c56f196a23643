package modes

// Under -c the network side speaks the NVT form of text, in which a line ends
// in CR LF, and the user's side ends it in LF.

// toNVT appends p to dst with a CR put before every LF.
func toNVT(dst, p []byte) []byte {
	for _, c := range p {
		if c == '\n' {
			dst = append(dst, '\r')
		}
		dst = append(dst, c)
	}
	return dst
}

// fromNVT turns CR LF back into LF, also where the two came in different
// reads. A CR that stands alone is data and is kept.
type fromNVT struct{ held bool } // a CR was the last byte of the read before

// convert appends p to dst.
func (f *fromNVT) convert(dst, p []byte) []byte {
	for _, c := range p {
		if f.held && c != '\n' {
			dst = append(dst, '\r')
		}
		f.held = c == '\r'
		if !f.held {
			dst = append(dst, c)
		}
	}
	return dst
}

// flush appends a CR that no LF followed: nothing more will come.
func (f *fromNVT) flush(dst []byte) []byte {
	if f.held {
		dst = append(dst, '\r')
		f.held = false
	}
	return dst
}
