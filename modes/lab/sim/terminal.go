package sim

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// terminal is the standard input of a process.
type terminal struct {
	typed  []byte
	eof    bool // and nothing will follow
	file   bool // it is a file
	cbreak bool // each key is there when it is typed
	eol    byte // ends a line beside the newline (VEOL), if it is not 0
}

// next returns how many bytes a read gives, and false if it would block: from
// a file all, of a terminal a line, or under cbreak a key.
func (m *terminal) next() (n int, ok bool) {
	switch {
	case m.file:
		return len(m.typed), true
	case m.cbreak && len(m.typed) > 0:
		_, n = utf8.DecodeRune(m.typed)
		return n, true
	}
	i := bytes.IndexFunc(m.typed, func(r rune) bool { return r == '\n' || m.eol != 0 && r == rune(m.eol) })
	switch {
	case i >= 0:
		return i + 1, true
	case m.eof:
		// The end of file sends off a line that was begun, and only one that
		// stands alone is an end.
		return len(m.typed), true
	}
	return 0, false
}

// read reads what next has found.
func (m *terminal) read(b []byte) (int, error) {
	n, _ := m.next()
	if n == 0 {
		return 0, io.EOF
	}
	n = copy(b, m.typed[:n])
	m.typed = m.typed[n:]
	return n, nil
}

func (m *terminal) canRead() bool {
	_, ok := m.next()
	return ok
}
