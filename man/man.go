// Package man holds the manual page. Its source is sock.1, which is installed;
// the program carries it formatted, so that --man works where man(1) does not.
package man

import (
	_ "embed"
	"io"
)

// page is sock.1 as mandoc formats it. To make it anew:
//
//	go test ./man -update
//
//go:embed sock.txt
var page string

// Show writes the page, formatted for 78 columns of plain ASCII.
func Show(w io.Writer) error {
	_, err := io.WriteString(w, page)
	return err
}
