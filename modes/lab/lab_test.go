package lab

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/profile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update rewrites it:\n%s", path, diff)
	}
}

// command runs Main, with what is typed.
func run(t *testing.T, typed string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Main(args, strings.NewReader(typed), &out, &errs)
	return status, out.String(), errs.String()
}

// TestCatalogue: every lab is as expected as the book's systems, and as all
// those that it says anything about.
func TestCatalogue(t *testing.T) {
	all, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		for _, system := range append(l.Systems(), Book) {
			t.Run(l.Name+"@"+system, func(t *testing.T) {
				o, err := Run(l, Options{System: system})
				if err != nil {
					t.Fatal(err)
				}
				if !o.OK() || o.Checks == 0 {
					var b strings.Builder
					o.report(&b, pageWidth)
					t.Error(b.String())
				}
				if l.Title == "" || l.Section == "" && l.Name != "tutorial" || len(l.About) == 0 {
					t.Error("a lab of the catalogue has a title, a section and a text about it")
				}
			})
		}
	}
}

// TestSameBytes: the same lab has the same outcome, however many threads there
// are.
func TestSameBytes(t *testing.T) {
	all, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		first := allOf(t, l)
		n := runtime.GOMAXPROCS(1)
		second := allOf(t, l)
		runtime.GOMAXPROCS(n)
		if first != second {
			t.Errorf("%s: two runs differ:\n%s", l.Name, cmp.Diff(first, second))
		}
	}
}

