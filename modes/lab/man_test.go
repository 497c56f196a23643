package lab

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"sock/rawtcp/profile"
)

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../man/sock-lab.7")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageTutorial: the lab that the manual page shows is the one that runs.
func TestPageTutorial(t *testing.T) {
	l, err := Load("tutorial")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page(t), strings.ReplaceAll(l.Source, `\`, `\e`)) {
		t.Error("sock-lab(7) shows another tutorial than the catalogue has")
	}
}

// TestPageKeywords: the page describes each first word of a line, and no word
// that does not exist.
func TestPageKeywords(t *testing.T) {
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^\.It Ic (\w+)`).FindAllStringSubmatch(page(t), -1) {
		described = append(described, m[1])
	}
	keywords := []string{
		"about", "after", "also", "arp", "at", "change", "clock", "corrupt", "count", "crash", "cut", "drop",
		"duplicate", "figure", "file", "for", "hold", "host", "inject", "link", "mend", "never",
		"reboot", "section", "seed", "set", "states", "tcpdump", "title", "until",
	}
	slices.Sort(described)
	if !slices.Equal(described, keywords) {
		t.Errorf("described are\n%v, there are\n%v", described, keywords)
	}
	for _, k := range keywords {
		_, err := Parse("x", twoHosts+k+"\n")
		if err != nil && strings.Contains(err.Error(), "what is ") {
			t.Errorf("%s is no keyword: %v", k, err)
		}
	}
}

// TestPageFlags: the page describes each flag, in their order, and names each
// system.
func TestPageFlags(t *testing.T) {
	var described, flags []string
	for _, m := range regexp.MustCompile(`(?m)^\.It Fl -([\w-]+)`).FindAllStringSubmatch(page(t), -1) {
		described = append(described, m[1])
	}
	new(session).set().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	slices.Sort(flags)
	slices.Sort(described)
	if !slices.Equal(described, flags) {
		t.Errorf("described are\n%v, there are\n%v", described, flags)
	}
	for _, name := range profile.Names() {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(page(t)) {
			t.Errorf("the page does not name the system %s", name)
		}
	}
}

// TestReadme: the runs that the README shows are what is printed.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```\n\\$ sock --lab ([^\n]+)\n(.*?)```\n").FindAllStringSubmatch(string(text), -1)
	if len(shown) == 0 {
		t.Error("the README shows no lab")
	}
	for _, m := range shown {
		status, out, errs := run(t, "", strings.Fields(m[1])...)
		if diff := cmp.Diff(m[2], out); status != 0 || diff != "" {
			t.Errorf("%s: exit %d, %s (-README +printed)\n%s", m[1], status, errs, diff)
		}
	}
}
