package lab

import (
	"fmt"
	"io"
	"strings"
)

// title is a line about a lab: its name, and what it shows.
func (l *Lab) heading() string { return l.Name + ": " + l.Title }

// introduction prints what a reader should know before.
func (l *Lab) introduction(w io.Writer) {
	fmt.Fprintln(w, l.heading())
	var where []string
	switch {
	case strings.Contains(l.Section, " exercise"):
		where = append(where, "chapter "+strings.Replace(l.Section, " exercise", ", exercise", 1))
	case l.Section != "":
		where = append(where, "section "+l.Section)
	}
	if l.Figure != "" {
		where = append(where, "figure "+l.Figure)
	}
	if len(where) > 0 {
		fmt.Fprintln(w, "TCP/IP Illustrated, "+strings.Join(where, ", "))
	}
	for _, text := range l.About {
		fmt.Fprintln(w)
		for _, s := range wrap(text, 76, "") {
			fmt.Fprintln(w, "  "+s)
		}
	}
	fmt.Fprintln(w)
}

// report prints what was not as expected, side by side, or that all was.
func (o *Outcome) report(w io.Writer, width int) {
	if o.OnKernel && o.Checks == 0 {
		fmt.Fprintf(w, "%s: nothing is expected of %s\n", o.name(), Linux)
		return
	}
	if o.OK() {
		unseen := ""
		if o.Unseen > 0 {
			unseen = fmt.Sprintf(", and %d of what nobody can see there", o.Unseen)
		}
		fmt.Fprintf(w, "%s: as expected (%s%s)\n", o.name(), plural(o.Checks, "expectation"), unseen)
		return
	}
	for i := range o.Failures {
		o.Failures[i].print(w, o.Lab.Name, width)
	}
	if o.Expected() {
		fmt.Fprintf(w, "%s: NOT as expected (%d of %s)\n", o.name(), len(o.Failures), plural(o.Checks, "expectation"))
		return
	}
	from := "the book"
	if o.Lab.Section == "" {
		from = "what the script expects of its own systems"
	}
	fmt.Fprintf(w, "%s: differs from %s (in %d of %s)\n", o.name(), from, len(o.Failures), plural(o.Checks, "expectation"))
}

// name is the lab's, and what it was run as.
func (o *Outcome) name() string {
	switch {
	case o.OnKernel:
		return o.Lab.Name + " on the kernel"
	case o.System == Book:
		return o.Lab.Name
	}
	return o.Lab.Name + " as " + o.System
}

// print prints a failure: wanted on the left, seen on the right.
func (f *Failure) print(w io.Writer, lab string, width int) {
	fmt.Fprintf(w, "%s.lab:%d: %s\n", lab, f.Line, f.What)
	if len(f.Rows) > 0 {
		sideBySide(w, width, "wanted", "seen", f.Rows)
	}
	fmt.Fprintln(w)
}

// sideBySide prints rows in two columns: | stands between what differs, <
// behind what is on the left only, > before what is on the right only. Under a
// row stands in what it differs.
func sideBySide(w io.Writer, width int, left, right string, rows []Row) {
	column := (width - 7) / 2
	put := func(l, sign, r string) {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-*s %s %s", column, l, sign, r), " "))
	}
	put(left, " ", right)
	for _, row := range rows {
		ls, rs := wrap(row.Want, column, "    "), wrap(row.Got, column, "    ")
		sign := " "
		switch {
		case len(row.Differs) == 0:
		case row.Want == "":
			sign = ">"
		case row.Got == "":
			sign = "<"
		default:
			sign = "|"
		}
		for i := range max(len(ls), len(rs)) {
			l, r := "", ""
			if i < len(ls) {
				l = ls[i]
			}
			if i < len(rs) {
				r = rs[i]
			}
			put(l, sign, r)
		}
		if sign == "|" {
			put("", " ", "  ("+strings.Join(row.Differs, ", ")+")")
		}
	}
}

func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
