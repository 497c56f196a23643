package opts

import (
	"fmt"
	"io"
	"strings"
)

const synopsis = `usage: sock [flags] host port                 interactive client
       sock [flags] -s [address] port         interactive server
       sock [flags] -i host port              source of data that nobody types
       sock [flags] -i -s [address] port      sink: reads and throws away
`

// Usage writes what --help prints.
func Usage(w io.Writer) {
	fmt.Fprint(w, synopsis)
	group := ""
	for _, f := range Flags() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(w, "\n%s:\n", group)
		}
		usageLine(w, f)
	}
	fmt.Fprint(w, "\nsock --man shows the manual page.\n")
}

// The widths of usage: that of the column of flags and that of a line.
const (
	flagColumn = 28
	lineWidth  = 80
)

func usageLine(w io.Writer, f Flag) {
	left := "      --" + f.Name
	if f.Letter != "" {
		left = "  -" + f.Letter + ", --" + f.Name
	}
	if f.Arg != "" {
		left += " " + f.Arg
	}
	help := f.Help
	if d := f.Default(); d != "" {
		help += " [" + d + "]"
	}
	for _, text := range wrap(help, lineWidth-flagColumn-1) {
		fmt.Fprintf(w, "%-*s %s\n", flagColumn, left, text)
		left = ""
	}
}

// wrap breaks a text into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
