package opts

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUsage(t *testing.T) {
	var b strings.Builder
	Usage(&b)
	text := b.String()
	for _, line := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(line) > lineWidth {
			t.Errorf("wider than %d columns: %s", lineWidth, line)
		}
	}
	for _, f := range Flags() {
		want := "      --" + f.Name
		if f.Letter != "" {
			want = "  -" + f.Letter + ", --" + f.Name
		}
		if f.Arg != "" {
			want += " " + f.Arg
		}
		if strings.Count(text, "\n"+want+" ") != 1 {
			t.Errorf("usage has not just one line for %q", want)
		}
		if f.Arg != "" && len(want) >= flagColumn {
			t.Errorf("%q runs into the column of help", want)
		}
	}
	for _, want := range []string{"[1024]", "[5]", "\nSocket options:\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("usage has no %q", want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := strings.Join(wrap("a bb ccc  dddd eeeeeeee f", 6), "|")
	if want := "a bb|ccc|dddd|eeeeeeee|f"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
