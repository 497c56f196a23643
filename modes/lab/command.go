package lab

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"sock/modes/lab/onkernel"
	"sock/rawtcp/profile"
)

const usage = `usage: sock --lab list
       sock --lab show LAB | SYSTEM
       sock --lab [run] [flags] LAB...
       sock --lab compare [flags] LAB LAB
       sock --lab course [list | show NAME | run NAME... | copy DIRECTORY]

LAB is a name of the list, a file, or (for run) all. With @SYSTEM behind it
each of its hosts has that system. A SYSTEM is shown by its settings.
The course has shell scripts that do chapter 18 with real processes.
`

// Main does what follows "sock --lab" on the command line, and returns the
// exit status: 1 if an expectation was not met, or the lab could not be run.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "program" { // on a host of a lab that runs on the kernel
		return onkernel.Program(args[1:])
	}
	out := &output{w: stdout}
	c := &session{stdin: bufio.NewReader(stdin), stdout: out, sleep: time.Sleep, columns: columns(stdout)}
	ok, err := c.main(args)
	if errors.Is(out.err, syscall.EPIPE) {
		// Whoever read our output is gone. Die of SIGPIPE, as cat does: Go's own
		// write to descriptor 1 does that, unless somebody waits for the signal.
		signal.Reset(syscall.SIGPIPE)
		_, _ = stdout.Write([]byte{'\n'})
	}
	if out.err != nil {
		err = fmt.Errorf("standard output is cut short: %w", out.err)
	}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	case !ok:
		return 1
	}
	return 0
}

// output is standard output. It remembers that it could not be written, so that
// no disk that is full goes unnoticed.
type output struct {
	w   io.Writer
	err error
}

// Write fails for good once it has failed.
func (o *output) Write(p []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.w.Write(p)
	}
	return n, o.err
}

// session is one command.
type session struct {
	flags
	stdin  *bufio.Reader
	stdout io.Writer
	sleep  func(time.Duration)

	columns int // of the terminal; 0 if it is none
}

// flags are those of "run" and "compare".
type flags struct {
	system  string
	on      string
	seed    uint64
	ladder  string
	tcpdump bool
	pcapng  string
	json    bool
	states  bool
	explain bool
	quiz    bool
	step    bool
	pace    float64
	width   int
}

func (f *flags) set() *pflag.FlagSet {
	fs := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringVar(&f.system, "as", "", "all hosts have this `SYSTEM`: "+strings.Join(profile.Names(), ", "))
	fs.StringVar(&f.on, "on", "", "run it on this machine's own `KERNEL`: --on kernel, in real time, a network namespace for each host")
	fs.Uint64Var(&f.seed, "seed", 0, "`N` decides what is left to chance")
	fs.StringVar(&f.ladder, "ladder", "", "draw a time-line as text, or as a picture: `svg`")
	fs.Lookup("ladder").NoOptDefVal = "text"
	fs.BoolVar(&f.tcpdump, "tcpdump", false, "print the packets only, as the book does")
	fs.BoolVar(&f.states, "states", false, "print the states that are passed")
	fs.BoolVar(&f.json, "json", false, "print all that happens, as lines of JSON")
	fs.StringVar(&f.pcapng, "pcapng", "", "write the packets to `FILE`, for Wireshark")
	fs.BoolVar(&f.explain, "explain", false, "say after each packet why it was sent, and where that stands")
	fs.BoolVar(&f.quiz, "quiz", false, "leave out what the reader is to fill in")
	fs.BoolVar(&f.step, "step", false, "wait for Enter after each event")
	fs.Float64Var(&f.pace, "real-time", 0, "take as long as the experiment took, or be so many `TIMES` as fast")
	fs.Lookup("real-time").NoOptDefVal = "1"
	fs.IntVar(&f.width, "width", pageWidth, "the page has `N` columns, and not those of the terminal; a narrow one has the packets under the terminals ["+strconv.Itoa(pageWidth)+"]")
	return fs
}

// main reports whether all was as expected.
func (c *session) main(args []string) (ok bool, err error) {
	fs := c.set()
	fs.Usage = func() {
		fmt.Fprint(c.stdout, usage, "\n")
		flagUsage(c.stdout, fs)
	}
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		return false, wrong(err)
	}
	if err := cmp.Or(c.valid(), c.suits(fs)); err != nil {
		return false, err
	}
	if !fs.Changed("width") && c.columns > 0 {
		c.width = max(c.columns, leastWidth)
	}
	if c.on != "" {
		return c.onKernel(fs.Args())
	}
	words := fs.Args()
	if len(words) == 0 {
		return false, errors.New(strings.TrimSpace(usage))
	}
	switch verb, names := words[0], words[1:]; verb {
	case "list":
		if len(names) > 0 {
			return false, fmt.Errorf("list takes no names: to see the script of %s, write sock --lab show %[1]s", names[0])
		}
		return true, c.list()
	case "show":
		return true, c.show(names)
	case "run":
		return c.runAll(names)
	case "compare":
		return true, c.compare(names)
	case "course":
		return c.course(names)
	default:
		// A lab's name alone runs it.
		ok, err := c.runAll(words)
		if err != nil {
			err = fmt.Errorf("%w; the commands are list, show, run, compare and course", err)
		}
		return ok, err
	}
}

