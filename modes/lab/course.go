package lab

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"sock/modes"
	"sock/modes/kernel"
)

// The course is chapter 18 once more, with real processes: a shell script for
// each experiment, which starts a process for the wire and one for each host.
// The scripts are for readers, who run them with sh, change them and run them
// again. What they promise to show is compared here.

//go:embed course
var courseFiles embed.FS

// courseFunctions is the file that all scripts read.
const courseFunctions = "functions"

// Exercise is a script of the course.
type Exercise struct {
	Name   string // of the script: "linger"
	Title  string // its first line: "A close that aborts"
	Place  string // in the book: "TCP/IP Illustrated, section 18.7, figure 18-15"
	Look   string // what to look for, a sentence or two
	Source string // the script

	expect, never []shown
}

// shown is a line at somebody's terminal.
type shown struct{ who, line string }

func (s shown) String() string { return s.who + ": " + s.line }

// Course returns the scripts in the order of the book's sections.
func Course() (all []*Exercise, err error) {
	files, err := fs.Glob(courseFiles, "course/*.sh")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := courseFiles.ReadFile(f)
		if err != nil {
			return nil, err
		}
		e, err := parseExercise(strings.TrimSuffix(filepath.Base(f), ".sh"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *Exercise) int { return compareSections(a.section(), b.section()) })
	return all, nil
}

// section returns "18.7" of the section and whatever follows it.
func (e *Exercise) section() string {
	_, s, _ := strings.Cut(e.Place, "section ")
	return s
}

// parseExercise reads what a script says about itself, in comments: its title,
// its place in the book, and from "Look for:" on what to look for; and what is
// expected, as the file of functions explains.
func parseExercise(name, source string) (*Exercise, error) {
	e := &Exercise{Name: name, Source: source}
	lines := strings.Split(source, "\n")
	var head []string
	for _, l := range lines[1:] {
		text, ok := strings.CutPrefix(l, "# ")
		if !ok {
			break
		}
		head = append(head, text)
	}
	if len(head) < 3 || !strings.HasPrefix(head[2], "Look for: ") {
		return nil, fmt.Errorf("%s: the second line is the title, the third the place, and the fourth begins with \"Look for: \"", name)
	}
	e.Title, e.Place = head[0], head[1]
	e.Look = strings.TrimPrefix(strings.Join(head[2:], " "), "Look for: ")
	for n, l := range lines {
		for prefix, to := range map[string]*[]shown{"# expect ": &e.expect, "# never ": &e.never} {
			text, ok := strings.CutPrefix(l, prefix)
			if !ok {
				continue
			}
			s, ok := parseShown(text)
			if !ok {
				return nil, fmt.Errorf("%s:%d: %sNAME: LINE", name, n+1, prefix)
			}
			*to = append(*to, s)
		}
	}
	return e, nil
}

// parseShown reads "server:  hello, world".
func parseShown(text string) (shown, bool) {
	who, line, ok := strings.Cut(text, ":")
	if !ok || who == "" || strings.Contains(who, " ") {
		return shown{}, false
	}
	return shown{who, strings.TrimLeft(line, " ")}, true
}

// compare says what of the expectations the output of the script does not meet.
// The lines of one terminal are in order; who of two was first is left open.
func (e *Exercise) compare(output string) (missed []string) {
	at := map[string][]string{}
	for text := range strings.SplitSeq(output, "\n") {
		if s, ok := parseShown(text); ok {
			at[s.who] = append(at[s.who], s.line)
		}
	}
	for _, s := range e.never {
		if i := slices.IndexFunc(at[s.who], func(l string) bool { return glob(s.line, l) }); i >= 0 {
			missed = append(missed, fmt.Sprintf("never %v\n  but  %s", s, at[s.who][i]))
		}
	}
	for _, s := range e.expect {
		i := slices.IndexFunc(at[s.who], func(l string) bool { return glob(s.line, l) })
		if i < 0 {
			missed = append(missed, fmt.Sprintf("expected %v", s))
			continue
		}
		at[s.who] = at[s.who][i+1:]
	}
	return missed
}

// course does what follows "sock --lab course".
func (c *session) course(words []string) (ok bool, err error) {
	all, err := Course()
	if err != nil {
		return false, err
	}
	verb, names := "list", words
	if len(words) > 0 {
		verb, names = words[0], words[1:]
	}
	switch verb {
	case "list":
		for _, e := range all {
			fmt.Fprintf(c.stdout, "%-20s %s\n%20s %s\n", e.Name, e.Title, "", strings.TrimPrefix(e.Place, "TCP/IP Illustrated, "))
		}
		return true, nil
	case "copy":
		if len(names) != 1 {
			return false, errors.New("copy the course to which directory?")
		}
		return true, copyCourse(names[0])
	case "show", "run":
	default:
		return false, fmt.Errorf("what is %s? There are course list, course show NAME, course run NAME, and course copy DIRECTORY", verb)
	}
	if verb == "run" && len(names) == 1 && names[0] == "all" {
		return c.exercises(all)
	}
	if len(names) == 0 {
		return false, fmt.Errorf("%s which script? sock --lab course list has their names", verb)
	}
	var chosen []*Exercise
	for _, name := range names {
		i := slices.IndexFunc(all, func(e *Exercise) bool { return e.Name == strings.TrimSuffix(name, ".sh") })
		if i < 0 {
			return false, fmt.Errorf("the course has no script %s: sock --lab course list has their names", name)
		}
		chosen = append(chosen, all[i])
	}
	if verb == "run" {
		return c.exercises(chosen)
	}
	for _, e := range chosen {
		if _, err := io.WriteString(c.stdout, e.Source); err != nil {
			return false, err
		}
	}
	return true, nil
}

// copyCourse writes all files of the course into a directory, which it makes.
// Where that fails it leaves none that was not there.
func copyCourse(directory string) error {
	files, err := fs.Sub(courseFiles, "course")
	if err != nil {
		return err
	}
	_, missing := os.Lstat(directory)
	err = os.CopyFS(directory, files)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: copy the course to a directory that is new", err)
	case err != nil && missing != nil:
		return errors.Join(err, os.RemoveAll(directory))
	}
	return err
}

// exercises runs scripts, and reports whether all showed what they promise.
func (c *session) exercises(all []*Exercise) (ok bool, err error) {
	host, err := kernel.New()
	if err != nil {
		return false, err
	}
	// A write to a pipe that nobody reads is to be an error, and not yet the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ok = true
	for _, e := range all {
		good, err := c.exercise(e, host)
		if err != nil {
			return false, err
		}
		ok = ok && good
	}
	return ok, nil
}

// exercise runs a script, and reports whether it showed what it promises.
func (c *session) exercise(e *Exercise, host modes.Host) (ok bool, err error) {
	var output strings.Builder
	fmt.Fprintf(c.stdout, "%s: %s\n%s\nLook for: %s\n\n", e.Name, e.Title, e.Place, e.Look)
	err = perform(e, host, io.MultiWriter(c.stdout, &output))
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return false, err
	}
	missed := e.compare(output.String())
	if failed != nil {
		missed = append(missed, fmt.Sprintf("the script was to succeed: %v", failed))
	}
	fmt.Fprintln(c.stdout)
	for _, text := range missed {
		fmt.Fprintf(c.stdout, "%s: %s\n", e.Name, text)
	}
	if len(missed) == 0 {
		fmt.Fprintf(c.stdout, "%s: as expected (%s)\n", e.Name, plural(len(e.expect)+len(e.never), "expectation"))
	}
	return len(missed) == 0, nil
}
