package man

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sock/opts"
)

var update = flag.Bool("update", false, "format sock.txt anew")

// item is the heading of a flag's paragraph:
//
//	.It Fl n , Fl -writes Ar N
var item = regexp.MustCompile(`(?m)^\.It Fl (?:(\w) , Fl )?-([a-z0-9-]+)(?: Ar ([A-Z.]+))?$`)

// TestFlags: the page has a paragraph for each flag and for nothing else, with
// both names and the argument, in the order of usage, and tells the default.
func TestFlags(t *testing.T) {
	data, err := os.ReadFile("sock.1")
	if err != nil {
		t.Fatal(err)
	}
	source := string(data)
	items := item.FindAllStringSubmatchIndex(source, -1)
	if n := strings.Count(source, "\n.It Fl "); n != len(items) {
		t.Errorf("%d of the page's flags are not written as the others", n-len(items))
	}
	flags := opts.Flags()
	for i, at := range items {
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return source[at[2*n]:at[2*n+1]]
		}
		if i >= len(flags) {
			t.Errorf("the page has %s, the program does not", group(0))
			continue
		}
		f := flags[i]
		if group(1) != f.Letter || group(2) != f.Name || group(3) != f.Arg {
			t.Fatalf("the page has %q where the program has -%s, --%s %s", group(0), f.Letter, f.Name, f.Arg)
		}
		end := len(source)
		if i+1 < len(items) {
			end = items[i+1][0]
		}
		if about := source[at[1]:end]; !strings.Contains(about, f.Default()) {
			t.Errorf("--%s: the page does not tell the default, %s", f.Name, f.Default())
		}
	}
	for i := len(items); i < len(flags); i++ {
		t.Errorf("the program has --%s, the page does not", flags[i].Name)
	}
}

// mandoc runs mandoc on the page.
func mandoc(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("no mandoc: apt-get install mandoc")
	}
	return exec.Command("mandoc", append(args, "sock.1")...).Output()
}

func TestLint(t *testing.T) {
	if out, err := mandoc(t, "-T", "lint", "-W", "warning"); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestText: the formatted page is that of sock.1.
func TestText(t *testing.T) {
	out, err := mandoc(t, "-T", "ascii", "-O", "width=78", "-I", "os=sock")
	if err != nil {
		t.Fatal(err)
	}
	// Bold and underlined letters are struck over.
	out = regexp.MustCompile(`.\x08`).ReplaceAll(out, nil)
	if *update {
		if err := os.WriteFile("sock.txt", out, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	var shown bytes.Buffer
	if err := Show(&shown); err != nil {
		t.Fatal(err)
	}
	// Versions of mandoc break lines in different places.
	got, want := strings.Fields(shown.String()), strings.Fields(string(out))
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("sock.txt is not sock.1 from its word %d on: go test ./man -update", i)
		}
	}
}
