package opts

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Error says in one sentence what is wrong with a command line, and what to
// do about it.
type Error string

func (e Error) Error() string { return string(e) }

func errorf(format string, a ...any) error { return Error(fmt.Sprintf(format, a...)) }

// Parse parses the words after the program's name. Flags may stand before,
// between and after the operands, up to a "--". Its error is an Error.
//
// Where Lab, Help, Version, Man or Completion is set, nothing else was checked
// beyond the flags one by one.
func Parse(args []string) (*Options, error) {
	l := &line{args: args, given: map[string]bool{}, o: defaults()}
	l.flags = table(l.o)
	if err := l.parse(); err != nil {
		return nil, err
	}
	if o := l.o; o.Lab || o.Help || o.Version || o.Man || o.Completion != "" {
		return o, nil
	}
	checks := []func() error{l.operands, l.places, l.conflicts, l.own, l.times, l.families}
	if l.o.Hub {
		checks = []func() error{l.hub}
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return nil, err
		}
	}
	l.finish()
	return l.o, nil
}

// line is a command line on its way into Options.
type line struct {
	args  []string
	words []string // the operands
	flags []Flag
	given map[string]bool // by Name
	o     *Options
}

func (l *line) parse() error {
	fs := pflag.NewFlagSet("sock", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	for _, f := range l.flags {
		p := fs.VarPF(untyped{f.value}, f.Name, f.Letter, f.Help)
		if f.Arg == "" {
			p.NoOptDefVal = present
		}
	}
	err := fs.ParseAll(l.args, func(f *pflag.Flag, text string) error { return l.set(f.Name, text) })
	l.words = fs.Args()
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case err == nil:
		return l.goTest()
	case errors.As(err, &unknown):
		return l.unknown(unknown)
	case errors.As(err, &missing):
		f := l.flag(missing.GetFlag().Name)
		return errorf("%s takes %s, and nothing follows it", l.as(f), f.value.takes())
	case errors.As(err, &syntax):
		return notFlag(syntax.GetSpecifiedFlag())
	}
	return err // of set
}

// untyped gives a value the part of pflag.Value that is for pflag's own usage.
type untyped struct{ value }

func (untyped) String() string { return "" }
func (untyped) Type() string   { return "" }

// set hands one flag its argument.
func (l *line) set(name, text string) error {
	f := l.flag(name)
	switch f.value.(type) {
	case toggle, counter, group, hop, list:
	default:
		if l.given[name] {
			return errorf("%s is given twice", l.as(f))
		}
	}
	l.given[name] = true
	if f.value.Set(text) != nil {
		return errorf("%s takes %s, not %q", l.as(f), f.value.takes(), text)
	}
	return nil
}

func (l *line) flag(name string) Flag {
	return l.flags[slices.IndexFunc(l.flags, func(f Flag) bool { return f.Name == name })]
}

// as gives the flag as the user wrote it: its long name if that is on the
// line, its letter otherwise.
func (l *line) as(f Flag) string {
	long := "--" + f.Name
	written := func(arg string) bool { return arg == long || strings.HasPrefix(arg, long+"=") }
	if f.Letter == "" || slices.ContainsFunc(l.args, written) {
		return long
	}
	return "-" + f.Letter
}

// asLetter is as for the flag of that letter.
func (l *line) asLetter(letter string) string {
	return l.as(l.flags[slices.IndexFunc(l.flags, func(f Flag) bool { return f.Letter == letter })])
}

// unknown names the flag that is not in the table, and the reason if an
// edition of sock had it.
func (l *line) unknown(e *pflag.NotExistError) error {
	name, rest := e.GetSpecifiedName(), e.GetSpecifiedShortnames()
	if rest == "" {
		return notFlag("--" + name)
	}
	// In -s5555 the digits are a port that wants a blank before it.
	if !strings.ContainsAny(rest[1:], "0123456789") {
		switch name {
		case "5":
			return errorf("-5 (SCTP) is left out: sock speaks TCP and UDP")
		case "e":
			return errorf("-e (automatic IPv6 flow labels) is left out")
		case "1", "9":
			return errorf("-%s (made-up IPv6 extension headers) is left out", name)
		}
	}
	for _, arg := range l.args {
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, rest) {
			return notFlag("-" + name + " in " + arg)
		}
	}
	return notFlag("-" + name)
}

func notFlag(name string) error {
	if name == "--sctp" {
		return errorf("--sctp is left out: sock speaks TCP and UDP")
	}
	return errorf("%s is not a flag: sock --help lists them", name)
}

// goTest refuses what pflag passes over in silence: -test.anything, which it
// keeps for the flags of go test.
func (l *line) goTest() error {
	var toggles strings.Builder
	for _, f := range l.flags {
		if f.Arg == "" {
			toggles.WriteString(f.Letter)
		}
	}
	for _, arg := range l.args {
		if arg == "--" {
			break
		}
		letters, ok := strings.CutPrefix(arg, "-")
		if ok && strings.HasPrefix(strings.TrimLeft(letters, toggles.String()), "test.") {
			return notFlag(arg)
		}
	}
	return nil
}

// times converts the times, now that it is known whether --ms was given.
func (l *line) times() error {
	unit := "s"
	if l.o.ms {
		unit = "ms"
	}
	for _, f := range l.flags {
		v, ok := f.value.(*span)
		if ok && v.in(unit) != nil {
			return errorf("%s takes %s, not %q", l.as(f), v.takes(), v.text+unit)
		}
	}
	return nil
}

// finish sets the fields that depend on several flags.
func (l *line) finish() {
	o := l.o
	o.NGiven = l.given["writes"]
	o.WriteGiven = l.given["write-size"]
	o.Chunks = o.Chunks || o.Vector
	if len(o.strict) > 0 {
		o.Route, o.RouteExact = o.strict, true
	}
	o.LocalAddr = o.local.Addr()
	if o.local.Port() != 0 {
		o.LocalPort = o.local.Port()
	}
}
