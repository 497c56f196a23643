package rawtcp_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var grow = flag.Duration("grow", 0, "look so long for inputs that reach what the corpus does not, and add them")

const corpusDir = "testdata/fuzz/FuzzStack"

// TestCorpus: the corpus of FuzzStack reaches every state, goes along the arrows
// of the diagram, drops a packet for every reason, and reaches every counter and
// every error. So the fuzzer begins where all of the Stack is within a few steps.
//
// When a change of the Stack has made it fall short, "go test -run TestCorpus
// -grow 1m" finds what is to be added.
func TestCorpus(t *testing.T) {
	inputs := corpus(t)
	got := map[string]bool{}
	for name, in := range inputs {
		p := newPlay(t, in)
		if err := p.run(); err != nil {
			t.Errorf("%s: at %v: %v", name, p.l.now, err)
		}
		maps.Copy(got, p.reached)
	}
	if *grow > 0 {
		growCorpus(t, got)
	}
	n := 0
	for what := range reachable() {
		if n++; !got[what] {
			t.Errorf("not reached: %s", what)
		}
	}
	t.Logf("%d inputs reach %d states, arrows, reasons, counters and errors", len(inputs), n)
}

// corpus returns the inputs of the corpus by name.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob(corpusDir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, value, _ := strings.Cut(string(text), "\n[]byte(")
		in, err := strconv.Unquote(strings.TrimSuffix(value, ")\n"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = []byte(in)
	}
	return all
}

// growCorpus runs inputs at random, and adds those that reach what is not in
// got.
func growCorpus(t *testing.T, got map[string]bool) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	want := reachable()
	n := 0
	for end := time.Now().Add(*grow); time.Now().Before(end); n++ {
		in := randomInput(rnd)
		for what := range reaches(t, in) {
			if got[what] || !want[what] {
				continue
			}
			in = shrink(t, in, what)
			maps.Copy(got, reaches(t, in))
			name := strings.Map(func(c rune) rune {
				if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_", c) {
					return c
				}
				return '-'
			}, strings.ToLower(what))
			text := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", in)
			if err := os.MkdirAll(corpusDir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(corpusDir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes", name, len(in))
			break
		}
	}
	t.Logf("%d inputs tried", n)
}

// reaches returns what in reaches.
func reaches(t *testing.T, in []byte) map[string]bool {
	t.Helper()
	p := newPlay(t, in)
	if err := p.run(); err != nil {
		t.Fatalf("%q: at %v: %v", in, p.l.now, err)
	}
	return p.reached
}

// randomInput returns an input in which something may come about: users, and
// answers to what they do.
func randomInput(rnd *rand.Rand) []byte {
	in := make([]byte, 16+rnd.IntN(300))
	for i := range in {
		in[i] = byte(rnd.Uint32())
		switch rnd.IntN(6) {
		case 0:
			in[i] = 0
		case 1:
			in[i] &^= 0xf0
		}
	}
	return in
}

// shrink returns a shorter input that reaches what too.
func shrink(t *testing.T, in []byte, what string) []byte {
	t.Helper()
	for n := len(in) / 2; n > 0; n /= 2 {
		for at := 0; at+n <= len(in); {
			shorter := append(append([]byte{}, in[:at]...), in[at+n:]...)
			if reaches(t, shorter)[what] {
				in = shorter
			} else {
				at += n
			}
		}
	}
	return in
}
