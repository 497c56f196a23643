package lab

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
)

// flagUsage prints the flags of "run", each with what it takes: in brackets if it
// need not be given.
func flagUsage(w io.Writer, fs *pflag.FlagSet) {
	const column, page = 22, 80
	fs.VisitAll(func(f *pflag.Flag) {
		name, text := pflag.UnquoteUsage(f)
		left := "  --" + f.Name
		switch {
		case name == "": // it takes nothing
		case f.NoOptDefVal != "":
			left += "[=" + name + "]"
		default:
			left += " " + name
		}
		for _, line := range wrap(text, page-column-1, "") {
			fmt.Fprintf(w, "%-*s %s\n", column, left, line)
			left = ""
		}
	})
}
