package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// first is what to look for first.
func (e *Exercise) first() string {
	sentence, _, _ := strings.Cut(e.Look, ". ")
	return strings.TrimSuffix(sentence, ".")
}

// oneLine is s with every run of white space as one space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestCourseTable: the README and the manual page have a table of the course, in
// its order, with the place in the book and what to look for.
func TestCourseTable(t *testing.T) {
	all, err := Course()
	if err != nil {
		t.Fatal(err)
	}
	var readme, man strings.Builder
	for _, e := range all {
		place := strings.TrimPrefix(e.Place, "TCP/IP Illustrated, ")
		readme.WriteString("| `" + e.Name + "` | " + place + " | " + e.first() + " |\n")
		man.WriteString(".It " + e.Name + "\n(" + place + ")\n" + e.first() + ".\n")
	}
	for file, table := range map[string]string{"README.md": readme.String(), "man/sock-lab.7": man.String()} {
		text, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(oneLine(string(text)), oneLine(table)) {
			t.Errorf("%s has another table than\n%s", file, table)
		}
	}
}

// TestCourseCompare: what a script shows is compared with what it promises.
func TestCourseCompare(t *testing.T) {
	const script = `#!/bin/sh
# A title
# TCP/IP Illustrated, section 18.7, figure 18-15
# Look for: this. And
# for that.
. functions
# expect a: one
# expect a: * two
# expect b: zwei: *
# never b: three*
`
	e, err := parseExercise("x", script)
	if err != nil {
		t.Fatal(err)
	}
	if e.Title != "A title" || e.section() != "18.7, figure 18-15" || e.Look != "this. And for that." || e.first() != "this" {
		t.Errorf("%+v", e)
	}
	for _, test := range []struct{ output, missed string }{
		{"a:  one\nb: zwei: 2\na: 3 two\n", ""},
		{"a: 3 two\na: one\nb: zwei: 2\n", "expected a: * two"},
		{"a: one\na: 3 two\nb: zwei\n", "expected b: zwei: *"},
		{"a: one\na: 3 two\nb: zwei: 2\nb: three and four\n", "never b: three*\n  but  three and four"},
		{"", "expected a: one|expected a: * two|expected b: zwei: *"},
	} {
		if missed := strings.Join(e.compare(test.output), "|"); missed != test.missed {
			t.Errorf("%q: %q, want %q", test.output, missed, test.missed)
		}
	}
}

// TestCourseHead: a script says what it is about, and each expectation whose it is.
func TestCourseHead(t *testing.T) {
	const head = "#!/bin/sh\n# A title\n# section 1\n"
	for source, want := range map[string]string{
		"":                           "x: the second line is the title",
		head + ". functions\n":       "x: the second line is the title",
		head + "# Look: there\n":     "x: the second line is the title",
		"#!/bin/sh\n# Look for: x\n": "x: the second line is the title",
		head + "# Look for: x\n# expect nobody\n":     "x:5: # expect NAME: LINE",
		head + "# Look for: x\n# never some one: x\n": "x:5: # never NAME: LINE",
	} {
		if _, err := parseExercise("x", source); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", source, err, want)
		}
	}
}

// TestCourseCommand: the scripts can be listed, read and copied.
func TestCourseCommand(t *testing.T) {
	status, out, errs := run(t, "", "course")
	if status != 0 || errs != "" || !strings.Contains(out, "\nlinger ") || !strings.Contains(out, "figure 18-15") {
		t.Errorf("exit %d, %q, %q", status, out, errs)
	}
	status, out, errs = run(t, "", "course", "show", "linger.sh")
	if status != 0 || errs != "" || !strings.HasPrefix(out, "#!/bin/sh\n# A close that aborts\n") {
		t.Errorf("exit %d, %q, %q", status, out, errs)
	}
	directory := filepath.Join(t.TempDir(), "course")
	status, out, errs = run(t, "", "course", "copy", directory)
	if status != 0 || errs != "" || out != "" {
		t.Errorf("exit %d, %q, %q", status, out, errs)
	}
	for _, name := range []string{"linger.sh", courseFunctions} {
		if _, err := os.Stat(filepath.Join(directory, name)); err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"course play", "what is play? There are course list,"},
		{"course show", "show which script?"},
		{"course run nothing", "the course has no script nothing:"},
		{"course copy", "to which directory?"},
		{"course copy " + directory, "exists: copy the course to a directory that is new"},
		{"course --seed 1 list", "course does not take --seed"},
	} {
		status, out, errs := run(t, "", strings.Fields(test.args)...)
		if status != 1 || out != "" || !strings.Contains(errs, test.want) {
			t.Errorf("%s: exit %d, %q, %q", test.args, status, out, errs)
		}
	}
}
