package tcb_test

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestImports: the machine is pure. It can have no clock, no I/O, no lock and
// no goroutine, because it imports nothing that has, and starts none.
func TestImports(t *testing.T) {
	allowed := []string{
		"encoding/binary", "errors", "io", "math/bits", "strconv", "time",
		"sock/rawtcp/seq", "sock/rawtcp/wire",
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		n++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// Of package time it may use the type of instants, not the clock.
		for _, word := range []string{
			"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After(", "time.AfterFunc",
			"time.NewTimer", "time.NewTicker", "time.Tick(", "\tgo ", "chan ",
		} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d files", n)
	}
}