// wrong says in a sentence what pflag has against the command line.
func wrong(err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("-%s is not a flag of sock --lab, whose flags have long names: sock --lab --help lists them", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		return fmt.Errorf("--%s is not a flag of sock --lab: sock --lab --help lists them", unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		name, _ := pflag.UnquoteUsage(missing.GetFlag())
		return fmt.Errorf("--%s takes a %s, and nothing follows it", missing.GetFlag().Name, name)
	case errors.As(err, &value) && value.GetFlag().Value.Type() == "bool":
		return fmt.Errorf("--%s takes nothing, not %q", value.GetFlag().Name, value.GetValue())
	case errors.As(err, &value):
		return fmt.Errorf("--%s takes a number, not %q", value.GetFlag().Name, value.GetValue())
	}
	return err
}

// suits refuses the flags that the rest of the command line has no use for:
// list and show take none, and only a lab that is run alone is looked at.
func (f *flags) suits(fs *pflag.FlagSet) (err error) {
	verb, alone := fs.Arg(0), fs.NArg() == 1
	takes := []string{"as", "on", "seed", "width"}
	switch verb {
	case "list", "show", "course":
		takes = nil
	case "compare":
	case "run":
		alone = fs.NArg() < 3 && fs.Arg(1) != "all"
	}
	fs.Visit(func(given *pflag.Flag) {
		switch {
		case err != nil || slices.Contains(takes, given.Name):
		case slices.Contains([]string{"list", "show", "compare", "course"}, verb):
			err = fmt.Errorf("%s does not take --%s: it is for run", verb, given.Name)
		case !alone && given.NoOptDefVal != "" && given.Value.Type() != "bool":
			err = fmt.Errorf("--%s is for one lab at a time, and takes what is behind a =: --%[1]s=%s", given.Name, given.Value)
		case !alone:
			err = fmt.Errorf("--%s is for one lab at a time", given.Name)
		}
	})
	return err
}

func (f *flags) valid() error {
	if f.system != "" && f.system != Book && !slices.Contains(profile.Names(), f.system) {
		return fmt.Errorf("there is no system %q: there are %s", f.system, strings.Join(profile.Names(), ", "))
	}
	if f.on != "" && f.on != "kernel" {
		return errors.New("--on takes kernel")
	}
	if f.on != "" && (f.system != "" && f.system != Linux || f.seed != 0 || f.quiz || f.step || f.pace > 0) {
		return errors.New("the kernel is what it is, and takes its time: --on kernel does not go with --as, --seed, --quiz, --step and --real-time")
	}
	if f.ladder != "" && f.ladder != "text" && f.ladder != "svg" {
		return errors.New("--ladder takes text or svg")
	}
	if f.width < leastWidth {
		return fmt.Errorf("--width takes a number from %d", leastWidth)
	}
	if !(f.pace >= 0) {
		return errors.New("--real-time takes a number above 0")
	}
	if f.quiz && f.pcapng != "" {
		return errors.New("--pcapng would give the answers away, and does not go with --quiz")
	}
	if f.explain && (f.ladder != "" || f.tcpdump || f.states || f.json || f.quiz) {
		return errors.New("--explain is for the time-line that is shown without --ladder, --tcpdump, --states, --json and --quiz")
	}
	views := 0
	for _, on := range []bool{f.ladder != "", f.tcpdump, f.states, f.json, f.quiz, f.step || f.pace > 0} {
		if on {
			views++
		}
	}
	if views > 1 {
		return errors.New("of --ladder, --tcpdump, --states, --json, --quiz and --step or --real-time only one can be had at a time")
	}
	return nil
}

// list prints the catalogue, by chapter.
func (c *session) list() error {
	all, err := Catalogue()
	if err != nil {
		return err
	}
	width := 0
	for _, l := range all {
		width = max(width, len(l.Name))
	}
	chapter := ""
	for _, l := range all {
		if title := l.chapter(); title != chapter {
			if chapter != "" {
				fmt.Fprintln(c.stdout)
			}
			chapter = title
			fmt.Fprintln(c.stdout, chapter)
		}
		fmt.Fprintf(c.stdout, "  %-*s  %s\n", width, l.Name, l.Title)
		if len(l.Also) > 0 {
			fmt.Fprintf(c.stdout, "  %-*s  also %s\n", width, "", strings.Join(l.Also, ", "))
		}
	}
	return nil
}

// show prints scripts.
func (c *session) show(names []string) error {
	if len(names) == 0 {
		return errors.New("show which lab? sock --lab list has their names")
	}
	for _, name := range names {
		if p, err := profile.Get(name); err == nil {
			c.settings(p)
			continue
		}
		l, err := Load(name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c.stdout, l.Source); err != nil {
			return err
		}
	}
	return nil
}

// settings prints what "set" can change of a system.
func (c *session) settings(p *profile.Profile) {
	fmt.Fprintf(c.stdout, "%-20s %-16s %s\n", p.Name, "value", "what it is")
	for _, s := range profile.Settings() {
		fmt.Fprintf(c.stdout, "%-20s %-16s %s: %s\n", s.Name, s.Get(p), s.Form, s.Help)
	}
}

// lab returns the lab of a word of the command line, and the system that all
// its hosts are to have.
func (c *session) lab(word string) (l *Lab, system string, err error) {
	name, system, _ := strings.Cut(word, "@")
	if system != "" && system != Book && !slices.Contains(profile.Names(), system) {
		return nil, "", fmt.Errorf("there is no system %q: there are %s", system, strings.Join(profile.Names(), ", "))
	}
	l, err = Load(name)
	return l, cmp.Or(system, c.system, Book), err
}

func (c *session) runAll(words []string) (ok bool, err error) {
	if len(words) == 0 {
		return false, errors.New("run which lab? sock --lab list has their names, and all runs all of them")
	}
	if len(words) == 1 && words[0] != "all" {
		l, system, err := c.lab(words[0])
		if err != nil {
			return false, err
		}
		return c.one(l, system)
	}
	if len(words) == 1 {
		if words, err = Names(); err != nil {
			return false, err
		}
	}
	good := 0
	for _, word := range words {
		l, system, err := c.lab(word)
		if err != nil {
			return false, err
		}
		o, err := Run(l, Options{System: system, Seed: c.seed})
		if err != nil {
			return false, err
		}
		o.report(c.stdout, c.width)
		if o.OK() || !o.Expected() {
			good++
		}
	}
	fmt.Fprintf(c.stdout, "%s, %d as expected\n", plural(len(words), "lab"), good)
	return good == len(words), nil
}

// one runs a lab and shows it, in the way that was asked for.
func (c *session) one(l *Lab, system string) (ok bool, err error) {
	o := Options{System: system, Seed: c.seed}
	if c.step || c.pace > 0 {
		return c.watched(l, o)
	}
	out, err := Run(l, o)
	if err != nil {
		return false, err
	}
	if c.quiz {
		return true, c.ask(out)
	}
	return out.OK() || !out.Expected(), c.view(l, out)
}

// view shows an outcome, in the way that was asked for.
func (c *session) view(l *Lab, out *Outcome) (err error) {
	if c.pcapng != "" {
		if err := out.writePcapng(c.pcapng); err != nil {
			return err
		}
	}
	switch {
	case c.ladder != "":
		err = out.ladder(c.stdout, c.ladder == "svg", c.width)
	case c.json:
		err = out.json(c.stdout)
	case c.states:
		err = out.states(c.stdout)
	case c.tcpdump:
		out.tcpdump(c.stdout)
	default:
		l.introduction(c.stdout)
		t := newTimeline(c.stdout, out, c.width)
		t.explain = c.explain
		for _, e := range out.Line {
			t.entry(out, e)
		}
		fmt.Fprintln(c.stdout)
		out.report(c.stdout, c.width)
	}
	return err
}

// watched runs a lab and shows each event as it happens.
func (c *session) watched(l *Lab, o Options) (ok bool, err error) {
	l.introduction(c.stdout)
	var t *timeline
	var last time.Duration
	o.Watch = func(out *Outcome, e Entry) error {
		if t == nil {
			t = newTimeline(c.stdout, out, c.width)
			t.explain = c.explain
		}
		if c.pace > 0 && e.At > last {
			c.sleep(time.Duration(float64(e.At-last) / c.pace))
			last = e.At
		}
		before := t.lines
		t.entry(out, e)
		if !c.step || t.lines == before {
			return nil
		}
		return c.pause()
	}
	out, err := Run(l, o)
	if errors.Is(err, errQuit) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if c.pcapng != "" {
		if err := out.writePcapng(c.pcapng); err != nil {
			return false, err
		}
	}
	fmt.Fprintln(c.stdout)
	out.report(c.stdout, c.width)
	return out.OK() || !out.Expected(), nil
}

var errQuit = errors.New("the user has had enough")

// pause waits until the user wants to see more.
func (c *session) pause() error {
	fmt.Fprint(c.stdout, "  [Enter: next, g: go on, q: quit] ")
	answer, err := c.stdin.ReadString('\n')
	switch strings.TrimSpace(answer) {
	case "q":
		return errQuit
	case "g":
		c.step = false
	}
	if err != nil { // nobody is there any more
		fmt.Fprintln(c.stdout)
		c.step = false
	}
	return nil
}