func allOf(t *testing.T, l *Lab) string {
	o, err := Run(l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := o.json(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestScripts: what scripts can do, and what they can expect.
func TestScripts(t *testing.T) {
	for _, name := range []string{"inject", "events"} {
		if status, out, errs := run(t, "", "run", "testdata/"+name+".lab"); status != 0 {
			t.Errorf("%s: exit %d\n%s%s", name, status, out, errs)
		}
	}
}

// TestFailures: what is wanted stands beside what was seen.
func TestFailures(t *testing.T) {
	status, out, errs := run(t, "", "run", "testdata/wrong.lab")
	if status != 1 || errs != "" {
		t.Errorf("exit %d, %s", status, errs)
	}
	golden(t, "wrong.txt", out)
}

// TestFlagUsage: the flags are told in a page of a terminal, each in its own words.
func TestFlagUsage(t *testing.T) {
	status, out, errs := run(t, "", "--help")
	if status != 0 || errs != "" {
		t.Errorf("exit %d, %s", status, errs)
	}
	for l := range strings.Lines(out) {
		if len(l) > 80+len("\n") {
			t.Errorf("too long: %s", l)
		}
	}
	for _, want := range []string{
		"\n  --ladder[=svg]       draw a time-line as text, or as a picture: svg\n",
		"\n  --tcpdump            print the packets only",
		"\n  --real-time[=TIMES]  take as long as",
		"\n  --as SYSTEM          all hosts have this SYSTEM: rfc9293,",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
}

// TestViews: the ways to look at one lab.
func TestViews(t *testing.T) {
	for _, test := range []struct{ name, args string }{
		{"timeline.txt", "run testdata/view.lab"},
		{"narrow.txt", "run --width 80 --explain testdata/view.lab"},
		{"ladder.txt", "run --ladder testdata/view.lab"},
		{"states.txt", "run --states testdata/view.lab"},
		{"tcpdump.txt", "run --tcpdump testdata/view.lab"},
		{"as.txt", "run --as linux testdata/view.lab"},
		{"compare.txt", "compare testdata/view.lab testdata/view.lab@solaris"},
		{"several.txt", "run testdata/view.lab testdata/view.lab@bsd"},
	} {
		status, out, errs := run(t, "", strings.Fields(test.args)...)
		if status != 0 || errs != "" {
			t.Errorf("%s: exit %d, %s", test.args, status, errs)
		}
		golden(t, test.name, out)
	}
}

func TestPicture(t *testing.T) {
	_, out, _ := run(t, "", "run", "--ladder=svg", "testdata/view.lab")
	if !strings.HasPrefix(out, "<svg") || !strings.Contains(out, "ESTABLISHED") {
		t.Errorf("this is no picture of the lab:\n%.200s", out)
	}
}

func TestPcapng(t *testing.T) {
	file := filepath.Join(t.TempDir(), "view.pcapng")
	status, out, _ := run(t, "", "run", "--pcapng", file, "--tcpdump", "testdata/view.lab")
	data, err := os.ReadFile(file)
	if status != 0 || err != nil {
		t.Fatalf("exit %d, %v", status, err)
	}
	const packetBlock = "\x06\x00\x00\x00"
	if n := strings.Count(out, "\n"); bytes.Count(data, []byte(packetBlock)) < n {
		t.Errorf("%d packets on the screen, fewer in the file", n)
	}
	if status, _, errs := run(t, "", "run", "--pcapng", t.TempDir(), "testdata/view.lab"); status != 1 || errs == "" {
		t.Errorf("a directory as a file: exit %d, %q", status, errs)
	}
}

// TestQuiz: answers are marked; a wrong one is put right, with the rule.
func TestQuiz(t *testing.T) {
	status, out, _ := run(t, "1001\n 1 \n2\n", "run", "--quiz", "testdata/view.lab")
	if status != 0 {
		t.Errorf("exit %d", status)
	}
	golden(t, "quiz.txt", out)
}

// TestStep: one event at a time, until the user has seen enough.
func TestStep(t *testing.T) {
	const prompt = "[Enter: next, g: go on, q: quit]"
	count := func(typed string) (prompts int, end bool) {
		status, out, errs := run(t, typed, "run", "--step", "testdata/view.lab")
		if status != 0 || errs != "" {
			t.Errorf("exit %d, %s", status, errs)
		}
		return strings.Count(out, prompt), strings.Contains(out, "as expected")
	}
	for _, test := range []struct {
		typed   string
		prompts int
		end     bool
	}{
		{"\n\nq\n", 3, false},
		{"\ng\n", 2, true},
		{"", 1, true},
	} {
		if n, end := count(test.typed); n != test.prompts || end != test.end {
			t.Errorf("typed %q: %d prompts, end %t", test.typed, n, end)
		}
	}
}

// TestRealTime: a lab takes as long as what it shows, or a part of it.
func TestRealTime(t *testing.T) {
	l, err := Load("testdata/view.lab")
	if err != nil {
		t.Fatal(err)
	}
	var slept time.Duration
	c := &session{stdout: &bytes.Buffer{}, sleep: func(d time.Duration) { slept += d }}
	c.pace, c.width = 2, pageWidth
	if _, err := c.one(l, Book); err != nil {
		t.Fatal(err)
	}
	o, err := Run(l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := o.Line[len(o.Line)-1].At / 2; slept < want-time.Millisecond || slept > want {
		t.Errorf("slept %v, want %v", slept, want)
	}
}

// TestColumns: a page is as wide as the terminal, unless the user says how wide.
func TestColumns(t *testing.T) {
	for _, test := range []struct {
		columns int
		args    string
		want    int
	}{
		{0, "list", pageWidth},
		{80, "list", 80},
		{40, "list", leastWidth},
		{80, "run --width 100 fig18-15", 100},
	} {
		c := &session{stdout: &bytes.Buffer{}, columns: test.columns}
		if _, err := c.main(strings.Fields(test.args)); err != nil || c.width != test.want {
			t.Errorf("%d columns, %s: %d wide, %v; want %d", test.columns, test.args, c.width, err, test.want)
		}
	}
	if n := columns(&bytes.Buffer{}); n != 0 {
		t.Errorf("a buffer has %d columns", n)
	}
}

func TestList(t *testing.T) {
	status, out, _ := run(t, "", "list")
	if status != 0 || !strings.Contains(out, "18  TCP connection establishment") || !strings.Contains(out, "fig18-15 ") {
		t.Errorf("exit %d\n%s", status, out)
	}
	if strings.Index(out, "fig18-6 ") > strings.Index(out, "fig18-15 ") {
		t.Error("section 18.3 stands behind 18.7.2")
	}
	_, source, _ := run(t, "", "show", "fig18-15")
	if !strings.Contains(source, "bsdi % sock -L0 svr4 8888\n") {
		t.Errorf("show gives\n%s", source)
	}
}

// TestShowSystem: what "set" can change is shown with its value, and is taken as
// it is shown.
func TestShowSystem(t *testing.T) {
	for _, system := range profile.Names() {
		_, out, errs := run(t, "", "show", system)
		lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
		if len(lines) != len(profile.Settings()) || errs != "" {
			t.Errorf("%s has %d lines, want %d: %s", system, len(lines), len(profile.Settings()), errs)
		}
		for _, l := range lines {
			if w := strings.Fields(l); len(w) < 3 {
				t.Errorf("%s: %q says too little", system, l)
			}
		}
	}
	if _, out, _ := run(t, "", "show", "solaris"); !regexp.MustCompile(`(?m)^msl +2m(in|0s)? `).MatchString(out) {
		t.Errorf("the MSL of Solaris is not 2 minutes:\n%s", out)
	}
}

// TestUsage: what is wrong is said in a sentence.
func TestUsage(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", "usage: "},
		{"play fig18-1", "the commands are list, show, run, compare and course"},
		{"list fig18-1", "list takes no names"},
		{"list --json", "list does not take --json"},
		{"compare --quiz fig18-1 fig18-9", "compare does not take --quiz"},
		{"run --json fig18-1 fig18-9", "--json is for one lab"},
		{"run --pcapng x all", "--pcapng is for one lab"},
		{"--states fig18-1 fig18-9", "--states is for one lab"},
		{"run --ladder svg fig18-1", "--ladder=text"},
		{"run --quiz --pcapng x fig18-1", "--pcapng would give the answers away"},
		{"run --explain --json fig18-1", "--explain is for the time-line"},
		{"run", "run which lab?"},
		{"show", "show which lab?"},
		{"run nothing", `there is no lab "nothing"`},
		{"run testdata/view", "is it the file testdata/view.lab"},
		{"show nothing", `there is no lab "nothing"`},
		{"run testdata/nothing.lab", "no such file"},
		{"run --as vms fig18-1", `there is no system "vms"`},
		{"run fig18-1@vms", `there is no system "vms"`},
		{"run --ladder=png fig18-1", "text or svg"},
		{"run --ladder --json fig18-1", "one can be had"},
		{"run --width 5 fig18-1", "from 60"},
		{"run --real-time=-1 fig18-1", "above 0"},
		{"run --what fig18-1", "--what is not a flag"},
		{"run -v fig18-1", "-v is not a flag"},
		{"run --seed x fig18-1", `--seed takes a number, not "x"`},
		{"run --json=x fig18-1", `--json takes nothing, not "x"`},
		{"run --pcapng", "--pcapng takes a FILE, and nothing follows it"},
		{"run --real-time=nan fig18-1", "above 0"},
		{"compare fig18-1", "which two"},
		{"compare fig18-1 nothing", `there is no lab "nothing"`},
	} {
		status, out, errs := run(t, "", strings.Fields(test.args)...)
		if status != 1 || out != "" || !strings.Contains(errs, test.want) || strings.HasPrefix(errs, "panic") {
			t.Errorf("%s: exit %d, %q, %q", test.args, status, out, errs)
		}
	}
}

// full is a disk that has room for so many bytes.
type full int

func (f *full) Write(p []byte) (n int, err error) {
	n = min(len(p), int(*f))
	if *f -= full(n); n < len(p) {
		err = errors.New("no room")
	}
	return n, err
}

// TestFullDisk: whatever is shown, it is an error if it cannot be written.
func TestFullDisk(t *testing.T) {
	for _, args := range []string{
		"list", "show fig18-1", "run fig18-1", "run --tcpdump fig18-1", "run --states fig18-1", "run --json fig18-1",
		"run --ladder fig18-1", "run --quiz fig18-1", "run --step fig18-1", "run fig18-1 fig18-9",
		"compare fig18-1 fig18-9", "--help",
	} {
		var errs strings.Builder
		room := full(40)
		status := Main(strings.Fields(args), strings.NewReader(""), &room, &errs)
		if want := "standard output is cut short: no room\n"; status != 1 || errs.String() != want {
			t.Errorf("%s: exit %d, %q", args, status, errs.String())
		}
	}
}

// TestRunErrors: what can only be seen to be wrong when a lab runs has the
// line of the script.
func TestRunErrors(t *testing.T) {
	const world = "link ether\nhost a bsd 10.0.0.1/8 on ether\nhost b bsd 10.0.0.2/8 on ether\n"
	for _, test := range []struct{ script, want string }{
		{"a % frobnicate", `x.lab:4: there is no program "frobnicate"`},
		{"a % sock -s 7\na % sock b 7", `x.lab:5: at a "sock`},
		{"a < hello", "x.lab:4: nothing runs at a"},
		{"a serves nothing", "x.lab:4: "},
		{"crash a\na % sock b 7", "x.lab:5: host a is down"},
		{"a % sock -s 7\nb % sock -K a 7", "x.lab:1: this goes on for ever"},
	} {
		l, err := Parse("x", world+test.script+"\n")
		if err != nil {
			t.Errorf("%s: %v", test.script, err)
			continue
		}
		_, err = Run(l, Options{})
		var m *Mistake
		if !errors.As(err, &m) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.script, err, test.want)
		}
	}
}
